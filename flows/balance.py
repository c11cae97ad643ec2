"""Ledger to plan to approval: plans are proposed, approved, refused, rebuilt. Nothing here touches a platform.

A plan carries the hash of its inputs; whoever approves names that hash. How long
an approval holds is ``approvals``' business, what a plan rests on ``balance_inputs``'.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from audiences.store.plans import plan_id
from audiences.store.records import PlanMove, PlanRecord, PlanStatus
from balancer.canon import encode_memory, inputs_hash, plan_bytes
from balancer.rehearse import CONTROLLERS
from balancer.types import BalancePlan, Policy, State, Status
from flows.approvals import (
    AUTOMATIC,
    PlanExpired,
    PlanMoved,
    check_stands,
    goes_ahead,
    lapse_expired,
    still_stands,
)
from flows.approvers import require_approver
from flows.balance_inputs import (
    ONE_CAMPAIGN,
    balanced_segments,
    evidence_only,
    make_state,
    one_campaign,
    policy_of,
    usable,
)
from flows.controller_version import controller_version
from flows.plan_begun import PlanBegun, begun, plan_lease
from flows.plan_codec import decode_inputs, decode_plan, encode_inputs, encode_plan, made_by
from flows.runs import audit_line, leased
from flows.wiring import App, WorkspaceError

__all__ = [
    "AUTOMATIC",
    "ONE_CAMPAIGN",
    "PlanExpired",
    "PlanMoved",
    "Proposed",
    "approve",
    "approve_as_seen",
    "approve_if_small",
    "balanced_segments",
    "evidence_only",
    "find_plan",
    "make_state",
    "one_campaign",
    "plan_for",
    "policy_of",
    "propose",
    "rebuild",
    "refuse",
    "still_stands",
    "todays_plan",
    "usable",
    "why_not_rebuilt",
]


@dataclass(frozen=True, slots=True)
class Proposed:
    """A stored plan. ``fresh`` False: the same inputs gave this plan before."""

    record: PlanRecord
    plan: BalancePlan
    fresh: bool


def propose(app: App, segment: str, *, shadow: bool = False) -> Proposed:
    """Plan today. The same inputs give the same stored plan. Raises NothingCollected before any report.

    A shadow plan is only recorded: it can never be applied, and no waiting plan lapses because of it.
    """
    policy, today = policy_of(app, segment), app.today
    lapse_expired(app, segment)
    state = make_state(app, segment, policy, today)
    plan = plan_for(state, policy)
    record = _record(app, segment, state, policy, plan, shadow=shadow)
    for open_plan in () if shadow else app.store.plans(segment=segment, status=PlanStatus.PROPOSED):
        if open_plan.plan_id != record.plan_id:
            app.store.decide_plan(
                open_plan.plan_id, PlanStatus.LAPSED, by="evenreach", at=app.now(), note="newer plan"
            )
    detail = {"plan": record.plan_id[:12], "moves": len(record.moves)}
    fresh = app.store.save_plan(record, line=audit_line(app, "plan proposed", segment, detail))
    return Proposed(app.store.plan(record.plan_id), plan, fresh)


def plan_for(state: State, policy: Policy) -> BalancePlan:
    """What the policy's controller proposes. The same inputs give the same bytes.

    A limit per member that had to be left out is told in a status.
    """
    kept = usable(state, policy)
    plan = CONTROLLERS[policy.mode]().propose(state, kept)
    if kept is policy:
        return plan
    ignored = Status("member_cap_ignored", policy.member_cap or 0.0)
    return replace(plan, statuses=(*plan.statuses, ignored), inputs_hash=inputs_hash(state, policy))


def todays_plan(app: App, segment: str) -> PlanRecord:
    """Today's plan: the one that was made (a run that was cut off goes on with it), else a new one."""
    made = app.store.latest_plan(segment, statuses=(PlanStatus.APPLIED, PlanStatus.APPROVED))
    if made is not None and made.day == app.today:
        return made
    return propose(app, segment).record


def approve_as_seen(app: App, plan: str, *, who: str) -> PlanRecord:
    """Approve a plan unless somebody has; for runs where the approval was given in advance."""
    record = app.store.plan(plan)
    if record.status in (PlanStatus.APPROVED, PlanStatus.APPLIED):
        return record
    return approve(app, plan, seen=record.inputs_hash, who=who)


