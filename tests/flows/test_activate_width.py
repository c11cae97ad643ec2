"""A plan asks whom its campaigns reach before it writes anything, and reads a 0 with care."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import stamina

from audiences.store.records import PlanRecord, PlanStatus
from flows import activate_plan, balance, collect
from flows.bands import band_campaigns
from flows.wiring import App
from platforms.errors import PlatformDown
from tests.flows.small_workspace import CAMPAIGN, SEGMENT, Copies, forward


@pytest.fixture(autouse=True)
def one_attempt() -> Iterator[None]:
    with stamina.set_testing(True, attempts=1):
        yield


def approved(app: App) -> PlanRecord:
    collect.collect(app, SEGMENT, days=3)
    plan = balance.propose(app, SEGMENT).record
    balance.approve(app, plan.plan_id, seen=plan.inputs_hash, who="tester")
    return plan


def fault(app: App, kind: str, **more: Any) -> int:
    assert app.sandbox is not None
    wanted = {"kind": kind, "match": "audienceCounts", "times": None, **more}
    return int(app.sandbox.post("/sandbox/faults", wanted)["number"])


def asked(app: App, number: int) -> int:
    assert app.sandbox is not None
    faults = app.sandbox.get("/sandbox/faults")["faults"]
    return next(int(one["asked"]) for one in faults if one["number"] == number)


def standing(app: App) -> Any:
    """Everything a plan changes on the platform, and what the record says was sent."""
    lists = [app.store.ledger_counts(record.spec.audience_id) for record in app.store.audiences()]
    everything = band_campaigns(app, SEGMENT).everything()
    return lists, [app.platform("linkedin").campaign(campaign) for campaign in everything]


def test_a_plan_whose_count_fails_changes_nothing_and_is_carried_out_when_it_answers(copies: Copies) -> None:
    with copies.opened("width-down", banded=True) as app:
        plan = approved(app)
        before = standing(app)
        number = fault(app, "503")
        with pytest.raises(PlatformDown):
            activate_plan.apply_plan(app, plan.plan_id)

        assert standing(app) == before
        assert app.store.plan(plan.plan_id).status is PlanStatus.APPROVED
        assert app.sandbox is not None
        app.sandbox.client.delete(f"/sandbox/faults/{number}").raise_for_status()
        assert activate_plan.apply_plan(app, plan.plan_id).live


def test_each_campaign_is_counted_once_in_a_plan_and_the_record_says_what_came_back(copies: Copies) -> None:
    with copies.opened("width-once", banded=True) as app:
        plan = approved(app)
        number = fault(app, "slow", seconds=0.0)
        activate_plan.apply_plan(app, plan.plan_id)

        campaigns = band_campaigns(app, SEGMENT).campaigns
        assert asked(app, number) == len(campaigns) > 1
        (line,) = [line for line in app.store.audit_log(what="people counted") if line.subject == SEGMENT][
            -1:
        ]
        people = {campaign: line.detail[campaign] for campaign in campaigns}
        assert all(isinstance(one, int) and one >= 300 for one in people.values())


def test_a_count_that_knows_no_lists_does_not_keep_bands_from_starting_and_is_said(copies: Copies) -> None:
    with copies.opened("width-blind") as app:
        assert app.sandbox is not None
        app.sandbox.post("/sandbox/knobs", {"counts_know_lists": False})
        activate_plan.apply_plan(app, approved(app).plan_id)
        forward(app, days=2)
        done = activate_plan.apply_plan(app, approved(app).plan_id)

        assert done.live
        assert app.platform("linkedin").campaign(CAMPAIGN).status == "paused"
        known = band_campaigns(app, SEGMENT)
        said = [note for note in done.notes if "cannot count who is on the list of band" in note]
        assert len(said) == len(known.active) == len(known.campaigns)
