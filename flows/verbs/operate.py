"""Commands for running it for years: upkeep, alerts, audit, undo, backup, connect, deploy, worker."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from flows.verbs.outcome import DONE, FAILED, show, table
from flows.verbs.workspace import opened


def upkeep(arguments: argparse.Namespace) -> int:
    """Look after every list once; exit code 1 when one could not be kept up."""
    from flows.upkeep import upkeep as keep_up

    with opened(arguments) as app:
        found = keep_up(app)
    data = {
        "open": found.open,
        "lists": [asdict(kept) for kept in found.lists],
        "erased": found.erased,
        "pruned": found.pruned,
        "told": list(found.told),
    }
    show(arguments, data, lambda: _upkeep_words(found))
    return FAILED if found.troubles else DONE


def _upkeep_words(found: Any) -> str:
    names = ["audience_id", "status", "open", "retried", "refreshed", "renewed", "emptied", "parked"]
    lines = [table(names, [[getattr(kept, name) for name in names] for kept in found.lists])]
    for kept in found.lists:
        lines += [
            f"{kept.audience_id}: {words}" for words in (*kept.notes, kept.empty, kept.trouble) if words
        ]
    lines += [f"{found.erased:,} people to be erased are off every list now."] if found.erased else []
    dropped = sum(found.pruned.values())
    lines += [f"{dropped:,} rows that retention no longer keeps were dropped."] if dropped else []
    return "\n".join([*lines, *(f"Told: {words}" for words in found.told)])


def alerts(arguments: argparse.Namespace) -> int:
    """Show how every watched subject stands; send the digest or a trial message where asked."""
    from flows.alerts import OK, Condition, deliver
    from flows.alerts_channels import channels
    from flows.alerts_digest import digest, send_digest

    with opened(arguments) as app:
        names = [name for name, _ in channels(app.settings, app.config.alerts)]
        sent = True
        if arguments.action == "digest":
            sent = send_digest(app)
        if arguments.action == "trial":
            sent = deliver(app, [Condition("trial", OK, "This is a trial; nothing happened.")], title="trial")
        states = app.store.alert_states()
        lines = [one.words for one in digest(app)]
    rows = [[state, f"{since:%Y-%m-%d}", subject, words] for subject, (state, since, words) in states.items()]
    data = {"channels": names, "sent": sent and arguments.action != "show", "digest": lines, "states": rows}
    tail = f"Channels: {', '.join(names) or 'none; see alerts: in evenreach.yaml'}"
    trouble = [] if sent else ["No channel took the message; the log says why."]
    show(arguments, data, lambda: "\n".join([*lines, tail, *trouble]))
    return DONE if sent else FAILED


def connect(arguments: argparse.Namespace) -> int:
    """Sign in to a platform in the browser; the token goes to a file only its owner can read."""
    import sys
    import webbrowser

    from flows.connect import sign_in

    def visit(address: str) -> None:
        print(f"Open this address to sign in (waiting five minutes):\n{address}", file=sys.stderr)
        if not arguments.no_browser:
            webbrowser.open(address)

    with opened(arguments) as app:
        done = sign_in(
            app, arguments.platform, show=visit, port=arguments.port, redirect_uri=arguments.redirect_uri
        )
    words = [
        f"{'SANDBOX: ' if done.sandbox else ''}signed in to {done.platform}; the token is in {done.file}.",
        *([f"Consent ends on {done.refresh_until:%Y-%m-%d}."] if done.refresh_until else []),
        *[f"Note: {note}." for note in done.notes],
    ]
    show(arguments, asdict(done), lambda: "\n".join(words))
    return DONE


def backup(arguments: argparse.Namespace) -> int:
    """Copy the workspace into one file; others may go on working."""
    from flows import backup as copying
    from flows.runs import audit

    with opened(arguments) as app:
        done = copying.backup(
            app.workspace,
            arguments.file,
            at=app.now(),
            with_tokens=arguments.with_tokens,
            without_record=arguments.without_record,
        )
        audit(app, "backup made", arguments.file.name, {"files": done.files, "tokens": done.tokens})
    left_out = [] if done.record else ["the record"]
    left_out += [] if done.tokens else ["sign-ins"]
    tail = f" Not in it: {', '.join(left_out)}." if left_out else ""
    show(arguments, asdict(done), lambda: f"{done.files:,} files, {done.bytes:,} bytes -> {done.file}.{tail}")
    return DONE


def restore_backup(arguments: argparse.Namespace) -> int:
    """Put a copy back as a new workspace; an existing one is never touched."""
    from flows import backup as copying
    from flows.wiring import WorkspaceError

    if arguments.workspace is None:
        raise WorkspaceError("name the new folder with --workspace")
    done = copying.restore(arguments.file, arguments.workspace, database=arguments.database or "")
    show(
        arguments,
        asdict(done),
        lambda: (
            f"{done.files:,} files put back into {done.file}. Next: evenreach check --workspace {done.file}"
        ),
    )
    return DONE


def audit(arguments: argparse.Namespace) -> int:
    """Print who did what, newest last; with --json one line per deed in a list."""
    with opened(arguments) as app:
        if arguments.subject:
            lines = app.store.audit_log(subject=arguments.subject, limit=1_000_000)[-arguments.last :]
        else:
            lines = tuple(reversed(app.store.audit_tail(arguments.last)))
    rows = [asdict(line) for line in lines]
    names = ["at", "who", "what", "subject", "detail"]
    cells = [
        [f"{r['at']:%Y-%m-%d %H:%M}", r["who"], r["what"], r["subject"], _details(r["detail"])] for r in rows
    ]
    show(arguments, {"lines": rows}, lambda: table(names, cells))
    return DONE


def _details(detail: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in detail.items())


def undo(arguments: argparse.Namespace) -> int:
    """Take back the last change of a list (or everything since --version); undoing twice does it again.

    A balanced segment, one of its band lists, or a plan's id stands for the segment's last plan.
    """
    from flows.activate_undo import plan_behind
    from flows.verbs.restore import run
    from flows.wiring import WorkspaceError, list_names

    if arguments.version is None:
        with opened(arguments) as app:
            segment = plan_behind(app, arguments.list)
            if segment is not None:
                return _undo_plan(arguments, app, segment)
            known = app.store.audience(arguments.list)
            versions = app.store.ledger_versions(arguments.list) if known else ()
            if not versions:
                raise WorkspaceError(
                    f'there is nothing to undo on "{arguments.list}"',
                    remedy=f"A segment stands for its last plan, and has none to take back. Lists: {list_names(app)}.",
                )
        arguments.version = versions[-1][0] - 1
    return run(arguments)


def _undo_plan(arguments: argparse.Namespace, app: Any, segment: str) -> int:
    from flows.activate_undo import undo_plan

    done = undo_plan(app, segment, dry_run=arguments.dry_run)
    said = "would be" if arguments.dry_run else "is"
    line = f"Plan {done.plan_id[:12]} of {segment} {said} taken back: {done.moves:,} accounts are where they were."
    show(arguments, asdict(done) | {"dry_run": arguments.dry_run}, lambda: "\n".join([line, *done.notes]))
    return DONE


def deploy(arguments: argparse.Namespace) -> int:
    """Register every scheduled flow with a work pool of the Prefect server that PREFECT_API_URL names."""
    with opened(arguments) as app:
        _shared_server(app.workspace)
        from flows.pool import register

        names = register(app, arguments.pool)
    data = {"pool": arguments.pool, "deployments": names}
    start = f"Start a worker on each machine: evenreach worker --pool {arguments.pool}"
    show(arguments, data, lambda: "\n".join([*names, start]))
    return DONE


def worker(arguments: argparse.Namespace) -> int:
    """Become a Prefect worker of the pool, with Prefect's settings as everywhere in Evenreach."""
    import os
    import sys

    from flows.settings import own_python_first

    with opened(arguments) as app:
        _shared_server(app.workspace)
        from flows.quota_runs import ensure_limits

        ensure_limits(app.config)
    own_python_first()
    wanted = [
        "worker",
        "start",
        "--pool",
        arguments.pool,
        "--type",
        "process",
        "--limit",
        str(arguments.limit),
    ]
    os.execv(sys.executable, [sys.executable, "-m", "prefect", *wanted])  # noqa: S606 - ends as the worker ends


def _shared_server(workspace: Path) -> None:
    """Prefect's settings for the server all machines share, once it answers.

    Raises WorkspaceError, SettingMissing, EngineUnreachable.
    """
    from flows.engine import reach_prefect
    from flows.settings import (
        prefect_server_configured,
        prefect_server_url,
        prepare_prefect,
        require_client_password,
    )
    from flows.wiring import WorkspaceError

    if not prefect_server_configured():
        raise WorkspaceError("set PREFECT_API_URL to the Prefect server that all machines share")
    require_client_password(prefect_server_url())
    prepare_prefect(workspace / "prefect")
    reach_prefect()
