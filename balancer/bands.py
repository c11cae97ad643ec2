"""The recommended controller: K campaigns with their own budgets.

Each band stands for one throttle. Budgets follow the membership that has landed, so money
is never given to accounts that are not there yet; inventory and price are learned from exact
campaign totals; membership changes weekly, with hysteresis. It is pure: the same State and
Policy give the same plan, and nothing is ever sent from here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from balancer import guards
from balancer.blocks import blocks
from balancer.budgets import money
from balancer.canon import inputs_hash
from balancer.checks import check_inputs
from balancer.forecast import expected_shares
from balancer.frozen import frozen
from balancer.levels import SAMPLE, cut, nearest
from balancer.memory import ABSORBED, FIRST, REBANDED, Memory, recall
from balancer.moves import explain
from balancer.outlook import Outlook, outlook
from balancer.resting import sits_out, still_out
from balancer.study import study
from balancer.types import UNPLACED, BalancePlan, Policy, State, Status, Vector

Band = NDArray[np.int8]
CLOSE = 0.5  # times the square of the smallest distance between two levels: close levels forgive a wrong move
SMALL = 500  # accounts; fewer cannot fill four usable audiences


@dataclass(frozen=True, slots=True)
class Bands:
    """``propose(state, policy) -> BalancePlan`` for mode "bands"."""

    def propose(self, state: State, policy: Policy) -> BalancePlan:
        """Plan ``state.day``: the membership to command and the money of each band.

        Bands are numbered by rising throttle: 0 holds the most held back, K-1 the starved.
        Raises BadNumbers for inputs that cannot be true, ImpossibleCap for a cap nobody can keep.
        """
        check_inputs(state, policy)
        k = band_count(len(state.accounts), policy)
        memory = recall(state, policy, k)
        unfit = guards.unfit_data(state, policy, memory.at(ABSORBED), memory.at(FIRST))
        if unfit is not None:
            return frozen(state, policy, memory, unfit, mode="bands")
        fingerprint = inputs_hash(state, policy)  # first, while little else is held
        asked, state = state, _within(state, k)
        memory, shocked = study(state, policy, memory)
        view = outlook(state, policy, memory)
        wanted, memory = membership(state, policy, memory, view, shocked)
        band = guards.merge_small(wanted, state.members, k, policy.minimum_members)
        band = guards.held_out(band, state, policy)
        back = memory.rests & (band >= 0)
        memory = replace(memory, rests=wanted < 0)
        budgets = money(state, policy, memory, view, band)
        moved = np.where(band != state.band, state.day, memory.moved).astype(np.int32)
        reach = np.array([view.reach.low, view.reach.high, view.reach.level, float(view.reach.binding)])
        kept = reach if view.law.eps > 0.0 else np.zeros(4)
        memory = replace(memory, target=view.goal.target, moved=moved, reach=kept).ticked(planned=state.day)
        return BalancePlan(
            day=state.day,
            mode="bands",
            accounts=state.accounts,
            target=view.goal.target,
            band=band,
            budgets=budgets,
            moves=explain(
                asked, policy, band, wanted=wanted, shocked=shocked, back=back, rate=view.rate, want=view.want
            ),
            statuses=_statuses(view),
            forecast=expected_shares(view.goal.target, view.rate, band, budgets, view.law, state.baseline),
            memory=memory.as_mapping(),
            inputs_hash=fingerprint,
        )


def _within(state: State, k: int) -> State:
    """The same morning with bands that no longer exist (fewer were asked for) read as no band."""
    if not ((state.band >= k) | (state.landed >= k)).any():
        return state
    band = np.where(state.band < k, state.band, UNPLACED).astype(np.int8)
    landed = np.where(state.landed < k, state.landed, UNPLACED).astype(np.int8)
    return replace(state, band=band, landed=landed)


def band_count(n: int, policy: Policy) -> int:
    """Campaigns to use: small segments cannot fill four with usable audiences."""
    return max(1, min(policy.bands, 3 if n < SMALL else policy.bands))


def membership(
    state: State, policy: Policy, memory: Memory, view: Outlook, shocked: NDArray[np.bool_]
) -> tuple[Band, Memory]:
    """The wanted band of every account: weekly for all, at once for newcomers, the misjudged and the loudest.

    UNPLACED is wanted for those who sit out.
    """
    first = bool((state.band < 0).all())
    due = first or state.day - memory.at(REBANDED) >= policy.reband_days
    if due:
        memory = replace(memory, centre=_levels(memory.centre.size, view)).ticked(rebanded=state.day)
    level = memory.centre
    band = state.band.copy()
    for at in blocks(band.size) if due else ():
        rested = guards.rested(memory.moved[at], state.day, policy.dwell_days)
        band[at] = _sorted(state.band[at], _throttle(view, at), view.starved[at], rested, level, policy)
    loose = (state.band < 0) | shocked
    loose[still_out(state, policy, memory, view)] = False
    placed = np.flatnonzero(loose)
    ideal = _ideal(_throttle(view, placed), view.starved[placed], level)
    band[placed] = np.where((state.band[placed] < 0) | (ideal < state.band[placed]), ideal, band[placed])
    band[sits_out(state, policy, memory, view, band)] = UNPLACED
    if first or policy.operations_per_day is None:
        return band, memory
    off = np.abs(_throttle(view, slice(None)) - level[np.where(state.band >= 0, state.band, 0)])
    urgency = np.where(shocked, np.inf, off)
    return guards.within_churn(state.band, band, urgency, policy.operations_per_day), memory


def _levels(k: int, view: Outlook) -> Vector:
    """(k,) log throttles by the targets alone: with the credit they would swing with everybody's last week."""
    some = slice(None, None, max(1, view.rate.size // SAMPLE))
    aim = np.maximum(view.goal.target[some], 1e-12)
    ceiling = float(np.log(view.reach.high))
    return cut(np.log(aim / view.rate[some]), aim, view.starved[some], k=k, ceiling=ceiling)


def _throttle(view: Outlook, rows: slice | NDArray[np.int64]) -> Vector:
    """Log throttle that the accounts of ``rows`` should have today."""
    return np.asarray(np.log(np.maximum(view.want[rows], 1e-12) / view.rate[rows]))


def _ideal(want: Vector, starved: NDArray[np.bool_], level: Vector) -> Band:
    return np.where(starved, np.int8(level.size - 1), nearest(want, level)).astype(np.int8)


def _sorted(
    band: Band,
    want: Vector,
    starved: NDArray[np.bool_],
    rested: NDArray[np.bool_],
    level: Vector,
    policy: Policy,
) -> Band:
    """Who moves on a re-banding day: those for whom another band is closer by more than the hysteresis."""
    ideal = _ideal(want, starved, level)
    here = np.where(band >= 0, band, 0)
    rested = rested & (band >= 0)
    gain = np.abs(want - level[here]) - np.abs(want - level[ideal])
    gain = np.where(starved & (here < level.size - 1), np.maximum(gain, want - level[here]), gain)
    return np.where((gain > _hysteresis(level, policy)) & rested, ideal, band).astype(np.int8)


def _hysteresis(level: Vector, policy: Policy) -> float:
    """Log units a move must gain: the policy's, or less where the levels themselves are closer than that."""
    gaps = np.diff(level[:-1])
    return min(policy.hysteresis, CLOSE * float(gaps.min()) ** 2) if gaps.size else policy.hysteresis


def _statuses(view: Outlook) -> tuple[Status, ...]:
    found = view.goal.statuses
    if view.reach.binding:
        found = (*found, Status("floor_binding", view.reach.high, "impressions"))
    return found or (Status("ok"),)
