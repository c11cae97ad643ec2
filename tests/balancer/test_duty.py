from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from balancer.auto import Auto
from balancer.canon import decode_memory, encode_memory, plan_bytes
from balancer.duty import Duty
from balancer.rehearse import rehearse
from balancer.types import UNPLACED, Policy
from tests.balancer.closed_loop import controlled, morning

TURNS = Policy(mode="duty", ramp="fast", member_cap=None)


@pytest.fixture(scope="module")
def loop():
    return controlled(Duty(), world="C", n=300, weeks=5, policy=TURNS)


def test_turns_use_one_campaign_all_the_money_and_an_audience_that_is_large_enough(loop):
    for state, plan in loop[1]:
        assert set(np.unique(plan.band)) <= {0, UNPLACED}
        assert plan.budgets.tolist() == [state.budget]
        assert state.members[plan.band == 0].sum() >= TURNS.minimum_members


def test_turns_rebuild_byte_for_byte(loop):
    for state, plan in loop[1][::7]:
        recorded = replace(state, memory=decode_memory(encode_memory(state.memory)))
        assert plan_bytes(Duty().propose(recorded, TURNS)) == plan_bytes(plan)


def test_turns_make_a_segment_even_at_nearly_full_delivery():
    got = rehearse("C", mode="duty", policy=TURNS, seed=1)

    assert got.top100_after <= 0.12
    assert got.delivery >= 0.98


def test_turns_with_longer_delays_stay_as_even():
    slow = rehearse("C", mode="duty", policy=replace(TURNS, report_delay=3, actuation_delay=2), seed=1)

    assert slow.top100_after <= 0.13
    assert slow.delivery >= 0.96


def test_a_churn_budget_binds_turns_too():
    _, calls = controlled(Duty(), world="C", n=300, weeks=4, policy=replace(TURNS, operations_per_day=5))
    assert all(len(plan.moves) <= 5 for _, plan in calls)


def test_stale_data_freezes_the_turns(loop):
    state, _ = loop[1][15]
    plan = Duty().propose(replace(state, day=state.day + 9, reports=()), TURNS)

    assert np.array_equal(plan.band, state.band)
    assert plan.statuses[0].code == "frozen"


@pytest.mark.parametrize(("members", "mode"), [(1_000.0, "bands"), (0.0, "bands"), (20.0, "duty")])
def test_auto_takes_bands_where_the_list_can_be_split_and_turns_where_not(members, mode):
    plan = Auto().propose(morning(40, members=members), Policy(mode="auto"))

    assert plan.mode == mode


def test_auto_sticks_to_its_choice():
    first = Auto().propose(morning(40, members=20.0), Policy(mode="auto"))
    later = morning(40, members=1_000.0, day=738_901, band=first.band, memory=first.memory)

    assert Auto().propose(later, Policy(mode="auto")).mode == first.mode == "duty"


def test_auto_changes_to_turns_where_bands_have_learned_that_a_crowd_has_no_room():
    auto, bands = (
        rehearse("A", mode=mode, policy=replace(TURNS, mode=mode), headroom=1.1) for mode in ("auto", "bands")
    )

    assert auto.top100_after < bands.top100_after
    assert auto.delivery >= 0.98


@pytest.mark.parametrize(("world", "headroom"), [("A", 5.0), ("C", 1.1)])
def test_auto_stays_with_bands_where_there_is_room_or_no_crowd(world, headroom):
    auto, bands = (
        rehearse(world, mode=mode, policy=replace(TURNS, mode=mode), headroom=headroom)
        for mode in ("auto", "bands")
    )

    assert auto.top100_after == bands.top100_after


def test_auto_judges_once_what_the_bands_have_learned():
    _, calls = controlled(Auto(), world="C", n=200, weeks=5, policy=replace(TURNS, mode="auto"))
    judged = [bool(plan.memory["auto_judged"][0]) for _, plan in calls]

    assert judged == sorted(judged)
    assert judged[-1]
    assert not judged[10]
