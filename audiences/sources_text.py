"""Delimited text to rows: encoding, delimiter, preamble, footer, and true line numbers.

Two readers give one answer. The fast one (Polars) is used where the bytes
prove that every line is one row; anything odd goes to the careful one, which
counts physical lines. Must not know what a column means.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from audiences.errors import EmptySource, SourceError, UnsupportedSource
from audiences.model import Rejected

DELIMITERS = (",", "\t", ";", "|")
HEAD = 1 << 18
CHUNK = 1 << 24
FOOTER = re.compile(
    r"(?i)^\W*(grand totals?|totals?|subtotals?|total general|gesamt(summe)?|summe|suma|totale?|confidential|"
    r"copyright|generated (by|on)|filtered by|all rights reserved|©)\b"
)
_MAGIC = {b"PK\x03\x04": "a ZIP or spreadsheet", b"%PDF": "a PDF", b"\xd0\xcf\x11\xe0": "an old or locked Office file",
          b"PAR1": "a Parquet file", b"SQLite format": "a SQLite database"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Head:
    """Where the table starts and how it is cut."""

    delimiter: str
    header: tuple[str, ...]  # () when the export has none
    first_line: int  # physical line of the first data row, 1-based
    offset: int  # its byte offset in the UTF-8 text
    width: int


@dataclass(frozen=True, slots=True)
class TextTable:
    """Cells as text. ``frame`` has ``line`` (UInt32) and one column per asked position, named ``c<position>``."""

    frame: pl.DataFrame
    rejected: tuple[Rejected, ...]
    notes: tuple[str, ...]


def to_utf8(data: bytes, file: str) -> tuple[bytes, tuple[str, ...]]:
    """The text as UTF-8 without a byte order mark, and what had to be done to get there.

    Raises UnsupportedSource for binary files and SourceError (with the line)
    for text that is UTF-8 in one place and broken in another.
    """
    for mark, encoding in ((codecs.BOM_UTF8, ""), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"),
                           (codecs.BOM_UTF16_BE, "utf-16")):  # fmt: skip
        if data.startswith(mark):
            return (data[len(mark) :], ()) if not encoding else _recode(data, encoding, file)
    for magic, what in _MAGIC.items():
        if data.startswith(magic):
            raise UnsupportedSource(f"this is {what}, not text.", file=file)
    if b"\0" in data[:4096]:
        even, odd = data[:4096:2].count(0), data[1:4096:2].count(0)
        if max(even, odd) < 0.2 * len(data[:4096]) or min(even, odd) > 0:
            raise UnsupportedSource("this is a binary file, not text.", file=file)
        return _recode(data, "utf-16-be" if even > odd else "utf-16-le", file)
    damage = _first_damage(data)
    if damage is None:
        return data, ()
    return _from_western(data, damage, file)


def _recode(data: bytes, encoding: str, file: str) -> tuple[bytes, tuple[str, ...]]:
    try:
        return data.decode(encoding).lstrip("\ufeff").encode(), (f"read as {encoding.upper()}",)
    except UnicodeError as error:
        line = data[: getattr(error, "start", 0)].count(b"\n") + 1
        raise SourceError(
            f"the text breaks off or is not {encoding.upper()}.", file=file, line=line
        ) from None


def _first_damage(data: bytes) -> int | None:
    """Byte offset of the first thing that is not UTF-8; in slices, so that a large file is never copied whole."""
    decoder, done = codecs.getincrementaldecoder("utf-8")(), 0
    view = memoryview(data)
    try:
        for done in range(0, max(len(data), 1), CHUNK):
            decoder.decode(bytes(view[done : done + CHUNK]), final=done + CHUNK >= len(data))
    except UnicodeDecodeError as error:
        return done + error.start
    return None


def _from_western(data: bytes, damage: int, file: str) -> tuple[bytes, tuple[str, ...]]:
    """Not UTF-8: Windows-1252, which holds all of Latin-1's letters, unless valid UTF-8 letters prove otherwise."""
    text = data.decode("utf-8", errors="ignore")
    letters = sum(1 for c in text if ord(c) > 0x7F)
    broken = sum(1 for c in data.decode("utf-8", errors="replace") if c == "\ufffd")
    if letters > broken:
        line = data[:damage].count(b"\n") + 1
        raise SourceError("one character is damaged in a file that otherwise is UTF-8.", file=file, line=line)
    try:
        return data.decode("cp1252").encode(), ("read as Windows-1252",)
    except UnicodeDecodeError:
        return data.decode("latin-1").encode(), ("read as ISO-8859-1",)


def head_rows(data: bytes, delimiter: str, *, limit: int = 80) -> list[tuple[int, int, list[str]]]:
    """(line, byte offset, cells) of the first rows, as one delimiter sees them."""
    text = data[:HEAD].decode("utf-8", errors="ignore")
    whole = len(data) <= HEAD
    rows, offset, line = [], 0, 1
    source = _Counting(text)
    try:
        for cells in csv.reader(source, delimiter=delimiter):
            rows.append((line, offset, cells))
            line, offset = 1 + source.lines, source.bytes
            if len(rows) == limit:
                return rows
    except csv.Error:
        pass  # the careful reader names the line; here only the head matters
    return rows if whole else rows[:-1]


class _Counting:
    """Lines of a text, counting how many lines and UTF-8 bytes were handed out."""

    def __init__(self, text: str) -> None:
        self._lines = iter(io.StringIO(text, newline=""))
        self.lines = self.bytes = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.lines += 1
        self.bytes += len(line.encode())
        return line


