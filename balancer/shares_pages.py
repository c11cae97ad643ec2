"""What each page that nobody could match can have been shown, from its own rows and cells.

Knows nothing of whose page it is, and never guesses (``shares_unplaced`` has the figures).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from balancer.shares_cells import (
    OUTSIDE,
    Cells,
    CreativeDayLists,
    ReportRules,
    Rows,
    Table,
    count_rows,
    missing_cell_limits,
    over_missing,
    own_bounds,
    true_sums,
    without_cells,
)
from balancer.types import Unplaced

BLOCK = 1024  # patterns at a time; many accounts that moved often have many
Found = TypeVar("Found", bound=Rows | CreativeDayLists | None)


def unplaced_pages(
    window: Rows | None,
    lists: CreativeDayLists | None,
    n: int,
    pages: int,
    *,
    total: float,
    rules: ReportRules,
) -> Unplaced:
    """Bounds of what the pages in rows n .. n + pages - 1 were shown; (pages,) each.

    window, lists, total, rules  as given to ``build_exposure``, with the pages' rows in them

    Printed values mean the same whosever the page is. ``low`` is what whole-window rows alone guarantee
    (cells, where those were not asked), because so much and no more is taken off the accounts' own mass.
    ``high`` holds for a page that is an account's; a stranger's may have taken more, and counts nowhere.
    """
    ones, rows = np.ones(pages), window if window is not None else lists
    low = np.zeros(pages) if rows is None else true_sums(_of_pages(rows, n), pages, rules)[0]
    cells = without_cells(pages, total, ones, rules) if lists is None else _page_cells(lists, n, pages, rules)
    _, high = own_bounds(None if window is None else _of_pages(window, n), cells, ones, rules)
    return Unplaced(low, np.maximum(low, np.minimum(high, max(total - float(low.sum()), 0.0) + low)))


def pages_outside(found: Found, n: int) -> Found:
    """The same rows, with pages of unknown owner (rows n and up) as entities outside the segment."""
    if found is None or not (found.account >= n).any():
        return found
    return replace(found, account=np.where(found.account < n, found.account, OUTSIDE))


def _of_pages(rows: Rows | CreativeDayLists, n: int) -> Rows:
    own = rows.account >= n
    return Rows(rows.account[own] - n, rows.impressions[own])


def _page_cells(lists: CreativeDayLists, n: int, pages: int, rules: ReportRules) -> Cells:
    """What printed and missing cells say about each page, in rows n, n + 1, ...; (pages,) each.

    If a page is one of our accounts', it can only have been on the lists some single account can have
    been on, so what its missing cells hold is the most that the eligibility of any account allows.
    """
    own = lists.account >= n
    mine = replace(lists, list_of=lists.list_of[own], account=lists.account[own] - n,
                   impressions=lists.impressions[own])  # fmt: skip
    limits = np.stack([np.ones(lists.totals.size), *missing_cell_limits(lists, rules)])
    low, high = true_sums(mine, pages, rules)
    if lists.eligible is None or lists.audience is None:
        most = over_missing(limits, mine, np.ones(pages))
    else:
        slots = lists.eligible.shape[0]
        audience = np.stack([np.bincount(lists.audience, weights=row, minlength=slots) for row in limits])
        cell = mine.account * slots + lists.audience[mine.list_of]
        taken = np.stack(
            [np.bincount(cell, weights=row[mine.list_of], minlength=pages * slots) for row in limits]
        )
        room: Table = audience[:, None, :].astype(np.float64) - taken.reshape(-1, pages, slots)
        most = _most_open(room, _distinct(lists.eligible))
    missing, beyond, small = most
    return Cells(low, high, printed=count_rows(mine, pages), missing=missing, cut=beyond, dropped=small)


def _most_open(room: Table, patterns: Table) -> Table:
    """(m, p) the largest sum of ``room`` (m, p, A) over the lists of one pattern, (A, u) of 0 and 1; at least 0."""
    most = np.zeros(room.shape[:2])
    for at in range(0, patterns.shape[1], BLOCK):
        most = np.maximum(most, (room @ patterns[:, at : at + BLOCK]).max(axis=2))
    return most


def _distinct(eligible: NDArray[np.bool_]) -> Table:
    """(A, u) the different columns of ``eligible`` (A, n)."""
    _, first = np.unique(np.packbits(eligible, axis=0).T, axis=0, return_index=True)
    return eligible[:, first].astype(np.float64)
