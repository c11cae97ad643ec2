from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from balancer.canon import plan_bytes
from balancer.rehearse import rehearse
from balancer.threshold import Threshold
from balancer.types import UNPLACED, Policy
from tests.balancer.closed_loop import controlled, day_report, morning

CAP = Policy(mode="threshold", member_cap=None, threshold=50.0, interval_days=10, minimum_members=0)


def _after(counts, *, controller=None, policy=CAP, band=None, days=1, k=1):
    controller = controller or Threshold()
    here = np.zeros(len(counts), dtype=np.int8) if band is None else np.asarray(band, dtype=np.int8)
    state = morning(len(counts), band=here)
    plan = controller.propose(state, policy)
    for step in range(days):
        report = day_report(counts, day=state.day + step, band=np.maximum(here, 0), k=k)
        state = replace(
            state, day=738_902 + step, reports=(report,), memory=plan.memory, band=plan.band, landed=plan.band
        )
        plan = controller.propose(state, policy)
    return state, plan


def test_an_account_is_excluded_at_its_cap_and_the_move_says_until_when():
    _state, plan = _after([60.0, 49.0, 50.0])

    assert plan.band.tolist() == [UNPLACED, 0, UNPLACED]
    assert [m.reason for m in plan.moves] == ["over_threshold"] * 2
    assert plan.moves[0].evidence == {"counted": 60.0, "cap": 50.0}
    assert plan.moves[0].release == 738_900 + 10 - CAP.actuation_delay


def test_without_a_count_the_threshold_is_the_multiple_of_the_even_share_the_policy_names():
    policy = replace(CAP, threshold=None, even_cap=2.0)
    _, plan = _after([1e9, 1.0], policy=policy)

    even = morning(2).baseline * policy.interval_days / 2
    assert plan.moves[0].evidence["cap"] == 2.0 * even


def test_everybody_returns_on_the_first_day_of_the_next_interval():
    state, plan = _after([60.0, 10.0])
    for day in range(state.day + 1, 738_900 + 12):
        state = replace(
            state, day=day, reports=(day_report([0.0, 1.0], day=day - 1),), memory=plan.memory, band=plan.band
        )
        plan = Threshold().propose(state, CAP)
        if plan.band[0] == 0:
            break

    assert day == 738_900 + 10 - CAP.actuation_delay
    assert plan.moves[0].reason == "released"


def test_impressions_outside_the_count_scope_do_not_count():
    band = [0, 1]
    _, counted = _after([60.0, 60.0], controller=Threshold(count=frozenset({0})), band=band, k=2)

    assert counted.band.tolist() == [UNPLACED, 1]


def test_accounts_outside_the_exclude_scope_are_never_taken_out():
    band = [0, 1]
    _, plan = _after([60.0, 60.0], controller=Threshold(exclude=frozenset({1})), band=band, k=2)

    assert plan.band.tolist() == [0, UNPLACED]


def test_rolling_capping_releases_below_seven_tenths_after_the_cool_down():
    relay = Threshold(rolling=True)
    state, plan = _after([60.0, 5.0], controller=relay)
    assert plan.band[0] == UNPLACED
    released = None
    for day in range(state.day + 1, state.day + 15):
        report = day_report([0.0, 5.0], day=day - 1)
        state = replace(state, day=day, reports=(report,), memory=plan.memory, band=plan.band)
        plan = relay.propose(state, CAP)
        if plan.band[0] == 0 and released is None:
            released = day
    assert released is not None
    assert released - 738_902 >= 3
    assert released - 738_900 >= CAP.interval_days


def test_capping_leaves_an_audience_of_the_minimum_size():
    policy = replace(CAP, minimum_members=250)
    _, plan = _after([60.0, 70.0, 80.0, 90.0], policy=policy)

    assert plan.band.tolist() == [0, 0, 0, UNPLACED]


def test_the_vendor_rule_reaches_about_a_quarter_and_loses_budget_when_inventory_is_tight():
    policy = Policy(mode="threshold", member_cap=None)
    wide = rehearse("A", mode="threshold", policy=policy, seed=0)
    tight = rehearse("A", mode="threshold", policy=policy, seed=0, headroom=1.5)

    assert wide.top100_after == pytest.approx(0.235, abs=0.02)
    assert wide.weekly_sd > 0.10, "it swings with its interval"
    assert tight.delivery < 0.80


def test_threshold_plans_rebuild_byte_for_byte():
    _, calls = controlled(Threshold(), world="C", n=200, weeks=4, policy=replace(CAP, threshold=None))
    for state, plan in calls[::6]:
        assert plan_bytes(Threshold().propose(state, replace(CAP, threshold=None))) == plan_bytes(plan)
