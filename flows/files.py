"""Write files so that a reader sees the old one or the new one, never half. Knows no format."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

OWNER_ONLY = 0o600


def write_atomically(path: Path, content: str | bytes, *, mode: int | None = None) -> None:
    """Replace ``path`` in one step; parents are created.

    A new file is for its owner alone; one that is replaced keeps its mode unless ``mode`` is given.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(_mode_of(path) if mode is None else mode)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode) if path.exists() else OWNER_ONLY
