"""``evenreach suppress`` and ``erase``: who must never be on a list. Values come on stdin and go nowhere."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sized
from typing import Any

from audiences.errors import SourceError
from flows.verbs.outcome import DONE, FAILED, show, table
from flows.verbs.workspace import opened

PIPE = "Pipe one e-mail address (or its SHA-256) a line into the command."


def suppress(arguments: argparse.Namespace) -> int:
    """Put the people and companies of stdin on the suppression list, or take them off with --undo.

    Exit code 1 when a line is neither an e-mail address, a SHA-256 of one, nor a domain.
    """
    from flows.suppress import company_digest, person_digests

    found: dict[int, frozenset[bytes]] = {}
    if not arguments.show:
        for number, text in _lines():
            company = None if "@" in text else company_digest(text)
            found[number] = person_digests(text) or frozenset([company] if company else [])
        _somebody(found)
    digests = {digest for some in found.values() for digest in some}
    unread = [number for number, some in found.items() if not some]
    with opened(arguments) as app:
        off = app.store.unsuppress(digests) if arguments.undo else 0
        if digests and not arguments.undo:
            app.store.suppress(digests, reason=arguments.reason, at=app.now())
        counts = app.store.suppression_counts()
        _note(
            app,
            "taken off the suppression list" if arguments.undo else "suppressed",
            len(found) - len(unread),
        )
    data = {"lines": len(found), "unread": unread, "taken_off": off, "on_the_list": counts}
    show(arguments, data, lambda: _suppress_words(data, undo=arguments.undo))
    return FAILED if unread else DONE


def _note(app: Any, what: str, lines: int) -> None:
    from flows.runs import audit

    if lines:
        audit(app, what, "", {"lines": lines})


def _suppress_words(data: dict[str, Any], *, undo: bool) -> str:
    taken = data["lines"] - len(data["unread"])
    said = f"{taken:,} taken off." if undo else f"{taken:,} noted; the next sync takes them off every list."
    lines = [said] if data["lines"] else []
    lines += [f"line {n}: neither an e-mail address, a SHA-256 of one, nor a domain" for n in data["unread"]]
    lines += [f"{n:,} digests: {reason}" for reason, n in data["on_the_list"].items()]
    return "\n".join(lines) or "The suppression list is empty."


def erase(arguments: argparse.Namespace) -> int:
    """Erase each person of stdin; exit code 1 while a list has not confirmed, or a line was not understood.

    Raises SourceError when stdin names nobody; nothing is done then.
    """
    from dataclasses import asdict

    from flows import erase as erasing
    from flows.suppress import person_digests

    receipts, unread = [], []
    named = dict(_lines())
    _somebody(named)
    with opened(arguments) as app:
        for number, text in named.items():
            digests = person_digests(text)
            if digests:
                receipts.append(erasing.erase(app, digests))
            else:
                unread.append(number)
        sources = [source.file for source in app.config.sources.contacts if source.file]
    data = {"receipts": [asdict(one) | {"done": one.done} for one in receipts], "unread": unread}
    show(
        arguments,
        data,
        lambda: "\n\n".join([*(_receipt(one) for one in receipts), *_advice(unread, sources)]),
    )
    return DONE if not unread and all(one.done for one in receipts) else FAILED


def _receipt(receipt: Any) -> str:
    rows = [
        [step.audience_id, f"{step.asked_at:%Y-%m-%d %H:%M}", _done(step), step.batch_id[:12]]
        for step in receipt.steps
    ]
    head = f"Erasure {receipt.number}: {'done' if receipt.done else 'not confirmed everywhere yet'}; "
    head += f"{receipt.records:,} rows of the record deleted or blanked."
    lists = table(["list", "asked", "confirmed", "batch"], rows) if rows else "No list ever held this person."
    tail = [] if receipt.done else ["Run the same command again to go on."]
    return "\n".join([head, lists, *receipt.troubles, *tail])


def _done(step: Any) -> str:
    return f"{step.done_at:%Y-%m-%d %H:%M}" if step.done_at else "open"


def _advice(unread: list[int], sources: list[str]) -> Iterator[str]:
    if unread:
        yield "\n".join(f"line {number}: no e-mail address, nor a SHA-256 of one" for number in unread)
    if sources:
        yield f"Delete the person in the sources too: {', '.join(sources)}."


def _somebody(lines: Sized) -> None:
    if not lines:
        raise SourceError("no line was given; nothing was done.", file="stdin", remedy=PIPE)


def _lines() -> Iterator[tuple[int, str]]:
    if sys.stdin.isatty():
        print("One person a line; end with Ctrl-D on a line of its own.", file=sys.stderr)
    for number, line in enumerate(sys.stdin, start=1):
        if line.strip():
            yield number, line.strip()
