"""Experiments: designs that are refused, tests that stay quiet when nothing was done, sample sizes."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balancer.allocate import water_fill
from balancer.errors import BadNumbers, DesignRefused
from balancer.evaluate import (
    budget_split,
    can_confirm,
    check_design,
    cuped,
    halves,
    metric_effect,
    outcome_effect,
    sample_size,
    smallest_lift,
)
from balancer.frontier import top_share

IDS = [f"company-{i}.example" for i in range(4000)]


def tenth(x: np.ndarray) -> float:
    return top_share(x, -(-x.size // 10))


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=20), st.integers(0, 3999))
def test_an_account_keeps_its_half_whatever_else_is_on_the_list(salt, i):
    whole = halves(IDS, salt=salt)
    assert halves([IDS[i]], salt=salt)[0] == whole[i]
    assert halves(IDS[::-1], salt=salt)[::-1].tolist() == whole.tolist()


def test_halves_are_even_and_another_salt_is_an_independent_coin():
    one, other = halves(IDS, salt="one"), halves(IDS, salt="other")
    assert abs(one.mean() - 0.5) < 0.03
    assert abs((one == other).mean() - 0.5) < 0.03


def test_each_half_gets_budget_in_proportion_to_its_accounts():
    design = budget_split(IDS, salt="q3", budget=500.0, members=np.full(4000, 20.0))
    assert design.treated_budget + design.control_budget == pytest.approx(500.0)
    assert design.treated_budget == pytest.approx(500.0 * design.treated.mean())


def test_halves_too_small_to_be_served_are_refused():
    with pytest.raises(DesignRefused, match="members, under 450"):
        budget_split(IDS[:20], salt="q3", budget=500.0, members=np.full(20, 20.0))
    with pytest.raises(DesignRefused):
        budget_split(IDS[:1], salt="q3", budget=500.0, members=np.full(1, 9999.0))


def test_accounts_in_one_budget_are_never_compared_and_the_refusal_says_why_and_what_instead():
    with pytest.raises(DesignRefused, match="wrong sign") as refused:
        check_design("accounts_in_one_budget")
    assert "own campaign with half the budget" in str(pickle.loads(pickle.dumps(refused.value)))


@pytest.mark.parametrize(("design", "mode"), [("switchback", "bands"), ("coin", "duty")])
def test_other_designs_that_cannot_answer_are_refused(design, mode):
    with pytest.raises(DesignRefused):
        check_design(design, mode=mode)


@pytest.mark.parametrize(("design", "mode"), [("budget_split", "bands"), ("switchback", "duty")])
def test_designs_that_can_answer_pass(design, mode):
    check_design(design, mode=mode)


def drifting_world(rng: np.random.Generator, n: int, *, balanced: np.ndarray | None = None):
    """Two 28-day windows of one log-normal list whose rates drift between them."""
    rate = rng.lognormal(0.0, 1.4, n)
    later = rate * np.exp(0.3 * rng.standard_normal(n))
    before = rng.multinomial(200 * n, rate / rate.sum()).astype(float)
    wanted = later.copy()
    if balanced is not None:
        part = later[balanced]
        wanted[balanced] = water_fill(float(part.sum()), weight=part, floor=0.0, cap=2.0 * part.mean()).target
    after = rng.multinomial(200 * n, wanted / wanted.sum()).astype(float)
    return before, after


def test_the_flag_is_up_in_at_most_five_percent_of_worlds_where_nothing_was_done():
    flags = wrong = 0
    runs = 300
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        before, after = drifting_world(rng, 200)
        effect = metric_effect(
            before, after, treated=halves(IDS[:200], salt=str(seed)), metric=tenth, rng=rng, draws=199
        )
        flags += effect.works
        wrong += effect.p_value <= 0.05
    # p <= 0.05 happens with probability 0.05: three standard deviations above are 8.8 % of 300.
    assert wrong <= 0.088 * runs
    assert flags <= 0.05 * runs


def test_the_flag_is_up_when_one_half_really_was_balanced_and_the_interval_is_of_the_right_size():
    seen = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        treated = halves(IDS[:600], salt=str(seed))
        before, after = drifting_world(rng, 600, balanced=treated)
        effect = metric_effect(before, after, treated=treated, metric=tenth, rng=rng, draws=199)
        assert effect.low < effect.estimate < effect.high < 0.1
        seen += effect.works
    assert seen >= 18


def test_a_real_effect_in_the_unwanted_direction_does_not_raise_the_flag():
    rng = np.random.default_rng(1)
    treated = halves(IDS[:600], salt="x")
    before, after = drifting_world(rng, 600, balanced=~treated)
    effect = metric_effect(before, after, treated=treated, metric=tenth, rng=rng, draws=199)
    assert effect.p_value <= 0.05
    assert not effect.works


def test_outcomes_without_effect_raise_the_flag_rarely_and_intervals_cover_zero():
    flags = covered = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        outcome, past = (rng.random((2, 400)) < 0.2).astype(float)
        effect = outcome_effect(outcome, treated=halves(IDS[:400], salt=str(seed)), covariate=past)
        flags += effect.works
        covered += effect.low <= 0.0 <= effect.high
    assert flags <= 20
    assert covered >= 365


def test_cuped_leaves_one_minus_rho_squared_of_the_variance_and_the_effect_alone():
    rng = np.random.default_rng(0)
    treated = halves(IDS, salt="c")
    past = rng.standard_normal(4000)
    outcome = 0.7 * past + np.sqrt(1 - 0.49) * rng.standard_normal(4000) + 0.5 * treated
    _, left = cuped(outcome, past, treated=treated)
    assert left == pytest.approx(1 - 0.49, abs=0.03)
    plain = outcome_effect(outcome, treated=treated)
    sharper = outcome_effect(outcome, treated=treated, covariate=past)
    assert sharper.low < 0.5 < sharper.high
    assert sharper.high - sharper.low < 0.78 * (plain.high - plain.low)
    assert sharper.variance_ratio == left


def test_a_covariate_that_says_nothing_changes_nothing():
    outcome, treated = np.arange(10.0), np.arange(10) % 2 == 0
    same, ratio = cuped(outcome, np.ones(10), treated=treated)
    assert same.tolist() == outcome.tolist()
    assert ratio == 1.0


@pytest.mark.parametrize(
    ("base", "needed", "smallest"),
    [
        (0.005, (312_385, 49_982, 12_495), 1.58),
        (0.02, (76_919, 12_307, 3_077), 0.78),
        (0.05, (29_826, 4_772, 1_193), 0.49),
        (0.20, (6_279, 1_005, 251), 0.22),
    ],
)
def test_sample_sizes_are_the_published_ones(base, needed, smallest):
    for lift, size in zip((0.10, 0.25, 0.50), needed, strict=True):
        assert 0 <= sample_size(base, lift) - size <= 1  # rounded up, never down
    assert smallest_lift(base, 1250) == pytest.approx(smallest, abs=0.006)


def test_a_covariate_of_correlation_seven_tenths_brings_twenty_two_percent_down_to_sixteen():
    assert smallest_lift(0.2, 1250, rho=0.7) == pytest.approx(0.16, abs=0.005)


@settings(max_examples=50, deadline=None)
@given(st.floats(0.001, 0.9), st.integers(10, 100_000), st.floats(0.0, 0.9))
def test_the_smallest_lift_needs_exactly_the_accounts_there_are(base, per_arm, rho):
    lift = smallest_lift(base, per_arm, rho=rho)
    assert abs(sample_size(base, lift, rho=rho) - per_arm) <= 1


def test_a_list_of_2500_cannot_confirm_a_quarter_more_pipeline_but_can_confirm_engagement():
    pipeline = can_confirm(2500, base=0.02, lift=0.25)
    assert (pipeline.code, pipeline.per_arm, pipeline.needed_per_arm) == ("list_cannot_confirm", 1250, 12_308)
    assert can_confirm(2500, base=0.20, lift=0.25).code == "list_can_confirm"


@pytest.mark.parametrize(
    "call",
    [
        lambda: sample_size(0.0, 0.1),
        lambda: sample_size(0.1, 0.0),
        lambda: sample_size(0.1, float("nan")),
        lambda: sample_size(0.1, 0.1, rho=1.0),
        lambda: smallest_lift(0.1, 0),
        lambda: outcome_effect(np.ones(4), treated=np.array([True, False, False, False])),
        lambda: outcome_effect(
            np.array([1.0, np.nan, 1.0, 1.0]), treated=np.array([True, True, False, False])
        ),
        lambda: metric_effect(
            np.ones(4), np.ones(3), treated=np.ones(4, dtype=bool), metric=tenth, rng=np.random.default_rng(0)
        ),
    ],
)
def test_questions_without_an_answer_are_refused(call):
    with pytest.raises(BadNumbers):
        call()
