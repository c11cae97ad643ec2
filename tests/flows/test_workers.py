"""Three worker processes on one PostgreSQL record, one of them killed: every list ends right, once."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from flows.load import load
from flows.sandbox_link import START
from flows.wiring import open_app
from platforms.sandbox.server import start
from tests.audiences.databases import _sibling, empty_postgresql, postgresql_server  # noqa: F401
from tests.flows.kept_workspace import in_ledger, truly_on

SEGMENTS, COMPANIES, WIDTH = 200, 240, 40
ROOT = Path(__file__).parents[2]


def write(folder: Path, url: str) -> None:
    """200 segments, each of the companies whose head-count lies in a window of its own."""
    folder.mkdir()
    lines = ["name,domain,country,employees"]
    lines += [f"Company {i:04} Works,company{i:04}-works.com,US,{100 + i}" for i in range(COMPANIES)]
    (folder / "companies.csv").write_text("\n".join(lines) + "\n")
    segments = [
        f"  window-{i:03}: {{where: {{field: employees, between: [{100 + i}, {100 + i + WIDTH - 1}]}}, "
        "sync: {linkedin: [companies]}}"
        for i in range(SEGMENTS)
    ]
    (folder / "evenreach.yaml").write_text(
        f"workspace: Many\ndatabase: '{url}'\n"
        "sandbox: {starts: 2026-08-24}\n"
        'platforms: {linkedin: {mode: sandbox, ad_account: "500000001"}}\n'
        "sources: {companies: [{file: companies.csv, layout: companies}]}\n"
        "segments:\n" + "\n".join(segments) + "\n"
    )


def wanted(list_id: str) -> set[str]:
    """Whom a list should hold, from the rule's words alone."""
    first = int(list_id.split("/")[1].removeprefix("window-"))
    return {f"company{i:04}-works.com" for i in range(first, min(first + WIDTH, COMPANIES))}


def _started(folder: Path, number: int, log: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.flows.sync_worker", str(folder), str(number)]
    with log.open("wb") as stream:
        return subprocess.Popen(command, cwd=ROOT, stdout=stream, stderr=subprocess.STDOUT)


@pytest.mark.slow  # 200 lists by three processes; a minute on a quiet machine
def test_three_workers_and_a_kill_leave_200_lists_right_and_each_sent_once(
    tmp_path: Path,
    postgresql_server: str,  # noqa: F811
    empty_postgresql: str,  # noqa: F811
) -> None:
    from tests.audiences.databases import _run

    _run(postgresql_server, f"CREATE DATABASE workers TEMPLATE {empty_postgresql}")
    folder = tmp_path / "workspace"
    write(folder, _sibling(postgresql_server, "workers"))
    with (
        start(port=0, clock="simulated", start_at=START, state_dir=folder / "sandbox"),
        open_app(folder) as app,
    ):
        load(app)
        logs = [tmp_path / f"worker-{n}.log" for n in range(3)]
        workers = [_started(folder, n, log) for n, log in enumerate(logs)]
        try:
            until = time.monotonic() + 300
            while logs[0].read_text().count("linkedin/") < 5 and time.monotonic() < until:
                time.sleep(0.5)
            os.kill(workers[0].pid, signal.SIGKILL)
            ends = [worker.wait(timeout=300) for worker in workers]
        finally:
            for worker in workers:
                worker.kill()
                worker.wait()
        said = [log.read_text() for log in logs]
        assert ends == [-signal.SIGKILL, 0, 0], said
        done = Counter(line for text in said for line in text.splitlines() if line.startswith("linkedin/"))
        assert all(text.count("linkedin/") >= 5 for text in said)  # all three had a share of the work
        assert said[0].count("linkedin/") < SEGMENTS // 2  # it was killed midway
        lists = [record.spec.audience_id for record in app.store.audiences()]
        assert len(lists) == SEGMENTS
        assert app.sandbox is not None
        assert app.sandbox.get("/sandbox/truth/state")["segments"] == SEGMENTS  # no list twice
        app.sleep(3 * 86_400.0)
        tries = Counter[str]()
        for list_id in lists:
            assert truly_on(app, list_id) == in_ledger(app, list_id) == wanted(list_id)
            (batch,) = app.store.batch_log(list_id)
            tries[list_id] = batch.attempts
        assert sum(tries.values()) <= SEGMENTS + 1  # only what the killed one had in hand went out again
        assert max(done.values()) == 1
        assert len(done) >= SEGMENTS - 1
