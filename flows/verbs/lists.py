"""``evenreach sync`` and ``evenreach push``: lists to platforms, by segment or from a file."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from datetime import date
from typing import Any

from flows.verbs.outcome import DONE, show, table
from flows.verbs.workspace import opened


def sync(arguments: argparse.Namespace) -> int:
    """Load, evaluate, compare with the ledger, and send what differs; with --dry-run only say it."""
    from flows import activate
    from flows.alerts_entries import alert_entries
    from flows.assess import assess
    from flows.load import load

    rows: list[dict[str, Any]] = []
    with opened(arguments) as app:
        specs = activate.wanted_lists(app, arguments.segment, arguments.platform)
        load(app)
        assessment = assess(app)
        shrink = arguments.accept_shrink or 0
        for spec in specs:
            prepared = activate.patiently(
                app,
                lambda s=spec: activate.prepare(  # type: ignore[misc]
                    app, assessment, s, accept_shrink=shrink, dry_run=arguments.dry_run
                ),
            )
            row = {
                "list": spec.audience_id,
                "members": prepared.desired,
                "adds": prepared.adds,
                "removes": prepared.removes,
                "left_out": dict(prepared.left_out),
                "warnings": list(prepared.warnings),
            }
            if not arguments.dry_run:
                sent = activate.patiently(app, lambda s=spec: activate.send(app, s.audience_id))  # type: ignore[misc]
                activate.settle(app, spec.audience_id)
                state = activate.follow(app, spec.audience_id)
                counted = asdict(sent)
                row |= {name: counted[name] for name in ("accepted", "rejected", "unknown", "waiting")}
                row |= {"status": str(state.status) if state else None}
            rows.append(row)
        if not arguments.dry_run:
            alert_entries(app, assessment, [spec.segment for spec in specs])
    show(
        arguments, {"dry_run": arguments.dry_run, "lists": rows}, lambda: _sync_words(rows, arguments.dry_run)
    )
    return DONE


def _sync_words(rows: list[dict[str, Any]], dry_run: bool) -> str:
    names = ["list", "members", "adds", "removes"]
    names += [] if dry_run else ["accepted", "rejected", "unknown", "waiting", "status"]
    lines = [table(names, [[row[name] for name in names] for row in rows])]
    for row in rows:
        left = ", ".join(f"{n:,} {reason.replace('_', ' ')}" for reason, n in row["left_out"].items())
        lines += [f"{row['list']}: left out {left}"] if left else []
        lines += [f"{row['list']}: {warning}" for warning in row["warnings"]]
    return "\n".join([*lines, "Nothing was sent."] if dry_run else lines)


def push(arguments: argparse.Namespace) -> int:
    """Push a one-off list; the same file again changes nothing."""
    from flows import activate
    from flows.files import write_atomically
    from flows.push import one_off_spec, push_list, read_list, rejects_csv

    until = date.fromisoformat(arguments.until) if arguments.until else None
    with opened(arguments) as app:
        wanted = read_list(app, arguments.file, arguments.platform, layout=arguments.layout or "")
        name = arguments.name or arguments.file.stem
        spec = one_off_spec(name, arguments.platform, wanted.kind, arguments.note)
        prepared = push_list(
            app,
            wanted,
            spec,
            owner=arguments.owner or app.who,
            note=arguments.note,
            until=until,
            dry_run=arguments.dry_run,
        )
        rejects = None
        if wanted.rejected:
            rejects = app.workspace / "rejects" / f"{arguments.file.name}.csv"
            write_atomically(rejects, "".join(rejects_csv(wanted.rejected)))
        state = None if arguments.dry_run else activate.follow(app, spec.audience_id)
    data = {
        "list": spec.audience_id,
        "rows": wanted.rows,
        "members": len(wanted.members),
        "adds": prepared.adds,
        "removes": prepared.removes,
        "left_out": wanted.left_out,
        "rejected": len(wanted.rejected),
        "rejects_file": str(rejects) if rejects else None,
        "unmapped": list(wanted.unmapped),
        "warnings": list(prepared.warnings),
        "status": str(state.status) if state else None,
        "dry_run": arguments.dry_run,
    }
    show(
        arguments,
        data,
        lambda: "\n".join(f"{key.replace('_', ' '):13} {_plain(value)}" for key, value in data.items()),
    )
    return DONE


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{n:,} {reason.replace('_', ' ')}" for reason, n in value.items()) or "-"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value if value is not None else "-")
