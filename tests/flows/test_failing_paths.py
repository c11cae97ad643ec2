"""Every way a person can name a path: what the page writes stays in the workspace, what a command writes is named.

The lists come from the parser, the page's routes and the flows themselves, so that a new way in cannot be forgotten.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import quote

import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from audiences.config import load
from audiences.errors import ConfigError
from flows import forms
from flows.backup import backup
from flows.cli import COMMANDS, main, parser
from flows.wiring import open_app
from tests.flows import kept_workspace
from tests.flows.small_workspace import Copies
from tests.flows.web.real_page import LIST, RealPage, furnished
from tests.flows.web.test_roles import ROUTES, filled
from tests.flows.web.visits import TestClient, Visit

# each option that names a path, and a command with it: what it writes outside the workspace is the file named
# (WRITES), or nothing at all (READS)
READS, WRITES = False, True
COMMAND: dict[str, tuple[bool, str]] = {
    "map file": (READS, "map companies.csv"),
    "push file": (READS, "push companies.csv"),
    "rehearse --impressions": (READS, "rehearse --impressions impressions.csv --weeks 4"),
    "experiment --outcomes": (READS, "experiment evaluate everyone --outcomes outcomes.csv"),
    "restore-backup file": (READS, "restore-backup copy.tar.gz"),
    "page --certificate": (READS, "page --port 0 --certificate both.pem"),
    "page --key": (READS, "page --port 0 --certificate certificate.pem --key key.pem"),
    "serve --certificate": (READS, "serve --port 0 --certificate both.pem"),
    "serve --key": (READS, "serve --port 0 --certificate certificate.pem --key key.pem"),
    "segments --out": (WRITES, "segments export everyone --out named.csv"),
    "numbers --out": (WRITES, "numbers companies everyone --window 7 --out named.csv"),
    "report --out": (WRITES, "report everyone --out named.html"),
    "experiment --out": (WRITES, "experiment plan everyone --out named.csv"),
    "backup file": (WRITES, "backup named.tar.gz"),
    "sandbox --state": (WRITES, "sandbox --port 0 --state named.folder"),
}
NO_PATH = {"segments --table"}
WORDS = re.compile(
    r"\b(files?|folder|path|directory|certificate|pem|csv|html|dir|out|state)\b", re.IGNORECASE
)
SWITCH = (argparse._StoreTrueAction, argparse._HelpAction)
WRITING = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate")
HOSTILE = (
    "../../outside.csv",
    "..",
    "/etc/outside.csv",
    "../outside.csv",
    "..\\outside.csv",
    "a/../../outside.csv",
)


def options() -> Iterator[tuple[str, argparse.Action]]:
    (commands,) = (a for a in parser()._actions if isinstance(a, argparse._SubParsersAction))
    assert set(commands.choices) == set(COMMANDS)
    for name, command in commands.choices.items():
        for action in command._actions:
            if not isinstance(action, SWITCH) and action.dest != "workspace":
                yield f"{name} {(action.option_strings or [action.dest])[0]}", action


def names_a_path(action: argparse.Action) -> bool:
    """By its type, or by the words of its name and its metavar."""
    words = " ".join((action.dest, str(action.metavar or "")))
    return action.type is Path or (action.choices is None and WORDS.search(words) is not None)


def test_every_option_that_names_a_path_is_known() -> None:
    found = {name for name, action in options() if names_a_path(action)}
    assert len(found) >= 15
    assert found == COMMAND.keys() - NO_PATH


def test_every_command_takes_its_workspace_as_a_folder() -> None:
    (commands,) = (a for a in parser()._actions if isinstance(a, argparse._SubParsersAction))
    for command in commands.choices.values():
        (workspace,) = (a for a in command._actions if a.dest == "workspace")
        assert workspace.type is Path


def test_the_one_flow_that_takes_a_file_takes_it_from_the_inbox() -> None:
    """``in_inbox`` itself is tried with hostile names in the tests of secrets."""
    import inspect

    from prefect import Flow

    from flows import deployments, scheduled_runs

    flows = {
        f.fn for module in (deployments, scheduled_runs) for f in vars(module).values() if isinstance(f, Flow)
    }
    taking = [fn for fn in flows if forms.File in get_type_hints(fn, include_extras=True).values()]
    assert [fn.__name__ for fn in taking] == ["push_one_off"]
    assert all("in_inbox(" in inspect.getsource(fn) for fn in taking)
    for fn in flows - set(taking):
        assert not {"file", "path", "folder", "out"} & set(inspect.signature(fn).parameters), fn.__name__


@pytest.mark.parametrize("name", ["../x", "a/../../x", "..", "/x", "a\\..\\x"])
def test_a_segment_whose_name_would_lead_out_of_a_folder_is_refused(tmp_path: Path, name: str) -> None:
    """Reports are named after segments."""
    kept_workspace.write(tmp_path / "w", companies=1, people=1)
    file = tmp_path / "w" / "evenreach.yaml"
    file.write_text(file.read_text().replace("  everyone:", f"  '{name}':"))
    with pytest.raises(ConfigError, match="name"):
        load(file)


# -- the page ----------------------------------------------------------------------


class Watch:
    """Notes every path this process opens to write, makes, renames or removes while ``armed``."""

    def __init__(self) -> None:
        self.armed, self.touched = False, set[str]()
        sys.addaudithook(self._hear)

    def _hear(self, event: str, given: tuple[Any, ...]) -> None:
        if not self.armed or event not in WRITING:
            return
        if event == "open":
            _, mode, flags = given
            writes = any(c in str(mode or "") for c in "wax+") or (flags or 0) & (os.O_WRONLY | os.O_RDWR)
            hostile = "outside" in str(given[0])
            given = given[:1] if writes or hostile else ()
        folder = ""
        if event in ("os.remove", "os.rmdir") and given[1] >= 0:  # a name in a folder that is open
            folder = os.readlink(f"/proc/self/fd/{given[1]}")
        paths = [os.fsdecode(p) for p in given if isinstance(p, (str, bytes, os.PathLike))]
        self.touched |= {os.path.realpath(os.path.join(folder, path)) for path in paths}

    @contextmanager
    def __call__(self) -> Iterator[None]:
        self.armed = True
        try:
            yield
        finally:
            self.armed = False


@pytest.fixture(scope="module")
def watch() -> Watch:
    return Watch()


@pytest.fixture(scope="module")
def real(copies: Copies) -> Iterator[RealPage]:
    with furnished(copies) as made:
        yield made


def strays(watch: Watch, workspace: Path) -> list[str]:
    """What was touched outside the workspace and the folder of one's own a dropped file is read in."""
    own = os.path.join(tempfile.gettempdir(), "evenreach-")
    inside = (str(workspace.resolve()) + os.sep, os.path.realpath(own), "/dev/", "/proc/")
    return sorted(p for p in watch.touched if not (p + os.sep).startswith(inside))


