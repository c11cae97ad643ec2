"""What the bands bring in the worlds of the field, under delays, cut reports, dear pressure and shocks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from balancer.bands import Bands
from balancer.course import PRICE
from balancer.hiding import COMPLETE, LINKEDIN
from balancer.plants import Auction, PowerPrice
from balancer.rehearse import figures, rehearse
from balancer.types import Policy
from tests.balancer.closed_loop import controlled, day_report, morning

FAST = Policy(ramp="fast", member_cap=None)


@pytest.mark.parametrize(("world", "most"), [("A", 0.110), ("C", 0.073)])
def test_the_worlds_of_the_field_become_even_at_full_delivery(world, most):
    got = rehearse(world, policy=FAST, seed=1)

    assert got.top100_before == pytest.approx(0.38, abs=0.015)
    assert got.top100_after <= most
    assert got.delivery >= 0.995
    assert got.realised >= 0.96


@pytest.mark.parametrize("headroom", [1.5, 2.0])
def test_tight_inventory_keeps_delivery_and_comes_near_the_oracle(headroom):
    got = rehearse("C", policy=FAST, headroom=headroom, seed=2)

    assert got.delivery >= 0.98
    assert got.top100_after <= got.oracle + 0.03


def test_lists_that_show_only_their_top_cost_less_than_a_point():
    full, cut = (rehearse("A", policy=FAST, seed=5, rule=rule).top100_after for rule in (COMPLETE, LINKEDIN))

    assert abs(cut - full) <= 0.01


def test_longer_delays_hardly_move_the_result():
    shares = [
        rehearse("A", policy=replace(FAST, report_delay=r, actuation_delay=a), seed=3).top100_after
        for r, a in ((0, 0), (1, 1), (3, 2))
    ]

    assert max(shares) - min(shares) <= 0.008


@pytest.mark.parametrize("plant", [PowerPrice(0.1), Auction()], ids=["power", "auction"])
@pytest.mark.parametrize("floor", [0.98, 0.95])
def test_where_pressure_costs_money_the_impression_floor_is_kept(plant, floor):
    policy = replace(FAST, impression_floor=floor)
    got = rehearse("C", plant=plant, policy=policy, seed=4)

    assert got.delivery >= floor - 0.006
    assert got.top100_after < got.top100_before - 0.05


def test_a_shocked_account_is_back_near_its_target_within_four_days_of_delays():
    quiet = _starved_rows()
    course, calls = controlled(Bands(), world="C", n=600, weeks=6, jolt=(28 + 28, quiet, 40.0))
    last = calls[-1][1]
    loud = course.impressions[28 + 28 :, quiet].sum(axis=1)
    factor = course.budget[28 + 28 :] / PRICE / course.baseline
    target = last.target[quiet].sum() * factor

    assert loud[:2].min() > 2.0 * target[:2].max(), "the shock must first be seen"
    assert (loud[5:28] <= 2.0 * target[5:28]).all()


def _starved_rows() -> np.ndarray:
    _, calls = controlled(Bands(), world="C", n=600, weeks=4)
    rates = calls[-1][1].target
    return np.argsort(rates)[40:46]


def test_constant_noise_free_rates_leave_the_membership_alone_without_gain():
    rng = np.random.default_rng(5)
    n = 200
    natural = rng.lognormal(1.0, 1.0, n)
    natural *= 2_000.0 / natural.sum()
    policy = replace(FAST, gain=0.0, minimum_members=0, actuation_delay=0, report_delay=0)
    state = replace(morning(n, members=100.0), prior_rate=natural)
    changes = []
    for day in range(84):
        plan = Bands().propose(replace(state, day=738_900 + day), policy)
        changes.append(int((plan.band != state.band).sum()))
        k = plan.budgets.size
        mass = np.bincount(plan.band, weights=natural, minlength=k)
        level = plan.budgets / 0.05 / np.maximum(mass, 1e-12)
        counts = level[plan.band] * natural
        report = day_report(counts, day=738_900 + day, band=plan.band, k=k)
        state = replace(
            state, band=plan.band, landed=plan.band, reports=(report,), memory=plan.memory
        )  # fmt: skip

    assert changes[0] == n
    assert sum(changes[-14:]) <= 0.01 * n


def test_dither_is_bounded_and_the_weekly_share_stays_put():
    course, _ = controlled(Bands(), world="C", n=1_000, weeks=10)
    got = figures(course)

    assert got["changes_per_day"] <= 0.06 * 1_000
    assert got["weekly_sd"] < 0.01
