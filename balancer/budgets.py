"""The money of each band for the membership that is really in force.

Splits one budget; it moves no account, and never hands out more or less than the budget.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from balancer.memory import Memory
from balancer.outlook import Outlook
from balancer.sums import by_band, pieces_by_band
from balancer.types import Policy, State, Vector

Band = NDArray[np.int8]
USABLE = 0.965  # of what a band was seen to take: money it may not spend is worth more in another band
DOUBT = 0.3  # of the capacity of a band of newcomers
KNOWN = 0.3  # of a band's rate must have been seen full before its money is limited


def money(state: State, policy: Policy, memory: Memory, view: Outlook, band: Band) -> Vector:
    """(K,) money per day for the membership in force; it sums to the budget.

    A band gets what its members want at the price of its throttle, never more than it was seen to
    take; what a full band cannot use goes to the others.
    """
    k = memory.centre.size
    if state.budget <= 0.0:
        return np.zeros(k)
    force = state.landed if policy.actuation_delay > 0 and (state.landed >= 0).any() else band
    # a starved account's credit cannot be repaid: it already takes everything there is
    target, want = view.goal.target, view.want
    sums = pieces_by_band(force, lambda at: np.where(view.starved[at], target[at], want[at]), k)
    mass = by_band(force, view.rate, k)
    price = view.law.each(np.divide(sums, mass, out=np.ones(k), where=mass > 0.0))
    cost = sums * price
    aimed = float(by_band(force, target, k).sum()) * view.law.unit
    total = float(cost.sum()) if view.law.eps > 0.0 else aimed
    proved = state.day - (policy.report_delay + policy.actuation_delay + 2)
    share = _within(cost, _capacity(force, memory, view.rate, proved, k) * price, total)
    if share.sum() <= 0.0:
        share = by_band(force, np.ones(force.size), k)
    return np.asarray(state.budget * share / max(float(share.sum()), 1e-300))


def _capacity(force: Band, memory: Memory, rate: Vector, proved: int, k: int) -> Vector:
    """(K,) impressions per day each band takes; members never seen full are judged by those that were.

    What accounts took together elsewhere was shared out by belief; until they have been seen full in
    their new company (who moved after the day ``proved``), a part of it is kept back.
    """
    room, moved = memory.room, memory.moved
    taken = pieces_by_band(force, lambda at: np.where(np.isfinite(room[at]), room[at], 0.0), k)
    mass = pieces_by_band(force, lambda at: np.where(np.isfinite(room[at]), rate[at], 0.0), k)
    fresh = pieces_by_band(force, lambda at: np.where(moved[at] > proved, rate[at], 0.0), k)
    everyone = np.maximum(by_band(force, rate, k), 1e-300)
    caution = 1.0 - DOUBT * fresh / everyone
    enough = (mass >= KNOWN * everyone) & (mass > 0.0)
    return np.where(enough, USABLE * caution * taken * everyone / np.maximum(mass, 1e-300), np.inf)


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
