"""The money of a balanced segment: what its campaign spent before balancing, and what a person made of it since.

Kept in the store; it sets no budget. The campaign's own daily budget stays the
marketer's handle: while the bands carry the segment the paused campaign spends
nothing, and whoever changes its budget rescales the bands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from balancer.types import DayReport
from flows.wiring import App

WEEKDAYS = 7


@dataclass(frozen=True, slots=True)
class Funding:
    """Per day: ``budget`` money and ``impressions`` it bought before balancing, for today's budget."""

    budget: float
    impressions: float


def funding(app: App, segment: str, today: date) -> Funding | None:
    """As in force on ``today``; None before the first plan."""
    known = _known(app, segment)
    if known is None:
        return None
    factor = _factor(known, today)
    return Funding(factor * float(known["budget"]), factor * float(known["impressions"]))


def first_funding(app: App, segment: str, reports: Sequence[DayReport]) -> None:
    """Keep what the campaign spent and delivered before its first plan."""
    delivered = sum(float(r.band_total.sum()) for r in reports) / max(len(reports), 1)
    asked = template_budget(app, segment)
    budget = asked or max((float(r.band_spend.sum()) for r in reports), default=0.0)
    known = {"budget": budget, "impressions": delivered, "asked": asked, "weekday": _weekdays(reports)}
    app.store.put(_name(segment), known, at=app.now())


def template_budget(app: App, segment: str) -> float | None:
    """The daily budget the marketer gave the campaign, as last read from the platform."""
    budget: float | None = app.store.get(f"template_budget/{segment}")
    return float(budget) if budget else None


def note_template_budget(app: App, segment: str, budget: float, today: date) -> bool:
    """Keep the campaign's daily budget. True when a person has changed it since the first plan."""
    if template_budget(app, segment) == budget:
        return False
    app.store.put(f"template_budget/{segment}", budget, at=app.now())
    known = _known(app, segment)
    if known is None:
        return False
    asked = float(known.get("asked") or known["budget"])
    changes = {**known.get("changes", {}), today.isoformat(): budget / asked}
    app.store.put(_name(segment), {**known, "changes": changes}, at=app.now())
    return True


def budget_changes(app: App, segment: str) -> tuple[tuple[date, float], ...]:
    """(day, the daily budget a person set over that of the first plan), oldest first."""
    changes: Mapping[str, float] = (_known(app, segment) or {}).get("changes", {})
    return tuple((date.fromisoformat(day), factor) for day, factor in sorted(changes.items()))


def usual_spend(app: App, segment: str, day: date) -> float:
    """Money the campaign usually spent on that weekday before balancing, at that day's budget; 0 = unknown."""
    known = _known(app, segment) or {}
    weekday: Sequence[float] = known.get("weekday", ())
    return _factor(known, day) * float(weekday[day.weekday()]) if weekday else 0.0


def _factor(known: Mapping[str, Any], day: date) -> float:
    """Today's budget over the one of the first plan."""
    earlier = [text for text in known.get("changes", {}) if text <= day.isoformat()]
    return float(known["changes"][max(earlier)]) if earlier else 1.0


def _weekdays(reports: Sequence[DayReport]) -> list[float]:
    """Mean spend of each weekday, Monday first; the mean of all days where a weekday is missing."""
    spend = [(date.fromordinal(r.day).weekday(), float(r.band_spend.sum())) for r in reports]
    usual = sum(money for _, money in spend) / max(len(spend), 1)
    means = []
    for weekday in range(WEEKDAYS):
        of_day = [money for day, money in spend if day == weekday]
        means.append(sum(of_day) / len(of_day) if of_day else usual)
    return means


def _known(app: App, segment: str) -> dict[str, Any] | None:
    known: dict[str, Any] | None = app.store.get(_name(segment))
    return known


def _name(segment: str) -> str:
    return f"baseline/{segment}"
