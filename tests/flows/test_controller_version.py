"""Which controller made a plan is recorded, and told where the plan no longer follows from its inputs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest

from audiences.store.records import PlanRecord, PlanStatus
from balancer.canon import encode_memory
from balancer.types import Policy, State
from flows import balance, plan_codec
from flows.controller_version import controller_version
from flows.plan_codec import decode_inputs, encode_inputs, encode_plan, made_by

STATE = State(
    day=739_000,
    accounts=tuple(f"a{i}" for i in range(9)),
    members=np.full(9, 300.0),
    tier=np.ones(9, dtype=np.int8),
    budget=40.0,
    baseline=90.0,
    band=np.full(9, -1, dtype=np.int8),
    landed=np.full(9, -1, dtype=np.int8),
    reports=(),
)
POLICY = Policy(bands=2, even_cap=3.0)


def stored() -> PlanRecord:
    plan = balance.plan_for(STATE, POLICY)
    return PlanRecord(
        plan_id="p", segment="s", day=date.fromordinal(plan.day), mode="bands", status=PlanStatus.PROPOSED,
        inputs_hash=plan.inputs_hash, body=encode_plan(plan), inputs=encode_inputs(STATE, POLICY),
        memory=encode_memory(plan.memory), moves=(), created_by="t", created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip


def test_a_plans_inputs_name_the_controller_and_come_back_without_it() -> None:
    record = stored()
    assert record.inputs is not None
    assert made_by(record.inputs) == controller_version()
    assert decode_inputs(record.inputs)[1] == POLICY
    assert balance.rebuild(record)


def test_a_plan_of_another_controller_that_does_not_rebuild_is_said_to_be_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(plan_codec, "controller_version", lambda: "0.0.9+abc")
    old = replace(stored(), body=encode_plan(replace(balance.plan_for(STATE, POLICY), budgets=np.ones(2))))
    assert not balance.rebuild(old)
    said = balance.why_not_rebuilt(old)
    assert "version 0.0.9+abc" in said
    assert controller_version() in said


def test_a_plan_of_this_controller_that_does_not_rebuild_was_changed_afterwards() -> None:
    changed = replace(stored(), inputs=encode_inputs(replace(STATE, budget=41.0), POLICY))
    assert not balance.rebuild(changed)
    assert "changed afterwards" in balance.why_not_rebuilt(changed)


def test_a_plan_from_before_controllers_were_named_is_said_to_be_older(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(plan_codec, "controller_version", lambda: "")
    assert "before plans named theirs" in balance.why_not_rebuilt(stored())


def test_a_plan_without_its_inputs_is_said_to_lack_them() -> None:
    assert "not in the store" in balance.why_not_rebuilt(replace(stored(), inputs=None))
