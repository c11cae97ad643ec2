from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from balancer.auto import Auto
from balancer.bands import Bands
from balancer.duty import Duty
from balancer.errors import BadNumbers
from balancer.threshold import Threshold
from balancer.types import Policy
from tests.balancer.closed_loop import day_report, morning

CONTROLLERS = [Bands(), Duty(), Threshold(), Auto()]
DAY = 738_900
REPORT = day_report([30.0, 20.0, 10.0, 5.0], day=DAY - 2)


def _bad_states():
    state = morning(4, day=DAY)
    nan = np.full(4, np.nan)
    yield "no accounts", morning(0, day=DAY)
    yield "a budget that is no number", replace(state, budget=float("nan"))
    yield "a negative budget", replace(state, budget=-1.0)
    yield "no impressions before", replace(state, baseline=0.0)
    yield "endless impressions before", replace(state, baseline=float("inf"))
    yield "lists in place of arrays", replace(state, members=[1.0] * 4)
    yield "members of three", replace(state, members=np.ones(3))
    yield "tiers of three", replace(state, tier=np.zeros(3, dtype=np.int8))
    yield "unknown members as nan", replace(state, members=nan)
    yield "negative members", replace(state, members=np.full(4, -1.0))
    yield "a band below none", replace(state, band=np.full(4, -2, dtype=np.int8))
    yield "a prior of three", replace(state, prior_rate=np.ones(3))


def _bad_reports():
    yield "a row of nobody", replace(REPORT, account=np.array([0, 1, 2, 4]))
    yield "a row before the first", replace(REPORT, account=np.array([0, 1, 2, -1]))
    yield "a count that is no number", replace(REPORT, impressions=np.array([1.0, np.nan, 2.0, 3.0]))
    yield "fewer counts than rows", replace(REPORT, impressions=np.ones(3))
    yield "a negative total", replace(REPORT, band_total=np.array([-1.0]))
    yield "money of two campaigns", replace(REPORT, band_spend=np.ones(2))
    yield "bands of three accounts", replace(REPORT, band=np.zeros(3, dtype=np.int8))
    yield "hidden of three rows", replace(REPORT, hidden=np.zeros(3))


BAD = [
    *_bad_states(),
    *((name, replace(morning(4, day=DAY), reports=(report,))) for name, report in _bad_reports()),
]


@pytest.mark.parametrize("controller", CONTROLLERS, ids=lambda c: type(c).__name__)
@pytest.mark.parametrize("state", [state for _, state in BAD], ids=[name for name, _ in BAD])
def test_a_morning_that_cannot_be_true_is_refused_by_every_mode(controller, state):
    with pytest.raises(BadNumbers):
        controller.propose(state, Policy())


@pytest.mark.parametrize("controller", CONTROLLERS, ids=lambda c: type(c).__name__)
@pytest.mark.parametrize("wish", [{"ramp": "quick"}, {"cap_policy": "loose"}, {"bands": 0}, {"bands": 128}])
def test_words_and_numbers_of_bands_that_do_not_exist_are_refused(controller, wish):
    with pytest.raises(BadNumbers):
        controller.propose(morning(4, day=DAY), Policy(**wish))


@pytest.mark.parametrize("controller", CONTROLLERS, ids=lambda c: type(c).__name__)
@pytest.mark.parametrize("n", [1, 4])
@pytest.mark.parametrize("budget", [0, 7])
def test_one_account_a_day_without_money_and_a_whole_amount_are_ordinary(controller, n, budget):
    plan = controller.propose(replace(morning(n, day=DAY), budget=budget), Policy())

    assert plan.budgets.dtype == np.float64
    assert plan.budgets.sum() == pytest.approx(budget)
    assert (plan.budgets >= 0.0).all()
    assert np.isfinite(plan.target).all()
