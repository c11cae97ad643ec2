from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from balancer.canon import decode_memory, encode_memory, inputs_hash
from balancer.errors import BadNumbers
from balancer.memory import realign
from balancer.types import Policy
from tests.balancer.closed_loop import day_report, morning


@given(
    st.dictionaries(
        st.text("abcdefgh_", min_size=1, max_size=8),
        arrays.arrays(
            st.sampled_from([np.float64, np.float32, np.int8, np.int32, np.bool_]),
            arrays.array_shapes(min_dims=1, max_dims=2, min_side=0, max_side=6),
        ),
        max_size=5,
    )
)
@settings(max_examples=60, deadline=None)
def test_a_memory_survives_being_stored_bit_for_bit(memory):
    data = encode_memory(memory)
    back = decode_memory(data)

    assert set(back) == set(memory)
    for name, array in memory.items():
        assert back[name].dtype == array.dtype
        assert back[name].shape == array.shape
        assert back[name].tobytes() == array.tobytes()
    assert encode_memory(back) == data


def test_other_bytes_are_refused_as_a_memory():
    with pytest.raises(BadNumbers):
        decode_memory(b"PK\x03\x04 not ours")
    with pytest.raises(BadNumbers):
        decode_memory(encode_memory({"x": np.arange(10.0)})[:-8])


def test_the_inputs_hash_changes_with_every_input_and_only_then():
    state, policy = morning(5, reports=(day_report([1.0, 2, 3, 4, 5], day=7),)), Policy()
    seen = {inputs_hash(state, policy)}
    variants = [
        (replace(state, day=1), policy),
        (replace(state, budget=1.0), policy),
        (replace(state, members=state.members + 1.0), policy),
        (replace(state, band=state.band + np.int8(1)), policy),
        (replace(state, memory={"a": np.zeros(1)}), policy),
        (replace(state, reports=()), policy),
        (state, replace(policy, gain=0.3)),
        (state, replace(policy, held=frozenset({"acc-0001"}))),
        (state, replace(policy, pins={"acc-0001": 3.0})),
    ]
    for changed_state, changed_policy in variants:
        seen.add(inputs_hash(changed_state, changed_policy))

    assert len(seen) == len(variants) + 1
    assert inputs_hash(replace(state), replace(policy)) in seen


def test_the_bytes_of_the_same_inputs_are_those_of_earlier_versions_in_whatever_order_rows_come():
    counts = [1.0, 2.0, 3.0, 4.0, 5.0]
    report = day_report(counts, day=7)
    back = replace(report, account=report.account[::-1].copy(), impressions=report.impressions[::-1].copy())
    hashes = {inputs_hash(morning(5, reports=(one,)), Policy()) for one in (report, back)}

    assert hashes == {"0f07e3531573cfa7da09a566ad6d5fe25bb67d6c90c8c2b28c489314cc8023a8"}


def test_a_memory_follows_its_accounts_when_some_join_and_some_leave():
    memory = {"seen": np.array([1.0, 2.0, 3.0]), "moved": np.array([5, 6, 7]), "lift": np.array([2.0])}

    got = realign(memory, ["a", "b", "c"], ["c", "d", "a"])

    assert got["seen"].tolist() == [3.0, 0.0, 1.0]
    assert got["moved"][0] == 7
    assert got["moved"][1] < -1_000
    assert got["lift"].tolist() == [2.0]


def test_turns_and_counts_follow_their_accounts_when_the_list_changes():
    memory = {
        "flight": np.array([[True, False, False], [False, True, False]]),
        "tally": np.array([[5.0, 6.0, 7.0]]),
        "home": np.array([0, 1, 2], dtype=np.int8),
        "turn_levels": np.array([1.3, 2.0]),
    }
    got = realign(memory, ["a", "b", "c"], ["c", "d", "b"])

    assert got["flight"].tolist() == [[False, True, False], [False, True, True]]
    assert got["tally"].tolist() == [[7.0, 0.0, 6.0]]
    assert got["home"].tolist() == [2, 0, 1]
    assert got["turn_levels"].tolist() == [1.3, 2.0]
