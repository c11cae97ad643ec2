"""Water-filling with limits on whole groups of accounts, such as tiers inside regions.

Groups must be laminar: any two are disjoint or one holds the other. Decides
nothing about why a group has a limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from balancer.allocate import MASS_TOLERANCE, Allocation, checked_bounds, checked_total, water_fill
from balancer.errors import BadNumbers
from balancer.types import Indices, Status, Vector

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class Group:
    """At most ``limit`` impressions for all ``members`` (row numbers) together."""

    members: Indices
    limit: float


@dataclass(frozen=True, eq=False, slots=True)
class GroupedAllocation:
    """An allocation, and the groups (by position) that are held at their limit."""

    allocation: Allocation
    full: tuple[int, ...]


@dataclass(eq=False)
class _Work:
    """The parts solved so far; each part is one call of ``water_fill``."""

    weight: Vector
    low: Vector
    high: Vector
    masks: list[Mask]
    limits: list[float]
    target: Vector
    at_cap: Mask
    at_floor: Mask
    full: set[int] = field(default_factory=set)
    certificate: float = 0.0
    floor_short: float = 0.0


def water_fill_groups(
    total: float, *, weight: ArrayLike, floor: ArrayLike, cap: ArrayLike, groups: Sequence[Group]
) -> GroupedAllocation:
    """Share ``total`` out as ``water_fill`` does, with no group above its limit.

    Exact and finite: a group at its limit pushes mass to the others, so levels
    only rise and a group once over its limit stays there. Each pass settles at
    least one group; a full group is then solved alone with its limit as total.

    Statuses: ``cap_short`` (number = impressions that fit nowhere) and
    ``floor_short`` (number = impressions missing under the floors). Raises
    BadNumbers when groups cross or name rows that do not exist.
    """
    asked = checked_total(total)
    w, low, high = checked_bounds(weight, floor, cap)
    masks = [_mask(group, w.size) for group in groups]
    _check_laminar(masks)
    limits = [checked_total(group.limit) for group in groups]
    nothing = np.zeros(w.size, dtype=np.bool_)
    work = _Work(w, low, high, masks, limits, np.zeros(w.size), nothing.copy(), nothing.copy())
    inner_first = sorted(range(len(masks)), key=lambda g: int(masks[g].sum()))
    level = _solve(work, ~nothing, asked, inner_first)
    missing = asked - float(work.target.sum())
    statuses = (Status("cap_short", missing),) if missing > asked * MASS_TOLERANCE else ()
    if work.floor_short > 0.0:
        statuses = (*statuses, Status("floor_short", work.floor_short))
    allocation = Allocation(work.target, level, work.at_cap, work.at_floor, statuses, work.certificate, asked)
    return GroupedAllocation(allocation, tuple(sorted(work.full)))


def _solve(work: _Work, rows: Mask, total: float, groups: list[int]) -> float:
    """Solve ``rows`` with ``groups`` (inner ones first) inside; writes the target, returns the level."""
    fixed: list[int] = []
    free, rest = rows.copy(), total
    while True:
        part = water_fill(rest, weight=work.weight[free], floor=work.low[free], cap=work.high[free])
        trial = np.zeros(rows.size)
        trial[free] = part.target
        over = _over_limit(work, trial, [g for g in groups if g not in fixed], fixed)
        if over == fixed:
            break
        fixed = over
        free = rows.copy()
        for g in fixed:
            free &= ~work.masks[g]
        rest = max(0.0, total - sum(work.limits[g] for g in fixed))
    _record(work, free, part)
    for g in fixed:
        work.full.add(g)
        inside = [h for h in groups if h != g and not np.any(work.masks[h] & ~work.masks[g])]
        _solve(work, work.masks[g] & rows, work.limits[g], inside)
    return part.level


def _over_limit(work: _Work, trial: Vector, candidates: list[int], fixed: list[int]) -> list[int]:
    """The outermost groups at their limit, given the ones already ``fixed``; ``candidates`` inner first."""
    held = list(fixed)
    for g in candidates:
        within = [h for h in held if not np.any(work.masks[h] & ~work.masks[g])]
        if any(not np.any(work.masks[g] & ~work.masks[h]) for h in held):
            continue  # part of a full group, which is solved alone later
        outside = work.masks[g].copy()
        for h in within:
            outside &= ~work.masks[h]
        load = float(trial[outside].sum()) + sum(work.limits[h] for h in within)
        if load > work.limits[g] * (1.0 + MASS_TOLERANCE):
            held = [h for h in held if h not in within] + [g]
    return held


def _record(work: _Work, rows: Mask, part: Allocation) -> None:
    work.target[rows] = part.target
    work.at_cap[rows] = part.at_cap
    work.at_floor[rows] = part.at_floor
    work.certificate = max(work.certificate, part.certificate)
    work.floor_short += sum(status.number for status in part.statuses if status.code == "floor_short")


def _mask(group: Group, n: int) -> Mask:
    members = np.asarray(group.members, dtype=np.int64)
    if members.size and (members.min() < 0 or members.max() >= n):
        raise BadNumbers(f"A group names row {members.max()}, but there are {n} accounts.")
    mask = np.zeros(n, dtype=np.bool_)
    mask[members] = True
    return mask


def _check_laminar(masks: list[Mask]) -> None:
    for i, one in enumerate(masks):
        for j in range(i):
            shared = int((one & masks[j]).sum())
            if shared not in (0, int(one.sum()), int(masks[j].sum())):
                raise BadNumbers(f"Groups {j} and {i} share {shared} accounts, yet neither holds the other.")
