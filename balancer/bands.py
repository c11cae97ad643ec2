"""The recommended controller: K campaigns with their own budgets.

Each band stands for one throttle. Budgets follow the membership that has landed,
so money is never given to accounts that are not there yet; inventory is learned
per band from its exact spend; membership changes weekly, with hysteresis.
Pure: the same State and Policy give the same plan.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from balancer import guards
from balancer.canon import inputs_hash
from balancer.forecast import expected_shares
from balancer.levels import centres, nearest
from balancer.memory import recall
from balancer.rates import rates
from balancer.study import prior_rates, study
from balancer.targets import daily_goal
from balancer.types import BalancePlan, Policy, State, Status

Band = NDArray[np.int8]
FIRST, ABSORBED, REBANDED, RAMPED, PLANNED = range(5)


@dataclass(frozen=True, slots=True)
class Bands:
    """``propose(state, policy) -> BalancePlan`` for mode "bands"."""

    def propose(self, state: State, policy: Policy) -> BalancePlan:
        """Plan ``state.day``: membership to command today, budgets for tomorrow."""
        k = band_count(len(state.accounts), policy)
        memory = recall(state, policy, k)
        unfit = guards.unfit_data(state, policy, int(memory.clock[ABSORBED]), int(memory.clock[FIRST]))
        if unfit is not None:
            return _frozen(state, policy, memory, k, unfit)
        memory, shocked = study(state, policy, memory)
        rate = rates(memory.evidence, prior_rates(state))
        rate *= state.baseline / max(float(rate.sum()), 1e-300)
        goal = _goal(state, policy, memory, rate)
        band, memory = _membership(state, policy, memory, rate, goal.target, shocked, k)
        budgets = _budgets(state, policy, band, goal.target, k)
        clock = memory.clock.copy()
        clock[PLANNED] = state.day
        memory = replace(memory, target=goal.target, clock=clock)
        return BalancePlan(
            day=state.day,
            mode="bands",
            accounts=state.accounts,
            target=goal.target,
            band=band,
            budgets=budgets,
            moves=_moves(state, policy, band, shocked, rate, goal.target),
            statuses=goal.statuses or (Status("ok"),),
            forecast=expected_shares(
                goal.target, rate, band, budgets / max(state.budget, 1e-300), state.baseline
            ),
            memory=memory.as_mapping(),
            inputs_hash=inputs_hash(state, policy),
        )


def band_count(n: int, policy: Policy) -> int:
    """Campaigns to use: small segments cannot fill four with usable audiences."""
    return max(1, min(policy.bands, 3 if n < 500 else policy.bands))


def _goal(state, policy, memory, rate):
    home = np.where(state.band >= 0, state.band, 0)
    lift = float(memory.lift[0])
    limit = np.where(state.band >= 0, memory.limit[home], np.inf)
    return daily_goal(state, policy, np.minimum(lift, limit) * rate)


def _membership(state, policy, memory, rate, target, shocked, k):
    want = np.log(np.maximum(target + policy.gain * memory.credit, 0.02 * rate) / rate)
    first = bool((state.band < 0).all())
    due = first or state.day - int(memory.clock[REBANDED]) >= policy.reband_days
    centre = memory.centre
    band = state.band.copy()
    clock = memory.clock.copy()
    if due:
        centre = centres(np.log(np.maximum(target, 1e-9 * rate) / rate), target, k)
        ideal = nearest(want, centre)
        here = np.where(band >= 0, band, 0)
        better = np.abs(want - centre[here]) - np.abs(want - centre[ideal])
        free = (band < 0) | (
            (better > policy.hysteresis) & guards.rested(memory.moved, state.day, policy.dwell_days)
        )
        band = np.where(free, ideal, band).astype(np.int8)
        clock[REBANDED] = state.day
    else:
        band = np.where((band < 0), nearest(want, centre), band).astype(np.int8)
    band = np.where(shocked, np.minimum(band, nearest(want, centre)), band).astype(np.int8)
    urgency = np.abs(want - centre[np.where(state.band >= 0, state.band, 0)]) + 100.0 * shocked
    band = guards.within_churn(state.band, band, urgency, None if first else policy.operations_per_day)
    band = guards.merge_small(band, state.members, k, policy.minimum_members)
    band = guards.held_out(band, state, policy)
    moved = np.where(band != state.band, state.day, memory.moved).astype(np.int32)
    return band, replace(memory, centre=centre, clock=clock, moved=moved)


def _budgets(state, policy, band, target, k):
    force = state.landed if (state.landed >= 0).any() and policy.actuation_delay > 0 else band
    placed = force >= 0
    share = np.bincount(force[placed], weights=target[placed], minlength=k)[:k]
    if share.sum() <= 0.0:
        share = np.bincount(force[placed], minlength=k)[:k].astype(np.float64)
    return state.budget * share / max(share.sum(), 1e-300)


def _moves(state, policy, band, shocked, rate, target):
    return ()


def _frozen(state, policy, memory, k, status):
    budgets = _budgets(state, policy, state.band, np.maximum(memory.target, 1e-12), k)
    return BalancePlan(
        day=state.day,
        mode="bands",
        accounts=state.accounts,
        target=memory.target,
        band=state.band.copy(),
        budgets=budgets,
        moves=(),
        statuses=(status,),
        forecast={},
        memory=memory.as_mapping(),
        inputs_hash=inputs_hash(state, policy),
    )
