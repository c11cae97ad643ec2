"""Apply a plan for one campaign: a list of held accounts that the campaign excludes. Decides nothing.

The segment's own list stays included and the money stays as it is; whoever is in
no band of the plan is on ``<platform>/<segment>/companies/held``. Safe to repeat.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np

from audiences.model import AudienceSpec
from audiences.store.records import PlanRecord
from balancer.types import BalancePlan
from flows.activate import audience_id, follow, list_spec, patiently, prepare, send
from flows.activate_width import ask_first, doubt
from flows.assess import assess_as_stored
from flows.bands import BandCampaigns, band_campaigns, note_turns, remember, turns
from flows.wiring import App

OUT, IN = 0, 1  # numbers of the two lists there could be; only the first is made


def held_spec(app: App, segment: str, platform: str) -> AudienceSpec:
    """The list of accounts that are held out of the campaign for a while."""
    whole = list_spec(app, segment, platform, "companies")
    return replace(
        whole,
        audience_id=f"{audience_id(platform, segment, 'companies')}/held",
        name=f"{whole.name} - held back",
        description="Companies of the segment that the campaign leaves out until they are released.",
        band=OUT,
    )


def held_target(app: App, segment: str, platform: str) -> str | None:
    """What a campaign names to exclude the held accounts; None before anybody was held."""
    record = app.store.audience(held_spec(app, segment, platform).audience_id)
    return record.state.target_id if record is not None and record.state is not None else None


def hold_and_release(
    app: App, record: PlanRecord, plan: BalancePlan
) -> tuple[bool, tuple[Decimal, ...], tuple[str, ...]]:
    """Bring the held list to the plan, see that the campaign excludes it, and remember the command."""
    known = band_campaigns(app, record.segment)
    reached = ask_first(app, known.platform, record.segment, [known.template])
    narrow = doubt(reached[known.template], "the campaign")
    campaigns = one_again(app, known, record)
    held = [account for account, band in zip(plan.accounts, plan.band.tolist(), strict=True) if band < 0]
    spec = held_spec(app, record.segment, campaigns.platform)
    if held or app.store.audience(spec.audience_id) is not None:
        wanted = dict.fromkeys(plan.accounts, IN) | dict.fromkeys(held, OUT)
        assessment = assess_as_stored(app, record.segment)
        patiently(app, lambda: prepare(app, assessment, spec, bands=wanted))
        patiently(app, lambda: send(app, spec.audience_id))
    noted = _commanded(app, record, plan)
    live, notes = _excluded(app, campaigns, spec, any_held=bool(held))
    app.store.command_bands(record.segment, noted, plan_id=record.plan_id, on=record.day)
    return live, tuple(Decimal(str(float(b))) for b in plan.budgets), (*narrow, *notes)


def _commanded(app: App, record: PlanRecord, plan: BalancePlan) -> dict[str, int]:
    """Whose place differs from the last command of an earlier day."""
    earlier = [band for day, band in turns(app, record.segment, plan.accounts) if day < record.day]
    before = earlier[-1] if earlier else np.zeros(len(plan.accounts), dtype=np.int8)
    changed = np.flatnonzero(plan.band != before).tolist()
    noted = {plan.accounts[i]: int(plan.band[i]) for i in changed}
    note_turns(app, record.segment, record.day, noted)
    return noted


def _excluded(
    app: App, campaigns: BandCampaigns, spec: AudienceSpec, *, any_held: bool
) -> tuple[bool, tuple[str, ...]]:
    """Point the campaign's exclusion at the held list; nobody else's exclusion is touched."""
    state = follow(app, spec.audience_id)
    if state is None:
        return not any_held, ()
    if state.target_id is None:
        return False, ("the list of held accounts has no target yet; everybody is served until it has",)
    platform = app.platform(campaigns.platform)
    patiently(
        app,
        lambda: platform.set_targets(campaigns.template, exclude=[state.target_id], ours=[state.target_id]),
    )
    return True, ()


def one_again(app: App, campaigns: BandCampaigns, record: PlanRecord) -> BandCampaigns:
    """Where the segment was split before: start its one campaign again, then pause the bands'."""
    if campaigns.live_since is None:
        return campaigns
    platform = app.platform(campaigns.platform)
    patiently(app, lambda: platform.set_status(campaigns.template, "active"))
    for campaign in campaigns.active:
        patiently(app, lambda c=campaign: platform.set_status(c, "paused"))  # type: ignore[misc]
    span = (campaigns.live_since, record.day)
    joined = replace(campaigns, live_since=None, active=(), retired=(*campaigns.retired, span))
    remember(app, joined, said="bands paused")
    return joined
