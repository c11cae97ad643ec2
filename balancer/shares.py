"""Who was shown how much: the top-N impression-share report as numbers with bounds.

Measures, never judges: shares are over the platform's own total, a missing row
is unknown and never zero, and every headline carries a lower and an upper end
that no completion of the report can leave.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from balancer.allocate import checked_total
from balancer.bounds import Box, bounded
from balancer.errors import BadNumbers, InconsistentReport
from balancer.shares_cells import OUTSIDE, CreativeDayLists, ReportRules, Rows
from balancer.shares_exposure import build_exposure
from balancer.shares_unplaced import (
    Truths,
    covered,
    each,
    gini_bounds,
    group_sum,
    hhi_bounds,
    top_sum,
    truths_of,
)
from balancer.types import Bounded, Exposure, ShareTable, Vector

__all__ = [
    "OUTSIDE",
    "CreativeDayLists",
    "ReportRules",
    "Rows",
    "build_exposure",
    "concentration",
    "exposure_of",
    "per_member",
    "per_member_by_tier",
    "share_by_tier",
]

COVERAGE_AT = (1, 7, 25, 100)
EVEN_FRACTION = 0.25  # "covered" in the headline: at least a quarter of the even share
WIDE = 0.1  # bounds further apart leave a figure open: its point is then no estimate of it
UNDER_SERVED = 7.0  # impressions per window; below this a company hardly noticed


def concentration(
    report: Exposure | ArrayLike,
    *,
    top: int,
    total: float | None = None,
    coverage_at: Sequence[int] = COVERAGE_AT,
    under: float = UNDER_SERVED,
) -> ShareTable:
    """Measure how unevenly impressions fell on accounts.

    report       an Exposure, or (n,) impressions of a complete report
    top          N of the top-N share, >= 1 (at most n are counted)
    total        only with a plain array: the platform's total, at least its sum; None = its sum
    coverage_at  impressions an account needs to count as covered
    under        accounts with fewer impressions are under-served

    Top-N is re-ranked inside this window. Gini, HHI and effective accounts are
    of the accounts' own impressions, shares of the platform's total. The bounds hold for
    every truth the report allows, whosever the pages are that nobody could match; a ``point``
    is the figure of one of these truths (see ``ShareTable``). Raises BadNumbers and InconsistentReport.
    """
    if not isinstance(top, int | np.integer) or top < 1:
        raise BadNumbers(f"The top {top} accounts cannot be ranked; ask for a whole number from 1 up.")
    exposure = report if isinstance(report, Exposure) else exposure_of(report, total=total)
    if not exposure.accounts:
        raise BadNumbers("There is no account to rank.")
    return _table(exposure, truths_of(exposure), top, coverage_at, under)


def _table(
    exposure: Exposure, truths: Truths, top: int, coverage_at: Sequence[int], under: float
) -> ShareTable:
    point, never = exposure.point, int((~exposure.listed).sum())
    gini, hhi = _gini(truths, point), _hhi(truths, point)
    even = exposure.total / point.size
    return ShareTable(
        exposure=exposure,
        top=top,
        top_share=_top_share(exposure, truths, top),
        top_decile=_top_share(exposure, truths, -(-point.size // 10)),
        gini=gini,
        hhi=hhi,
        effective_accounts=_effective(hhi),
        coverage={k: _coverage(truths, point, float(k)) for k in coverage_at},
        coverage_even=_coverage(truths, point, EVEN_FRACTION * even) if even else Bounded(0.0, 0.0, 0.0),
        unattributed=1.0 - reported_rows(exposure) / exposure.total if exposure.total else 0.0,
        never_seen=never,
        under_served=_under_served(truths, point, under),
        order=np.argsort(-point, kind="stable").astype(np.int64),
        notes=_notes(exposure, truths.box, gini),
        never_seen_least=max(never - truths.pages.high.size, 0),  # a page is one account's at most
    )


def exposure_of(
    impressions: ArrayLike, *, total: float | None = None, accounts: Sequence[str] = ()
) -> Exposure:
    """A complete report as an Exposure: every count exact, what is missing from ``total`` fell elsewhere.

    impressions  (n,) finite, >= 0
    total        the platform's total, finite and at least the sum; None = the sum
    accounts     (n,) names, or none: they are then numbered

    Raises BadNumbers, and InconsistentReport for a total below the sum.
    """
    x = np.asarray(impressions, dtype=np.float64)
    if x.ndim != 1 or x.size == 0:
        raise BadNumbers(f"Expected one count per account, not an array of shape {x.shape}.")
    bad = ~np.isfinite(x) | (x < 0.0)
    if bad.any():
        first = int(np.argmax(bad))
        raise BadNumbers(f"The impressions at position {first} are {x[first]}; unknown is not a number here.")
    mass = float(x.sum())
    whole = mass if total is None else checked_total(total)
    if not mass <= whole * (1.0 + 1e-9):
        raise InconsistentReport(f"The rows add up to {mass:.0f}, above the platform's total {whole:.0f}.")
    names = tuple(accounts) if accounts else tuple(str(i) for i in range(x.size))
    if len(names) != x.size:
        raise BadNumbers(f"There are {len(names)} names for {x.size} counts.")
    outside = max(0.0, whole - mass)
    return Exposure(
        names, x, x, x, whole, np.ones(x.size, dtype=np.bool_), outside, mass=(mass, mass), rows=mass
    )


def reported_rows(exposure: Exposure) -> float:
    """Impressions printed in rows, of accounts inside and outside the segment."""
    if exposure.rows is not None:
        return exposure.rows
    return float(exposure.point[exposure.listed].sum()) + exposure.outside


def share_by_tier(exposure: Exposure, tier: NDArray[np.integer]) -> Mapping[int, Bounded]:
    """Share of the platform's total that each tier took, in [0, 1]. tier (n,).

    The highs hold one by one: a page nobody could match may be of any tier.
    """
    truths, shares = truths_of(exposure), {}
    for name in np.unique(tier):
        rows = tier == name
        low, high = group_sum(truths, rows)
        shares[int(name)] = _over(exposure.total, low, float(exposure.point[rows].sum()), high)
    return shares


def per_member_by_tier(
    exposure: Exposure, tier: NDArray[np.integer], members: Vector
) -> Mapping[int, Bounded]:
    """Impressions per matched member of each tier: of its accounts with known members, summed over both.

    tier     (n,)
    members  (n,) matched members, 0 = unknown; a tier of which none is known has no entry
    """
    truths, rates = truths_of(exposure), {}
    for name in np.unique(tier):
        rows = (tier == name) & (members > 0.0)
        if rows.any():
            low, high = group_sum(truths, rows)
            people = float(members[rows].sum())
            rates[int(name)] = _over(people, low, float(exposure.point[rows].sum()), high)
    return rates


def per_member(exposure: Exposure, members: Vector) -> tuple[Vector, Vector, Vector]:
    """Impressions per matched member: low, point, high, each (n,); NaN where members (n,) are unknown (0).

    The highs allow for every page nobody could match: each may be any one account's, so they hold one by
    one, not all at once.
    """
    low, high = each(truths_of(exposure))
    known = np.where(members > 0.0, members, np.nan)
    return low / known, exposure.point / known, high / known


def _over(total: float, low: float, point: float, high: float) -> Bounded:
    return bounded(low / total, point / total, high / total) if total else Bounded(0.0, 0.0, 0.0)


def _top_share(exposure: Exposure, truths: Truths, k: int) -> Bounded:
    low, high = top_sum(truths, k)
    point = float(np.sort(exposure.point)[::-1][:k].sum())
    return _over(exposure.total, low, point, min(high, exposure.total))


def _gini(truths: Truths, point: Vector) -> Bounded:
    mass, n = float(point.sum()), point.size
    low, high = gini_bounds(truths)
    if mass == 0.0:
        return bounded(0.0, 0.0, high if truths.mass_high else 0.0)
    value = 2.0 * float(np.cumsum(np.sort(point)[::-1]).sum()) / (n * mass) - (n + 1.0) / n
    return bounded(low, max(0.0, value), high)


def _hhi(truths: Truths, point: Vector) -> Bounded:
    mass = float(point.sum())
    if mass == 0.0:
        return bounded(0.0, 0.0, hhi_bounds(truths)[1] if truths.mass_high else 0.0)
    low, high = hhi_bounds(truths)
    return bounded(low, float((point * point).sum()) / mass**2, high)


def _effective(hhi: Bounded) -> Bounded:
    """1 / HHI; the guess that nobody was served is no account, whatever else may be true."""
    ends = [1.0 / end if end else 0.0 for end in (hhi.high, hhi.point, hhi.low)]
    return bounded(*ends)


def _coverage(truths: Truths, point: Vector, k: float) -> Bounded:
    low, high = covered(truths, k)
    n = point.size
    return bounded(low / n, float((point >= k).mean()), high / n)


def _under_served(truths: Truths, point: Vector, under: float) -> Bounded:
    low, high = covered(truths, under)
    return bounded(float(point.size - high), float((point < under).sum()), float(point.size - low))


def _notes(exposure: Exposure, box: Box, gini: Bounded) -> tuple[str, ...]:
    """Stable codes; the sentences live in the report's word list."""
    notes = []
    if exposure.total == 0.0:
        notes.append("no_impressions")
    if not exposure.listed.all():
        notes.append("missing_rows_are_unknown_not_zero")
    if gini.high - gini.low > WIDE:
        notes.append("guesses_share_what_is_unseen_evenly")
    if exposure.outside > 0.0:
        notes.append("some_impressions_fell_outside_the_segment")
    if box.mass_high - box.mass_low > 1e-9 * box.mass_high:
        notes.append("hidden_impressions_may_be_outside_the_segment")
    if reported_rows(exposure) > exposure.total:
        notes.append("rows_exceed_total_within_noise")
    return tuple(notes)
