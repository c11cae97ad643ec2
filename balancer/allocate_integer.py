"""Whole impressions: the exact integer optimum, and rounding for display.

Never changes who is entitled to what; it only decides where the last units go.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from balancer.allocate import checked_bounds, checked_total, water_fill
from balancer.errors import BadNumbers
from balancer.types import Status, Vector

Counts = NDArray[np.int64]
HALVINGS = 200  # enough to separate any two neighbouring doubles that start within 1e30 of each other


def whole_impressions(
    total: int, *, weight: ArrayLike, floor: ArrayLike, cap: ArrayLike
) -> tuple[Counts, tuple[Status, ...]]:
    """The integers that minimise ``sum x^2 / w`` with ``sum x = total`` and ``floor <= x <= cap``.

    ``x = clip(floor(theta w + 1/2), floor, cap)`` (Webster's divisor method), plus
    the units that tie at theta, lowest row first. One more unit for account i
    costs ``(2x + 1) / w``; the result takes the cheapest units, so no single
    exchange can improve it. Floors are rounded up and caps down.

    Statuses as in ``water_fill``. Raises BadNumbers.
    """
    if checked_total(total) != int(total):
        raise BadNumbers(f"The total must be a whole number of impressions, not {total}.")
    w, low, high = checked_bounds(weight, floor, cap)
    high = np.where(np.isinf(high), float(total), np.floor(high))
    low = np.minimum(np.ceil(low), high)
    solved = water_fill(total, weight=w, floor=low, cap=high)
    if any(status.code == "floor_short" for status in solved.statuses):
        return largest_remainder(solved.target, units=int(total)), solved.statuses
    x = _webster(round(solved.total), solved.level, w, low, high)
    return x.astype(np.int64), solved.statuses


def _webster(total: int, level: float, w: Vector, low: Vector, high: Vector) -> Vector:
    step = 1.0 / float(w[w > 0.0].min()) if (w > 0.0).any() else 0.0
    below, above = max(0.0, level - step), level + step
    for _ in range(HALVINGS):
        middle = 0.5 * (below + above)
        if middle in (below, above):
            break
        if _rounded(middle, w, low, high).sum() <= total:
            below = middle
        else:
            above = middle
    x, most = _rounded(below, w, low, high), _rounded(above, w, low, high)
    while (missing := total - int(x.sum())) > 0:
        open_rows = np.flatnonzero((x < most) if (x < most).any() else (x < high) & (w > 0.0))
        price = (2.0 * x[open_rows] + 1.0) / w[open_rows]
        x[open_rows[np.argsort(price, kind="stable")[:missing]]] += 1.0
    return x


def _rounded(theta: float, w: Vector, low: Vector, high: Vector) -> Vector:
    return np.clip(np.floor(theta * w + 0.5), low, high)


def largest_remainder(values: ArrayLike, *, units: int) -> Counts:
    """Integers in proportion to ``values`` that add up to exactly ``units``; ties go to the lowest row.

    values  (n,) finite, >= 0, not all 0 unless ``units`` is 0
    units   e.g. 1000 for shares shown in tenths of a percent

    For display: every result is within one unit of its exact quota (Hamilton's method).
    """
    array = np.asarray(values, dtype=np.float64)
    whole = float(array.sum())
    if not np.isfinite(whole) or (array < 0.0).any() or (whole == 0.0 and units != 0) or units < 0:
        raise BadNumbers("Rounding needs finite values of 0 or more with a positive sum, and units >= 0.")
    quota = array / whole * units if whole else array
    base = np.floor(quota)
    order = np.argsort(base - quota, kind="stable")
    missing = units - int(base.sum())
    if missing >= 0:
        base[order[:missing]] += 1.0
    else:  # a quota a rounding error below a whole number was counted as that number
        base[order[missing:]] -= 1.0
    return base.astype(np.int64)
