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
from balancer.affordable import Reach, affordable
from balancer.canon import inputs_hash
from balancer.forecast import expected_shares
from balancer.levels import cut, nearest
from balancer.memory import ABSORBED, FIRST, RAMPED, REBANDED, Memory, recall
from balancer.moves import explain
from balancer.price import PriceLaw, price_law
from balancer.study import current_rates, study, usual_budget
from balancer.targets import Goal, daily_goal
from balancer.types import BalancePlan, Policy, State, Status, Vector

Band = NDArray[np.int8]
AIM = 0.975  # of what was seen to be taken at the most: the rest is the day-to-day noise of inventory
STARVED = 0.97  # of the largest throttle: the account takes all it can get
LEAST = 0.1  # of the target: what an account is served at least, however much it got before
KNOWN = 0.3  # of a band's rate must have been seen full before its money is limited
SMALL = 500  # accounts; fewer cannot fill four usable audiences


@dataclass(frozen=True, eq=False)
class Outlook:
    """What is believed this morning: ``rate`` (n,), the price law, the reach the money allows, the goal."""

    rate: Vector
    law: PriceLaw
    reach: Reach
    goal: Goal
    want: Vector  # (n,) impressions per day, goal corrected by a part of the credit
    starved: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Bands:
    """``propose(state, policy) -> BalancePlan`` for mode "bands"."""

    def propose(self, state: State, policy: Policy) -> BalancePlan:
        """Plan ``state.day``: the membership to command and the money of each band.

        Bands are numbered by rising throttle: 0 holds the most held back, K-1 the starved.
        """
        memory = recall(state, policy, band_count(len(state.accounts), policy))
        unfit = guards.unfit_data(state, policy, memory.at(ABSORBED), memory.at(FIRST))
        if unfit is not None:
            return frozen(state, policy, memory, unfit)
        memory, shocked = study(state, policy, memory)
        view = outlook(state, policy, memory)
        wanted, memory = membership(state, policy, memory, view, shocked)
        band = guards.merge_small(wanted, state.members, memory.centre.size, policy.minimum_members)
        band = guards.held_out(band, state, policy)
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
                state, policy, band, wanted=wanted, shocked=shocked, rate=view.rate, want=view.want
            ),
            statuses=_statuses(view),
            forecast=expected_shares(view.goal.target, view.rate, band, budgets, view.law, state.baseline),
            memory=memory.as_mapping(),
            inputs_hash=inputs_hash(state, policy),
        )


def band_count(n: int, policy: Policy) -> int:
    """Campaigns to use: small segments cannot fill four with usable audiences."""
    return max(1, min(policy.bands, 3 if n < SMALL else policy.bands))


def outlook(state: State, policy: Policy, memory: Memory) -> Outlook:
    """Rates, price and the target they allow."""
    rate = current_rates(state, memory)
    law = price_law(memory.price, default=state.budget / max(state.baseline, 1e-300))
    most = float(memory.lift[0])
    reach = Reach(0.0, most, np.inf, binding=False)
    total, least = state.baseline, None
    if law.eps > 0.0:
        reach = _reach(state, policy, memory, rate, law)
        total, least = min(state.baseline, float(reach.of(rate).sum())), reach.low * rate
    inventory = np.minimum(reach.high * rate, AIM * memory.room)
    goal = daily_goal(state, policy, inventory, total=total, least=least, cost=law.unit)
    want = np.maximum(goal.target + policy.gain * memory.credit, LEAST * goal.target)
    starved = goal.target >= STARVED * inventory
    return Outlook(rate, law, reach, goal, want, starved)


def _reach(state: State, policy: Policy, memory: Memory, rate: Vector, law: PriceLaw) -> Reach:
    """What the money allows under this price; solved again on the days the floor is corrected."""
    low, high, level, binding = memory.reach.tolist()
    if high > 0.0 and memory.at(RAMPED) != state.day:
        return Reach(low, high, level, binding > 0.0)
    floor = min(1.0, policy.impression_floor + float(memory.trim[0])) * state.baseline
    cash = usual_budget(memory, state.budget)
    most = float(memory.lift[0])
    return affordable(rate, law, money=cash, floor=floor, most=most, top=top_size(rate.size))


def top_size(n: int) -> int:
    """The hundred of the headline figure; a twenty-fifth of a small segment."""
    return 100 if n >= 1_000 else max(1, round(n / 25))


