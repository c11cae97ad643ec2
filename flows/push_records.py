"""What is remembered of pushes made on the page: names, counts and ledger versions. Sends nothing, knows no file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flows.wiring import App

PUSHES = "pushes"  # ids, oldest first


def remembered(app: App, push_id: str) -> dict[str, Any] | None:
    """The record of a push."""
    found: dict[str, Any] | None = app.store.get(_key(push_id))
    return found


def push_ids(app: App) -> list[str]:
    """Every push there is a record of, oldest first."""
    found: list[str] = app.store.get(PUSHES, [])
    return found


def remember(app: App, push_id: str, kept: Mapping[str, Any]) -> None:
    """Keep the record of a push; ``confirmed`` in it is the moment as ISO text. It is the newest then."""
    app.store.put(_key(push_id), dict(kept), at=app.now())
    app.store.change(PUSHES, lambda ids: [i for i in ids or [] if i != push_id] + [push_id], at=app.now())


def amend(app: App, push_id: str, **fields: Any) -> None:
    """Change fields of a record."""
    app.store.change(_key(push_id), lambda kept: (kept or {}) | fields, at=app.now())


def forget_pushes(app: App, before: datetime) -> int:
    """Drop the records of pushes confirmed before then; returns how many.

    By then the versions they could be taken back to are gone as well. Who pushed what stays in the audit log.
    """
    known = {push_id: remembered(app, push_id) for push_id in push_ids(app)}
    old = {i for i, kept in known.items() if kept is None or _confirmed(kept) < before}
    if old:
        app.store.change(PUSHES, lambda ids: [i for i in ids or [] if i not in old], at=app.now())
    for push_id in old:
        app.store.put(_key(push_id), None, at=app.now())
    return len(old)


def _confirmed(kept: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(str(kept["confirmed"]))


def _key(push_id: str) -> str:
    return f"push/{push_id}"
