from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balancer.hiding import ReportRule, report_day
from balancer.rates import absorb, completed_counts, no_evidence, rates
from tests.balancer.closed_loop import day_report


def _day(counts, *, rule, seed, k=1, band=None):
    where = np.zeros(counts.size, dtype=np.int8) if band is None else band
    money = np.full(k, 10.0)
    rng = np.random.default_rng(seed)
    return report_day(5, counts, where, believed=where, spend=money, budgets=money, rule=rule, rng=rng)


@given(
    seed=st.integers(0, 10_000),
    n=st.integers(3, 80),
    k=st.integers(1, 4),
    top=st.integers(1, 30),
    creatives=st.integers(1, 5),
)
@settings(max_examples=60, deadline=None)
def test_reported_and_imputed_impressions_sum_to_each_campaigns_total(seed, n, k, top, creatives):
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rng.lognormal(1.5, 1.2, n)).astype(float)
    band = rng.integers(0, k, n).astype(np.int8)
    rule = ReportRule(top=top, floor=3, creatives=creatives)
    report = _day(counts, rule=rule, seed=seed, k=k, band=band)

    got = absorb(no_evidence(n), report, np.full(n, 2.0)).counts

    sums = np.bincount(band, weights=got, minlength=k)
    assert sums == pytest.approx(report.band_total, rel=1e-9, abs=1e-6)


@given(seed=st.integers(0, 10_000), noise=st.integers(1, 3))
@settings(max_examples=30, deadline=None)
def test_rows_beyond_the_total_leave_nothing_to_impute(seed, noise):
    rng = np.random.default_rng(seed)
    counts = rng.poisson(6.0, 40).astype(float)
    report = _day(counts, rule=ReportRule(noise=noise), seed=seed)
    low = replace(report, band_total=report.band_total * 0.5)

    listed = np.zeros(40, dtype=bool)
    listed[low.account] = True
    rows = np.bincount(low.account, weights=low.impressions, minlength=40)
    got = completed_counts(low, np.ones(40), rows=rows, listed=listed)

    assert (got >= 0.0).all()
    assert np.array_equal(got, rows)


def test_what_lists_hide_is_never_guessed_above_what_they_can_hide():
    rng = np.random.default_rng(3)
    counts = rng.poisson(rng.lognormal(2.0, 1.0, 200)).astype(float)
    report = _day(counts, rule=ReportRule(top=20, floor=3, creatives=3), seed=3)
    got = absorb(no_evidence(200), report, np.full(200, 5.0)).counts
    unlisted = np.setdiff1d(np.arange(200), report.account)

    assert (got[unlisted] <= report.list_floor[0] + 1e-9).all()
    shown = np.bincount(report.account, weights=report.impressions, minlength=200)
    assert (got[report.account] <= (shown[report.account] + report.hidden) + 1e-9).all()


def test_the_rate_converges_to_the_truth_from_complete_reports():
    rng = np.random.default_rng(4)
    truth = rng.lognormal(1.0, 1.0, 300)
    evidence = no_evidence(300)
    prior = np.full(300, truth.mean())
    for day in range(60):
        evidence = absorb(evidence, day_report(rng.poisson(truth), day=day), prior).evidence
    got = rates(evidence, prior)

    assert np.corrcoef(np.log(got), np.log(truth))[0, 1] > 0.97
    assert got.sum() == pytest.approx(truth.sum(), rel=0.1)


def test_an_account_in_no_band_keeps_its_rate_and_only_forgets():
    evidence = no_evidence(2)
    prior = np.array([5.0, 5.0])
    for day in range(20):
        evidence = absorb(evidence, day_report([20.0, 4.0], day=day), prior).evidence
    away = day_report([0.0, 4.0], day=30, band=np.array([-1, 0]))
    before = rates(evidence, prior)[0]
    after = rates(absorb(evidence, away, prior).evidence, prior)[0]

    assert after == pytest.approx(before, rel=0.02)


@pytest.mark.parametrize("loud_days", [1, 2, 3])
def test_a_shock_needs_two_consecutive_loud_days(loud_days):
    n = 50
    evidence, prior = no_evidence(n), np.full(n, 4.0)
    for day in range(30):
        evidence = absorb(evidence, day_report(np.full(n, 4.0), day=day), prior).evidence
    counts = np.full(n, 4.0)
    counts[7] = 120.0
    hits = []
    for day in range(30, 30 + loud_days):
        got = absorb(evidence, day_report(counts, day=day), prior)
        evidence = got.evidence
        hits.append(bool(got.shocked[7]))
    believed = rates(evidence, prior)[7]

    assert hits == [False, True, False][:loud_days], "believed after the second day, so no longer a surprise"
    assert not got.shocked[np.arange(n) != 7].any()
    if loud_days > 1:
        assert believed > 60.0


def test_a_day_with_no_impressions_at_all_is_absorbed_without_harm():
    got = absorb(no_evidence(5), day_report(np.zeros(5), day=1), np.full(5, 2.0))

    assert np.isfinite(rates(got.evidence, np.full(5, 2.0))).all()
    assert got.counts.sum() == 0.0


@given(seed=st.integers(0, 5_000))
@settings(max_examples=20, deadline=None)
def test_absorbing_does_not_depend_on_the_order_of_accounts(seed):
    rng = np.random.default_rng(seed)
    n = 30
    counts = rng.poisson(rng.lognormal(1.0, 1.0, n)).astype(float)
    prior = rng.lognormal(1.0, 0.5, n)
    order = rng.permutation(n)

    straight = absorb(no_evidence(n), day_report(counts, day=1), prior)
    turned = absorb(no_evidence(n), day_report(counts[order], day=1), prior[order])

    assert turned.evidence.seen == pytest.approx(straight.evidence.seen[order])
    assert turned.evidence.exposure == pytest.approx(straight.evidence.exposure[order])
