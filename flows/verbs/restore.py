"""``evenreach restore``: a list as it once was, by the same delta, brakes and batches as any other change."""

from __future__ import annotations

import argparse
from typing import Any

from flows.verbs.outcome import DONE, show, table
from flows.verbs.workspace import opened


def restore_list(arguments: argparse.Namespace) -> int:
    """``evenreach restore``: with --replace what the record asks for and nobody else, else an earlier version."""
    if arguments.replace and arguments.version is None:
        return _replaced(arguments)
    return run(arguments)


def run(arguments: argparse.Namespace) -> int:
    """Without --version show the versions there are."""
    with opened(arguments) as app:
        spec = _known(app, arguments.list).spec
        if arguments.version is None:
            return _versions(arguments, app.store.ledger_versions(arguments.list))
        data = _restored(arguments, app, spec)
    show(arguments, data, lambda: _words(data, segment=spec.segment))
    return DONE


def _known(app: Any, name: str) -> Any:
    from flows.wiring import WorkspaceError, list_names

    record = app.store.audience(name)
    if record is None:
        raise WorkspaceError(f'there is no list "{name}"; there are {list_names(app)}')
    return record


def _restored(arguments: argparse.Namespace, app: Any, spec: Any) -> dict[str, Any]:
    from flows import activate
    from flows.approvers import accept_large_change
    from flows.restore import restore

    leavers, dry = arguments.accept_shrink or 0, arguments.dry_run
    if not dry:
        accept_large_change(app, arguments.list, leavers, who=app.who, because=arguments.because)
    prepared = restore(app, spec, arguments.version, accept_shrink=leavers, dry_run=dry)
    state = None if dry else activate.follow(app, arguments.list)
    return {
        "list": arguments.list,
        "version": arguments.version,
        "members": prepared.desired,
        "adds": prepared.adds,
        "removes": prepared.removes,
        "left_out": dict(prepared.left_out),
        "status": str(state.status) if state else None,
        "dry_run": dry,
    }


def _replaced(arguments: argparse.Namespace) -> int:
    """Begun here, ended by upkeep: the platform takes its time with everybody who belongs on the list."""
    from flows.activate_replace import begin, belonging
    from flows.approvers import require_approver

    with opened(arguments) as app:
        _known(app, arguments.list)
        require_approver(app, app.who)  # how many will leave is known to nobody
        act = belonging if arguments.dry_run else begin
        members = act(app, arguments.list)
    data = {"list": arguments.list, "members": members, "replace": True, "dry_run": arguments.dry_run}
    words = f"{arguments.list}: {members:,} members {'would be' if arguments.dry_run else 'are'} sent again; "
    words += "upkeep takes off whoever else is on it when the platform has taken them all."
    show(arguments, data, lambda: words)
    return DONE


def _versions(arguments: argparse.Namespace, versions: Any) -> int:
    rows = [
        {"version": version, "at": f"{at:%Y-%m-%d %H:%M}", "adds": adds, "removes": removes}
        for version, at, adds, removes in versions
    ]
    names = ["version", "at", "adds", "removes"]
    show(
        arguments,
        {"list": arguments.list, "versions": rows},
        lambda: (
            table(names, [[row[name] for name in names] for row in rows])
            if rows
            else f"{arguments.list} has never been changed, so there is no earlier version of it."
        ),
    )
    return DONE


def _words(data: dict[str, Any], *, segment: str) -> str:
    done = "would have" if data["dry_run"] else "has"
    lines = [
        f"{data['list']} {done} the {data['members']:,} members of version {data['version']} again: "
        f"{data['adds']:,} added, {data['removes']:,} removed."
    ]
    lines += [f"left out: {n:,} {reason}" for reason, n in data["left_out"].items()]
    lines += [f"The next sync follows the rules of {segment} again."] if segment else []
    return "\n".join(lines)
