"""What evenness costs, before anything is switched on.

Shares against impressions: never a promise, always a curve with the point where
the user's delivery floor stops it. Three readings of the market: flat price
(what caps demand of everybody else), a power price (measured on line: ``elasticity``), and any
cost curve (``frontier_static``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from balancer.allocate import water_fill
from balancer.errors import BadNumbers
from balancer.types import Vector

DEPTHS = 40  # caps tried between "none" and "even"


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a frontier.

    share     of the top N, over what is delivered
    delivery  impressions as a fraction of today's at the same money
    throttle  pressure on the accounts below the cap, 1 = today's
    cap       impressions per account, inf = none
    """

    share: float
    delivery: float
    throttle: float
    cap: float


def throttle_for_cap(rates: Vector, *, cap: float, inventory: Vector | None = None) -> float:
    """How hard all other accounts must be pushed when nobody may have more than ``cap``.

    rates      (n,) impressions today; their sum is to be kept
    inventory  (n,) most impressions available, None = unlimited
    The p with ``sum min(cap, inventory, p rates) = sum rates``; inf when nothing that high exists.
    """
    most = np.full(rates.size, cap) if inventory is None else np.minimum(inventory, cap)
    filled = water_fill(float(rates.sum()), weight=rates, floor=0.0, cap=most)
    return float("inf") if filled.statuses else filled.level


def cap_for_share(rates: Vector, *, share: float, top: int, inventory: Vector | None = None) -> Point:
    """The loosest cap that brings the top-N share to ``share``, with the throttle it demands.

    Where no cap does, the point of the most even allocation there is (its share is above ``share``).
    """
    total = float(rates.sum())
    most = np.full(rates.size, np.inf) if inventory is None else inventory
    even = water_fill(total, weight=1.0, floor=0.0, cap=most)
    low, high = even.level, float(rates.max())
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if _capped_share(rates, middle, most, top) <= share else (low, middle)
    pressure = throttle_for_cap(rates, cap=low, inventory=inventory)
    return Point(_capped_share(rates, low, most, top), 1.0, pressure, low)


def _capped_share(rates: Vector, cap: float, inventory: Vector, top: int) -> float:
    x = water_fill(float(rates.sum()), weight=rates, floor=0.0, cap=np.minimum(inventory, cap)).target
    return top_share(x, top)


def oracle_share(rates: Vector, *, top: int, inventory: Vector) -> float:
    """The smallest top-N share any delivery of today's impressions can have, given inventory."""
    return top_share(water_fill(float(rates.sum()), weight=1.0, floor=0.0, cap=inventory).target, top)


def power_frontier(
    rates: Vector, *, elasticity: float, top: int, inventory: Vector | None = None, depths: int = DEPTHS
) -> tuple[Point, ...]:
    """Share against impressions at today's money, when an impression costs ``throttle ** elasticity``.

    rates       (n,) impressions today, at throttle 1 and price 1
    elasticity  >= 0; 0 is a flat price

    Each account is its own band (throttle ``x / rate``), so a real system with a few bands lies
    slightly above this curve. First point: no cap; last: as even as inventory and money allow.
    """
    live = rates > 0.0
    a = rates[live]
    if a.size == 0:
        raise BadNumbers("No account has any impressions; there is nothing to trade.")
    u = np.full(a.size, np.inf) if inventory is None else np.maximum(inventory[live], a)
    # Below half the even share the money cannot be spent any more, whatever the price.
    caps = np.geomspace(float(a.max()), 0.5 * float(a.mean()), depths)
    money = float(a.sum())
    points = [_power_point(a, u, float(cap), elasticity, money, top) for cap in caps]
    best: list[Point] = []
    for point in points:
        if not best or point.share < best[-1].share - 1e-12:
            best.append(point)
    return tuple(best)


def _power_point(a: Vector, u: Vector, cap: float, elasticity: float, money: float, top: int) -> Point:
    most = np.minimum(u, cap)

    def spent(p: float) -> float:
        x = np.minimum(most, p * a)
        return float((x * (x / a) ** elasticity).sum())

    low, high = 0.0, float((most / a).max())
    if spent(high) > money:
        for _ in range(80):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if spent(middle) <= money else (low, middle)
    else:
        low = high
    x = np.minimum(most, low * a)
    return Point(top_share(x, top), float(x.sum()) / money, low, cap)


def furthest(points: Sequence[Point], *, floor: float) -> Point:
    """The most even point whose delivery is not under ``floor``; the first point where none is.

    Linear between the two points that enclose the floor.
    """
    ordered = sorted(points, key=lambda point: -point.share)
    for before, after in pairwise(ordered):
        if after.delivery < floor:
            if before.delivery <= floor:
                return before
            part = (before.delivery - floor) / (before.delivery - after.delivery)
            return Point(
                before.share + part * (after.share - before.share),
                floor,
                before.throttle + part * (after.throttle - before.throttle),
                before.cap + part * (after.cap - before.cap) if np.isfinite(before.cap) else after.cap,
            )
    return ordered[-1]


def cost_of_a_point(points: Sequence[Point], *, share: float) -> float:
    """Fraction of impressions that one further percentage point of top-N share costs at ``share``."""
    ordered = sorted(points, key=lambda point: -point.share)
    for before, after in pairwise(ordered):
        if after.share < share <= before.share + 1e-12:
            fall = (before.share - after.share) * 100.0
            return (before.delivery - after.delivery) / fall
    return float("nan")


def top_share(x: Vector, top: int) -> float:
    """Share of the ``top`` largest over the sum of ``x``; 0 where nothing was delivered."""
    total = float(x.sum())
    k = min(top, x.size)
    return float(np.partition(x, x.size - k)[x.size - k :].sum()) / total if total > 0.0 else 0.0
