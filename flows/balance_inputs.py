"""What the balancer may know on a morning: policy, accounts, members, money, lists, reports, memory.

Reads the store. It plans nothing and calls no platform.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiences.store.records import PlanRecord, PlanStatus
from balancer.auto import DUTY, chosen
from balancer.memory import ABSORBED, FIRST, NEVER, RAMPED, REBANDED, STARTS, realign
from balancer.types import UNPLACED, Policy, State, Vector
from flows.bands import adopted, band_campaigns, commands, in_force, turns
from flows.collect import newest_complete
from flows.exceptions import exceptions_of, with_exceptions
from flows.exposure import NothingCollected, day_reports, segment_accounts
from flows.exposure_rates import click_rates, costs
from flows.funding import first_funding, funding
from flows.plan_codec import decode_plan, policy_from
from flows.wiring import App, WorkspaceError

BASELINE_DAYS = 28
SHADOWS = 30  # newest ones that are looked through
UNSCORED = 4  # the tier of an account nobody has scored
ONE_CAMPAIGN = ("duty", "threshold")  # modes that keep the campaign and hold accounts out of it for a while
TURNS = ("turn_levels", "flight", "flight_days")  # of a controller's memory: what it had commanded


def policy_of(app: App, segment: str) -> Policy:
    """The policy a segment names, with the exceptions people made. Raises WorkspaceError when not balanced."""
    balance = app.config.segments[segment].balance if segment in app.config.segments else None
    if balance is None:
        raise WorkspaceError(f'segment "{segment}" has no balance: entry')
    policy = policy_from(app.config.policies[balance.policy])
    mine = adopted(app, segment)
    if mine:
        policy = replace(policy, bands=len(mine))
    return with_exceptions(policy, exceptions_of(app, segment))


def balanced_segments(app: App, segment: str | None = None) -> list[str]:
    """The named segment, or all that are balanced. Raises WorkspaceError when there is none."""
    balanced = [name for name, wanted in app.config.segments.items() if wanted.balance]
    names = [name for name in balanced if segment in (None, name)]
    if not names:
        raise WorkspaceError(
            f"no balanced segment{'' if segment is None else f' {segment!r}'} in the settings",
            remedy=f"Balanced are: {', '.join(balanced)}."
            if balanced
            else 'Add balance: {campaign: "ID", policy: even} to the segment in evenreach.yaml.',
        )
    return names


def make_state(app: App, segment: str, policy: Policy, today: date) -> State:
    """What the balancer may know on the morning of ``today``. Raises NothingCollected before any report."""
    state = standing_state(app, segment, policy, today)
    clock = state.memory.get("clock") if state is not None else None
    absorbed = int(clock[ABSORBED]) if clock is not None else 0
    accounts = segment_accounts(app, segment)
    newest = newest_complete(app, band_campaigns(app, segment).platform)
    earliest = newest - timedelta(days=BASELINE_DAYS - 1)
    since = max(date.fromordinal(absorbed + 1), earliest) if absorbed > 0 else earliest
    reports = day_reports(app, segment, accounts, since, newest)
    if not reports and (state is None or not state.memory):
        raise NothingCollected(f"no day of {segment} has been collected")
    if state is None:
        first_funding(app, segment, reports)
        state = standing_state(app, segment, policy, today)
        assert state is not None
    return replace(
        state,
        reports=tuple(reports),
        click_rate=click_rates(app, segment, accounts, earliest, newest) if policy.click_cap else None,
        cost=costs(app, segment, accounts, earliest, newest) if policy.spend_cap else None,
    )


def standing_state(app: App, segment: str, policy: Policy, today: date) -> State | None:
    """All of it but the reports: accounts, members, money, lists and memory. None before the first plan."""
    money = funding(app, segment, today)
    if money is None:
        return None
    accounts = segment_accounts(app, segment)
    n = len(accounts)
    state = State(
        day=today.toordinal(),
        accounts=accounts,
        members=_members(app, accounts),
        tier=_tiers(app, accounts, policy),
        budget=money.budget,
        baseline=money.impressions,
        band=np.full(n, UNPLACED, dtype=np.int8),
        landed=np.full(n, UNPLACED, dtype=np.int8),
        reports=(),
        memory=_memory(app, segment, accounts, policy, today),
    )
    return _with_lists(app, segment, state, policy, today)


def usable(state: State, policy: Policy) -> Policy:
    """The policy without a limit per member where nobody's members are known: it has nothing to count by."""
    uncounted = policy.member_cap is not None and not state.members.any()
    return replace(policy, member_cap=None) if uncounted else policy


