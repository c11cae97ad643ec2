"""What the demo says at its end, to be typed next."""

from __future__ import annotations

import subprocess
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace

import pytest

from flows.cli import parser
from flows.verbs.demo import _words


def test_a_shell_understands_the_commands_the_demo_ends_with(monkeypatch: pytest.MonkeyPatch) -> None:
    account, folder = "name:exide industries|IN", Path("my demo")
    page = SimpleNamespace(page=SimpleNamespace(rows=[SimpleNamespace(account_id=account)]))
    figures = defaultdict(float, reported_after=defaultdict(float), impressions_moved=1)
    monkeypatch.setattr("flows.report.text.summary", lambda _: "")
    said = _words(SimpleNamespace(figures=figures, page=page), folder)
    commands = said.partition("Next:\n")[2].splitlines()
    assert len(commands) == 3
    for command in commands:
        heard = subprocess.run(
            ["sh", "-c", f"printf '%s\\n' {command}"], capture_output=True, text=True, check=True
        ).stdout.splitlines()
        assert heard[0] == "evenreach"
        arguments = parser().parse_args(heard[1:])
        assert arguments.workspace == folder
        assert heard[1] != "why" or arguments.account == account
