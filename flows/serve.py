"""The page on a port, and the schedules that run beside it. It decides nothing the page shows.

The page leaves loopback only with accounts and https; Prefect's own server only with its sign-in.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from flows.settings import on_this_machine
from flows.wiring import App, WorkspaceError

if TYPE_CHECKING:
    import uvicorn

    from flows.stopping import Stop
    from flows.web.access import Access


@dataclass(frozen=True, slots=True)
class PageOptions:
    """Where the page listens and what it may do.

    names         host names it answers to when it is public; empty = any
    certificate   PEM files for https; without them a public page needs ``behind_proxy``
    behind_proxy  a reverse proxy in front of it speaks https
    proxy_header, trusted_proxies  the header in which it names who signed in there, and where it is believed from
    write_edits   proposed changes of segments may be written into evenreach.yaml
    """

    host: str = "127.0.0.1"
    port: int = 8000
    names: tuple[str, ...] = ()
    certificate: Path | None = None
    key: Path | None = None
    behind_proxy: bool = False
    proxy_header: str = ""
    trusted_proxies: tuple[str, ...] = ()
    write_edits: bool = False

    @property
    def public(self) -> bool:
        """Whether anybody but this machine can reach it."""
        if self.behind_proxy:
            return True
        return not on_this_machine(self.host)

    @property
    def address(self) -> str:
        scheme = "https" if self.certificate else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}"


def access_for(app: App, options: PageOptions, now: Callable[[], datetime]) -> Access:
    """Who may use the page. Raises WorkspaceError for a page beyond loopback without accounts or https."""
    from flows.page_users import Accounts, page_secret
    from flows.web.access import Access

    users = Accounts(app.workspace) if options.public else {}
    if options.proxy_header and not (options.behind_proxy and options.trusted_proxies):
        raise WorkspaceError("--proxy-header needs --behind-proxy and the proxy's address in --trusted-proxy")
    if options.public and not users and not options.proxy_header:
        raise WorkspaceError(
            "a page that other machines can reach needs accounts; add one with "
            "`evenreach page --add-user NAME --role approver`"
        )
    if options.public and not (options.certificate or options.behind_proxy):
        raise WorkspaceError(
            "a page that other machines can reach needs https: give --certificate and --key, "
            "or --behind-proxy when a proxy in front of it speaks https"
        )
    return Access(
        page_secret(app.workspace),
        public=options.public,
        users=users,
        proxy_header=options.proxy_header,
        trusted_proxies=options.trusted_proxies,
        hosts=frozenset(name.lower() for name in options.names),
        secure=options.public,
        loopback_name=app.who,
        now=now,
        zone=app.config.zone,
    )


def page_server(app: App, options: PageOptions, *, prefect_ui: str = "") -> uvicorn.Server:
    """The page as a server that has not been started."""
    import uvicorn

    from flows.page import page_app, page_service

    page = page_service(app, may_write=options.write_edits, prefect_ui=prefect_ui)
    app.closing.insert(0, lambda: page.workers.wait(5.0))  # they read the record, which closes after this
    config = uvicorn.Config(
        page_app(page, access=access_for(app, options, page.clock)),
        host=options.host,
        port=options.port,
        proxy_headers=False,  # forwarded addresses are judged by the page itself
        log_level="warning",
        ssl_certfile=options.certificate,
        ssl_keyfile=options.key,
    )
    return uvicorn.Server(config)


@contextmanager
def page_beside(server: uvicorn.Server) -> Iterator[None]:
    """Run the page in a thread for as long as the block lasts, which begins when the page answers."""
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.run, name="page", daemon=True)
    thread.start()
    while thread.is_alive() and not server.started:
        time.sleep(0.05)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(10)


def serve_schedules(app: App, stop: Stop, *, at_once: int = 2) -> None:
    """Register every deployment and run what is due, until somebody asks to stop.

    What fell due while nothing ran is made up for at the next start. A Prefect server elsewhere may be away for some
    minutes; then raises EngineUnreachable.
    """
    from prefect import aserve

    from flows.engine import reach_prefect
    from flows.quota_runs import ensure_limits
    from flows.schedules import deployments

    async def serve() -> None:
        await asyncio.to_thread(ensure_limits, app.config)
        served = await asyncio.to_thread(deployments, app.config, app.workspace)
        await aserve(*served, limit=at_once, print_starting_message=False, pause_on_shutdown=False)

    try:
        stop.run(serve)
    except Exception:  # whatever Prefect's runner makes of a server that is gone
        reach_prefect(seconds=0.0)
        raise


def serve_pool(app: App, pool: str, stop: Stop) -> None:
    """Register every deployment with a work pool and wait until somebody asks to stop; workers run what is due.

    Raises WorkspaceError as ``flows.pool.register`` does.
    """
    from flows.pool import register

    async def serve() -> None:
        await asyncio.to_thread(register, app, pool)
        await asyncio.Event().wait()

    stop.run(serve)
