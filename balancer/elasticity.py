"""How much dearer an impression gets under pressure, from what the bands delivered and cost: with its uncertainty.

Compares bands within one day, so the day's traffic and the market's mood drop out. It
describes the past; how much evenness is worth is ``affordable``'s and the marketer's business.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from balancer.errors import BadNumbers
from balancer.student import t_quantile
from balancer.types import Vector

FEWEST_DAYS = 5  # with fewer the spread between days is not known
LEAST_SPREAD = 1e-3  # variance of the log throttles within days; less tells nothing


@dataclass(frozen=True, slots=True)
class PriceResponse:
    """An impression costs ``p ** elasticity`` times as much at ``p`` times the pressure; 95 % in [low, high]."""

    elasticity: float
    low: float
    high: float
    days: int


def price_response(throttle: Vector, each: Vector, weight: Vector) -> PriceResponse | None:
    """The least-squares slope of log price on log throttle within days, each day a cluster.

    throttle  (days, K) impressions over what the band's accounts draw by themselves; 0 = nothing delivered
    each      (days, K) money per impression
    weight    (days, K) impressions
    None with fewer than five days on which two bands delivered, or where all stood at the same throttle.
    Errors between days may have any size and correlation inside a day; the interval is Student's with
    days - 1 degrees of freedom. Raises BadNumbers for shapes that differ.
    """
    if not throttle.shape == each.shape == weight.shape or throttle.ndim != 2:
        raise BadNumbers("Throttles, prices and weights must be tables of days by bands, all of one shape.")
    use = (throttle > 0.0) & (each > 0.0) & (weight > 0.0)
    use &= (use.sum(axis=1) >= 2)[:, None]
    days = int(use.any(axis=1).sum())
    if days < FEWEST_DAYS:
        return None
    w = np.where(use, weight, 0.0)[use.any(axis=1)]
    w /= w.sum(axis=1, keepdims=True)
    x, y = (_within(np.log(np.where(use, v, 1.0))[use.any(axis=1)], w) for v in (throttle, each))
    spread = float((w * x * x).sum())
    if spread < LEAST_SPREAD * days:
        return None
    slope = float((w * x * y).sum()) / spread
    pull = (w * x * (y - slope * x)).sum(axis=1)
    error = float(np.sqrt((pull**2).sum() * days / (days - 1))) / spread
    wide = t_quantile(0.975, days - 1) * error
    return PriceResponse(slope, slope - wide, slope + wide, days)


def _within(values: Vector, weight: Vector) -> Vector:
    """Each day's values less their weighted mean."""
    return np.asarray(values - (weight * values).sum(axis=1, keepdims=True))
