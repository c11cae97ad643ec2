from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from balancer import guards
from balancer.types import Policy
from tests.balancer.closed_loop import day_report, morning


@given(
    seed=st.integers(0, 10_000), n=st.integers(1, 60), k=st.integers(1, 6), minimum=st.floats(0.0, 5_000.0)
)
@settings(max_examples=80, deadline=None)
def test_after_merging_no_used_band_is_too_small_unless_the_whole_segment_is(seed, n, k, minimum):
    rng = np.random.default_rng(seed)
    members = rng.integers(1, 400, n).astype(float)
    band = rng.integers(0, k, n).astype(np.int8)

    got = guards.merge_small(band, members, k, minimum)

    size = np.bincount(got, weights=members, minlength=k)
    used = np.bincount(got, minlength=k) > 0
    assert (size[used] >= minimum).all() or used.sum() == 1
    assert np.array_equal(guards.merge_small(got, members, k, minimum), got)


def test_a_small_band_joins_its_smaller_neighbour_and_others_stay():
    members = np.array([600.0, 600.0, 100.0, 500.0])
    band = np.array([0, 1, 2, 3], dtype=np.int8)

    assert guards.merge_small(band, members, 4, 450).tolist() == [0, 1, 3, 3]


def test_unknown_members_merge_nothing():
    band = np.array([0, 1, 2], dtype=np.int8)

    assert np.array_equal(guards.merge_small(band, np.zeros(3), 3, 450), band)


@given(seed=st.integers(0, 10_000), n=st.integers(1, 60), limit=st.integers(0, 70))
@settings(max_examples=60, deadline=None)
def test_the_churn_budget_keeps_the_most_urgent_changes_and_no_others(seed, n, limit):
    rng = np.random.default_rng(seed)
    before = rng.integers(0, 3, n).astype(np.int8)
    after = rng.integers(0, 3, n).astype(np.int8)
    urgency = rng.random(n)

    got = guards.within_churn(before, after, urgency, limit)

    made, wanted = got != before, after != before
    assert made.sum() == min(limit, wanted.sum())
    assert (got[made] == after[made]).all()
    if made.any() and (wanted & ~made).any():
        assert urgency[made].min() >= urgency[wanted & ~made].max()


def test_a_young_segment_is_not_stale_and_an_old_report_is():
    policy = Policy()
    assert guards.unfit_data(morning(day=100), policy, -(10**6), 99) is None
    status = guards.unfit_data(morning(day=120), policy, 100, 90)
    assert status is not None
    assert (status.code, status.number, status.detail) == ("frozen", 20.0, "stale_report")


def test_rows_may_exceed_the_total_by_their_noise_and_no_more():
    report = day_report(np.full(10, 5.0), day=99)
    object.__setattr__(report, "band_total", np.array([25.0]))
    assert guards.row_excess(report) == 0.0
    object.__setattr__(report, "band_total", np.array([15.0]))
    assert guards.row_excess(report) > 4.0
