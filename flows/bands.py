"""Which campaigns and lists carry a balanced segment, day by day. Reads the store; calls no platform.

A segment is either split over band campaigns, or stays in its one campaign, which
then leaves out whoever is on the segment's list of held accounts. Both histories
are kept apart, so a change of mode finds the lists as they were left.

A membership change commanded in the morning of day d lands a day later
(``Capabilities.update_latency``): most of day d + 1 is delivered to the new
membership. A budget or a status changes on the day it is set.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from balancer.types import UNPLACED
from flows.experiment_record import running
from flows.runs import audit_line
from flows.wiring import App, WorkspaceError
from platforms import PLATFORMS

History = list[tuple[date, NDArray[np.int8]]]
DAYS_TO_LAND = 1  # from the morning of the command to the day it is in force
LATE = timedelta(days=7)  # longer than a command ever takes to land


@dataclass(frozen=True, slots=True)
class BandCampaigns:
    """The campaigns of one balanced segment. ``campaigns`` is empty before the first plan is applied."""

    segment: str
    template: str
    platform: str
    campaigns: tuple[str, ...] = ()
    live_since: date | None = None  # first day the band campaigns deliver; None: the template does
    creatives: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    active: tuple[str, ...] = ()  # band campaigns that were started
    retired: tuple[tuple[date, date], ...] = ()  # earlier splits: first day, first day without
    since: date | None = None  # first day of the template itself; None: it has always carried the segment

    def banded(self, day: date) -> bool:
        """Whether the band campaigns carry the segment on that day."""
        if self.live_since is not None and day >= self.live_since:
            return True
        return any(first <= day < after for first, after in self.retired)

    def delivering(self, day: date) -> tuple[str, ...]:
        """Campaigns whose impressions of that day belong to the segment."""
        if self.since is not None and day < self.since:
            return ()
        return self.campaigns if self.banded(day) else (self.template,)

    def everything(self) -> tuple[str, ...]:
        return (self.template, *self.campaigns)


def band_campaigns(app: App, segment: str) -> BandCampaigns:
    """As remembered; the template alone where nothing was split yet.

    During an experiment the template is the campaign of the half that is balanced.
    """
    balance = app.config.segments[segment].balance
    assert balance is not None, f"{segment} is not balanced"
    known: dict[str, Any] = app.store.get(_name(segment), {})
    live = known.get("live_since")
    experiment = running(app, segment)
    return BandCampaigns(
        segment=segment,
        template=experiment.balanced if experiment else balance.campaign,
        since=experiment.live_since if experiment else None,
        platform=reporting_platform(app),
        campaigns=tuple(known.get("campaigns", ())),
        live_since=date.fromisoformat(live) if live else None,
        creatives={c: tuple(ids) for c, ids in known.get("creatives", {}).items()},
        active=tuple(known.get("active", ())),
        retired=tuple((date.fromisoformat(a), date.fromisoformat(b)) for a, b in known.get("retired", ())),
    )


def adopted(app: App, segment: str) -> tuple[str, ...]:
    """Campaigns of the marketer's own that are to be the bands, most held back first; () = copies are made."""
    balance = app.config.segments[segment].balance
    return balance.bands if balance is not None else ()


def reporting_platform(app: App) -> str:
    """The configured platform that reports impressions per account and lets campaigns be changed.

    Raises WorkspaceError where none does.
    """
    for name in app.config.platforms.names():
        able = PLATFORMS[name].capabilities()
        if able.account_report and able.campaigns:
            return name
    raise WorkspaceError(
        "no platform of evenreach.yaml reports impressions per account, so nothing is balanced"
    )


def remember(app: App, bands: BandCampaigns, *, said: str = "") -> None:
    """Keep what ``band_campaigns`` answers; ``said`` goes into the audit log with it."""
    value = {
        "campaigns": list(bands.campaigns),
        "live_since": bands.live_since.isoformat() if bands.live_since else None,
        "creatives": {c: list(ids) for c, ids in bands.creatives.items()},
        "active": list(bands.active),
        "retired": [[first.isoformat(), after.isoformat()] for first, after in bands.retired],
    }
    if app.store.get(_name(bands.segment)) != value:
        line = audit_line(app, said, bands.segment, {"campaigns": list(bands.campaigns)}) if said else None
        app.store.put(_name(bands.segment), value, at=app.now(), line=line)


