"""Ledger to plan to approval: what the balancer may know this morning, and what it proposes.

Reads the store, writes plans; nothing here touches a platform. A plan carries
the hash of its inputs; whoever approves names that hash.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from audiences.store.plans import plan_id
from audiences.store.records import PlanMove, PlanRecord, PlanStatus
from balancer.canon import encode_memory, inputs_hash, plan_bytes
from balancer.memory import ABSORBED, realign
from balancer.rehearse import CONTROLLERS
from balancer.types import BalancePlan, DayReport, Policy, State
from flows.activate import audit
from flows.bands import band_campaigns, commands, in_force
from flows.collect import newest_complete
from flows.exposure import NothingCollected, day_reports, segment_accounts
from flows.plan_codec import decode_inputs, decode_plan, encode_inputs, encode_plan, policy_from
from flows.wiring import App, WorkspaceError

BASELINE_DAYS = 28
UNSCORED = 4  # the tier of an account nobody has scored


@dataclass(frozen=True, slots=True)
class Proposed:
    """A stored plan. ``fresh`` False: the same inputs gave this plan before."""

    record: PlanRecord
    plan: BalancePlan
    fresh: bool


def policy_of(app: App, segment: str) -> Policy:
    """The balancing policy a segment names. Raises WorkspaceError when the segment is not balanced."""
    balance = app.config.segments[segment].balance if segment in app.config.segments else None
    if balance is None:
        raise WorkspaceError(f'segment "{segment}" has no balance: entry')
    return policy_from(app.config.policies[balance.policy])


def balanced_segments(app: App, segment: str | None = None) -> list[str]:
    """The named segment, or all that are balanced. Raises WorkspaceError when there is none."""
    names = [
        name for name, wanted in app.config.segments.items() if wanted.balance and segment in (None, name)
    ]
    if not names:
        raise WorkspaceError(
            f"no balanced segment{'' if segment is None else f' {segment!r}'} in the settings"
        )
    return names


def propose(app: App, segment: str, *, shadow: bool = False) -> Proposed:
    """Plan today. The same inputs give the same stored plan. Raises NothingCollected before any report."""
    policy, today = policy_of(app, segment), app.today
    state = make_state(app, segment, policy, today)
    if not state.members.any():
        policy = replace(policy, member_cap=None)  # nobody's members are known: there is nothing to cap by
    plan = CONTROLLERS[policy.mode]().propose(state, policy)
    record = _record(app, segment, state, policy, plan, shadow=shadow)
    for open_plan in app.store.plans(segment=segment, status=PlanStatus.PROPOSED):
        if open_plan.plan_id != record.plan_id:
            app.store.decide_plan(
                open_plan.plan_id, PlanStatus.LAPSED, by="evenreach", at=app.now(), note="newer plan"
            )
    fresh = app.store.save_plan(record)
    if fresh:
        audit(app, "plan proposed", segment, {"plan": record.plan_id[:12], "moves": len(record.moves)})
    return Proposed(app.store.plan(record.plan_id), plan, fresh)


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


def approve(app: App, plan: str, *, seen: str, who: str) -> PlanRecord:
    """Approve a plan by the inputs hash that was looked at. Raises the store's Conflict when it moved."""
    record = app.store.decide_plan(plan, PlanStatus.APPROVED, by=who, at=app.now(), seen=seen)
    audit(app, "plan approved", record.segment, {"plan": plan[:12], "by": who})
    return record


def refuse(app: App, plan: str, *, who: str, note: str = "") -> PlanRecord:
    """Refuse a plan; nothing of it is carried out."""
    record = app.store.decide_plan(plan, PlanStatus.REFUSED, by=who, at=app.now(), note=note)
    audit(app, "plan refused", record.segment, {"plan": plan[:12], "by": who})
    return record


