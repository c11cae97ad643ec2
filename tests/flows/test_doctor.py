"""The doctor: a healthy workspace has nothing to do, and each fault is found by its code, with a remedy."""

import json
import shutil
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from flows import activate_plan, doctor
from flows.cli import main
from flows.doctor import Finding, examine
from flows.doctor_platforms import clock
from flows.settings import Settings
from flows.upkeep import upkeep
from flows.wiring import open_app
from tests.flows.doctor_faults import FAULTS, edit
from tests.flows.kept_workspace import CONFIG, forward, sync, write

BALANCED = (
    CONFIG.replace(
        "    sync: {linkedin: [companies], google: [contacts]}\n",
        "    sync: {linkedin: [companies], google: [contacts]}\n"
        "    holdout: 50 %\n"
        "    balance: {campaign: '600000001', policy: even}\n"
        "    without: [customers]\n",
    )
    + """
  customers:
    title: Customers
    kind: negative
    where: {field: employees, at_least: 1000000}
    sync: {linkedin: [companies]}
  extra:
    title: Extra
    where: {field: employees, at_least: 10}
policies:
  even: {mode: bands}
"""
)


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pushed, landed, attached to its campaign."""
    folder = tmp_path_factory.mktemp("well") / "workspace"
    write(folder)
    (folder / "evenreach.yaml").write_text(BALANCED.replace("at_least: 1000000", "at_most: 30"))
    with open_app(folder) as app:
        assert app.sandbox is not None
        app.sandbox.post("/sandbox/seed", {"impressions_per_28_days": 10_000})
        sync(app)
        forward(app, days=3)
        upkeep(app)
        activate_plan.attach(app, "everyone")
    return folder


@pytest.fixture
def folder(healthy: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "workspace"
    shutil.copytree(healthy, copy, ignore=shutil.ignore_patterns("address"))
    return copy


def faults(folder: Path, *, offline: bool = False, **settings: Any) -> dict[str, Finding]:
    plain = Settings(_env_file=None, **settings)  # type: ignore[call-arg]
    return {one.code: one for one in examine(folder, settings=plain, offline=offline) if not one.well}


def test_a_healthy_workspace_has_nothing_to_do(folder: Path) -> None:
    assert faults(folder) == {}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_by_its_code_and_says_what_to_do(folder: Path, fault: str) -> None:
    code, plant = FAULTS[fault]
    plant(folder)
    found = faults(folder)
    assert code in found, sorted(found)
    assert found[code].words
    assert found[code].remedy or "." in found[code].words.rstrip(".")


def test_a_folder_that_cannot_be_written_to_is_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != folder and real(path, mode))
    assert "chmod" in faults(folder, offline=True)["unwritable"].remedy


def test_a_full_disk_is_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.doctor_place.LEAST_DISK", 1e18)
    assert "free" in faults(folder, offline=True)["disk"].words


@pytest.mark.parametrize(("seconds", "found"), [(0, False), (30, False), (600, True), (-7200, True)])
def test_a_clock_that_is_off_is_told_from_the_platforms_own(seconds: int, found: bool) -> None:
    class Platform(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Platform)
    thread = threading.Thread(target=server.handle_request, daemon=True)
    thread.start()
    now = datetime.now(UTC) + timedelta(seconds=seconds)
    said = list(clock("linkedin", f"http://127.0.0.1:{server.server_address[1]}", now))
    thread.join()
    server.server_close()
    assert [one.code for one in said] == (["clock"] if found else [])


def test_a_live_set_up_that_tells_nobody_is_found_without_a_call(folder: Path) -> None:
    edit("linkedin: {mode: sandbox, ad_account", "linkedin: {mode: live, ad_account")(folder)
    found = faults(folder, offline=True)
    assert "no_alerts" in found
    assert "another platform is live" in found["sandbox_mode"].words  # google still is the sandbox


def test_offline_calls_no_platform(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def called(*_: object) -> None:
        raise AssertionError("a platform was called")

    monkeypatch.setattr("flows.doctor_platforms.platform", called)
    assert faults(folder, offline=True) == {}


def test_an_error_of_ours_is_a_finding_and_any_other_is_raised() -> None:
    def broken() -> list[Finding]:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError):
        list(doctor.looked(broken, "x"))


def test_the_command_prints_json_and_fails_when_something_is_to_do(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--json", "--workspace", str(folder)]) == 0
    assert all(one["well"] for one in json.loads(capsys.readouterr().out)["findings"])
    edit("holdout: 50 %", "holdout: 1 %")(folder)
    assert main(["check", "--workspace", str(folder)]) == 1
    assert "DO" in capsys.readouterr().out
