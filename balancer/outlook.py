"""What is believed this morning, and what to aim at: rates, price, reach, target.

Looks at a Memory; proposes no membership and splits no money.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from balancer.affordable import Reach, affordable
from balancer.blocks import blocks
from balancer.memory import ABSORBED, RAMPED, Memory
from balancer.price import PriceLaw, price_law
from balancer.study import current_rates, usual_budget
from balancer.sums import by_band
from balancer.targets import Goal, daily_caps, daily_goal
from balancer.types import Policy, State, Vector

AIM = 0.98  # of what was seen to be taken at the most: the rest is the day-to-day noise of inventory
STARVED = 0.97  # of what it can take: the account takes all it can get
LONGEST = 14  # days without a report that are still predicted
LEAST = 0.1  # of the target: an account is served that much, however much it got before


@dataclass(frozen=True, eq=False)
class Outlook:
    """What is believed this morning: ``rate`` (n,), the price law, the reach the money allows, the goal."""

    rate: Vector
    law: PriceLaw
    reach: Reach
    goal: Goal
    want: Vector  # (n,) impressions per day, goal corrected by a part of the credit
    starved: NDArray[np.bool_]


def outlook(state: State, policy: Policy, memory: Memory) -> Outlook:
    """Rates, price and the target they allow."""
    rate = current_rates(state, memory)
    law = price_law(memory.price, default=state.budget / max(state.baseline, 1e-300))
    most = float(memory.lift[0])
    reach = Reach(0.0, most, np.inf, binding=False)
    total, least = state.baseline, None
    if law.eps > 0.0:
        cap = daily_caps(state, policy, cost=law.unit)
        reach = _reach(state, policy, memory, rate, law, cap)
        given = reach.of(rate) if cap is None else np.minimum(reach.of(rate), cap)
        total, least = min(state.baseline, float(given.sum())), reach.low * rate
    inventory = reach.high * rate
    np.minimum(inventory, AIM * memory.room, out=inventory)
    goal = daily_goal(state, policy, inventory, total=total, least=least, cost=law.unit)
    want = _wanted(state, policy, memory, rate, goal.target)
    inventory *= STARVED
    starved = goal.target >= inventory
    return Outlook(rate, law, reach, goal, want, starved)


def _reach(
    state: State, policy: Policy, memory: Memory, rate: Vector, law: PriceLaw, cap: Vector | None
) -> Reach:
    """What the money allows under this price; solved again on the days the floor is corrected."""
    low, high, level, binding = memory.reach.tolist()
    if high > 0.0 and memory.at(RAMPED) != state.day:
        return Reach(low, high, level, binding > 0.0)
    floor = min(1.0, policy.impression_floor + float(memory.trim[0])) * state.baseline
    cash = usual_budget(memory, state.budget)
    most = float(memory.lift[0])
    return affordable(rate, law, money=cash, floor=floor, most=most, top=top_size(rate.size), cap=cap)


def _wanted(state: State, policy: Policy, memory: Memory, rate: Vector, target: Vector) -> Vector:
    """(n,) impressions per day: the target, and a part of the credit as it will stand when today's command lands.

    A Smith predictor: without it a correction is ordered again on every day its effect is under way.
    """
    days, level = _under_way(state, policy, memory, rate, target)
    want = np.empty(rate.size)
    for at in blocks(rate.size):
        owed = memory.credit[at] + days * (target[at] - level[state.landed[at]] * rate[at])
        want[at] = np.maximum(target[at] + policy.gain * owed, LEAST * target[at])
    return want


def _under_way(
    state: State, policy: Policy, memory: Memory, rate: Vector, target: Vector
) -> tuple[int, Vector]:
    """Days between the last report and today's command, and the (K + 1,) throttles in them; the last is for no band."""
    force, k = state.landed, memory.centre.size
    days = state.day - 1 - memory.at(ABSORBED) + policy.actuation_delay
    if not (force >= 0).any() or not 0 < days <= LONGEST:
        return 0, np.zeros(k + 1)
    mass = by_band(force, rate, k)
    level = np.divide(by_band(force, target, k), mass, out=np.zeros(k), where=mass > 0.0)
    return days, np.append(level, 0.0)


def top_size(n: int) -> int:
    """The hundred of the headline figure; a twenty-fifth of a small segment."""
    return 100 if n >= 1_000 else max(1, round(n / 25))
