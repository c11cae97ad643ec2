"""Ledger to plan to approval: what the balancer may know this morning, and what it proposes.

Reads the store, writes plans; nothing here touches a platform. A plan carries
the hash of its inputs; whoever approves names that hash.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiences.store.plans import plan_id
from audiences.store.records import PlanMove, PlanRecord, PlanStatus
from balancer.auto import DUTY, chosen
from balancer.canon import encode_memory, inputs_hash, plan_bytes
from balancer.memory import ABSORBED, FIRST, NEVER, RAMPED, REBANDED, STARTS, realign
from balancer.rehearse import CONTROLLERS
from balancer.types import UNPLACED, BalancePlan, DayReport, Policy, State, Status
from flows.bands import band_campaigns, commands, in_force, turns
from flows.collect import newest_complete
from flows.exceptions import exceptions_of, with_exceptions
from flows.exposure import NothingCollected, day_reports, segment_accounts
from flows.plan_codec import decode_inputs, decode_plan, encode_inputs, encode_plan, policy_from
from flows.runs import audit_line
from flows.wiring import App, WorkspaceError

BASELINE_DAYS = 28
UNSCORED = 4  # the tier of an account nobody has scored
ONE_CAMPAIGN = ("duty", "threshold")  # modes that keep the campaign and hold accounts out of it for a while
TURNS = ("turn_levels", "flight", "flight_days")  # of a controller's memory: what it had commanded
WEEKDAYS = 7


@dataclass(frozen=True, slots=True)
class Proposed:
    """A stored plan. ``fresh`` False: the same inputs gave this plan before."""

    record: PlanRecord
    plan: BalancePlan
    fresh: bool


def policy_of(app: App, segment: str) -> Policy:
    """The policy a segment names, with the exceptions people made. Raises WorkspaceError when not balanced."""
    balance = app.config.segments[segment].balance if segment in app.config.segments else None
    if balance is None:
        raise WorkspaceError(f'segment "{segment}" has no balance: entry')
    policy = policy_from(app.config.policies[balance.policy])
    return with_exceptions(policy, exceptions_of(app, segment))


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
    """Plan today. The same inputs give the same stored plan. Raises NothingCollected before any report.

    A shadow plan is only recorded: it can never be applied, and no waiting plan lapses because of it.
    """
    policy, today = policy_of(app, segment), app.today
    state = make_state(app, segment, policy, today)
    plan = plan_for(state, policy)
    record = _record(app, segment, state, policy, plan, shadow=shadow)
    for open_plan in () if shadow else app.store.plans(segment=segment, status=PlanStatus.PROPOSED):
        if open_plan.plan_id != record.plan_id:
            app.store.decide_plan(
                open_plan.plan_id, PlanStatus.LAPSED, by="evenreach", at=app.now(), note="newer plan"
            )
    line = audit_line(
        app, "plan proposed", segment, {"plan": record.plan_id[:12], "moves": len(record.moves)}
    )
    fresh = app.store.save_plan(record, line=line)
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


def usable(state: State, policy: Policy) -> Policy:
    """The policy without a limit per member where nobody's members are known: it has nothing to count by."""
    uncounted = policy.member_cap is not None and not state.members.any()
    return replace(policy, member_cap=None) if uncounted else policy


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
    line = audit_line(app, "plan approved", app.store.plan(plan).segment, {"plan": plan[:12], "by": who})
    return app.store.decide_plan(plan, PlanStatus.APPROVED, by=who, at=app.now(), seen=seen, line=line)


def refuse(app: App, plan: str, *, who: str, note: str = "") -> PlanRecord:
    """Refuse a plan; nothing of it is carried out."""
    line = audit_line(app, "plan refused", app.store.plan(plan).segment, {"plan": plan[:12], "by": who})
    return app.store.decide_plan(plan, PlanStatus.REFUSED, by=who, at=app.now(), note=note, line=line)


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
    stored = decode_plan(record.body, record.memory)
    return plan_bytes(plan_for(state, policy)) == plan_bytes(stored) and stored.inputs_hash == inputs_hash(
        state, policy
    )


