"""The log-normal tail: believed on log-normal lists, refused elsewhere, never outside the hard bounds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from balancer.errors import BadNumbers
from balancer.shares import CreativeDayLists, ReportRules, Rows, build_exposure, concentration
from balancer.tails import complete_down_to, fit_tail, modelled_shares
from balancer.types import Unplaced
from tests.balancer.truncation import cut_report

N, DEPTH = 1500, 100


def one_list(x: np.ndarray):
    """The exposure of a single top-100 list with an exact total."""
    first = np.argsort(-x, kind="stable")[:DEPTH]
    lists = CreativeDayLists(np.zeros(DEPTH, dtype=np.int64), first, x[first], np.array([x.sum()]))
    return build_exposure(
        [str(i) for i in range(x.size)],
        total=float(x.sum()),
        window=Rows(first, x[first]),
        lists=lists,
        rules=ReportRules(DEPTH, 0, 0),
    )


def log_normal(seed: int, sigma: float) -> np.ndarray:
    return np.ceil(np.exp(4.0 + sigma * np.random.default_rng(seed).standard_normal(N)))


def plateau(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.ceil(np.where(np.arange(N) < 150, 3000.0, 80.0) * rng.lognormal(0.0, 0.15, N))


@pytest.mark.parametrize("sigma", [1.4, 2.1])
def test_on_log_normal_lists_a_believed_interval_contains_the_truth_nearly_always(sigma):
    believed, inside = 0, dict.fromkeys(("gini", "top_decile", "coverage_even"), 0)
    for seed in range(12):
        x = log_normal(seed, sigma)
        model = modelled_shares(one_list(x), rng=np.random.default_rng(seed), draws=20)
        if model is not None:
            truth = concentration(x, top=DEPTH)
            believed += 1
            for name in inside:
                found = getattr(model, name)
                inside[name] += found.low <= getattr(truth, name).point <= found.high
    assert believed >= 8
    assert min(inside.values()) >= 0.8 * believed, inside


def test_under_daily_lists_with_noise_a_believed_interval_contains_the_truth_and_is_far_narrower():
    believed = 0
    for seed in range(3):
        rng = np.random.default_rng(seed)
        rate = np.exp(1.8 * rng.standard_normal(N))
        moods = rate * rng.gamma(8.0, 0.125, (14, N))
        cells = np.array([rng.multinomial(20_000, mood / mood.sum()) for mood in moods])
        report = cut_report(cells, rng, depth=DEPTH, floor=3, noise=3)
        exposure = build_exposure(
            [str(i) for i in range(N)], total=report.total, window=report.window, lists=report.lists
        )
        model, hard = modelled_shares(exposure, rng=rng), concentration(exposure, top=DEPTH).gini
        if model is not None:
            truth = concentration(report.truth, top=DEPTH).gini.point
            believed += 1
            assert model.gini.low <= truth <= model.gini.high
            assert model.gini.high - model.gini.low < 0.3 * (hard.high - hard.low)
    assert believed >= 1


def test_on_a_plateau_the_model_is_not_believed_and_nothing_is_shown():
    for seed in range(5):
        exposure = one_list(plateau(seed))
        fit = fit_tail(np.sort(exposure.point)[::-1][:DEPTH], others=N - DEPTH, mass=exposure.total * 0.4)
        assert not fit.believed
        assert modelled_shares(exposure, rng=np.random.default_rng(0)) is None


def test_the_interval_is_narrower_than_the_hard_bounds_and_inside_them():
    exposure = one_list(log_normal(3, 1.4))
    model, table = modelled_shares(exposure, rng=np.random.default_rng(0)), concentration(exposure, top=DEPTH)
    for modelled, hard in ((model.gini, table.gini), (model.top_decile, table.top_decile)):
        assert hard.low <= modelled.low <= modelled.point <= modelled.high <= hard.high
        assert modelled.high - modelled.low < 0.2 * (hard.high - hard.low)


def test_the_same_generator_state_gives_the_same_interval():
    exposure = one_list(log_normal(4, 1.4))
    one = modelled_shares(exposure, rng=np.random.default_rng(1), draws=10)
    assert one == modelled_shares(exposure, rng=np.random.default_rng(1), draws=10)


def test_a_list_is_complete_down_to_its_last_row_and_a_vague_report_is_not():
    assert complete_down_to(one_list(log_normal(5, 1.4))) == DEPTH
    vague = build_exposure(
        [str(i) for i in range(200)], total=50_000.0, window=Rows(np.arange(100), np.full(100, 200.0))
    )
    assert complete_down_to(vague) == 0
    assert modelled_shares(vague, rng=np.random.default_rng(0)) is None


def test_the_fit_recovers_the_parameters_of_a_large_sample():
    x = np.sort(np.exp(3.0 + 1.5 * np.random.default_rng(0).standard_normal(50_000)))[::-1]
    fit = fit_tail(x[:5000], others=45_000, mass=float(x[5000:].sum()))
    assert (fit.mu, fit.sigma) == (pytest.approx(3.0, abs=0.03), pytest.approx(1.5, abs=0.03))
    assert fit.believed


@pytest.mark.parametrize(
    ("known", "others", "mass"),
    [(np.ones(5), 9, 9.0), (np.ones(30), 0, 9.0), (np.ones(30), 9, 0.0), (np.zeros(30), 9, 9.0)],
)
def test_too_little_knowledge_is_refused(known, others, mass):
    with pytest.raises(BadNumbers):
        fit_tail(known, others=others, mass=mass)


def test_a_list_is_complete_only_down_to_whom_a_page_nobody_could_match_cannot_pass():
    known = one_list(np.sort(np.random.default_rng(3).lognormal(3.0, 1.0, 400))[::-1].round() + 1.0)
    full = complete_down_to(known)
    loud = replace(known, unplaced=Unplaced(np.array([0.0]), np.array([known.total])))
    faint = replace(known, unplaced=Unplaced(np.zeros(0), np.zeros(0)))

    assert full > 20
    assert complete_down_to(loud) == 0
    assert modelled_shares(loud, rng=np.random.default_rng(0)) is None
    assert complete_down_to(faint) == full
