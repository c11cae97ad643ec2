from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balancer.affordable import affordable
from balancer.levels import centres, cut, nearest
from balancer.price import PriceLaw, price_law, remember
from balancer.worlds import open_world


def _cost(x, rate, law):
    return float((x * law.each(x / rate)).sum())


@given(
    seed=st.integers(0, 10_000),
    eps=st.floats(0.03, 1.0),
    floor=st.floats(0.85, 0.999),
    most=st.floats(1.5, 8.0),
)
@settings(max_examples=40, deadline=None)
def test_the_reach_never_costs_more_than_the_money_nor_falls_below_the_floor(seed, eps, floor, most):
    rng = np.random.default_rng(seed)
    rate = rng.lognormal(1.0, rng.uniform(0.2, 1.6), 180)
    law = PriceLaw(0.05, eps)
    money = 0.05 * float(rate.sum())

    got = affordable(rate, law, money=money, floor=floor * rate.sum(), most=most, top=7)
    x = got.of(rate)

    assert _cost(x, rate, law) <= money * (1.0 + 1e-6)
    assert x.sum() >= floor * rate.sum() * (1.0 - 2e-3)
    assert np.sort(x)[-7:].sum() / x.sum() <= np.sort(rate)[-7:].sum() / rate.sum() + 1e-6


@given(seed=st.integers(0, 10_000), eps=st.floats(0.05, 0.4), times=st.floats(3.0, 30.0))
@settings(max_examples=25, deadline=None)
def test_a_reach_that_knows_the_caps_keeps_money_and_floor_under_them(seed, eps, times):
    rng = np.random.default_rng(seed)
    rate = rng.lognormal(1.0, rng.uniform(0.2, 1.2), 180)
    cap = np.full(rate.size, times * rate.mean())
    law = PriceLaw(0.05, eps)
    money = 0.05 * float(rate.sum())

    got = affordable(rate, law, money=money, floor=0.95 * rate.sum(), most=8.0, top=7, cap=cap)
    x = np.minimum(got.of(rate), cap)
    even = np.minimum(affordable(rate, law, money=money, floor=0.0, most=8.0, top=7, cap=cap).of(rate), cap)

    assert _cost(x, rate, law) <= money * (1.0 + 1e-6)
    assert x.sum() >= 0.95 * rate.sum() * (1.0 - 2e-3) or x.sum() >= even.sum() * (1.0 - 2e-3)


def test_a_cap_that_forbids_cheap_impressions_is_paid_for_in_evenness():
    rate = open_world("C", seed=0).rates
    law = PriceLaw(0.05, 0.2)

    def share(cap: float) -> float:
        limit = np.full(rate.size, cap / 28.0)
        asked = {"money": 0.05 * rate.sum(), "floor": 0.98 * rate.sum(), "most": 8.0, "top": 100}
        got = np.minimum(affordable(rate, law, **asked, cap=limit).of(rate), limit)
        assert got.sum() == pytest.approx(0.98 * rate.sum(), rel=2e-3)
        return float(np.sort(got)[-100:].sum() / got.sum())

    assert share(2_000.0) > share(3_000.0) > share(20_000.0)


def test_a_flat_price_makes_evenness_free():
    rate = np.random.default_rng(1).lognormal(1.0, 1.0, 500)
    law = PriceLaw(0.05, 0.0)

    got = affordable(rate, law, money=0.05 * rate.sum(), floor=0.98 * rate.sum(), most=8.0, top=20)

    assert not got.binding
    assert got.of(rate).sum() == pytest.approx(rate.sum(), rel=1e-3)


def test_a_lower_floor_buys_a_smaller_top_share():
    rate = np.random.default_rng(2).lognormal(1.0, 1.3, 1_000)
    law = PriceLaw(0.05, 0.4)

    def share(floor: float) -> float:
        got = affordable(rate, law, money=0.05 * rate.sum(), floor=floor * rate.sum(), most=8.0, top=40)
        x = np.sort(got.of(rate))[::-1]
        return float(x[:40].sum() / x.sum())

    shares = [share(f) for f in (0.99, 0.97, 0.94, 0.90)]
    assert shares == sorted(shares, reverse=True)


@given(eps=st.floats(0.05, 1.0), unit=st.floats(0.01, 5.0), seed=st.integers(0, 1_000))
@settings(max_examples=40, deadline=None)
def test_the_price_law_is_recovered_from_exact_campaign_totals(eps, unit, seed):
    rng = np.random.default_rng(seed)
    sums = np.zeros(5)
    for _ in range(30):
        throttle = np.exp(rng.normal(0.0, 0.7, 4))
        sums = remember(sums, throttle, unit * throttle**eps, rng.random(4) + 0.1)
    law = price_law(sums, default=1.0)

    assert law.eps == pytest.approx(eps, rel=0.05)
    assert law.unit == pytest.approx(unit, rel=0.03)


def test_a_flat_or_unknown_price_has_no_elasticity():
    sums = remember(np.zeros(5), np.array([0.5, 2.0]), np.array([0.05, 0.05]), np.ones(2))

    assert price_law(sums, default=1.0).eps == 0.0
    assert price_law(np.zeros(5), default=0.07) == PriceLaw(0.07, 0.0)


def _loss(points, weight, level):
    return float((weight * np.min((points[:, None] - level) ** 2, axis=1)).sum())


@given(seed=st.integers(0, 10_000), n=st.integers(2, 60), k=st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_each_centre_is_the_mean_of_its_own_points(seed, n, k):
    rng = np.random.default_rng(seed)
    points, weight = rng.normal(0.0, 1.0, n), rng.random(n) + 0.05

    level = centres(points, weight, k)

    assert (np.diff(level) >= 0.0).all()
    assert (
        _loss(points, weight, level)
        <= _loss(points, weight, np.full(k, np.average(points, weights=weight))) + 1e-9
    )
    own = nearest(points, level)
    for b in np.unique(own):
        mine = own == b
        assert level[b] == pytest.approx(np.average(points[mine], weights=weight[mine]), abs=1e-6)


def test_nearest_agrees_with_trying_every_centre():
    rng = np.random.default_rng(3)
    points, level = rng.normal(0.0, 2.0, 500), np.sort(rng.normal(0.0, 2.0, 5))

    assert np.array_equal(nearest(points, level), np.abs(points[:, None] - level).argmin(axis=1))


def test_starved_accounts_do_not_pull_the_other_levels():
    want = np.r_[np.full(50, -1.0), np.full(50, 0.0), np.full(900, 1.9)]
    starved = want > 1.5

    level = cut(want, np.ones(want.size), starved, k=3, ceiling=2.0)

    assert level == pytest.approx([-1.0, 0.0, 2.0])
