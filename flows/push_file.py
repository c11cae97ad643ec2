"""One file to one list on one platform, as the command and Prefect do it. Returns counts, never a row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from audiences.errors import SourceError
from flows import activate
from flows.approvers import accept_large_change
from flows.files import write_atomically
from flows.push import DOUBTFUL_ADDRESSES, OneOffList, one_off_spec, push_list, read_list, rejects_csv
from flows.report.code_words import left_out
from flows.wiring import App

INBOX = "inbox"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be pushed where. ``name`` empty: the file's name; ``owner`` empty: whoever runs it."""

    file: Path
    platform: str
    name: str = ""
    owner: str = ""
    note: str = ""
    until: date | None = None
    layout: str = ""
    first_party: bool = False
    consented: bool = False
    accept_shrink: int = 0
    accepted_by: str = ""  # who lets that many leave
    because: str = ""
    dry_run: bool = False


def push_file(app: App, order: Order) -> dict[str, Any]:
    """Push a file; the same file again changes nothing.

    Raises an error of ``audiences.errors``, Braked, or a platform's error; run it again to go on.
    """
    wanted = read_list(
        app, order.file, order.platform, layout=order.layout,
        first_party=order.first_party, consented=order.consented,
    )  # fmt: skip
    spec = one_off_spec(order.name or order.file.stem, order.platform, wanted.kind, order.note)
    if not len(wanted.members) and not order.dry_run and app.store.audience(spec.audience_id) is None:
        words, remedy = _nobody(wanted)  # a list that is to lose everybody is the brakes' business
        raise SourceError(words, file=order.file.name, remedy=remedy)
    if not order.dry_run:
        accept_large_change(
            app, spec.audience_id, order.accept_shrink, who=order.accepted_by, because=order.because
        )
    prepared = push_list(
        app,
        wanted,
        spec,
        owner=order.owner or app.who,
        note=order.note,
        until=order.until,
        accept_shrink=order.accept_shrink,
        dry_run=order.dry_run,
    )
    rejects = _rejects_file(app, order, wanted)
    state = None if order.dry_run else activate.follow(app, spec.audience_id)
    return {
        "list": spec.audience_id,
        "rows": wanted.rows,
        "members": len(wanted.members),
        "adds": prepared.adds,
        "removes": prepared.removes,
        "left_out": wanted.left_out,
        "rejected": len(wanted.rejected),
        "rejects_file": rejects,
        "unmapped": list(wanted.unmapped),
        "warnings": [*prepared.warnings, *_doubts(wanted)],
        "status": str(state.status) if state else None,
        "dry_run": order.dry_run,
    }


def _nobody(wanted: OneOffList) -> tuple[str, str]:
    """Why nobody of a file can be on the list, and what to do."""
    why = f": {left_out(wanted.left_out)}" if wanted.left_out else ""
    remedy = "See which columns were read with: evenreach map FILE"
    if {"consent_unknown", "not_first_party"} & wanted.left_out.keys():
        remedy = "If it is true of all of them, say so with --first-party --consented."
    return f"nobody of it can be on the list{why}.", remedy


def _doubts(wanted: OneOffList) -> list[str]:
    rows = sum(one.reason in DOUBTFUL_ADDRESSES for one in wanted.rejected)
    who = "1 row has" if rows == 1 else f"{rows:,} rows have"
    words = (
        f"{who} a web address that belongs to no single company; what is sent of such a company is its name."
    )
    nobody = [] if len(wanted.members) else ["A push would be refused, {} {}".format(*_nobody(wanted))]
    return [words] * bool(rows) + nobody


def _rejects_file(app: App, order: Order, wanted: OneOffList) -> str | None:
    if not wanted.rejected:
        return None
    file = app.workspace / "rejects" / f"{order.file.name}.csv"
    write_atomically(file, rejects_csv(wanted.rejected))
    return str(file)


def in_inbox(workspace: Path, name: str) -> Path:
    """The file of that name in the workspace's inbox. Raises SourceError for any path that leads elsewhere."""
    inbox = (workspace / INBOX).resolve()
    found = (inbox / name).resolve()
    if not found.is_relative_to(inbox) or not found.is_file():
        raise SourceError(
            f"there is no such file in the folder {INBOX} of the workspace.",
            file=Path(name).name,
            remedy=f"Put the file into {inbox} and give its name alone.",
        )
    return found
