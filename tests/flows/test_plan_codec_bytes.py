"""Plans and their inputs as bytes: nothing is lost, and the same value gives the same bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from balancer.auto import FEWEST
from balancer.canon import encode_memory, inputs_hash, plan_bytes
from balancer.rehearse import CONTROLLERS
from balancer.types import DayReport, Policy, State
from flows.balance import one_campaign, plan_for
from flows.plan_codec import decode_inputs, decode_plan, encode_inputs, encode_plan

policies = st.builds(
    Policy,
    mode=st.sampled_from(sorted(CONTROLLERS)),
    bands=st.integers(1, 5),
    member_cap=st.none() | st.floats(1.0, 50.0),
    absolute_cap=st.none() | st.floats(50.0, 5_000.0),
    even_cap=st.none() | st.floats(1.5, 9.0),
    tier_weights=st.dictionaries(st.integers(1, 4), st.floats(0.5, 3.0), max_size=2),
    tier_caps=st.dictionaries(st.integers(1, 4), st.floats(100.0, 900.0), max_size=2),
    pins=st.dictionaries(st.sampled_from(["a3", "a4"]), st.just(float("inf")) | st.floats(1.0, 99.0)),
    raised=st.dictionaries(st.sampled_from(["a2", "a5"]), st.floats(1.0, 999.0), max_size=2),
    held=st.frozensets(st.sampled_from(["a1", "a2"])),
    operations_per_day=st.none() | st.integers(0, 20),
)


@st.composite
def states(draw: Any) -> State:
    n = draw(st.integers(6, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    first = 739_000
    reports = []
    for day in range(draw(st.integers(1, 4))):
        counts = np.floor(rng.lognormal(2.0, 1.2, n))
        listed = np.flatnonzero(counts >= 3).astype(np.int64)
        total = np.array([float(counts.sum())])
        reports.append(
            DayReport(
                day=first + day,
                band_total=total,
                band_spend=0.05 * total,
                band_budget=0.05 * total,
                account=listed,
                impressions=counts[listed],
                list_floor=np.array([2.0]),
                band=np.zeros(n, dtype=np.int8),
                hidden=draw(st.sampled_from([None, np.ones(listed.size)])),
            )
        )
    known = draw(st.booleans())
    return State(
        day=first + len(reports) + 1,
        accounts=tuple(f"a{i}" for i in sorted(range(n), key=str)),
        members=np.floor(rng.lognormal(4.0, 1.0, n)) if known else np.zeros(n),
        tier=rng.integers(1, 5, n).astype(np.int8),
        budget=40.0,
        baseline=float(reports[0].band_total.sum()),
        band=np.full(n, -1, dtype=np.int8),
        landed=np.full(n, -1, dtype=np.int8),
        reports=tuple(reports),
        prior_rate=draw(st.sampled_from([None, rng.lognormal(1.0, 1.0, n)])),
    )


@settings(max_examples=40, deadline=None)
@given(state=states(), policy=policies)
def test_inputs_come_back_as_they_were(state: State, policy: Policy) -> None:
    data = encode_inputs(state, policy)
    again_state, again_policy = decode_inputs(data)

    assert again_policy == policy
    assert inputs_hash(again_state, again_policy) == inputs_hash(state, policy)
    assert encode_inputs(again_state, again_policy) == data


@settings(max_examples=40, deadline=None)
@given(state=states(), policy=policies)
def test_a_plan_rebuilds_from_its_stored_inputs_whatever_the_policy(state: State, policy: Policy) -> None:
    plan = plan_for(state, policy)
    stored = decode_plan(encode_plan(plan), encode_memory(plan.memory))

    assert plan_bytes(stored) == plan_bytes(plan)
    assert plan_bytes(plan_for(*decode_inputs(encode_inputs(state, policy)))) == plan_bytes(plan)
    assert stored.inputs_hash == inputs_hash(state, policy)


@settings(max_examples=15, deadline=None)
@given(state=states())
def test_auto_keeps_one_campaign_where_the_list_is_too_small_to_split(state: State) -> None:
    policy = Policy(mode="auto", minimum_members=10**9)
    known = bool(state.members.any())
    single = one_campaign(state, policy)

    assert single == (known or len(state.accounts) < FEWEST)
    assert plan_for(state, policy).mode == ("duty" if single else "bands")
