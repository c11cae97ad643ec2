"""A list that holds people nobody knows of is brought to what the record asks for, and nobody is lost on the way."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from flows import activate, activate_replace
from flows.activate_replace import begin, replacing
from flows.approvers import NotAnApprover
from flows.cli import main
from flows.record_mark import MARK
from flows.upkeep import Kept, upkeep
from flows.wiring import App, WorkspaceError, open_app
from platforms.errors import Refused
from tests.flows.kept_workspace import (
    COMPANIES,
    PEOPLE,
    forward,
    in_ledger,
    sync,
    truly_on,
    write,
    write_data,
)


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The record of the lists was lost; the new one knows a third of whom they hold, and sixty others."""
    folder = tmp_path_factory.mktemp("strangers")
    write(folder, companies=30)
    with open_app(folder) as app:
        sync(app)
        later(app)
    for lost in (folder / "evenreach.db", folder / MARK):
        lost.unlink()
    write(folder, first=20, companies=30)
    with open_app(folder) as app:
        sync(app)
        later(app)
    return folder


@pytest.fixture
def app(strangers: Path, tmp_path: Path) -> Iterator[App]:
    folder = tmp_path / "copy"
    shutil.copytree(strangers, folder, ignore=shutil.ignore_patterns("address"))
    with open_app(folder) as opened:
        yield opened


def later(app: App, hours: float = 1.0) -> Kept:
    """An upkeep after a while; what it says of the people's list."""
    forward(app, days=hours / 24)
    return next(kept for kept in upkeep(app).lists if kept.audience_id == PEOPLE)


def test_whoever_the_record_does_not_know_is_taken_off_and_nobody_else(app: App) -> None:
    wanted = in_ledger(app, PEOPLE)
    assert len(wanted) == 90
    assert len(truly_on(app, PEOPLE)) == 150, "sixty people are on it whom no removal can name"

    assert begin(app, PEOPLE) == 90
    assert later(app, hours=0.1).notes == (
        "being replaced; waits until everybody who belongs there is on it",
    )
    assert len(truly_on(app, PEOPLE)) == 150
    assert later(app).notes == ("being replaced; the others are leaving",)
    assert truly_on(app, PEOPLE) >= wanted, "it is never empty meanwhile"
    assert later(app).notes == ("replaced: it holds what the record asks for and nobody else",)

    assert truly_on(app, PEOPLE) == wanted == in_ledger(app, PEOPLE)
    assert not replacing(app, PEOPLE)
    said = ["list replacement begun", "others taken off", "list replaced"]
    assert [len(app.store.audit_log(what=what)) for what in said] == [1, 1, 1]
    assert later(app).notes == ()


def test_nobody_leaves_while_the_fate_of_one_who_belongs_is_open(app: App) -> None:
    assert app.sandbox is not None
    wanted = in_ledger(app, PEOPLE)
    app.sandbox.post("/sandbox/knobs", {"google_names_rows": False})
    app.sandbox.post("/sandbox/faults", {"kind": "rows_refused", "match": "ingest", "share": 0.5})
    begin(app, PEOPLE)
    assert "waits" in later(app).notes[0]
    assert len(truly_on(app, PEOPLE)) == 150
    for _ in range(12):
        if not replacing(app, PEOPLE):
            break
        later(app, hours=26)
    assert truly_on(app, PEOPLE) == wanted == in_ledger(app, PEOPLE)


def test_a_run_cut_off_before_anything_was_planned_is_finished_by_upkeep(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Cut(BaseException):
        pass

    def cut(*_: object) -> int:
        raise Cut

    with monkeypatch.context() as patched:
        patched.setattr(activate_replace, "again", cut)
        with pytest.raises(Cut):
            begin(app, PEOPLE)
    assert replacing(app, PEOPLE)
    for _ in range(4):
        later(app)
    assert truly_on(app, PEOPLE) == in_ledger(app, PEOPLE)


def test_others_who_did_not_leave_are_taken_off_again(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def failed(_: str) -> bool:
        raise Refused("the former members could not be taken off", platform="google")

    begin(app, PEOPLE)
    later(app)
    with monkeypatch.context() as patched:
        patched.setattr(app.platform("google"), "replace_done", failed)
        assert "could not be taken off" in later(app).trouble
    for _ in range(2):
        later(app)
    assert not replacing(app, PEOPLE)
    assert len(app.store.audit_log(what="others taken off")) == 2


def test_what_cannot_be_replaced_is_refused_with_a_way_to_go_on(app: App) -> None:
    with pytest.raises(WorkspaceError, match="linkedin cannot") as told:
        begin(app, COMPANIES)
    assert "Delete the list" in told.value.remedy
    with pytest.raises(WorkspaceError, match="there is no list"):
        begin(app, "google/nobody/contacts")
    write_data(app.workspace, first=40)
    sync(app)
    with pytest.raises(WorkspaceError, match="still works on") as told:
        begin(app, PEOPLE)
    assert "upkeep" in told.value.remedy
    assert not replacing(app, PEOPLE)


def test_the_command_begins_it_says_so_and_asks_for_an_approver(
    app: App, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["restore", PEOPLE, "--replace", "--workspace", str(app.workspace)]
    assert main([*command, "--dry-run"]) == 0
    assert "90 members would be sent again" in capsys.readouterr().out
    assert not replacing(app, PEOPLE)
    assert main(command) == 0
    assert "upkeep takes off whoever else is on it" in capsys.readouterr().out
    assert replacing(app, PEOPLE)
    settings = app.workspace / "evenreach.yaml"
    settings.write_text(settings.read_text() + "approvals: {approvers: [maya]}\n")
    monkeypatch.setenv("EVENREACH_WHO", "sam")
    assert main(command) != 0
    assert NotAnApprover.remedy in capsys.readouterr().err


def test_a_list_nobody_belongs_on_is_not_replaced_by_nothing(app: App) -> None:
    spec = activate.list_spec(app, "everyone", "google", "contacts")
    other = replace(spec, audience_id="google/other/contacts", name="Other")
    activate.ensure_list(app, other)
    with pytest.raises(WorkspaceError, match="nobody belongs on"):
        begin(app, other.audience_id)
