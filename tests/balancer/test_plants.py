from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balancer.errors import BadNumbers
from balancer.plants import Auction, Plant, PowerPrice, Proportional, spending_throttle

PLANTS: list[Plant] = [Proportional(), PowerPrice(0.2), Auction()]


def _accounts(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    rng = np.random.default_rng(seed)
    rates = rng.lognormal(1.0, 1.2, n)
    return rates, rates * rng.uniform(1.0, 6.0, n), rng


@pytest.mark.parametrize("plant", PLANTS, ids=lambda p: type(p).__name__)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 60), k=st.integers(1, 4), scale=st.floats(0.0, 8.0))
@settings(max_examples=40, deadline=None)
def test_no_band_spends_more_than_its_money_and_nobody_outside_is_served(plant, seed, n, k, scale):
    rates, inventory, rng = _accounts(n, seed)
    band = rng.integers(-1, k, n)
    included = rng.random(n) < 0.8
    budgets = rng.random(k) * scale * rates.sum() / k

    got = plant.deliver(rates, inventory, included=included, band=band, budgets=budgets, price=0.05, rng=rng)

    assert (got.spend <= budgets + 1e-12).all()
    assert (got.spend >= 0.0).all()
    assert (got.impressions[~included | (band < 0)] == 0.0).all()
    assert (got.impressions == np.floor(got.impressions)).all()
    assert got.spend.shape == got.throttle.shape == (k,)


@pytest.mark.parametrize("plant", PLANTS, ids=lambda p: type(p).__name__)
def test_the_uncontrolled_budget_settles_at_throttle_one_and_spends_itself(plant):
    rng = np.random.default_rng(1)
    rates = rng.lognormal(2.0, 1.0, 2_000)
    everyone = np.ones(rates.size, dtype=bool)

    got = plant.deliver(
        rates, 4.0 * rates, included=everyone, band=np.zeros(rates.size, dtype=np.int8),
        budgets=np.array([rates.sum() * 2.0]), price=2.0, rng=rng,
    )  # fmt: skip

    assert got.throttle[0] == pytest.approx(1.0, abs=1e-4)
    assert got.impressions.sum() == pytest.approx(rates.sum(), abs=1.5)
    assert got.spend[0] == pytest.approx(2.0 * rates.sum(), rel=1e-3)


def test_a_saturated_proportional_band_leaves_the_rest_of_its_money():
    rng = np.random.default_rng(2)
    rates = np.full(50, 10.0)

    got = Proportional().deliver(
        rates, 1.5 * rates, included=np.ones(50, dtype=bool), band=np.zeros(50, dtype=np.int8),
        budgets=np.array([2_000.0]), price=1.0, rng=rng,
    )  # fmt: skip

    assert got.impressions.sum() == 750.0
    assert got.throttle[0] == pytest.approx(1.5)
    assert got.spend[0] == 750.0


@given(seed=st.integers(0, 10_000), n=st.integers(1, 80), share=st.floats(0.01, 0.99))
@settings(max_examples=60, deadline=None)
def test_the_exact_throttle_agrees_with_a_bisection(seed, n, share):
    rates, inventory, _ = _accounts(n, seed)
    total = share * inventory.sum()

    low, high = 0.0, 10.0
    for _ in range(80):
        middle = (low + high) / 2.0
        low, high = (middle, high) if np.minimum(inventory, middle * rates).sum() < total else (low, middle)

    assert spending_throttle(rates, inventory, total) == pytest.approx(low, rel=1e-9)


def test_pressure_costs_nothing_at_a_flat_price_and_more_in_an_auction():
    rng = np.random.default_rng(3)
    rates = rng.lognormal(1.0, 1.0, 1_000)
    half = (np.arange(rates.size) % 2).astype(np.int8)
    split = rates[half == 1].sum()
    budgets = np.array([rates.sum() - 1.5 * split, 1.5 * split])

    def impressions(plant: Plant) -> float:
        got = plant.deliver(
            rates, 4.0 * rates, included=np.ones(rates.size, dtype=bool), band=half,
            budgets=budgets, price=1.0, rng=np.random.default_rng(4),
        )  # fmt: skip
        return float(got.impressions.sum())

    flat = impressions(Proportional())
    assert flat == pytest.approx(rates.sum(), abs=2.0)
    assert impressions(PowerPrice(0.2)) < flat - 10.0
    assert impressions(Auction()) < impressions(PowerPrice(0.2))


def test_the_same_generator_state_gives_the_same_day():
    rates, inventory, _ = _accounts(40, 9)
    days = [
        Auction().deliver(
            rates, inventory, included=np.ones(40, dtype=bool), band=np.zeros(40, dtype=np.int8),
            budgets=np.array([20.0]), price=1.0, rng=np.random.default_rng(5),
        )
        for _ in range(2)
    ]  # fmt: skip

    assert np.array_equal(days[0].impressions, days[1].impressions)


def _deliver(plant: Plant, **changed):
    given = {
        "rates": [5, 3, 1], "inventory": [20, 20, 20], "included": [True] * 3, "band": [0, 0, 0],
        "budgets": [10], "price": 1.0, "rng": np.random.default_rng(5),
    } | changed  # fmt: skip
    rates, inventory = given.pop("rates"), given.pop("inventory")
    return plant.deliver(rates, inventory, **given)


@pytest.mark.parametrize("plant", PLANTS, ids=lambda p: type(p).__name__)
def test_plain_lists_of_whole_numbers_are_delivered_like_arrays(plant):
    plain = _deliver(plant)
    arrays = _deliver(
        plant, rates=np.array([5.0, 3.0, 1.0]), inventory=np.full(3, 20.0), included=np.ones(3, dtype=bool),
        band=np.zeros(3, dtype=np.int8), budgets=np.array([10.0]),
    )  # fmt: skip

    assert np.array_equal(plain.impressions, arrays.impressions)
    assert plain.impressions.sum() > 0.0


@pytest.mark.parametrize("plant", PLANTS, ids=lambda p: type(p).__name__)
@pytest.mark.parametrize(
    "changed",
    [
        {"rates": [5, float("nan"), 1]}, {"rates": [5, -3, 1]}, {"rates": [5, 3]}, {"inventory": [20, 20]},
        {"inventory": [-1, 20, 20]}, {"included": [True]}, {"band": [0, 0]}, {"budgets": [float("nan")]},
        {"budgets": [-1]}, {"budgets": [float("inf")]}, {"price": 0.0}, {"price": float("nan")},
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_a_day_is_refused(plant, changed):
    with pytest.raises(BadNumbers):
        _deliver(plant, **changed)


@pytest.mark.parametrize("plant", [Proportional(), PowerPrice(0.5)], ids=lambda p: type(p).__name__)
def test_without_a_limit_of_inventory_the_money_is_spent(plant):
    got = _deliver(plant, rates=[50, 30, 10], inventory=[np.inf] * 3, budgets=[9_000])

    assert got.spend[0] == pytest.approx(9_000.0, rel=1e-3)


def test_an_auction_needs_a_number_of_opportunities_and_true_parameters():
    with pytest.raises(BadNumbers):
        _deliver(Auction(), inventory=[np.inf] * 3)
    for wrong in ({"sigma": 0.0}, {"win_rate": 1.0}, {"win_rate": 0.0}, {"highest": 0.0}):
        with pytest.raises(BadNumbers):
            Auction(**wrong)
    with pytest.raises(BadNumbers):
        PowerPrice(-0.1)
