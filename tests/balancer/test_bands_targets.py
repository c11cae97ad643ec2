from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balancer.allocate_limits import limits_from_policy
from balancer.allocate_target import limited_target
from balancer.targets import daily_goal
from balancer.types import Policy
from tests.balancer.closed_loop import morning


@given(
    seed=st.integers(0, 10_000),
    n=st.integers(2, 80),
    room=st.floats(0.5, 6.0),
    cap=st.sampled_from([None, 5.0, 14.0]),
)
@settings(max_examples=80, deadline=None)
def test_the_short_path_gives_the_target_of_the_general_one(seed, n, room, cap):
    rng = np.random.default_rng(seed)
    members = np.where(rng.random(n) < 0.2, 0.0, rng.integers(1, 900, n)).astype(float)
    state = replace(morning(n), members=members)
    inventory = rng.lognormal(0.0, 1.2, n)
    inventory *= room * state.baseline / inventory.sum()
    policy = Policy(member_cap=cap)

    got = daily_goal(state, policy, inventory, total=state.baseline)
    limits = limits_from_policy(
        policy, total=28.0 * state.baseline, members=members, tier=state.tier, inventory=28.0 * inventory
    )
    slow = limited_target(28.0 * state.baseline, limits, cap_policy="relax")

    assert got.target == pytest.approx(np.asarray(slow.allocation.target) / 28.0, rel=1e-9, abs=1e-9)
    assert [s.code for s in got.statuses] == [s.code for s in slow.allocation.statuses]


def test_a_cap_that_cannot_be_kept_for_lack_of_clicks_is_named():
    state = morning(10)
    got = daily_goal(state, Policy(click_cap=3.0), np.full(10, 1_000.0), total=state.baseline)

    assert ("cap_ignored", "click_cap") in {(s.code, s.detail) for s in got.statuses}


def test_impressions_that_are_cheaper_left_alone_are_a_floor_below_the_caps():
    state = morning(10)
    least = np.r_[np.full(2, 600.0), np.zeros(8)]
    got = daily_goal(state, Policy(member_cap=None), np.full(10, 2_000.0), total=state.baseline, least=least)

    assert got.target[:2] == pytest.approx([600.0, 600.0])
    assert got.target.sum() == pytest.approx(state.baseline)
