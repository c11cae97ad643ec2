"""Campaigns with accounts of their own: their exact totals split one hidden mass into several.

Finds groups of accounts that only certain campaigns could serve; never decides
who was in which campaign (the caller's eligibility does).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from balancer.shares_cells import OUTSIDE, CreativeDayLists, ReportRules, read_cells
from balancer.types import Part, Vector

FEWEST = 2  # a part of one account says nothing its own bounds do not
Mask = NDArray[np.bool_]


def exact_parts(
    lists: CreativeDayLists | None, *, total: float, pages: Vector, rules: ReportRules
) -> tuple[Part, ...]:
    """Groups of accounts whose impressions together are known from exact list totals.

    Accounts that moved between campaigns inside the window belong to no part; what they
    can have taken of a campaign widens that campaign's part. () when list totals are
    missing or do not add up to ``total``, or when a cell names an outsider.
    """
    if lists is None or lists.eligible is None or lists.audience is None:
        return ()
    whole = float(lists.totals.sum())
    if not abs(whole - total) <= 1e-9 * total or (lists.account == OUTSIDE).any():
        return ()
    possible = lists.eligible.copy()
    possible[lists.audience[lists.list_of], lists.account] = True
    parts = (_part(lists, possible, home, pages, rules) for home in _homes(possible))
    return tuple(part for part in parts if part is not None)


def _homes(possible: Mask) -> list[Mask]:
    """(A,) masks of audiences that most accounts live in, disjoint, the largest group first."""
    packed = np.packbits(possible, axis=0).T
    _, first, counts = np.unique(packed, axis=0, return_index=True, return_counts=True)
    taken = np.zeros(possible.shape[0], dtype=np.bool_)
    homes = []
    for at in np.argsort(-counts, kind="stable"):
        pattern = possible[:, first[at]]
        if counts[at] >= FEWEST and pattern.any() and not (pattern & taken).any():
            homes.append(pattern)
            taken |= pattern
    return homes if len(homes) > 1 else []


def _part(
    lists: CreativeDayLists, possible: Mask, home: Mask, pages: Vector, rules: ReportRules
) -> Part | None:
    if lists.audience is None:
        return None
    touches = possible[home].any(axis=0)
    strays = possible[~home].any(axis=0)
    mine = home[lists.audience]
    mass = float(lists.totals[mine].sum())
    visitors = touches & strays
    low = high = 0.0
    if visitors.any():
        number = np.cumsum(mine) - 1
        inside = mine[lists.list_of]
        here = replace(
            lists,
            list_of=number[lists.list_of[inside]],
            account=lists.account[inside],
            impressions=lists.impressions[inside],
            totals=lists.totals[mine],
            audience=lists.audience[mine],
            eligible=possible,
        )
        cells = read_cells(here, pages.size, pages, rules)
        low = float(cells.low[visitors].sum())
        high = float((cells.high + cells.dropped + cells.cut)[visitors].sum())
    rows = np.flatnonzero(touches & ~strays).astype(np.int64)
    return Part(rows, max(mass - high, 0.0), max(mass - low, 0.0))
