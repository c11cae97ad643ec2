"""What may be said about two windows of the share report, before anything is claimed. Reads tables only.

Every before/after sentence comes after ``comparison_notes``: unlike windows are refused, and a
change that is of the size that comes by itself is called that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from balancer.errors import BadNumbers, Incomparable
from balancer.evaluate_band import Band, aa_band
from balancer.shares_compare import Comparison, Window, compare
from balancer.tails import ModelledShares, modelled_shares
from balancer.types import Exposure, ShareTable
from flows.report import formats
from flows.report.catalogue import say

DRAWS, SEED = 40, 1  # the modelled range is the same whenever the report is printed again
LEAST_ACCOUNTS = 50


@dataclass(frozen=True, slots=True)
class Compared:
    """``change`` None: the windows must not be compared, and ``notes`` say why. Notes are codes or sentences."""

    change: Comparison | None
    notes: tuple[str, ...]
    band: Band | None = None


def comparison_notes(
    before: ShareTable,
    after: ShareTable,
    first: tuple[date, date],
    second: tuple[date, date],
    *,
    creatives: tuple[int, int] = (0, 0),
    weekly: Sequence[float] = (),
) -> Compared:
    """Compare two windows, or say why not.

    first, second  first and last day of each window
    creatives      active creatives in each (each has its own list of a hundred companies a day)
    weekly         top-N share of the weeks *before* balancing, each re-ranked in itself, oldest first
    """
    try:
        change = compare(
            before, after, first=_window(first, creatives[0]), second=_window(second, creatives[1])
        )
    except Incomparable as refused:
        return Compared(None, (say("report.compared.not", why=str(refused)),))
    band = quiet_band(weekly)
    said = tuple(_size(change, band)) if band is not None else ()
    return Compared(change, (*change.notes, *said), band)


def quiet_band(weekly: Sequence[float]) -> Band | None:
    """How much the weekly share changes by itself; None while too few quiet weeks are known."""
    try:
        return aa_band(np.asarray(weekly, dtype=np.float64))
    except BadNumbers:
        return None


def modelled(exposure: Exposure) -> ModelledShares | None:
    """The usual shape of such lists put on this one; None where it does not fit, or nothing is hidden.

    Always to be shown beside the hard bounds, never instead of them.
    """
    if exposure.point.size < LEAST_ACCOUNTS or np.array_equal(exposure.low, exposure.high):
        return None
    try:
        return modelled_shares(exposure, rng=np.random.default_rng(SEED), draws=DRAWS)
    except BadNumbers:
        return None


def modelled_note(exposure: Exposure) -> str:
    """One sentence with the modelled ranges; "" where the model is not believed."""
    found = modelled(exposure)
    if found is None:
        return ""
    gini, tenth, even = found.gini, found.top_decile, found.coverage_even
    return say(
        "report.usual_shape",
        tenth=_range(f"{tenth.low:.1%}", f"{tenth.high:.1%}"),
        gini=_range(f"{gini.low:.2f}", f"{gini.high:.2f}"),
        coverage=_range(f"{even.low:.1%}", f"{even.high:.1%}"),
    )


def _range(low: str, high: str) -> str:
    return say("range.to", low=low, high=high)


def _window(span: tuple[date, date], creatives: int) -> Window:
    return Window(first_day=span[0].toordinal(), days=(span[1] - span[0]).days + 1, creatives=creatives)


def _size(change: Comparison, band: Band) -> list[str]:
    """Weekly figures move more than monthly ones, so the band is on the safe side for longer windows."""
    told = {"moved": change.top_share.point, "low": band.low, "high": band.high}
    points = {name: formats.points(value, 1) for name, value in told.items()}
    inside = band.holds(change.top_share.point)
    return [say("report.compared.inside", **points) if inside else say("report.compared.outside", **points)]
