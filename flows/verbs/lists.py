"""``evenreach sync`` and ``evenreach push``: lists to platforms, by segment or from a file."""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from typing import Any

from flows.verbs.outcome import DONE, STOPPED, show, table
from flows.verbs.workspace import opened


def sync(arguments: argparse.Namespace) -> int:
    """Load, evaluate, compare with the ledger, and send what differs; with --dry-run only say it.

    A brake stops its own list alone; the others go on, and the exit code is 3.
    """
    from flows import activate
    from flows.alerts_brakes import tell_brakes
    from flows.alerts_entries import alert_entries
    from flows.approvers import accept_large_change
    from flows.assess import assess
    from flows.load import load

    with opened(arguments) as app:
        specs = activate.wanted_lists(app, arguments.segment, arguments.platform)
        if not arguments.dry_run:
            accept_large_change(
                app,
                arguments.segment or "every list",
                arguments.accept_shrink or 0,
                who=app.who,
                because=arguments.because,
            )
        loaded = load(app, accept_shrink=arguments.accept_shrink or 0)
        assessment = assess(app)
        rows = [_sync_one(arguments, app, assessment, spec) for spec in specs]
        if not arguments.dry_run:
            alert_entries(app, assessment, [spec.segment for spec in specs])
            stopped = {row["list"]: row["stopped"] for row in rows if row["stopped"]}
            tell_brakes(app, [row["list"] for row in rows], stopped)
    data = {"dry_run": arguments.dry_run, "lists": rows, "rejects": list(loaded.files)}
    show(arguments, data, lambda: _sync_words(data))
    return STOPPED if any(row["stopped"] for row in rows) else DONE


def _sync_one(arguments: argparse.Namespace, app: Any, assessment: Any, spec: Any) -> dict[str, Any]:
    from audiences.brakes import Braked
    from flows import activate

    shrink, dry = arguments.accept_shrink or 0, arguments.dry_run
    try:
        prepared = activate.patiently(
            app, lambda: activate.prepare(app, assessment, spec, accept_shrink=shrink, dry_run=dry)
        )
    except Braked as error:
        return {"list": spec.audience_id, "stopped": str(error)}
    row = {
        "list": spec.audience_id,
        "stopped": None,
        "members": prepared.desired,
        "adds": prepared.adds,
        "removes": prepared.removes,
        "changed": prepared.changed,
        "left_out": dict(prepared.left_out),
        "warnings": list(prepared.warnings),
    }
    return row if dry else row | _sent(app, spec.audience_id)


def _sent(app: Any, list_id: str) -> dict[str, Any]:
    """Send, settle, and send once more: a platform that settles later may have held batches back."""
    from flows import activate

    sent = activate.patiently(app, lambda: activate.send(app, list_id))
    activate.settle(app, list_id)
    if app.store.batches_to_send(list_id):
        again = activate.patiently(app, lambda: activate.send(app, list_id))
        sent = activate.together(sent, again)
        activate.settle(app, list_id)
    state = activate.follow(app, list_id)
    counted = asdict(sent)
    names = ("accepted", "rejected", "unknown", "waiting")
    return {name: counted[name] for name in names} | {"status": str(state.status) if state else None}


def _sync_words(data: dict[str, Any]) -> str:
    from flows.report.code_words import left_out

    names = ["list", "members", "adds", "removes"]
    names += [] if data["dry_run"] else ["accepted", "rejected", "unknown", "waiting", "status"]
    lines = [table(names, [[row.get(name) for name in names] for row in data["lists"]])]
    for row in data["lists"]:
        if row["stopped"]:
            lines.append(f"{row['list']} was stopped: {row['stopped']}")
            continue
        left = left_out(row["left_out"])
        lines += [f"{row['list']}: left out {left}"] if left else []
        lines += (
            [f"{row['list']}: {row['changed']:,} again, with other identifiers"] if row["changed"] else []
        )
        lines += [f"{row['list']}: {warning}" for warning in row["warnings"]]
    lines += [f"Rows that were left out, and why: {file}" for file in data["rejects"]]
    return "\n".join([*lines, "Nothing was sent."] if data["dry_run"] else lines)


def push(arguments: argparse.Namespace) -> int:
    """Push a one-off list; the same file again changes nothing."""
    from flows.push_file import Order, push_file

    order = Order(
        arguments.file,
        arguments.platform,
        name=arguments.name or "",
        owner=arguments.owner or "",
        note=arguments.note,
        until=arguments.until,
        layout=arguments.layout or "",
        first_party=arguments.first_party,
        consented=arguments.consented,
        accept_shrink=arguments.accept_shrink or 0,
        because=arguments.because,
        dry_run=arguments.dry_run,
    )
    with opened(arguments) as app:
        data = push_file(app, replace(order, accepted_by=app.who))
    show(arguments, data, lambda: _push_words(data))
    return DONE


def _push_words(data: dict[str, Any]) -> str:
    from audiences.segments_words import many
    from flows.report.code_words import left_out

    lines = [
        f"{data['list']}: {many(data['members'], 'member')} from {data['rows']:,} rows; "
        f"{data['adds']:,} to add, {data['removes']:,} to take off."
    ]
    lines += [f"Left out: {left_out(data['left_out'])}."] if data["left_out"] else []
    lines += data["warnings"]
    lines += [f"Columns not used: {', '.join(data['unmapped'])}."] if data["unmapped"] else []
    lines += (
        [f"Rows and cells that were not taken, and why: {data['rejects_file']}"] if data["rejected"] else []
    )
    sent = "Sent" if data["adds"] or data["removes"] else "Nothing had to be sent"
    lines.append("Nothing was sent." if data["dry_run"] else f"{sent}; the list is {data['status']}.")
    return "\n".join(lines)
