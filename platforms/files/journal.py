"""The changes of one list, one file per batch in the order they came. It must not know any layout."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from audiences.model import Member


class Journal:
    """A folder ``changes/`` of numbered batches; folding them in order gives the members of today."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "changes"
        self._mark = folder / "current"

    def note(self, batch_id: str, members: Sequence[Member], *, add: bool) -> None:
        """Append a batch, once: a batch whose id is there already is left alone."""
        self._folder.mkdir(exist_ok=True)
        name = hashlib.sha256(batch_id.encode()).hexdigest()[:32]
        entries = self._entries()
        if any(entry.stem.endswith(name) for entry in entries):
            return
        body = {
            "add": add,
            "members": [[member.key.hex(), list(member.identifiers)] for member in members],
        }
        target = self._folder / f"{len(entries) + 1:08d}-{name}.json"
        draft = target.with_suffix(".draft")
        draft.write_bytes(orjson.dumps(body))
        os.replace(draft, target)

    def members(self) -> dict[str, list[list[str]]]:
        """Key (hex) -> identifiers, in key order. A later batch wins over an earlier one."""
        found: dict[str, list[list[str]]] = {}
        for entry in self._entries():
            change: dict[str, Any] = orjson.loads(entry.read_bytes())
            for key, identifiers in change["members"]:
                if change["add"]:
                    found[key] = identifiers
                else:
                    found.pop(key, None)
        return dict(sorted(found.items()))

    def current(self) -> bool:
        """Whether the upload files were written after the last batch."""
        return self._mark.is_file() and self._mark.read_text(encoding="ascii") == str(len(self._entries()))

    def mark_current(self) -> None:
        self._mark.write_text(str(len(self._entries())), encoding="ascii")

    def _entries(self) -> list[Path]:
        return sorted(self._folder.glob("*.json"))
