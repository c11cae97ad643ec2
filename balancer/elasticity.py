"""How much dearer an impression gets under pressure, from what the bands delivered and cost: with its uncertainty.

Compares bands within one day, so the day's traffic and the market's mood drop out. It
describes the past; how much evenness is worth is ``affordable``'s and the marketer's business.

The pressure on a band is its impressions over what its accounts would draw by themselves, and the latter
is only believed. Such a belief may err for one band for weeks, which bends the comparison of bands with
each other: the sharper one, but it does not see that error. It does not bend the comparison of each band
with itself on other days, which is vaguer, and bent by beliefs that drift. So both are made, and the range
holds both: it is narrow only where they agree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from balancer.errors import BadNumbers
from balancer.student import t_quantile
from balancer.types import Vector

FEWEST_DAYS = 5  # with fewer the spread between days is not known
LEAST_SPREAD = 1e-3  # variance of the log throttles within days; less tells nothing
LEAST_CHANGE = 1e-6  # the same of each band over time, where the error says how little it tells


@dataclass(frozen=True, slots=True)
class PriceResponse:
    """An impression costs ``p ** elasticity`` times as much at ``p`` times the pressure; 95 % in [low, high]."""

    elasticity: float
    low: float
    high: float
    days: int


def price_response(throttle: Vector, each: Vector, weight: Vector) -> PriceResponse | None:
    """The elasticity of the price, by the bands among each other and by each band over time.

    throttle  (days, K) impressions over what the band's accounts draw by themselves; 0 = nothing delivered
    each      (days, K) money per impression
    weight    (days, K) impressions
    None with fewer than five days on which two bands delivered, or where all stood at the same throttle.
    ``elasticity`` is the first, or the end of the second's range that is nearest to it. Errors between days
    may have any size and correlation inside a day; both ranges are Student's with days - 1 degrees of
    freedom, [low, high] goes from the lower to the upper end of both. Raises BadNumbers for shapes that differ.
    """
    if not throttle.shape == each.shape == weight.shape or throttle.ndim != 2:
        raise BadNumbers("Throttles, prices and weights must be tables of days by bands, all of one shape.")
    use = (throttle > 0.0) & (each > 0.0) & (weight > 0.0)
    use &= (use.sum(axis=1) >= 2)[:, None]
    told = use.any(axis=1)
    days = int(told.sum())
    if days < FEWEST_DAYS:
        return None
    w = np.where(use, weight, 0.0)[told]
    w /= w.sum(axis=1, keepdims=True)
    x, y = (np.log(np.where(use, table, 1.0)[told]) for table in (throttle, each))
    among = _slope(_less_days(x, w), _less_days(y, w), w, least=LEAST_SPREAD)
    if among is None:
        return None
    ranges = [_range(*among, days)]
    point = among[0]
    over_time = _slope(_less_bands(x, w), _less_bands(y, w), w, least=LEAST_CHANGE)
    if over_time is not None:
        ranges.append(_range(*over_time, days))
        point = float(np.clip(point, *ranges[1]))
    return PriceResponse(point, min(low for low, _ in ranges), max(high for _, high in ranges), days)


def _range(slope: float, error: float, days: int) -> tuple[float, float]:
    """95 % of Student's distribution with days - 1 degrees of freedom."""
    wide = t_quantile(0.975, days - 1) * error
    return slope - wide, slope + wide


def _slope(x: Vector, y: Vector, w: Vector, *, least: float) -> tuple[float, float] | None:
    """Slope of (days, K) y on x and its standard error, each day a cluster; None where x varies less than ``least``."""
    spread, days = float((w * x * x).sum()), x.shape[0]
    if spread < least * days:
        return None
    slope = float((w * x * y).sum()) / spread
    pull = (w * x * (y - slope * x)).sum(axis=1)
    return slope, float(np.sqrt((pull**2).sum() * days / (days - 1))) / spread


def _less_days(values: Vector, weight: Vector) -> Vector:
    """Each day's values less their weighted mean."""
    return np.asarray(values - (weight * values).sum(axis=1, keepdims=True))


def _less_bands(values: Vector, weight: Vector) -> Vector:
    """What weighted means of the days and of the bands leave of the values."""
    days, k = values.shape
    root = np.sqrt(weight).ravel()
    means = np.hstack([np.kron(np.eye(days), np.ones((k, 1))), np.tile(np.eye(k), (days, 1))])
    found = np.linalg.lstsq(means * root[:, None], values.ravel() * root, rcond=None)[0]
    return np.asarray(values - (means @ found).reshape(days, k))
