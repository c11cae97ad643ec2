"""Apply an approved balance plan: lists, campaigns, budgets. Decides nothing; safe to repeat.

The old campaign stays funded until every band's list has landed; only then do
the bands start and the old campaign pause. Plans for one campaign are carried out
by ``activate_turns``. Each step looks first whether it is done, so a run that was
cut off is simply run again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_DOWN, Decimal

import numpy as np

from audiences.model import AudienceStatus
from audiences.store.records import PlanRecord, PlanStatus
from balancer.types import BalancePlan
from flows.activate import (
    audience_id,
    audit,
    ensure_list,
    follow,
    leased,
    list_spec,
    patiently,
    prepare,
    send,
)
from flows.activate_experiment import refresh
from flows.activate_lists import our_targets
from flows.activate_turns import held_target, hold_and_release
from flows.activate_width import ask_first, doubt, reach
from flows.approvals import check_stands, lapse_open
from flows.assess import assess_as_stored
from flows.balance import ONE_CAMPAIGN
from flows.band_edits import look
from flows.bands import BandCampaigns, adopted, band_campaigns, note_budgets, note_command, remember
from flows.plan_begun import SEVERAL, begin, begun, end, plan_lease
from flows.plan_codec import decode_plan
from flows.runs import audit_line
from flows.wiring import App, WorkspaceError

CENT = Decimal("0.01")
SERVING = (AudienceStatus.READY, AudienceStatus.UPDATING)  # a list that takes in changes goes on serving


class NotApproved(Exception):
    """A plan that nobody has approved (or that was refused, has lapsed, or only shadows) is not carried out."""

    retryable = False
    remedy = "Approve the newest plan: evenreach balance shows its id."


@dataclass(frozen=True, slots=True)
class Applied:
    """What applying a plan came to."""

    plan_id: str
    moves: int
    budgets: tuple[Decimal, ...]
    live: bool  # the band campaigns deliver (or will from the next day on)
    notes: tuple[str, ...] = ()


def attach(app: App, segment: str) -> None:
    """Point the segment's campaign at its company list, without touching anybody else's targeting."""
    campaigns = band_campaigns(app, segment)
    record = app.store.audience(audience_id(campaigns.platform, segment, "companies"))
    if record is None or record.state is None or record.state.target_id is None:
        return
    platform = app.platform(campaigns.platform)
    platform.set_targets(
        campaigns.template, include=[record.state.target_id], ours=our_targets(app, campaigns.platform)
    )
    if campaigns.live_since is None:
        platform.set_status(campaigns.template, "active")
    audit(app, "campaign targets set", campaigns.template, {"list": record.spec.audience_id})


def apply_plan(app: App, plan_id: str) -> Applied:
    """Carry out one approved plan. Raises a platform's error; run it again to go on.

    Raises NotApproved, and PlanExpired or PlanMoved where its approval no longer holds.
    """
    with leased(app, plan_lease(app.store.plan(plan_id).segment)):
        record = app.store.plan(plan_id)  # as it is now that nobody else carries one out
        if record.status is PlanStatus.APPLIED:
            return Applied(plan_id, len(record.moves), (), True)
        if record.status is not PlanStatus.APPROVED:
            raise NotApproved(f"plan {plan_id[:12]} is {record.status}")
        check_stands(app, record)
        plan = decode_plan(record.body)
        live, money, notes = carry_out(app, replace(record, day=app.today), plan)  # commanded today
        done = {"plan": plan_id[:12], "moves": len(record.moves)}
        line = audit_line(app, "plan applied", record.segment, done)
        app.store.decide_plan(plan_id, PlanStatus.APPLIED, by=app.who, at=app.now(), line=line)
        lapse_open(app, record.segment, note="a newer plan was carried out", before=record.created_at)
    return Applied(plan_id, len(record.moves), tuple(money), live, notes)


def carry_out(
    app: App, record: PlanRecord, plan: BalancePlan
) -> tuple[bool, tuple[Decimal, ...], tuple[str, ...]]:
    """Lists, campaigns and budgets as the plan has them; whether it is live, the money, and notes.

    ``record.day`` is the day of the command, ``record.moves`` who changes place.
    """
    begin(app, record)
    act = hold_and_release if plan.mode in ONE_CAMPAIGN else _split
    live, money, notes = act(app, record, plan)
    refresh(app, record.segment)
    end(app, record.segment)
    return live, money, notes


def _split(
    app: App, record: PlanRecord, plan: BalancePlan
) -> tuple[bool, tuple[Decimal, ...], tuple[str, ...]]:
    """Band lists, band campaigns and their money."""
    known = band_campaigns(app, record.segment)
    edited = tuple(edit.words() for edit in look(app, known))
    reached = ask_first(app, known.platform, record.segment, _asked_about(app, known))
    narrow = [doubt(reached[c], f"band {b + 1}") for b, c in enumerate(known.campaigns) if c in known.active]
    campaigns = _campaigns(app, record.segment, plan)
    _members(app, record, plan)
    money = to_cents([float(b) for b in plan.budgets], Decimal(str(float(plan.budgets.sum()))))
    campaigns, notes = _go_live(app, campaigns, plan, record.day)
    _budgets(app, campaigns, record.day, money)
    return campaigns.live_since is not None, tuple(money), (*edited, *sum(narrow, ()), *notes)


def _asked_about(app: App, known: BandCampaigns) -> list[str]:
    """Band campaigns that run or may start; while a list is built, nobody on it is counted.

    The template is not among them: it is only ever paused here, and a pause is not held up by a question.
    """
    lists = {
        campaign: app.store.audience(audience_id(known.platform, known.segment, "companies", b))
        for b, campaign in enumerate(known.campaigns)
    }
    serving = [c for c, record in lists.items() if record and record.state and record.state.status in SERVING]
    return [campaign for campaign in known.campaigns if campaign in (*known.active, *serving)]


def _campaigns(app: App, segment: str, plan: BalancePlan) -> BandCampaigns:
    """One campaign per band, copied from the template as a draft, each pointed at its band's list."""
    known = _adopted(app, band_campaigns(app, segment))
    platform = app.platform(known.platform)
    k = int(plan.budgets.size)
    if len(known.campaigns) < k:
        template = platform.campaign(known.template)
        copies = [
            patiently(
                app,
                lambda b=b: platform.clone(  # type: ignore[misc]
                    known.template, f"{template.name} - band {b + 1}", reference=f"{segment}-band-{b + 1}"
                ),
            )
            for b in range(k)
        ]
        creatives = {copy.campaign_id: copy.creatives for copy in copies} | {
            known.template: template.creatives
        }
        known = replace(known, campaigns=tuple(copy.campaign_id for copy in copies), creatives=creatives)
        remember(app, known)
    for b, campaign in enumerate(known.campaigns):
        if b < k and campaign not in known.active:
            _point(app, known, b)
    return known


