from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from balancer.bands import Bands
from balancer.rehearse import top_share
from balancer.resting import TURN
from balancer.starved import starved
from balancer.types import UNPLACED, Policy
from balancer.worlds import open_world
from tests.balancer.closed_loop import controlled

FAST = Policy(ramp="fast", member_cap=None)


@pytest.fixture(scope="module")
def loud():
    """World D: a handful of accounts take a third of everything."""
    course, calls = controlled(Bands(), world="D", n=1_000, weeks=8)
    return course, np.array([plan.band for _, plan in calls]), calls


def test_the_loudest_sit_out_for_a_while_and_still_get_their_share_in_every_window(loud):
    course, bands, _ = loud
    last = course.impressions[-28:].sum(axis=0)
    rested = (bands[-28:] == UNPLACED).any(axis=0)

    assert 0 < rested.sum() <= 0.1 * rested.size
    assert (last[rested] >= 0.5 * last.mean()).all()


def test_a_turn_out_lasts_two_days_at_least_and_three_dwell_times_at_most(loud):
    _, bands, _ = loud
    streak, turns = np.zeros(bands.shape[1]), []
    for band in bands:
        turns += streak[(band != UNPLACED) & (streak > 0)].tolist()
        streak = np.where(band == UNPLACED, streak + 1, 0)

    assert min(turns) >= TURN
    assert FAST.dwell_days < max(turns) <= 3 * FAST.dwell_days


def test_only_accounts_of_the_lowest_band_sit_out_and_the_move_says_so(loud):
    _, _, calls = loud
    left = [move for _, plan in calls for move in plan.moves if move.after == UNPLACED]
    back = [move for _, plan in calls for move in plan.moves if move.before == UNPLACED and plan.memory]

    assert left
    assert all(move.before == 0 and move.reason == "waiting_turn" for move in left)
    assert {move.reason for move in back} == {"first_split", "turn_came"}


def test_whoever_sits_out_is_told_to_wait_for_its_turn(loud):
    _, _, calls = loud
    state, plan = next((state, plan) for state, plan in calls[7:] if (plan.band == UNPLACED).any())
    reasons = {found.account: found.reason for found in starved(state, plan, FAST)}

    assert {reasons[state.accounts[i]] for i in np.flatnonzero(plan.band == UNPLACED)} == {"waiting_turn"}


def test_a_level_below_the_lowest_band_makes_a_loud_world_more_even(loud, monkeypatch):
    course, _, _ = loud
    monkeypatch.setattr("balancer.resting.OUT", 0.0)
    without, _ = controlled(Bands(), world="D", n=1_000, weeks=8)

    assert top_share(course.impressions[-28:].sum(axis=0)) < top_share(without.impressions[-28:].sum(axis=0))


def test_an_account_that_is_never_to_be_limited_never_sits_out():
    world = open_world("D", seed=0, n=400)
    loudest = int(np.argmax(world.rates))
    policy = replace(FAST, pins={f"{loudest:08d}": np.inf})
    _, calls = controlled(Bands(), world=world, weeks=8, policy=policy)

    assert all(plan.band[loudest] != UNPLACED for _, plan in calls)


def test_without_credit_nobody_sits_out_because_nobody_would_come_back():
    _, calls = controlled(Bands(), world="D", n=400, weeks=8, policy=replace(FAST, gain=0.0))

    assert all((plan.band >= 0).all() for _, plan in calls)


def test_the_very_loudest_are_on_for_days_and_not_for_a_whole_week(loud):
    course, bands, _ = loud
    window = course.impressions[-28:].sum(axis=0)
    loudest = np.argsort(-course.impressions[:28].sum(axis=0))[:3]

    assert ((bands[-28:, loudest] != UNPLACED).sum(axis=0) < FAST.dwell_days).all()
    assert (window[loudest] <= 2.0 * np.sort(window)[-100]).all()
