"""How long a word on a plan holds, which plans need none, and taking a plan back."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from audiences.store.records import PlanStatus
from flows import activate_plan, balance, collect
from flows.activate_undo import plan_behind, undo_plan
from flows.approvals import EXPIRED, MOVED, goes_ahead
from flows.bands import band_campaigns, commands, turns
from flows.demo.truth import matched_organizations
from flows.exceptions import AccountException, keep_exception
from flows.wiring import App, WorkspaceError, open_app
from tests.flows.small_workspace import CAMPAIGN, SEGMENT, Copies, balanced_day, forward


def with_approvals(path: Path, text: str) -> Path:
    with (path / "evenreach.yaml").open("a") as file:
        file.write(f"approvals: {{{text}}}\n")
    return path


def listed(app: App) -> list[int]:
    """Members the sandbox holds on each band's list."""
    assert app.sandbox is not None
    found = []
    for b in range(3):
        record = app.store.audience(f"linkedin/{SEGMENT}/companies/band-{b + 1}")
        assert record is not None
        assert record.state is not None
        found.append(len(matched_organizations(app.sandbox, record.state.external_id)))
    return found


def test_an_approval_holds_for_days_while_new_reports_come_in(copies: Copies) -> None:
    with copies.opened("approval-holds", banded=True) as app:
        collect.collect(app, SEGMENT, days=3)
        plan = balance.propose(app, SEGMENT).record
        forward(app, days=3)
        collect.collect(app, SEGMENT, days=7)

        assert balance.still_stands(app, plan) == ()
        balance.approve(app, plan.plan_id, seen=plan.inputs_hash, who="tester")
        forward(app, days=2)
        applied_on = app.today
        activate_plan.apply_plan(app, plan.plan_id)

        assert app.store.plan(plan.plan_id).status is PlanStatus.APPLIED
        assert balance.rebuild(app.store.plan(plan.plan_id))
        assert max(app.store.get(f"budgets/{SEGMENT}")) == applied_on.isoformat()
        assert all(day != plan.day for day, _ in commands(app, SEGMENT, ()))


def test_a_plan_lapses_when_nobody_decided_in_time(copies: Copies) -> None:
    path = with_approvals(copies.path("approval-late"), "expire_days: 2")
    with open_app(path) as app:
        plan = balance.propose(app, SEGMENT).record
        forward(app, days=3)

        assert balance.still_stands(app, plan) == (EXPIRED,)
        with pytest.raises(balance.PlanExpired, match="more than 2 days"):
            balance.approve(app, plan.plan_id, seen=plan.inputs_hash, who="tester")
        assert app.store.plan(plan.plan_id).status is PlanStatus.LAPSED


def test_an_approval_that_was_given_expires_too(copies: Copies) -> None:
    path = with_approvals(copies.path("approval-stale"), "expire_days: 2")
    with open_app(path) as app:
        plan = balance.propose(app, SEGMENT).record
        balance.approve(app, plan.plan_id, seen=plan.inputs_hash, who="tester")
        forward(app, days=3)

        with pytest.raises(balance.PlanExpired):
            activate_plan.apply_plan(app, plan.plan_id)
        assert band_campaigns(app, SEGMENT).campaigns == ()


def test_a_plan_whose_inputs_moved_is_neither_approved_nor_carried_out(copies: Copies) -> None:
    with copies.opened("approval-moved") as app:
        plan = balance.propose(app, SEGMENT).record
        keep_exception(app, SEGMENT, plan.moves[0].account_id, AccountException("exclude", None, "tester"))

        assert balance.still_stands(app, plan) == (MOVED,)
        with pytest.raises(balance.PlanMoved):
            balance.approve(app, plan.plan_id, seen=plan.inputs_hash, who="tester")
        keep_exception(app, SEGMENT, plan.moves[0].account_id, None)
        balance.approve(app, plan.plan_id, seen=plan.inputs_hash, who="tester")
        app.platform("linkedin").set_daily_budget(CAMPAIGN, Decimal(1000))
        forward(app, days=1)
        collect.collect(app, SEGMENT, days=2)
        with pytest.raises(balance.PlanMoved):
            activate_plan.apply_plan(app, plan.plan_id)
        assert app.store.plan(plan.plan_id).status is PlanStatus.APPROVED


def test_a_plan_is_not_carried_out_after_another_took_its_place(copies: Copies) -> None:
    with copies.opened("approval-overtaken", banded=True) as app:
        old = balance.propose(app, SEGMENT).record
        balance.approve(app, old.plan_id, seen=old.inputs_hash, who="tester")
        forward(app, days=1)
        balanced_day(app)

        assert app.store.plan(old.plan_id).status is PlanStatus.LAPSED
        with pytest.raises(activate_plan.NotApproved):
            activate_plan.apply_plan(app, old.plan_id)


