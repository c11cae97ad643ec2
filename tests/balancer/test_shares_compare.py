"""Two windows side by side: what may be compared, and what is said about it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from balancer.errors import Incomparable
from balancer.shares import concentration
from balancer.shares_compare import Window, compare, coverage_gain
from balancer.types import Bounded, Exposure

BEFORE, AFTER = Window(100, 28, 5), Window(128, 28, 5)


def table(counts, *, top=2):
    return concentration(np.array(counts, dtype=float), top=top)


def test_a_fall_of_the_top_share_is_the_difference_of_the_two_tables():
    change = compare(table([50, 30, 10, 10]), table([30, 30, 20, 20]), first=BEFORE, second=AFTER)
    assert change.top_share.point == pytest.approx(-0.2)
    assert change.coverage_even.point == 0.0
    assert "change_is_certain" in change.notes


def test_a_better_top_share_without_more_coverage_is_called_out():
    before, after = table([60, 20, 10, 10, 0, 0]), table([40, 20, 20, 20, 0, 0])
    change = compare(before, after, first=BEFORE, second=AFTER)
    assert "top_share_fell_but_coverage_did_not_rise" in change.notes
    spread = compare(before, table([40, 20, 10, 10, 10, 10]), first=BEFORE, second=AFTER)
    assert "top_share_fell_but_coverage_did_not_rise" not in spread.notes


def test_coverage_that_only_a_guess_shares_out_is_not_seen_to_have_grown():
    before, after = table([60, 20, 10, 10, 0, 0]), table([40, 20, 10, 10, 10, 10])
    open_ended = replace(after, coverage_even=Bounded(before.coverage_even.low, 1.0, 1.0))
    change = compare(before, open_ended, first=BEFORE, second=AFTER)
    assert coverage_gain(before, after) > 0.3
    assert coverage_gain(before, open_ended) == 0.0
    assert "top_share_fell_but_coverage_did_not_rise" in change.notes


def test_a_change_smaller_than_the_bounds_is_not_called_certain():
    vague = Exposure(
        ("a", "b"), np.array([40.0, 20.0]), np.array([60.0, 40.0]), np.array([80.0, 60.0]), 100.0,
        np.array([True, True]),
    )  # fmt: skip
    change = compare(concentration(vague, top=1), table([50, 50], top=1), first=BEFORE, second=AFTER)
    assert "change_is_within_the_bounds" in change.notes
    assert change.top_share.low <= change.top_share.point <= change.top_share.high


def test_more_creatives_other_accounts_and_another_total_are_mentioned():
    change = compare(table([5, 5]), table([10, 10, 10]), first=BEFORE, second=Window(128, 28, creatives=9))
    assert {"creative_count_changed", "account_count_changed", "total_changed"} <= set(change.notes)


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (Window(128, 7, 5), "28 and 7 days"),
        (Window(120, 28, 5), "overlap"),
        (Window(128, 28, 5, ranked_in=100), "ranked in another window"),
    ],
)
def test_windows_that_must_not_be_compared_are_refused_with_the_reason(second, reason):
    with pytest.raises(Incomparable, match=reason):
        compare(table([5, 5]), table([5, 5]), first=BEFORE, second=second)


def test_different_top_sizes_are_refused():
    with pytest.raises(Incomparable, match="top 2"):
        compare(table([5, 5]), table([5, 5], top=1), first=BEFORE, second=AFTER)
