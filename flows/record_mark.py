"""Notices a record that was deleted under a workspace that has lists on the platforms. Restores nothing.

The mark is an empty file beside ``evenreach.yaml``, made before the first list is. A record that knows no list
beside a mark is not the one those lists were built from; with it every member would be sent again, and nobody
who should leave would.
"""

from __future__ import annotations

from pathlib import Path

from audiences.store import Store

MARK = ".lists-made"


class RecordLost(Exception):
    """The workspace has made lists on the platforms, and its record knows of none."""

    retryable = False

    def __init__(self, message: str = "", *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


def check_record(workspace: Path, store: Store) -> None:
    """Raises RecordLost where lists were made and the record holds none; marks older workspaces."""
    mark = workspace / MARK
    if store.has_audiences():
        mark_lists(workspace)
    elif mark.is_file():
        raise RecordLost(
            "this workspace has made lists on the platforms, but its record is empty: it was deleted, or database: "
            "names another one. Nothing was sent",
            remedy="Put the record back from your last backup (evenreach restore-backup), or correct database:. "
            f"To begin an empty record knowingly, delete {mark} first; no list is then known to it.",
        )


def mark_lists(workspace: Path) -> None:
    """Say that this workspace makes lists; called once its record knows of one, before the platform does."""
    if not (mark := workspace / MARK).exists():
        mark.touch(mode=0o600)
