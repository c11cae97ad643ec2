"""Caps, floors, pins and what gives way when they cannot all be met."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balancer.allocate_limits import (
    LIMITS,
    Limits,
    combine_caps,
    deliverable_under_share_cap,
    limits_from_policy,
)
from balancer.allocate_target import limited_target
from balancer.errors import BadNumbers, ImpossibleCap
from balancer.types import Policy

PROPERTY = settings(max_examples=80, deadline=None)
FREE = Policy(member_cap=None)


def limits(policy: Policy, *, total: float = 100.0, members=(10, 10, 10, 10), tier=(1, 1, 2, 2), **more):
    n = len(members)
    return limits_from_policy(
        policy,
        total=total,
        members=np.array(members, dtype=float),
        tier=np.array(tier),
        accounts=[f"a{i}" for i in range(n)],
        **more,
    )


def plain(cap, *, inventory=np.inf, floor=0.0, share_cap=None):
    cap = np.asarray(cap, dtype=float)
    n = cap.size
    stock = np.broadcast_to(np.asarray(inventory, dtype=float), n).copy()
    which = np.full(n, LIMITS.index("absolute"), dtype=np.int8)
    return Limits(np.ones(n), np.full(n, floor), cap, stock, which, share_cap)


def codes(target):
    return [status.code for status in target.allocation.statuses]


def test_each_account_is_told_which_of_its_caps_is_the_smallest():
    policy = Policy(
        member_cap=2.0, share_cap=0.5, absolute_cap=30.0, tier_caps={2: 15.0}, click_cap=1.0, spend_cap=9.0
    )
    result = limits(
        policy,
        members=(10, 100, 100, 100, 100, 100),
        tier=(1, 1, 2, 1, 1, 1),
        clicks_per_impression=np.array([0, 0, 0, 0.1, 0, 0]),
        cost_per_impression=np.array([0, 0, 0, 0, 0.5, 0]),
        inventory=np.array([np.inf] * 5 + [5.0]),
    )
    names = [LIMITS[i] for i in result.which]
    assert names == ["member", "absolute", "tier", "click", "spend", "inventory"]
    assert result.cap.tolist() == [20.0, 30.0, 15.0, 10.0, 18.0, 30.0]


def test_a_share_cap_under_the_relax_policy_is_never_below_one_and_a_half_even_shares():
    assert limits(dataclasses.replace(FREE, share_cap=0.01)).cap.tolist() == [37.5] * 4


def test_a_cap_in_even_shares_counts_those_who_are_served_and_the_smallest_cap_still_binds():
    policy = dataclasses.replace(FREE, even_cap=2.0, tier_caps={2: 40.0}, held=frozenset({"a0"}))
    result = limits(policy, total=90.0)
    assert result.cap[1:].tolist() == [60.0, 40.0, 40.0]
    assert [LIMITS[i] for i in result.which] == ["held", "even", "tier", "tier"]


@PROPERTY
@given(st.floats(1.5, 50.0), st.lists(st.floats(0.0, 1e4), min_size=2, max_size=40), st.integers(0, 2**32))
def test_nobody_is_aimed_above_the_given_multiple_of_the_even_share(times, inventory, seed):
    stock = np.array(inventory)
    total = float(np.random.default_rng(seed).uniform(0.0, 2.0) * stock.sum())
    policy = dataclasses.replace(FREE, even_cap=times, cap_policy="strict")
    asked = limits(
        policy, total=total, members=np.ones(stock.size), tier=np.ones(stock.size), inventory=stock
    )
    target = limited_target(total, asked, cap_policy="strict").allocation.target
    assert (target <= times * total / stock.size * (1.0 + 1e-9)).all()


@pytest.mark.parametrize("times", [0.0, 1.4, float("nan")])
def test_a_cap_of_less_than_one_and_a_half_even_shares_is_refused_as_impossible(times):
    with pytest.raises(ImpossibleCap, match=r"below 1\.5"):
        limits(dataclasses.replace(FREE, even_cap=times))


def test_a_strict_share_cap_below_one_and_a_half_even_shares_is_refused_as_impossible():
    policy = dataclasses.replace(FREE, share_cap=0.2, cap_policy="strict")
    with pytest.raises(ImpossibleCap, match=r"1\.5 / 4 = 0\.375"):
        limits(policy)


def test_an_unknown_number_of_members_is_taken_as_the_median_of_the_known():
    result = limits(Policy(member_cap=2.0), members=(0, 10, 20, 30))
    assert result.cap.tolist() == [40.0, 20.0, 40.0, 60.0]


def test_weights_follow_tier_and_members():
    policy = Policy(member_cap=None, beta=0.5, tier_weights={1: 3.0})
    assert limits(policy, members=(4, 9, 16, 25)).weight.tolist() == [6.0, 9.0, 4.0, 5.0]


def test_a_pinned_account_gets_its_pin_a_held_one_nothing_and_an_infinite_pin_lifts_all_caps():
    policy = Policy(member_cap=1.0, pins={"a0": 50.0, "a1": np.inf}, held=frozenset({"a3"}))
    target = limited_target(100.0, limits(policy))
    assert target.allocation.target.tolist() == pytest.approx([50.0, 40.0, 10.0, 0.0])
    assert target.counts() == {"member": 1, "pin": 1, "held": 1}


def test_a_raised_cap_is_room_and_no_promise():
    policy = Policy(member_cap=1.0, raised={"a0": 25.0, "a1": 1.0})
    asked = limits(policy, members=(10.0, 40.0, 40.0, 40.0))
    assert asked.cap.tolist() == [25.0, 40.0, 40.0, 40.0]
    assert limited_target(60.0, asked).allocation.target.tolist() == pytest.approx([15.0] * 4)
    assert limited_target(130.0, asked).allocation.target.tolist() == pytest.approx([25.0, 35.0, 35.0, 35.0])
    assert limited_target(130.0, asked).counts() == {"raised": 1}


def test_held_beats_pinned():
    policy = Policy(member_cap=None, pins={"a0": 50.0}, held=frozenset({"a0"}))
    assert limited_target(100.0, limits(policy)).allocation.target[0] == 0.0


def test_a_cap_that_needs_a_rate_nobody_gave_is_refused():
    with pytest.raises(BadNumbers, match="clicks_per_impression"):
        limits(dataclasses.replace(FREE, click_cap=3.0))


def test_inventory_below_the_total_is_delivered_in_full_and_the_gap_named():
    target = limited_target(100.0, plain([np.inf] * 3, inventory=[10.0, 20.0, 30.0]))
    assert target.allocation.target.tolist() == [10.0, 20.0, 30.0]
    assert [(s.code, s.number) for s in target.allocation.statuses] == [("inventory_short", 40.0)]
    assert target.counts() == {"inventory": 3} or target.counts() == {"absolute": 3}


def test_relaxing_multiplies_all_caps_by_the_smallest_factor_that_delivers_everything():
    target = limited_target(100.0, plain([10.0, 20.0, 30.0], inventory=[12.0, np.inf, np.inf]))
    assert target.relaxed == pytest.approx(88.0 / 50.0)
    assert target.allocation.target.tolist() == pytest.approx([12.0, 35.2, 52.8])
    assert codes(target) == ["cap_relaxed"]
    assert target.allocation.status.number == target.relaxed


def test_strict_caps_hold_and_less_is_delivered():
    target = limited_target(100.0, plain([10.0, 20.0, 30.0]), cap_policy="strict")
    assert target.allocation.total == 60.0
    assert [(s.code, s.number) for s in target.allocation.statuses] == [("cap_short", 40.0)]


def test_caps_of_zero_cannot_be_relaxed_away_and_the_gap_is_named():
    target = limited_target(100.0, plain([0.0, 0.0]))
    assert target.allocation.total == 0.0
    assert ("cap_short", 100.0) in [(s.code, s.number) for s in target.allocation.statuses]


def test_inventory_and_strict_caps_are_both_reported_with_their_own_numbers():
    target = limited_target(100.0, plain([10.0, 20.0], inventory=[50.0, 15.0]), cap_policy="strict")
    assert [(s.code, s.number) for s in target.allocation.statuses] == [
        ("inventory_short", 35.0),
        ("cap_short", 40.0),
    ]


def test_floors_that_do_not_fit_are_reported_after_what_outranks_them():
    target = limited_target(10.0, plain([50.0, 50.0], floor=20.0))
    assert codes(target) == ["floor_short"]
    assert target.allocation.status.number == 30.0
    assert target.allocation.target.tolist() == [5.0, 5.0]


@st.composite
def capped(draw):
    n = draw(st.integers(1, 10))
    amounts = st.lists(st.floats(0.5, 100.0), min_size=n, max_size=n)
    cap, stock = np.array(draw(amounts)), np.array(draw(amounts))
    part = draw(st.floats(0.0, 1.3, allow_subnormal=False))  # below 1e-307 a total has lost its digits
    return part * float(stock.sum()), cap, stock


@PROPERTY
@given(capped())
def test_relaxed_caps_are_relaxed_only_when_needed_and_by_one_factor(instance):
    total, cap, stock = instance
    target = limited_target(total, plain(cap, inventory=stock))
    feasible = min(total, float(stock.sum()))
    fits = np.minimum(cap, stock).sum() >= feasible * (1.0 - 1e-12)
    assert target.relaxed >= 1.0
    assert (target.relaxed == 1.0) == bool(fits)
    assert (target.allocation.target <= np.minimum(stock, target.relaxed * cap) * (1.0 + 1e-9)).all()
    assert target.allocation.total == pytest.approx(feasible, rel=1e-9, abs=1e-9)


@PROPERTY
@given(capped(), st.floats(0.05, 1.0))
def test_a_strict_share_cap_holds_for_what_is_really_delivered_and_nothing_more_fits(instance, kappa):
    total, cap, stock = instance
    kappa = max(kappa, 1.5 / cap.size)
    target = limited_target(total, plain(cap, inventory=stock, share_cap=kappa), cap_policy="strict")
    x = target.allocation.target
    assert (x <= kappa * x.sum() + 1e-9 * max(total, 1.0)).all()
    assert (x <= np.minimum(cap, stock) + 1e-12).all()
    more = min(total, x.sum() * 1.001 + 1e-6)
    if more > x.sum() + 1e-9 * total:
        assert np.minimum(np.minimum(cap, stock), kappa * more).sum() < more


@PROPERTY
@given(capped(), st.floats(0.05, 1.0))
def test_the_share_cap_fixed_point_equals_the_one_found_by_iterating_downwards(instance, kappa):
    total, cap, _ = instance
    slow = total
    for _ in range(20_000):
        lower = min(slow, float(np.minimum(cap, kappa * slow).sum()))
        if slow - lower <= 1e-15 * total:
            break
        slow = lower
    fast = deliverable_under_share_cap(total, kappa=kappa, cap=cap)
    assert fast <= slow + 1e-9 * max(total, 1.0)
    assert np.minimum(cap, kappa * fast).sum() >= fast * (1.0 - 1e-9)
    if fast * cap.size * kappa > 0 and abs(kappa * cap.size - 1.0) > 0.05:
        assert fast == pytest.approx(slow, rel=1e-6, abs=1e-6)


def test_the_first_named_cap_wins_a_tie_and_no_cap_is_nobodys():
    cap, which = combine_caps({"member": np.array([5.0, np.inf]), "tier": np.array([5.0, np.inf])}, n=2)
    assert cap.tolist() == [5.0, np.inf]
    assert [LIMITS[i] for i in which] == ["member", "none"]


def test_a_cap_that_is_not_a_number_is_refused():
    with pytest.raises(BadNumbers):
        combine_caps({"member": np.array([np.nan])}, n=1)
