"""How even the money can make it when pressure raises the price.

Picks bid levels; it never picks accounts, and never goes below the delivery floor.

Equal bids inside a group are cost-minimal, so the cheapest way to a level s is: starved accounts
at a high throttle, heavy ones at a low throttle, and a clamp at s between:
``x = max(low * a, min(s, high * a))``. Money fixes ``high``, the impression floor fixes ``s``,
and ``low`` is whatever gives the smallest top share.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from balancer.price import PriceLaw
from balancer.types import Vector

FINE, COARSE = 200, 240  # accounts kept one by one, and blocks for the rest
MONEY_STEPS, FLOOR_STEPS = 24, 14
MISSED = 0.15  # sd of the log of what an account takes over what it was aimed at, over a window
_NODES = np.linspace(-2.5, 2.5, 11)
SPREAD_AT = np.exp(MISSED * _NODES)
SPREAD_WEIGHT = np.exp(-(_NODES**2) / 2.0) / np.exp(-(_NODES**2) / 2.0).sum()
LOWS = (0.0, 0.2, 0.35, 0.5, 0.6, 0.7, 0.8, 0.88, 0.95)


@dataclass(frozen=True, slots=True)
class Reach:
    """``low`` and ``high`` throttles, clamp ``level`` (impressions per day); ``binding``: the floor binds."""

    low: float
    high: float
    level: float
    binding: bool

    def of(self, rate: Vector) -> Vector:
        """(n,) impressions per day at (n,) rates."""
        return np.asarray(np.maximum(self.low * rate, np.minimum(self.level, self.high * rate)))


def affordable(
    rate: Vector,
    law: PriceLaw,
    *,
    money: float,
    floor: float,
    most: float,
    top: int,
    cap: Vector | None = None,
) -> Reach:
    """The most even reach that ``money`` buys with at least ``floor`` impressions per day.

    rate (n,) > 0, most = largest throttle allowed, top = size of the group whose share is made small.
    cap (n,) impressions per day the policy allows at most. What a cap takes from the loud is bought
    elsewhere at a higher price; a reach that did not know would miss the floor and be pushed back.
    With a flat price this is plain evenness up to ``most`` and nothing binds.
    """
    sums = _Sums(*_blocks(rate, cap), law, money)
    even = sums.reach(0.0, most)
    if even is not None and sums.impressions(even) >= floor:
        return Reach(even.low, even.high, even.level, binding=False)
    best, share = Reach(1.0, sums.unclamped(1.0, most), np.inf, binding=True), np.inf
    for low in LOWS:
        got = sums.at_floor(low, floor, most)
        if got is not None and (value := sums.top_share(got, top)) < share:
            best, share = got, value
    return best


def _blocks(rate: Vector, cap: Vector | None) -> tuple[Vector, Vector, Vector]:
    """Block means of rate and cap, and sizes, largest first: the top accounts alone, the rest in growing blocks."""
    order = np.argsort(-rate, kind="stable") if cap is not None else None
    a = np.sort(rate)[::-1] if order is None else rate[order]
    fine = np.arange(min(FINE, a.size))
    rest = (
        np.unique(np.geomspace(FINE, a.size, COARSE).astype(np.int64))
        if a.size > FINE
        else np.array([a.size])
    )
    start = np.unique(np.concatenate([fine, rest[rest < a.size]]))
    size = np.diff(np.append(start, a.size)).astype(np.float64)
    limit = np.full(size.size, np.inf)
    if cap is not None:
        limit = np.add.reduceat(cap[order], start) / size
    return np.add.reduceat(a, start) / size, size, limit


class _Sums:
    """Cost and impressions of a reach over a weighted sample of rates, largest first."""

    def __init__(self, rate: Vector, scale: Vector, cap: Vector, law: PriceLaw, money: float) -> None:
        self.rate, self.scale, self.cap, self.law, self.money = rate, scale, cap, law, money

    def given(self, reach: Reach) -> Vector:
        return np.minimum(reach.of(self.rate), self.cap)

    def impressions(self, reach: Reach) -> float:
        return float((self.scale * self.given(reach)).sum())

    def cost(self, reach: Reach) -> float:
        x = self.given(reach)
        return float((self.scale * x * self.law.each(x / self.rate)).sum())

    def top_share(self, reach: Reach, top: int) -> float:
        """Share of the ``top`` largest once nobody hits its level exactly.

        Without the spread a clamp looks better than it is: drift and noise lift a hundred of those who
        were all aimed at one level above it.
        """
        x = np.outer(self.given(reach), SPREAD_AT).ravel()
        weight = np.outer(self.scale, SPREAD_WEIGHT).ravel()
        order = np.argsort(-x, kind="stable")
        x, weight = x[order], weight[order]
        inside = np.clip(top - (np.cumsum(weight) - weight), 0.0, weight)
        return float((inside * x).sum() / (weight * x).sum())

    def reach(self, low: float, high: float) -> Reach | None:
        """The clamp level that spends the money between two throttles; None when the lowest costs more."""
        least, most = float(low * self.rate.max()), float(high * self.rate.max())
        below, above = float(low * self.rate.min()), most
        if self.cost(Reach(low, high, below, True)) > self.money:
            return None
        for _ in range(MONEY_STEPS):
            level = (below + above) / 2.0
            if self.cost(Reach(low, high, level, True)) > self.money:
                above = level
            else:
                below = level
        return Reach(low, high, below, least <= below <= most)

    def at_floor(self, low: float, floor: float, most: float) -> Reach | None:
        """The largest high throttle that still brings ``floor`` impressions for the money."""
        below, above = self.unclamped(low, most), most
        first = self.reach(low, below * (1.0 + 1e-9))
        if first is None or self.impressions(first) < floor * (1.0 - 1e-6):
            return None
        best = first
        for _ in range(FLOOR_STEPS):
            middle = (below + above) / 2.0
            got = self.reach(low, middle)
            if got is not None and self.impressions(got) >= floor:
                below, best = middle, got
            else:
                above = middle
        return Reach(best.low, best.high, best.level, binding=True)

    def unclamped(self, low: float, most: float) -> float:
        """The high throttle that spends the money with no clamp; more than 1 where caps leave money over."""
        below, above = 1.0, most
        if self.cost(Reach(low, 1.0 + 1e-9, np.inf, True)) > self.money * (1.0 - 1e-9):
            return below
        for _ in range(MONEY_STEPS):
            middle = (below + above) / 2.0
            if self.cost(Reach(low, middle, np.inf, True)) > self.money:
                above = middle
            else:
                below = middle
        return below
