"""From report rows to what each account can have been shown: low, best guess, high.

Knows how LinkedIn cuts its company reports (Microsoft Learn, ads reporting and
its FAQ, read 2026-08), in this order: per creative and day only the 100 values
with the most impressions are kept; kept cells are added up to the asked grain;
sums below 3 are dropped; an integer of -3..3 is added to each printed value.
Never treats a missing row as zero.

For account c, with S its kept and H its cut cells, ``x = S + H``:

- a whole-window row r means ``max(3, r - 3) <= S <= r + 3``; no row means ``S <= 2``;
- a printed cell v of one creative-day means ``max(3, v - 3) <= cell <= v + 3``;
- a cell that is missing where 100 are printed was cut, so it is at most the
  smallest printed cell's true value, and so at most that value + 3;
- a cell that is missing where m < 100 are printed is at most 2, and was cut
  only if 100 - m unprinted cells were at least as large, which the rest of
  that list's exact total must be able to hold;
- without cells, 101 times a cut cell still fits into its list's total.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from balancer.allocate import water_fill
from balancer.bounds import Box, tightened
from balancer.errors import BadNumbers, InconsistentReport
from balancer.types import Exposure, Indices, Vector

OUTSIDE = -1  # row number of an entity that is not in the segment


@dataclass(frozen=True, eq=False, slots=True)
class Rows:
    """Whole-window rows: ``account`` (m,) row numbers or OUTSIDE, ``impressions`` (m,) as printed."""

    account: Indices
    impressions: Vector


@dataclass(frozen=True, eq=False, slots=True)
class CreativeDayLists:
    """The printed cells of each creative on each day.

    list_of      (m,) which list a cell is from, 0 .. number of lists - 1
    account      (m,) row number, or OUTSIDE
    impressions  (m,) as printed
    totals       (L,) the platform's exact total of each list, NaN where not fetched
    audience     (L,) row of ``eligible`` that applies to each list; None = everyone is eligible everywhere
    eligible     (A, n) bool, accounts that could be shown each audience's ads at all
    """

    list_of: Indices
    account: Indices
    impressions: Vector
    totals: Vector
    audience: Indices | None = None
    eligible: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True)
class ReportRules:
    """How the platform cuts and blurs. ``depth`` None = lists are complete."""

    depth: int | None = 100
    floor: int = 3
    noise: int = 3

    @property
    def unseen(self) -> float:
        """The largest sum that is dropped for being small."""
        return float(max(self.floor - 1, 0))


LINKEDIN = ReportRules()
COMPLETE = ReportRules(depth=None, floor=0, noise=0)


@dataclass(frozen=True, eq=False, slots=True)
class _Cells:
    """What creative-day cells, printed and missing, say about each account; (n,) impressions or counts."""

    low: Vector  # printed cells, at least
    high: Vector  # printed cells, at most
    printed: Vector  # number of printed cells
    missing: Vector  # number of cells that are not printed
    cut: Vector  # most that cells beyond the list depth can hold
    dropped: Vector  # most that kept cells too small to print can hold


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
) -> Exposure:
    """Bound each account's impressions over one window, for one query scope.

    accounts  (n,) ids in byte order; row numbers refer to them
    total     the platform's exact total for the same window and scope
    window    rows of the whole-window query (granularity ALL), or None if not asked
    lists     cells of every creative and day of the scope, or None if not asked
    eligible  (n,) bool, accounts in force at any time in the window; None = all
    entities  (n,) how many platform entities (company pages) make up each account; None = 1 each
    outside_at_most  impressions that outsiders may have taken unseen; None = 0 when no row names an
        outsider, otherwise anything the rows leave room for

    ``low`` and ``high`` hold for every delivery consistent with the report;
    ``point`` puts hidden mass where there is room for it and adds up to the
    total less what was printed for outsiders. Raises BadNumbers, and
    InconsistentReport when rows contradict the total beyond their noise.
    """
    n = len(accounts)
    if window is None and lists is None:
        raise BadNumbers("An exposure needs whole-window rows, creative-day cells, or both.")
    _check_rows(window, n)
    _check_rows(lists, n)
    pages = np.ones(n) if entities is None else np.maximum(entities, 1).astype(np.float64)
    cells = _no_cells(n, total, pages, rules) if lists is None else _cells(lists, n, pages, rules)
    low, high = _own_bounds(window, cells, pages, rules)
    printed = _printed(n, window, lists)
    listed = printed > 0.0 if window is None else _count(window, n) > 0.0
    if eligible is not None:
        high = np.where(eligible | listed, high, 0.0)
    mass, outside = _mass(total, low, window if window is not None else lists, rules, outside_at_most)
    box = tightened(low, np.minimum(high, total), *mass)
    point = _completed(np.clip(printed, box.low, box.high), box, cells, total - outside)
    rows = outside + float(printed.sum())
    return Exposure(
        tuple(accounts), box.low, point, box.high, float(total), listed,
        outside=max(0.0, float(total - point.sum())), mass=(box.mass_low, box.mass_high), rows=rows,
    )  # fmt: skip


def _own_bounds(
    window: Rows | None, cells: _Cells, pages: Vector, rules: ReportRules
) -> tuple[Vector, Vector]:
    """Bounds per account from its own rows and cells alone: kept mass, plus what may have been cut."""
    n = pages.size
    kept_low, kept_high = np.zeros(n), np.full(n, np.inf)
    if window is not None:
        kept_low, kept_high = _true_sums(window, n, rules)
        kept_high += rules.unseen * np.maximum(pages - _count(window, n), 0.0)
    low = np.maximum(kept_low, cells.low)
    high = np.minimum(kept_high, cells.high + cells.dropped) + cells.cut
    if (low > high).any():
        raise InconsistentReport(f"{int((low > high).sum())} accounts have cells that contradict their rows.")
    return low, high


def _true_sums(rows: Rows | CreativeDayLists, n: int, rules: ReportRules) -> tuple[Vector, Vector]:
    """Per account, the least and the most its printed values can stand for."""
    inside = rows.account != OUTSIDE
    value, account = rows.impressions[inside], rows.account[inside]
    least = np.maximum(value - rules.noise, rules.floor)
    most = np.maximum(value + rules.noise, rules.floor)
    return (
        np.bincount(account, weights=least, minlength=n).astype(np.float64),
        np.bincount(account, weights=most, minlength=n).astype(np.float64),
    )


def _cells(lists: CreativeDayLists, n: int, pages: Vector, rules: ReportRules) -> _Cells:
    cut, dropped = _missing_cell_limits(lists, rules)
    each = np.ones(cut.size)
    low, high = _true_sums(lists, n, rules)
    return _Cells(
        low=low,
        high=high,
        printed=_count(lists, n),
        missing=_over_missing(each, lists, pages),
        cut=_over_missing(cut, lists, pages),
        dropped=_over_missing(dropped, lists, pages),
    )


def _no_cells(n: int, total: float, pages: Vector, rules: ReportRules) -> _Cells:
    # A cut cell is no larger than any of the kept ones, so all lists together hold depth + 1 times as much.
    cut = np.zeros(n) if rules.depth is None else pages * (total / (rules.depth + 1))
    return _Cells(np.zeros(n), np.full(n, np.inf), np.zeros(n), pages, cut, np.zeros(n))


def _missing_cell_limits(lists: CreativeDayLists, rules: ReportRules) -> tuple[Vector, Vector]:
    """(L,) the most a missing cell of each list can hold: if it was cut, and if it was kept unprinted."""
    count = lists.totals.size
    printed = np.bincount(lists.list_of, minlength=count)
    least = np.maximum(lists.impressions - rules.noise, rules.floor)
    totals = np.where(np.isnan(lists.totals), np.inf, lists.totals)
    rest = np.maximum(totals - np.bincount(lists.list_of, weights=least, minlength=count), 0.0)
    dropped = np.minimum(rules.unseen, rest)
    if rules.depth is None:
        return np.zeros(count), dropped
    smallest = np.full(count, np.inf)
    np.minimum.at(smallest, lists.list_of, np.maximum(lists.impressions + rules.noise, rules.floor))
    full = printed >= rules.depth
    with np.errstate(invalid="ignore"):
        crowded = np.floor(rest / np.maximum(rules.depth + 1 - printed, 1))
    beyond = np.minimum(np.minimum(smallest, rest), totals / (rules.depth + 1))
    cut = np.where(full, beyond, np.minimum(rules.unseen, crowded))
    return cut, np.where(full, 0.0, dropped)


def _over_missing(limit: Vector, lists: CreativeDayLists, pages: Vector) -> Vector:
    """Sum ``limit`` (L,) per account over the lists it could be in but is not printed in."""
    n = pages.size
    inside = lists.account != OUTSIDE
    account, of = lists.account[inside], lists.list_of[inside]
    shown = limit[of]
    if lists.eligible is None or lists.audience is None:
        everywhere = np.full(n, float(limit.sum()))
    else:
        audiences = np.bincount(lists.audience, weights=limit, minlength=lists.eligible.shape[0])
        everywhere = audiences @ lists.eligible
        shown = shown * lists.eligible[lists.audience[of], account]
    return np.maximum(pages * everywhere - np.bincount(account, weights=shown, minlength=n), 0.0)


def _mass(
    total: float,
    low: Vector,
    rows: Rows | CreativeDayLists | None,
    rules: ReportRules,
    outside_at_most: float | None,
) -> tuple[tuple[float, float], float]:
    """Bounds of the accounts' own sum, and what was printed for outsiders. Raises InconsistentReport."""
    if rows is None:
        raise BadNumbers("No rows at all.")
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


