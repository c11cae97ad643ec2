"""The command line: one verb per command. Parses words and picks a verb; does no work and imports none.

Verbs live in ``flows.verbs``; each is imported only when called, so that
``evenreach --help`` answers at once (Prefect alone takes two seconds).
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from flows import cli_options as options
from flows import cli_options_running as running

Add = Callable[[argparse.ArgumentParser], None]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Exit code: 0 done, 1 failed, 2 wrong words, 3 stopped by a brake."""
    arguments = parser().parse_args(argv)
    from flows.verbs.outcome import guarded

    return guarded(_run, arguments)


def _run(arguments: argparse.Namespace) -> int:
    """Import the verb and run it: whoever stops the program while it still starts is answered as well."""
    module, _, function = arguments.verb.partition(":")
    verb: Callable[[argparse.Namespace], int] = getattr(importlib.import_module(module), function)
    return verb(arguments)


def parser() -> argparse.ArgumentParser:
    """Every command with its options; the reference in ``docs/`` is generated from this."""
    root = argparse.ArgumentParser(
        prog="evenreach",
        description="Build B2B audiences, push them to ad platforms, spread impressions over accounts.",
        epilog="Start with: evenreach demo   (no account needed)   Every command takes --help.",
    )
    root.add_argument("--version", action="version", version=f"evenreach {_version()}")
    commands = root.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, (help_text, verb, add) in COMMANDS.items():
        command = commands.add_parser(name, help=help_text, description=help_text)
        command.set_defaults(verb=verb)
        _common(command)
        add(command)
    return root


def _version() -> str:
    from flows.controller_version import program_version

    return program_version()


def _common(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--workspace",
        type=Path,
        metavar="DIR",
        help="folder with evenreach.yaml (default: $EVENREACH_WORKSPACE or the current folder)",
    )
    command.add_argument("--json", action="store_true", help="print one JSON object on stdout")


COMMANDS: dict[str, tuple[str, str, Add]] = {
    "demo": ("Run the whole loop on the sandbox, without an account", "flows.verbs.demo:run", options.demo),
    "init": ("Write a commented evenreach.yaml to start from", "flows.verbs.setup:init", options.nothing),
    "check": ("Check configuration, data and connections", "flows.verbs.check:check", running.check),
    "map": ("Propose how a file's columns are read", "flows.verbs.setup:map_file", options.map),
    "segments": (
        "List, preview and export segments, and say how they perform",
        "flows.verbs.segments:run",
        options.segments,
    ),
    "sync": ("Bring the platforms' lists in line with the segments", "flows.verbs.lists:sync", options.sync),
    "push": ("Push a one-off list from a file", "flows.verbs.lists:push", options.push),
    "restore": (
        "Bring a list back to an earlier version",
        "flows.verbs.restore:restore_list",
        options.restore_list,
    ),
    "suppress": (
        "Keep people and companies (stdin) off every list",
        "flows.verbs.people:suppress",
        options.suppress,
    ),
    "erase": (
        "Erase people (stdin) from every list and the record",
        "flows.verbs.people:erase",
        options.nothing,
    ),
    "recipes": ("Print ready-made negative segments to copy", "flows.verbs.setup:recipes", options.recipes),
    "collect": ("Read impression reports into the ledger", "flows.verbs.reports:collect", options.collect),
    "numbers": ("Print what platforms say beside their reports", "flows.verbs.numbers:run", options.numbers),
    "balance": ("Plan, approve or refuse balancing", "flows.verbs.reports:balance", options.balance),
    "report": ("Print the top-100 impression-share report", "flows.verbs.reports:report", options.report),
    "why": (
        "Say in one sentence why an account stands where it does",
        "flows.verbs.reports:why",
        options.why,
    ),
    "page": ("Open the page: review, approve, push", "flows.verbs.page:run", running.page),
    "serve": ("Run the page, Prefect and the schedules together", "flows.verbs.page:serve", running.serve),
    "rehearse": (
        "Show what balancing would do, before switching it on",
        "flows.verbs.rehearse:run",
        options.rehearse,
    ),
    "experiment": (
        "Plan, start, evaluate and end a budget-split experiment",
        "flows.verbs.experiment:run",
        options.experiment,
    ),
    "hash": ("Hash lines from stdin by a platform's rule", "flows.verbs.setup:hash_lines", options.hash),
    "platforms": ("Print what each platform can do", "flows.verbs.setup:platforms", options.nothing),
    "undo": (
        "Take back the last change of a list, or the last plan",
        "flows.verbs.operate:undo",
        options.restore,
    ),
    "deploy": (
        "Register the schedules with a Prefect work pool",
        "flows.verbs.operate:deploy",
        running.deploy,
    ),
    "worker": (
        "Run what is due from a Prefect work pool, on this machine",
        "flows.verbs.operate:worker",
        running.worker,
    ),
    "audit": ("Print who did what, and when", "flows.verbs.operate:audit", running.audit),
    "backup": ("Copy the workspace into one file", "flows.verbs.operate:backup", running.backup),
    "restore-backup": (
        "Put such a copy back as a new workspace",
        "flows.verbs.operate:restore_backup",
        running.restore_backup,
    ),
    "alerts": (
        "Show what is watched; send the digest or a trial",
        "flows.verbs.operate:alerts",
        running.alerts,
    ),
    "connect": ("Sign in to LinkedIn or Google", "flows.verbs.operate:connect", running.connect),
    "upkeep": (
        "Look after every list: settle, retry, keep alive",
        "flows.verbs.operate:upkeep",
        options.nothing,
    ),
    "sandbox": ("Run LinkedIn and Google on this machine", "flows.verbs.sandbox:run", options.sandbox),
}

if __name__ == "__main__":
    sys.exit(main())
