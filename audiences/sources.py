"""Read a source (CSV, XLSX, Parquet, SQL) into one frame of text, mapped by column name.

The only module of this package, beside the store, that touches the world. It
must not interpret a value: numbers, dates and countries are ``clean``'s work.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from audiences.errors import SourceError, SourceUnavailable, UnknownColumns, UnsupportedSource
from audiences.sources_layout import Understood, recognise_headerless
from audiences.sources_mapping import Columns, SourceFrame, assemble, score_header, understand_header
from audiences.sources_text import Head, find_head, head_rows, read_text, to_utf8


@dataclass(frozen=True, slots=True)
class Proposal:
    """What ``map`` found out about a file: ready to be written under the source in the YAML."""

    file: str
    layout: str
    kind: str
    columns: Mapping[str, tuple[str, ...]]
    unmapped: tuple[str, ...]
    notes: tuple[str, ...] = field(default=())


def read_source(
    path: str | Path, *, name: str = "", kind: str = "", layout: str = "", columns: Columns | None = None
) -> SourceFrame:
    """Read one file: CSV or other delimited text (also ``.gz``), XLSX or Parquet.

    ``kind`` and ``layout`` narrow the recognition; ``columns`` (canonical ->
    header) overrides it. Raises SourceUnavailable, UnsupportedSource,
    EmptySource, UnknownColumns or SourceError; never anything else for a file
    that is merely strange.
    """
    path = Path(path)
    name = name or path.name
    data = _load(path, name)
    if data.startswith(b"PK\x03\x04"):
        from audiences.sources_binary import read_workbook

        return read_workbook(data, name=name, kind=kind, layout=layout, columns=columns or {})
    if data.startswith(b"PAR1"):
        from audiences.sources_binary import read_parquet

        return read_parquet(data, name=name, kind=kind, layout=layout, columns=columns or {})
    return _read_delimited(data, name, kind, layout, columns or {})


def propose_mapping(path: str | Path, *, kind: str = "", layout: str = "") -> Proposal:
    """How ``read_source`` would map this file, without judging it: unknown columns are listed, not an error."""
    try:
        source = read_source(path, kind=kind, layout=layout)
    except UnknownColumns as error:
        return Proposal(Path(path).name, "", kind, {}, error.headers, (str(error),))
    notes = source.notes + ((f"{len(source.rejected)} rows rejected",) if source.rejected else ())
    return Proposal(source.source, source.layout.name, source.kind, source.mapping, source.unmapped, notes)


def _load(path: Path, name: str) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceUnavailable(f"cannot be opened ({error.strerror}).", file=name) from None
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        raise SourceError("the compressed file is cut off or damaged.", file=name) from None


def _read_delimited(data: bytes, name: str, kind: str, layout: str, columns: Columns) -> SourceFrame:
    text, notes = to_utf8(data, name)
    head, found = _understand(text, name, kind, layout, columns)
    wanted = sorted({i for places in found.positions.values() for i in places})
    table = read_text(text, head, wanted, name)
    return assemble(
        table.frame, found, head.header or found.layout.headerless, name=name,
        rejected=table.rejected, notes=notes + table.notes,
    )  # fmt: skip


def _understand(text: bytes, name: str, kind: str, layout: str, columns: Columns) -> tuple[Head, Understood]:
    def score(cells: Sequence[str]) -> int:
        return score_header(cells, kind=kind, layout=layout, columns=columns)

    head = find_head(text, score, name)
    if head is not None:
        found = understand_header(head.header, name=name, kind=kind, layout=layout, columns=columns)
        if found is not None:
            return head, found
    return _understand_headerless(text, name, layout)


def _understand_headerless(text: bytes, name: str, layout: str) -> tuple[Head, Understood]:
    rows = [cells for _, _, cells in head_rows(text, ",") if any(cells)]
    found = recognise_headerless(rows, layout=layout)
    if found is None:
        width = max(map(len, rows), default=0)
        raise UnknownColumns(f"no header line was understood ({width} columns).", file=name, line=1)
    return Head(",", (), 1, 0, len(found.layout.headerless)), found


__all__ = ["Proposal", "SourceFrame", "UnsupportedSource", "propose_mapping", "read_source"]
