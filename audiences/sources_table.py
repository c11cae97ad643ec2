"""Any table (CSV, XLSX, Parquet, query) under the column names it has itself, every cell as text.

For files whose columns are mapped elsewhere, such as deals. Must not interpret a value.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import polars as pl

from audiences.errors import EmptySource, UnknownColumns
from audiences.sources_rows import read_rows, trimmed
from audiences.sources_text import Text, as_utf8, find_head, open_bytes


def read_table(path: str | Path, *, name: str = "", known: Collection[str]) -> pl.DataFrame:
    """The rows below the header line, which is the row with most of the ``known`` names (lower case).

    Of columns with the same name the first counts. Raises SourceUnavailable, UnsupportedSource, EmptySource,
    UnknownColumns (no known name anywhere) or SourceError.
    """
    path = Path(path)
    name = name or path.name
    raw = open_bytes(path, name)
    if raw.data[:4] == b"PAR1":
        frame = _parquet(raw.data[:], name)
    elif raw.data[:4] == b"PK\x03\x04":
        frame = _workbook(raw.data[:], name, known)
    else:
        frame = _delimited(as_utf8(raw, name), name, known)
    if frame.height == 0:
        raise EmptySource("there is no data row.", file=name)
    return frame


def _score(cells: Sequence[str], known: Collection[str]) -> int:
    return sum(1 for cell in cells if cell.strip().lower() in known)


def _delimited(text: Text, name: str, known: Collection[str]) -> pl.DataFrame:
    head = find_head(text, lambda cells: _score(cells, known), name)
    if head is None:
        raise UnknownColumns("no header line was understood.", file=name, line=1)
    rows = read_rows(text, head, range(head.width), name)
    return _named(rows.frame.select(pl.exclude("line")), head.header)


def _parquet(data: bytes, name: str) -> pl.DataFrame:
    from audiences.sources_binary import is_wordless, parquet_table

    frame = parquet_table(data, name)
    plain = [c for c, dtype in frame.schema.items() if not dtype.is_nested() and not is_wordless(dtype)]
    return frame.select(pl.col(plain).cast(pl.String))


def _workbook(data: bytes, name: str, known: Collection[str]) -> pl.DataFrame:
    from audiences.sources_binary import PREAMBLE, sheets_of

    for grid in sheets_of(data, name).values():
        rows = [[cell or "" for cell in row] for row in grid.head(PREAMBLE).rows()]
        scores = [_score(row, known) for row in rows]
        best = max(scores, default=0)
        if best:
            at = scores.index(best)
            return _named(grid.slice(at + 1).select(trimmed(pl.all().cast(pl.String))), rows[at])
    raise UnknownColumns("no sheet has a header line that was understood.", file=name)


def _named(cells: pl.DataFrame, header: Sequence[str]) -> pl.DataFrame:
    places = {title.strip(): at for at, title in reversed(list(enumerate(header))) if title.strip()}
    wanted = sorted(places.items(), key=lambda item: item[1])
    return pl.DataFrame([cells.to_series(at).alias(title) for title, at in wanted])
