from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balancer.hiding import COMPLETE, LINKEDIN, ReportRule, report_day


def _report(counts, rule, seed=0, k=1):
    n = counts.size
    band = (np.arange(n) % k).astype(np.int8)
    money = np.full(k, 5.0)
    rng = np.random.default_rng(seed)
    return report_day(3, counts, band, believed=band, spend=money, budgets=money, rule=rule, rng=rng)


@given(
    seed=st.integers(0, 10_000), n=st.integers(1, 150), k=st.integers(1, 4),
    top=st.integers(1, 60), creatives=st.integers(1, 6),
)  # fmt: skip
@settings(max_examples=80, deadline=None)
def test_the_truth_is_always_inside_what_the_lists_prove(seed, n, k, top, creatives):
    counts = np.random.default_rng(seed).negative_binomial(1.0, 0.1, n).astype(float)
    report = _report(counts, ReportRule(top=top, floor=3, creatives=creatives), seed, k)

    shown = np.zeros(n)
    shown[report.account] = report.impressions
    most = report.list_floor[report.band].copy()
    most[report.account] = report.impressions + report.hidden

    assert (shown <= counts).all()
    assert (counts <= most).all()
    assert np.array_equal(np.bincount(report.band, weights=counts, minlength=k), report.band_total)


def test_a_complete_report_shows_everybody_who_was_served():
    counts = np.array([0.0, 1.0, 5.0, 0.0, 2.0])
    report = _report(counts, COMPLETE)

    assert report.account.tolist() == [1, 2, 4]
    assert report.impressions.tolist() == [1.0, 5.0, 2.0]
    assert report.list_floor.tolist() == [0.0]


def test_each_creative_has_its_own_list():
    counts = np.random.default_rng(1).poisson(60.0, 800).astype(float)
    one = _report(counts, ReportRule(top=100, floor=3))
    five = _report(counts, ReportRule(top=100, floor=3, creatives=5))

    assert one.account.size == 100
    assert 100 < five.account.size <= 500


def test_noise_stays_within_three_per_cell_and_never_below_zero():
    counts = np.random.default_rng(2).poisson(8.0, 300).astype(float)
    report = _report(counts, ReportRule(floor=3, noise=3))

    gap = report.impressions - counts[report.account]
    assert np.abs(gap).max() == 3.0
    assert (report.impressions >= 0.0).all()


def test_late_changes_show_only_in_the_totals():
    counts = np.array([4.0, 6.0])
    real, thought = np.array([0, 0], dtype=np.int8), np.array([0, 1], dtype=np.int8)
    report = report_day(
        3, counts, real, believed=thought, spend=np.ones(2), budgets=np.ones(2), rule=LINKEDIN,
        rng=np.random.default_rng(0),
    )  # fmt: skip

    assert report.band_total.tolist() == [10.0, 0.0]
    assert report.band.tolist() == [0, 1]


@pytest.mark.parametrize("rule", [COMPLETE, LINKEDIN])
def test_a_day_without_impressions_is_an_empty_list(rule):
    report = _report(np.zeros(4), rule)

    assert report.account.size == 0
    assert report.band_total.tolist() == [0.0]
