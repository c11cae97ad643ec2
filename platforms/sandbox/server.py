"""The sandbox on a loopback port: ASGI in, engine, ASGI out. It must never listen anywhere else.

One process owns a state folder. Killed at any moment and started again on the same folder, the sandbox
comes back with the same lists, campaigns and deliveries.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import formatdate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platforms.sandbox.clock import to_ms
from platforms.sandbox.control_client import Control
from platforms.sandbox.engine import Engine
from platforms.sandbox.knobs import Knobs
from platforms.sandbox.wire import Answer

if TYPE_CHECKING:
    import uvicorn

BANNER = {"x-evenreach-sandbox": "SANDBOX"}
LOOPBACK = "127.0.0.1"
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class NotLoopback(ValueError):
    """The sandbox has no security of its own, so it listens on this machine alone."""

    retryable = False
    remedy = "Use 127.0.0.1 or ::1."


class App:
    """ASGI application around one engine. Calls are answered one at a time, in order of arrival."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = await _read(receive)
        if body is None:
            return
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
        path = (scope.get("raw_path") or scope["path"].encode()).decode("ascii", "replace").partition("?")[0]
        query = scope["query_string"].decode("ascii", "replace")
        reply = self.engine.call(scope["method"], path, query, headers, body)
        if reply.delay:
            await asyncio.sleep(reply.delay)
        if reply.lost:
            await _lose(send)
        answer = reply.answer
        named = headers_of(answer, self.engine.world.now)
        raw = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in named.items()]
        if answer.status != 204:
            raw.append((b"content-length", str(len(answer.body)).encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": raw})
        await send({"type": "http.response.body", "body": answer.body})


def headers_of(answer: Answer, now: int) -> dict[str, str]:
    """An answer's own headers, the banner, the sandbox's time, and the trace headers LinkedIn's support asks for."""
    trace = {"x-li-uuid": f"sandbox-{now}", "x-li-fabric": "sandbox", "x-restli-protocol-version": "2.0.0"}
    return {**trace, "date": formatdate(now // 1000, usegmt=True), **answer.headers, **BANNER}


async def _lose(send: Send) -> None:
    """Promise a body and hang up: uvicorn closes a connection whose answer breaks off, and only then."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})
    raise ConnectionAbortedError("the reply is lost on purpose")


async def _read(receive: Receive) -> bytes | None:
    """The whole body; None where the caller hung up before its end: half a request was never asked for."""
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            break
    return b"".join(parts)


class Running:
    """A sandbox in a daemon thread of this process."""

    def __init__(self, app: App, listener: socket.socket) -> None:
        self.engine = app.engine
        self.url = f"http://{LOOPBACK}:{listener.getsockname()[1]}"
        self.control = Control(self.url)
        self._server = _uvicorn(app)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="sandbox", daemon=True
        )
        self._thread.start()
        self._listener = listener
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.005)
        if not self._server.started:
            raise RuntimeError("the sandbox's server ended before it was ready")
        self.engine.journal.publish(self.url)

    def stop(self) -> None:
        """Stop serving and let go of the state folder. Safe to call twice."""
        self._server.should_exit = True
        self._thread.join(timeout=10)
        self._listener.close()
        self.control.close()
        self.engine.close()

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def open_engine(
    *,
    clock: str = "simulated",
    start_at: datetime | None = None,
    state_dir: Path | None = None,
    seed: int = 1,
    knobs: Knobs | None = None,
) -> Engine:
    """The sandbox without a port.

    A folder that already holds a journal brings its own seed, clock mode and time; ``start_at`` and
    ``seed`` then count for nothing, ``knobs`` (if given) are applied as a change.

    Raises:
        StateDirBusy: another process owns ``state_dir``.
    """
    begin = start_at or datetime.now(tz=UTC)
    if begin.tzinfo is None:
        raise ValueError("start_at needs a time zone")
    return Engine(mode=clock, start=to_ms(begin), folder=state_dir, seed=seed, knobs=knobs)


def start(
    *,
    port: int = 0,
    clock: str = "simulated",
    start_at: datetime | None = None,
    state_dir: Path | None = None,
    seed: int = 1,
    knobs: Knobs | None = None,
) -> Running:
    """Serve in a daemon thread; ``port`` 0 takes a free one. See ``open_engine`` for the rest."""
    engine = open_engine(clock=clock, start_at=start_at, state_dir=state_dir, seed=seed, knobs=knobs)
    try:
        return Running(App(engine), _listen(LOOPBACK, port))
    except BaseException:
        engine.close()
        raise


def serve(
    *,
    host: str = LOOPBACK,
    port: int = 8640,
    clock: str = "simulated",
    start_at: datetime | None = None,
    state_dir: Path | None = None,
    seed: int = 1,
    knobs: Knobs | None = None,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Serve in the foreground until interrupted; ``ready`` is told the address first.

    Raises:
        NotLoopback: ``host`` is not this machine.
    """
    listener = _listen(host, port)
    engine = open_engine(clock=clock, start_at=start_at, state_dir=state_dir, seed=seed, knobs=knobs)
    url = f"http://{host}:{listener.getsockname()[1]}"
    engine.journal.publish(url)
    if ready is not None:
        ready(url)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            _uvicorn(App(engine)).run(sockets=[listener])
    finally:
        listener.close()
        engine.close()


def _listen(host: str, port: int) -> socket.socket:
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    if not loopback:
        raise NotLoopback(f"the sandbox does not listen on {host}. {NotLoopback.remedy}")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches Nagle's delay (40 ms an answer) off only where the protocol is named.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def _uvicorn(app: App) -> uvicorn.Server:
    import uvicorn

    config = uvicorn.Config(
        app,
        log_level="critical",
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        date_header=False,  # the sandbox's own clock is told instead
        timeout_keep_alive=60,
    )
    return uvicorn.Server(config)
