"""The exact static frontier: the least concentrated delivery that a sum of money can buy.

Works on any convex cost curves; knows no plant and no controller. It is what a
controller with one bid per account and full knowledge could reach, so a real
one is judged by its distance from it.

Minimise ``k s + sum (x - s)_+`` (the top-k sum) subject to ``sum cost(x) <= money`` and
``sum x >= least``. By its KKT conditions an account below the level s is bid for
at b, one above it at a lower b', and in between it is held at s:
``x_i = max(x_i(b'), min(s, x_i(b)))``. The value is convex in s, so a golden section
over s with b' and b from the two constraints is the whole search.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from balancer.errors import BadNumbers
from balancer.frontier import Point, top_share
from balancer.types import Vector

Table = NDArray[np.float64]
GOLDEN = (5.0**0.5 - 1.0) / 2.0
STEPS, HALVINGS = 40, 40
ROUNDING = 1e-9


@dataclass(frozen=True, eq=False, slots=True)
class CostCurves:
    """What each bid buys from each account, linear between the bids.

    bid          (g,) rising, from 0
    impressions  (g, n) never falling along g
    cost         (g, n) money; marginal cost per impression must not fall along g
    """

    bid: Vector
    impressions: Table
    cost: Table


@dataclass(frozen=True, eq=False, slots=True)
class StaticOptimum:
    """The best delivery for the money: ``x`` (n,), the two bids and the level between them."""

    x: Vector
    spend: float
    share: float
    low_bid: float
    high_bid: float
    level: float


def cost_curves(response: Callable[[Vector], tuple[Vector, Vector]], *, n: int, bids: Vector) -> CostCurves:
    """Tabulate ``response(bid (n,))``, impressions and mean price (n,), at ``bids`` (g,), rising, > 0."""
    rows = [response(np.full(n, bid)) for bid in bids]
    nothing = np.zeros((1, n))
    return CostCurves(
        np.concatenate([[0.0], bids]),
        np.concatenate([nothing, np.array([x for x, _ in rows])]),
        np.concatenate([nothing, np.array([x * each for x, each in rows])]),
    )


def best_static(curves: CostCurves, *, money: float, least: float, top: int) -> StaticOptimum | None:
    """The delivery with the smallest top-N sum that costs at most ``money`` and delivers ``least``.

    None where even equal bids for everybody, which buy the most impressions, deliver fewer.
    """
    if money <= 0.0 or least < 0.0 or top < 1:
        raise BadNumbers("The frontier needs money, a floor of 0 or more and a top of at least 1.")
    equal = _at_level(curves, float("inf"), money, least)
    if equal is None:
        return None
    low, high = 0.0, float(curves.impressions[-1].max())
    seen: list[StaticOptimum] = []

    def value(level: float) -> float:
        found = _at_level(curves, level, money, least)
        if found is None:
            return float("inf")
        seen.append(_with_share(found, top))
        return top * level + float(np.maximum(found.x - level, 0.0).sum())

    a, b = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_a, at_b = value(a), value(b)
    for _ in range(STEPS):
        if at_a <= at_b and np.isfinite(at_a):
            high, b, at_b = b, a, at_a
            a = high - GOLDEN * (high - low)
            at_a = value(a)
        else:  # a level too low to deliver ``least`` is worth infinity, so the search moves up
            low, a, at_a = a, b, at_b
            b = low + GOLDEN * (high - low)
            at_b = value(b)
    candidates = [_with_share(equal, top), *seen]
    return min(candidates, key=lambda optimum: optimum.share)


def static_frontier(
    curves: CostCurves, *, money: float, baseline: float, top: int, floors: Sequence[float]
) -> tuple[Point, ...]:
    """Equal bids first, then ``best_static`` at each floor, a fraction of ``baseline`` impressions.

    Floors that the money cannot buy are left out.
    """
    equal = _at_level(curves, float("inf"), money, 0.0)
    found = [best_static(curves, money=money, least=floor * baseline, top=top) for floor in floors]
    points = []
    for best in (equal, *found):
        if best is not None:
            share = top_share(best.x, top)
            points.append(Point(share, float(best.x.sum()) / baseline, best.high_bid, best.level))
    return tuple(points)


def _with_share(found: StaticOptimum, top: int) -> StaticOptimum:
    return StaticOptimum(
        found.x, found.spend, top_share(found.x, top), found.low_bid, found.high_bid, found.level
    )


def _at_level(curves: CostCurves, level: float, money: float, least: float) -> StaticOptimum | None:
    """For one level: the lowest b' that still delivers ``least`` once b has used up the money."""
    held, price = _held(curves, level)
    paid = price.sum(axis=1)
    least *= 1.0 - ROUNDING
    uniform = _spend_all(curves, held, price, paid, 0.0, level, money)
    if float(uniform.x.sum()) >= least:
        return uniform
    low, high = 0.0, float(curves.bid[-1])
    best = None
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        found = _spend_all(curves, held, price, paid, middle, level, money)
        if found.spend > money * (1.0 + ROUNDING) or found.high_bid < middle:
            high = middle  # beyond equal bids the money is gone
        elif float(found.x.sum()) >= least:
            best, high = found, middle
        else:
            low = middle
    return best


def _held(curves: CostCurves, level: float) -> tuple[Table, Table]:
    """Impressions and cost of every bid when nobody is bought beyond ``level``."""
    x, cost = curves.impressions, curves.cost
    over = x > level
    if not over.any():
        return x, cost
    last = np.maximum((~over).sum(axis=0) - 1, 0)
    column = np.arange(x.shape[1])
    after = np.minimum(last + 1, x.shape[0] - 1)
    width = np.maximum(x[after, column] - x[last, column], 1e-300)
    part = np.clip((level - x[last, column]) / width, 0.0, 1.0)
    at_level = cost[last, column] + part * (cost[after, column] - cost[last, column])
    return np.minimum(x, level), np.where(over, at_level, cost)


def _spend_all(
    curves: CostCurves,
    held: Table,
    price: Table,
    paid: Vector,
    low_bid: float,
    level: float,
    money: float,
) -> StaticOptimum:
    """Bid ``low_bid`` for everybody, and as much as the money allows for whoever is below the level."""
    heavy_x, heavy_cost = _at_bid(curves.bid, curves.impressions, curves.cost, low_bid)
    heavy = heavy_x > level
    spent = paid - price[:, heavy].sum(axis=1) + float(heavy_cost[heavy].sum())
    if spent[-1] <= money:
        high_bid = float(curves.bid[-1])
    else:
        at = max(int(np.searchsorted(spent, money, side="right")) - 1, 0)
        step = spent[at + 1] - spent[at]
        part = (money - spent[at]) / step if step > 0.0 else 0.0
        high_bid = float(curves.bid[at] + max(part, 0.0) * (curves.bid[at + 1] - curves.bid[at]))
    x, cost = _at_bid(curves.bid, held, price, high_bid)
    x, cost = np.where(heavy, heavy_x, x), np.where(heavy, heavy_cost, cost)
    return StaticOptimum(x, float(cost.sum()), 0.0, low_bid, high_bid, level)


def _at_bid(bids: Vector, x: Table, cost: Table, bid: float) -> tuple[Vector, Vector]:
    at = min(max(int(np.searchsorted(bids, bid, side="right")) - 1, 0), bids.size - 2)
    part = min(max((bid - bids[at]) / (bids[at + 1] - bids[at]), 0.0), 1.0)
    return x[at] + part * (x[at + 1] - x[at]), cost[at] + part * (cost[at + 1] - cost[at])