def one_campaign(state: State, policy: Policy) -> bool:
    """Whether the plan will keep the segment in one campaign and hold accounts out of it for a while."""
    return policy.mode in ONE_CAMPAIGN or (policy.mode == "auto" and chosen(state, policy) == DUTY)


def evidence_only(
    memory: Mapping[str, NDArray[np.generic]], policy: Policy, today: date
) -> Mapping[str, NDArray[np.generic]]:
    """What was seen, without what was commanded: nothing a shadow plan wanted has ever happened."""
    start = {"credit": 0.0, "target": 0.0, "moved": NEVER, "room": np.inf, "reach": 0.0, "trim": 0.0}
    start |= {"rests": 0.0, "centre": 0.0, "lift": max(1.0, min(STARTS[policy.ramp], policy.max_throttle))}
    kept = {name: np.full_like(a, start[name]) if name in start else a for name, a in memory.items()}
    if "seen" in kept:
        clock = np.array(kept["clock"])
        clock[[FIRST, REBANDED, RAMPED]] = today.toordinal(), NEVER, today.toordinal()
        kept["clock"] = clock
    return {name: array for name, array in kept.items() if name not in TURNS}


def _with_lists(app: App, segment: str, state: State, policy: Policy, today: date) -> State:
    """The state with who is on which list, as last commanded and as expected in force."""
    single = one_campaign(state, policy)
    given = (turns if single else commands)(app, segment, state.accounts)
    n, start = len(state.accounts), 0 if single else UNPLACED
    history = [(day, band) for day, band in given if day < today]
    band = history[-1][1] if history else np.full(n, start, dtype=np.int8)
    return replace(state, band=band, landed=in_force(history, today, n, otherwise=start))


def _memory(
    app: App, segment: str, accounts: tuple[str, ...], policy: Policy, today: date
) -> Mapping[str, NDArray[np.generic]]:
    """What the last applied plan learned, carried over to today's accounts; else what shadow plans learned.

    Counting and rating controllers cannot read each other's notes: after such a change the reports are
    read again from the beginning.
    """
    last = app.store.latest_plan(segment, statuses=(PlanStatus.APPLIED,))
    last = last or _earlier_shadow(app, segment, today)
    if last is None or last.memory is None:
        return {}
    plan = decode_plan(last.body, last.memory)
    if ("tally" in plan.memory) != (policy.mode == "threshold"):
        return {}
    kept = plan.memory if plan.accounts == accounts else realign(plan.memory, plan.accounts, accounts)
    return evidence_only(kept, policy, today) if last.status is PlanStatus.SHADOW else kept


def _earlier_shadow(app: App, segment: str, today: date) -> PlanRecord | None:
    shadows = app.store.plans(segment=segment, status=PlanStatus.SHADOW, limit=SHADOWS)
    return next((plan for plan in shadows if plan.day < today), None)


def _members(app: App, accounts: Sequence[str]) -> Vector:
    """(n,) people to reach at each account; 0 where no source says."""
    sizes: Mapping[str, float] = app.store.account_sizes()
    return np.array([sizes.get(account, 0.0) for account in accounts], dtype=np.float64)


def _tiers(app: App, accounts: Sequence[str], policy: Policy) -> NDArray[np.int8]:
    """(n,) tiers where the policy asks for them: a plan rests on nothing it does not use."""
    known: Mapping[str, Any] = app.store.tiers() if policy.tier_weights or policy.tier_caps else {}
    return np.array([known.get(account, UNSCORED) for account in accounts], dtype=np.int8)
