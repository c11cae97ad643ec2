"""What moves by itself: the A/A band, and budget-splits of simulated markets in which nothing is done."""

from __future__ import annotations

import numpy as np
import pytest

from balancer.errors import BadNumbers
from balancer.evaluate import budget_split, metric_effect
from balancer.evaluate_band import aa_band
from balancer.frontier import top_share
from balancer.plants import Proportional
from balancer.worlds import open_world, traffic

DAYS, N, PRICE = 14, 240, 0.05


def tenth(x: np.ndarray) -> float:
    return top_share(x, -(-x.size // 10))


def market_windows(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One list in one campaign, then in two halves with their own budgets and no balancing at all."""
    world = open_world("C", seed=seed, n=N)
    rng = np.random.default_rng([seed, 1])
    budget = float(world.rates.sum()) * PRICE
    ids = [f"{seed}-{i}" for i in range(N)]
    design = budget_split(ids, salt="aa", budget=budget, members=world.members, minimum_members=1)
    windows = [np.zeros(N), np.zeros(N)]
    for number, day in enumerate(traffic(world, first=0, count=2 * DAYS, rng=rng)):
        after = number >= DAYS
        band = design.treated.astype(np.int8) if after else np.zeros(N, dtype=np.int8)
        money = [design.control_budget, design.treated_budget] if after else [budget]
        shown = Proportional().deliver(
            day.rates, day.inventory, included=np.ones(N, dtype=bool), band=band,
            budgets=np.array(money) * day.factor, price=PRICE, rng=rng,
        )  # fmt: skip
        windows[after] += shown.impressions
    return windows[0], windows[1], design.treated


def test_splitting_a_simulated_market_without_balancing_raises_the_flag_in_at_most_five_percent():
    runs, wrong, flags = 120, 0, 0
    for seed in range(runs):
        before, after, treated = market_windows(seed)
        effect = metric_effect(
            before, after, treated=treated, metric=tenth, rng=np.random.default_rng(seed), draws=199
        )
        wrong += effect.p_value <= 0.05
        flags += effect.works
    assert flags <= 0.05 * runs
    assert wrong <= 0.11 * runs  # 5 % plus three standard deviations


@pytest.mark.parametrize("apart", [1, 4])
def test_the_band_holds_the_next_change_about_as_often_as_it_promises(apart):
    held = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        series = 0.38 + 0.005 * rng.standard_normal(26 + apart)
        band = aa_band(series[:26], apart=apart)
        held += band.holds(float(series[25 + apart] - series[25]))
    assert 0.90 * 400 <= held <= 0.995 * 400


def test_a_change_far_beyond_the_past_is_outside_the_band():
    band = aa_band(np.array([0.380, 0.384, 0.379, 0.383, 0.381, 0.380]))
    assert not band.holds(-0.14)
    assert band.holds(0.003)
    assert band.changes == 5


@pytest.mark.parametrize(
    ("history", "apart"), [([0.4] * 4, 1), ([0.4] * 16, 4), ([0.4, np.nan] * 4, 1), ([0.4] * 9, 0)]
)
def test_too_short_or_broken_histories_have_no_band(history, apart):
    with pytest.raises(BadNumbers):
        aa_band(np.array(history), apart=apart)