def test_the_watch_sees_a_file_written_outside(watch: Watch, tmp_path: Path) -> None:
    with watch():
        (tmp_path / "elsewhere").write_text("x")
    assert strays(watch, tmp_path / "w") == [str((tmp_path / "elsewhere").resolve())]
    watch.touched.clear()


@pytest.mark.parametrize("name", COMMAND)
def test_a_command_writes_the_file_it_is_told_to_and_no_other_outside_its_workspace(
    name: str,
    copies: Copies,
    watch: Watch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    writes, words = COMMAND[name]
    folder = copies.path(f"paths-{name.replace(' ', '')}")
    given(tmp_path, folder)
    workspace = folder / "put-back" if "restore-backup" in name else folder
    line = [str(tmp_path / word) if "." in word else word for word in words.split()]
    before = {file: file.read_bytes() for file in tmp_path.iterdir()}
    with open_app(folder) as app:
        assert app.sandbox is not None
        app.sandbox.post("/sandbox/knobs", {"accounts_intelligence": True})
        nothing_stays(monkeypatch)
        with watch():
            code = main([*line, "--workspace", str(workspace)])
    assert code == 0, capsys.readouterr()
    named = {Path(word) for word in line if Path(word).name.startswith("named.")}
    assert {file for file in tmp_path.iterdir() if file not in before} == named
    assert bool(named) is writes
    assert {file: file.read_bytes() for file in before} == before
    beside = [Path(path) for path in strays(watch, folder) if Path(path) != tmp_path]
    watch.touched.clear()
    assert [path for path in beside if path.parent != tmp_path and not named & set(path.parents)] == []


def given(room: Path, folder: Path) -> None:
    """The files that commands read, beside the workspace, and what else they need in it."""
    shutil.copy(folder / "companies.csv", room)
    accounts = [f"company{i:03}-works.com" for i in range(400)]
    for name, column in (("outcomes", "outcome"), ("impressions", "impressions")):
        lines = [f"account,{column}", *(f"{account},{i % 5 // 4}" for i, account in enumerate(accounts))]
        (room / f"{name}.csv").write_text("\n".join(lines) + "\n")
    certificate, key = self_signed()
    (room / "certificate.pem").write_bytes(certificate)
    (room / "key.pem").write_bytes(key)
    (room / "both.pem").write_bytes(key + certificate)
    settings = folder / "evenreach.yaml"
    switched = settings.read_text().replace('500000001"}', '500000001", company_intelligence: true}')
    settings.write_text(switched)
    backup(folder, room / "copy.tar.gz", at=datetime(2026, 9, 1, tzinfo=UTC))


@cache
def self_signed() -> tuple[bytes, bytes]:
    """A certificate for this machine, and its key."""
    key, name = generate_private_key(SECP256R1()), x509.Name.from_rfc4514_string("CN=localhost")
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(datetime(2026, 1, 1)).not_valid_after(datetime(2126, 1, 1))
    form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return made.sign(key, SHA256()).public_bytes(Encoding.PEM), key.private_bytes(*form)


def nothing_stays(patch: pytest.MonkeyPatch) -> None:
    """What would serve until it is stopped reads what it was given, and ends."""
    patch.setattr(uvicorn.Server, "run", lambda server, sockets=None: server.config.load())
    patch.setattr("flows.engine.prefect_server", lambda *_, **__: nullcontext(lambda: None))
    patch.setattr("flows.serve.serve_schedules", lambda *_: None)
    patch.setattr("signal.signal", lambda *_: None)


@pytest.mark.parametrize("route", ROUTES, ids=[f"{r[0]} {r[1]}" for r in ROUTES])
def test_no_route_of_the_page_writes_outside_the_workspace_whatever_path_it_is_given(
    route: tuple[str, str, str, dict[str, str]], real: RealPage, watch: Watch
) -> None:
    """``ROUTES`` is held against the page's own routes in the tests of roles."""
    method, address, _, form = route
    visit = Visit(TestClient(real.local_app(), base_url="http://localhost", client=("127.0.0.1", 1)))
    token = visit.token("/push")
    with watch():
        for evil in HOSTILE:
            whole, broken = real.names, {key: quote(evil, safe="") for key in real.names}
            for names in (whole, broken):
                at = filled(address, names)
                if method == "GET":
                    visit.get(at, params={"window": evil, "next": evil, "file": evil, "name": evil})
                else:
                    fields = dict.fromkeys((*form, "file", "name", "next", "list_name", "note"), evil)
                    more = {"files": {"file": (evil, LIST, "text/csv")}} if at == "/push/file" else {}
                    visit.post(at, fields, token=token, **more)
    assert strays(watch, real.page.app.workspace) == []
    watch.touched.clear()
