"""A workspace on PostgreSQL, Prefect's own server, and a worker process of its pool. Everything real but the platforms.

Every person in it is marked, so that a test can look for them wherever something is kept.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from flows.sandbox_link import START
from flows.wiring import App, open_app
from platforms.sandbox.server import start
from tests.flows.free_ports import free_port

ROOT = Path(__file__).parents[2]
COMPANIES, PEOPLE, GUESTS = 120, 240, 30
POOL, CAMPAIGN, SIGN_IN = "machines", "600000001", "team:a-password"
CONFIG = f"""
workspace: Pooled
database: 'DATABASE'
timezone: Europe/Berlin
platforms:
  linkedin: {{mode: sandbox, ad_account: "500000001"}}
  google: {{mode: sandbox, customer: "1234567890"}}
sources:
  companies: [{{file: companies.csv, layout: companies}}]
  contacts: [{{file: contacts.csv, layout: contacts, first_party: true, consent: granted, default_country: US}}]
segments:
  everyone:
    where: {{field: employees, at_least: 10}}
    sync: {{linkedin: [companies], google: [contacts]}}
    balance: {{campaign: "{CAMPAIGN}", policy: chosen}}
policies:
  chosen: {{mode: bands, ramp: fast}}
sync: {{schedule: "30 3 * * *", collect: "0 6 * * *", balance: "0 7 * * 1-5"}}
"""


def marked(i: int, *, guest: bool = False) -> dict[str, str]:
    """One invented person, each value of whom occurs nowhere else."""
    kind = "guest" if guest else "staff"
    return {
        "email": f"zyx{kind}{i:03}@company{i % COMPANIES:03}-works.com",
        "first name": f"Zyxgiven{kind}{i:03}",
        "last name": f"Zyxfamily{kind}{i:03}",
        "phone": f"+1415{'777' if guest else '666'}{i:04}",
        "consent": "granted",
    }


def marks() -> list[str]:
    """What must be found nowhere, in lower case."""
    people = [marked(i) for i in range(PEOPLE)] + [marked(i, guest=True) for i in range(GUESTS)]
    values = [one[key] for one in people for key in ("email", "phone")] + [
        "zyxgiven",
        "zyxfamily",
        "zyxbroken",
    ]
    return [value.lower().lstrip("+") for value in values]


def write(folder: Path, database: str) -> None:
    """Settings and sources; the last rows of each file of people are broken, with a mark in what is broken."""
    (folder / "inbox").mkdir(parents=True)
    (folder / "evenreach.yaml").write_text(CONFIG.replace("DATABASE", database))
    lines = ["name,domain,country,employees"]
    lines += [f"Company {i:03} Works,company{i:03}-works.com,US,{20 + i}" for i in range(COMPANIES)]
    (folder / "companies.csv").write_text("\n".join(lines) + "\n")
    broken = "zyxbroken@@nowhere,Zyxgivenbroken,Zyxfamilybroken,zyxbroken-phone,granted"
    for file, people in (
        ("contacts.csv", [marked(i) for i in range(PEOPLE)]),
        ("inbox/fair.csv", [marked(i, guest=True) for i in range(GUESTS)]),
    ):
        rows = [",".join(people[0]), *(",".join(one.values()) for one in people), broken]
        (folder / file).write_text("\n".join(rows) + "\n")


class Patient(httpx.Client):
    """Asks again while Prefect's server says that its SQLite is busy, as Prefect's own clients do."""

    def request(self, *given: Any, **how: Any) -> httpx.Response:
        for _ in range(120):
            answer = super().request(*given, **how)
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            time.sleep(0.5)
        return answer


@dataclass
class World:
    """A running pool, and the ways a test works it."""

    folder: Path
    server: str
    client: httpx.Client
    worker: subprocess.Popen[bytes]
    outside: Path  # what the programs beside the workspace wrote

    def post(self, path: str, body: dict[str, Any]) -> Any:
        return self.client.post(path, json=body).raise_for_status().json()

    def run(self, deployment: str, **parameters: object) -> str:
        """Ask for a run, as Prefect's page does; its id."""
        found = self.client.get(f"/deployments/name/{deployment}").raise_for_status().json()
        made = self.post(f"/deployments/{found['id']}/create_flow_run", {"parameters": parameters})
        return str(made["id"])

    def ended(self, run: str, *, seconds: float = 240.0) -> dict[str, Any]:
        """The run once it has come to an end."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found: dict[str, Any] = self.client.get(f"/flow_runs/{run}").raise_for_status().json()
            if found["state_type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED"):
                return found
            time.sleep(0.2)
        raise AssertionError(f"the run did not end; {(self.outside / 'worker.log').read_text()[-2000:]}")

    def completed(self, *runs: str) -> list[dict[str, Any]]:
        found = [self.ended(run) for run in runs]
        log = (self.outside / "worker.log").read_text()[-3000:]
        assert [one["state_type"] for one in found] == ["COMPLETED"] * len(runs), log
        return found

    def registered(self) -> None:
        """Wait until the deployments are there."""
        until = time.monotonic() + 240
        while (found := len(self.post("/deployments/filter", {}))) < 6 and time.monotonic() < until:
            time.sleep(0.2)
        assert found >= 6, (self.outside / "serve.log").read_text()

    def artifact(self, key: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client.get(f"/artifacts/{key}/latest").raise_for_status().json()
        return found

    @contextmanager
    def opened(self) -> Iterator[App]:
        with open_app(self.folder) as app:
            yield app

    def forward(self, *, days: float) -> None:
        with self.opened() as app:
            assert app.sandbox is not None
            app.sandbox.advance_to(app.now() + timedelta(days=days))


@contextmanager
def pool(room: Path, database: str) -> Iterator[World]:
    """As the guide says: one machine serves, with a sign-in, and a worker runs three flows at once."""
    folder, page, prefect = room / "workspace", free_port(), free_port()
    write(folder, database)
    where = ("--pool", POOL, "--workspace", str(folder))
    ports = ("--port", str(page), "--prefect-port", str(prefect))
    server = f"http://127.0.0.1:{prefect}/api"
    with (
        start(port=0, clock="simulated", start_at=START, state_dir=folder / "sandbox"),
        started(("serve", *ports, *where), room / "serve.log", PREFECT_SERVER_API_AUTH_STRING=SIGN_IN),
        Patient(base_url=server, timeout=120, trust_env=False, auth=tuple(SIGN_IN.split(":"))) as client,
    ):
        told(room / "serve.log", "Stop with")
        signed = {"PREFECT_API_URL": server, "PREFECT_API_AUTH_STRING": SIGN_IN} | {
            "PREFECT_WORKER_QUERY_SECONDS": "2"
        }
        with started(("worker", "--limit", "3", *where), room / "worker.log", **signed) as worker:
            world = World(folder, server, client, worker, room)
            world.registered()
            yield world


def told(log: Path, words: str, *, seconds: float = 240.0) -> None:
    """Wait until a program has said something."""
    until = time.monotonic() + seconds
    while words not in log.read_text() and time.monotonic() < until:
        time.sleep(0.1)
    assert words in log.read_text(), log.read_text()


@contextmanager
def started(words: tuple[str, ...], log: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """``evenreach`` in the background, with nothing of Prefect's in its environment but what is given.

    Ended as a supervisor would.
    """
    line = [sys.executable, "-m", "flows.cli", *words]
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    with log.open("wb") as said:
        process = subprocess.Popen(
            line, cwd=ROOT, env=plain | environment, stdout=said, stderr=said, start_new_session=True
        )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):  # it has ended by itself
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