def approve_if_small(app: App, plan: str) -> bool:
    """Approve a plan nobody decided, where ``approvals: auto_below`` lets it go ahead. True when it may be applied."""
    record = app.store.plan(plan)
    if record.status in (PlanStatus.APPROVED, PlanStatus.APPLIED):
        return True
    if record.status is not PlanStatus.PROPOSED or not goes_ahead(app, record):
        return False
    approve(app, plan, seen=record.inputs_hash, who=AUTOMATIC)
    return True


def approve(app: App, plan: str, *, seen: str, who: str) -> PlanRecord:
    """Approve a plan by the inputs hash that was looked at.

    It holds for ``approvals: expire_days`` from the day the plan was made, unless what the plan rests on
    moves first. Raises the store's Conflict, PlanExpired, PlanMoved, or NotAnApprover.
    """
    if who != AUTOMATIC:
        require_approver(app, who)
    record = app.store.plan(plan)
    check_stands(app, record)
    line = audit_line(app, "plan approved", record.segment, {"plan": plan[:12], "by": who})
    return app.store.decide_plan(plan, PlanStatus.APPROVED, by=who, at=app.now(), seen=seen, line=line)


def refuse(app: App, plan: str, *, who: str, note: str = "") -> PlanRecord:
    """Refuse a plan; nothing of it is carried out. Raises PlanBegun where something is, and Busy meanwhile."""
    segment = app.store.plan(plan).segment
    with leased(app, plan_lease(segment)):
        if begun(app, segment) == plan:
            raise PlanBegun(f"plan {plan[:12]} has been carried out in part")
        line = audit_line(app, "plan refused", segment, {"plan": plan[:12], "by": who})
        return app.store.decide_plan(plan, PlanStatus.REFUSED, by=who, at=app.now(), note=note, line=line)


def find_plan(app: App, prefix: str) -> PlanRecord:
    """The plan whose id starts with ``prefix``. Raises WorkspaceError when none or several do."""
    heads = app.store.plan_heads(limit=1_000_000)
    found = [head.plan_id for head in heads if head.plan_id.startswith(prefix)]
    if len(found) != 1:
        words = f"{len(found)} plans start" if found else "no plan starts"
        remedy = (
            "Name one by more letters of its id."
            if found
            else "The page shows every plan with the beginning of its id."
        )
        raise WorkspaceError(f"{words} with {prefix}", remedy=remedy)
    return app.store.plan(found[0])


def rebuild(record: PlanRecord) -> bool:
    """Whether the recorded inputs give the recorded plan again, byte for byte."""
    if record.inputs is None:
        return False
    state, policy = decode_inputs(record.inputs)
    stored = decode_plan(record.body, record.memory)
    return plan_bytes(plan_for(state, policy)) == plan_bytes(stored) and stored.inputs_hash == inputs_hash(
        state, policy
    )


def why_not_rebuilt(record: PlanRecord) -> str:
    """One sentence on a plan that does not rebuild: whether another controller made it, or something was changed."""
    if record.inputs is None:
        return "Its inputs are not in the store, so nothing can be computed again."
    then, now = made_by(record.inputs), controller_version()
    if then == now:
        return (
            f"The same controller made it ({now}), so the stored plan or its inputs were changed afterwards."
        )
    maker = f"the controller of version {then}" if then else "a controller from before plans named theirs"
    return (
        f"It was made by {maker}, this is {now}; another controller may plan otherwise from the same inputs."
    )


def _record(
    app: App, segment: str, state: State, policy: Policy, plan: BalancePlan, *, shadow: bool
) -> PlanRecord:
    body = encode_plan(plan)
    day = date.fromordinal(plan.day)
    kind = f"{policy.mode} shadow" if shadow else policy.mode  # a shadow is never the plan to approve
    return PlanRecord(
        plan_id=plan_id(segment, day, kind, plan.inputs_hash, body),
        segment=segment,
        day=day,
        mode=policy.mode,
        status=PlanStatus.SHADOW if shadow else PlanStatus.PROPOSED,
        inputs_hash=plan.inputs_hash,
        body=body,
        inputs=encode_inputs(state, policy),
        memory=encode_memory(plan.memory),
        moves=tuple(_moves(plan)),
        created_by=app.who,
        created_at=app.now(),
    )


def _moves(plan: BalancePlan) -> Iterator[PlanMove]:
    for move in plan.moves:
        release = date.fromordinal(move.release) if move.release is not None else None
        yield PlanMove(move.account, move.before, move.after, move.reason, dict(move.evidence), release)
