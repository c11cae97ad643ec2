"""What the printed and the missing cells of LinkedIn's company reports say about each account.

Knows how the platform cuts (Microsoft Learn, ads reporting and its FAQ, read 2026-08),
in this order: per creative and day only the 100 values with the most impressions
are kept; kept cells are added up to the asked grain; sums below 3 are dropped; an
integer of -3..3 is added to each printed value. Never treats a missing row as zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from balancer.errors import BadNumbers, InconsistentReport
from balancer.types import Indices, Vector

Table = NDArray[np.float64]
UNKNOWN = 1e15  # impressions of a list whose total was not fetched: more than any list, yet finite
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
    account      (m,) row number, or OUTSIDE (rows beyond the accounts: pages of unknown owner)
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
class Cells:
    """What creative-day cells, printed and missing, say about each account; (n,) impressions or counts."""

    low: Vector  # printed cells, at least
    high: Vector  # printed cells, at most
    printed: Vector  # number of printed cells
    missing: Vector  # number of cells that are not printed
    cut: Vector  # most that cells beyond the list depth can hold
    dropped: Vector  # most that kept cells too small to print can hold


def true_sums(rows: Rows | CreativeDayLists, n: int, rules: ReportRules) -> tuple[Vector, Vector]:
    """Per account, the least and the most its printed values can stand for."""
    inside = rows.account != OUTSIDE
    value, account = rows.impressions[inside], rows.account[inside]
    least = np.maximum(value - rules.noise, rules.floor)
    most = np.maximum(value + rules.noise, rules.floor)
    return (
        np.bincount(account, weights=least, minlength=n).astype(np.float64),
        np.bincount(account, weights=most, minlength=n).astype(np.float64),
    )


def read_cells(lists: CreativeDayLists, n: int, pages: Vector, rules: ReportRules) -> Cells:
    """What the cells of ``lists`` say about each of the n accounts; ``pages`` (n,) entities per account."""
    cut, dropped = _missing_cell_limits(lists, rules)
    missing, beyond, small = _over_missing(np.stack([np.ones(cut.size), cut, dropped]), lists, pages)
    low, high = true_sums(lists, n, rules)
    return Cells(low, high, printed=count_rows(lists, n), missing=missing, cut=beyond, dropped=small)


def without_cells(n: int, total: float, pages: Vector, rules: ReportRules) -> Cells:
    # A cut cell is no larger than any of the kept ones, so all lists together hold depth + 1 times as much.
    cut = np.zeros(n) if rules.depth is None else pages * (total / (rules.depth + 1))
    return Cells(np.zeros(n), np.full(n, np.inf), np.zeros(n), pages, cut, np.zeros(n))


def own_bounds(window: Rows | None, cells: Cells, pages: Vector, rules: ReportRules) -> tuple[Vector, Vector]:
    """(n,) least and most of each account by its own rows and cells alone: kept mass, plus what may be cut.

    pages  (n,) entities per account. Raises InconsistentReport where rows and cells disagree beyond noise.
    """
    n = pages.size
    kept_low, kept_high = np.zeros(n), np.full(n, np.inf)
    if window is not None:
        kept_low, kept_high = true_sums(window, n, rules)
        kept_high += rules.unseen * np.maximum(pages - count_rows(window, n), 0.0)
    low = np.maximum(kept_low, cells.low)
    high = np.minimum(kept_high, cells.high + cells.dropped) + cells.cut
    gap = low - high
    if (gap > 2 * rules.noise).any():  # the platform promises its noise "in almost all cases" only
        raise InconsistentReport(f"{int((gap > 0).sum())} accounts have cells that contradict their rows.")
    return np.minimum(low, high), np.maximum(low, high)


def _missing_cell_limits(lists: CreativeDayLists, rules: ReportRules) -> tuple[Vector, Vector]:
    """(L,) the most a missing cell of each list can hold: if it was cut, and if it was kept unprinted."""
    count = lists.totals.size
    printed = np.bincount(lists.list_of, minlength=count)
    least = np.maximum(lists.impressions - rules.noise, rules.floor)
    totals = np.where(np.isnan(lists.totals), UNKNOWN, lists.totals)
    rest = np.maximum(totals - np.bincount(lists.list_of, weights=least, minlength=count), 0.0)
    dropped = np.minimum(rules.unseen, rest)
    if rules.depth is None:
        return np.zeros(count), dropped
    smallest = np.full(count, np.inf)
    np.minimum.at(smallest, lists.list_of, np.maximum(lists.impressions + rules.noise, rules.floor))
    full = printed >= rules.depth
    crowded = np.floor(rest / np.maximum(rules.depth + 1 - printed, 1))
    beyond = np.minimum(np.minimum(smallest, rest), totals / (rules.depth + 1))
    cut = np.where(full, beyond, np.minimum(rules.unseen, crowded))
    # A creative that too few members engaged with prints nothing at all, whatever it delivered.
    silent = (printed == 0) & (rules.floor > 1)
    cut = np.where(silent, totals, cut)
    return cut, np.where(full | silent, 0.0, dropped)


def _over_missing(limits: Table, lists: CreativeDayLists, pages: Vector) -> Table:
    """(m, n) sums of ``limits`` (m, L) over the lists each account may be in but is not printed in."""
    n = pages.size
    inside = lists.account != OUTSIDE
    account, of = lists.account[inside], lists.list_of[inside]
    shown = limits[:, of]
    if lists.eligible is None or lists.audience is None:
        everywhere = np.repeat(limits.sum(axis=1)[:, None], n, axis=1)
    else:
        count = lists.eligible.shape[0]
        audiences = np.stack([np.bincount(lists.audience, weights=row, minlength=count) for row in limits])
        used = np.bincount(lists.audience, minlength=count) > 0
        everywhere = audiences[:, used] @ lists.eligible[used].astype(np.float64)
        shown = shown * lists.eligible[lists.audience[of], account]
    taken = np.stack([np.bincount(account, weights=row, minlength=n) for row in shown])
    return np.asarray(np.maximum(pages * everywhere - taken, 0.0), dtype=np.float64)


def count_rows(rows: Rows | CreativeDayLists, n: int) -> Vector:
    return np.bincount(rows.account[rows.account != OUTSIDE], minlength=n).astype(np.float64)


def check_rows(rows: Rows | CreativeDayLists | None, n: int) -> None:
    if rows is None:
        return
    if rows.account.size != rows.impressions.size:
        raise BadNumbers(f"{rows.account.size} accounts for {rows.impressions.size} counts.")
    if rows.account.size and (rows.account.min() < OUTSIDE or rows.account.max() >= n):
        raise BadNumbers(f"A row names account {rows.account.max()}, but there are {n}.")
    if not np.isfinite(rows.impressions).all() or (rows.impressions < 0.0).any():
        raise BadNumbers("A printed count is negative or not a number.")
