"""How many people campaigns reach, asked before anything of a plan is written. Changes nothing.

Whoever changes a running campaign has the platform's count asked first (``CampaignPlatform``), once per targeting
and run. Asked here beforehand, a platform that does not answer stops a plan before its first write, not half-way.
0 is no measurement: it holds a start back only where the platform counts that list at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from audiences.model import Campaign
from flows.runs import audit, patiently
from flows.wiring import App
from platforms.errors import Refused


@dataclass(frozen=True, slots=True)
class Reach:
    """``people`` None: the platform answers 0. ``counted`` False: whoever is reached, or it cannot count that."""

    people: int | None
    counted: bool = True

    @property
    def too_few(self) -> bool:
        return self.people is None and self.counted


def reach(app: App, platform: str, campaign_id: str) -> Reach:
    """Whom one campaign reaches with the lists it names now. Raises the platform's error."""
    adapter = app.platform(platform)
    campaign: Campaign = adapter.campaign(campaign_id)
    try:
        people = adapter.audience_count(campaign_id, include=campaign.include, exclude=campaign.exclude)
    except Refused:  # targeting the platform serves and cannot count
        return Reach(None, counted=False)
    return Reach(people, people is not None or adapter.counts_lists(campaign.include))


def ask_first(app: App, platform: str, subject: str, campaigns: Iterable[str]) -> dict[str, Reach]:
    """The reach of every campaign a plan is about to change, in the record too. Raises the platform's error."""
    found = {
        campaign: patiently(app, lambda c=campaign: reach(app, platform, c))  # type: ignore[misc]
        for campaign in dict.fromkeys(campaigns)
    }
    if found:
        audit(app, "people counted", subject, {campaign: one.people for campaign, one in found.items()})
    return found


def doubt(reached: Reach, what: str) -> tuple[str, ...]:
    """What a person should know of a campaign that is started or funded although its count says 0."""
    if reached.people is not None:
        return ()
    if reached.counted:
        return (f"{what} reaches fewer members than the platform serves; its money may stay unspent",)
    return (
        f"the platform cannot count who is on the list of {what}; whether enough see it is not known before",
    )
