"""The fallback for one campaign and one exclusion list: accounts take turns.

Every account should be on for a fraction of its days; each day those are on that are owed the
most, until they can just spend the budget. It never uses more than one campaign and never
touches the money. Needs about ten times the list changes of bands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from balancer import guards
from balancer.allocate_limits import known_members
from balancer.canon import inputs_hash
from balancer.checks import check_inputs
from balancer.frozen import frozen
from balancer.memory import ABSORBED, FIRST, Memory, recall
from balancer.moves import explain
from balancer.study import current_rates, learned_headroom, study
from balancer.targets import Goal, daily_goal
from balancer.types import UNPLACED, BalancePlan, Policy, State, Status, Vector

Band = NDArray[np.int8]
MOST = 5.0  # throttle; beyond it on/off control is too coarse
ALWAYS = 0.95  # a duty above this is "always on"
SLACK = 1.02  # capacity kept on, times the budget
SHORT, SPENT = 0.985, 0.995  # of the money, over three days
OPEN, BACK, FORGIVE = 1.15, 0.92, 1.03
CHECK_DAYS = 3
START = 1.3  # throttle of the first day
FLIGHT = 14  # days of membership kept while their reports are on the way


@dataclass(frozen=True, eq=False)
class Turns:
    """Beyond ``Memory``: throttle in use and the last that failed; expected membership of unreported days."""

    throttle: float
    failed: float
    flight: NDArray[np.bool_]  # (F, n)
    days: NDArray[np.int32]  # (F,)


@dataclass(frozen=True, slots=True)
class Duty:
    """``propose(state, policy) -> BalancePlan`` for mode "duty": band 0 is on, UNPLACED is excluded."""

    def propose(self, state: State, policy: Policy) -> BalancePlan:
        """Who is on from today's command on. Budgets: one campaign, all the money.

        Raises BadNumbers for inputs that cannot be true, ImpossibleCap for a cap nobody can keep.
        """
        check_inputs(state, policy)
        memory = recall(state, policy, 1)
        unfit = guards.unfit_data(state, policy, memory.at(ABSORBED), memory.at(FIRST))
        if unfit is not None:
            return frozen(state, policy, memory, unfit, mode="duty", extra=state.memory)
        memory, shocked = study(state, policy, memory)
        rate = current_rates(state, memory)
        turns = _recall_turns(state, memory, rate)
        turns = _throttled(state, policy, memory, turns)
        goal = daily_goal(state, policy, turns.throttle * rate, total=state.baseline)
        turns = _in_flight(state, memory, turns)
        owed = memory.credit + _expected_credit(state, turns, goal, rate)
        wanted = _on(state, policy, goal, rate, turns.throttle, owed)
        band = guards.held_out(_enough(wanted, state, policy, owed), state, policy)
        moved = np.where(band != state.band, state.day, memory.moved).astype(np.int32)
        memory = replace(memory, target=goal.target, moved=moved).ticked(planned=state.day)
        on = band >= 0
        return BalancePlan(
            day=state.day,
            mode="duty",
            accounts=state.accounts,
            target=goal.target,
            band=band,
            budgets=np.array([state.budget], dtype=np.float64),
            moves=explain(
                state, policy, band, wanted=wanted, shocked=shocked, rate=rate, want=goal.target, turns=True
            ),
            statuses=goal.statuses or (Status("ok"),),
            forecast={
                "delivery": min(1.0, turns.throttle * float(rate[on].sum()) / max(state.baseline, 1e-300))
            },
            memory={**memory.as_mapping(), **_keep(turns)},
            inputs_hash=inputs_hash(state, policy),
        )


def _on(state: State, policy: Policy, goal: Goal, rate: Vector, throttle: float, owed: Vector) -> Band:
    """Always-on accounts, then those owed the most relative to what a day brings, until the budget fits."""
    day = throttle * rate
    always = goal.target >= ALWAYS * day
    order = np.argsort(np.where(always, -np.inf, -owed / np.maximum(day, 1e-300)), kind="stable")
    reach = np.cumsum(day[order])
    count = int(np.searchsorted(reach, SLACK * state.baseline)) + 1
    band = np.full(rate.size, UNPLACED, dtype=np.int8)
    band[order[: max(count, int(always.sum()))]] = 0
    if policy.operations_per_day is not None:
        urgency = np.abs(owed) / np.maximum(goal.target, 1e-300)
        band = guards.within_churn(state.band, band, urgency, policy.operations_per_day)
    return band


def _enough(band: Band, state: State, policy: Policy, owed: Vector) -> Band:
    """Add the most owed accounts until the audience is above the platform's minimum."""
    known, members = state.members.sum() > 0.0, known_members(state.members)
    missing = policy.minimum_members - float(members[band >= 0].sum())
    if not known or missing <= 0.0:
        return band
    off = np.flatnonzero(band < 0)
    order = off[np.argsort(-owed[off], kind="stable")]
    count = int(np.searchsorted(np.cumsum(members[order]), missing)) + 1
    band = band.copy()
    band[order[:count]] = 0
    return band


