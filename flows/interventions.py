"""What was done to a segment's delivery, and when: the marks of the weekly chart. Reads the record; judges nothing.

A mark says that something began, not that it caused what the chart shows. The
moves of ordinary plans are no marks: there is one every week.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta

from flows.bands import band_campaigns
from flows.funding import budget_changes
from flows.report import formats
from flows.report.catalogue import say, table
from flows.wiring import App

Mark = tuple[date, str]


def interventions(app: App, segment: str) -> tuple[Mark, ...]:
    """(day, what), oldest first: balancing on and off, budgets changed by hand, and what ``[report.logged]`` names."""
    found = [*_switches(app, segment), *_budgets(app, segment), *_logged(app, segment)]
    return tuple(sorted(dict.fromkeys(found)))


def of_week(marks: Iterable[Mark], start: date) -> tuple[str, ...]:
    """What happened in the seven days from ``start``, each once."""
    return tuple(dict.fromkeys(what for day, what in marks if start <= day <= start + timedelta(days=6)))


def _switches(app: App, segment: str) -> Iterator[Mark]:
    campaigns = band_campaigns(app, segment)
    starts = [first for first, _ in campaigns.retired]
    starts += [campaigns.live_since] if campaigns.live_since else []
    yield from ((day, say("report.mark.on")) for day in starts)
    yield from ((after, say("report.mark.off")) for _, after in campaigns.retired if after not in starts)


def _budgets(app: App, segment: str) -> Iterator[Mark]:
    """Changes of the segment's own daily budget; which band gets how much of it is the plans' business."""
    before = 1.0
    for day, factor in budget_changes(app, segment):
        change = factor / before - 1.0
        if abs(change) >= 0.005:
            yield day, say("report.mark.budget", change=formats.points(change, 0))
        before = factor


def _logged(app: App, segment: str) -> Sequence[Mark]:
    marks = table("report.logged")
    lines = [line for what in marks for line in app.store.audit_log(subject=segment, what=what)]
    return [(line.at.astimezone(app.config.zone).date(), marks[line.what]) for line in lines]
