"""The marks of the weekly chart: what was done when, from the record alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from flows import collect
from flows.bands import band_campaigns, remember
from flows.interventions import interventions, of_week
from flows.runs import audit
from tests.flows.small_workspace import SEGMENT, Copies

MONDAY = date(2026, 8, 24)


def test_balancing_budgets_and_plans_taken_back_are_marked_on_their_days(copies: Copies) -> None:
    with copies.opened("interventions") as app:
        assert interventions(app, SEGMENT) == ()
        known = band_campaigns(app, SEGMENT)
        split = (MONDAY + timedelta(days=2), MONDAY + timedelta(days=9))
        remember(app, replace(known, live_since=MONDAY + timedelta(days=12), retired=(split,)))
        changes = {"2026-09-01": 1.2, "2026-09-03": 0.9, "2026-09-04": 0.9001}
        app.store.put(f"baseline/{SEGMENT}", {"budget": 100.0, "changes": changes}, at=app.now())
        audit(app, "plan undone", SEGMENT, {"plan": "abc", "moves": 3})
        audit(app, "plan undone", "another segment", {"plan": "abc", "moves": 3})
        assert interventions(app, SEGMENT) == (
            (date(2026, 8, 26), "balancing on"),
            (date(2026, 9, 1), "budget +20\u00a0%"),
            (date(2026, 9, 2), "balancing off"),
            (date(2026, 9, 3), "budget \N{MINUS SIGN}25\u00a0%"),
            (date(2026, 9, 5), "balancing on"),
            (app.today, "plan taken back"),
        )


def test_a_week_has_each_mark_once_and_ends_on_its_seventh_day() -> None:
    marks = [(MONDAY + timedelta(days=day), what) for day, what in ((0, "a"), (6, "b"), (6, "a"), (7, "c"))]
    assert of_week(marks, MONDAY) == ("a", "b")


def test_a_creative_that_was_not_there_before_is_marked_and_those_of_the_first_look_are_not(
    copies: Copies,
) -> None:
    with copies.opened("new-creatives") as app:
        collect.collect(app, SEGMENT, days=1)
        assert interventions(app, SEGMENT) == ()
        known = band_campaigns(app, SEGMENT)
        fewer = {campaign: ids[:1] for campaign, ids in known.creatives.items()}
        assert fewer != known.creatives
        remember(app, replace(known, creatives=fewer))
        collect.collect(app, SEGMENT, days=1)
        collect.collect(app, SEGMENT, days=1)
        assert interventions(app, SEGMENT) == ((app.today, "creatives added"),)
