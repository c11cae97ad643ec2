"""Reports are stored once, restated in place, and read back as columns."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audiences.model import ImpressionReport, ReportRow, ReportTotal
from audiences.store import Store
from tests.audiences.lists_and_members import AT, hours

DAY = date(2026, 3, 1)


def row(day: int | None, entity: str, n: int | None, **more: Any) -> ReportRow:
    values = {"clicks": 1, "spend": Decimal("0.50"), "campaign_id": "c1"} | more
    return ReportRow(None if day is None else DAY + timedelta(days=day), entity, n, **values)


def report(
    *rows: ReportRow, days: int = 3, totals: tuple[ReportTotal, ...] = (), **more: Any
) -> ImpressionReport:
    base = ImpressionReport(
        "linkedin", DAY, DAY + timedelta(days=days - 1), "daily", rows, totals, AT, scope=("c1",)
    )
    return replace(base, **more)


def read(store: Store, **more: Any) -> list[tuple[int, str, int]]:
    found = store.impressions("linkedin", DAY, DAY + timedelta(days=30), **{"grain": "daily"} | more)
    names = [found.entities[i] for i in found.entity]
    days = [int(d) - DAY.toordinal() for d in found.first]
    return list(zip(days, names, found.impressions.tolist(), strict=True))


def test_storing_a_report_twice_counts_nothing_twice(store: Store) -> None:
    one = report(row(0, "urn:1", 5), row(1, "urn:2", 7))
    assert [store.save_report(one), store.save_report(one)] == [3, 3]
    assert read(store) == [(0, "urn:1", 5), (1, "urn:2", 7)]


def test_a_restated_day_replaces_its_rows_also_those_that_vanished(store: Store) -> None:
    store.save_report(report(row(0, "urn:1", 5), row(1, "urn:2", 7), row(2, "urn:3", 9)))
    later = report(row(1, "urn:4", 8), days=2, fetched_at=AT + hours(24))
    assert store.save_report(later) == 2
    assert read(store) == [(1, "urn:4", 8), (2, "urn:3", 9)]


def test_an_older_answer_never_overwrites_a_newer_one(store: Store) -> None:
    store.save_report(report(row(1, "urn:2", 8), fetched_at=AT + hours(24)))
    assert store.save_report(report(row(0, "urn:1", 1), row(1, "urn:2", 1), days=2)) == 0
    assert read(store) == [(1, "urn:2", 8)]


def test_a_withheld_figure_is_unknown_and_never_zero(store: Store) -> None:
    store.save_report(report(row(0, "urn:1", None, clicks=None, spend=None), row(0, "urn:2", 0)))
    found = store.impressions("linkedin", DAY, DAY, grain="daily")
    assert found.impressions.tolist() == [-1, 0]
    assert found.clicks.tolist() == [-1, 1]
    assert np.isnan(found.spend[0])
    assert found.spend[1] == 0.5


def test_days_windows_scopes_and_sources_are_kept_apart(store: Store) -> None:
    store.save_report(report(row(0, "urn:1", 5)))
    store.save_report(report(row(None, "urn:1", 50), grain="all"))
    store.save_report(report(row(0, "urn:9", 4, campaign_id="c2"), scope=("c2",)))
    store.save_report(report(row(0, "Acme Inc", 6), source="export"))
    assert read(store) == [(0, "Acme Inc", 6), (0, "urn:1", 5), (0, "urn:9", 4)]
    assert read(store, source="api", campaigns=["c1"]) == [(0, "urn:1", 5)]
    assert read(store, grain="all") == [(0, "urn:1", 50)]
    assert store.impressions("linkedin", DAY, DAY, grain="all").impressions.tolist() == []
    assert store.impressions("google", DAY, DAY, grain="daily").entities == ()


def test_two_segments_may_ask_about_the_same_window(store: Store) -> None:
    both = report(row(None, "urn:1", 100, campaign_id=None), grain="all", scope=("c1", "c2"))
    other = report(row(None, "urn:1", 7, campaign_id="c3"), grain="all", scope=("c3",))
    for answer in (both, other):
        store.save_report(answer)

    assert read(store, grain="all", scope=("c2", "c1")) == [(0, "urn:1", 100)]
    assert read(store, grain="all", scope=("c3",)) == [(0, "urn:1", 7)]
    assert read(store, grain="all", scope=("c1",)) == []
    total = ReportTotal(None, 9, None, Decimal(1), campaign_id="c3")
    store.save_report(replace(other, totals=(total,), fetched_at=AT + hours(1)))
    found = store.totals("linkedin", DAY, DAY + timedelta(days=30), grain="all", scope=("c3",))
    assert [one.impressions for one in found] == [9]


def test_rows_of_a_segment_are_those_of_organizations_linked_to_its_accounts(store: Store) -> None:
    store.link_organizations("linkedin", {"urn:1": "a.example", "urn:2": "b.example"}, at=AT)
    store.save_report(report(row(0, "urn:1", 5), row(0, "urn:2", 7), row(0, "urn:3", 9)))
    found = store.impressions("linkedin", DAY, DAY, grain="daily")
    assert dict(zip(found.entities, found.accounts, strict=True)) == {
        "urn:1": "a.example",
        "urn:2": "b.example",
        "urn:3": None,
    }
    assert read(store, segment_accounts=["b.example"]) == [(0, "urn:2", 7)]


def test_totals_stay_exact_to_the_last_digit(store: Store) -> None:
    total = ReportTotal(DAY, 12_345_678_901, 7, Decimal("1234567.891234567"), "c1")
    store.save_report(report(totals=(total,)))
    store.save_report(report(totals=(total,), fetched_at=AT + hours(1)))
    (found,) = store.totals("linkedin", DAY, DAY, grain="daily")
    assert (found.impressions, found.spend, found.campaign_id) == (
        12_345_678_901,
        Decimal("1234567.891234567"),
        "c1",
    )
    assert store.totals("linkedin", DAY, DAY, grain="daily", campaigns=["c2"]) == ()


def test_a_day_without_rows_is_an_answered_day_and_says_how_deep_it_went(store: Store) -> None:
    store.save_report(report(row(0, "urn:1", 5), list_depth=100, floor=3, noise=3, warnings=("late",)))
    windows = store.report_windows("linkedin", DAY, DAY + timedelta(days=9), grain="daily")
    assert [(w.first - DAY).days for w in windows] == [0, 1, 2]
    assert {(w.scope, w.fetched_at, w.list_depth, w.floor, w.noise, w.warnings) for w in windows} == {
        (("c1",), AT, 100, 3, 3, ("late",))
    }


REPORTS = st.lists(
    st.tuples(
        st.integers(0, 4),  # first day
        st.integers(1, 3),  # days
        st.integers(0, 3),  # hour it was fetched
        st.dictionaries(st.tuples(st.integers(0, 6), st.sampled_from("xyz")), st.integers(3, 99), max_size=6),
    ),
    max_size=6,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(reports=REPORTS)
def test_any_order_of_restatements_ends_as_the_newest_answer_of_each_day(
    store: Store, reports: list[tuple[int, int, int, dict[tuple[int, str], int]]]
) -> None:
    scope = (uuid.uuid4().hex,)  # a scope of its own per example
    twin: dict[int, tuple[int, dict[str, int]]] = {}
    for first, days, hour, cells in reports:
        inside = {k: n for k, n in cells.items() if first <= k[0] < first + days}
        rows = [row(day, name, n, campaign_id=scope[0]) for (day, name), n in inside.items()]
        start = DAY + timedelta(days=first)
        store.save_report(
            report(
                *rows,
                start=start,
                end=start + timedelta(days=days - 1),
                fetched_at=AT + hours(hour),
                scope=scope,
            )
        )
        for day in range(first, first + days):
            if day not in twin or twin[day][0] <= hour:
                twin[day] = (hour, {name: n for (d, name), n in inside.items() if d == day})
    expected = sorted((day, name, n) for day, (_, cells) in twin.items() for name, n in cells.items())
    assert read(store, campaigns=list(scope)) == expected
