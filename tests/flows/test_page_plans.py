"""The page's service on a real workspace: overview, reports, plans and the exceptions made to them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audiences.store.records import AuditLine, PlanStatus
from flows import activate_plan, balance, collect
from flows.exceptions import AccountException, keep_exception
from flows.page import Page
from flows.plan_codec import decode_inputs, decode_plan
from flows.web.errors import Invalid, Moved, NotAllowed, NothingYet, TooLate
from tests.flows.page_workspace import report_two_weeks, waiting
from tests.flows.small_workspace import SEGMENT, forward


def test_the_overview_says_what_waits_and_where(page: Page) -> None:
    plan_id = waiting(page)
    seen = page.overview()
    assert [line.name for line in seen.segments] == [SEGMENT, "customers"]
    assert seen.sandbox
    assert [item.path for item in seen.waiting] == [f"/plans/{plan_id}"]
    assert seen.segments[0].waiting == 1


def test_a_report_is_computed_once_until_new_data_is_collected(page: Page) -> None:
    with pytest.raises(NothingYet):
        page.report(SEGMENT, "latest")
    report_two_weeks(page)
    first = page.report(SEGMENT, "latest")
    assert page.report(SEGMENT, "latest") is first
    assert page.segment_line(SEGMENT).top_share == first.now.top_share
    report_two_weeks(page)
    assert page.report(SEGMENT, "latest") is not first


def test_an_exception_gives_another_plan_at_once_and_taking_it_back_the_first_one(page: Page) -> None:
    before = page.plan_by_id(waiting(page))
    account = before.summary.moves[0].account_id
    pinned = page.override(before.plan_id, account, kind="exclude", value=None, who="maya")
    assert pinned.shown_hash != before.shown_hash
    assert [(item.account_id, item.kind) for item in pinned.overrides] == [(account, "exclude")]
    assert account not in {move.account_id for move in pinned.summary.moves if move.after >= 0}
    with pytest.raises(Moved) as error:
        page.approve(before.plan_id, before.shown_hash, who="maya")
    assert error.value.path == f"/plans/{pinned.plan_id}"
    cleared = page.override(pinned.plan_id, account, kind="clear", value=None, who="maya")
    assert cleared.shown_hash == before.shown_hash
    assert cleared.overrides == ()


@pytest.mark.parametrize(("kind", "value"), [("pin", None), ("raise_cap", 5_000.0)])
def test_every_exception_is_shown_with_the_plan_it_was_made_for(
    page: Page, kind: str, value: float | None
) -> None:
    plan = page.plan_by_id(waiting(page))
    account = plan.summary.moves[3].account_id
    made = page.override(plan.plan_id, account, kind=kind, value=value, who="maya")
    assert [(o.account_id, o.kind, o.value) for o in made.overrides] == [(account, kind, value)]


def test_an_account_of_another_segment_gets_no_exception(page: Page) -> None:
    plan_id = waiting(page)
    with pytest.raises(Invalid):
        page.override(plan_id, "nobody.example", kind="pin", value=None, who="maya")
    assert page.plan_by_id(plan_id).status == "proposed"


def test_an_approved_plan_is_carried_out_beside_the_page_by_who_approved_it(page: Page) -> None:
    plan = page.plan_by_id(waiting(page))
    assert page.approve(plan.plan_id, plan.shown_hash, who="maya").status in ("approved", "applied")
    page.workers.wait()
    done = page.plan_by_id(plan.plan_id)
    assert (done.status, done.decided_by, done.working) == ("applied", "maya", False)
    assert "maya" in {line.who for line in page.audit(5)}
    assert next(run for run in page.runs(50) if run.run_id == plan.plan_id).status == "completed"
    with pytest.raises(TooLate):
        page.refuse(plan.plan_id, plan.shown_hash, who="sam", reason="too late")


def test_only_whom_the_settings_name_may_approve(page: Page) -> None:
    plan = page.plan_by_id(waiting(page))
    named = page.app.config.approvals.model_copy(update={"approvers": ("dana",)})
    page.app.config = page.app.config.model_copy(update={"approvals": named})
    with pytest.raises(NotAllowed, match="may not approve"):
        page.approve(plan.plan_id, plan.shown_hash, who="maya")
    assert page.plan_by_id(plan.plan_id).status == "proposed"
    assert page.approve(plan.plan_id, plan.shown_hash, who="dana").decided_by == "dana"
    page.workers.wait()


def test_a_raised_limit_is_room_and_no_fixed_number(page: Page) -> None:
    plan = page.plan_by_id(waiting(page))
    account = plan.summary.moves[3].account_id
    made = page.override(plan.plan_id, account, kind="raise_cap", value=9_000.0, who="maya")
    state, policy = decode_inputs(page.app.store.plan(made.plan_id).inputs or b"")
    assert (dict(policy.raised), dict(policy.pins)) == ({account: 9_000.0}, {})
    target = dict(
        zip(state.accounts, decode_plan(page.app.store.plan(made.plan_id).body).target, strict=True)
    )
    assert float(target[account]) * policy.window_days < 9_000.0


def test_the_plan_carried_out_last_is_taken_back_once(page: Page) -> None:
    plan = page.plan_by_id(waiting(page))
    with pytest.raises(TooLate):
        page.plan_undo(plan.plan_id, who="maya")
    page.approve(plan.plan_id, plan.shown_hash, who="maya")
    page.workers.wait()
    assert page.plan_by_id(plan.plan_id).may_undo
    page.plan_undo(plan.plan_id, who="maya")
    page.workers.wait()
    done = page.plan_by_id(plan.plan_id)
    assert (done.undone, done.may_undo) == (True, False)
    assert done.progress.startswith(f"Taken back: {len(plan.summary.moves)}")
    assert next(run.status for run in page.runs(50) if run.run_id == plan.plan_id) == "undone"
    assert next(line for line in page.audit(9) if line.action == "plan undone").who == "maya"
    with pytest.raises(TooLate):
        page.plan_undo(plan.plan_id, who="maya")


def test_a_run_of_the_engine_is_linked_where_its_screen_is(page: Page) -> None:
    page.prefect_ui = "http://127.0.0.1:4200"
    plan_id = waiting(page)
    line = AuditLine(at=page.app.now(), who="prefect", what="plan applied", subject=SEGMENT,
                     detail={"plan": plan_id[:12], "run": "0c7e-flow"})  # fmt: skip
    page.app.store.audit(line)
    page.app.store.decide_plan(plan_id, PlanStatus.APPROVED, by="maya", at=page.app.now())
    run = next(run for run in page.runs(50) if run.run_id == plan_id)
    assert run.link == "http://127.0.0.1:4200/runs/flow-run/0c7e-flow"
    assert page.audit(5)[0].link == run.link


def test_a_plan_whose_inputs_moved_is_not_approved_and_the_difference_is_told(page: Page) -> None:
    plan = page.plan_by_id(waiting(page))
    forward(page.app, days=1)
    collect.collect(page.app, SEGMENT, days=3)
    held = AccountException("exclude", by="sam")
    keep_exception(page.app, SEGMENT, plan.summary.moves[0].account_id, held)
    with pytest.raises(Moved) as error:
        page.approve(plan.plan_id, plan.shown_hash, who="maya")
    assert any("more day of reports" in line for line in error.value.differences)
    newest = page.plan(SEGMENT)
    assert newest is not None
    assert newest.differences == error.value.differences
    assert page.plan_by_id(plan.plan_id).status == "lapsed"
    assert page.app.store.plans(status=PlanStatus.APPLIED) == ()


def test_new_reports_alone_leave_a_plan_open_until_its_last_day(page: Page) -> None:
    plan = page.plan_by_id(waiting(page))
    assert plan.holds_until == plan.made_at + timedelta(days=7)
    forward(page.app, days=1)
    collect.collect(page.app, SEGMENT, days=3)
    assert page.approve(plan.plan_id, plan.shown_hash, who="maya").status in ("approved", "applied")
    page.workers.wait()
    assert page.plan_by_id(plan.plan_id).status == "applied"


def test_a_plan_that_waited_too_long_is_made_anew(page: Page) -> None:
    plan = page.plan_by_id(waiting(page))
    forward(page.app, days=8)
    collect.collect(page.app, SEGMENT, days=9)
    with pytest.raises(Moved, match="waited longer than 7"):
        page.approve(plan.plan_id, plan.shown_hash, who="maya")
    assert page.plan_by_id(plan.plan_id).status == "lapsed"


def test_a_plan_in_shadow_and_a_refused_one_change_nothing(page: Page) -> None:
    plan = page.plan_by_id(waiting(page))
    with pytest.raises(Moved):
        page.shadow(plan.plan_id, "0" * 64, who="maya")
    assert page.shadow(plan.plan_id, plan.shown_hash, who="maya").status == "shadow"
    forward(page.app, days=1)
    other = page.plan_by_id(waiting(page))
    refused = page.refuse(other.plan_id, other.shown_hash, who="sam", reason="budget week")
    assert (refused.status, refused.decided_by) == ("refused", "sam")
    assert page.app.store.plan(other.plan_id).note == "budget week"
    assert page.app.store.audience(f"linkedin/{SEGMENT}/companies/band-1") is None


def test_a_plan_somebody_approved_and_a_schedule_carried_out_names_who_approved_it(page: Page) -> None:
    plan = page.plan_by_id(waiting(page))
    balance.approve(page.app, plan.plan_id, seen=plan.shown_hash, who="dana")
    activate_plan.apply_plan(page.app, plan.plan_id)
    shown = page.plan_by_id(plan.plan_id)
    assert (shown.status, shown.decided_by) == ("applied", "dana")
