"""Undo takes back the last change of a list or the last plan, on the platform as in the record."""

import json
from pathlib import Path
from typing import Any

import pytest

from flows.activate_lists import our_targets
from flows.cli import main
from flows.wiring import App, open_app
from tests.flows.kept_workspace import COMPANIES, in_ledger, sync, truly_on, write
from tests.flows.small_workspace import SEGMENT, Copies, balanced_day

FAIR = "linkedin/one-off/fair/company"


def run(folder: Path, capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> dict[str, Any]:
    capsys.readouterr()
    assert main([*words, "--json", "--workspace", str(folder)]) == code
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_the_last_change_is_taken_back_and_undoing_again_repeats_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path)
    with open_app(tmp_path) as app:
        sync(app)
        app.sleep(3 * 86_400.0)
        before = truly_on(app, COMPANIES)
        write(tmp_path, first=10)
        sync(app)
        app.sleep(3 * 86_400.0)
        after = truly_on(app, COMPANIES)
    assert before != after
    for wanted in (before, after):
        assert run(tmp_path, capsys, "undo", COMPANIES)["adds"] == 10
        with open_app(tmp_path) as app:
            app.sleep(3 * 86_400.0)
            assert truly_on(app, COMPANIES) == in_ledger(app, COMPANIES) == wanted


def test_undo_after_later_syncs_goes_back_to_exactly_the_version_that_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held: dict[int, set[str]] = {}
    for first in (0, 10, 20, 30):
        write(tmp_path, first=first)
        with open_app(tmp_path) as app:
            sync(app)
            app.sleep(3 * 86_400.0)
            held[app.store.ledger_keys(COMPANIES).version] = truly_on(app, COMPANIES)
    oldest, *_, newest = held
    looked = run(tmp_path, capsys, "undo", COMPANIES, "--version", str(oldest), "--dry-run")
    assert (looked["adds"], looked["removes"]) == (30, 30)
    with open_app(tmp_path) as app:
        assert app.store.ledger_keys(COMPANIES).version == newest
    for version in (oldest, newest):
        run(tmp_path, capsys, "undo", COMPANIES, "--version", str(version))
        with open_app(tmp_path) as app:
            app.sleep(3 * 86_400.0)
            assert truly_on(app, COMPANIES) == in_ledger(app, COMPANIES) == held[version]


def test_a_wrong_push_is_taken_back_and_large_ones_wait_for_somebodys_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path)
    lines = (tmp_path / "companies.csv").read_text().splitlines()
    held = []
    for number, rows in enumerate((lines[1:41], lines[31:61])):
        (tmp_path / "fair.csv").write_text("\n".join([lines[0], *rows]) + "\n")
        words = ("push", str(tmp_path / "fair.csv"), "--accept-shrink", "30", "--because", "the new stand")
        run(tmp_path, capsys, *(words if number else words[:2]))
        with open_app(tmp_path) as app:
            app.sleep(3 * 86_400.0)
            held.append(truly_on(app, FAIR))
    run(tmp_path, capsys, "undo", FAIR, code=3)  # 20 of 30 would leave
    run(tmp_path, capsys, "undo", FAIR, "--accept-shrink", "20", "--because", "the wrong file")
    with open_app(tmp_path) as app:
        app.sleep(3 * 86_400.0)
        assert truly_on(app, FAIR) == in_ledger(app, FAIR) == held[0]
    run(tmp_path, capsys, "undo", FAIR, "--accept-shrink", "30", "--because", "it was right")
    with open_app(tmp_path) as app:
        app.sleep(3 * 86_400.0)
        assert truly_on(app, FAIR) == in_ledger(app, FAIR) == held[1]
        accepted = [line.detail for line in app.store.audit_log(what="large change accepted")]
        assert [one["because"] for one in accepted] == ["the new stand", "the wrong file", "it was right"]
        assert [(one["leavers"], one["by"]) for one in accepted] == [(n, app.who) for n in (30, 20, 30)]


