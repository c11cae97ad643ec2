"""From report rows to what each account can have been shown: low, best guess, high.

For account c, with S its kept and H its cut cells, ``x = S + H``:

- a whole-window row r means ``max(3, r - 3) <= S <= r + 3``; no row means ``S <= 2``;
- a printed cell v of one creative-day means ``max(3, v - 3) <= cell <= v + 3``;
- a cell that is missing where 100 are printed was cut, so it is at most the
  smallest printed cell's true value, and so at most that value + 3;
- a cell that is missing where m < 100 are printed is at most 2, and was cut
  only if 100 - m unprinted cells were at least as large, which the rest of
  that list's exact total must be able to hold;
- without cells, 101 times a cut cell still fits into its list's total.

Never treats a missing row as zero, and never assumes a distribution (``tails`` does).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from balancer.bounds import Box, tightened
from balancer.errors import BadNumbers, InconsistentReport
from balancer.shares_cells import (
    LINKEDIN,
    OUTSIDE,
    Cells,
    CreativeDayLists,
    ReportRules,
    Rows,
    check_rows,
    count_rows,
    own_bounds,
    read_cells,
    without_cells,
)
from balancer.shares_completion import completed
from balancer.shares_pages import pages_outside, unplaced_pages
from balancer.shares_parts import exact_parts
from balancer.types import Exposure, Indices, Part, Unplaced, Vector


def build_exposure(
    accounts: Sequence[str],
    *,
    total: float,
    window: Rows | None,
    lists: CreativeDayLists | None = None,
    rules: ReportRules = LINKEDIN,
    eligible: NDArray[np.bool_] | None = None,
    entities: Indices | None = None,
    outside_at_most: float | None = None,
    unplaced: int = 0,
) -> Exposure:
    """Bound each account's impressions over one window, for one query scope.

    accounts  (n,) ids in byte order; row numbers refer to them
    total     the platform's exact total for the same window and scope
    window    rows of the whole-window query (granularity ALL), or None if not asked
    lists     cells of every creative and day of the scope, or None if not asked
    eligible  (n,) bool, accounts in force at any time in the window; None = all
    entities  (n,) on how many platform entities (company pages) an account may hide; None = 1 each
    outside_at_most  impressions outsiders may have taken unseen; None = any where rows show outsiders, else 0
    unplaced  number of pages nobody could match; their rows are n, n + 1, ... (see ``Unplaced``)

    ``low`` and ``high`` hold for every delivery consistent with the report; ``point`` is one (``completed``).
    Raises BadNumbers, and InconsistentReport when rows contradict the total beyond noise.
    """
    n = len(accounts)
    rows = _checked(window, lists, n + unplaced)
    strays = unplaced_pages(window, lists, n, unplaced, rules=rules) if unplaced else None
    window, lists, rows = pages_outside(window, n), pages_outside(lists, n), pages_outside(rows, n)
    pages = np.ones(n) if entities is None else np.maximum(entities, 1).astype(np.float64)
    cells = without_cells(n, total, pages, rules) if lists is None else read_cells(lists, n, pages, rules)
    low, high = own_bounds(window, cells, pages, rules)
    printed, listed = _printed(n, rows, window)
    high = high if eligible is None else np.where(eligible | listed, high, 0.0)
    most = _most_outside(outside_at_most, room=float(high.sum()), total=total, strays=strays)
    mass, outside = _mass(total, low, rows, rules, most)
    parts = exact_parts(lists, total=total, pages=pages, rules=rules) if mass[0] == mass[1] else ()
    box = _box(low, np.minimum(high, max(total, float(low.max(initial=0.0)))), mass, parts)
    return replace(_exposure(accounts, total, box, cells, printed, listed, outside), unplaced=strays)


def _most_outside(given: float | None, *, room: float, total: float, strays: Unplaced | None) -> float | None:
    """What outsiders may have taken unseen; ``room`` is all that the accounts' ceilings hold.

    None where every row is an account's and the accounts have room for the total (``_mass`` looks at the rows).
    """
    if given is None:
        return np.inf if room < total else None  # the rows themselves show that somebody else was served
    return given if strays is None else given + float(strays.high.sum())  # so much may be under their pages


def _checked(window: Rows | None, lists: CreativeDayLists | None, n: int) -> Rows | CreativeDayLists:
    """The rows whose sum the total is compared with: whole-window rows, else cells. Raises BadNumbers."""
    check_rows(window, n)
    check_rows(lists, n)
    rows = window if window is not None else lists
    if rows is None:
        raise BadNumbers("An exposure needs whole-window rows, creative-day cells, or both.")
    return rows


def _exposure(
    accounts: Sequence[str],
    total: float,
    box: Box,
    cells: Cells,
    printed: Vector,
    listed: NDArray[np.bool_],
    outside: float,
) -> Exposure:
    """The box with a best guess in it. printed (n,), listed (n,); outside as printed for outsiders."""
    point = completed(np.clip(printed, box.low, box.high), box, cells, mass=total - outside)
    return Exposure(
        tuple(accounts), box.low, point, box.high, float(total), listed,
        outside=max(0.0, float(total - point.sum())), mass=(box.mass_low, box.mass_high),
        rows=outside + float(printed.sum()), parts=box.parts,
    )  # fmt: skip


def _box(low: Vector, high: Vector, mass: tuple[float, float], parts: tuple[Part, ...]) -> Box:
    try:
        return tightened(low, high, *mass, parts)
    except InconsistentReport:
        if not parts:
            raise
        # Membership lands when the platform likes; without the campaigns' own totals the bounds still hold.
        return tightened(low, high, *mass)


def _mass(
    total: float,
    low: Vector,
    rows: Rows | CreativeDayLists,
    rules: ReportRules,
    outside_at_most: float | None,
) -> tuple[tuple[float, float], float]:
    """Bounds of the accounts' own sum, and what was printed for outsiders. Raises InconsistentReport."""
    if not np.isfinite(total) or total < 0.0:
        raise BadNumbers(f"The total must be a finite number of impressions, 0 or more, not {total}.")
    excess = float(rows.impressions.sum()) - total
    if excess > rules.noise * rows.impressions.size:
        raise InconsistentReport(
            f"{rows.impressions.size} rows exceed the platform's total by {excess:.0f}, "
            f"more than {rules.noise} each."
        )
    theirs = rows.impressions[rows.account == OUTSIDE]
    least = float(np.maximum(theirs - rules.noise, rules.floor).sum())
    if outside_at_most is None:
        outside_at_most = np.inf if theirs.size else 0.0
    own_low = max(total - max(outside_at_most, least), min(float(low.sum()), total - least))
    return (own_low, total - least), min(float(theirs.sum()), total - own_low)


def _printed(n: int, rows: Rows | CreativeDayLists, window: Rows | None) -> tuple[Vector, NDArray[np.bool_]]:
    """(n,) impressions as printed, added up per account, and (n,) whether a row of the window names it."""
    inside = rows.account != OUTSIDE
    sums = np.bincount(rows.account[inside], weights=rows.impressions[inside], minlength=n)
    printed: Vector = sums.astype(np.float64)
    return printed, printed > 0.0 if window is None else count_rows(window, n) > 0.0
