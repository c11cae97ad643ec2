"""Checks of the campaigns that serve balanced segments: who else sees them, who is missing. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from audiences.model import Campaign
from flows.bands import band_campaigns
from flows.doctor import Finding
from flows.wiring import App


def campaigns(app: App, platform: str) -> Iterator[Finding]:
    """Every campaign of a balanced segment on this platform. Raises the platform's error."""
    for name, segment in app.config.segments.items():
        if segment.balance is None or band_campaigns(app, name).platform != platform:
            continue
        for number in band_campaigns(app, name).everything():
            campaign: Campaign = app.platform(platform).campaign(number)
            yield from _switches(campaign)
            yield from _exclusions(app, platform, name, campaign)
            if campaign.status in ("active", "paused") and campaign.include:
                yield from _width(app.platform(platform), campaign)


def _switches(campaign: Campaign) -> Iterator[Finding]:
    what = f"campaign {campaign.campaign_id}"
    if campaign.audience_expansion:
        words = "audience expansion is on: people outside the lists see the ads."
        yield Finding("expansion_on", what, False, words, "Switch audience expansion off in the campaign.")
    if campaign.offsite_delivery:
        words = "the audience network is on: impressions there are in no company report."
        yield Finding("network_on", what, False, words, "Switch the audience network off in the campaign.")


def _exclusions(app: App, platform: str, segment: str, campaign: Campaign) -> Iterator[Finding]:
    """Negative segments that neither the rules nor the campaign keep out."""
    for name, other in app.config.segments.items():
        if other.kind != "negative" or name in app.config.segments[segment].without:
            continue
        ours = [r.state.target_id for r in app.store.audiences(platform=platform, segment=name) if r.state]
        if not set(ours) & set(campaign.exclude):
            words = f"{name} is not excluded: it may see the ads."
            remedy = f"Write without: [{name}] in {segment}, or exclude its list in the campaign."
            yield Finding("exclusion_missing", f"campaign {campaign.campaign_id}", False, words, remedy)


def _width(platform: Any, campaign: Campaign) -> Iterator[Finding]:
    """A count of 0 is no finding where the platform counts nobody on lists that it calls large."""
    count = platform.audience_count(campaign.campaign_id, include=campaign.include, exclude=campaign.exclude)
    if campaign.hold or (count is None and platform.counts_lists(campaign.include)):
        least = platform.capabilities.minimum_audience
        words = f"it reaches fewer than the {least} people it needs to be served."
        remedy = "Widen the segment, or loosen what else the campaign targets."
        yield Finding("audience_narrow", f"campaign {campaign.campaign_id}", False, words, remedy)
