"""What one list holds, kept as it changes batch by batch. It must not know any layout.

For platforms that take a list whole: what they hold cannot be read back, so it is kept here, readable by its
owner only. Changes are folded into one file when the list was written or sent, so that nothing of a member who
was removed stays behind.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from audiences.model import Member


class Journal:
    """A folder of numbered changes since ``members.json`` was written; folding them gives the members of today."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "changes"
        self._whole, self._folded = folder / "members.json", folder / "folded.json"  # members; batches in it

    def note(self, batch_id: str, members: Sequence[Member], *, add: bool) -> None:
        """Append a batch, once: a batch that is there already is left alone."""
        for folder in (self._folder.parent, self._folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name, entries = _name(batch_id), self._entries()
        if name in self._seen() or any(entry.stem.endswith(name) for entry in entries):
            return
        change = {
            "add": add,
            "members": [[member.key.hex(), list(member.identifiers)] for member in members],
        }
        number = int(entries[-1].stem[:8]) + 1 if entries else 1
        _write(self._folder / f"{number:08d}-{name}.json", change)

    def members(self) -> dict[str, list[list[str]]]:
        """Key (hex) -> identifiers, in key order. A later batch wins over an earlier one."""
        found: dict[str, list[list[str]]] = dict(_read(self._whole))
        for entry in self._entries():
            change: dict[str, Any] = orjson.loads(entry.read_bytes())
            for key, identifiers in change["members"]:
                if change["add"]:
                    found[key] = identifiers
                else:
                    found.pop(key, None)
        return dict(sorted(found.items()))

    def current(self) -> bool:
        """Whether the list was written or sent as a whole after the last batch."""
        return self._whole.is_file() and not self._entries()

    def begun(self) -> bool:
        """Whether anything was ever noted."""
        return self._whole.is_file() or bool(self._entries())

    def mark_current(self) -> None:
        """Fold the changes into the whole. Cut off half-way, the rest is folded in again, to the same end."""
        entries = self._entries()
        seen = [*self._seen(), *(entry.stem[9:] for entry in entries)]
        _write(self._whole, list(self.members().items()))
        _write(self._folded, seen)
        for entry in entries:
            entry.unlink()

    def _seen(self) -> list[str]:
        return _read(self._folded)

    def _entries(self) -> list[Path]:
        return sorted(self._folder.glob("*.json"))


def _name(batch_id: str) -> str:
    return hashlib.sha256(batch_id.encode()).hexdigest()[:32]


def _read(file: Path) -> list[Any]:
    return list(orjson.loads(file.read_bytes())) if file.is_file() else []


def _write(target: Path, value: object) -> None:
    """In one step, readable by its owner only."""
    draft = target.with_suffix(".draft")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(orjson.dumps(value))
    os.replace(draft, target)
