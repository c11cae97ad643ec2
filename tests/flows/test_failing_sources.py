"""A source file that is empty, cut off or half-written empties no list; a rule that drops 40 % stops and asks."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows.cli import main
from flows.sandbox_link import START
from flows.wiring import open_app
from platforms.sandbox.server import start
from tests.flows.kept_workspace import COMPANIES, PEOPLE, forward, in_ledger, truly_on, write

STOPPED, FAILED = 3, 1


def halved(text: str) -> str:
    return text[: len(text) // 2]


def third(text: str) -> str:
    lines = text.splitlines()
    return "\n".join(lines[: len(lines) // 3]) + "\n"


DAMAGE: dict[str, Callable[[str], str]] = {
    "empty": lambda _: "",
    "only its header": lambda text: text.splitlines()[0] + "\n",
    "a header cut off": lambda text: text[:9],
    "a third of its lines": third,
    "cut off in the middle of a line": lambda text: third(text) + halved(text.splitlines()[-1]),
    "zeros where data should be": lambda text: text.splitlines()[0] + "\n" + "\0" * 5000,
    "an error page": lambda _: "<html><body>502 Bad Gateway</body></html>\n",
}


def ran(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = main([*words, "--json"])
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


def settled(folder: Path) -> dict[str, set[str]]:
    """Who is on both lists, the platform and the ledger agreeing on it."""
    from tests.flows.failing_lists import finish

    with open_app(folder) as app:
        forward(app, days=3)
        finish(app)
        found = {name: in_ledger(app, name) for name in (COMPANIES, PEOPLE)}
        assert found == {name: truly_on(app, name) for name in found}
    return found


def test_no_damage_of_7_kinds_to_either_file_takes_anybody_off_a_list(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "w"
    write(folder, companies=60, people=2)
    words = ("sync", "--workspace", str(folder))
    with start(port=0, clock="simulated", start_at=START, state_dir=folder / "sandbox"):
        assert ran(capsys, *words)[0] == 0
        before = settled(folder)
        assert {name: len(members) for name, members in before.items()} == {COMPANIES: 60, PEOPLE: 120}
        for name in ("companies.csv", "contacts.csv"):
            whole = (folder / name).read_text()
            for kind, damage in DAMAGE.items():
                (folder / name).write_text(damage(whole))
                code, told = ran(capsys, *words)
                assert code in (STOPPED, FAILED), (name, kind)
                stopped = [one for one in told.get("lists", []) if one["stopped"]]
                assert stopped or told["error"]["remedy"], (name, kind)
            (folder / name).write_text(whole)
        assert settled(folder) == before
        assert ran(capsys, *words)[0] == 0
        assert settled(folder) == before


def test_a_rule_that_would_drop_40_percent_stops_asks_and_goes_on_with_the_number_it_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "w"
    write(folder, companies=60, people=2)
    settings = (folder / "evenreach.yaml").read_text()
    words = ("sync", "--workspace", str(folder))
    with start(port=0, clock="simulated", start_at=START, state_dir=folder / "sandbox"):
        assert ran(capsys, *words)[0] == 0
        before = settled(folder)
        # company i has 20 + i employees: 44 leaves out the first 24 of 60, which is 40 %
        (folder / "evenreach.yaml").write_text(settings.replace("at_least: 10", "at_least: 44"))
        code, told = ran(capsys, *words)
        assert code == STOPPED
        assert all("24" in one["stopped"] and "40 %" in one["stopped"] for one in told["lists"][:1])
        assert settled(folder) == before
        assert ran(capsys, *words, "--accept-shrink", "48")[0] == 0
        after = settled(folder)
    assert {name: len(members) for name, members in after.items()} == {COMPANIES: 36, PEOPLE: 72}
    assert all(after[name] < before[name] for name in before)
