"""Find the water level: the root of ``sum clip(level * w, low, high) = total``.

Expects checked, feasible numbers (``allocate`` sees to that) and decides nothing else.
Three exact methods: variable fixing (fast in practice), a breakpoint sort
(n log n in the worst case, used when fixing does not finish soon), and for long
lists Newton steps over slices that stay in the cache and allocate nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from balancer.types import Vector

SLICE = 1 << 15  # rows handled at once; a few arrays of this many doubles fit the second-level cache
LONG = 1 << 17  # from here on Newton over slices beats fixing, in time and in memory
NEWTON_STEPS = 40
PASSES = 48  # fixing needs 4-8 on real lists; a list built to be slow goes to the sort


def slices(n: int) -> Iterator[slice]:
    """Consecutive runs of rows that cover 0..n-1."""
    return (slice(start, min(start + SLICE, n)) for start in range(0, n, SLICE))


def find_level(total: float, w: Vector, low: Vector, high: Vector) -> float:
    """The level by the method that suits the length of the list. Arguments as in ``level_by_fixing``."""
    if w.size >= LONG:
        level = level_by_newton(total, w, low, high)
        if level is not None:
            return level
    return level_by_fixing(total, w, low, high)


def level_by_newton(total: float, w: Vector, low: Vector, high: Vector) -> float | None:
    """Newton steps kept inside a bracket; exact once a step starts on the right linear piece.

    None where it does not settle soon (a level at which nothing grows, or a list built to be slow).
    """
    below, above = 0.0, np.inf
    level = total / float(w.sum())
    for _ in range(NEWTON_STEPS):
        mass, pace = _mass_and_pace(level, w, low, high)
        short = total - mass
        if pace <= 0.0:
            return None
        step = level + short / pace
        if abs(short) <= 1e-14 * total:
            return step
        below, above = (max(below, level), above) if short > 0.0 else (below, min(above, level))
        level = step if below < step < above else 0.5 * (below + min(above, 4.0 * level))
    return None


def _mass_and_pace(level: float, w: Vector, low: Vector, high: Vector) -> tuple[float, float]:
    """What a level gives out, and how much more per unit of level."""
    mass = pace = 0.0
    for rows in slices(w.size):
        wanted = level * w[rows]
        given = np.clip(wanted, low[rows], high[rows])
        mass += float(given.sum())
        # Not a dot product: BLAS would start threads for every slice, at a hundred times the cost.
        pace += float((w[rows] * (given == wanted)).sum())
    return mass, pace


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
