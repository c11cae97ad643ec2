"""Prefect's server elsewhere is killed while a run syncs: the run ends by itself, and the next sync makes every list right.

A run waits for its server to come back, so a trial takes two minutes; by hand only, by ``failing_by_hand``.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.cli import main
from flows.sandbox_link import START
from flows.wiring import open_app
from platforms.sandbox.server import start
from tests.flows import failing_lists
from tests.flows.failing_trials import UNREPEATED, Operation, calls
from tests.flows.free_ports import free_port

ROOT = Path(__file__).parents[2]
CALLS = 4  # a sync of this world on one platform asks for this many changes
RUN = """
import asyncio, sys
from flows.engine import reach_prefect
reach_prefect(seconds=300.0)
from flows.quota_runs import ensure_limits
from flows.scheduled_runs import keep_in_sync
from flows.wiring import app_for
with app_for(sys.argv[1]) as app:
    ensure_limits(app.config)
print("begun", flush=True)
asked = keep_in_sync(sys.argv[1], "everyone", sys.argv[2], mode="send", accept_shrink=1000, approved_by="maya")
asyncio.run(asked)
"""


def trials(operation: Operation, room: Path, *, kills: int, seed: int) -> str:
    """How the runs ended whose server was killed. Raises AssertionError where one hung or a list is wrong."""
    chance, ended = random.Random(seed), Counter[int]()
    for number in range(kills):
        folder = room / f"prefect-{number}"
        shutil.copytree(operation.world, folder, ignore=UNREPEATED)
        platform, moment = chance.choice(("linkedin", "google")), chance.randint(0, CALLS)
        ended[_trial(folder, platform, moment)] += 1
        shutil.rmtree(folder)
    codes = ", ".join(f"{n} with code {code}" for code, n in sorted(ended.items()))
    return f"{kills} servers killed, the runs ended: {codes}"


def _trial(folder: Path, platform: str, moment: int) -> int:
    before, log = (folder / "sandbox" / "journal.bin").stat().st_size, folder / "run.log"
    with (
        start(port=0, clock="simulated", start_at=START, state_dir=folder / "sandbox"),
        elsewhere(folder / "prefect") as (plain, server),
        log.open("wb") as said,
    ):
        run = subprocess.Popen(
            [sys.executable, "-c", RUN, str(folder), platform],
            cwd=ROOT,
            env=plain | {"PREFECT_CLIENT_MAX_RETRIES": "2"},  # five minutes of patience, else
            stdout=said,
            stderr=said,
        )
        while run.poll() is None and not _reached(folder, log, before, moment):
            time.sleep(0.005)
        server.kill()
        code = run.wait(timeout=300)
        assert code == 0 or "All connection attempts failed" in log.read_text(), log.read_text()
        assert main(["sync", "--accept-shrink", "1000", "--workspace", str(folder)]) == 0
        with open_app(folder) as app:
            failing_lists.check(app, lambda: calls(folder, after=before), failing_lists.SYNCED)
    return code


def _reached(folder: Path, log: Path, before: int, moment: int) -> bool:
    return len(calls(folder, after=before)) >= moment and b"begun" in log.read_bytes()


@contextmanager
def elsewhere(home: Path) -> Iterator[tuple[dict[str, str], subprocess.Popen[bytes]]]:
    """A Prefect server that is no child of a command: an environment that names it, and its process."""
    home.mkdir()
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    plain |= {"PREFECT_HOME": str(home), "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}
    port = free_port()
    words = [sys.executable, "-m", "flows.engine", "127.0.0.1", str(port)]
    server = subprocess.Popen(words, cwd=ROOT, env=plain, stdin=subprocess.PIPE)
    try:
        yield plain | {"PREFECT_API_URL": f"http://127.0.0.1:{port}/api"}, server
    finally:
        server.kill()
        server.wait()
        assert server.stdin is not None
        server.stdin.close()
