"""What somebody else changed on the band campaigns since Evenreach last set them. Says it; undoes nothing.

Campaigns are compared with the last command whenever reports are collected. While
there are such changes no plan goes ahead by itself: a person decides, knowing that
carrying out a plan sets the budgets again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal

from audiences.model import Campaign
from flows.activate_lists import audience_id
from flows.bands import BandCampaigns
from flows.wiring import App

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Edit:
    """``what`` is "budget", "status" or "list"; ``ours`` was commanded, ``theirs`` is there now."""

    band: int
    campaign: str
    what: str
    ours: str
    theirs: str

    def words(self) -> str:
        """What happened and what follows, as a clause."""
        who = f"band {self.band + 1} (campaign {self.campaign})"
        if self.what == "budget":
            return (
                f"somebody set the daily budget of {who} to {self.theirs} instead of {self.ours}; "
                "the next plan that is carried out sets it again"
            )
        if self.what == "status":
            return f"somebody made {who} {self.theirs}; Evenreach had it {self.ours} and leaves it as it is"
        return f"somebody took the list of {who} out of its targeting; it reaches other people now"


def edits(app: App, segment: str) -> tuple[Edit, ...]:
    """As found when the campaigns were last looked at."""
    return tuple(Edit(**one) for one in app.store.get(_name(segment), []))


def note_edits(app: App, campaigns: BandCampaigns, seen: Mapping[str, Campaign]) -> tuple[Edit, ...]:
    """Compare the band campaigns that were read with the last command, and keep what differs."""
    found = tuple(_differences(app, campaigns, seen)) if campaigns.live_since is not None else ()
    kept = [asdict(one) for one in found]
    if app.store.get(_name(campaigns.segment), []) != kept:
        app.store.put(_name(campaigns.segment), kept or None, at=app.now())
    return found


def look(app: App, campaigns: BandCampaigns) -> tuple[Edit, ...]:
    """Read the band campaigns now and compare."""
    platform = app.platform(campaigns.platform)
    return note_edits(app, campaigns, {c: platform.campaign(c) for c in campaigns.active})


def _differences(app: App, campaigns: BandCampaigns, seen: Mapping[str, Campaign]) -> list[Edit]:
    found = []
    funding: Mapping[str, list[float]] = app.store.get(f"budgets/{campaigns.segment}", {})
    money = funding[max(funding)] if funding else []
    for band, campaign in enumerate(campaigns.campaigns):
        if campaign not in seen or campaign not in campaigns.active:
            continue
        for what, ours, theirs in _compared(app, campaigns, band, seen[campaign], money):
            found.append(Edit(band, campaign, what, ours, theirs))
    return found


def _compared(
    app: App, campaigns: BandCampaigns, band: int, now: Campaign, money: list[float]
) -> list[tuple[str, str, str]]:
    found = []
    if band < len(money) and now.daily_budget is not None:
        ours = max(Decimal(str(money[band])).quantize(CENT), CENT)
        if now.daily_budget != ours:
            found.append(("budget", f"{ours:,.2f}", f"{now.daily_budget:,.2f}"))
    if now.status != "active":
        found.append(("status", "active", now.status))
    target = _target(app, campaigns, band)
    if target is not None and target not in now.include:
        found.append(("list", target, ", ".join(now.include)))
    return found


def _target(app: App, campaigns: BandCampaigns, band: int) -> str | None:
    record = app.store.audience(audience_id(campaigns.platform, campaigns.segment, "companies", band))
    return record.state.target_id if record is not None and record.state is not None else None


def _name(segment: str) -> str:
    return f"band_edits/{segment}"
