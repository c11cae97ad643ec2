"""Mode auto in a market without room, through the day on which bands become turns."""

from __future__ import annotations

import numpy as np
import pytest

from balancer.auto import Auto
from balancer.course import PRICE
from balancer.types import UNPLACED, Policy
from tests.balancer.closed_loop import controlled

HELD = frozenset({"00000003", "00000700"})
POLICY = Policy(mode="auto", ramp="fast", member_cap=None, even_cap=12.0, held=HELD)


@pytest.fixture(scope="module")
def switched():
    course, calls = controlled(Auto(), world="A", n=2_500, headroom=1.1, weeks=7, policy=POLICY)
    first = next(i for i, (_, plan) in enumerate(calls) if plan.mode == "duty")
    return course, calls, first


def test_the_change_is_made_once_and_nothing_of_the_bands_is_left_in_the_first_plan_of_turns(switched):
    _, calls, first = switched
    state, plan = calls[first]

    assert [p.mode for _, p in calls] == ["bands"] * first + ["duty"] * (len(calls) - first)
    assert set(np.unique(plan.band)) <= {0, UNPLACED}
    assert plan.budgets.tolist() == [state.budget]
    assert state.members[plan.band == 0].sum() >= POLICY.minimum_members
    assert {move.reason for move in plan.moves} <= {"waiting_turn", "held"}
    assert plan.memory["centre"].shape == (1,)


def test_what_the_bands_learned_of_each_account_is_kept(switched):
    _, calls, first = switched
    (_, before), (_, after) = calls[first - 1], calls[first]

    assert np.corrcoef(before.memory["seen"], after.memory["seen"])[0, 1] > 0.99
    assert after.memory["clock"][0] == before.memory["clock"][0]


def test_caps_and_exclusions_hold_on_every_day_of_the_change(switched):
    _, calls, _ = switched
    rows = [int(name) for name in HELD]
    for state, plan in calls[1:]:
        cap = POLICY.even_cap * state.baseline / len(state.accounts)
        assert plan.target.max() <= cap * (1.0 + 1e-9)
        assert (plan.band[rows] == UNPLACED).all()


def test_the_money_is_spent_in_every_week_around_the_change(switched):
    course, _, first = switched
    out = course.impressions[course.start :].sum(axis=1) * PRICE
    money = course.budget[course.start :]
    around = [slice(first - 7, first), slice(first, first + 7), slice(first + 7, first + 14)]

    assert all(out[week].sum() >= 0.98 * money[week].sum() for week in around)
