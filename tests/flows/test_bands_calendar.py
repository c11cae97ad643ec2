"""Bands over time, budgets in cents, and the demo's fixed dates."""

import json
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.activate_plan import to_cents
from flows.bands import commands, in_force, note_budgets, note_command, possible
from flows.demo.calendar import Calendar
from flows.exposure import available, budgets_of
from flows.wiring import App

MONDAY = date(2026, 9, 7)
HISTORY = [
    (MONDAY, np.array([0, 0, 1, -1], dtype=np.int8)),
    (MONDAY + timedelta(days=7), np.array([0, 1, 1, 0], dtype=np.int8)),
]


def test_a_command_is_in_force_the_day_after() -> None:
    assert in_force(HISTORY, MONDAY, 4).tolist() == [-1, -1, -1, -1]
    assert in_force(HISTORY, MONDAY + timedelta(days=1), 4).tolist() == [0, 0, 1, -1]
    assert in_force(HISTORY, MONDAY + timedelta(days=7), 4).tolist() == [0, 0, 1, -1]
    assert in_force(HISTORY, MONDAY + timedelta(days=8), 4).tolist() == [0, 1, 1, 0]


class Memory:
    """An app of which only the store's settings, the day and the retention are asked."""

    def __init__(self, reports_days: int) -> None:
        self.config = SimpleNamespace(retention=SimpleNamespace(reports_days=reports_days))
        self.store, self.kept, self.today = self, dict[str, Any](), MONDAY

    def get(self, name: str, default: Any) -> Any:
        return json.loads(self.kept.get(name, json.dumps(default)))

    def put(self, name: str, value: Any, *, at: object) -> None:
        self.kept[name] = json.dumps(value)

    def now(self) -> None:
        return None


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(-1, 2)), min_size=1, max_size=60))
def test_what_was_commanded_is_kept_as_long_as_reports_and_no_longer(commanded: list[dict[str, int]]) -> None:
    short, whole = cast(App, Memory(20)), cast(App, Memory(10_000))
    for number, changes in enumerate(commanded):
        for app in (short, whole):
            app.today = MONDAY + timedelta(days=number)  # type: ignore[misc]
            note_command(app, "strike", app.today, changes)
            note_budgets(app, "strike", app.today, [float(number)])
    for day in (short.today - timedelta(days=back) for back in range(21)):
        told = [
            (
                in_force(commands(app, "strike", "abc"), day, 3).tolist(),
                possible(commands(app, "strike", "abc"), day, 3, 3).tolist(),
                [] if (money := budgets_of(app.store.get("budgets/strike", {}), day)) is None else [*money],
            )
            for app in (short, whole)
        ]
        assert told[0] == told[1]
    assert len(app.store.get("budgets/strike", {})) == len(commanded)
    assert len(short.store.get("commands/strike", {})) <= 20 + 7 + 2
    assert len(short.store.get("budgets/strike", {})) <= 20 + 7 + 2


def test_of_several_commands_older_than_the_reports_the_latest_about_an_account_stands() -> None:
    app = cast(App, Memory(20))
    for number, changes in ((0, {"a": 0}), (5, {"a": 1}), (10, {"b": 1}), (60, {"c": 1})):
        app.today = MONDAY + timedelta(days=number)  # type: ignore[misc]
        note_command(app, "strike", app.today, changes)
    assert [band.tolist() for _, band in commands(app, "strike", "abc")] == [[1, 1, -1], [1, 1, 1]]


@given(st.integers(0, 20))
def test_what_is_in_force_is_always_among_what_is_possible(days: int) -> None:
    day = MONDAY + timedelta(days=days)
    band = in_force(HISTORY, day, 4)
    eligible = possible(HISTORY, day, 4, 2)
    for account, b in enumerate(band.tolist()):
        assert b < 0 or eligible[b, account]


@given(st.lists(st.floats(0, 10_000), min_size=1, max_size=8))
def test_budgets_in_cents_add_up_exactly_and_none_is_off_by_more_than_a_cent(amounts: list[float]) -> None:
    total = Decimal(str(round(sum(amounts), 2)))
    cents = to_cents(amounts, total)
    assert abs(sum(cents) - total) <= Decimal("0.01") * len(amounts)
    assert all(abs(c - Decimal(str(a))) <= Decimal("0.02") for c, a in zip(cents, amounts, strict=True))


@given(st.lists(st.integers(0, 1_000_000), min_size=1, max_size=8))
def test_budgets_that_are_whole_cents_stay_as_they_are(amounts: list[int]) -> None:
    exact = [Decimal(a) / 100 for a in amounts]
    assert to_cents([float(a) for a in exact], sum(exact, Decimal(0))) == exact


def test_money_is_what_was_last_set_on_or_before_the_day() -> None:
    funding = {"2026-09-07": [1.0, 2.0], "2026-09-09": [3.0, 4.0]}
    assert budgets_of(funding, date(2026, 9, 6)) is None
    found = budgets_of(funding, date(2026, 9, 8))
    assert found is not None
    assert found.tolist() == [1.0, 2.0]


def test_a_quiet_day_makes_no_band_look_short_of_people() -> None:
    money = available(np.array([100.0, 50.0]), np.array([70.0, 35.0]))
    assert money.tolist() == pytest.approx([70.0, 35.0])
    short = available(np.array([100.0, 50.0]), np.array([100.0, 20.0]))
    assert short.tolist() == pytest.approx([100.0, 50.0])


def test_a_short_band_shows_on_a_busy_day_too_though_it_spent_more_than_its_daily_budget() -> None:
    money = available(np.array([100.0, 50.0]), np.array([110.0, 52.0]))
    assert money.tolist() == pytest.approx([110.0, 55.0])


def test_the_demo_s_windows_are_four_whole_weeks_each_and_do_not_meet() -> None:
    calendar = Calendar(weeks=8)
    for first, last in (calendar.baseline, calendar.compared):
        assert (last - first).days == 27
    assert calendar.baseline[1] < calendar.planned[0] < calendar.compared[0]
    assert all((end - start).days == 6 for start, end in calendar.weeks_shown())
