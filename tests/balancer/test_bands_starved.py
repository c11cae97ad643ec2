from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from balancer.bands import Bands
from balancer.duty import Duty
from balancer.plants import Auction
from balancer.starved import REASONS, TOO_LITTLE, starved
from balancer.threshold import Threshold
from balancer.types import Policy
from tests.balancer.closed_loop import controlled, morning

FAST = Policy(ramp="fast", member_cap=None)


@pytest.mark.parametrize(
    ("controller", "policy"),
    [
        (Bands(), FAST),
        (Bands(), replace(FAST, member_cap=2.0, cap_policy="strict")),
        (Duty(), replace(FAST, mode="duty")),
        (Threshold(), replace(FAST, mode="threshold")),
    ],
    ids=["bands", "capped", "duty", "threshold"],
)
def test_every_starved_account_has_exactly_one_reason(controller, policy):
    _, calls = controlled(controller, world="D", n=300, weeks=4, policy=policy)
    for state, plan in calls[::9]:
        got = starved(state, plan, policy)
        even = state.baseline / 300
        expected = np.where(plan.band >= 0, plan.target, 0.0)
        low = {state.accounts[i] for i in np.flatnonzero(expected < TOO_LITTLE * even)}

        assert {s.account for s in got} == low
        assert len(got) == len(low)
        assert {s.reason for s in got} <= set(REASONS)


def test_a_world_without_headroom_starves_for_lack_of_inventory():
    _, calls = controlled(
        Bands(), world="D", n=300, weeks=6, headroom=1.3, policy=replace(FAST, minimum_members=0)
    )
    reasons = [s.reason for s in starved(*calls[-1], FAST)]

    assert reasons.count("inventory") > 0.8 * len(reasons)


def test_a_cautious_start_says_that_the_throttle_is_still_opening():
    policy = replace(FAST, ramp="cautious")
    _, calls = controlled(Bands(), world="D", n=300, weeks=4, policy=policy)

    assert "ramp" in {s.reason for s in starved(*calls[0], policy)}


def test_where_impressions_would_be_lost_the_floor_is_the_reason():
    _, calls = controlled(Bands(), world="D", n=400, weeks=6, plant=Auction(), policy=FAST)
    reasons = [s.reason for s in starved(*calls[-1], FAST)]

    assert "delivery_floor" in reasons


def test_held_and_pinned_accounts_say_so():
    rates = np.linspace(1.0, 100.0, 40)
    policy = replace(FAST, held=frozenset({"acc-0003"}), pins={"acc-0007": 1.0}, minimum_members=0)
    state = replace(morning(40, members=500.0), prior_rate=rates)
    plan = Bands().propose(state, policy)
    reasons = {s.account: s.reason for s in starved(state, plan, policy)}

    assert reasons["acc-0003"] == "held"
    assert reasons["acc-0007"] == "pinned"
