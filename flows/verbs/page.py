"""``evenreach page`` and ``evenreach serve``: the page alone, or with Prefect and the schedules beside it."""

from __future__ import annotations

import argparse
import getpass
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from flows.verbs.outcome import DONE, show
from flows.verbs.workspace import opened

if TYPE_CHECKING:
    from flows.serve import PageOptions


def run(arguments: argparse.Namespace) -> int:
    """Open the page, or add an account to it."""
    from flows.engine import refuse_taken
    from flows.serve import page_server

    with opened(arguments) as app:
        if arguments.add_user:
            return _add_user(arguments, app.workspace)
        refuse_taken(arguments.host, arguments.port, "the page")
        server = page_server(app, _options(arguments))
        _say(arguments, {"page": _options(arguments).address})
        server.run()
    return DONE


def serve(arguments: argparse.Namespace) -> int:
    """Prefect's server with its UI, the schedules of evenreach.yaml, and the page, until stopped."""
    from flows.engine import prefect_server, refuse_taken
    from flows.serve import page_beside, page_server, serve_pool, serve_schedules
    from flows.settings import prefect_server_url
    from flows.stopping import Stop

    options = _options(arguments)
    with opened(arguments) as app, suppress(KeyboardInterrupt):
        refuse_taken(options.host, options.port, "the page")
        for number in (signal.SIGINT, signal.SIGTERM):  # started in the background, SIGINT would be ignored
            signal.signal(number, signal.default_int_handler)
        home, host, stop = app.workspace / "prefect", arguments.prefect_host, Stop(seconds=30.0)
        with prefect_server(home, port=arguments.prefect_port, ui=True, host=host) as wait:
            wait()
            ui = prefect_server_url().removesuffix("/api")
            stop.heed_signals()
            with page_beside(page_server(app, options, prefect_ui=ui)):
                _say(arguments, {"page": options.address, "prefect": ui})
                if arguments.pool:
                    serve_pool(app, arguments.pool, stop)
                else:
                    serve_schedules(app, stop)
    return DONE


def _options(arguments: argparse.Namespace) -> PageOptions:
    from flows.serve import PageOptions

    return PageOptions(
        host=arguments.host,
        port=arguments.port,
        names=tuple(arguments.name or ()),
        certificate=arguments.certificate,
        key=arguments.key,
        behind_proxy=arguments.behind_proxy,
        proxy_header=arguments.proxy_header,
        trusted_proxies=tuple(arguments.trusted_proxy or ()),
        write_edits=arguments.write_edits,
    )


def _say(arguments: argparse.Namespace, addresses: dict[str, str]) -> None:
    lines = [f"The {name if name == 'page' else 'Prefect UI'}: {url}" for name, url in addresses.items()]
    show(arguments, addresses, lambda: "\n".join([*lines, "Stop with Ctrl-C."]))
    sys.stdout.flush()


def _add_user(arguments: argparse.Namespace, workspace: Path) -> int:
    from flows.page_users import add_user

    typed = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    add_user(workspace, arguments.add_user, arguments.role, typed)
    added = {"user": arguments.add_user, "role": arguments.role}
    show(arguments, added, lambda: f"{arguments.add_user} may sign in as {arguments.role}.")
    return DONE