def _throttled(state: State, policy: Policy, memory: Memory, turns: Turns) -> Turns:
    """Three days of spend decide whether fewer accounts may carry the budget."""
    week = memory.recent[-CHECK_DAYS:]
    controlled = week.shape[0] == CHECK_DAYS and week[0, 0] > memory.at(FIRST) + policy.actuation_delay
    if not controlled or (memory.at(ABSORBED) - memory.at(FIRST)) % CHECK_DAYS:
        return turns
    spent = float(week[:, 2].sum()) / max(float(week[:, 3].sum()), 1e-300)
    if spent < SHORT:
        lower = max(1.0, turns.throttle * max(0.8, spent - 0.02))
        return replace(turns, throttle=lower, failed=min(turns.failed, turns.throttle))
    turns = replace(turns, failed=FORGIVE * turns.failed)
    most = min(MOST, policy.max_throttle, BACK * turns.failed)
    return (
        replace(turns, throttle=max(turns.throttle, min(most, OPEN * turns.throttle)))
        if spent >= SPENT
        else turns
    )


def _in_flight(state: State, memory: Memory, turns: Turns) -> Turns:
    """Remember who is expected on today; forget the days whose reports have come."""
    force = state.landed >= 0
    if not force.any():
        force = np.ones(force.size, dtype=np.bool_)
    days = np.append(turns.days, state.day).astype(np.int32)
    flight = np.concatenate([turns.flight, force[None, :]])
    keep = (days > memory.at(ABSORBED)) & (days > state.day - FLIGHT)
    _, last = np.unique(days[::-1], return_index=True)
    newest = np.zeros(days.size, dtype=np.bool_)
    newest[days.size - 1 - last] = True
    return replace(turns, flight=flight[keep & newest], days=days[keep & newest])


def _expected_credit(state: State, turns: Turns, goal: Goal, rate: Vector) -> Vector:
    """(n,) what unreported days will have added to the credit: a Smith predictor over the delays."""
    owed = goal.target * turns.days.size
    for on in turns.flight:
        mass = float(rate[on].sum())
        level = min(turns.throttle, state.baseline / max(mass, 1e-300))
        owed = owed - np.where(on, level * rate, 0.0)
    return np.asarray(owed)


def _recall_turns(state: State, memory: Memory, rate: Vector) -> Turns:
    """Kept from the last plan; else a throttle that what bands may have learned leaves room for."""
    old: Mapping[str, NDArray[np.generic]] = state.memory
    n = len(state.accounts)
    if "turn_levels" in old and old["flight"].shape[1] == n:
        throttle, failed = (float(v) for v in np.asarray(old["turn_levels"], dtype=np.float64))
        flight = np.asarray(old["flight"], dtype=np.bool_)
        return Turns(throttle, failed, flight, np.asarray(old["flight_days"], dtype=np.int32))
    room = learned_headroom(memory, rate)
    start = float(np.clip(BACK * room, 1.0, START))
    return Turns(start, room, np.zeros((0, n), dtype=np.bool_), np.zeros(0, dtype=np.int32))


def _keep(turns: Turns) -> dict[str, NDArray[np.generic]]:
    return {
        "turn_levels": np.array([turns.throttle, turns.failed]),
        "flight": turns.flight,
        "flight_days": turns.days,
    }