def _adopted(app: App, known: BandCampaigns) -> BandCampaigns:
    """With the marketer's own campaigns as the bands, where the settings name them. They keep their creatives."""
    mine = adopted(app, known.segment)
    if not mine or known.campaigns == mine:
        return known
    if known.live_since is not None:
        raise WorkspaceError(
            "the bands are running in other campaigns; change to mode duty first, then to bands:"
        )
    platform = app.platform(known.platform)
    read = {campaign: platform.campaign(campaign) for campaign in (known.template, *mine)}
    for campaign in mine:
        if set(read[campaign].include) - set(our_targets(app, known.platform)):
            raise WorkspaceError(
                f"campaign {campaign} targets lists of its own and would reach companies outside its band; "
                "take them out of its targeting first"
            )
        if read[campaign].status == "active":  # it starts again when every band's list has landed
            platform.set_status(campaign, "paused")
    creatives = {campaign: one.creatives for campaign, one in read.items()}
    taken = replace(known, campaigns=mine, active=(), creatives={**known.creatives, **creatives})
    remember(app, taken)
    audit(app, "campaigns adopted as bands", known.segment, {"campaigns": list(mine)})
    return taken


def _point(app: App, campaigns: BandCampaigns, b: int) -> None:
    """A band's campaign includes its own list; the list of held accounts is the one campaign's business."""
    platform, campaign = app.platform(campaigns.platform), campaigns.campaigns[b]
    spec = list_spec(app, campaigns.segment, campaigns.platform, "companies", b)
    state = patiently(app, lambda: ensure_list(app, spec))
    platform.set_targets(campaign, include=[state.target_id], ours=our_targets(app, campaigns.platform))
    held = held_target(app, campaigns.segment, campaigns.platform)
    if held is not None:
        platform.set_targets(campaign, exclude=[], ours=[held])