def _name(segment: str) -> str:
    return f"bands/{segment}"


def commands(app: App, segment: str, accounts: Sequence[str]) -> History:
    """Every commanded membership of the bands, oldest first: (day of the command, (n,) band, -1 = none)."""
    return _history(app, f"commands/{segment}", accounts, otherwise=UNPLACED)


def turns(app: App, segment: str, accounts: Sequence[str]) -> History:
    """The same of the one campaign: 0 = served by it, -1 = on its list of held accounts."""
    return _history(app, f"turns/{segment}", accounts, otherwise=0)


def _history(app: App, name: str, accounts: Sequence[str], *, otherwise: int) -> History:
    row = {account: i for i, account in enumerate(accounts)}
    history: History = []
    for text, changes in sorted(app.store.get(name, {}).items()):
        band = history[-1][1].copy() if history else np.full(len(accounts), otherwise, dtype=np.int8)
        for account, number in changes.items():
            if account in row:
                band[row[account]] = number
        history.append((date.fromisoformat(text), band))
    return history


def note_command(app: App, segment: str, day: date, changes: Mapping[str, int]) -> None:
    """Keep what was commanded of the bands on a day; the same command again changes nothing."""
    _note(app, f"commands/{segment}", day, changes)


def note_turns(app: App, segment: str, day: date, changes: Mapping[str, int]) -> None:
    """Keep who was held (-1) or let go (0) on a day; the same again changes nothing."""
    _note(app, f"turns/{segment}", day, changes)


def _note(app: App, name: str, day: date, changes: Mapping[str, int]) -> None:
    known: dict[str, dict[str, int]] = app.store.get(name, {})
    if changes and known.get(day.isoformat()) != dict(changes):
        known[day.isoformat()] = dict(changes)
        first = _oldest_needed(app, known)
        for earlier in sorted((text for text in known if text < first), reverse=True):  # a later word stands
            known[first] = known.pop(earlier) | known[first]
        app.store.put(name, known, at=app.now())


def _oldest_needed(app: App, days: Iterable[str]) -> str:
    """The newest of these days that the oldest report still kept may need; "" while none is that old."""
    reach = app.today - timedelta(days=app.config.retention.reports_days) - LATE
    return max((text for text in days if text <= reach.isoformat()), default="")


def note_budgets(app: App, segment: str, day: date, budgets: Sequence[float]) -> None:
    """Keep the daily budgets set on a morning; they count from that day on."""
    known: dict[str, list[float]] = app.store.get(f"budgets/{segment}", {})
    if known.get(day.isoformat()) != list(budgets):
        known[day.isoformat()] = list(budgets)
        first = _oldest_needed(app, known)
        kept = {text: value for text, value in known.items() if text >= first}
        app.store.put(f"budgets/{segment}", kept, at=app.now())


def in_force(history: History, day: date, n: int, *, otherwise: int = UNPLACED) -> NDArray[np.int8]:
    """(n,) band of each account on ``day``, ``otherwise`` where none had landed."""
    landed = [band for commanded, band in history if commanded + timedelta(days=DAYS_TO_LAND) <= day]
    return landed[-1] if landed else np.full(n, otherwise, dtype=np.int8)


def possible(history: History, day: date, n: int, k: int) -> NDArray[np.bool_]:
    """(k, n) whether an account can have been in each band on ``day``, early and late landing allowed for."""
    slack = timedelta(days=3)
    eligible = np.zeros((k, n), dtype=np.bool_)
    sure = in_force(history, day - slack, n)
    candidates = [sure] if (sure >= 0).any() else []
    candidates += [
        band for commanded, band in history if day - DAYS_TO_LAND * timedelta(1) - slack < commanded <= day
    ]
    for band in candidates:
        inside = np.flatnonzero((band >= 0) & (band < k))
        eligible[band[inside], inside] = True
    return eligible
