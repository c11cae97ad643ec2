"""Two hundred invented companies and four hundred people on a running sandbox, worked by the commands alone."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flows.cli import main
from flows.sandbox_link import START
from flows.wiring import App, open_app
from platforms.sandbox.server import start

COMPANIES, PEOPLE = 200, 400
CONFIG = """\
# Written by hand; every comment must survive.
workspace: Lists
database: sqlite:///evenreach.db
timezone: UTC
sandbox: {starts: 2026-08-24}
platforms:
  linkedin: {mode: sandbox, ad_account: "500000001"}
  google: {mode: sandbox, customer: "1234567890"}
sources:
  companies:
    - {file: companies.csv}
  contacts:
    - {file: contacts.csv, first_party: true, consent: granted, default_country: US}   # ours
segments:
  everyone:
    title: Everyone
    where: {field: employees, at_least: 10}
    without: [customers]
    sync: {linkedin: [companies, contacts], google: [contacts]}
  customers:
    title: Customers
    kind: negative
    where: {field: lifecycle_stage, in: [Customer]}
    sync: {linkedin: [companies]}
"""


@dataclass
class Lists:
    """A workspace and the ways a test works it. ``companies`` and ``people`` are the rows of the files."""

    folder: Path
    companies: list[dict[str, str]]
    people: list[dict[str, str]]
    capture: pytest.CaptureFixture[str]
    patch: pytest.MonkeyPatch

    def stdin(self, text: str) -> None:
        """What the next command reads."""
        self.patch.setattr("sys.stdin", io.StringIO(text))

    def write(self) -> None:
        """Write both files as they now should be."""
        for name, rows in (("companies.csv", self.companies), ("contacts.csv", self.people)):
            lines = [",".join(rows[0])] if rows else ["name,domain"]
            lines += [",".join(row.values()) for row in rows]
            (self.folder / name).write_text("\n".join(lines) + "\n")

    def config(self, old: str, new: str) -> None:
        """Change one text of evenreach.yaml."""
        file = self.folder / "evenreach.yaml"
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def run(self, *words: str, code: int = 0) -> dict[str, Any]:
        """One command with --json; its answer, once the exit code is the one expected."""
        self.capture.readouterr()
        ended = main([*words, "--workspace", str(self.folder), "--json"])
        printed = self.capture.readouterr()
        assert ended == code, printed.out + printed.err
        answer: dict[str, Any] = json.loads(printed.out)
        return answer

    def sync(self, *words: str, code: int = 0) -> dict[str, dict[str, Any]]:
        """``evenreach sync``: list id -> its row."""
        return {row["list"]: row for row in self.run("sync", *words, code=code)["lists"]}

    @contextmanager
    def opened(self) -> Iterator[App]:
        with open_app(self.folder) as app:
            yield app

    def members(self, list_id: str) -> int:
        """How many members the platform has confirmed."""
        with self.opened() as app:
            return app.store.ledger_counts(list_id).accepted

    def days_pass(self, days: int) -> None:
        """Let the platforms work."""
        with self.opened() as app:
            assert app.sandbox is not None
            app.sandbox.post("/sandbox/clock/advance", {"seconds": days * 86_400})


def company(i: int) -> dict[str, str]:
    stage = "Customer" if i < 20 else "Lead"
    return {
        "name": f"Company {i:03} Works",
        "domain": f"company{i:03}-works.com",
        "country": "US",
        "employees": str(20 + i),
        "Lifecycle Stage": stage,
    }


def person(i: int) -> dict[str, str]:
    site = f"company{i % COMPANIES:03}-works.com"
    return {
        "email": f"person{i:03}@{site}",
        "first name": f"Given{i:03}",
        "last name": f"Family{i:03}",
        "phone": f"+1 415 555 {i:04}",
        "domain": site,
    }


@contextmanager
def list_workspace(
    folder: Path, capture: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch
) -> Iterator[Lists]:
    """A fresh workspace beside a sandbox that every command joins."""
    folder.mkdir(parents=True)
    (folder / "evenreach.yaml").write_text(CONFIG)
    companies, people = [company(i) for i in range(COMPANIES)], [person(i) for i in range(PEOPLE)]
    lists = Lists(folder, companies, people, capture, patch)
    lists.write()
    server = start(port=0, clock="simulated", start_at=START, state_dir=folder / "sandbox")
    try:
        yield lists
    finally:
        server.stop()


@pytest.fixture
def lists(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Lists]:
    with list_workspace(tmp_path / "lists", capsys, monkeypatch) as workspace:
        yield workspace
