"""Find the water level: the root of ``sum clip(level * w, low, high) = total``.

Expects checked, feasible numbers (``allocate`` sees to that) and decides nothing else.
Two exact methods: variable fixing (fast in practice) and a breakpoint sort
(n log n in the worst case, used when fixing does not finish soon).
"""

from __future__ import annotations

import numpy as np

from balancer.types import Vector

PASSES = 48  # fixing needs 4-8 on real lists; a list built to be slow goes to the sort


def level_by_fixing(total: float, w: Vector, low: Vector, high: Vector) -> float:
    """Variable fixing (Bitran and Hax 1981). O(active accounts) per pass, exact when it ends.

    w, low, high  (n,) with 0 <= low <= high, w >= 0; low.sum() <= total <= room.
    Whoever is over its cap at the trial level stays capped for ever when the
    mass over caps exceeds the mass under floors, and the other way round.
    """
    free = (w > 0.0) & (high > low)
    rest = total - float(low[~free].sum())
    w, low, high = w[free], low[free], high[free]
    if w.size == 0 or rest >= high.sum():
        return _top_level(w, high)
    level = 0.0
    for _ in range(PASSES):
        level = rest / float(w.sum())
        x = level * w
        over = x - np.clip(x, low, high)  # > 0 above the cap, < 0 under the floor
        balance = float(over.sum())
        if balance == 0.0:
            return level
        fixed = over > 0.0 if balance > 0.0 else over < 0.0
        rest -= float((high if balance > 0.0 else low)[fixed].sum())
        keep = ~fixed
        w, low, high = w[keep], low[keep], high[keep]
        if w.size == 0:
            return level
    return level_by_sorting(rest, w, low, high)


def _top_level(w: Vector, high: Vector) -> float:
    """The lowest level at which every cap binds."""
    return float((high / w).max()) if w.size else 0.0


def level_by_sorting(total: float, w: Vector, low: Vector, high: Vector) -> float:
    """Breakpoint sort: the mass is piecewise linear in the level, so locate its segment. O(n log n).

    Each account starts to grow at low / w and stops at high / w; sorting those
    levels gives the slope between any two neighbours.
    """
    free = (w > 0.0) & (high > low)
    base = total - float(low[~free].sum())
    w, low, high = w[free], low[free], high[free]
    if w.size == 0:
        return 0.0
    levels = np.concatenate([low / w, high / w])
    slopes = np.concatenate([w, -w])
    finite = np.isfinite(levels)
    levels, slopes = levels[finite], slopes[finite]
    order = np.argsort(levels, kind="stable")
    levels, slope = levels[order], np.cumsum(slopes[order])
    grown = np.cumsum(np.diff(levels) * slope[:-1])
    mass = float(low.sum()) + np.concatenate([[0.0], grown])
    at = int(np.clip(np.searchsorted(mass, base, side="right") - 1, 0, levels.size - 1))
    beyond = float(levels[at + 1]) if at + 1 < levels.size else float(levels[at]) * 2.0 + 1.0
    return _refined(base, float(levels[at]), beyond, w, low, high)


def _refined(total: float, level: float, beyond: float, w: Vector, low: Vector, high: Vector) -> float:
    """Solve the linear piece between two breakpoints, summed afresh so that no prefix error remains."""
    middle = 0.5 * (level + beyond) * w
    growing = (low < middle) & (middle < high)
    pace = float(w[growing].sum())
    if pace == 0.0:
        return level
    settled = float(np.clip(middle, low, high)[~growing].sum())
    return (total - settled) / pace
