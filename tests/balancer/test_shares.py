"""The share report: figures of complete reports, edges, tiers and members."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balancer.errors import BadNumbers, InconsistentReport
from balancer.shares import concentration, exposure_of, per_member, per_member_by_tier, share_by_tier
from balancer.types import Bounded, Exposure
from tests.balancer.slow_twins import gini, top_k

PROPERTY = settings(max_examples=60, deadline=None)
COUNTS = st.lists(st.integers(0, 1000), min_size=1, max_size=60).filter(sum)


def exactly(value):
    return pytest.approx((value, value, value), rel=1e-9, abs=1e-12)


def ends(figure: Bounded):
    return (figure.low, figure.point, figure.high)


@PROPERTY
@given(COUNTS, st.integers(1, 80))
def test_a_complete_report_has_exact_figures(counts, top):
    x = np.array(counts, dtype=float)
    table = concentration(x, top=top)
    assert ends(table.top_share) == exactly(top_k(x, top) / x.sum())
    assert ends(table.top_decile) == exactly(top_k(x, int(np.ceil(x.size / 10))) / x.sum())
    assert ends(table.gini) == exactly(gini(x))
    assert ends(table.hhi) == exactly(float(x @ x) / x.sum() ** 2)
    assert ends(table.effective_accounts) == exactly(x.sum() ** 2 / float(x @ x))
    assert ends(table.coverage_even) == exactly(float((x >= 0.25 * x.mean()).mean()))
    assert ends(table.under_served) == exactly(float((x < 7).sum()))
    for k, figure in table.coverage.items():
        assert ends(figure) == exactly(float((x >= k).mean()))
    assert (table.unattributed, table.never_seen) == (pytest.approx(0.0, abs=1e-12), 0)
    assert (np.diff(x[table.order]) <= 0).all()


@PROPERTY
@given(COUNTS, st.integers(1, 60))
def test_figures_stay_in_their_ranges(counts, top):
    x = np.array(counts, dtype=float)
    table = concentration(x, top=top)
    n = x.size
    assert min(top, n) / n - 1e-12 <= table.top_share.low <= table.top_share.high <= 1.0 + 1e-12
    assert 1.0 / n - 1e-12 <= table.hhi.low <= table.hhi.high <= 1.0 + 1e-12
    assert 0.0 <= table.gini.low <= table.gini.high <= 1.0


def test_coverage_is_asked_at_one_seven_twenty_five_and_a_hundred_impressions_by_default():
    table = concentration(np.array([0, 1, 7, 25, 100]), top=1)
    assert {k: figure.point for k, figure in table.coverage.items()} == {1: 0.8, 7: 0.6, 25: 0.4, 100: 0.2}


def test_shares_are_over_the_platforms_total_and_the_rest_is_shown_as_unattributed():
    table = concentration(np.array([60.0, 20.0]), top=1, total=100.0)
    assert ends(table.top_share) == exactly(0.6)
    assert table.unattributed == pytest.approx(0.2)
    assert "some_impressions_fell_outside_the_segment" in table.notes


def test_rows_above_the_total_are_a_contradiction():
    with pytest.raises(InconsistentReport, match="above the platform's total"):
        concentration(np.array([60.0, 20.0]), top=1, total=50.0)


@pytest.mark.parametrize("counts", [[], [[1.0]], [np.nan, 1.0], [-1.0, 2.0], [np.inf]])
def test_counts_that_are_no_counts_are_refused(counts):
    with pytest.raises(BadNumbers):
        concentration(np.array(counts), top=1)


@pytest.mark.parametrize("total", [np.nan, np.inf, -1.0])
def test_a_total_that_is_no_total_is_refused(total):
    with pytest.raises(BadNumbers):
        concentration([3, 2], top=1, total=total)


@pytest.mark.parametrize("top", [0, -1, 2.5, np.nan, "2"])
def test_a_top_that_is_no_number_of_accounts_is_refused(top):
    with pytest.raises(BadNumbers):
        concentration([3, 2, 1], top=top)


def test_a_top_beyond_the_list_is_everybody():
    assert ends(concentration(np.ones(3), top=100).top_share) == exactly(1.0)


def test_no_impressions_at_all_is_a_report_of_zeros_with_a_note():
    table = concentration(np.zeros(4), top=2)
    assert ends(table.top_share) == ends(table.gini) == ends(table.hhi) == (0.0, 0.0, 0.0)
    assert "no_impressions" in table.notes
    assert table.under_served.point == 4


def test_equal_counts_are_ranked_in_row_order():
    assert concentration(np.array([5.0, 9.0, 5.0]), top=1).order.tolist() == [1, 0, 2]


def vague() -> Exposure:
    return Exposure(
        ("a", "b", "c"),
        low=np.array([50.0, 0.0, 0.0]),
        point=np.array([55.0, 30.0, 15.0]),
        high=np.array([60.0, 40.0, 40.0]),
        total=100.0,
        listed=np.array([True, False, False]),
    )


def test_shares_of_tiers_have_bounds_that_respect_the_total():
    shares = share_by_tier(vague(), np.array([1, 2, 2]))
    assert ends(shares[1]) == pytest.approx((0.5, 0.55, 0.6))
    assert ends(shares[2]) == pytest.approx((0.4, 0.45, 0.5))


def test_an_unlisted_account_is_never_seen_and_the_report_says_that_missing_is_not_zero():
    table = concentration(vague(), top=1)
    assert table.never_seen == 2
    assert "missing_rows_are_unknown_not_zero" in table.notes
    assert table.coverage[1].low == pytest.approx(2 / 3)  # 40 hidden impressions need at least one more


def test_where_much_is_unseen_the_table_says_what_its_guesses_are_and_where_nothing_is_it_does_not():
    code = "guesses_share_what_is_unseen_evenly"
    assert code in concentration(vague(), top=1).notes
    assert code not in concentration(np.array([50.0, 30.0, 20.0]), top=1).notes


def test_impressions_per_member_of_a_tier_count_only_accounts_whose_members_are_known():
    rates = per_member_by_tier(vague(), np.array([1, 2, 3]), np.array([10.0, 0.0, 5.0]))
    assert set(rates) == {1, 3}
    assert ends(rates[1]) == pytest.approx((5.0, 5.5, 6.0))
    assert ends(rates[3]) == pytest.approx((0.0, 3.0, 8.0))


def test_impressions_per_member_are_unknown_where_members_are():
    low, point, high = per_member(vague(), np.array([10.0, 0.0, 5.0]))
    assert (low[0], point[0], high[0]) == (5.0, 5.5, 6.0)
    assert np.isnan(point[1])


def test_an_exposure_of_counts_keeps_the_account_names():
    assert exposure_of([1.0, 2.0], accounts=("x", "y")).accounts == ("x", "y")
    with pytest.raises(BadNumbers):
        exposure_of([1.0, 2.0], accounts=("x",))
