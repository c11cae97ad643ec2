"""Curves and comparisons behind the charts: numbers from Exposure arrays. It never draws and never words.

All functions take arrays in any account order and do not depend on it.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from balancer.types import Exposure, Vector
from flows.report.pieces import Curve, Group

_HALVINGS = 50  # of the bisection for the most even completion; to about a millionth of an impression
_MASS_CUTS = 48  # steps where the segment's own mass is itself uncertain; more steps, tighter band


def even_completion(low: Vector, high: Vector, *, total: float) -> Vector:
    """Spread ``total`` as evenly as the bounds allow: ``clip(tau, low, high)`` with one common level tau.

    low, high  (n,) impressions, 0 <= low <= high
    total      impressions; values outside [sum low, sum high] are pulled to the nearest end

    The result has the smallest sum of the k largest among all completions, for every k at once, so it
    gives the exact lower bound of any top-k share.
    """
    wanted = float(np.clip(total, low.sum(), high.sum()))
    floor, ceiling = 0.0, float(high.max(initial=0.0))
    for _ in range(_HALVINGS):
        level = (floor + ceiling) / 2
        if np.clip(level, low, high).sum() < wanted:
            floor = level
        else:
            ceiling = level
    return np.minimum(np.maximum(ceiling, low), high)


def top_sums(values: Vector) -> Vector:
    """(n + 1,) sums of the k largest, k = 0..n."""
    return np.concatenate(([0.0], np.cumsum(np.sort(values)[::-1])))


def top_sum_bounds(low: Vector, high: Vector, *, total: float) -> tuple[Vector, Vector]:
    """Lowest and highest possible sum of the k largest accounts, (n + 1,) each, k = 0..n.

    The lower bound is attained (most even completion). The upper bound is the smaller of "the k largest
    ceilings" and "everything the n - k smallest floors leave over"; it is safe and may not be attained.
    """
    kept = float(np.clip(total, low.sum(), high.sum()))
    lowest = top_sums(even_completion(low, high, total=kept))
    rest = np.concatenate(([0.0], np.cumsum(np.sort(low))))[::-1]
    return lowest, np.minimum(top_sums(high), kept - rest)


def inside_mass(exposure: Exposure) -> tuple[float, float]:
    """Least and most impressions the segment itself can have taken, pages nobody could match included."""
    if exposure.mass is not None:
        low, high = exposure.mass
    else:
        low = high = exposure.total - exposure.outside
    floor, ceiling = float(exposure.low.sum()), float(exposure.high.sum())
    high = min(max(high, floor), ceiling)
    low = min(max(low, floor), high)
    room = unplaced_room(exposure)
    return low, (min(high + room, max(exposure.total, high)) if room else high)


def unplaced_room(exposure: Exposure) -> float:
    """The most impressions that pages nobody could match can hold together."""
    return float(exposure.unplaced.high.sum()) if exposure.unplaced is not None else 0.0


def ceilings(exposure: Exposure) -> Vector:
    """(n,) the most each account can have been shown, as its own row says.

    An account no report names may be behind any page that nobody could match. One that is named is
    counted by the pages known to be its own; whether it has another is said once, beside the table.
    """
    room = unplaced_room(exposure)
    if not room:
        return exposure.high
    hidden = np.minimum(exposure.high + room, np.maximum(exposure.total, exposure.high))
    return np.where(exposure.listed, exposure.high, hidden)


def lorenz(exposure: Exposure, *, points: int = 160) -> Curve:
    """Lorenz curve of the segment's own impressions, with the set of all curves that agree with the report.

    Thinned to about ``points`` places, dense among the most served accounts where the curve bends.
    An empty exposure (no account, or nothing delivered) gives the line of equality without a band.
    """
    n = len(exposure.accounts)
    mass = inside_mass(exposure) if n else (0.0, 0.0)
    if mass[0] <= 0.0 or exposure.point.sum() <= 0.0:
        line = (0.0, 1.0)
        return Curve(x=line, point=line, low=line, high=line)
    kept = _places(n, points)
    room = unplaced_room(exposure)
    least, most = top_share_bounds(exposure.low, np.minimum(exposure.high, mass[1]), mass=mass, room=room)
    guess = 1 - top_sums(exposure.point)[kept] / exposure.point.sum()
    floor, ceiling = 1 - most[kept], 1 - least[kept]
    return Curve(
        x=_rounded(1 - kept / n),
        point=_rounded(np.clip(guess, floor, ceiling)),
        low=_rounded(floor),
        high=_rounded(ceiling),
    )


def top_share_bounds(
    low: Vector, high: Vector, *, mass: tuple[float, float], room: float = 0.0
) -> tuple[Vector, Vector]:
    """Lowest and highest share of their own mass the k largest can have, (n + 1,) each, k = 0..n.

    mass  (least, most) impressions all accounts took together, 0 < least <= most
    room  impressions of pages nobody could match, all of which any accounts may have taken beyond ``high``:
          at worst the largest did, at best those with the lowest ceilings

    The upper bound is largest where its two limits meet. For the lower bound the mass is cut into
    steps; within a step the top sum is no smaller than at its start and the mass no larger than at its end.
    """
    least, most = mass
    rest = np.concatenate(([0.0], np.cumsum(np.sort(low))))[::-1]
    tops = top_sums(high)
    tops[1:] += room
    high = even_completion(high, high + room, total=float(high.sum()) + room) if room else high
    meeting = np.clip(tops + rest, least, most)
    highest = np.minimum(tops, meeting - rest) / meeting
    cuts = np.geomspace(least, most, _MASS_CUTS) if most > least * (1 + 1e-9) else np.array([least, most])
    floors = [top_sums(even_completion(low, high, total=a)) / b for a, b in pairwise(cuts.tolist())]
    even = np.arange(low.size + 1) / low.size  # no k accounts can have less than their even part
    return np.maximum(np.min(floors, axis=0), even), np.clip(highest, 0.0, 1.0)


def _places(n: int, points: int) -> NDArray[np.int64]:
    """Values of k from n down to 0: evenly spaced, plus a geometric ladder near the top."""
    even = np.linspace(0, n, points // 2)
    ladder = np.geomspace(1, n, points // 2)
    return np.unique(np.concatenate((even, ladder)).round().astype(np.int64))[::-1]


def _rounded(values: Vector) -> tuple[float, ...]:
    return tuple(float(v) for v in np.clip(values, 0.0, 1.0).round(5))


def ranked_counts(exposure: Exposure, *, points: int = 120) -> tuple[tuple[int, float, float, float], ...]:
    """(rank, low, point, high) down the ranking by best guess, thinned geometrically."""
    n = len(exposure.accounts)
    if n == 0:
        return ()
    order = np.argsort(-exposure.point, kind="stable")
    ranks = np.unique(np.geomspace(1, n, min(points, n)).round().astype(np.int64))
    rows, high = order[ranks - 1], ceilings(exposure)
    return tuple(
        (int(r), float(exposure.low[i]), float(exposure.point[i]), float(high[i]))
        for r, i in zip(ranks, rows, strict=True)
    )


def aligned(before: Exposure, after: Exposure) -> tuple[tuple[str, ...], Vector, Vector]:
    """Accounts of either window with their impressions then (scaled to the after total) and now.

    Scaling keeps windows of different length or budget comparable: only the shares are compared.
    """
    accounts = tuple(sorted({*before.accounts, *after.accounts}))
    place = {account: i for i, account in enumerate(accounts)}
    then, now = np.zeros(len(accounts)), np.zeros(len(accounts))
    then[[place[a] for a in before.accounts]] = before.point
    now[[place[a] for a in after.accounts]] = after.point
    scale = now.sum() / then.sum() if then.sum() > 0 else 0.0
    return accounts, then * scale, now


def groups_of(then: Vector, now: Vector, *, top: int) -> tuple[Group, ...]:
    """Share of the former top N, of the next stretch, and of the rest, before and after."""
    n = then.size
    order = np.argsort(-then, kind="stable")
    edges = [edge for edge in (0, top, 5 * top, 10 * top) if edge < n] + [n]
    total_then, total_now = max(then.sum(), 1e-12), max(now.sum(), 1e-12)
    return tuple(
        Group(
            label=f"{first + 1}-{last}",
            accounts=last - first,
            before=float(then[order[first:last]].sum() / total_then),
            after=float(now[order[first:last]].sum() / total_now),
        )
        for first, last in pairwise(edges)
    )
