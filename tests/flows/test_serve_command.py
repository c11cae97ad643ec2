"""``evenreach serve`` as a supervisor sees it: one command up, a signal down, nothing left, and up again."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from flows.engine import PortTaken, prefect_server, refuse_taken
from flows.settings import PasswordMissing, require_client_password, require_server_password
from tests.flows.free_ports import free_port
from tests.flows.kept_workspace import write
from tests.flows.pool_world import Patient

ROOT = Path(__file__).parents[2]


def up(folder: Path, page: int, prefect: int, **given: str) -> subprocess.Popen[bytes]:
    """The command, once it has said where it is; of Prefect's in its environment only what is given."""
    words = ["serve", "--workspace", str(folder), "--port", str(page), "--prefect-port", str(prefect)]
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    said = folder / "said"
    with said.open("w") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "flows.cli", *words],
            cwd=ROOT,
            env=plain | given,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    until = time.monotonic() + 240
    while "Stop with" not in said.read_text() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.2)
    assert "Stop with" in said.read_text(), said.read_text()
    return process


@pytest.mark.slow  # Prefect's server comes up twice
def test_serve_comes_up_on_a_fresh_workspace_leaves_nothing_however_it_ends_and_comes_up_again(
    tmp_path: Path,
) -> None:
    write(tmp_path)
    page, prefect = free_port(), free_port()
    for stop, wanted in ((signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 0)):
        process = up(tmp_path, page, prefect)
        try:
            children = psutil.Process(process.pid).children(recursive=True)
            assert children
            assert httpx.get(f"http://127.0.0.1:{page}/", timeout=120).is_success
            assert (
                "<html" in httpx.get(f"http://127.0.0.1:{prefect}/", timeout=120, follow_redirects=True).text
            )
            assert deployed(prefect) == {"everyone-google", "everyone-linkedin", "one-off", "all-lists"}
            with pytest.raises(PortTaken):
                refuse_taken("127.0.0.1", page, "the page")
        finally:
            code = ended(process, stop)
        assert code == wanted
        assert (tmp_path / "said").read_text().count("\n") == 3, (tmp_path / "said").read_text()
        gone, alive = psutil.wait_procs(children, timeout=60)
        assert not alive
        assert len(gone) == len(children)


def ended(process: subprocess.Popen[bytes], stop: signal.Signals) -> int:
    """Its exit code. Half a minute is what it promises; the rest is for a busy machine."""
    process.send_signal(stop)
    try:
        return process.wait(timeout=90)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


def deployed(prefect: int) -> set[str]:
    """Names of the deployments whose schedules are active, once all are there."""
    for _ in range(600):
        url = f"http://127.0.0.1:{prefect}/api/deployments/filter"
        with Patient(timeout=120, trust_env=False) as client:
            found = client.post(url, json={}).raise_for_status().json()
        if len(found) == 4 and not any(one["paused"] for one in found):
            return {one["name"] for one in found}
        time.sleep(0.2)
    return set()


def test_a_port_that_is_taken_is_said_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from flows.cli import main

    write(tmp_path)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        for words in (["page", "--port", str(port)], ["serve", "--port", str(port)]):
            assert main([*words, "--workspace", str(tmp_path)]) == 1
            said = capsys.readouterr().err
            assert f"127.0.0.1:{port}" in said
            assert "another port" in said
    assert not (tmp_path / "prefect").exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "prefect.example.org"])
