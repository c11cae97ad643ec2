"""Net revenue retention from two revenue fields per company."""

from __future__ import annotations

from datetime import date

import pytest

from audiences.config import Economics
from audiences.model import Account
from audiences.performance_retention import retention, revenues
from audiences.scoring import frames_from
from audiences.scoring_universe import Universe

BOTH = Economics(revenue_before="arr_2025", revenue_now="arr")


def universe(rows: list[tuple[object, object]]) -> Universe:
    accounts = [
        Account(f"c{i:02}", "C", attributes={k: v for k, v in (("arr_2025", a), ("arr", b)) if v is not None})
        for i, (a, b) in enumerate(rows)
    ]
    frames = frames_from(accounts)
    return Universe(frames.accounts, frames.signals, on=date(2026, 11, 1))


def test_nrr_is_what_last_years_customers_bring_now_by_what_they_brought_then() -> None:
    # grown, shrunk, left, won since (does not count), unknown today (does not count)
    data = universe([(100, 150), (100, 50), (200, 0), (0, 500), (None, 80), (100, None)])
    found = revenues(data, BOTH)
    assert found == {"c00": (100, 150), "c01": (100, 50), "c02": (200, 0)}
    everybody = retention(found)
    assert everybody is not None
    assert (everybody.value, everybody.n, everybody.words) == (0.5, 3, "too few to say (n = 3)")
    part = retention(found, ["c00", "c01", "c04"])
    assert part is not None
    assert (part.value, part.n) == (1.0, 2)


def test_twenty_customers_are_enough_to_say() -> None:
    found = retention(revenues(universe([(100.0, 110.0)] * 20), BOTH))
    assert found is not None
    assert found.value == pytest.approx(1.1)
    assert found.enough


def test_revenue_written_as_text_counts_and_without_the_fields_nothing_is_claimed() -> None:
    assert revenues(universe([("100", "90")]), BOTH) == {"c00": (100.0, 90.0)}
    assert revenues(universe([(100, 90)]), Economics()) == {}
    assert revenues(universe([(None, None)]), BOTH) == {}
    assert retention({}) is None
    nobody = retention({"c00": (1.0, 1.0)}, ["other"])
    assert nobody is not None
    assert (nobody.value, nobody.words) == (None, "too few to say (n = 0)")
