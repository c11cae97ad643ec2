from __future__ import annotations

import numpy as np
import pytest

from balancer.plants import Proportional
from balancer.worlds import open_world, traffic, weekday_factor, world_rates


def _top_share(values: np.ndarray, k: int) -> float:
    return float(np.sort(values)[-k:].sum() / values.sum())


@pytest.mark.parametrize(
    ("shape", "n", "top100", "top_decile"),
    [
        ("A", 2_500, 0.38, 0.80),
        ("A", 4_000, 0.38, 0.80),
        ("B", 13_200, 0.38, 0.80),
        ("C", 2_500, 0.38, 0.57),
        ("D", 2_500, 0.64, 0.80),
    ],
)
def test_each_world_has_the_concentration_of_its_anchors(shape, n, top100, top_decile):
    rates = world_rates(shape, n, np.random.default_rng(0))

    assert _top_share(rates, 100) == pytest.approx(top100, abs=0.006)
    assert _top_share(rates, n // 10) == pytest.approx(top_decile, abs=0.006)


@pytest.mark.parametrize("n", [1_500, 2_000, 3_000])
def test_a_plateau_of_any_middle_size_keeps_the_top_hundred_at_38_percent(n):
    assert _top_share(world_rates("A", n, np.random.default_rng(1)), 100) == pytest.approx(0.38, abs=0.002)


@pytest.mark.parametrize("n", [1, 7, 60, 300])
def test_small_lists_get_rates_too_and_they_sum_to_the_total(n):
    for shape in "ABCD":
        rates = world_rates(shape, n, np.random.default_rng(2), total=500.0)
        assert rates.shape == (n,)
        assert rates.sum() == pytest.approx(500.0)
        assert (rates > 0.0).all()


def test_a_window_of_uncontrolled_traffic_shows_the_anchors_again():
    world = open_world("A", seed=3)
    n, rng = world.rates.size, np.random.default_rng(3)
    counts = np.zeros(n)
    for day in traffic(world, first=738_000, count=28, rng=rng):
        budget = np.array([world.rates.sum() * day.factor])
        counts += (
            Proportional()
            .deliver(
                day.rates, day.inventory, included=np.ones(n, dtype=bool), band=np.zeros(n, dtype=np.int8),
                budgets=budget, price=1.0, rng=rng,
            )
            .impressions
        )  # fmt: skip

    assert _top_share(counts, 100) == pytest.approx(0.38, abs=0.012)
    assert _top_share(counts, 250) == pytest.approx(0.80, abs=0.012)


def test_the_weekday_factors_of_a_week_average_to_one():
    monday = 738_158  # 2022-01-03
    week = [weekday_factor(monday + i) for i in range(7)]

    assert sum(week) == pytest.approx(7.0)
    assert week[5] == week[6] < week[0]


def test_a_world_is_the_same_for_the_same_seed_and_another_for_another():
    same = [open_world("C", seed=5, n=200) for _ in range(2)]

    assert np.array_equal(same[0].rates, same[1].rates)
    assert np.array_equal(same[0].headroom, same[1].headroom)
    assert not np.array_equal(same[0].rates, open_world("C", seed=6, n=200).rates)
    assert (same[0].headroom >= 1.0).all()
    assert (same[0].members >= 1.0).all()
