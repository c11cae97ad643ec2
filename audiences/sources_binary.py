"""XLSX and Parquet to the same frame of text as delimited files.

Must not let a number's type change its digits: a spreadsheet holds every
number as a float, so an id is written back as the integer it is.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import polars as pl

from audiences.errors import EmptySource, SourceError, UnknownColumns
from audiences.sources_layout import Understood
from audiences.sources_mapping import Columns, SourceFrame, assemble, score_header, understand_header
from audiences.sources_rows import FOOTER, footers_left_out, trimmed

PREAMBLE = 80


def read_workbook(
    data: bytes, *, name: str, kind: str, layout: str, columns: Columns, sheet: str = ""
) -> SourceFrame:
    """The first sheet that has a header the layouts know, or the sheet asked for."""
    sheets = sheets_of(data, name, sheet)
    for title, grid in sheets.items():
        found = _table_in(grid, name=name, kind=kind, layout=layout, columns=columns)
        if found is not None:
            frame, understood, header, footers = found
            notes = [f"sheet {title!r}"] if len(sheets) > 1 else []
            notes += [footers_left_out(footers)] if footers else []
            return assemble(frame, understood, header, name=name, notes=notes)
    raise UnknownColumns("no sheet has a header line that was understood.", file=name)


def sheets_of(data: bytes, name: str, sheet: str = "") -> Mapping[str, pl.DataFrame]:
    """Title -> cells as text, without a header, of each sheet that has rows, or of the one asked for."""
    import fastexcel

    with _readable("the workbook cannot be read", name, fastexcel.FastExcelError, ValueError, OSError):
        book = fastexcel.read_excel(data)
        titles = [sheet] if sheet else book.sheet_names
        loaded = {
            t: book.load_sheet(t, header_row=None, dtypes="string", skip_rows=0).to_polars() for t in titles
        }
    return {title: grid for title, grid in loaded.items() if grid.height}


def _table_in(
    grid: pl.DataFrame, *, name: str, kind: str, layout: str, columns: Columns
) -> tuple[pl.DataFrame, Understood, Sequence[str], int] | None:
    """Find the header row of one sheet; titles above it and totals below it are left out, and these counted."""
    rows = [[cell or "" for cell in row] for row in grid.head(PREAMBLE).rows()]
    scores = [score_header(row, kind=kind, layout=layout, columns=columns) for row in rows]
    if not scores or max(scores) == 0:
        return None
    at = scores.index(max(scores))
    understood = understand_header(rows[at], name=name, kind=kind, layout=layout, columns=columns)
    if understood is None:
        return None
    body = _positions(grid).slice(at + 1)
    blank = pl.all_horizontal(pl.exclude("line").is_null() | (pl.exclude("line").str.strip_chars() == ""))
    filled = body.filter(~blank)
    cells = _without_totals(filled)
    footers = filled.height - cells.height
    return cells.with_columns(trimmed(pl.exclude("line"))), understood, rows[at], footers


def _positions(grid: pl.DataFrame) -> pl.DataFrame:
    """Columns as ``c<position>`` with the sheet's own row numbers; ``9001000001.0`` becomes ``9001000001``
    again.
    """
    cells = grid.rename({old: f"c{i}" for i, old in enumerate(grid.columns)})
    whole = pl.all().cast(pl.String).str.replace(r"^(-?\d+)\.0$", "${1}")
    return cells.select(whole).with_row_index("line", offset=1)


def _without_totals(body: pl.DataFrame) -> pl.DataFrame:
    keep = body.height
    while keep and FOOTER.match(_first_text(body.row(keep - 1))):
        keep -= 1
    return body.head(keep)


def _first_text(row: tuple[object, ...]) -> str:
    return next((str(cell) for cell in row[1:] if cell), "")


def read_parquet(data: bytes, *, name: str, kind: str, layout: str, columns: Columns) -> SourceFrame:
    """A Parquet file; every column becomes text, lists are joined with ``;``."""
    return from_frame(parquet_table(data, name), name=name, kind=kind, layout=layout, columns=columns)


def parquet_table(data: bytes, name: str) -> pl.DataFrame:
    """The table as it is. Raises SourceError when the file is cut off or damaged."""
    with _readable("the Parquet file is cut off or damaged", name, pl.exceptions.PolarsError, OSError):
        return pl.read_parquet(io.BytesIO(data))


@contextmanager
def _readable(words: str, name: str, *kinds: type[Exception]) -> Iterator[None]:
    """Errors of these kinds as SourceError, and a reader's panic too, which is no ``Exception``: both readers
    are written in Rust, and give up like that over some damage.
    """
    try:
        yield
    except BaseException as error:
        if isinstance(error, kinds) or type(error).__name__ == "PanicException":
            raise SourceError(f"{words} ({type(error).__name__}).", file=name) from None
        raise


def from_frame(frame: pl.DataFrame, *, name: str, kind: str, layout: str, columns: Columns) -> SourceFrame:
    """A table that already has named columns (Parquet, a query); ``line`` is the row number."""
    if frame.height == 0:
        raise EmptySource("there is no row.", file=name)
    header = frame.columns
    understood = understand_header(header, name=name, kind=kind, layout=layout, columns=columns)
    if understood is None:
        raise UnknownColumns("no column was recognised.", file=name)
    texts = frame.select(_as_text(frame[c]).alias(f"c{i}") for i, c in enumerate(header))
    texts = texts.select(trimmed(pl.all()))
    mapped = sorted(i for places in understood.positions.values() for i in places)
    notes = [
        f'column "{header[i]}" holds no text and is left blank'
        for i in mapped
        if is_wordless(frame.dtypes[i])
    ]
    return assemble(texts.with_row_index("line", offset=1), understood, header, name=name, notes=notes)


def is_wordless(dtype: pl.DataType) -> bool:
    """Whether its values have no text that a person would write: bytes, durations, values inside values."""
    inner = dtype.inner if isinstance(dtype, pl.List) else dtype
    return inner.is_nested() or inner in (pl.Binary, pl.Duration)


def _as_text(column: pl.Series) -> pl.Series:
    if is_wordless(column.dtype):
        return pl.Series(column.name, [None], dtype=pl.String).new_from_index(0, len(column))
    if isinstance(column.dtype, pl.List):
        return column.cast(pl.List(pl.String)).list.join(";")
    if column.dtype.is_float() and bool((column.drop_nulls() == column.drop_nulls().floor()).all()):
        column = column.cast(pl.Int64, strict=False)
    return column.cast(pl.String)
