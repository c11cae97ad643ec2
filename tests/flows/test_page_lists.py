"""The page's service on a real workspace: segments and their edits, pushed lists, runs taken back."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows import collect
from flows.page import Page
from flows.web.errors import Invalid, Moved, NotAllowed, NotFound, TooLate
from tests.flows.page_workspace import order, until
from tests.flows.small_workspace import SEGMENT

MESSY = (
    "Firma;Mail;Tel\n"
    + "".join(f"Company {i:03} Works;Person{i}@company{i:03}-works.com ;\n" for i in range(40))
    + "Nobody;nonsense;\nHalf\n"
).encode()


def test_collected_reports_stand_among_the_runs(page: Page) -> None:
    collect.collect(page.app, SEGMENT, days=3)
    found = [run for run in page.runs(50) if run.kind == "collect"]
    assert {(run.segment, run.status, run.link) for run in found} == {("Everyone", "completed", "")}
    assert [run.message.split(",")[0] for run in found if "3\u00a0days" in run.message] == ["3\u00a0days"]


def test_a_segment_shows_its_rules_members_and_own_lines_of_the_file(page: Page) -> None:
    view = page.segment(SEGMENT)
    assert view.yaml.startswith("everyone:\n  title: Everyone\n")
    assert [rule.text for rule in view.rules] == ["employees at least 10"]
    assert view.line.accounts == view.rules[0].kept - 10
    assert [one.account_id for one in page.preview(SEGMENT, 2)] == [
        "company010-works.com",
        "company011-works.com",
    ]
    with pytest.raises(NotFound):
        page.preview("nobody", 2)


def test_a_proposed_change_is_counted_and_nothing_is_written_before_somebody_may(page: Page) -> None:
    file = page.app.workspace / "evenreach.yaml"
    text = file.read_text()
    changed = page.segment(SEGMENT).yaml.replace("at_least: 10", "at_least: 220")
    found = page.propose_edit(SEGMENT, changed, who="maya")
    assert (found.accounts_before, found.accounts_after) == (390, 200)
    assert "+  where: {field: employees, at_least: 220}" in found.diff
    with pytest.raises(Invalid):
        page.write_edit(found.proposal_id, who="maya")
    assert file.read_text() == text
    page.may_write = True
    assert page.write_edit(found.proposal_id, who="maya").written
    assert file.read_text() == text.replace("at_least: 10", "at_least: 220")
    assert page.segment(SEGMENT).line.accounts == 200
    with pytest.raises(Moved):  # made from the file as it was before
        page.write_edit(found.proposal_id, who="maya")


@pytest.mark.parametrize(
    "yaml", ["everyone:\n  where: {feld: employees}\n", "other:\n  where: {tier: [1]}\n", "everyone: [", "\n"]
)
def test_a_definition_that_cannot_be_used_says_why(page: Page, yaml: str) -> None:
    found = page.propose_edit(SEGMENT, yaml, who="maya")
    assert found.problems
    with pytest.raises(Invalid):
        page.write_edit(found.proposal_id, who="maya")


def test_a_messy_file_is_mapped_pushed_to_ready_and_taken_back(page: Page) -> None:
    shown = page.push_preview(MESSY, "Leads.csv", mapping=None, who="maya")
    mapping = {column.header: column.field for column in shown.columns} | {"Mail": "email", "Firma": ""}
    shown = page.push_remap(shown.preview_id, mapping, who="maya")
    assert (shown.kind, shown.usable, [f.adds for f in shown.forecasts]) == ("contact", 40, [40])
    assert {one.reason for one in page.push_rejects(shown.preview_id)} >= {"email_not_user_at_domain"}
    push_id = page.push_confirm(shown.preview_id, order(), who="maya")
    assert until(page, push_id, "ready", "failed") == "ready", page.push_progress(push_id).message
    assert page.push_confirm(shown.preview_id, order(), who="maya") == push_id
    assert page.push_progress(push_id).lists[0].accepted == 40
    again = page.push_preview(MESSY, "Leads.csv", mapping=mapping, who="maya")
    assert again.unchanged
    assert page.push_undo(push_id, who="maya").stage == "undone"
    assert page.app.store.ledger_counts("linkedin/one-off/leads/contact").accepted == 0
    with pytest.raises(TooLate):
        page.push_undo(push_id, who="maya")
    assert {"push", "undo"} <= {line.action for line in page.audit(20)}
    assert [run.status for run in page.runs(50) if run.kind == "push"] == ["undone", "undone"]


def test_no_person_of_a_dropped_file_reaches_the_record(page: Page) -> None:
    shown = page.push_preview(MESSY, "Leads.csv", mapping={"Mail": "email"}, who="maya")
    until(page, page.push_confirm(shown.preview_id, order(), who="maya"), "ready", "failed")
    page.workers.wait()
    for path in Path(page.app.workspace).rglob("*"):
        if path.is_file() and path.name != "companies.csv":
            assert b"person7@company007-works.com" not in path.read_bytes().lower(), path.name
    assert page.uploads.held[shown.preview_id].content == b""


def test_a_push_cancelled_within_its_minute_sends_nothing(page: Page) -> None:
    page.grace = 60.0
    shown = page.push_preview(MESSY, "Leads.csv", mapping={"Mail": "email"}, who="maya")
    push_id = page.push_confirm(shown.preview_id, order(), who="maya")
    assert page.push_progress(push_id).stage == "waiting"
    assert page.push_cancel(push_id, who="maya").stage == "cancelled"
    page.workers.wait()
    assert page.app.store.audience("linkedin/one-off/leads/contact") is None
    with pytest.raises(TooLate):
        page.push_cancel(push_id, who="maya")


def test_a_file_nobody_can_be_found_by_is_not_sent(page: Page) -> None:
    shown = page.push_preview(b"a,b\n1,2\n", "odd.csv", mapping=None, who="maya")
    assert shown.problems
    with pytest.raises(Invalid):
        page.push_confirm(shown.preview_id, order(), who="maya")
    with pytest.raises(Invalid, match=r"odd\.xlsx"):
        page.push_preview(b"\x00\x01\xff", "odd.xlsx", mapping=None, who="maya")


def test_a_sync_is_undone_once_and_only_while_it_is_the_newest(page: Page) -> None:
    run = next(run for run in page.runs(50) if run.kind == "sync")
    assert (run.adds, run.status, run.may_undo) == (run.accepted, "completed", True)
    assert page.undo(run.run_id, who="maya").status == "undone"
    assert page.app.store.ledger_counts(f"linkedin/{SEGMENT}/companies").accepted == 0
    with pytest.raises(TooLate):
        page.undo(run.run_id, who="maya")
    with pytest.raises(NotFound):
        page.undo("nothing", who="maya")


def test_a_list_most_of_whom_would_leave_takes_an_approver_to_push_and_to_take_back(page: Page) -> None:
    first = page.push_preview(MESSY, "Leads.csv", mapping={"Mail": "email"}, who="maya")
    push_id = page.push_confirm(first.preview_id, order(), who="maya")
    assert until(page, push_id, "ready", "failed") == "ready"
    named = page.app.config.approvals.model_copy(update={"approvers": ("dana",)})
    page.app.config = page.app.config.model_copy(update={"approvals": named})
    few = b"Mail\n" + b"".join(b"Person%d@company%03d-works.com\n" % (i, i) for i in range(5))
    shown = page.push_preview(few, "Leads.csv", mapping={"Mail": "email"}, who="maya")
    assert [f.removes for f in shown.forecasts] == [35]
    with pytest.raises(NotAllowed, match="may not approve"):
        page.push_confirm(shown.preview_id, order(), who="maya")
    with pytest.raises(NotAllowed, match="may not approve"):
        page.push_undo(push_id, who="maya")
    page.workers.wait()
    assert page.app.store.ledger_counts("linkedin/one-off/leads/contact").accepted == 40
    assert page.push_progress(push_id).stage == "ready"
    smaller = page.push_confirm(shown.preview_id, order(), who="dana")
    assert until(page, smaller, "ready", "failed") == "ready", page.push_progress(smaller).message
    assert page.app.store.ledger_counts("linkedin/one-off/leads/contact").accepted == 5
    agreed = next(line for line in page.audit(30) if line.action == "large change accepted")
    assert (agreed.who, agreed.facts["leavers"]) == ("dana", "35")


def test_a_sync_is_taken_back_by_an_approver_alone_where_some_are_named(page: Page) -> None:
    named = page.app.config.approvals.model_copy(update={"approvers": ("dana",)})
    page.app.config = page.app.config.model_copy(update={"approvals": named})
    run = next(run for run in page.runs(50) if run.kind == "sync")
    with pytest.raises(NotAllowed, match="may not approve"):
        page.undo(run.run_id, who="maya")
    assert page.app.store.ledger_counts(f"linkedin/{SEGMENT}/companies").accepted == run.accepted
    assert page.undo(run.run_id, who="dana").status == "undone"


def test_the_columns_of_a_dropped_file_stand_in_the_order_of_the_file(page: Page) -> None:
    content = b"Zip;Mail;Notes;Company;Phone;Colour\n12345;a@b-works.com;x;B Works;;red\n"
    shown = page.push_preview(content, "order.csv", mapping=None, who="maya")
    assert [column.header for column in shown.columns] == [
        "Zip",
        "Mail",
        "Notes",
        "Company",
        "Phone",
        "Colour",
    ]
    mapping = {column.header: column.field for column in shown.columns} | {"Notes": "email"}
    again = page.push_remap(shown.preview_id, mapping, who="maya")
    assert [column.header for column in again.columns] == [column.header for column in shown.columns]
