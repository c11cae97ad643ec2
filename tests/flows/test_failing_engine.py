"""Prefect's server is not there, or is killed midway: lists are synced all the same, and the rest says what to do."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from flows.cli import main
from flows.engine import EngineUnreachable, prefect_server, reach_prefect
from flows.serve import serve_schedules
from flows.stopping import Stop
from flows.wiring import open_app
from tests.flows import kept_workspace

NOWHERE = "http://127.0.0.1:9/api"
ROOT = Path(__file__).parents[2]
LOSES_ITS_SERVER = """
import signal, sys, time
from pathlib import Path
from flows.engine import EngineLost, prefect_server
try:
    with prefect_server(Path(sys.argv[1])) as wait:
        wait()
        print("ready", flush=True)
        time.sleep(600)
except EngineLost as error:
    print(error, "|", error.remedy)
    sys.exit(7)
"""


@pytest.fixture
def gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", NOWHERE)


@pytest.mark.usefixtures("gone")
def test_lists_are_synced_though_the_named_prefect_server_is_gone(tmp_path: Path) -> None:
    kept_workspace.write(tmp_path / "w", companies=20, people=1)
    assert main(["sync", "--workspace", str(tmp_path / "w")]) == 0
    with open_app(tmp_path / "w") as app:
        assert len(kept_workspace.in_ledger(app, kept_workspace.COMPANIES)) == 20


@pytest.mark.usefixtures("gone")
def test_what_needs_the_named_prefect_server_says_that_it_is_gone_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(EngineUnreachable, match="does not answer") as caught:
        reach_prefect(seconds=0.0)
    assert NOWHERE in str(caught.value)
    assert "unset PREFECT_API_URL" in caught.value.remedy
    monkeypatch.setattr("flows.engine.reach_prefect", partial(reach_prefect, seconds=0.0))
    with prefect_server(tmp_path / "prefect") as wait, pytest.raises(EngineUnreachable):
        wait()


@pytest.mark.slow  # a Prefect server starts
def test_the_loss_of_prefects_server_midway_ends_what_needs_it_aloud(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT")}
    process = subprocess.Popen(
        [sys.executable, "-c", LOSES_ITS_SERVER, str(tmp_path)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "ready\n"
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        began = time.monotonic()
        os.kill(int(children[0]), signal.SIGKILL)
        said = process.stdout.read()
        assert process.wait(timeout=60) == 7
    assert time.monotonic() - began < 120.0
    assert "ended with code -9" in said
    assert "Run the command again" in said


@pytest.mark.usefixtures("gone")
def test_serve_says_that_a_server_elsewhere_is_gone_for_good_and_of_any_other_error_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def given_up(*_: object, **__: object) -> None:
        raise RuntimeError("Service exceeded error threshold.")

    monkeypatch.setattr("prefect.aserve", given_up)
    monkeypatch.setattr("flows.schedules.deployments", lambda *_: [])
    monkeypatch.setattr("flows.quota_runs.ensure_limits", lambda _: [])
    kept_workspace.write(tmp_path)
    with open_app(tmp_path) as app:
        with pytest.raises(EngineUnreachable, match="does not answer"):
            serve_schedules(app, Stop())
        monkeypatch.setattr("flows.engine.reach_prefect", lambda **_: None)
        with pytest.raises(RuntimeError, match="threshold"):
            serve_schedules(app, Stop())
