"""Rows of a query over a SQLAlchemy URL (warehouse, CRM replica) to the same frame of text.

Read-only and streamed. Must never put the URL, the query or a driver's message
into an error: all three may hold a password or a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from audiences.errors import ConfigError, EmptySource, SourceError, SourceUnavailable, UnknownColumns
from audiences.sources_mapping import Columns, SourceFrame, assemble, check_choice, understand_header
from audiences.sources_rows import trimmed

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

CHUNK = 50_000
_READS = re.compile(r"(?is)^\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*)*(?:select|with|values|table)\b")
# How each database is told that this session only reads; others are held to it by the rollback at the end.
_READ_ONLY = {
    "sqlite": "PRAGMA query_only = ON",
    "postgresql": "SET TRANSACTION READ ONLY",
    "mysql": "SET TRANSACTION READ ONLY",
    "mariadb": "SET TRANSACTION READ ONLY",
}


def read_query(
    url: str, query: str, *, name: str, kind: str = "", layout: str = "", columns: Columns | None = None
) -> SourceFrame:
    """Run one SELECT and map its columns by name; ``line`` is the number of the row in the answer.

    Raises ConfigError for an unusable URL or a statement that does not merely
    read, SourceUnavailable when the database does not answer, SourceError when
    it refuses the query, EmptySource and UnknownColumns as for a file.
    """
    check_choice(kind, layout, name)
    header, cells = _answer(url, query, name)
    found = understand_header(header, name=name, kind=kind, layout=layout, columns=columns or {})
    if found is None:
        raise UnknownColumns("no column of the query was recognised.", file=name)
    cells = cells.select(trimmed(pl.all()))
    return assemble(cells.with_row_index("line", offset=1), found, header, name=name)


def query_table(url: str, query: str, *, name: str) -> pl.DataFrame:
    """The answer of one SELECT under its own column names, as text; of two with one name the first counts.

    Errors as in ``read_query``.
    """
    header, cells = _answer(url, query, name)
    places = {title: header.index(title) for title in header}
    return pl.DataFrame([cells.to_series(at).alias(title) for title, at in places.items()])


def _answer(url: str, query: str, name: str) -> tuple[list[str], pl.DataFrame]:
    if not _READS.match(query):
        raise ConfigError("only a query that reads (SELECT, WITH) is run.", file=name, field="query")
    engine = _engine(url, name)
    try:
        header, frames = _fetch(engine, query, name)
    finally:
        engine.dispose()
    if not any(frame.height for frame in frames):
        raise EmptySource("the query gave no row.", file=name)
    return header, pl.concat(frames)


def _engine(url: str, name: str) -> Engine:
    from sqlalchemy import create_engine
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError
    from sqlalchemy.pool import NullPool

    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file():
            raise SourceUnavailable("there is no such SQLite file.", file=name)
        return create_engine(parsed, poolclass=NullPool)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise ConfigError(
            f"the database address cannot be used ({type(error).__name__}).", file=name, field="url"
        ) from None


def _fetch(engine: Engine, query: str, name: str) -> tuple[list[str], list[pl.DataFrame]]:
    from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError

    try:
        connection = engine.connect()
    except SQLAlchemyError as error:
        raise SourceUnavailable(f"the database did not answer ({type(error).__name__}).", file=name) from None
    try:
        with connection:
            return _stream(connection, query)
    except (OperationalError, InterfaceError) as error:
        broken = bool(error.connection_invalidated)
        kind = SourceUnavailable if broken else SourceError
        raise kind(f"the database refused the query ({_code(error)}).", file=name) from None
    except (DBAPIError, SQLAlchemyError) as error:
        raise SourceError(f"the database refused the query ({_code(error)}).", file=name) from None


def _code(error: Exception) -> str:
    """The SQLSTATE where there is one, else the error's class; never its text."""
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    return f"SQLSTATE {state}" if state else type(error).__name__


def _stream(connection: Connection, query: str) -> tuple[list[str], list[pl.DataFrame]]:
    """All rows, a chunk at a time, so that the driver never holds the answer whole."""
    from sqlalchemy import text

    statement = _READ_ONLY.get(connection.dialect.name)
    if statement:
        connection.execute(text(statement))
    # A colon in a query is never a bind parameter here: there is nothing to bind.
    answer = connection.execution_options(stream_results=True, yield_per=CHUNK).exec_driver_sql(query)
    header = list(answer.keys())
    frames = [_texts(rows, len(header)) for rows in _chunks(answer)]
    connection.rollback()
    return header, frames


def _chunks(answer: Any) -> Iterator[list[Any]]:
    while rows := answer.fetchmany(CHUNK):
        yield rows


def _texts(rows: list[Any], width: int) -> pl.DataFrame:
    columns = {f"c{i}": [_text(row[i]) for row in rows] for i in range(width)}
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, (bytes, bytearray, memoryview)):
        return None
    if isinstance(value, float | Decimal) and value == value and value == int(value):
        return str(int(value))
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return ";".join(str(part) for part in value)
    return str(value)
