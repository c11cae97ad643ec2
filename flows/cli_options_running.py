"""The options of the commands that run, watch and copy a workspace: one function per command. Does no work.

Only argparse and plain words here: this module is imported by every ``--help``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from flows.cli_options import count, port


def check(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--offline", action="store_true", help="configuration and data only, no platform is called"
    )


def connect(command: argparse.ArgumentParser) -> None:
    command.add_argument("platform", choices=["linkedin", "google"])
    command.add_argument(
        "--port", type=port, default=8322, help="loopback port of the callback (default 8322)"
    )
    command.add_argument(
        "--redirect-uri", metavar="URL", help="callback registered with your app, if another"
    )
    command.add_argument("--no-browser", action="store_true", help="only print the address to open")


def alerts(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "action",
        nargs="?",
        choices=["show", "digest", "trial"],
        default="show",
        help="send a digest or a trial",
    )


def listen(command: argparse.ArgumentParser) -> None:
    command.add_argument("--host", default="127.0.0.1", help="any other address needs accounts and https")
    command.add_argument("--port", type=port, default=8000)
    command.add_argument("--name", action="append", help="host name a public page answers to (repeatable)")
    command.add_argument("--certificate", type=Path, metavar="PEM", help="serve https with this certificate")
    command.add_argument("--key", type=Path, metavar="PEM", help="the certificate's key")
    command.add_argument("--behind-proxy", action="store_true", help="a proxy in front speaks https")
    command.add_argument(
        "--proxy-header",
        default="",
        metavar="NAME",
        help="header in which the proxy names who signed in there",
    )
    command.add_argument(
        "--trusted-proxy",
        action="append",
        metavar="ADDRESS",
        help="address or network the header is believed from (repeatable)",
    )
    command.add_argument(
        "--write-edits", action="store_true", help="approvers may write segment changes into evenreach.yaml"
    )


def page(command: argparse.ArgumentParser) -> None:
    listen(command)
    command.add_argument("--add-user", metavar="NAME", help="add an account; the password is read from stdin")
    command.add_argument("--role", choices=["viewer", "operator", "approver"], default="viewer")


def serve(command: argparse.ArgumentParser) -> None:
    listen(command)
    command.add_argument("--prefect-port", type=port, default=4200, help="Prefect's server (default 4200)")
    command.add_argument(
        "--pool", help="hand the schedules to workers of this work pool instead of running them here"
    )
    command.add_argument(
        "--prefect-host",
        default="127.0.0.1",
        help="for workers on other machines; any address but loopback needs PREFECT_SERVER_API_AUTH_STRING",
    )


def backup(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "file", type=Path, help="a file that does not exist yet, e.g. evenreach-2026-11-22.tar.gz"
    )
    command.add_argument("--with-tokens", action="store_true", help="put the sign-ins in as well")
    command.add_argument("--without-record", action="store_true", help="leave out the database")


def restore_backup(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "file", type=Path, help="written by evenreach backup; --workspace names the new folder"
    )
    command.add_argument(
        "--database",
        metavar="URL",
        help="an empty database for the record (default: the one its settings name)",
    )


def audit(command: argparse.ArgumentParser) -> None:
    command.add_argument("--subject", help="only lines about this list, campaign, segment or platform")
    command.add_argument("--last", type=count, default=50, metavar="N", help="how many (default 50)")


def deploy(command: argparse.ArgumentParser) -> None:
    command.add_argument("--pool", default="evenreach", help="name of the work pool (default evenreach)")


def worker(command: argparse.ArgumentParser) -> None:
    deploy(command)
    command.add_argument(
        "--limit", type=count, default=2, metavar="N", help="runs at once on this machine (default 2)"
    )
