"""How the price of an impression answers to pressure, learned from exact campaign totals.

One power law per segment: price = c * p ** eps at throttle p. It fits what was
seen; it never decides how much evenness is worth (``affordable``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from balancer.types import Vector

FORGET = 0.95  # per day
PRIOR = 0.002  # weight of "no elasticity" against the spread of log throttles seen
STEEPEST = 3.0
NOTICED = 0.02  # a smaller elasticity is rounding of whole impressions


@dataclass(frozen=True, slots=True)
class PriceLaw:
    """``unit`` money per impression at throttle 1, ``eps`` >= 0 elasticity."""

    unit: float
    eps: float

    def each(self, throttle: Vector) -> Vector:
        """Money per impression at (n,) or (K,) throttles > 0."""
        return np.asarray(self.unit * np.maximum(throttle, 1e-9) ** self.eps)


def remember(sums: Vector, throttle: Vector, each: Vector, weight: Vector) -> Vector:
    """Add one day of campaigns to the (5,) weighted sums w, wx, wy, wxx, wxy of log throttle and log price.

    throttle, each, weight (K,); campaigns with weight 0 are left out. A day's weights are made to sum to 1.
    """
    use = (weight > 0.0) & (throttle > 0.0) & (each > 0.0)
    if not use.any():
        return sums
    w = weight[use] / weight[use].sum()
    x, y = np.log(throttle[use]), np.log(each[use])
    today = np.array([w.sum(), (w * x).sum(), (w * y).sum(), (w * x * x).sum(), (w * x * y).sum()])
    return np.asarray(FORGET * sums + today)


def price_law(sums: Vector, *, default: float) -> PriceLaw:
    """The fitted law; flat at ``default`` before anything was seen. It never falls; at most 3 steep."""
    w, x, y, xx, xy = sums
    if w <= 0.0:
        return PriceLaw(default, 0.0)
    variance = xx / w - (x / w) ** 2
    covariance = xy / w - (x / w) * (y / w)
    eps = float(np.clip(covariance / (max(variance, 0.0) + PRIOR), 0.0, STEEPEST))
    eps = eps if eps >= NOTICED else 0.0
    return PriceLaw(float(np.exp(y / w - eps * x / w)), eps)