def membership(
    state: State, policy: Policy, memory: Memory, view: Outlook, shocked: NDArray[np.bool_]
) -> tuple[Band, Memory]:
    """The wanted band of every account: weekly for all, at once for newcomers and the misjudged."""
    k = memory.centre.size
    want = np.log(np.maximum(view.want, 1e-12) / view.rate)
    first = bool((state.band < 0).all())
    due = first or state.day - memory.at(REBANDED) >= policy.reband_days
    if due:
        level = cut(want, view.goal.target, view.starved, k=k, ceiling=float(np.log(view.reach.high)))
        memory = replace(memory, centre=level).ticked(rebanded=state.day)
    level = memory.centre
    ideal = np.where(view.starved, np.int8(k - 1), nearest(want, level)).astype(np.int8)
    here = np.where(state.band >= 0, state.band, 0)
    gain = np.abs(want - level[here]) - np.abs(want - level[ideal])
    gain = np.where(view.starved & (here < k - 1), np.maximum(gain, want - level[here]), gain)
    free = due & (gain > policy.hysteresis) & guards.rested(memory.moved, state.day, policy.dwell_days)
    free |= (state.band < 0) | (shocked & (ideal < here))
    band = np.where(free, ideal, state.band).astype(np.int8)
    urgency = np.where(shocked, np.inf, np.abs(want - level[here]))
    limit = None if first else policy.operations_per_day
    return guards.within_churn(state.band, band, urgency, limit), memory


def money(state: State, policy: Policy, memory: Memory, view: Outlook, band: Band) -> Vector:
    """(K,) money per day for the membership in force; it sums to the budget.

    A band gets what its members want at the price of its throttle, never more than it was seen to
    take; what a full band cannot use goes to the others.
    """
    k = memory.centre.size
    force = state.landed if policy.actuation_delay > 0 and (state.landed >= 0).any() else band
    placed = force >= 0
    home = force[placed]
    # a starved account's credit cannot be repaid: it already takes everything there is
    wanted = np.where(view.starved, view.goal.target, view.want)[placed]
    sums = np.bincount(home, weights=wanted, minlength=k)[:k]
    mass = np.bincount(home, weights=view.rate[placed], minlength=k)[:k]
    price = view.law.each(np.divide(sums, mass, out=np.ones(k), where=mass > 0.0))
    total = (
        float(view.goal.target[placed].sum()) * view.law.unit
        if view.law.eps == 0.0
        else float((sums * price).sum())
    )
    full = _capacity(memory.room[placed], view.rate[placed], home, k) * price
    share = _within(sums * price, full, total)
    if share.sum() <= 0.0:
        share = np.bincount(home, minlength=k)[:k].astype(np.float64)
    return np.asarray(state.budget * share / max(float(share.sum()), 1e-300))


def _capacity(room: Vector, rate: Vector, home: Band, k: int) -> Vector:
    """(K,) impressions per day each band takes; members never seen full are judged by those that were."""
    known = np.isfinite(room)
    taken = np.bincount(home[known], weights=room[known], minlength=k)[:k]
    mass = np.bincount(home[known], weights=rate[known], minlength=k)[:k]
    everyone = np.bincount(home, weights=rate, minlength=k)[:k]
    enough = mass >= KNOWN * everyone
    return np.where(enough & (mass > 0.0), AIM * taken * everyone / np.maximum(mass, 1e-300), np.inf)


def _within(share: Vector, most: Vector, total: float) -> Vector:
    """Scale ``share`` to ``total`` without pushing the last band, or any full one, above what it takes."""
    share = np.minimum(share, most)
    fixed = np.zeros(share.size, dtype=np.bool_)
    if share.size > 1 and share[:-1].sum() > 0.0:
        fixed[-1] = share[-1] < 0.97 * total
    for _ in range(share.size):
        rest = total - float(share[fixed].sum())
        free = float(share[~fixed].sum())
        if free <= 0.0 or rest <= 0.0:
            break
        share = np.where(fixed, share, share * (rest / free))
        over = ~fixed & (share > most)
        if not over.any() or (over | fixed).all():
            break
        share, fixed = np.where(over, most, share), fixed | over
    return share


def frozen(state: State, policy: Policy, memory: Memory, status: Status, mode: str = "bands") -> BalancePlan:
    """Change nothing: the same membership, the money as the last target had it."""
    k = memory.centre.size
    force = state.landed if (state.landed >= 0).any() else state.band
    placed = force >= 0
    share = np.bincount(force[placed], weights=memory.target[placed] + 1e-12, minlength=k)[:k]
    share = share if share.sum() > 0.0 else np.ones(k)
    return BalancePlan(
        day=state.day,
        mode=mode,
        accounts=state.accounts,
        target=memory.target,
        band=state.band.copy(),
        budgets=np.asarray(state.budget * share / share.sum()),
        moves=(),
        statuses=(status,),
        forecast={},
        memory=memory.as_mapping(),
        inputs_hash=inputs_hash(state, policy),
    )


def _statuses(view: Outlook) -> tuple[Status, ...]:
    found = view.goal.statuses
    if view.reach.binding:
        found = (*found, Status("floor_binding", view.reach.high, "impressions"))
    return found or (Status("ok"),)
