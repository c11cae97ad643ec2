"""Visitors of the page without a browser: they keep cookies and send forms back with their token."""

from __future__ import annotations

import re
import socket
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from fastapi.routing import APIRoute

with warnings.catch_warnings():
    # it warns at import that httpx is going to be replaced; the pinned versions still work together
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

SECRET = b"0123456789abcdef0123456789abcdef"
ELSEWHERE = ("203.0.113.7", 50000)
PASSWORD = "correct horse battery"


class Visit:
    """A browser without a browser: keeps cookies and sends forms back with their token."""

    def __init__(self, client: TestClient, *, token: str = ""):
        self.client, self.known = client, token

    def get(self, path: str, **more: Any) -> Any:
        return self.client.get(path, follow_redirects=False, **more)

    def token(self, path: str = "/sign-in") -> str:
        if self.known:
            return self.known
        found = re.search(r'name="token" value="([^"]+)"', self.client.get(path).text)
        return found.group(1) if found else ""

    def post(
        self, path: str, fields: dict[str, Any] | None = None, *, token: str | None = None, **more: Any
    ) -> Any:
        """Send a form with a valid token unless another is given."""
        held = self.token("/push") or self.token() if token is None else token
        return self.client.post(path, data={"token": held, **(fields or {})}, follow_redirects=False, **more)


def routes_of(app: Any) -> list[APIRoute]:
    """Every route of an app in the order it is asked, those of included routers among them."""
    found: list[APIRoute] = []
    for route in app.routes:
        inside = getattr(route, "original_router", None)  # FastAPI keeps an included router as one entry
        found += routes_of(inside) if inside is not None else [route] if isinstance(route, APIRoute) else []
    return found


@contextmanager
def served(app: Any) -> Iterator[str]:
    """Run an app on a free loopback port in a thread; gives its address and stops it afterwards."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="error", lifespan="off", proxy_headers=False)
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        running.should_exit = True
        thread.join(timeout=10)
        listener.close()


__all__ = ["ELSEWHERE", "PASSWORD", "SECRET", "TestClient", "Visit", "routes_of", "served"]
