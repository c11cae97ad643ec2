"""What a plan must never do, whatever the arithmetic says.

Each guard takes a proposal and gives back a tamer one, or a reason to freeze.
No guard ever adds a change that was not proposed, except to fill a list that is too small.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from balancer.allocate_limits import known_members
from balancer.sums import by_band
from balancer.types import UNPLACED, DayReport, Policy, State, Status, Vector

NOISE = 3.0  # the platform perturbs each row by up to three
CELLS = 5.0
Band = NDArray[np.int8]


def unfit_data(state: State, policy: Policy, last_absorbed: int, first_day: int) -> Status | None:
    """Why nothing should change today: reports too old, or rows that contradict the totals.

    Ages are counted from the first day of control, so a segment that has just
    started is not called stale.
    """
    newest = max([report.day for report in state.reports], default=last_absorbed)
    age = state.day - max(newest, first_day)
    if age > policy.stale_days + policy.report_delay:
        return Status("frozen", float(age), "stale_report")
    for report in state.reports:
        excess = row_excess(report)
        if excess > 0.0:
            return Status("frozen", excess, "rows_exceed_total")
    return None


def row_excess(report: DayReport) -> float:
    """Impressions by which the rows exceed the campaigns' totals beyond their noise; 0 when they agree.

    A row summed over creatives carries the noise of every one of its cells; how many is not told, so
    such rows (``hidden`` is given) are allowed five.
    """
    cells = CELLS if report.hidden is not None else 1.0
    total = float(report.band_total.sum())
    rows = float(report.impressions.sum())
    return max(0.0, rows - total - NOISE * cells * report.account.size - 1e-6 * total)


def within_churn(before: Band, after: Band, urgency: Vector, limit: int | None) -> Band:
    """Keep the ``limit`` most urgent changes and undo the rest. urgency (n,), larger goes first."""
    changed = np.flatnonzero(before != after)
    if limit is None or changed.size <= limit:
        return after
    order = np.argsort(-urgency[changed], kind="stable")
    kept = after.copy()
    undone = changed[order[limit:]]
    kept[undone] = before[undone]
    return kept


def rested(moved: NDArray[np.int32], day: int, dwell: int) -> NDArray[np.bool_]:
    """(n,) bool: the account has stayed in its band for the dwell time."""
    return np.asarray(day - moved.astype(np.int64) >= dwell)


def merge_small(band: Band, members: Vector, k: int, minimum: float) -> Band:
    """Fold every band with fewer than ``minimum`` members into its smaller neighbour, until none is left.

    Bands are ordered by throttle, so a neighbour is the nearest policy. A segment that is too small
    as a whole ends in one band. Members of 0 are unknown: the median of the known counts for them, and where
    none is known nothing is merged.
    """
    if members.sum() <= 0.0:
        return band
    band, members = band.copy(), known_members(members)
    one = np.broadcast_to(1.0, band.size)
    while True:
        size = by_band(band, members, k)
        used = by_band(band, one, k) > 0.0
        live = np.flatnonzero(used)
        small = [b for b in live if size[b] < minimum]
        if not small or live.size <= 1:
            return band
        b = min(small, key=lambda c: (size[c], c))
        at = int(np.searchsorted(live, b))
        around = [int(live[j]) for j in (at - 1, at + 1) if 0 <= j < live.size]
        band[band == b] = min(around, key=lambda c: (size[c], c))


def held_out(band: Band, state: State, policy: Policy) -> Band:
    """Accounts the marketer never wants served are in no band."""
    if not policy.held:
        return band
    out = np.fromiter((account in policy.held for account in state.accounts), dtype=np.bool_, count=band.size)
    return np.where(out, np.int8(UNPLACED), band)