def _completed(known: Vector, box: Box, cells: _Cells, mass: float) -> Vector:
    """Put the hidden mass where it has room: in proportion to how much each account's missing cells can hold.

    An account that is printed often is near the cut in the lists it misses; one
    that never is gets the average missing cell.
    """
    mass = min(max(mass, box.mass_low), box.mass_high)
    hidden = mass - float(known.sum())
    if hidden <= 0.0:
        return water_fill(mass, weight=np.maximum(known, 1e-9), floor=box.low, cap=known).target
    often = cells.printed / np.maximum(cells.printed + cells.missing, 1.0)
    typical = hidden / max(float(cells.missing.sum()), 1.0)
    weight = cells.missing * typical + (cells.cut - cells.missing * typical).clip(0.0) * np.sqrt(often)
    room = np.maximum(box.high - known, 0.0)
    filled = known + water_fill(hidden, weight=np.maximum(weight, 1e-9), floor=0.0, cap=room).target
    return np.clip(filled, box.low, box.high)


def _printed(n: int, window: Rows | None, lists: CreativeDayLists | None) -> Vector:
    """(n,) impressions as printed: whole-window rows where there are any, else the sum of cells."""
    rows = window if window is not None else lists
    if rows is None:
        return np.zeros(n)
    inside = rows.account != OUTSIDE
    return np.bincount(rows.account[inside], weights=rows.impressions[inside], minlength=n).astype(np.float64)


def _count(rows: Rows | CreativeDayLists, n: int) -> Vector:
    return np.bincount(rows.account[rows.account != OUTSIDE], minlength=n).astype(np.float64)


def _check_rows(rows: Rows | CreativeDayLists | None, n: int) -> None:
    if rows is None:
        return
    if rows.account.size != rows.impressions.size:
        raise BadNumbers(f"{rows.account.size} accounts for {rows.impressions.size} counts.")
    if rows.account.size and (rows.account.min() < OUTSIDE or rows.account.max() >= n):
        raise BadNumbers(f"A row names account {rows.account.max()}, but there are {n}.")
    if not np.isfinite(rows.impressions).all() or (rows.impressions < 0.0).any():
        raise BadNumbers("A printed count is negative or not a number.")
