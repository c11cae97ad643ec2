"""The price response found from bands: it recovers a planted one, and its interval is honest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balancer.elasticity import price_response
from balancer.errors import BadNumbers
from balancer.types import Vector

TRIALS = 300


def market(eps: float, *, days: int, bands: int, noise: float, seed: int) -> tuple[Vector, Vector, Vector]:
    """Throttles, prices with a mood of the day and noise per band, impressions."""
    rng = np.random.default_rng(seed)
    throttle = np.exp(rng.normal(np.linspace(-0.7, 0.7, bands), 0.1, (days, bands)))
    mood = rng.normal(0.0, 0.5, (days, 1))
    each = 0.03 * throttle**eps * np.exp(mood + noise * rng.standard_normal((days, bands)))
    return throttle, each, rng.uniform(500.0, 2_000.0, (days, bands))


@settings(max_examples=60, deadline=None)
@given(eps=st.floats(0.0, 1.5), days=st.integers(5, 28), bands=st.integers(2, 6), seed=st.integers(0, 10_000))
def test_without_noise_the_planted_response_is_found_exactly(
    eps: float, days: int, bands: int, seed: int
) -> None:
    found = price_response(*market(eps, days=days, bands=bands, noise=0.0, seed=seed))

    assert found is not None
    assert found.elasticity == pytest.approx(eps, abs=1e-9)
    assert found.low == pytest.approx(eps, abs=1e-6)
    assert found.high == pytest.approx(eps, abs=1e-6)
    assert found.days == days


def test_the_interval_contains_the_planted_response_about_as_often_as_it_says() -> None:
    inside = 0
    for seed in range(TRIALS):
        found = price_response(*market(0.3, days=14, bands=4, noise=0.1, seed=seed))
        assert found is not None
        inside += found.low <= 0.3 <= found.high

    assert 0.91 <= inside / TRIALS <= 0.985


def test_it_agrees_with_a_regression_with_a_dummy_per_day() -> None:
    throttle, each, weight = market(0.4, days=9, bands=4, noise=0.2, seed=5)
    found = price_response(throttle, each, weight)
    share = (weight / weight.sum(axis=1, keepdims=True)).ravel()
    design = np.column_stack([np.log(throttle).ravel(), np.kron(np.eye(9), np.ones((4, 1)))])
    root = np.sqrt(share)[:, None]
    slow = np.linalg.lstsq(design * root, np.log(each).ravel() * root[:, 0], rcond=None)[0][0]

    assert found is not None
    assert found.elasticity == pytest.approx(slow, rel=1e-9)


def test_too_few_days_one_band_or_no_spread_say_nothing() -> None:
    throttle, each, weight = market(0.3, days=12, bands=3, noise=0.1, seed=1)

    assert price_response(throttle[:4], each[:4], weight[:4]) is None
    assert price_response(throttle[:, :1], each[:, :1], weight[:, :1]) is None
    assert price_response(np.ones((12, 3)), each, weight) is None
    quiet = weight.copy()
    quiet[:, 1:] = 0.0
    assert price_response(throttle, each, quiet) is None


def test_days_on_which_a_band_did_not_deliver_use_the_others() -> None:
    throttle, each, weight = market(0.3, days=12, bands=3, noise=0.0, seed=2)
    throttle[3, 0] = each[3, 0] = weight[3, 0] = 0.0
    found = price_response(throttle, each, weight)

    assert found is not None
    assert found.elasticity == pytest.approx(0.3, abs=1e-9)


def test_tables_that_do_not_fit_are_refused() -> None:
    with pytest.raises(BadNumbers):
        price_response(np.ones((5, 2)), np.ones((5, 3)), np.ones((5, 2)))