def test_small_plans_go_ahead_by_themselves_and_large_ones_wait(copies: Copies) -> None:
    path = copies.path("approval-auto")
    with open_app(path) as app:
        first = balance.propose(app, SEGMENT).record
        assert not balance.approve_if_small(app, first.plan_id)
    with_approvals(path, f"auto_below: {len(first.moves)}")
    with open_app(path) as app:
        assert not balance.approve_if_small(app, first.plan_id)  # not fewer moves than that
        assert app.store.plan(first.plan_id).status is PlanStatus.PROPOSED
    text = (path / "evenreach.yaml").read_text()
    larger = text.replace(f"auto_below: {len(first.moves)}", f"auto_below: {len(first.moves) + 1}")
    (path / "evenreach.yaml").write_text(larger)
    with open_app(path) as app:
        assert balance.approve_if_small(app, first.plan_id)
        assert app.store.plan(first.plan_id).decided_by == balance.AUTOMATIC
        assert balance.approve_if_small(app, first.plan_id)


def test_nothing_goes_ahead_by_itself_while_somebody_elses_edit_stands(copies: Copies) -> None:
    path = with_approvals(copies.path("approval-edited", banded=True), "auto_below: 10000")
    with open_app(path) as app:
        band = band_campaigns(app, SEGMENT).campaigns[1]
        platform = app.platform("linkedin")
        given = platform.campaign(band).daily_budget
        platform.set_daily_budget(band, given + 7)
        platform.set_status(band_campaigns(app, SEGMENT).campaigns[0], "paused")
        status, budget = collect.collect(app, SEGMENT, days=2).notes
        plan = balance.propose(app, SEGMENT).record

        assert f"band 2 (campaign {band}) to {given + 7:,.2f} instead of {given:,.2f}" in budget
        assert "somebody made band 1" in status
        assert not goes_ahead(app, plan)
        assert not balance.approve_if_small(app, plan.plan_id)
        assert platform.campaign(band).daily_budget == given + 7  # said, not undone
        balance.approve(app, plan.plan_id, seen=plan.inputs_hash, who="tester")
        done = activate_plan.apply_plan(app, plan.plan_id)
        assert [note for note in done.notes if "somebody" in note] == [status, budget]
        assert platform.campaign(band_campaigns(app, SEGMENT).campaigns[0]).status == "paused"
        assert len(collect.collect(app, SEGMENT, days=2).notes) == 1  # the pause still stands


def test_taking_a_plan_back_restores_lists_and_budgets(copies: Copies) -> None:
    with copies.opened("undo-bands", mode="bands, reband_days: 3, dwell_days: 3", banded=True) as app:
        platform = app.platform("linkedin")
        campaigns = band_campaigns(app, SEGMENT).campaigns
        for _ in range(6):
            before = listed(app), [platform.campaign(c).daily_budget for c in campaigns]
            bands = {s.account_id: s.band for s in app.store.band_states(SEGMENT)}
            proposed = balanced_day(app)
            if proposed.record.moves:
                break
        assert proposed.record.moves
        waiting = balance.propose(app, SEGMENT).record
        shown = undo_plan(app, SEGMENT, dry_run=True)
        assert shown.moves == len(proposed.record.moves)
        assert {s.account_id: s.band for s in app.store.band_states(SEGMENT)} != bands
        done = undo_plan(app, SEGMENT)
        forward(app, days=1)

        assert app.store.plan(waiting.plan_id).status is PlanStatus.LAPSED
        assert done.plan_id == proposed.record.plan_id
        assert {s.account_id: s.band for s in app.store.band_states(SEGMENT)} == bands
        assert (listed(app), [platform.campaign(c).daily_budget for c in campaigns]) == before
        with pytest.raises(WorkspaceError, match="no plan of everyone to take back"):
            undo_plan(app, SEGMENT)
        assert balanced_day(app).fresh


def test_taking_the_first_plan_back_gives_the_segment_its_one_campaign_again(copies: Copies) -> None:
    with copies.opened("undo-first") as app:
        balanced_day(app)
        done = undo_plan(app, SEGMENT)
        platform = app.platform("linkedin")

        assert done.joined
        assert band_campaigns(app, SEGMENT).live_since is None
        assert platform.campaign(CAMPAIGN).status == "active"
        assert not any(
            platform.campaign(c).status == "active" for c in band_campaigns(app, SEGMENT).campaigns
        )
        for _ in range(3):
            balanced_day(app)
        assert band_campaigns(app, SEGMENT).live_since is not None


def test_taking_back_a_day_of_turns_lets_those_go_that_it_held(copies: Copies) -> None:
    with copies.opened("undo-turns", mode="duty") as app:
        plan = balanced_day(app).plan
        assert (plan.band < 0).any()
        undo_plan(app, SEGMENT)

        assert (turns(app, SEGMENT, plan.accounts)[-1][1] == 0).all()
        assert app.store.ledger_counts(f"linkedin/{SEGMENT}/companies/held").accepted == 0


def test_a_plan_is_named_by_its_segment_a_band_list_or_its_id(copies: Copies) -> None:
    with copies.opened("undo-name", banded=True) as app:
        last = app.store.latest_plan(SEGMENT, statuses=(PlanStatus.APPLIED,))
        assert last is not None
        for name in (SEGMENT, f"linkedin/{SEGMENT}/companies/band-2", last.plan_id[:12]):
            assert plan_behind(app, name) == SEGMENT
        assert plan_behind(app, f"linkedin/{SEGMENT}/companies") is None
        assert app.now() - last.created_at < timedelta(days=3)
