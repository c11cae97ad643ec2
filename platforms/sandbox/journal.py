"""The record of everything that changed the sandbox, so that a killed one comes back the same.

One entry per change: a JSON line, then the request body as it came, then a newline. It must never
hold a token or a client secret. Entries are handed to the operating system before the change is
answered; that survives ``kill -9`` (a power cut is not what this guards against).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

NAME = "journal.bin"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """``kind`` is "start", "call" or "fired"; ``head`` is its JSON, ``body`` the raw request body."""

    kind: str
    at: int  # epoch milliseconds of the sandbox's clock
    head: dict[str, Any] = field(default_factory=dict)
    body: bytes = b""


class StateDirBusy(RuntimeError):
    """Another sandbox owns this folder."""

    retryable = False
    remedy = "Use the running sandbox, stop it, or choose another state folder."

    def __init__(self, folder: str, address: str = "") -> None:
        super().__init__(folder, address)
        self.folder, self.address = folder, address

    def __str__(self) -> str:
        at = f" at {self.address}" if self.address else ""
        return f"the sandbox state in {self.folder} is in use by another process{at}. {self.remedy}"


class Journal:
    """Append-only file in a locked folder; ``Journal(None)`` keeps nothing."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._file: int | None = None
        self._lock: int | None = None
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(folder)
            (folder / "address").unlink(missing_ok=True)  # of a process that was killed

    def read(self) -> Iterator[Entry]:
        """All whole entries, oldest first; a torn tail is cut off, so that appending stays sound."""
        if self._folder is None:
            return
        path = self._folder / NAME
        if not path.exists():
            return
        raw = path.read_bytes()
        at = 0
        while at < len(raw):
            found = _entry(raw, at)
            if found is None:
                break
            entry, at = found
            yield entry
        if at < len(raw):
            with path.open("r+b") as handle:
                handle.truncate(at)

    def append(self, entry: Entry) -> None:
        if self._folder is None:
            return
        if self._file is None:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
            self._file = os.open(self._folder / NAME, flags, 0o600)
        head = {"k": entry.kind, "t": entry.at, "n": len(entry.body), **entry.head}
        _write_all(self._file, orjson.dumps(head) + b"\n" + entry.body + b"\n")

    def publish(self, address: str) -> None:
        """Tell others where this folder's sandbox answers."""
        if self._folder is not None:
            (self._folder / "address").write_text(address, encoding="utf-8")

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
        if self._lock is not None:
            with contextlib.suppress(OSError):
                (self._folder / "address").unlink()  # type: ignore[operator]
            os.close(self._lock)
        self._file = self._lock = None


def _entry(raw: bytes, at: int) -> tuple[Entry, int] | None:
    end = raw.find(b"\n", at)
    if end < 0:
        return None
    try:
        head = orjson.loads(raw[at:end])
        size = head.pop("n")
        entry = Entry(kind=head.pop("k"), at=head.pop("t"), head=head, body=raw[end + 1 : end + 1 + size])
    except (ValueError, KeyError, AttributeError):
        return None
    after = end + 1 + size
    if raw[after : after + 1] != b"\n":
        return None
    return entry, after + 1


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _lock(folder: Path) -> int:
    """Hold the folder until this process ends; the system lets go of it even after ``kill -9``."""
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock_handle(handle)
    except OSError:
        os.close(handle)
        address = folder / "address"
        known = address.read_text(encoding="utf-8") if address.exists() else ""
        raise StateDirBusy(str(folder), known) from None
    return handle


def _lock_handle(handle: int) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    else:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
