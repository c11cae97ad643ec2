"""Adapters on a running sandbox: its clock, its tokens, and a record of everything that was sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from platforms.google import Google, GoogleSettings
from platforms.http import make_client
from platforms.linkedin import LinkedIn, LinkedInSettings
from platforms.oauth import OAuth, RefreshGrant, Token, TokenMemory
from platforms.sandbox.server import Running, start

ACCOUNT, CUSTOMER = "516848833", "1234567890"
TOKEN, REFRESH = "sandbox-token", "sandbox-refresh-token"  # what a new sandbox accepts
SCOPES = [
    "rw_ads",
    "r_ads_reporting",
    "rw_dmp_segments",
    "rw_organization_admin",
    "https://www.googleapis.com/auth/datamanager",
    "https://www.googleapis.com/auth/adwords",
]
BEGIN = datetime(2026, 8, 24, 6, 0, tzinfo=UTC)


class Recorder(httpx.HTTPTransport):
    """The real transport, keeping method, path and JSON body of each request."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[str, str, Any]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        content = request.read()
        body = json.loads(content) if content[:1] == b"{" else None
        self.sent.append((request.method, request.url.path, body))
        return super().handle_request(request)


@dataclass
class Bench:
    """One sandbox with both adapters signed in to it."""

    server: Running
    recorder: Recorder = field(default_factory=Recorder)

    def __post_init__(self) -> None:
        self.control = self.server.control
        self._clients: list[httpx.Client] = []
        self.tokens = TokenMemory()
        self.sign_in()
        self.linkedin = LinkedIn(
            LinkedInSettings(ACCOUNT, base_url=f"{self.url}/rest", upload_hosts=("127.0.0.1",)),
            self._client("/oauth/v2/accessToken"),
            self.now,
            self.sleep,
        )
        self.google = Google(
            GoogleSettings(CUSTOMER, base_url=f"{self.url}/v1", ads_base_url=self.url, terms_accepted=True),
            self._client("/token"),
            self.now,
            self.sleep,
        )

    def uploading(self, folder: Path) -> LinkedIn:
        """The same LinkedIn, its lists sent whole as CSV and kept in ``folder``."""
        wanted = LinkedInSettings(
            ACCOUNT, base_url=f"{self.url}/rest", upload_hosts=("127.0.0.1",), upload_directory=folder
        )
        return LinkedIn(wanted, self._client("/oauth/v2/accessToken"), self.now, self.sleep)

    def now(self) -> datetime:
        """The sandbox's clock, read in this process: adapters ask often."""
        return datetime.fromtimestamp(self.server.engine.world.now / 1000, UTC)

    @property
    def url(self) -> str:
        return self.server.url

    def sign_in(self) -> None:
        """What a person does when a token was revoked: the same member consents again."""
        self.control.token(TOKEN, scopes=SCOPES)
        self.tokens.save(Token(SecretStr(TOKEN), refresh=SecretStr(REFRESH)))

    def sleep(self, seconds: float) -> None:
        self.control.advance(seconds)

    def close(self) -> None:
        for client in self._clients:
            client.close()
        self.server.stop()

    def _client(self, token_path: str) -> httpx.Client:
        auth = OAuth(
            self.tokens,
            RefreshGrant("app", SecretStr("fake")),
            self.url + token_path,
            clock=self.now,
            sleep=self.sleep,
        )
        client = make_client(self.url, auth, self.recorder)
        self._clients.append(client)
        return client


def open_bench(**knobs: Any) -> Bench:
    """A fresh sandbox on its own clock with one ad account."""
    bench = Bench(start(clock="simulated", start_at=BEGIN))
    if knobs:
        bench.control.call("POST", "/knobs", knobs)
    bench.control.seed(account=ACCOUNT, creatives=3)
    return bench


def until(done: Callable[[], bool], bench: Bench, *, step: float = 1800.0, times: int = 60) -> None:
    """Let time pass until something is so."""
    for _ in range(times):
        if done():
            return
        bench.sleep(step)
    raise AssertionError("it never came to be")
