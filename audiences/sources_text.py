"""Bytes to text and to the place where the table starts: encoding, delimiter, preamble.

Must not know what a column means: a score for "this row looks like a header"
is handed in.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import mmap
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from audiences.errors import EmptySource, SourceError, SourceUnavailable, UnsupportedSource

DELIMITERS = (",", "\t", ";", "|")
HEAD = 1 << 18
LONGEST_HEAD = 1 << 22  # bytes; a header of thousands of long names is longer than HEAD
SLICE = 1 << 24
LARGEST = 4 << 30  # bytes; a file of a few kilobytes may unpack to more than any machine has
_BINARY = {
    b"%PDF": "a PDF",
    b"\xd0\xcf\x11\xe0": "an old or locked Office file",
    b"SQLite format": "a SQLite database",
    b"\x89PNG": "a picture",
}
_JSON = re.compile(rb'(?:\xef\xbb\xbf)?\s*(?:\{\s*["}]|\[\s*[\[{"\]])')
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, eq=False)
class Text:
    """The bytes of a source. ``path`` is set while they are the file's own, so that a reader may map it.

    ``settled``: made by us, and UTF-8 throughout; not to be judged again.
    """

    data: bytes | mmap.mmap
    path: Path | None = None
    notes: tuple[str, ...] = ()
    settled: bool = False

    def slices(self, start: int = 0) -> Iterator[bytes]:
        for at in range(start, len(self.data), SLICE):
            yield self.data[at : at + SLICE]


@dataclass(frozen=True, slots=True)
class Head:
    """Where the table starts and how it is cut."""

    delimiter: str
    header: tuple[str, ...]  # () when the export has none
    first_line: int  # physical line of the first data row, 1-based
    offset: int  # its byte offset
    width: int


def open_bytes(path: Path, name: str) -> Text:
    """Map a file, or unpack it when it is gzip. Raises SourceUnavailable, SourceError, UnsupportedSource."""
    try:
        with path.open("rb") as file:
            if file.read(2) != b"\x1f\x8b":
                return Text(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), path)
    except ValueError:  # an empty file cannot be mapped
        return Text(b"")
    except OSError as error:
        raise SourceUnavailable(f"it cannot be opened ({error.strerror}).", file=name) from None
    try:
        with gzip.open(path) as stream:
            plain = stream.read(LARGEST + 1)
    except (OSError, EOFError, zlib.error):
        raise SourceError("the compressed file is cut off or damaged.", file=name) from None
    if len(plain) > LARGEST:
        raise UnsupportedSource("it is larger than 4 GiB when unpacked.", file=name, remedy="Split the file.")
    return Text(plain)


def as_utf8(raw: Text, name: str, *, whole: bool = False) -> Text:
    """The text as UTF-8, with a note of what had to be done to get there.

    Only the beginning is judged unless ``whole``; Polars finds out about the
    rest, and the answer is asked for again. Without a byte order mark, what is
    not UTF-8 is Windows-1252 (which has all letters of Latin-1), unless most of
    its letters are good UTF-8: then single places are damaged, and stay so.
    Raises UnsupportedSource for binary files.
    """
    if raw.settled:
        return raw
    start = raw.data[:4096]
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return raw if encoding == "utf-8" and not whole else _recoded(raw, encoding, name, len(mark))
    for magic, what in _BINARY.items():
        if start.startswith(magic):
            raise UnsupportedSource(f"this is {what}, not text.", file=name)
    if _JSON.match(start):
        raise UnsupportedSource("this is JSON, not a table.", file=name)
    if b"\0" in start and not _is_text_with_stray_nulls(start):
        return _recoded(raw, _utf16_without_mark(start, name), name, 0)
    if _is_utf8(raw.slices() if whole else iter([raw.data[:HEAD]]), whole=whole or len(raw.data) <= HEAD):
        return raw
    return _from_western(raw)


_CONTROLS = bytes(set(range(1, 32)) - set(b"\t\n\r"))


def _is_text_with_stray_nulls(start: bytes) -> bool:
    """A few null bytes and no other control character: rows of such a text are damaged, the others are good."""
    return 20 * start.count(0) < len(start) and len(start.translate(None, _CONTROLS)) == len(start)


def _utf16_without_mark(start: bytes, name: str) -> str:
    even, odd = start[::2].count(0), start[1::2].count(0)
    if max(even, odd) < 0.2 * len(start) or min(even, odd) > 0:
        raise UnsupportedSource("this is a binary file, not text.", file=name)
    return "utf-16-be" if even > odd else "utf-16-le"


def _recoded(raw: Text, encoding: str, name: str, mark: int) -> Text:
    if encoding == "utf-8":
        return as_utf8(Text(raw.data[mark:]), name, whole=True)
    data = bytes(raw.data[:])
    try:
        text = data.decode(encoding).lstrip("\ufeff")
        return Text(text.encode(), None, (f"read as {encoding.upper()}",), settled=True)
    except UnicodeError as error:
        line = data[: getattr(error, "start", 0)].replace(b"\0", b"").count(b"\n") + 1
        raise SourceError(f"the text breaks off or is not {encoding}.", file=name, line=line) from None


def _is_utf8(slices: Iterator[bytes], *, whole: bool) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for piece in slices:
            decoder.decode(piece)
        decoder.decode(b"", final=whole)
    except UnicodeDecodeError:
        return False
    return True


def _from_western(raw: Text) -> Text:
    data = bytes(raw.data[:])
    letters = sum(1 for c in data.decode("utf-8", errors="ignore") if ord(c) > 0x7F)
    broken = data.decode("utf-8", errors="replace").count("\ufffd")
    if letters > broken:
        text, note = data.decode("utf-8", errors="replace"), "damaged characters"
    else:
        text, note = _western(data)
    return Text(text.encode(), None, (note,), settled=True)


def _western(data: bytes) -> tuple[str, str]:
    try:
        return data.decode("cp1252"), "read as Windows-1252"
    except UnicodeDecodeError:
        return data.decode("latin-1"), "read as ISO-8859-1"


def head_rows(text: Text, delimiter: str, *, limit: int = 80) -> list[tuple[int, int, list[str]]]:
    """(line, byte offset, cells) of the first rows, as one delimiter sees them."""
    piece = text.data[: _head_end(text.data)]
    rows: list[tuple[int, int, list[str]]] = []
    offset, line, source = 0, 1, _Counting(piece.decode("utf-8", errors="ignore"))
    try:
        for cells in csv.reader(source, delimiter=delimiter):
            rows.append((line, offset, cells))
            line, offset = 1 + source.lines, source.bytes
            if len(rows) == limit:
                return rows
    except csv.Error:
        return rows  # the reader of the rows will name the line; here only the head matters
    return rows if len(piece) == len(text.data) else rows[:-1]


def _head_end(data: bytes | mmap.mmap) -> int:
    """HEAD, and on to the end of the next line but one: a header that ends beyond it, and a row, are whole."""
    end = HEAD
    for _ in range(2):
        found = data.find(b"\n", end, LONGEST_HEAD)
        end = found + 1 if found >= 0 else end
    return end


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
        return line.removeprefix("\ufeff")


def find_head(text: Text, score: Callable[[Sequence[str]], int], name: str) -> Head | None:
    """The header line: the row whose cells the layouts know best, under any delimiter. None when there is
    none.

    Comment lines (``#``), titles and blank lines above it are skipped. A single known word below rows that
    are as full is no header: it is a value, such as the topic "web" in an intent feed without a header line.
    """
    if not text.data[:HEAD].removeprefix(codecs.BOM_UTF8).strip():
        raise EmptySource("the file is empty.", file=name)
    best: tuple[int, int, Head] | None = None
    for delimiter in DELIMITERS:
        rows, fullest = head_rows(text, delimiter), 0
        for at, (line, _, cells) in enumerate(rows):
            known = 0 if not cells or cells[0].startswith("#") else score(cells)
            filled = sum(1 for cell in cells if cell.strip())
            value, fullest = known == 1 and 3 <= filled <= fullest, max(fullest, filled)
            if known and not value and (best is None or (known, -at) > best[:2]):
                after = rows[at + 1] if at + 1 < len(rows) else (line + 1, len(text.data), [])
                best = (known, -at, Head(delimiter, tuple(cells), after[0], after[1], len(cells)))
    return best[2] if best else None
