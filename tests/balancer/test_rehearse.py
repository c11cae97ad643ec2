from __future__ import annotations

import numpy as np
import pytest

from balancer.course import run
from balancer.errors import BadNumbers
from balancer.plants import Proportional
from balancer.rehearse import CONTROLLERS, PLANTS, figures, gini, rehearse, top_share
from balancer.types import Policy
from balancer.worlds import open_world

NAMES = (
    "top100_before", "top100_after", "oracle", "delivery", "gini_after", "coverage_after",
    "changes_per_day", "settle_days", "weekly_sd",
)  # fmt: skip


@pytest.mark.parametrize("mode", sorted(CONTROLLERS))
def test_every_mode_can_be_rehearsed_on_a_file_of_impressions(mode):
    counts = np.random.default_rng(0).lognormal(3.0, 1.5, 250).round()

    got = rehearse(counts, mode=mode, weeks=4, seed=1)

    assert all(np.isfinite(getattr(got, name)) for name in NAMES)
    assert got.accounts == 250
    assert got.weekly_share.shape == got.weekly_delivery.shape == (4,)
    assert any("headroom" in line for line in got.assumed)


def test_a_file_keeps_its_concentration_before_control():
    counts = np.random.default_rng(1).lognormal(3.0, 1.5, 1_500).round()

    got = rehearse(counts, weeks=4)

    assert got.top100_before == pytest.approx(top_share(counts), abs=0.03)


def test_several_seeds_give_a_band_around_the_mean():
    got = rehearse("C", seeds=3, weeks=4)

    assert got.seeds == (0, 1, 2)
    for name in NAMES:
        assert got.low[name] <= getattr(got, name) + 1e-12
        assert got.high[name] >= getattr(got, name) - 1e-12
    assert got.low["top100_after"] < got.high["top100_after"]


def test_the_same_seed_gives_the_same_rehearsal():
    first, second = (rehearse("C", seed=7, weeks=4) for _ in range(2))

    assert first.top100_after == second.top100_after
    assert first.changes_per_day == second.changes_per_day
    assert np.array_equal(first.weekly_share, second.weekly_share)


def test_without_a_controller_nothing_moves():
    world = open_world("A", seed=2)
    course = run(world, None, Policy(), plant=Proportional(), seed=2, weeks=4)
    got = figures(course)

    assert got["top100_after"] == pytest.approx(got["top100_before"], abs=0.02)
    assert got["changes_per_day"] == 0.0
    assert got["delivery"] == pytest.approx(1.0, abs=0.001)


def test_no_controller_beats_what_the_inventory_allows():
    got = rehearse("A", headroom=1.2, seed=3, policy=Policy(ramp="fast", member_cap=None))

    assert got.top100_after >= got.oracle - 0.01
    assert got.oracle > 0.25


@pytest.mark.parametrize("plant", sorted(PLANTS))
def test_every_plant_has_a_name(plant):
    got = rehearse("C", plant=plant, weeks=4)

    assert 0.0 < got.delivery < 1.02
    assert got.cpm_ratio >= 0.99


@pytest.mark.parametrize(
    ("kwargs", "word"),
    [
        ({"weeks": 3}, "four-week"),
        ({"mode": "magic"}, "mode"),
        ({"plant": "moon"}, "plant"),
        ({"source": "E"}, "world"),
        ({"weeks": 4.5}, "four-week"),
        ({"seed": -1}, "Seeds"),
        ({"seed": 0.5}, "Seeds"),
        ({"headroom": 0.0}, "headroom"),
        ({"headroom": float("nan")}, "headroom"),
    ],
)
def test_a_rehearsal_that_cannot_be_is_refused_with_the_reason(kwargs, word):
    with pytest.raises(BadNumbers, match=word):
        rehearse(**({"source": "C"} | kwargs))


@pytest.mark.parametrize(
    "counts", [np.zeros(10), np.array([1.0, np.nan]), np.array([[1.0]]), np.array([-1.0, 2.0])]
)
def test_impressions_that_are_no_counts_are_refused(counts):
    with pytest.raises(BadNumbers):
        rehearse(counts)


def test_share_and_gini_of_known_lists():
    assert top_share(np.arange(1.0, 5.0), 2) == pytest.approx(0.7)
    assert gini(np.ones(9)) == pytest.approx(0.0)
    assert gini(np.array([0.0, 0.0, 0.0, 1.0])) == pytest.approx(0.75)
