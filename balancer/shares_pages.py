"""What the rows of each page that nobody could match count.

Knows nothing of whose page it is, and never guesses (``shares_unplaced`` has the figures).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np

from balancer.shares_cells import OUTSIDE, CreativeDayLists, ReportRules, Rows, true_sums
from balancer.types import Unplaced

Found = TypeVar("Found", bound=Rows | CreativeDayLists | None)


def unplaced_pages(
    window: Rows | None, lists: CreativeDayLists | None, n: int, pages: int, *, rules: ReportRules
) -> Unplaced:
    """Bounds of what is counted in the rows of pages n .. n + pages - 1; (pages,) each.

    window, lists, rules  as given to ``build_exposure``, with the pages' rows in them

    Whole-window rows, or cells where those were not asked. A page that only cells name is counted by them at
    most; its least is then 0, because what cells count is not taken off the accounts' own mass.
    """
    low, high = np.zeros(pages), np.zeros(pages)
    if lists is not None:
        low, high = true_sums(_of_pages(lists, n), pages, rules)
    if window is not None:
        least, most = true_sums(_of_pages(window, n), pages, rules)
        low, high = least, np.where(most > 0.0, most, high)
    return Unplaced(low, high)


def pages_outside(found: Found, n: int) -> Found:
    """The same rows, with pages of unknown owner (rows n and up) as entities outside the segment."""
    if found is None or not (found.account >= n).any():
        return found
    return replace(found, account=np.where(found.account < n, found.account, OUTSIDE))


def _of_pages(rows: Rows | CreativeDayLists, n: int) -> Rows:
    own = rows.account >= n
    return Rows(rows.account[own] - n, rows.impressions[own])
