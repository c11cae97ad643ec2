"""Hard bounds of concentration figures when each account's count is only known to lie in an interval.

The set of possible truths is ``low <= x <= high`` with ``sum x`` in ``[mass_low,
mass_high]``, and where campaigns serve disjoint accounts also each campaign's
own sum. Every figure returned holds for *all* of them; where an end is not
attained it is too wide, never too narrow. No distribution is assumed anywhere
(``tails`` does that).

Lower ends of top-k, Gini and HHI come from the most even possibility, which is
water-filling with equal weights (one x is best for all of them). Upper ends:
top-k by Lagrangian duality, HHI by the secant of the square, Gini through the
whole Lorenz curve of top-k bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from balancer.allocate import water_fill
from balancer.errors import InconsistentReport
from balancer.types import Bounded, Part, Vector

PIECES = 16  # an uncertain mass is cut into this many parts, each bounded by itself
MIXES = np.linspace(0.0, 1.0, 9)  # multipliers tried for the upper top-k bound; every one is valid
ROUNDING = 1e-9
HALVINGS = 60


@dataclass(frozen=True, eq=False, slots=True)
class Box:
    """All truths a report allows: (n,) low, (n,) high, the range of their sum, and of disjoint parts."""

    low: Vector
    high: Vector
    mass_low: float
    mass_high: float
    parts: tuple[Part, ...] = ()


def tightened(
    low: Vector, high: Vector, mass_low: float, mass_high: float, parts: Sequence[Part] = ()
) -> Box:
    """The same set of truths with every bound as tight as the masses allow.

    Nobody can hold more than the mass the others must leave, nor less than what
    the others cannot take. Raises InconsistentReport when no truth fits.
    """
    low, high = low.copy(), high.copy()
    inner = []
    for part in parts:
        box = _squeezed(low[part.rows], high[part.rows], part.low, part.high)
        low[part.rows], high[part.rows] = box.low, box.high
        inner.append(Part(part.rows, box.mass_low, box.mass_high))
    return replace(_squeezed(low, high, mass_low, mass_high), parts=tuple(inner))


def _squeezed(low: Vector, high: Vector, mass_low: float, mass_high: float) -> Box:
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
    least = largest(most_even(box, box.mass_low), k)
    most = _largest_top_sum(box, k)
    return least, max(least, most)


def _largest_top_sum(box: Box, k: int) -> float:
    if box.parts:
        return float(_top_sums(box, box.mass_high)[min(k, box.low.size) - 1])
    spare = max(box.mass_high - float(box.low.sum()), 0.0)
    mixed = ((1.0 - mix) * spare + largest(mix * box.high + (1.0 - mix) * box.low, k) for mix in MIXES)
    return float(min(box.mass_high, *mixed))


def largest(x: Vector, k: int) -> float:
    """Sum of the k largest of ``x`` (n,); of all where k >= n."""
    return float(x.sum()) if k >= x.size else float(np.partition(x, x.size - k)[x.size - k :].sum())


def most_even(box: Box, mass: float) -> Vector:
    """The truth that adds up to ``mass`` and has the smallest top-k sum for every k at once.

    One level for all; a part stops rising at its largest sum and is lifted to its smallest.
    """
    if not box.parts:
        return water_fill(mass, weight=1.0, floor=box.low, cap=box.high).target
    free = np.ones(box.low.size, dtype=np.bool_)
    for part in box.parts:
        free[part.rows] = False

    def sums(level: float) -> list[float]:
        x = np.clip(level, box.low, box.high)
        inside = [min(max(float(x[p.rows].sum()), p.low), p.high) for p in box.parts]
        return [*inside, float(x[free].sum())]

    if not free.any() and all(part.high - part.low <= ROUNDING * mass for part in box.parts):
        return _even_parts(box, np.empty(box.low.size), [part.low for part in box.parts])
    below, above = 0.0, max(float(box.high.max()), 1.0)
    for _ in range(HALVINGS):
        middle = 0.5 * (below + above)
        below, above = (middle, above) if sum(sums(middle)) < mass else (below, middle)
    return _even_parts(box, np.clip(above, box.low, box.high), sums(above))


def _even_parts(box: Box, x: Vector, sums: Sequence[float]) -> Vector:
    """``x`` with every part replaced by its most even truth of the given sum."""
    for part, inside in zip(box.parts, sums, strict=False):
        low, high = box.low[part.rows], box.high[part.rows]
        x[part.rows] = water_fill(inside, weight=1.0, floor=low, cap=high).target
    return x


def gini_bounds(box: Box) -> tuple[float, float]:
    """Bounds of the Gini coefficient, through bounds of every top-k sum.

    ``G = 2 / (n M) * sum_k top_k - (n + 1) / n``: it grows with each top-k sum.
    """
    n = box.low.size
    low, high = np.inf, 0.0
    for below, above in pieces(box.mass_low, box.mass_high):
        if above <= 0.0:
            return 0.0, 1.0
        least = float(np.cumsum(np.sort(most_even(box, below))[::-1]).sum())
        most = float(_top_sums(box, above).sum())
        low = min(low, 2.0 * least / (n * above))
        high = max(high, 2.0 * most / (n * below) if below > 0.0 else 2.0)
    offset = (n + 1.0) / n
    return max(0.0, low - offset), min(max(high - offset, 0.0), 1.0 - 1.0 / n)


def _top_sums(box: Box, mass: float) -> Vector:
    """(n,) upper bounds of the top-k sums, k = 1..n, when the counts add up to at most ``mass``.

    Parts are bounded one by one; the best way to spread k over them takes the
    largest gains first, because each part's bounds are concave in k.
    """
    best = _top_sums_of(box.low, box.high, mass)
    if not box.parts:
        return best
    rest = np.ones(box.low.size, dtype=np.bool_)
    gains = []
    for part in box.parts:
        rest[part.rows] = False
        gains.append(np.diff(_top_sums_of(box.low[part.rows], box.high[part.rows], part.high), prepend=0.0))
    gains.append(np.diff(_top_sums_of(box.low[rest], box.high[rest], mass), prepend=0.0))
    return np.minimum(best, np.cumsum(np.sort(np.concatenate(gains))[::-1]))


def _top_sums_of(low: Vector, high: Vector, mass: float) -> Vector:
    spare = max(mass - float(low.sum()), 0.0)
    best = np.full(low.size, mass)
    for mix in MIXES:
        heaviest = np.sort(mix * high + (1.0 - mix) * low)[::-1]
        best = np.minimum(best, np.cumsum(heaviest) + (1.0 - mix) * spare)
    return best


def hhi_bounds(box: Box) -> tuple[float, float]:
    """Bounds of the sum of squared shares of the accounts' own mass.

    Upper end: on [low, high] the square lies under its secant, and the secants
    are maximised by filling the accounts with the largest ``low + high`` first.
    """
    low, high = np.inf, 0.0
    for below, above in pieces(box.mass_low, box.mass_high):
        if above <= 0.0:
            return 0.0, 1.0
        even = most_even(box, below)
        low = min(low, float((even * even).sum()) / above**2)
        high = max(high, largest_square_sum(box, above) / below**2 if below > 0.0 else 1.0)
    return max(low, 1.0 / box.low.size), min(high, 1.0)


def largest_square_sum(box: Box, mass: float) -> float:
    """At least the sum of squares of every truth that adds up to at most ``mass`` >= sum of ``low``."""
    whole = _square_sum_of(box.low, box.high, mass)
    rest = np.ones(box.low.size, dtype=np.bool_)
    by_part = 0.0
    for part in box.parts:
        rest[part.rows] = False
        by_part += _square_sum_of(box.low[part.rows], box.high[part.rows], part.high)
    return min(whole, by_part + _square_sum_of(box.low[rest], box.high[rest], mass))


def _square_sum_of(low: Vector, high: Vector, mass: float) -> float:
    first = np.argsort(-(low + high))
    low, high = low[first], np.minimum(high[first], max(mass, 0.0))
    high = np.maximum(low, high)
    spare = max(0.0, mass - float(low.sum()))
    before = np.concatenate([[0.0], np.cumsum(high - low)])[:-1]
    x = low + np.clip(spare - before, 0.0, high - low)
    return float(((low + high) * x - low * high).sum())


def pieces(least: float, most: float) -> list[tuple[float, float]]:
    """The range of an uncertain mass cut into ``PIECES`` ranges; one where it is certain."""
    if most - least <= ROUNDING * most:
        return [(least, most)]
    edges = np.linspace(least, most, PIECES + 1)
    return [(float(a), float(b)) for a, b in pairwise(edges)]


def covered(box: Box, k: float) -> tuple[int, int]:
    """Bounds of the number of accounts with at least ``k`` > 0 impressions; both ends are attained.

    With parts, each part is bounded by itself; the ends then hold but need not be attained together.
    """
    whole = bool((box.low % 1.0 == 0.0).all() and (box.high % 1.0 == 0.0).all())
    # Counts are whole, so "below k" ends at ceil(k) - 1; with fractional bounds it ends at k itself.
    below = np.ceil(k) - 1.0 if whole else k
    low, high = _covered_in(box.low, box.high, (box.mass_low, box.mass_high), k, below)
    if not box.parts:
        return low, high
    rest = np.ones(box.low.size, dtype=np.bool_)
    counts = []
    for part in box.parts:
        rest[part.rows] = False
        counts.append(_covered_in(box.low[part.rows], box.high[part.rows], (part.low, part.high), k, below))
    counts.append(_covered_in(box.low[rest], box.high[rest], (0.0, box.mass_high), k, below))
    return max(low, sum(c[0] for c in counts)), min(high, sum(c[1] for c in counts))


def _covered_in(
    low: Vector, high: Vector, mass: tuple[float, float], k: float, below: float
) -> tuple[int, int]:
    """Most: lift the cheapest accounts to k first. Fewest: let through those with the most room first."""
    sure = low >= k
    lift = np.sort((k - low)[~sure & (high >= k)])
    spare = mass[1] - float(low.sum())
    most = int(sure.sum()) + int(np.searchsorted(np.cumsum(lift), spare * (1.0 + ROUNDING), side="right"))
    held = np.minimum(high, below)[~sure]
    gain = np.sort((high[~sure] - held)[high[~sure] >= k])[::-1]
    missing = mass[0] * (1.0 - ROUNDING) - float(high[sure].sum()) - float(held.sum())
    fewest = int(sure.sum())
    if missing > 0.0 and gain.size:
        fewest += int(np.searchsorted(np.cumsum(gain), missing, side="left")) + 1
    return min(fewest, most), most


def group_sum(box: Box, rows: NDArray[np.bool_]) -> tuple[float, float]:
    """Bounds of the sum over the accounts where ``rows`` (n,) is true; attained where there are no parts."""
    rest = ~rows
    least = max(float(box.low[rows].sum()), box.mass_low - float(box.high[rest].sum()))
    most = min(float(box.high[rows].sum()), box.mass_high - float(box.low[rest].sum()))
    return least, max(least, most)


def bounded(low: float, point: float, high: float) -> Bounded:
    """A Bounded whose ends give way to the point by rounding only."""
    return Bounded(min(low, point), point, max(high, point))
