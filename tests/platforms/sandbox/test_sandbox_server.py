"""The sandbox as a server: loopback only, address file, kill and restart, real clock."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from platforms.sandbox import control
from platforms.sandbox.faults import KINDS
from platforms.sandbox.knobs import Knobs
from platforms.sandbox.server import NotLoopback, open_engine, serve, start
from tests.platforms.sandbox.calls import ACCOUNT, BATCH, START, companies, segment_body

HEADERS = {
    "Authorization": "Bearer sandbox-token",
    "LinkedIn-Version": "202608",
    "X-Restli-Protocol-Version": "2.0.0",
}
CHILD = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from platforms.sandbox import control
from platforms.sandbox.faults import KINDS
from platforms.sandbox.knobs import Knobs
from platforms.sandbox.server import serve
serve(port=0, state_dir=Path(sys.argv[1]), start_at=datetime(2026, 11, 2, 6, tzinfo=UTC),
      ready=lambda url: print(url, flush=True))
"""


def calling(url: str, **options) -> httpx.Client:
    """With the patience a busy machine needs: a child may still be importing its server."""
    return httpx.Client(base_url=url, trust_env=False, timeout=60, **options)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "example.com", "::"])
def test_it_refuses_to_listen_anywhere_but_on_this_machine(host):
    with pytest.raises(NotLoopback, match="does not listen on"):
        serve(host=host)


def test_it_serves_both_platforms_and_control_on_one_port():
    with start(start_at=START) as running, calling(running.url) as client:
        assert running.url.startswith("http://127.0.0.1:")
        replies = [
            client.post("/rest/dmpSegments", json=segment_body(), headers=HEADERS),
            client.get("/v1/accountTypes/GOOGLE_ADS/accounts/1/userLists", headers=HEADERS),
            client.post(
                "/token", data={"grant_type": "refresh_token", "refresh_token": "sandbox-refresh-token"}
            ),
            client.get("/sandbox/clock"),
        ]

    assert [r.status_code for r in replies] == [201, 200, 200, 200]
    assert {r.headers["x-evenreach-sandbox"] for r in replies} == {"SANDBOX"}
    assert "server" not in replies[0].headers


def test_stopping_twice_is_fine_and_frees_folder_and_port(tmp_path):
    running = start(state_dir=tmp_path)
    assert (tmp_path / "address").read_text() == running.url
    running.stop()
    running.stop()
    with calling(running.url) as client, pytest.raises(httpx.ConnectError):
        client.get("/sandbox/clock")
    start(state_dir=tmp_path).stop()


def test_a_lost_reply_closes_the_connection_after_the_change():
    with start(start_at=START) as running:
        running.control.fault("lost_reply_after_commit", match="POST /rest/dmpSegments")
        with calling(running.url, headers=HEADERS) as client:
            with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
                client.post("/rest/dmpSegments", json=segment_body())
            assert running.control.state()["segments"] == 1


def test_the_control_helper_speaks_plain_python():
    with start(start_at=START) as running:
        control = running.control
        made = control.seed(shape="C")
        assert control.advance(timedelta(days=1)) >= START + timedelta(days=1)
        assert control.advance(datetime(2026, 11, 9, tzinfo=UTC)) == datetime(2026, 11, 9, tzinfo=UTC)
        assert control.now() >= datetime(2026, 11, 9, tzinfo=UTC)
        assert control.impressions(START.date(), campaign=made["campaign"])["total"] == 0
        assert control.knobs(batch_limit=9)["batch_limit"] == 9
        with pytest.raises(ValueError, match="no such knob"):
            control.knobs(nonsense=1)
        with pytest.raises(ValueError, match="only moves forward"):
            control.advance(START)
        with pytest.raises(ValueError, match="no list"):
            control.members("4711")


def test_a_real_clock_runs_by_itself_from_its_start():
    engine = open_engine(clock="real", start_at=START)
    first = engine.call("GET", "/sandbox/clock", "", {}, b"").answer.body
    time.sleep(0.05)
    second = engine.call("GET", "/sandbox/clock", "", {}, b"").answer.body

    assert first != second
    assert engine.world.now - START.timestamp() * 1000 < 60_000


def test_a_start_without_time_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        open_engine(start_at=datetime(2026, 1, 1))


def test_killed_with_nine_it_comes_back_with_the_same_lists(tmp_path):
    def child() -> tuple[subprocess.Popen, httpx.Client]:
        process = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        url = process.stdout.readline().strip()
        return process, calling(url, headers=HEADERS)

    process, client = child()
    try:
        segment = client.post("/rest/dmpSegments", json=segment_body()).headers["x-restli-id"]
        client.post("/sandbox/clock/advance", json={"seconds": 10})
        body = {"elements": companies(50)}
        assert (
            client.post(f"/rest/dmpSegments/{segment}/companies", json=body, headers=BATCH).status_code == 200
        )
        before = client.get("/sandbox/truth/state").json()
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        client.close()
    process, client = child()
    try:
        assert client.get("/sandbox/truth/state").json() == before
        assert client.get(f"/rest/adAccounts/{ACCOUNT}").status_code == 200
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        client.close()


def test_the_page_about_the_sandbox_names_every_fault_knob_and_control_call():
    page = (Path(__file__).parents[3] / "docs" / "sandbox.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`([^`\n]+)`", page))
    calls = set()
    for route in control.table(open_engine()):
        path = re.sub(r"\(\?P<(\w+)>[^)]+\)", r"{\1}", route.pattern.pattern.strip("^$"))
        calls.add(f"{route.method} {path.removesuffix('?')}")

    assert {*KINDS, *(knob.name for knob in fields(Knobs))} <= told
    assert {call for call in told if re.match("[A-Z]+ /sandbox/", call)} == calls
