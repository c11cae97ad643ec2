"""Why an account gets too little, one reason each. Reads a plan; changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from balancer.allocate_limits import limits_from_policy
from balancer.memory import recall
from balancer.rates import rates
from balancer.study import prior_rates
from balancer.types import BalancePlan, Policy, State, Vector

TOO_LITTLE = 0.25  # of the even share
NEAR = 0.97
SILENT_EXPOSURE = 28.0  # throttle-days without one impression
REASONS = ("held", "pinned", "over_threshold", "waiting_turn", "not_landed", "unreachable",
           "cap", "inventory", "delivery_floor", "ramp", "thin")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Starved:
    """``expected`` impressions per day against the ``even`` share; ``reason`` is one of REASONS."""

    account: str
    reason: str
    expected: float
    even: float


def starved(state: State, plan: BalancePlan, policy: Policy) -> tuple[Starved, ...]:
    """Every account planned below a quarter of the even share, in account order, with exactly one reason.

    held            the marketer said so                 pinned       fixed at this number
    over_threshold  excluded by a threshold              waiting_turn excluded until its turn, or too loud
    not_landed      on no list yet                       unreachable  four weeks in reach, no impression
    cap             the policy's own cap                 inventory    takes all that was ever seen to exist
    delivery_floor  more would cost too many impressions ramp         throttle is still being opened
    thin            so little natural traffic that the largest throttle does not lift it
    """
    n = len(state.accounts)
    even = state.baseline / max(n, 1)
    expected = np.where(plan.band >= 0, plan.target, 0.0)
    low = np.flatnonzero(expected < TOO_LITTLE * even)
    code = _codes(state, plan, policy)
    return tuple(
        Starved(state.accounts[i], REASONS[int(code[i])], float(expected[i]), even) for i in low.tolist()
    )


def _codes(state: State, plan: BalancePlan, policy: Policy) -> NDArray[np.int64]:
    n = len(state.accounts)
    checks: list[tuple[str, NDArray[np.bool_]]] = [
        ("held", _members_of(state, policy.held)),
        ("pinned", _members_of(state, frozenset(policy.pins))),
        ("over_threshold", (plan.band < 0) & (plan.mode == "threshold")),
        ("waiting_turn", (plan.band < 0) & (_rests(plan) | (plan.mode == "duty"))),
        ("not_landed", plan.band < 0),
    ]
    if "seen" in plan.memory:
        checks += _learned(state, plan, policy)
    matched = np.array([flag for _, flag in checks])
    numbers = np.array([REASONS.index(name) for name, _ in checks])
    return np.where(matched.any(axis=0), numbers[matched.argmax(axis=0)], np.full(n, REASONS.index("thin")))


def _rests(plan: BalancePlan) -> NDArray[np.bool_]:
    return np.asarray(plan.memory.get("rests", np.zeros(plan.band.size)), dtype=np.bool_)


def _learned(state: State, plan: BalancePlan, policy: Policy) -> list[tuple[str, NDArray[np.bool_]]]:
    memory = recall(_with(state, plan), policy, plan.budgets.size)
    rate = rates(memory.evidence, prior_rates(state))
    rate = rate * (state.baseline / max(float(rate.sum()), 1e-300))
    days = float(policy.window_days)
    asked = limits_from_policy(
        _countable(policy, state),
        total=state.baseline * days,
        members=state.members,
        tier=state.tier,
        accounts=state.accounts,
        clicks_per_impression=state.click_rate,
        cost_per_impression=state.cost,
    )
    binding = any(status.code == "floor_binding" for status in plan.statuses)
    high: Vector = (memory.reach[1] if binding else memory.lift[0]) * rate
    open_ = bool(memory.lift[0] < policy.max_throttle * NEAR)
    return [
        ("unreachable", (memory.seen <= 0.0) & (memory.exposure >= SILENT_EXPOSURE)),
        ("cap", plan.target >= NEAR * asked.cap / days),
        ("inventory", plan.target >= NEAR * NEAR * memory.room),
        ("delivery_floor", (plan.target >= NEAR * high) & binding),
        ("ramp", (plan.target >= NEAR * high) & open_),
    ]


def _with(state: State, plan: BalancePlan) -> State:
    return replace(state, memory=plan.memory)


def _countable(policy: Policy, state: State) -> Policy:
    """The policy without limits on clicks or money where nobody knows what an impression brings or costs."""
    if policy.click_cap is not None and state.click_rate is None:
        policy = replace(policy, click_cap=None)
    return replace(policy, spend_cap=None) if policy.spend_cap is not None and state.cost is None else policy


def _members_of(state: State, names: frozenset[str]) -> NDArray[np.bool_]:
    if not names:
        return np.zeros(len(state.accounts), dtype=np.bool_)
    return np.fromiter(
        (account in names for account in state.accounts), dtype=np.bool_, count=len(state.accounts)
    )
