"""Prefect's server as a child that cannot outlive us. Knows no flow.

Prefect's own temporary server stays behind when its parent is killed outright;
ours watches a pipe from the parent and leaves when the pipe closes. Starting it
early lets the ten seconds it needs pass while files are read.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.settings import (
    on_this_machine,
    prefect_server_configured,
    prefect_server_url,
    prepare_prefect,
    require_server_password,
    server_environment,
    use_prefect_server,
)

START_SECONDS = 180.0
_ASK_AGAIN_SECONDS = 20.0
_BARE = {"PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"}


class EngineError(Exception):
    """Prefect's server did not come up."""

    retryable = True
    remedy = "Run the command again; if it happens again, look at prefect/server.log in the workspace."


class EngineUnreachable(EngineError):
    """The Prefect server that the environment names does not answer."""

    remedy = (
        "Start that server and run the command again, or unset PREFECT_API_URL: evenreach serve then starts one of "
        "its own. Lists can be synced meanwhile: evenreach sync needs no Prefect."
    )


class EngineLost(EngineError):
    """Prefect's server ended while it was needed."""

    remedy = (
        "Run the command again; what was cut off is finished by the next run. prefect/server.log may say why."
    )


class PortTaken(EngineError):
    """Another program listens where one of ours should."""

    retryable = False
    remedy = "Stop the other program (another evenreach serve?), or choose another port; see --help."


@contextmanager
def prefect_server(
    home: Path, *, port: int = 0, ui: bool = False, host: str = "127.0.0.1"
) -> Iterator[Callable[[], None]]:
    """Start a Prefect server unless the environment names one; yields ``wait until healthy``.

    port  0 takes a free one;  ui  serve Prefect's pages too, and run its schedules;  host  any address but
    loopback needs PREFECT_SERVER_API_AUTH_STRING

    Raises PasswordMissing without that, PortTaken, from the wait EngineUnreachable, or EngineError when the
    server ends or is not healthy after 180 s, and EngineLost when it ends later.
    """
    prepare_prefect(home)
    if prefect_server_configured():
        yield reach_prefect
        return
    require_server_password(host)
    port = port or _free_port()
    refuse_taken(host, port, "Prefect's server")
    url = f"http://{host if on_this_machine(host) else '127.0.0.1'}:{port}/api"
    ending, lost = threading.Event(), threading.Event()
    with _child(home, host, port, ui=ui) as child:
        use_prefect_server(url, authorities=_one_authority(home))

        def wait() -> None:
            _wait(child, url)
            threading.Thread(target=_watch, args=(child, ending, lost), daemon=True).start()

        try:
            yield wait
        except (KeyboardInterrupt, EngineUnreachable):
            if not lost.is_set():
                raise
        finally:
            ending.set()
    if lost.is_set():
        raise EngineLost(f"Prefect's server ended with code {child.returncode}")


@contextmanager
def _child(home: Path, host: str, port: int, *, ui: bool) -> Iterator[subprocess.Popen[bytes]]:
    """The server's process, ended with the block."""
    file = os.open(home / "server.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(file, "ab") as log:
        child = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "flows.engine", host, str(port)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=server_environment(**({"PREFECT_SERVER_UI_API_URL": "/api"} if ui else _BARE)),
        )
        try:
            yield child
        finally:
            child.terminate()
            try:
                child.wait(timeout=10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            if child.stdin is not None:
                child.stdin.close()


def _watch(child: subprocess.Popen[bytes], ending: threading.Event, lost: threading.Event) -> None:
    """Stop whatever runs when the server is gone: without it nothing would ever be scheduled, silently."""
    child.wait()
    while not ending.is_set():
        lost.set()
        os.kill(os.getpid(), signal.SIGINT)
        ending.wait(_ASK_AGAIN_SECONDS)  # an interrupt that falls into a destructor is dropped


def reach_prefect(*, seconds: float = 10.0) -> None:
    """Raises EngineUnreachable unless the server that the environment names answers within ``seconds``."""
    import httpx

    url, until = prefect_server_url(), time.monotonic() + seconds
    with httpx.Client(timeout=2, trust_env=False) as client:
        while True:
            try:
                client.get(f"{url}/health")
                return
            except (httpx.HTTPError, httpx.InvalidURL):
                if time.monotonic() > until:
                    raise EngineUnreachable(f"Prefect's server at {url} does not answer") from None
                time.sleep(0.2)


def _wait(child: subprocess.Popen[bytes], url: str) -> None:
    import httpx

    until = time.monotonic() + START_SECONDS
    with httpx.Client(timeout=2, trust_env=False, verify=False) as client:  # noqa: S501 - plain loopback
        while time.monotonic() < until:
            if child.poll() is not None:
                raise EngineError(f"Prefect's server ended with code {child.returncode}")
            try:
                if client.get(f"{url}/health").is_success:
                    return
            except httpx.HTTPError:
                time.sleep(0.1)
    raise EngineError(f"Prefect's server was not healthy after {START_SECONDS:.0f} s")


def _one_authority(home: Path) -> Path:
    """A file with a single certificate authority: a client must load one, and loopback checks none."""
    import certifi

    end = "-----END CERTIFICATE-----\n"
    first = Path(certifi.where()).read_text(encoding="utf-8").partition(end)[0] + end
    path = home / "authority.pem"
    path.write_text(first, encoding="utf-8")
    return path


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def refuse_taken(host: str, port: int, what: str) -> None:
    """Raises PortTaken when somebody listens there already, or nobody may."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(f"{what} cannot listen on {host}:{port} ({error.strerror})") from None


def _leave_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1):  # a buffered read would break off a server that ends by itself
        pass
    os._exit(0)


def _serve(host: str, port: int) -> None:
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    os.umask(0o077)  # Prefect's database and logs are for their owner alone
    import uvicorn
    from prefect.server.api.server import create_app

    uvicorn.run(create_app, factory=True, host=host, port=port, log_level="error", lifespan="on")


if __name__ == "__main__":
    _serve(sys.argv[1], int(sys.argv[2]))
