"""Which campaigns and lists carry a balanced segment, day by day. Reads the store; calls no platform.

A membership change commanded in the morning of day d lands a day later
(``Capabilities.update_latency``): most of day d + 1 is delivered to the new
membership. A budget or a status changes on the day it is set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flows.wiring import App

DAYS_TO_LAND = 1  # from the morning of the command to the day it is in force


@dataclass(frozen=True, slots=True)
class BandCampaigns:
    """The campaigns of one balanced segment. ``campaigns`` is empty before the first plan is applied."""

    segment: str
    template: str
    platform: str = "linkedin"
    campaigns: tuple[str, ...] = ()
    live_since: date | None = None  # first day the band campaigns deliver; None: the template does
    creatives: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    active: tuple[str, ...] = ()  # band campaigns that were started

    def delivering(self, day: date) -> tuple[str, ...]:
        """Campaigns whose impressions of that day belong to the segment."""
        banded = self.live_since is not None and day >= self.live_since
        return self.campaigns if banded else (self.template,)

    def everything(self) -> tuple[str, ...]:
        return (self.template, *self.campaigns)


def band_campaigns(app: App, segment: str) -> BandCampaigns:
    """As remembered; the template alone where nothing was split yet."""
    balance = app.config.segments[segment].balance
    assert balance is not None, f"{segment} is not balanced"
    known: dict[str, Any] = app.store.get(_name(segment), {})
    live = known.get("live_since")
    return BandCampaigns(
        segment=segment,
        template=balance.campaign,
        campaigns=tuple(known.get("campaigns", ())),
        live_since=date.fromisoformat(live) if live else None,
        creatives={c: tuple(ids) for c, ids in known.get("creatives", {}).items()},
        active=tuple(known.get("active", ())),
    )


def remember(app: App, bands: BandCampaigns) -> None:
    """Keep what ``band_campaigns`` answers."""
    value = {
        "campaigns": list(bands.campaigns),
        "live_since": bands.live_since.isoformat() if bands.live_since else None,
        "creatives": {c: list(ids) for c, ids in bands.creatives.items()},
        "active": list(bands.active),
    }
    if app.store.get(_name(bands.segment)) != value:
        app.store.put(_name(bands.segment), value, at=app.now())


def _name(segment: str) -> str:
    return f"bands/{segment}"


def commands(app: App, segment: str, accounts: Sequence[str]) -> list[tuple[date, NDArray[np.int8]]]:
    """Every commanded membership, oldest first: (day of the command, (n,) band, -1 = none)."""
    row = {account: i for i, account in enumerate(accounts)}
    history: list[tuple[date, NDArray[np.int8]]] = []
    for text, changes in sorted(app.store.get(f"commands/{segment}", {}).items()):
        band = history[-1][1].copy() if history else np.full(len(accounts), -1, dtype=np.int8)
        for account, number in changes.items():
            if account in row:
                band[row[account]] = number
        history.append((date.fromisoformat(text), band))
    return history


def note_command(app: App, segment: str, day: date, changes: Mapping[str, int]) -> None:
    """Keep what was commanded on a day; the same command again changes nothing."""
    known: dict[str, dict[str, int]] = app.store.get(f"commands/{segment}", {})
    if changes and known.get(day.isoformat()) != dict(changes):
        known[day.isoformat()] = dict(changes)
        app.store.put(f"commands/{segment}", known, at=app.now())


def note_budgets(app: App, segment: str, day: date, budgets: Sequence[float]) -> None:
    """Keep the daily budgets set on a morning; they count from that day on."""
    known: dict[str, list[float]] = app.store.get(f"budgets/{segment}", {})
    if known.get(day.isoformat()) != list(budgets):
        known[day.isoformat()] = list(budgets)
        app.store.put(f"budgets/{segment}", known, at=app.now())


def in_force(history: Sequence[tuple[date, NDArray[np.int8]]], day: date, n: int) -> NDArray[np.int8]:
    """(n,) band of each account on ``day``, -1 where none had landed."""
    landed = [band for commanded, band in history if commanded + timedelta(days=DAYS_TO_LAND) <= day]
    return landed[-1] if landed else np.full(n, -1, dtype=np.int8)


def possible(
    history: Sequence[tuple[date, NDArray[np.int8]]], day: date, n: int, k: int
) -> NDArray[np.bool_]:
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
