"""What a load left out, as files a person can work through. Lines, columns and reasons; never a value."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from audiences.model import Quarantined, Rejected
from flows.files import write_atomically
from flows.report.tables import to_csv

FOLDER = "rejects"
Line = tuple[object, ...]
_HEADER = ("line", "column", "reason", "detail")


def write_rejects(
    workspace: Path, rejected: Iterable[Rejected], quarantined: Iterable[Quarantined]
) -> tuple[Path, ...]:
    """One file per source that has rejects, and ``quarantined-companies.csv``.

    Returns their paths, relative to the workspace.
    """
    by_source: dict[str, list[Line]] = {}
    for one in rejected:
        by_source.setdefault(one.source, []).append((one.line, one.column, one.reason, one.detail))
    files = {file_name(source): (_HEADER, rows) for source, rows in by_source.items()}
    doubts: list[Line] = [(one.subject, one.reason, " ".join(one.rows), one.evidence) for one in quarantined]
    if doubts:
        files["quarantined-companies.csv"] = (("subject", "reason", "rows", "evidence"), doubts)
    for name, (header, lines) in files.items():
        write_atomically(workspace / FOLDER / name, to_csv(header, lines))
    return tuple(Path(FOLDER) / name for name in files)


def file_name(source: str) -> str:
    """A plain file name for a source, which may be a path."""
    plain = re.sub(r"[^\w.-]+", "-", source).strip("-.")
    return plain if plain.endswith(".csv") else f"{plain}.csv"
