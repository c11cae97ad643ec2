"""The sandbox a workspace uses: join the one that runs, or run it for as long as this process needs it.

Its clock is the workspace's clock. Nothing here may speak for a real platform.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx

START = datetime(2026, 8, 24, 6, 0, tzinfo=UTC)  # a Monday: where the demo and the tests begin


@dataclass
class SandboxLink:
    """A sandbox on loopback and its control calls."""

    url: str
    client: httpx.Client
    stop: Callable[[], None]
    clock: Callable[[], datetime] | None = None  # read directly where the sandbox runs in this process

    def now(self) -> datetime:
        if self.clock is not None:
            return self.clock()
        return datetime.fromisoformat(str(self.get("/sandbox/clock")["now"]))

    def sleep(self, seconds: float) -> None:
        """On a simulated clock waiting is moving the clock."""
        self.post("/sandbox/clock/advance", {"seconds": seconds})

    def advance_to(self, moment: datetime) -> None:
        if moment > self.now():
            self.post("/sandbox/clock/advance", {"to": moment.isoformat()})

    def get(self, path: str, **params: str) -> Any:
        return self.client.get(path, params=params).raise_for_status().json()

    def post(self, path: str, body: Any) -> Any:
        return self.client.post(path, json=body).raise_for_status().json()

    def close(self) -> None:
        self.client.close()
        self.stop()


def link_sandbox(state_dir: Path, starts: date | None = None) -> SandboxLink:
    """Join the sandbox that owns ``state_dir``, or start it in this process.

    A new one goes with the wall clock, and waiting moves it ahead; with ``starts`` only waiting moves it.
    """
    running = _joined(state_dir)
    if running is not None:
        return running
    from platforms.sandbox.server import start

    begin = None if starts is None else datetime.combine(starts, START.timetz())
    server = start(port=0, clock="simulated" if begin else "real", start_at=begin, state_dir=state_dir)

    def clock() -> datetime:
        return datetime.fromtimestamp(server.engine.clock.now() / 1000, UTC)

    return SandboxLink(server.url, _client(server.url), server.stop, clock)


def _joined(state_dir: Path) -> SandboxLink | None:
    address = state_dir / "address"
    if not address.is_file():
        return None
    client = _client(address.read_text().strip())
    try:
        client.get("/sandbox/clock").raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL):
        client.close()
        return None
    return SandboxLink(str(client.base_url).rstrip("/"), client, lambda: None)


def _client(url: str) -> httpx.Client:
    return httpx.Client(base_url=url, timeout=120, trust_env=False)