def make_state(app: App, segment: str, policy: Policy, today: date) -> State:
    """What the balancer may know on the morning of ``today``."""
    accounts = segment_accounts(app, segment)
    memory = _memory(app, segment, accounts, policy)
    newest = newest_complete(app, band_campaigns(app, segment).platform)
    absorbed = int(memory["clock"][ABSORBED]) if "clock" in memory else 0
    earliest = newest - timedelta(days=BASELINE_DAYS - 1)
    since = max(date.fromordinal(absorbed + 1), earliest) if absorbed > 0 else earliest
    reports = day_reports(app, segment, accounts, since, newest)
    if not reports and not memory:
        raise NothingCollected(f"no day of {segment} has been collected")
    budget, baseline = _baseline(app, segment, reports)
    n = len(accounts)
    state = State(
        day=today.toordinal(),
        accounts=accounts,
        members=np.zeros(n),
        tier=_tiers(app, accounts),
        budget=budget,
        baseline=baseline,
        band=np.full(n, UNPLACED, dtype=np.int8),
        landed=np.full(n, UNPLACED, dtype=np.int8),
        reports=tuple(reports),
        memory=memory,
    )
    return _with_lists(app, segment, state, policy, today)


def one_campaign(state: State, policy: Policy) -> bool:
    """Whether the plan will keep the segment in one campaign and hold accounts out of it for a while."""
    return policy.mode in ONE_CAMPAIGN or (policy.mode == "auto" and chosen(state, policy) == DUTY)


def _with_lists(app: App, segment: str, state: State, policy: Policy, today: date) -> State:
    """The state with who is on which list, as last commanded and as expected in force."""
    single = one_campaign(state, policy)
    given = (turns if single else commands)(app, segment, state.accounts)
    n, start = len(state.accounts), 0 if single else UNPLACED
    history = [(day, band) for day, band in given if day < today]
    band = history[-1][1] if history else np.full(n, start, dtype=np.int8)
    return replace(state, band=band, landed=in_force(history, today, n, otherwise=start))


def _memory(
    app: App, segment: str, accounts: tuple[str, ...], policy: Policy
) -> Mapping[str, NDArray[np.generic]]:
    """What the last applied plan learned, carried over to today's accounts; else what shadow plans learned.

    Counting and rating controllers cannot read each other's notes: after such a change the reports are
    read again from the beginning.
    """
    last = app.store.latest_plan(segment, statuses=(PlanStatus.APPLIED,))
    last = last or app.store.latest_plan(segment, statuses=(PlanStatus.SHADOW,))
    if last is None or last.memory is None:
        return {}
    plan = decode_plan(last.body, last.memory)
    if ("tally" in plan.memory) != (policy.mode == "threshold"):
        return {}
    kept = plan.memory if plan.accounts == accounts else realign(plan.memory, plan.accounts, accounts)
    return evidence_only(kept, policy, app.today) if last.status is PlanStatus.SHADOW else kept


def evidence_only(
    memory: Mapping[str, NDArray[np.generic]], policy: Policy, today: date
) -> Mapping[str, NDArray[np.generic]]:
    """What was seen, without what was commanded: nothing a shadow plan wanted has ever happened."""
    start = {"credit": 0.0, "target": 0.0, "moved": NEVER, "room": np.inf, "reach": 0.0, "trim": 0.0}
    start |= {"centre": 0.0, "lift": max(1.0, min(STARTS[policy.ramp], policy.max_throttle))}
    kept = {name: np.full_like(a, start[name]) if name in start else a for name, a in memory.items()}
    if "seen" in kept:
        clock = np.array(kept["clock"])
        clock[[FIRST, REBANDED, RAMPED]] = today.toordinal(), NEVER, today.toordinal()
        kept["clock"] = clock
    return {name: array for name, array in kept.items() if name not in TURNS}


def _baseline(app: App, segment: str, reports: Sequence[DayReport]) -> tuple[float, float]:
    """Money and impressions per day before balancing: fixed when the first plan is made, then kept."""
    known: dict[str, Any] | None = app.store.get(f"baseline/{segment}")
    if known is None:
        delivered = sum(float(r.band_total.sum()) for r in reports) / max(len(reports), 1)
        known = {"budget": _template_budget(app, segment, reports), "impressions": delivered}
        app.store.put(f"baseline/{segment}", known | {"weekday": _weekdays(reports)}, at=app.now())
    return float(known["budget"]), float(known["impressions"])


def _weekdays(reports: Sequence[DayReport]) -> list[float]:
    """Mean spend of each weekday, Monday first; the mean of all days where a weekday is missing."""
    spend = [(date.fromordinal(r.day).weekday(), float(r.band_spend.sum())) for r in reports]
    usual = sum(money for _, money in spend) / max(len(spend), 1)
    means = []
    for weekday in range(WEEKDAYS):
        of_day = [money for day, money in spend if day == weekday]
        means.append(sum(of_day) / len(of_day) if of_day else usual)
    return means


def _template_budget(app: App, segment: str, reports: Sequence[DayReport]) -> float:
    """The daily budget the marketer gave the campaign, as seen when reports were collected."""
    budget: float | None = app.store.get(f"template_budget/{segment}")
    return budget if budget else max((float(r.band_spend.sum()) for r in reports), default=0.0)


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
