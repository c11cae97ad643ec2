"""Hard bounds against every possible truth, enumerated."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from balancer.bounds import Box, covered, gini_bounds, group_sum, hhi_bounds, tightened, top_sum
from balancer.errors import InconsistentReport
from tests.balancer.slow_twins import every_integer_point, gini, top_k

PROPERTY = settings(max_examples=120, deadline=None)


@st.composite
def boxes(draw):
    """A box of at most five accounts and a range of sums, with at least one integer truth in it."""
    n = draw(st.integers(1, 5))
    low = np.array(draw(st.lists(st.integers(0, 4), min_size=n, max_size=n)), dtype=float)
    high = low + np.array(draw(st.lists(st.integers(0, 4), min_size=n, max_size=n)))
    mass_low = draw(st.integers(int(low.sum()), int(high.sum())))
    mass_high = draw(st.integers(mass_low, min(int(high.sum()), mass_low + 3)))
    return tightened(low, high, float(mass_low), float(mass_high))


def truths(box: Box) -> np.ndarray:
    sums = range(int(box.mass_low), int(box.mass_high) + 1)
    return np.concatenate([every_integer_point(s, box.low, box.high) for s in sums])


@PROPERTY
@given(boxes(), st.integers(1, 5))
def test_no_truth_has_a_top_k_sum_outside_its_bounds_and_the_ends_are_close(box, k):
    sums = [top_k(x, k) for x in truths(box)]
    low, high = top_sum(box, k)
    assert low - 1e-9 <= min(sums)
    assert max(sums) <= high + 1e-9
    # The lower end is attained up to whole units; the upper is at most one account's interval too wide.
    assert min(sums) - low < box.low.size
    assert high - max(sums) <= (box.high - box.low).max() + 1e-9


@PROPERTY
@given(boxes())
def test_no_truth_has_a_gini_or_square_sum_outside_its_bounds(box):
    points = [x for x in truths(box) if x.sum() > 0]
    assume(points)
    low, high = gini_bounds(box)
    values = [gini(x) for x in points]
    assert low - 1e-9 <= min(values)
    assert max(values) <= high + 1e-9
    low, high = hhi_bounds(box)
    squares = [float(x @ x) / float(x.sum()) ** 2 for x in points]
    assert low - 1e-9 <= min(squares)
    assert max(squares) <= high + 1e-9


@PROPERTY
@given(boxes(), st.integers(1, 6))
def test_both_ends_of_coverage_are_attained_by_some_truth(box, k):
    counts = [int((x >= k).sum()) for x in truths(box)]
    assert covered(box, float(k)) == (min(counts), max(counts))


@PROPERTY
@given(boxes(), st.lists(st.booleans(), min_size=5, max_size=5))
def test_both_ends_of_a_group_sum_are_attained_by_some_truth(box, chosen):
    rows = np.array(chosen[: box.low.size])
    sums = [float(x[rows].sum()) for x in truths(box)]
    assert group_sum(box, rows) == pytest.approx((min(sums), max(sums)))


@PROPERTY
@given(boxes())
def test_tightened_bounds_are_attained_account_by_account(box):
    points = truths(box)
    assert points.min(axis=0) == pytest.approx(box.low)
    assert points.max(axis=0) == pytest.approx(box.high)


def test_a_known_truth_has_no_width():
    x = np.array([5.0, 3.0, 0.0, 12.0])
    box = tightened(x, x, 20.0, 20.0)
    assert top_sum(box, 2) == pytest.approx((17.0, 17.0))
    assert gini_bounds(box) == pytest.approx((gini(x), gini(x)))
    assert hhi_bounds(box) == pytest.approx((178.0 / 400.0, 178.0 / 400.0))
    assert covered(box, 3.0) == (3, 3)


def test_the_homogeneous_case_has_the_published_ends():
    """N listed counts, the rest R over m accounts of at most y each: the worst has R // y accounts at y."""
    listed = np.array([40.0, 30.0, 20.0])
    low = np.concatenate([listed, np.zeros(7)])
    high = np.concatenate([listed, np.full(7, 20.0)])
    box = tightened(low, high, 150.0, 150.0)
    worst = np.concatenate([listed, [20.0, 20.0, 20.0], np.zeros(4)])
    even = np.concatenate([listed, np.full(7, 60.0 / 7)])
    assert gini_bounds(box) == pytest.approx((gini(even), gini(worst)))
    assert hhi_bounds(box) == pytest.approx((float(even @ even) / 150**2, float(worst @ worst) / 150**2))
    assert covered(box, 5.0) == (3 + 2, 3 + 7)  # 7 x 4 = 28 can hide below 5; 32 more need two accounts


@pytest.mark.parametrize(("mass_low", "mass_high"), [(0.0, 4.0), (31.0, 40.0)])
def test_totals_no_truth_can_reach_are_a_contradiction(mass_low, mass_high):
    with pytest.raises(InconsistentReport, match="between 5 and 30"):
        tightened(np.array([5.0, 0.0]), np.array([10.0, 20.0]), mass_low, mass_high)