def find_head(data: bytes, score: Callable[[Sequence[str]], int], file: str) -> Head | None:
    """The header line: the row whose cells the layouts know best, under any delimiter. None when there is none.

    Comment lines (``#``), titles and blank lines above it are skipped.
    """
    if not data.strip():
        raise EmptySource("the file is empty.", file=file)
    best: tuple[int, int, Head] | None = None
    for delimiter in DELIMITERS:
        rows = head_rows(data, delimiter)
        for at, (_, _, cells) in enumerate(rows):
            known = 0 if not cells or cells[0].startswith("#") else score(cells)
            if known and (best is None or (known, -at) > best[:2]):
                after = rows[at + 1] if at + 1 < len(rows) else None
                line, offset = (after[0], after[1]) if after else (len(data), len(data))
                best = (known, -at, Head(delimiter, tuple(cells), line, offset, len(cells)))
    return best[2] if best else None


def read_text(data: bytes, head: Head, wanted: Sequence[int], file: str) -> TextTable:
    """Every data row below the header; ``wanted`` are the positions to keep, ascending."""
    body = data[head.offset :] if head.offset else data
    if _one_line_per_row(body):
        table = _read_fast(body, head, wanted)
        if table is not None:
            return table
    return _read_careful(body, head, wanted, file)


def _one_line_per_row(body: bytes) -> bool:
    """Whether nothing in the bytes needs the careful reader before Polars has even tried."""
    returns = body.count(b"\r")
    odd_returns = returns and returns not in (body.count(b"\r\n"),)
    tail = body[-4096:]
    return not (odd_returns or b"\0" in body or _blank_line(tail) or _has_footer(tail))


def _blank_line(tail: bytes) -> bool:
    return b"\n\n" in tail or b"\n\r\n" in tail


def _has_footer(tail: bytes) -> bool:
    lines = tail.decode("utf-8", errors="ignore").splitlines()[-12:]
    return any(FOOTER.match(line) for line in lines)


def _read_fast(body: bytes, head: Head, wanted: Sequence[int]) -> TextTable | None:
    """Polars, or None when its answer cannot be proved to have one row per line."""
    names = [f"column_{i + 1}" for i in range(head.width)]
    try:
        frame = pl.read_csv(
            body, has_header=False, separator=head.delimiter, schema=dict.fromkeys(names, pl.String),
            columns=[names[i] for i in wanted],
        ).rename({names[i]: f"c{i}" for i in wanted})  # fmt: skip
    except (pl.exceptions.PolarsError, UnicodeError):
        return None
    lines = body.count(b"\n") + (0 if body.endswith(b"\n") else 1)
    filled = pl.sum_horizontal(pl.col(f"c{i}").is_not_null() for i in wanted)
    if frame.height != lines or (len(wanted) > 1 and frame.select((filled <= 1).any()).item()):
        return None
    if not body.endswith(b"\n") and frame.height and frame.item(-1, -1) is None:
        return None
    start = head.first_line
    line = pl.int_range(start, start + pl.len(), dtype=pl.UInt32).alias("line")
    return TextTable(frame.select(line, pl.all()), (), ())


def _read_careful(body: bytes, head: Head, wanted: Sequence[int], file: str) -> TextTable:
    reader = _CarefulReader(head, wanted, file)
    frames = list(reader.frames(body.decode("utf-8", errors="replace")))
    frame = pl.concat(frames) if frames else _frame([], wanted)
    return TextTable(frame, tuple(reader.rejected), tuple(reader.notes()))


class _CarefulReader:
    """The csv module row by row, with physical line numbers, footers and ragged rows told apart."""

    def __init__(self, head: Head, wanted: Sequence[int], file: str) -> None:
        self.head, self.wanted, self.file = head, wanted, file
        self.rejected: list[Rejected] = []
        self.short = self.footers = 0

    def frames(self, text: str, *, size: int = 50_000) -> Iterator[pl.DataFrame]:
        batch: list[list[str | int]] = []
        held: list[tuple[int, list[str]]] = []  # may turn out to be a footer
        for line, cells in self._rows(text):
            if not any(cell.strip() for cell in cells):
                continue
            if self._like_footer(cells):
                held.append((line, cells))
                continue
            for earlier in held:
                self._refuse(earlier[0], "too_few_columns")
            held = []
            row = self._checked(line, cells)
            if row is not None:
                batch.append([line, *row])
            if len(batch) == size:
                yield _frame(batch, self.wanted)
                batch = []
        self.footers = len(held)
        yield _frame(batch, self.wanted)

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
                        "a quoted cell opens here and never ends.", file=self.file, line=line
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
        return bool(FOOTER.match(cells[0])) and all(_numeric(cell) for cell in filled[1:])

    def _checked(self, line: int, cells: list[str]) -> list[str] | None:
        extra = cells[self.head.width :]
        if any(cell.strip() for cell in extra):
            self._refuse(line, "too_many_columns")
            return None
        if any("\ufffd" in cell or "\0" in cell for cell in cells):
            self._refuse(line, "damaged_text")
            return None
        if len(cells) < self.head.width:
            self.short += 1
            cells = cells + [""] * (self.head.width - len(cells))
        return [cells[i] for i in self.wanted]

    def _refuse(self, line: int, reason: str, detail: str = "the row does not fit the header") -> None:
        self.rejected.append(Rejected(self.file, line, "", reason, detail))

    def notes(self) -> Iterator[str]:
        if self.short:
            yield f"{self.short} rows end early; their missing last columns count as blank"
        if self.footers:
            yield f"{self.footers} footer lines left out"


def _numeric(cell: str) -> bool:
    return not re.search(r"[^\W\d_]{2,}", cell)


def _frame(batch: list[list[str | int]], wanted: Sequence[int]) -> pl.DataFrame:
    schema: dict[str, pl.DataType] = {"line": pl.UInt32(), **{f"c{i}": pl.String() for i in wanted}}
    return pl.DataFrame(batch, schema=schema, orient="row")
