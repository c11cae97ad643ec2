"""Bytes of a downloaded table -> lines of cells, whatever its encoding and delimiter. It knows no column."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from platforms.errors import FileNotUnderstood

DELIMITERS = ("\t", ",", ";")
_MARKS = str.maketrans("", "", ".,' ")
WORKBOOK = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class Line:
    """One record. ``number`` is the 1-based line of the file it starts on."""

    number: int
    cells: tuple[str, ...]

    @property
    def blank(self) -> bool:
        return not any(cell.strip() for cell in self.cells)

    @property
    def text(self) -> str:
        return ", ".join(self.cells)


def readings(data: bytes, name: str) -> tuple[tuple[Line, ...], ...]:
    """Every way to read the file: one per delimiter, or a workbook's first sheet."""
    if data.startswith(WORKBOOK):
        return (_sheet(data, name),)
    text, _ = decode(data)
    return tuple(lines(text, delimiter) for delimiter in DELIMITERS)


def _sheet(data: bytes, name: str) -> tuple[Line, ...]:
    import fastexcel

    try:
        sheet = fastexcel.read_excel(data).load_sheet(0, header_row=None, dtypes="string")
        frame = sheet.to_polars()
    except fastexcel.FastExcelError:
        raise FileNotUnderstood("the workbook cannot be opened", file=name) from None
    rows = frame.iter_rows()
    return tuple(Line(n, tuple(cell or "" for cell in row)) for n, row in enumerate(rows, start=1))


def decode(data: bytes) -> tuple[str, str]:
    """(text, encoding). Campaign Manager writes UTF-16 with a mark; spreadsheets make other things of it."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16"), "utf-16"
    if data[:3] == b"\xef\xbb\xbf":
        return data.decode("utf-8-sig"), "utf-8-sig"
    for encoding in ("utf-16-le", "utf-16-be") if data[:200].count(0) > 20 else ():
        if data[encoding == "utf-16-le" : 200 : 2].count(0) > 20:
            return data.decode(encoding), encoding
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return data.decode("latin-1"), "latin-1"


def lines(text: str, delimiter: str) -> tuple[Line, ...]:
    """All records, blank ones too (they separate stacked tables); () where the text is no such table."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    found, before = [], 0
    try:
        for cells in reader:
            found.append(Line(before + 1, tuple(cells)))
            before = reader.line_num
    except csv.Error:
        return ()
    return tuple(found)


def tables(found: Sequence[Line]) -> Iterator[tuple[Line, ...]]:
    """Runs of lines between blank ones."""
    run: list[Line] = []
    for line in found:
        if line.blank:
            if run:
                yield tuple(run)
            run = []
        else:
            run.append(line)
    if run:
        yield tuple(run)


def no_header(ways: Sequence[Sequence[Line]], name: str) -> FileNotUnderstood:
    """What to say of a file without a header we know: the line that seems to be one, and what it calls its columns.

    Only words above a line with several plain numbers are quoted, so no list of people is.
    """
    for way in ways:
        for line, after in pairwise(way):
            words = [cell.strip() for cell in line.cells if cell.strip()]
            numbers = sum(_number(cell) for cell in after.cells)
            if len(words) > 2 and numbers > 1 and not any("@" in word or _digits(word) for word in words):
                told = ", ".join(word[:60] for word in words[:20])
                said = f"no column of the header is known as impressions; it has: {told}"
                return FileNotUnderstood(said, file=name, line=line.number)
    return FileNotUnderstood("no line looks like a header with impressions", file=name, line=1)


def _digits(text: str) -> bool:
    return any(char.isdigit() for char in text)


def _number(cell: str) -> bool:
    bare = cell.strip().translate(_MARKS)
    return bare.isascii() and bare.isdigit()
