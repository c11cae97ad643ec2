"""What evenness costs: throttles, oracles, priced frontiers, and the exact static optimum."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balancer.errors import BadNumbers
from balancer.frontier import (
    Point,
    cap_for_share,
    cost_of_a_point,
    furthest,
    oracle_share,
    power_frontier,
    throttle_for_cap,
    top_share,
)
from balancer.frontier_static import best_static, cost_curves, static_frontier
from tests.balancer.slow_twins import linear_top_k

PROPERTY = settings(max_examples=50, deadline=None)
RATES = st.lists(st.floats(0.1, 100.0), min_size=3, max_size=30).map(np.array)


def listing(seed: int = 0, n: int = 400, sigma: float = 1.4) -> np.ndarray:
    return np.random.default_rng(seed).lognormal(3.0, sigma, n)


@PROPERTY
@given(RATES, st.floats(1.1, 5.0))
def test_the_throttle_makes_up_exactly_for_what_the_cap_takes_away(rates, looseness):
    cap = looseness * float(rates.mean())
    p = throttle_for_cap(rates, cap=cap)
    assert p >= 1.0 - 1e-9
    assert np.minimum(cap, p * rates).sum() == pytest.approx(rates.sum(), rel=1e-9)


def test_the_throttle_equals_the_closed_form_over_the_accounts_below_the_cap():
    rates, cap = listing(), 150.0
    p = throttle_for_cap(rates, cap=cap)
    capped = p * rates >= cap
    assert p == pytest.approx((rates.sum() - cap * capped.sum()) / rates[~capped].sum())


def test_a_cap_below_the_even_share_cannot_be_made_up_for():
    assert throttle_for_cap(np.array([1.0, 3.0]), cap=1.9) == np.inf


@PROPERTY
@given(RATES, st.floats(0.1, 0.9))
def test_the_cap_for_a_share_reaches_it_or_the_most_even_allocation(rates, share):
    point = cap_for_share(rates, share=share, top=2)
    floor = oracle_share(rates, top=2, inventory=np.full(rates.size, np.inf))
    assert point.share <= max(share, floor) + 1e-6
    if top_share(rates, 2) > share + 1e-6 and share > floor + 1e-6:
        assert point.share == pytest.approx(share, abs=1e-4)


def test_the_oracle_is_the_linear_programs_smallest_top_share():
    rates = listing(n=60)
    stock = rates * 1.7
    lp = linear_top_k(float(rates.sum()), np.zeros(60), stock, 10) / rates.sum()
    assert oracle_share(rates, top=10, inventory=stock) == pytest.approx(lp, rel=1e-9)


def test_at_a_flat_price_evenness_costs_no_impressions_and_with_elasticity_it_does():
    rates = listing()
    flat = power_frontier(rates, elasticity=0.0, top=20, inventory=rates * 5)
    dear = power_frontier(rates, elasticity=0.2, top=20, inventory=rates * 5)
    assert furthest(flat, floor=1.0 - 1e-9).share == pytest.approx(
        oracle_share(rates, top=20, inventory=rates * 5), abs=0.02
    )
    assert furthest(dear, floor=0.98).share > furthest(flat, floor=0.98).share + 0.02
    shares = [point.share for point in dear]
    delivery = [point.delivery for point in dear]
    assert shares == sorted(shares, reverse=True)
    assert delivery == sorted(delivery, reverse=True)


def test_the_first_point_of_a_frontier_is_today():
    rates = listing()
    today = power_frontier(rates, elasticity=0.1, top=20)[0]
    assert (today.share, today.delivery, today.throttle) == pytest.approx((top_share(rates, 20), 1.0, 1.0))


def test_the_walk_stops_at_the_delivery_floor_between_two_points():
    points = [Point(0.4, 1.0, 1.0, np.inf), Point(0.3, 0.98, 1.5, 50.0), Point(0.2, 0.9, 3.0, 20.0)]
    stop = furthest(points, floor=0.94)
    assert (stop.share, stop.delivery, stop.throttle, stop.cap) == pytest.approx((0.25, 0.94, 2.25, 35.0))
    assert furthest(points, floor=0.5) == points[-1]
    assert furthest(points, floor=1.0) == points[0]


def test_the_price_of_a_further_point_is_the_local_slope():
    points = [Point(0.4, 1.0, 1.0, np.inf), Point(0.3, 0.98, 1.5, 50.0), Point(0.2, 0.90, 3.0, 20.0)]
    assert cost_of_a_point(points, share=0.35) == pytest.approx(0.002)
    assert cost_of_a_point(points, share=0.25) == pytest.approx(0.008)
    assert np.isnan(cost_of_a_point(points, share=0.1))


def test_an_account_list_without_impressions_has_no_frontier():
    with pytest.raises(BadNumbers):
        power_frontier(np.zeros(3), elasticity=0.0, top=1)


def market(n: int, seed: int, bids: int):
    """Smooth convex cost curves: a second-price auction against exponential competing bids."""
    rng = np.random.default_rng(seed)
    stock, place = rng.lognormal(3.0, 1.2, n), rng.uniform(0.5, 2.0, n)

    def response(bid):
        won = 1.0 - np.exp(-place * bid)
        paid = (1.0 - np.exp(-place * bid) * (1.0 + place * bid)) / place
        return stock * won, paid / np.maximum(won, 1e-300)

    x, each = response(np.full(n, 0.3))
    grid = np.concatenate([np.linspace(0.01, 1.0, bids), [1.5, 2.5, 5.0]])
    return cost_curves(response, n=n, bids=grid), float((x * each).sum()), float(x.sum())


def linear_static(curves, money: float, least: float, k: int) -> float:
    """HiGHS on the same tabulated curves: one variable per account and step of the bid."""
    from scipy import sparse
    from scipy.optimize import linprog

    steps, n = curves.impressions.shape[0] - 1, curves.impressions.shape[1]
    width = np.diff(curves.impressions, axis=0).ravel()
    slope = np.diff(curves.cost, axis=0).ravel() / np.maximum(width, 1e-300)
    to_account = sparse.csr_matrix(np.tile(np.eye(n), steps))
    cost = np.concatenate([np.zeros(width.size), [float(k)], np.ones(n)])
    over = sparse.hstack([to_account, sparse.csr_matrix(-np.ones((n, 1))), -sparse.identity(n)])
    spend = sparse.csr_matrix(np.concatenate([slope, np.zeros(n + 1)]))
    enough = sparse.csr_matrix(np.concatenate([-np.ones(width.size), np.zeros(n + 1)]))
    bounds = [*((0.0, w) for w in width), (0.0, None), *[(0.0, None)] * n]
    solved = linprog(
        cost, A_ub=sparse.vstack([over, spend, enough]), b_ub=np.concatenate([np.zeros(n), [money, -least]]),
        bounds=bounds, method="highs",
    )  # fmt: skip
    assert solved.status == 0, solved.message
    return float(solved.fun)


@pytest.mark.parametrize("floor", [0.99, 0.95, 0.85])
@pytest.mark.parametrize("seed", range(3))
def test_the_static_optimum_matches_the_linear_program_on_the_same_curves(seed, floor):
    curves, money, baseline = market(30, seed, 300)
    ours = best_static(curves, money=money, least=floor * baseline, top=5)
    assert ours is not None
    assert ours.spend <= money * (1.0 + 1e-6)
    assert ours.x.sum() >= floor * baseline * (1.0 - 1e-6)
    # Bids are interpolated between grid points, the program picks steps freely: apart by the grid only.
    sums = float(np.sort(ours.x)[-5:].sum())
    assert sums == pytest.approx(linear_static(curves, money, floor * baseline, 5), rel=1e-4)


def test_a_lower_floor_buys_a_lower_share_and_equal_bids_are_the_start():
    curves, money, baseline = market(80, 1, 80)
    points = static_frontier(curves, money=money, baseline=baseline, top=8, floors=(1.2, 0.99, 0.95, 0.9))
    assert len(points) == 4  # 120 % cannot be had for the money
    assert points[0].delivery == pytest.approx(1.0, abs=1e-3)
    shares = [point.share for point in points]
    assert shares == sorted(shares, reverse=True)
    assert all(
        point.delivery >= floor - 1e-6 for point, floor in zip(points[1:], (0.99, 0.95, 0.9), strict=True)
    )


def test_a_frontier_without_money_is_refused():
    curves, _, _ = market(5, 0, 10)
    with pytest.raises(BadNumbers):
        best_static(curves, money=0.0, least=1.0, top=1)
