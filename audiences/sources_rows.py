"""Delimited text to rows of cells, with true line numbers.

Two readers give one answer. The fast one (Polars) is used where the bytes
prove that every line is one row; anything odd goes to the careful one, which
counts physical lines. Must not know what a column means.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce
from operator import or_

import polars as pl

from audiences.errors import SourceError
from audiences.model import Rejected
from audiences.sources_survey import Survey, survey
from audiences.sources_text import Head, Text, as_utf8

FOOTER = re.compile(
    r"(?i)^\W*(grand totals?|totals?|subtotals?|total general|gesamt(summe)?|summe|suma|totale?|confidential|"
    r"copyright|generated (by|on)|filtered by|all rights reserved|©)\b"
)


@dataclass(frozen=True, slots=True)
class Rows:
    """Cells as text, trimmed, blank as null: ``line`` (UInt32) and ``c<position>`` per column asked for."""

    frame: pl.DataFrame
    rejected: tuple[Rejected, ...]
    notes: tuple[str, ...]


def read_rows(text: Text, head: Head, wanted: Sequence[int], name: str) -> Rows:
    """Every data row below the header; ``wanted`` are the positions to keep, ascending.

    Raises SourceError with the line when a quoted cell never ends.
    """
    rows = None if _ends_oddly(text, head) else _read_fast(text, head, wanted)
    return rows or _read_careful(as_utf8(text, name, whole=True), head, wanted, name)


def trimmed(cell: pl.Expr) -> pl.Expr:
    """A cell without outer blanks; null when nothing is left."""
    bare = cell.str.strip_chars()
    return pl.when(bare != "").then(bare)


def _ends_oddly(text: Text, head: Head) -> bool:
    """Whether the last lines hold a footer or a blank, which only the careful reader tells from rows."""
    tail = text.data[max(head.offset, len(text.data) - 4096) :]
    blank = b"\n\n" in tail or b"\n\r\n" in tail
    return blank or any(
        FOOTER.match(line) for line in tail.decode("utf-8", errors="ignore").splitlines()[-12:]
    )


def _read_fast(text: Text, head: Head, wanted: Sequence[int]) -> Rows | None:
    """Polars, or None when its answer cannot be proved to have one row per line.

    The bytes are looked at while Polars cuts them: either leaves processors idle by itself.
    """
    with ThreadPoolExecutor(1) as beside:
        looking = beside.submit(survey, text.data, start=head.offset, delimiter=head.delimiter)
        frame = _cut(text, head, wanted)
        found = looking.result()
    if frame is None or found.odd or frame.height != found.lines:
        return None
    frame = frame.select(trimmed(pl.all())) if found.rare_blanks else _without_outer_spaces(frame, found)
    lines = pl.int_range(head.first_line, head.first_line + frame.height, dtype=pl.UInt32, eager=True)
    frame.insert_column(0, lines.alias("line"))
    return Rows(frame, (), ()) if _looks_whole(frame, text) else None


def _cut(text: Text, head: Head, wanted: Sequence[int]) -> pl.DataFrame | None:
    """The cells as Polars sees them, ``c<position>``; None when it refuses the text."""
    names = [f"column_{i + 1}" for i in range(head.width)]
    table = pl.scan_csv(
        text.path or bytes(text.data[:]),
        has_header=False,
        separator=head.delimiter,
        skip_lines=head.first_line - 1,
        schema=dict.fromkeys(names, pl.String),
    ).select(pl.col(names[i]).alias(f"c{i}") for i in wanted)
    try:
        return table.collect(engine="streaming")
    except (pl.exceptions.PolarsError, UnicodeError):
        return None


def _without_outer_spaces(frame: pl.DataFrame, found: Survey) -> pl.DataFrame:
    """Trim only the columns that need it; a blank beside a comma is mostly inside a quoted name."""
    signs = [
        sign
        for possible, sign in (
            (found.leading, pl.all().str.starts_with(" ")),
            (found.trailing, pl.all().str.ends_with(" ")),
            (found.empties, pl.all() == ""),
        )
        if possible
    ]
    if not signs:
        return frame
    answers = frame.select(reduce(or_, signs).any()).row(0)
    columns = [name for name, needed in zip(frame.columns, answers, strict=True) if needed]
    return frame.with_columns(trimmed(pl.col(columns))) if columns else frame


def _looks_whole(frame: pl.DataFrame, text: Text) -> bool:
    """No row with a single cell (it may be a footer), and a last line that does not just break off."""
    full = sum(1 for column in frame.iter_columns() if not column.null_count())  # "line" is one
    if frame.width > 2 and full < 3:
        filled = pl.sum_horizontal(pl.exclude("line").is_not_null())
        if frame.select((filled <= 1).any()).item():
            return False
    ends = text.data[-1:] == b"\n"
    return bool(ends or frame.height == 0 or frame.item(-1, -1) is not None)


def _read_careful(text: Text, head: Head, wanted: Sequence[int], name: str) -> Rows:
    reader = _CarefulReader(head, wanted, name)
    body = _after_lines(text.data[:].decode("utf-8-sig", errors="replace"), head.first_line - 1)
    frames = list(reader.frames(body))
    frame = pl.concat(frames).with_columns(trimmed(pl.exclude("line")))
    return Rows(frame, tuple(reader.rejected), tuple(reader.notes()))


def _after_lines(text: str, count: int) -> str:
    """What follows the first ``count`` physical lines, whichever of the three line ends they have."""
    lines, at = io.StringIO(text, newline=""), 0
    for _ in range(count):
        at += len(lines.readline())
    return text[at:]


class _CarefulReader:
    """The csv module row by row, with physical line numbers, footers and ragged rows told apart."""

    def __init__(self, head: Head, wanted: Sequence[int], name: str) -> None:
        self.head, self.wanted, self.name = head, wanted, name
        self.rejected: list[Rejected] = []
        self.short = self.footers = 0

    def frames(self, text: str, *, size: int = 50_000) -> Iterator[pl.DataFrame]:
        batch: list[list[str | int]] = []
        held: list[int] = []  # lines that are a footer if nothing follows them
        last = self._last_line_if_cut(text)
        for line, cells in self._rows(text):
            if not any(cell.strip() for cell in cells):
                continue
            if self._like_footer(cells):
                held.append(line)
                continue
            for earlier in held:
                self._refuse(earlier, "too_few_columns")
            held = []
            row = self._checked(line, cells, cut=line == last)
            if row is not None:
                batch.append([line, *row])
            if len(batch) == size:
                yield self._frame(batch)
                batch = []
        self.footers = len(held)
        yield self._frame(batch)

    def _last_line_if_cut(self, text: str) -> int:
        """The physical line of a last row without a line end, which may have been cut off; else 0."""
        if not text or text.endswith(("\n", "\r")):
            return 0
        return self.head.first_line + len(io.StringIO(text, newline="").readlines()) - 1

    def _rows(self, text: str) -> Iterator[tuple[int, list[str]]]:
        csv.field_size_limit(max(len(text), 1 << 17))
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=self.head.delimiter, strict=True)
        line = self.head.first_line
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                if "end of data" in str(error):
                    raise SourceError(
                        "a quoted cell opens here and never ends.", file=self.name, line=line
                    ) from None
                last = self.head.first_line + reader.line_num - 1
                self._refuse(line, "damaged_quotes", f"lines {line} to {last} are one row with stray quotes")
            else:
                yield line, cells
            line = self.head.first_line + reader.line_num

    def _like_footer(self, cells: list[str]) -> bool:
        """One cell in a wide table, or a totals line: a footer if nothing else follows it."""
        filled = [cell for cell in cells if cell.strip()]
        if len(cells) == 1 and self.head.width > 2:
            return True
        return bool(FOOTER.match(cells[0])) and not any(
            re.search(r"[^\W\d_]{2,}", cell) for cell in filled[1:]
        )

    def _checked(self, line: int, cells: list[str], *, cut: bool) -> list[str] | None:
        """The cells wanted, or None with the reason put down."""
        width = self.head.width
        if any(cell.strip() for cell in cells[width:]):
            return self._refuse(line, "too_many_columns")
        if any("\ufffd" in cell or "\0" in cell for cell in cells):
            return self._refuse(line, "damaged_text", "a character could not be read")
        if len(cells) < width and cut:
            return self._refuse(line, "cut_off", "the file ends in the middle of this row")
        if len(cells) < width:
            self.short += 1
            cells = cells + [""] * (width - len(cells))
        return [cells[i] for i in self.wanted]

    def _refuse(
        self, line: int, reason: str, detail: str = "the row does not fit the header"
    ) -> list[str] | None:
        self.rejected.append(Rejected(self.name, line, "", reason, detail))
        return None

    def _frame(self, batch: list[list[str | int]]) -> pl.DataFrame:
        schema: dict[str, pl.DataType] = {"line": pl.UInt32()}
        schema.update({f"c{i}": pl.String() for i in self.wanted})
        return pl.DataFrame(batch, schema=schema, orient="row")

    def notes(self) -> Iterator[str]:
        if self.short:
            yield f"{self.short} rows end early; their missing last columns count as blank"
        if self.footers:
            yield footers_left_out(self.footers)


def footers_left_out(count: int) -> str:
    """The note about totals and the like below a table."""
    return f"{count:,} footer {'line' if count == 1 else 'lines'} left out"
