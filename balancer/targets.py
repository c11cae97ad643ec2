"""The daily target of every account: what the policy wants, within what can be delivered.

Puts a Policy's window limits on one day's scale and asks ``allocate_target``;
it knows nothing of bands or lists.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from balancer.allocate_limits import Limits, known_members, limits_from_policy
from balancer.allocate_target import limited_target
from balancer.types import Policy, State, Status, Vector

ROOM = 1e-9
PASSES, EXACT = 100, 1e-13


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
    cost       money per impression, for a spend cap where the state knows none per account
    """
    days = float(policy.window_days)
    ignored: tuple[Status, ...] = ()
    if policy.click_cap is not None and state.click_rate is None:
        ignored = (Status("cap_ignored", policy.click_cap, "click_cap"),)
        policy = replace(policy, click_cap=None)
    if _plain(policy) and least is None and (even := _evenly(state, policy, inventory, total)) is not None:
        return Goal(even, ())
    limits = (
        _only_member_cap(state, policy, inventory)
        if _plain(policy)
        else _limits(state, policy, inventory, cost)
    )
    if least is not None:
        low = np.minimum(np.maximum(limits.floor, least * days), np.minimum(limits.cap, limits.inventory))
        limits = replace(limits, floor=low)
    solved = limited_target(total * days, limits, cap_policy=policy.cap_policy)
    return Goal(np.asarray(solved.allocation.target) / days, (*solved.allocation.statuses, *ignored))


def daily_caps(state: State, policy: Policy, *, cost: float) -> Vector | None:
    """(n,) impressions per day the policy allows at most, inf for no cap; None where it caps nobody."""
    endless = np.broadcast_to(np.inf, len(state.accounts))
    if _plain(policy):
        return (
            None
            if policy.member_cap is None
            else _only_member_cap(state, policy, endless).cap / _days(policy)
        )
    if policy.click_cap is not None and state.click_rate is None:
        policy = replace(policy, click_cap=None)
    limits = _limits(state, policy, endless, cost)
    return np.asarray(np.minimum(limits.cap, limits.inventory) / _days(policy))


def _days(policy: Policy) -> float:
    return float(policy.window_days)


def _limits(state: State, policy: Policy, inventory: Vector, cost: float) -> Limits:
    days, n = float(policy.window_days), len(state.accounts)
    return limits_from_policy(
        policy,
        total=state.baseline * days,
        members=state.members,
        tier=state.tier,
        accounts=state.accounts,
        inventory=inventory * days,
        clicks_per_impression=state.click_rate,
        cost_per_impression=np.full(n, cost) if state.cost is None else state.cost,
    )


def _plain(policy: Policy) -> bool:
    """At most a member cap: the common case, and the one that must work for ten million accounts."""
    caps = (policy.share_cap, policy.even_cap, policy.absolute_cap, policy.click_cap, policy.spend_cap)
    named = (policy.tier_weights, policy.tier_caps, policy.pins, policy.held, policy.raised)
    return all(cap is None for cap in caps) and not any(named) and not policy.beta and not policy.floor


def _evenly(state: State, policy: Policy, inventory: Vector, total: float) -> Vector | None:
    """Equal weights, no floors, enough room: the level by Newton on a concave, piecewise linear sum.

    It rises to the exact root in a handful of passes. None where the room is not enough, so that the
    general path can say what gives way.
    """
    most = inventory
    if policy.member_cap is not None:
        most = known_members(state.members) * (policy.member_cap / policy.window_days)
        np.minimum(most, inventory, out=most)
    if total <= 0.0 or not float(most.sum()) > total * (1.0 + ROOM):
        return None
    level = total / most.size
    for _ in range(PASSES):
        given = float(np.minimum(most, level).sum())
        open_ = int(np.count_nonzero(most > level))
        step = (total - given) / max(open_, 1)
        level += step
        if open_ == 0 or step <= EXACT * level:
            break
    return np.asarray(np.minimum(most, level))


def _only_member_cap(state: State, policy: Policy, inventory: Vector) -> Limits:
    """What ``limits_from_policy`` gives for such a policy, without a table of all the caps there are."""
    n, days = inventory.size, float(policy.window_days)
    cap = np.broadcast_to(np.inf, n)
    if policy.member_cap is not None:
        cap = policy.member_cap * known_members(state.members)
    one, zero, none = np.broadcast_to(1.0, n), np.broadcast_to(0.0, n), np.broadcast_to(np.int8(0), n)
    return Limits(one, zero, cap, inventory * days, none)