def find_plan(app: App, prefix: str) -> PlanRecord:
    """The plan whose id starts with ``prefix``. Raises WorkspaceError when none or several do."""
    found = [plan for plan in app.store.plans(limit=10_000) if plan.plan_id.startswith(prefix)]
    if len(found) != 1:
        raise WorkspaceError(f"{len(found)} plans start with {prefix}; name one by its id")
    return found[0]


def rebuild(record: PlanRecord) -> bool:
    """Whether the recorded inputs give the recorded plan again, byte for byte."""
    if record.inputs is None:
        return False
    state, policy = decode_inputs(record.inputs)
    again = CONTROLLERS[record.mode]().propose(state, policy)
    stored = decode_plan(record.body, record.memory)
    return plan_bytes(again) == plan_bytes(stored) and inputs_hash(state, policy) == record.inputs_hash


def make_state(app: App, segment: str, policy: Policy, today: date) -> State:
    """What the balancer may know on the morning of ``today``."""
    accounts = segment_accounts(app, segment)
    last = app.store.latest_plan(segment, statuses=(PlanStatus.APPLIED, PlanStatus.SHADOW))
    memory = _memory(last, accounts)
    newest = newest_complete(app, band_campaigns(app, segment).platform)
    absorbed = int(memory["clock"][ABSORBED]) if "clock" in memory else 0
    earliest = newest - timedelta(days=BASELINE_DAYS - 1)
    since = max(date.fromordinal(absorbed + 1), earliest) if absorbed > 0 else earliest
    reports = day_reports(app, segment, accounts, since, newest)
    if not reports and not memory:
        raise NothingCollected(f"no day of {segment} has been collected")
    budget, baseline = _baseline(app, segment, reports)
    history = [(day, band) for day, band in commands(app, segment, accounts) if day < today]
    n = len(accounts)
    return State(
        day=today.toordinal(),
        accounts=accounts,
        members=np.zeros(n),
        tier=_tiers(app, accounts),
        budget=budget,
        baseline=baseline,
        band=history[-1][1] if history else np.full(n, -1, dtype=np.int8),
        landed=in_force(history, today, n),
        reports=tuple(reports),
        memory=memory,
    )


def _memory(last: PlanRecord | None, accounts: tuple[str, ...]) -> Mapping[str, NDArray[np.generic]]:
    """What the last plan learned, carried over to today's accounts."""
    if last is None or last.memory is None:
        return {}
    plan = decode_plan(last.body, last.memory)
    return plan.memory if plan.accounts == accounts else realign(plan.memory, plan.accounts, accounts)


def _baseline(app: App, segment: str, reports: Sequence[DayReport]) -> tuple[float, float]:
    """Money and impressions per day before balancing: fixed when the first plan is made, then kept."""
    known: dict[str, float] | None = app.store.get(f"baseline/{segment}")
    if known is None:
        days = max(len(reports), 1)
        delivered = sum(float(r.band_total.sum()) for r in reports) / days
        known = {"budget": _template_budget(app, segment, reports), "impressions": delivered}
        app.store.put(f"baseline/{segment}", known, at=app.now())
    return known["budget"], known["impressions"]


def _template_budget(app: App, segment: str, reports: Sequence[DayReport]) -> float:
    """The daily budget the marketer gave the campaign, as seen when reports were collected."""
    budget: float | None = app.store.get(f"template_budget/{segment}")
    return budget if budget else max(float(r.band_spend.sum()) for r in reports)


def _tiers(app: App, accounts: Sequence[str]) -> NDArray[np.int8]:
    known = app.store.tiers()
    return np.array([known.get(account, UNSCORED) for account in accounts], dtype=np.int8)


def _record(
    app: App, segment: str, state: State, policy: Policy, plan: BalancePlan, *, shadow: bool
) -> PlanRecord:
    body = encode_plan(plan)
    day = date.fromordinal(plan.day)
    return PlanRecord(
        plan_id=plan_id(segment, day, policy.mode, plan.inputs_hash, body),
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