def _members(app: App, record: PlanRecord, plan: BalancePlan) -> None:
    """Bring the band lists to the planned membership and remember the command."""
    bands = {account: int(band) for account, band in zip(plan.accounts, plan.band, strict=True)}
    platform = band_campaigns(app, record.segment).platform
    touched = {band for move in record.moves for band in (move.before, move.after) if band >= 0}
    version = app.store.segment_version(record.segment)
    rules = version.fingerprint if version else ""
    if app.store.get(f"banded_version/{record.segment}") != rules or begun(app, record.segment) == SEVERAL:
        touched = set(range(int(plan.budgets.size)))  # whoever left the segment is in no move
    assessment = assess_as_stored(app, record.segment) if touched else None
    for b in sorted(touched):
        assert assessment is not None
        spec = list_spec(app, record.segment, platform, "companies", b)
        patiently(app, lambda spec=spec: prepare(app, assessment, spec, bands=bands))  # type: ignore[misc]
        patiently(app, lambda spec=spec: send(app, spec.audience_id))  # type: ignore[misc]
    moved = {move.account_id: move.after for move in record.moves}
    app.store.put(f"banded_version/{record.segment}", rules, at=app.now())
    note_command(app, record.segment, record.day, moved)
    app.store.command_bands(record.segment, moved, plan_id=record.plan_id, on=record.day)


def _go_live(
    app: App, campaigns: BandCampaigns, plan: BalancePlan, day: date
) -> tuple[BandCampaigns, tuple[str, ...]]:
    """Start the campaign of every band whose list can serve; pause the template once all have started.

    A band that nobody is in is not waited for; it starts when accounts move there.
    """
    platform = app.platform(campaigns.platform)
    used = [b for b in range(len(campaigns.campaigns)) if (plan.band == b).any()]
    waiting = {
        b: _readiness(app, campaigns, b) for b in used if campaigns.campaigns[b] not in campaigns.active
    }
    notes = [note for ready, said in waiting.values() if not ready for note in said]
    if notes and campaigns.live_since is None:
        return campaigns, tuple(notes)
    for b, (ready, said) in waiting.items():
        if ready:
            platform.set_status(campaigns.campaigns[b], "active")
            campaigns = replace(campaigns, active=(*campaigns.active, campaigns.campaigns[b]))
            notes += said
    if campaigns.live_since is None:
        platform.set_status(campaigns.template, "paused")
        campaigns = replace(campaigns, live_since=day)
        remember(app, campaigns, said="bands live")
    remember(app, campaigns)
    return campaigns, tuple(notes)


def _readiness(app: App, campaigns: BandCampaigns, b: int) -> tuple[bool, tuple[str, ...]]:
    """Whether a band can be started, and why not, or what nobody knows of it."""
    state = follow(app, audience_id(campaigns.platform, campaigns.segment, "companies", b))
    if state is None or state.target_id is None or state.status not in SERVING:
        return False, (f"band {b + 1} is still building; the old campaign keeps running",)
    reached = patiently(app, lambda: reach(app, campaigns.platform, campaigns.campaigns[b]))
    if reached.too_few:
        return False, (f"band {b + 1} reaches fewer members than the platform serves",)
    return True, doubt(reached, f"band {b + 1}")


def _budgets(app: App, campaigns: BandCampaigns, day: date, money: list[Decimal]) -> None:
    """Set every band's money. Campaigns of bands that are no longer used are paused."""
    platform, used = app.platform(campaigns.platform), campaigns.campaigns[: len(money)]
    spare = campaigns.campaigns[len(money) :]
    note_budgets(app, campaigns.segment, day, [float(amount) for amount in money] + [0.0] * len(spare))
    for campaign, amount in zip(used, money, strict=True):
        patiently(app, lambda c=campaign, a=amount: platform.set_daily_budget(c, max(a, CENT)))  # type: ignore[misc]
    for campaign in set(spare) & set(campaigns.active):
        patiently(app, lambda c=campaign: platform.set_status(c, "paused"))  # type: ignore[misc]
    if set(spare) & set(campaigns.active):
        remember(app, replace(campaigns, active=tuple(c for c in campaigns.active if c not in spare)))


def to_cents(amounts: list[float], total: Decimal) -> list[Decimal]:
    """Whole cents that add up to ``total`` (rounded to cents); the largest remainders get the spare cents."""
    whole = total.quantize(CENT)
    exact = [Decimal(str(amount)) for amount in amounts]
    cents = [amount.quantize(CENT, rounding=ROUND_DOWN) for amount in exact]
    spare = int(((whole - sum(cents)) / CENT).to_integral_value())
    order = np.argsort([float(c - e) for e, c in zip(exact, cents, strict=True)], kind="stable")
    for i in order[: max(spare, 0)]:
        cents[i] += CENT
    return cents


__all__ = ["Applied", "apply_plan", "attach", "carry_out", "our_targets", "to_cents"]