def test_prefects_server_leaves_loopback_only_with_a_sign_in(
    host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PREFECT_API_URL", "PREFECT_SERVER_API_AUTH_STRING", "PREFECT_API_AUTH_STRING"):
        monkeypatch.delenv(name, raising=False)
    with (
        pytest.raises(PasswordMissing, match="PREFECT_SERVER_API_AUTH_STRING"),
        prefect_server(tmp_path, host=host),
    ):
        pass
    with pytest.raises(PasswordMissing, match="PREFECT_API_AUTH_STRING"):
        require_client_password(f"http://{f'[{host}]' if ':' in host else host}:4200/api")
    monkeypatch.setenv("PREFECT_SERVER_API_AUTH_STRING", "somebody:a-password")
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", "somebody:a-password")
    require_server_password(host)
    require_client_password("http://prefect.example.org:4200/api")


@dataclass(frozen=True)
class Served:
    """A server of ours for other machines: its database, its API, and who may use it."""

    home: Path
    api: str
    client_password: str

    def post(self, path: str, body: dict[str, Any], **how: Any) -> httpx.Response:
        with Patient(timeout=120, trust_env=False) as client:
            return client.post(f"{self.api}/{path}", json=body, **how)

    def signed(self, path: str, body: dict[str, Any]) -> Any:
        answer = self.post(path, body, auth=("somebody", "a-password")).raise_for_status()
        return answer.json() if answer.content else None


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home, port, before = tmp_path_factory.mktemp("served") / "prefect", free_port(), dict(os.environ)
    for name in [name for name in before if name.startswith("PREFECT_")]:
        del os.environ[name]
    os.environ["PREFECT_SERVER_API_AUTH_STRING"] = "somebody:a-password"
    os.environ["PREFECT_SERVER_SERVICES_DB_VACUUM_LOOP_SECONDS"] = "1"  # an hour, else
    try:
        with prefect_server(home, port=port, host="0.0.0.0", ui=True) as wait:
            password = os.environ["PREFECT_API_AUTH_STRING"]
            wait()
            yield Served(home, f"http://127.0.0.1:{port}/api", password)
    finally:
        os.environ.clear()
        os.environ.update(before)


@pytest.mark.slow  # Prefect's server comes up
def test_a_server_for_other_machines_answers_nobody_without_the_sign_in(served: Served) -> None:
    assert served.post("deployments/count", {}).status_code == 401
    assert served.post("deployments/count", {}, auth=("somebody", "wrong")).status_code == 401
    assert served.signed("deployments/count", {}) >= 0
    assert served.client_password == "somebody:a-password"  # our own runs sign in with it


@pytest.mark.slow  # Prefect's server comes up
def test_prefects_own_database_loses_runs_and_their_logs_after_90_days_and_no_sooner(served: Served) -> None:
    flow = served.signed("flows/", {"name": "sync"})["id"]
    runs = [
        served.signed("flow_runs/", {"flow_id": flow, "state": {"type": "COMPLETED"}})["id"] for _ in range(2)
    ]
    at = datetime.now(UTC)
    told = {"name": "n", "level": 30, "message": "m", "timestamp": at.isoformat()}
    served.signed("logs/", [told | {"flow_run_id": run} for run in runs])  # type: ignore[arg-type]
    with closing(sqlite3.connect(served.home / "prefect.db", timeout=60)) as database, database:
        for run, age in zip(runs, (91, 89), strict=True):
            ended = (at - timedelta(days=age)).strftime("%Y-%m-%d %H:%M:%S.%f")
            line = "UPDATE flow_run SET end_time = ? WHERE replace(id, '-', '') = replace(?, '-', '')"
            assert database.execute(line, (ended, run)).rowcount == 1
    until = time.monotonic() + 240
    while len(found := kept(served, runs)) > 2 and time.monotonic() < until:
        time.sleep(0.2)
    assert found == [("log", runs[1]), ("run", runs[1])]


def kept(served: Served, runs: list[str]) -> list[tuple[str, str]]:
    """Which of the runs there still are, and of which there are logs."""
    there = served.signed("flow_runs/filter", {"flow_runs": {"id": {"any_": runs}}})
    logs = served.signed("logs/filter", {"logs": {"flow_run_id": {"any_": runs}}})
    return sorted([("run", one["id"]) for one in there] + [("log", one["flow_run_id"]) for one in logs])


@pytest.mark.slow  # the command comes up, beside Prefect's server that is there already
def test_ctrl_c_ends_serve_and_everything_it_started_without_a_word(served: Served, tmp_path: Path) -> None:
    write(tmp_path)
    given = {"PREFECT_API_URL": served.api, "PREFECT_API_AUTH_STRING": "somebody:a-password"}
    process = up(tmp_path, free_port(), free_port(), **given)
    until = time.monotonic() + 120
    while served.signed("deployments/count", {}) < 4 and time.monotonic() < until:
        time.sleep(0.2)
    children = psutil.Process(process.pid).children(recursive=True)
    assert ended(process, signal.SIGINT) == 0
    assert (tmp_path / "said").read_text().count("\n") == 3, (tmp_path / "said").read_text()
    assert psutil.wait_procs(children, timeout=60)[1] == []


def test_the_settings_of_prefect_tell_nobody_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from flows.settings import prepare_prefect, server_environment

    for name in ("DO_NOT_TRACK", "PREFECT_SERVER_ANALYTICS_ENABLED"):
        monkeypatch.delenv(name, raising=False)
    prepare_prefect(tmp_path)
    found = server_environment()
    assert (found["DO_NOT_TRACK"], found["PREFECT_SERVER_ANALYTICS_ENABLED"]) == ("1", "false")


@pytest.mark.slow  # Prefect's server comes up
def test_the_place_of_a_run_that_was_cut_off_outlives_prefects_server_and_so_is_given_back(
    served: Served,
) -> None:
    limit = {"name": "one", "limit": 1, "active_slots": 0}
    served.signed("v2/concurrency_limits/", limit)
    asked = {"names": ["one"], "slots": 1, "mode": "concurrency", "lease_duration": 60}
    lease = served.signed("v2/concurrency_limits/increment-with-lease", asked)["lease_id"]
    assert (served.home / "concurrency_leases" / f"{lease}.json").is_file()
