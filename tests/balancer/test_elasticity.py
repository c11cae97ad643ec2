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


def test_the_interval_contains_the_planted_response_at_least_as_often_as_it_says() -> None:
    inside = 0
    for seed in range(TRIALS):
        found = price_response(*market(0.3, days=14, bands=4, noise=0.1, seed=seed))
        assert found is not None
        inside += found.low <= 0.3 <= found.high

    assert inside / TRIALS >= 0.95


def test_the_range_also_holds_where_the_natural_delivery_of_a_band_is_misjudged_all_along() -> None:
    inside = 0
    for seed in range(TRIALS):
        throttle, each, weight = market(0.3, days=20, bands=4, noise=0.02, seed=seed)
        throttle[:, 3] *= 0.7
        found = price_response(throttle, each, weight)
        assert found is not None
        inside += found.low <= 0.3 <= found.high

    assert inside / TRIALS >= 0.95


def _slow(throttle: Vector, each: Vector, weight: Vector, *, bands: bool) -> float:
    """The slope by a regression with a dummy per day, and per band where asked."""
    days, k = throttle.shape
    dummies = [np.kron(np.eye(days), np.ones((k, 1)))] + [np.tile(np.eye(k), (days, 1))] * bands
    design = np.column_stack([np.log(throttle).ravel(), *dummies])
    root = np.sqrt(weight / weight.sum(axis=1, keepdims=True)).ravel()
    return float(np.linalg.lstsq(design * root[:, None], np.log(each).ravel() * root, rcond=None)[0][0])


def test_it_is_the_slope_among_the_bands_unless_the_slope_over_time_rules_that_out() -> None:
    for noise in (0.01, 0.2):
        throttle, each, weight = market(0.4, days=9, bands=4, noise=noise, seed=5)
        found = price_response(throttle, each, weight)
        among, over_time = (_slow(throttle, each, weight, bands=bands) for bands in (False, True))

        assert found is not None
        assert found.elasticity == pytest.approx(among, rel=1e-9)
        assert found.low <= min(among, over_time) <= max(among, over_time) <= found.high


def test_the_slope_over_time_rules_out_what_a_misjudged_band_makes_of_the_slope_among_the_bands() -> None:
    throttle, each, weight = market(0.4, days=9, bands=4, noise=0.01, seed=5)
    throttle[:, 0] *= 3.0
    found = price_response(throttle, each, weight)
    among = _slow(throttle, each, weight, bands=False)

    assert found is not None
    assert abs(found.elasticity - 0.4) < 0.5 * abs(among - 0.4)
    assert found.low < 0.4 < found.high


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
