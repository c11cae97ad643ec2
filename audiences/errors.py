"""What can be wrong with our data or our settings, sorted by what to do next.

Must not hold a value from a row: an error carries files, lines, columns, codes
and counts, so that it may be logged, pickled and shown to anybody.
"""

from __future__ import annotations

from typing import ClassVar


class AudienceError(Exception):
    """Something on our side of the wire is not as it should be.

    Every field is a keyword with a default, because an error that crosses a
    process boundary is rebuilt from ``args`` alone and then gets ``__dict__``.
    """

    retryable: ClassVar[bool] = False
    remedy: str = "Correct the input and run again."

    def __init__(self, message: str = "", *, remedy: str = "") -> None:
        super().__init__(message)
        if remedy:
            self.remedy = remedy

    def where(self) -> str:
        """The place, for the front of the message: ``file, line 3, column "Domain"``."""
        return ""

    def __str__(self) -> str:
        place = self.where()
        return f"{place}: {self.args[0]} {self.remedy}" if place else f"{self.args[0]} {self.remedy}"


class _Placed(AudienceError):
    """An error with a place in a file. Line is 1-based; 0 means the file as a whole."""

    _kind: ClassVar[str] = "column"

    def __init__(
        self, message: str = "", *, file: str = "", line: int = 0, spot: str = "", remedy: str = ""
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.file, self.line, self._spot = file, line, spot

    def where(self) -> str:
        parts = [self.file] if self.file else []
        parts += [f"line {self.line}"] if self.line else []
        parts += [f'{self._kind} "{self._spot}"'] if self._spot else []
        return ", ".join(parts)


class ConfigError(_Placed):
    """A setting in a YAML file cannot be used. Says which file, line and field."""

    remedy = "Correct the field in that file and run again."
    _kind = "field"

    def __init__(
        self, message: str = "", *, file: str = "", line: int = 0, field: str = "", remedy: str = ""
    ) -> None:
        super().__init__(message, file=file, line=line, spot=field, remedy=remedy)
        self.field = field


class SourceError(_Placed):
    """A source file or query cannot be read as a table. Says which file, line and column."""

    remedy = "Open the file at that place, correct or export it again, and import it again."

    def __init__(
        self, message: str = "", *, file: str = "", line: int = 0, column: str = "", remedy: str = ""
    ) -> None:
        super().__init__(message, file=file, line=line, spot=column, remedy=remedy)
        self.column = column


class SourceUnavailable(SourceError):
    """The file or database could not be reached at all; the data may be perfectly fine."""

    retryable = True
    remedy = "Check the path, the database address and the permissions, then run again."


class EmptySource(SourceError):
    """There is no data row. Going on would look like everybody left every list."""

    remedy = "Check that the export finished; an empty source is never taken as 'remove everybody'."


class UnknownColumns(SourceError):
    """No column that could identify a company or a person was recognised.

    ``headers`` stays empty when the first line may itself be somebody's row.
    """

    headers: tuple[str, ...] = ()
    remedy = "Run `evenreach map FILE`, check the proposed mapping, and put it under the source in the YAML."


class UnsupportedSource(SourceError):
    """The file is of a kind that is not read here (or a spreadsheet with a password)."""

    remedy = "Export it as CSV, XLSX or Parquet without a password."
