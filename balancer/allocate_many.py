"""Water-filling of many segments in one pass over all their accounts.

Same answer as ``water_fill`` per segment; exists because ten thousand calls of
it spend their time in Python. Reports shortages as numbers, not as Status objects.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from balancer.allocate import MASS_TOLERANCE, checked_bounds, water_fill
from balancer.allocate_level import level_by_fixing
from balancer.errors import BadNumbers
from balancer.types import Indices, Vector

ROWS_AT_ONCE = 1 << 15  # three arrays of this many doubles stay in the second-level cache
STEPS = 24


@dataclass(frozen=True, eq=False, slots=True)
class SegmentAllocations:
    """Targets of all segments, end to end.

    target           (n,) impressions
    level            (s,) water level of each segment
    inventory_short  (s,) impressions that fit under no cap, 0 where all fits
    floor_short      (s,) impressions missing under the floors, 0 where they are met
    """

    target: Vector
    level: Vector
    inventory_short: Vector
    floor_short: Vector


def water_fill_segments(
    totals: ArrayLike, *, starts: ArrayLike, weight: ArrayLike, floor: ArrayLike, cap: ArrayLike
) -> SegmentAllocations:
    """Water-fill segment s over rows ``starts[s]:starts[s + 1]``, for all segments.

    totals              (s,) impressions per segment, finite, >= 0
    starts              (s,) first row of each segment, increasing from 0, none empty
    weight, floor, cap  (n,) or scalars, as in ``water_fill``

    Raises BadNumbers as ``water_fill`` does, and for empty or unordered segments.
    """
    total = np.atleast_1d(np.asarray(totals, dtype=np.float64))
    first = np.atleast_1d(np.asarray(starts, dtype=np.int64))
    w, low, high = checked_bounds(weight, floor, cap)
    _check_segments(total, first, w.size)
    out = SegmentAllocations(np.empty(w.size), *(np.zeros(total.size) for _ in range(3)))
    ends = np.append(first[1:], w.size)
    s = 0
    while s < first.size:
        stop = max(s + 1, int(np.searchsorted(ends, first[s] + ROWS_AT_ONCE, side="right")))
        rows = slice(int(first[s]), int(ends[stop - 1]))
        chunk = _Chunk(total[s:stop], ends[s:stop] - first[s:stop], w[rows], low[rows], high[rows])
        _fill_chunk(chunk, out, slice(s, stop), rows)
        s = stop
    return out


@dataclass(frozen=True, eq=False, slots=True)
class _Chunk:
    """A run of whole segments, small enough for the cache. ``counts`` rows each."""

    total: Vector
    counts: Indices
    w: Vector
    low: Vector
    high: Vector


def _fill_chunk(chunk: _Chunk, out: SegmentAllocations, segments: slice, rows: slice) -> None:
    starts = np.cumsum(chunk.counts) - chunk.counts
    need = np.add.reduceat(chunk.low, starts)
    room = np.add.reduceat(np.where(chunk.w > 0.0, chunk.high, chunk.low), starts)
    feasible = np.clip(chunk.total, need, room)
    level = _levels(feasible, chunk, starts)
    target = np.clip(np.repeat(level, chunk.counts) * chunk.w, chunk.low, chunk.high)
    slack = MASS_TOLERANCE * chunk.total
    short = np.where(need - chunk.total > MASS_TOLERANCE * need, need - chunk.total, 0.0)
    for s in np.flatnonzero(short):
        mine = slice(int(starts[s]), int(starts[s] + chunk.counts[s]))
        alone = water_fill(chunk.total[s], weight=chunk.w[mine], floor=chunk.low[mine], cap=chunk.high[mine])
        target[mine], level[s] = alone.target, alone.level
    out.target[rows], out.level[segments], out.floor_short[segments] = target, level, short
    out.inventory_short[segments] = np.where(chunk.total - room > slack, chunk.total - room, 0.0)


def _levels(total: Vector, chunk: _Chunk, starts: Indices) -> Vector:
    """Bracketed Newton steps in all segments at once; whoever does not settle is solved alone."""
    weight = np.add.reduceat(chunk.w, starts)
    level = np.divide(total, weight, out=np.zeros(total.size), where=weight > 0.0)
    below, above = np.zeros(total.size), np.full(total.size, np.inf)
    settled = np.zeros(total.size, dtype=np.bool_)
    for _ in range(STEPS):
        wanted = np.repeat(level, chunk.counts) * chunk.w
        given = np.clip(wanted, chunk.low, chunk.high)
        short = total - np.add.reduceat(given, starts)
        pace = np.add.reduceat(chunk.w * (given == wanted), starts)
        step = level + np.divide(short, pace, out=np.full(total.size, -np.inf), where=pace > 0.0)
        done = np.abs(short) <= 1e-14 * total
        below = np.where(short > 0.0, np.maximum(below, level), below)
        above = np.where(short < 0.0, np.minimum(above, level), above)
        inside = (below < step) & (step < above)
        halved = 0.5 * (below + np.minimum(above, 4.0 * level))
        # The step after the last one is exact on its linear piece, so it is taken as well.
        level = np.where(settled | (done & (pace <= 0.0)), level, np.where(inside | done, step, halved))
        settled |= done
        if settled.all():
            return level
    for s in np.flatnonzero(~settled):
        mine = slice(int(starts[s]), int(starts[s] + chunk.counts[s]))
        level[s] = level_by_fixing(float(total[s]), chunk.w[mine], chunk.low[mine], chunk.high[mine])
    return level


def _check_segments(total: Vector, first: Indices, n: int) -> None:
    if total.size != first.size or first.size == 0 or first[0] != 0:
        raise BadNumbers(f"{total.size} totals need as many segment starts, the first of them 0.")
    if (np.diff(np.append(first, n)) <= 0).any():
        raise BadNumbers("Every segment needs at least one row, and starts must increase.")
    if not np.isfinite(total).all() or (total < 0.0).any():
        raise BadNumbers("Every total must be a finite number of impressions, 0 or more.")