def on_bands(app: App) -> dict[str, set[str]]:
    lists = [one.spec.audience_id for one in app.store.audiences() if one.spec.band is not None]
    return {name: truly_on(app, name) for name in lists}


def test_a_plan_is_taken_back_by_the_segments_name_and_the_bands_hold_whom_they_held(
    copies: Copies, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copies.path("undo-plan", banded=True)
    with open_app(folder) as app:
        before = on_bands(app)
        moved = 0
        while not moved:
            before = on_bands(app)
            moved = len(balanced_day(app).record.moves)
        assert on_bands(app) != before
        targets = our_targets(app, "linkedin")
    looked = run(folder, capsys, "undo", SEGMENT, "--dry-run")
    assert looked["moves"] == moved
    settings = folder / "evenreach.yaml"
    kept = settings.read_text()
    settings.write_text(f"{kept}\napprovals: {{approvers: [somebody else]}}\n")
    refused = run(folder, capsys, "undo", SEGMENT, code=1)["error"]
    assert refused["error"] == "NotAnApprover"
    settings.write_text(kept)
    assert run(folder, capsys, "undo", SEGMENT)["plan_id"] == looked["plan_id"]
    with open_app(folder) as app:
        app.sleep(3 * 86_400.0)
        assert on_bands(app) == before
        assert our_targets(app, "linkedin") == targets
        assert [line.subject for line in app.store.audit_log(what="plan undone")] == [SEGMENT]
    run(folder, capsys, "undo", SEGMENT, code=1)  # it is taken back once


def test_a_list_without_a_change_has_nothing_to_undo(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path)
    assert main(["undo", COMPANIES, "--workspace", str(tmp_path)]) == 1
    assert "nothing to undo" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["undo", "restore"])
def test_who_names_no_list_is_told_which_there_are(
    verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path)
    with open_app(tmp_path) as app:
        sync(app)
    capsys.readouterr()
    assert main([verb, "nobody", "--workspace", str(tmp_path)]) == 1
    assert COMPANIES in capsys.readouterr().err


def test_only_the_approvers_of_the_settings_let_a_large_change_through(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path)
    with (tmp_path / "evenreach.yaml").open("a") as settings:
        settings.write("approvals: {approvers: [maya]}\n")
    monkeypatch.setenv("EVENREACH_WHO", "sam")
    run(tmp_path, capsys, "sync")
    write_fewer(tmp_path)
    run(tmp_path, capsys, "sync", code=3)
    refused = run(tmp_path, capsys, "sync", "--accept-shrink", "360", code=1)
    assert "may not approve" in refused["error"]["message"]
    monkeypatch.setenv("EVENREACH_WHO", "maya")
    run(tmp_path, capsys, "sync", "--accept-shrink", "360", "--because", "half the market is closed")
    with open_app(tmp_path) as app:
        (line,) = app.store.audit_log(what="large change accepted")
        assert (line.who, line.detail["because"]) == ("maya", "half the market is closed")


def write_fewer(folder: Path) -> None:
    kept = (folder / "evenreach.yaml").read_text()
    write(folder, companies=60)
    (folder / "evenreach.yaml").write_text(kept)


def test_only_the_approvers_of_the_settings_approve_a_plan(copies: Copies) -> None:
    from flows import balance, collect
    from flows.approvals import AUTOMATIC
    from flows.approvers import NotAnApprover

    folder = copies.path("approvers", banded=True)
    with (folder / "evenreach.yaml").open("a") as settings:
        settings.write("approvals: {approvers: [maya]}\n")
    with open_app(folder) as app:
        collect.collect(app, SEGMENT, days=3)
        plan = balance.propose(app, SEGMENT).record
        with pytest.raises(NotAnApprover, match="sam"):
            balance.approve(app, plan.plan_id, seen=plan.inputs_hash, who="sam")
        assert str(app.store.plan(plan.plan_id).status) == "proposed"
        for who in ("maya", AUTOMATIC):
            balance.approve(app, plan.plan_id, seen=plan.inputs_hash, who=who)
