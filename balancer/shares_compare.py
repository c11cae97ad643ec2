"""Put two windows side by side, or refuse to.

Says what changed in stable codes; never claims an effect (``evaluate`` does that).
"""

from __future__ import annotations

from dataclasses import dataclass

from balancer.errors import Incomparable
from balancer.shares import WIDE
from balancer.types import Bounded, ShareTable

NOISE_WIDTH = 0.005  # half a point; smaller changes of a share are not called a change


@dataclass(frozen=True, slots=True)
class Window:
    """How a ShareTable was made: days, first day (ordinal), active creatives, how the list was ranked.

    ranked_in  first day of the window the top-N set was ranked in; None = this window itself
    """

    first_day: int
    days: int
    creatives: int
    ranked_in: int | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Changes from ``before`` to ``after``; shares in fractions, low and high are hard bounds of the change.

    notes  codes: "top_share_fell_but_coverage_did_not_rise" (see ``coverage_gain``), "change_is_certain",
           "change_is_within_the_bounds", "creative_count_changed", "account_count_changed", "total_changed"
    """

    top_share: Bounded
    gini: Bounded
    coverage_even: Bounded
    notes: tuple[str, ...]


def compare(before: ShareTable, after: ShareTable, *, first: Window, second: Window) -> Comparison:
    """Compare two windows of equal length, each re-ranked in itself.

    Raises Incomparable for unequal lengths (a 7-day window shows up to 1.6
    points more concentration than 28 days of the same delivery), for overlapping
    windows, for different N, and for a top-N set ranked in another window (a
    fixed former top 100 falls by regression to the mean alone).
    """
    _refuse_unlike(before, after, first, second)
    share = _change(before.top_share, after.top_share)
    coverage = _change(before.coverage_even, after.coverage_even)
    return Comparison(
        share,
        _change(before.gini, after.gini),
        coverage,
        _notes(before, after, first, second, share),
    )


def coverage_gain(before: ShareTable, after: ShareTable) -> float:
    """By how much coverage is seen to have grown: of its sure part, where either window leaves it open.

    The point would only say how many accounts share evenly what nobody is named for.
    """
    then, now = before.coverage_even, after.coverage_even
    if max(then.high - then.low, now.high - now.low) > WIDE:
        return now.low - then.low
    return now.point - then.point


def _refuse_unlike(before: ShareTable, after: ShareTable, first: Window, second: Window) -> None:
    if first.days != second.days:
        raise Incomparable(f"The windows have {first.days} and {second.days} days.")
    if first.first_day < second.first_day + second.days and second.first_day < first.first_day + first.days:
        raise Incomparable(
            f"The windows overlap: they start {abs(second.first_day - first.first_day)} days apart."
        )
    if before.top != after.top:
        raise Incomparable(f"One is a top {before.top}, the other a top {after.top}.")
    for window in (first, second):
        if window.ranked_in is not None and window.ranked_in != window.first_day:
            raise Incomparable("A set ranked in another window falls back by itself; rank each window anew.")


def _change(before: Bounded, after: Bounded) -> Bounded:
    return Bounded(after.low - before.high, after.point - before.point, after.high - before.low)


def _notes(
    before: ShareTable, after: ShareTable, first: Window, second: Window, share: Bounded
) -> tuple[str, ...]:
    certain = share.high < 0.0 or share.low > 0.0
    found = {
        "change_is_certain": certain,
        "change_is_within_the_bounds": not certain,
        "top_share_fell_but_coverage_did_not_rise": (
            share.point < -NOISE_WIDTH and coverage_gain(before, after) <= NOISE_WIDTH
        ),
        "creative_count_changed": first.creatives != second.creatives,
        "account_count_changed": before.exposure.point.size != after.exposure.point.size,
        "total_changed": abs(after.exposure.total - before.exposure.total) > 0.05 * before.exposure.total,
    }
    return tuple(code for code, holds in found.items() if holds)
