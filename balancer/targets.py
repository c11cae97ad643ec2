"""The daily target of every account: what the policy wants, within what can be delivered.

Puts a Policy's window limits on one day's scale and asks ``allocate_target``;
it knows nothing of bands or lists.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from balancer.allocate_limits import limits_from_policy
from balancer.allocate_target import limited_target
from balancer.types import Policy, State, Status, Vector


@dataclass(frozen=True, eq=False)
class Goal:
    """``target`` (n,) impressions per day; ``statuses`` say what could not be met."""

    target: Vector
    statuses: tuple[Status, ...]


def daily_goal(
    state: State,
    policy: Policy,
    inventory: Vector,
    *,
    total: float,
    least: Vector | None = None,
    cost: float = 0.0,
) -> Goal:
    """Water-fill ``total`` impressions per day under the policy and what can be delivered.

    inventory  (n,) most impressions per day each account is believed to take, finite
    least      (n,) impressions per day that are cheaper to leave where they are; caps beat it
    cost       money per impression, needed by a spend cap
    """
    days = float(policy.window_days)
    ignored: tuple[Status, ...] = ()
    if policy.click_cap is not None:
        ignored = (Status("cap_ignored", policy.click_cap, "click_cap"),)
        policy = replace(policy, click_cap=None)
    n = len(state.accounts)
    limits = limits_from_policy(
        policy,
        total=state.baseline * days,
        members=state.members,
        tier=state.tier,
        accounts=state.accounts,
        inventory=inventory * days,
        cost_per_impression=np.full(n, cost) if policy.spend_cap is not None else None,
    )
    if least is not None:
        low = np.minimum(np.maximum(limits.floor, least * days), np.minimum(limits.cap, limits.inventory))
        limits = replace(limits, floor=low)
    solved = limited_target(total * days, limits, cap_policy=policy.cap_policy)
    return Goal(np.asarray(solved.allocation.target) / days, (*solved.allocation.statuses, *ignored))
