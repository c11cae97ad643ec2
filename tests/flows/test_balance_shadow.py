"""Plans that change nothing, and how well they foresaw the next reported day."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from audiences.store.records import PlanStatus
from flows import balance, collect
from flows.bands import band_campaigns
from flows.cli import main
from flows.forecast import expected, score
from flows.plan_codec import decode_inputs, decode_plan
from tests.flows.small_workspace import CAMPAIGN, SEGMENT, Copies, forward

DAYS = 4


@pytest.fixture(scope="module")
def shadowed(copies: Copies) -> Path:
    """A workspace that was planned in shadow for some days."""
    path = copies.path("shadowed")
    from flows.wiring import open_app

    with open_app(path) as app:
        for _ in range(DAYS):
            collect.collect(app, SEGMENT, days=3)
            balance.propose(app, SEGMENT, shadow=True)
            forward(app, days=1)
        collect.collect(app, SEGMENT, days=3)
    return path


def test_a_shadow_changes_nothing_on_the_platform_and_leaves_waiting_plans_alone(copies: Copies) -> None:
    with copies.opened("shadow-quiet") as app:
        waiting = balance.propose(app, SEGMENT).record
        forward(app, days=1)
        collect.collect(app, SEGMENT, days=3)
        lists = [record.spec.audience_id for record in app.store.audiences()]
        shadow = balance.propose(app, SEGMENT, shadow=True)

        assert shadow.record.status is PlanStatus.SHADOW
        assert app.store.plan(waiting.plan_id).status is PlanStatus.PROPOSED
        assert [record.spec.audience_id for record in app.store.audiences()] == lists
        assert band_campaigns(app, SEGMENT).campaigns == ()
        assert [c.campaign_id for c in app.platform("linkedin").list_campaigns()] == [CAMPAIGN]


def test_forecasts_are_scored_against_the_next_report(shadowed: Path) -> None:
    from flows.wiring import open_app

    with open_app(shadowed) as app:
        scores = score(app, SEGMENT)

        assert len(scores) == DAYS
        assert all(one.expected == pytest.approx(one.impressions, rel=0.02) for one in scores)
        mean = sum(one.error for one in scores) / DAYS
        assert mean < sum(one.naive_error for one in scores) / DAYS
        assert score(app, SEGMENT) == scores


def test_a_forecast_does_not_look_at_what_was_delivered(shadowed: Path) -> None:
    from dataclasses import replace

    from flows.exposure import day_reports
    from flows.wiring import open_app

    with open_app(shadowed) as app:
        record = app.store.plans(segment=SEGMENT, status=PlanStatus.SHADOW)[-1]
        assert record.inputs is not None
        state, policy = decode_inputs(record.inputs)
        plan = decode_plan(record.body, record.memory)
        day = collect.newest_complete(app, "linkedin")
        (report,) = day_reports(app, SEGMENT, state.accounts, day, day)
        other = replace(report, band_total=report.band_total * 3, impressions=report.impressions[::-1])

        assert (expected(state, plan, policy, report) == expected(state, plan, policy, other)).all()


def test_what_a_shadow_wanted_does_not_count_as_done_when_balancing_starts(shadowed: Path) -> None:
    from flows.wiring import open_app

    with open_app(shadowed) as app:
        policy = balance.policy_of(app, SEGMENT)
        memory = balance.make_state(app, SEGMENT, policy, app.today).memory

        assert not np.asarray(memory["credit"]).any()
        assert not np.asarray(memory["target"]).any()
        assert float(np.asarray(memory["lift"])[0]) == 2.0
        assert np.asarray(memory["seen"]).sum() > 0


def test_the_command_line_shows_scores_and_rebuilds_plans(
    shadowed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--workspace", str(shadowed), "--json"]
    assert main(["balance", "--scores", *where]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert len(shown["scores"][SEGMENT]) == DAYS
    assert main(["balance", "--shadow", *where]) == 0
    (plan,) = json.loads(capsys.readouterr().out)["plans"]
    assert plan["status"] == "shadow"
    assert all(one["words"] for one in plan["statuses"])
    assert main(["balance", "--rebuild", plan["plan"][:12], *where]) == 0
    assert json.loads(capsys.readouterr().out)["rebuilt"] is True
    assert main(["balance", "--approve", plan["plan"][:12], "--workspace", str(shadowed)]) == 1
