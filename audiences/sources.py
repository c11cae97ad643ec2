"""Read a source (CSV, XLSX, Parquet; SQL in ``sources_sql``) into one frame of text, mapped by column name.

With its siblings the only module of this package, beside the store, that
touches the world. It must not interpret a value: that is ``clean``'s work.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from audiences.errors import ConfigError, SourceError, UnknownColumns
from audiences.sources_layout import REMAP, Understood, recognise_headerless
from audiences.sources_mapping import (
    Columns,
    SourceFrame,
    assemble,
    check_choice,
    score_header,
    understand_header,
)
from audiences.sources_rows import read_rows
from audiences.sources_text import Head, Text, as_utf8, find_head, head_rows, open_bytes

NAME_THEM = (
    "Say under the source in the YAML which column is which, such as columns: {domain: Internet, name: Partner}; "
    "the file needs a line with the names of its columns."
)


@dataclass(frozen=True, slots=True)
class Proposal:
    """What ``map`` found out about a file: ready to be written under the source in the YAML."""

    file: str
    layout: str
    kind: str
    columns: Mapping[str, tuple[str, ...]]  # canonical column -> header names
    unmapped: tuple[str, ...]
    notes: tuple[str, ...] = ()


def read_source(
    path: str | Path,
    *,
    name: str = "",
    kind: str = "",
    layout: str = "",
    columns: Columns | None = None,
    sheet: str = "",
) -> SourceFrame:
    """Read one file: CSV or other delimited text (also ``.gz``), XLSX or Parquet.

    ``kind`` and ``layout`` narrow the recognition; ``columns`` (canonical ->
    header) overrides it; ``sheet`` picks one of a workbook. Raises
    SourceUnavailable, UnsupportedSource, EmptySource, UnknownColumns,
    ConfigError or SourceError; never anything else for a file that is merely
    strange.
    """
    path = Path(path)
    name, columns = name or path.name, columns or {}
    check_choice(kind, layout, name)
    raw = open_bytes(path, name)
    if raw.data[:4] in (b"PK\x03\x04", b"PAR1"):
        from audiences.sources_binary import read_parquet, read_workbook

        if raw.data[:4] == b"PAR1":
            return read_parquet(raw.data[:], name=name, kind=kind, layout=layout, columns=columns)
        return read_workbook(raw.data[:], name=name, kind=kind, layout=layout, columns=columns, sheet=sheet)
    return _read_delimited(as_utf8(raw, name), name, kind, layout, columns)


def propose_mapping(path: str | Path, *, kind: str = "", layout: str = "") -> Proposal:
    """How ``read_source`` would map this file, without judging it: unknown columns are listed, not an error.

    A file whose header says nothing known comes back with layout "" and all of
    its column names unmapped; a file that cannot be read at all still raises.
    """
    try:
        source = read_source(path, kind=kind, layout=layout)
    except UnknownColumns as error:
        place, what = f"{error.where()}: " if error.where() else "", error.args[0]
        return Proposal(
            Path(path).name, "", kind, {}, _first_row(Path(path)), (f"{place}{what} {NAME_THEM}",)
        )
    lost = len(source.rejected)
    notes = source.notes + ((f"{lost:,} {'row' if lost == 1 else 'rows'} cannot be read",) if lost else ())
    notes += tuple(_left_to_say(source))
    return Proposal(source.source, source.layout.name, source.kind, source.mapping, source.unmapped, notes)


def _left_to_say(source: SourceFrame) -> Iterator[str]:
    """What a table of signals needs beside its columns."""
    if source.kind == "signals" and "on" not in source.mapping:
        yield "No column says the day: add as_of: YYYY-MM-DD, the day of the export, to this source."
    if source.kind == "signals" and "kind" not in source.mapping and "kind" not in source.layout.constants:
        yield "No column says what was done: add kind: to this source, such as kind: webinar."


def _first_row(path: Path) -> tuple[str, ...]:
    """The first line's cells where they read like column names: no digits, no ``@``. Else nothing, it may be
    a person.
    """
    raw = open_bytes(path, path.name)
    if raw.data[:4] in (b"PK\x03\x04", b"PAR1"):
        return ()
    text = as_utf8(raw, path.name)
    rows = max(
        (head_rows(text, d, limit=1) for d in (",", "\t", ";", "|")), key=lambda r: len(r[0][2]) if r else 0
    )
    cells = [cell.strip() for cell in rows[0][2]] if rows else []
    named = all(cell and "@" not in cell and not any(c.isdigit() for c in cell) for cell in cells)
    return tuple(cells) if named else ()


def _read_delimited(text: Text, name: str, kind: str, layout: str, columns: Columns) -> SourceFrame:
    head, found = _understand(text, name, kind, layout, columns)
    wanted = sorted({i for places in found.positions.values() for i in places})
    rows = read_rows(text, head, wanted, name)
    return assemble(
        rows.frame,
        found,
        head.header or found.layout.headerless,
        name=name,
        rejected=rows.rejected,
        notes=text.notes + rows.notes,
    )


def _understand(text: Text, name: str, kind: str, layout: str, columns: Columns) -> tuple[Head, Understood]:
    def score(cells: Sequence[str]) -> int:
        return score_header(cells, kind=kind, layout=layout, columns=columns)

    head = find_head(text, score, name)
    if head is not None:
        found = understand_header(head.header, name=name, kind=kind, layout=layout, columns=columns)
        if found is not None:
            return head, found
    if columns:
        field = f"columns.{next(iter(columns))}"
        raise ConfigError("none of the mapped columns is in the file.", file=name, field=field, remedy=REMAP)
    return _understand_headerless(text, name, layout)


def _understand_headerless(text: Text, name: str, layout: str) -> tuple[Head, Understood]:
    rows = [cells for _, _, cells in head_rows(text, ",") if any(cells)]
    found = recognise_headerless(rows, layout=layout)
    if found is None:
        raise UnknownColumns("no header line was understood.", file=name, line=1)
    return Head(",", (), 1, 0, len(found.layout.headerless)), found


__all__ = ["Proposal", "SourceError", "SourceFrame", "propose_mapping", "read_source"]
