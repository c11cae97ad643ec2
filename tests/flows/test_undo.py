"""Undo takes back the last change of a list, on the platform as in the record."""

import json
from pathlib import Path

import pytest

from flows.cli import main
from flows.wiring import open_app
from tests.flows.kept_workspace import COMPANIES, in_ledger, sync, truly_on, write


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
        assert main(["undo", COMPANIES, "--json", "--workspace", str(tmp_path)]) == 0
        assert json.loads(capsys.readouterr().out)["adds"] == 10
        with open_app(tmp_path) as app:
            app.sleep(3 * 86_400.0)
            assert truly_on(app, COMPANIES) == in_ledger(app, COMPANIES) == wanted


def test_a_list_without_a_change_has_nothing_to_undo(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path)
    assert main(["undo", COMPANIES, "--workspace", str(tmp_path)]) == 1
    assert "nothing to undo" in capsys.readouterr().err
