"""Hard bounds of concentration figures when each account's count is only known to lie in an interval.

The set of possible truths is ``low <= x <= high`` with ``sum x`` in ``[mass_low,
mass_high]``. Every figure returned holds for *all* of them; where an end is not
attained it is too wide, never too narrow. No distribution is assumed
anywhere (``tails`` does that).

Lower ends of top-k, Gini and HHI come from the most even possibility, which is
water-filling with equal weights (one x is best for all of them). Upper ends:
top-k by Lagrangian duality, HHI by the secant of the square, Gini through the
whole Lorenz curve of top-k bounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from balancer.allocate import water_fill
from balancer.errors import InconsistentReport
from balancer.types import Bounded, Vector

PIECES = 16  # an uncertain mass is cut into this many parts, each bounded by itself
MIXES = np.linspace(0.0, 1.0, 9)  # multipliers tried for the upper top-k bound; every one is valid
ROUNDING = 1e-9


@dataclass(frozen=True, eq=False, slots=True)
class Box:
    """All truths a report allows: (n,) low, (n,) high and the range of their sum."""

    low: Vector
    high: Vector
    mass_low: float
    mass_high: float


def tightened(low: Vector, high: Vector, mass_low: float, mass_high: float) -> Box:
    """The same set of truths with every bound as tight as the mass allows.

    Nobody can hold more than the mass the others must leave, nor less than what
    the others cannot take. Raises InconsistentReport when no truth fits.
    """
    need, room = float(low.sum()), float(high.sum())
    slack = ROUNDING * max(mass_high, 1.0)
    if need > mass_high + slack or room < mass_low - slack or mass_low > mass_high + slack:
        raise InconsistentReport(
            f"The rows need between {need:.0f} and {room:.0f} impressions, "
            f"but the totals allow {mass_low:.0f} to {mass_high:.0f}."
        )
    mass_low, mass_high = max(mass_low, min(need, mass_high)), min(mass_high, max(room, mass_low))
    most = np.minimum(high, np.maximum(mass_high - (need - low), low))
    least = low if np.isinf(room) else np.maximum(low, np.minimum(mass_low - (room - high), most))
    return Box(least, most, mass_low, mass_high)


def top_sum(box: Box, k: int) -> tuple[float, float]:
    """Bounds of the sum of the k largest counts. The lower end is attained."""
    even = water_fill(box.mass_low, weight=1.0, floor=box.low, cap=box.high).target
    least = _largest(even, k)
    spare = box.mass_high - float(box.low.sum())
    most = min((1.0 - mix) * spare + _largest(mix * box.high + (1.0 - mix) * box.low, k) for mix in MIXES)
    return least, max(least, min(most, box.mass_high))


def _largest(x: Vector, k: int) -> float:
    return float(x.sum()) if k >= x.size else float(np.partition(x, x.size - k)[x.size - k :].sum())


def gini_bounds(box: Box) -> tuple[float, float]:
    """Bounds of the Gini coefficient, through bounds of every top-k sum.

    ``G = 2 / (n M) * sum_k top_k - (n + 1) / n``: it grows with each top-k sum.
    """
    n = box.low.size
    low, high = np.inf, 0.0
    for below, above in _pieces(box):
        if above <= 0.0:
            return 0.0, 1.0
        even = water_fill(below, weight=1.0, floor=box.low, cap=box.high).target
        least = float(np.cumsum(np.sort(even)[::-1]).sum())
        most = float(_lorenz_top(box, above).sum())
        low = min(low, 2.0 * least / (n * above))
        high = max(high, 2.0 * most / (n * below) if below > 0.0 else 2.0)
    offset = (n + 1.0) / n
    return max(0.0, low - offset), min(max(high - offset, 0.0), 1.0 - 1.0 / n)


def _lorenz_top(box: Box, mass: float) -> Vector:
    """(n,) upper bounds of the top-k sums, k = 1..n, when the counts add up to ``mass``."""
    spare = mass - float(box.low.sum())
    best = np.full(box.low.size, mass)
    for mix in MIXES:
        heaviest = np.sort(mix * box.high + (1.0 - mix) * box.low)[::-1]
        best = np.minimum(best, np.cumsum(heaviest) + (1.0 - mix) * spare)
    return best


def hhi_bounds(box: Box) -> tuple[float, float]:
    """Bounds of the sum of squared shares of the accounts' own mass.

    Upper end: on [low, high] the square lies under its secant, and the secants
    are maximised by filling the accounts with the largest ``low + high`` first.
    """
    low, high = np.inf, 0.0
    for below, above in _pieces(box):
        if above <= 0.0:
            return 0.0, 1.0
        even = water_fill(below, weight=1.0, floor=box.low, cap=box.high).target
        low = min(low, float(even @ even) / above**2)
        high = max(high, _largest_square_sum(box, above) / below**2 if below > 0.0 else 1.0)
    return max(low, 1.0 / box.low.size), min(high, 1.0)


def _largest_square_sum(box: Box, mass: float) -> float:
    first = np.argsort(-(box.low + box.high))
    low, high = box.low[first], np.minimum(box.high[first], mass)
    spare = max(0.0, mass - float(box.low.sum()))
    before = np.concatenate([[0.0], np.cumsum(high - low)[:-1]])
    x = low + np.clip(spare - before, 0.0, high - low)
    return float(((low + high) * x - low * high).sum())


def _pieces(box: Box) -> list[tuple[float, float]]:
    if box.mass_high - box.mass_low <= ROUNDING * box.mass_high:
        return [(box.mass_low, box.mass_high)]
    edges = np.linspace(box.mass_low, box.mass_high, PIECES + 1)
    return [(float(a), float(b)) for a, b in pairwise(edges)]


def covered(box: Box, k: float) -> tuple[int, int]:
    """Bounds of the number of accounts with at least ``k`` > 0 impressions; both ends are attained.

    Most: lift the cheapest accounts to k first. Fewest: keep everybody that may
    be below k just below it, then let through the accounts with the most room
    until the mass fits. Counts are whole, so "below k" ends at ceil(k) - 1; with
    fractional bounds it ends at k itself.
    """
    sure = box.low >= k
    lift = np.sort((k - box.low)[~sure & (box.high >= k)])
    spare = box.mass_high - float(box.low.sum())
    most = int(sure.sum()) + int(np.searchsorted(np.cumsum(lift), spare * (1.0 + ROUNDING), side="right"))
    whole = bool((box.low % 1.0 == 0.0).all() and (box.high % 1.0 == 0.0).all())
    below = np.ceil(k) - 1.0 if whole else k
    open_rows = ~sure
    held = np.minimum(box.high, below)[open_rows]
    gain = np.sort((box.high[open_rows] - held)[box.high[open_rows] >= k])[::-1]
    missing = box.mass_low * (1.0 - ROUNDING) - float(box.high[sure].sum()) - float(held.sum())
    fewest = int(sure.sum())
    if missing > 0.0 and gain.size:
        fewest += int(np.searchsorted(np.cumsum(gain), missing, side="left")) + 1
    return min(fewest, most), most


def group_sum(box: Box, rows: Vector) -> tuple[float, float]:
    """Bounds of the sum over the accounts where ``rows`` (n,) bool is true; both ends are attained."""
    inside = rows.astype(np.bool_)
    rest = ~inside
    least = max(float(box.low[inside].sum()), box.mass_low - float(box.high[rest].sum()))
    most = min(float(box.high[inside].sum()), box.mass_high - float(box.low[rest].sum()))
    return least, max(least, most)


def bounded(low: float, point: float, high: float) -> Bounded:
    """A Bounded whose ends give way to the point by rounding only."""
    return Bounded(min(low, point), point, max(high, point))
