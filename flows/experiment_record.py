"""The budget-split experiment a segment is in, as kept in the store. Decides nothing.

While one runs, only its balanced half is the balancer's; the other half's campaign is left alone.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from flows.wiring import App


@dataclass(frozen=True, slots=True)
class Experiment:
    """Campaign ids and daily budgets (as text) of the halves drawn by ``salt``; ``template`` served both before.

    live_since  first day the halves deliver, ended  first day the template does again; None = not yet
    baseline    what was known of the whole segment's money, given back at the end
    """

    salt: str
    template: str
    balanced: str
    left_alone: str
    balanced_budget: str
    left_alone_budget: str
    live_since: date | None = None
    ended: date | None = None
    baseline: dict[str, Any] | None = None


def experiment_of(app: App, segment: str) -> Experiment | None:
    """The last experiment of a segment, whatever became of it."""
    known: dict[str, Any] | None = app.store.get(_name(segment))
    if known is None:
        return None
    found = Experiment(**{**known, "live_since": None, "ended": None})
    return replace(found, live_since=_day(known["live_since"]), ended=_day(known["ended"]))


def running(app: App, segment: str) -> Experiment | None:
    """The experiment whose halves deliver now."""
    found = experiment_of(app, segment)
    return found if found is not None and found.live_since is not None and found.ended is None else None


def keep(app: App, segment: str, experiment: Experiment) -> None:
    """Remember it; the same again changes nothing."""
    days = {"live_since": _text(experiment.live_since), "ended": _text(experiment.ended)}
    value = asdict(experiment) | days
    if app.store.get(_name(segment)) != value:
        app.store.put(_name(segment), value, at=app.now())


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _text(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None


def _name(segment: str) -> str:
    return f"experiment/{segment}"
