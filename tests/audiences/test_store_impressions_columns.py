"""Report rows by column equal the sorted rows, cell by cell."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiences.store.impressions_columns import columns_of
from audiences.store.report_records import ImpressionColumns

DAY = date(2026, 3, 1)
LINKS = {"urn:1": "a.example", "urn:2": "b.example", "urn:9": "c.example"}
COUNTS = st.none() | st.integers(0, 2**40)
DAYS = st.integers(0, 3).map(lambda n: DAY + timedelta(days=n))
ROWS = st.lists(
    st.tuples(
        DAYS,
        DAYS,
        st.sampled_from(["urn:1", "urn:2", "urn:3", "Zürich AG", ""]),
        st.sampled_from(["", "c1", "c10", "c2"]),
        st.sampled_from(["", "x"]),
        COUNTS,
        COUNTS,
        COUNTS,
        st.none() | st.decimals(0, 10**6, places=4).map(str),
    ),
    max_size=12,
    unique_by=lambda row: row[:5],
)


def cells(found: ImpressionColumns) -> list[tuple[Any, ...]]:
    """The rows again, as they were stored."""
    counts = zip(found.impressions.tolist(), found.clicks.tolist(), found.members.tolist(), strict=True)
    return [
        (
            date.fromordinal(int(found.first[i])),
            date.fromordinal(int(found.last[i])),
            found.entities[found.entity[i]],
            found.campaigns[found.campaign[i]],
            found.creatives[found.creative[i]],
            *(None if n < 0 else n for n in numbers),
            None if math.isnan(found.spend[i]) else float(found.spend[i]),
        )
        for i, numbers in enumerate(counts)
    ]


@pytest.mark.parametrize("inside", [None, (), ("b.example", "c.example")])
@pytest.mark.parametrize("as_text", [True, False])
@given(rows=ROWS)
def test_columns_hold_every_wanted_row_in_order_and_no_name_without_a_row(
    as_text: bool, inside: tuple[str, ...] | None, rows: list[tuple[Any, ...]]
) -> None:
    given_rows = [(str(r[0]), str(r[1]), *r[2:]) if as_text else r for r in rows]
    found = columns_of(given_rows, LINKS, inside=inside)
    wanted = [r for r in rows if inside is None or LINKS.get(r[2]) in inside]
    wanted.sort(key=lambda r: (r[0], r[3], r[4], r[2], r[1]))
    assert cells(found) == [(*r[:8], None if r[8] is None else float(r[8])) for r in wanted]
    assert found.entities == tuple(sorted({r[2] for r in wanted}))
    assert found.campaigns == tuple(sorted({r[3] for r in wanted}))
    assert found.creatives == tuple(sorted({r[4] for r in wanted}))
    assert found.accounts == tuple(LINKS.get(name) for name in found.entities)
