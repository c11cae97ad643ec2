"""The fast road for many rows on each database. Knows bytes and columns, no noun's rules."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format
from sqlalchemy import Connection, Table

from audiences.column_types import Blob
from audiences.membership_keys import Keys

CHUNK = 50_000
_PG_TYPES = {
    "BIGINT": "int8",
    "INTEGER": "int4",
    "SMALLINT": "int2",
    "TEXT": "text",
    "VARCHAR": "text",
    "BYTEA": "bytea",
    "DATE": "date",
    "FLOAT": "float8",
    "BOOLEAN": "bool",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
}


def is_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"


def raw(connection: Connection) -> Any:
    """The driver's own connection, inside the transaction that is open on ``connection``."""
    driver = connection.connection.driver_connection
    assert driver is not None
    return driver


class _KeyArray:
    """(n, 32) keys on their way into a ``bytea[]`` parameter."""

    def __init__(self, keys: Keys) -> None:
        self.keys = keys


class _KeyArrayDumper(Dumper):
    """PostgreSQL's binary array (array_recv): one dimension, no nulls, then length and bytes of each."""

    format = Format.BINARY
    oid = psycopg.adapters.types["bytea"].array_oid

    def dump(self, obj: _KeyArray) -> bytes:
        n, width = obj.keys.shape
        items = np.empty((n, 4 + width), dtype=np.uint8)
        items[:, :4] = np.frombuffer(struct.pack(">i", width), dtype=np.uint8)
        items[:, 4:] = obj.keys
        return struct.pack(">5i", 1, 0, psycopg.adapters.types["bytea"].oid, n, 1) + items.tobytes()


def key_array(cursor: Any, keys: Keys) -> Any:
    """``keys`` as one parameter for ``= ANY(%b)``, without an object per key."""
    cursor.adapters.register_dumper(_KeyArray, _KeyArrayDumper)
    return _KeyArray(keys)


def insert_rows(
    connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Insert rows that are not there yet. Sorted by primary key is several times faster on SQLite."""
    bound = _binders(connection, table, columns)
    ready = rows if bound is None else (_bind(bound, row) for row in rows)
    if is_sqlite(connection):
        marks = ",".join("?" * len(columns))
        names = ",".join(_quoted(columns))
        raw(connection).executemany(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", ready)  # noqa: S608
    else:
        copy_rows(connection, table, columns, ready, into=table.name)


def copy_rows(
    connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, into: str
) -> None:
    """PostgreSQL's binary COPY into ``into``, with the column types of ``table``."""
    types = [_PG_TYPES[table.c[name].type.compile(connection.dialect).split("(")[0]] for name in columns]
    names = ",".join(_quoted(columns))
    with (
        raw(connection).cursor() as cursor,
        cursor.copy(f"COPY {into} ({names}) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)


def upsert_rows(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]] | Callable[[], Iterable[Sequence[Any]]],
    *,
    on_conflict: str,
) -> None:
    """Insert, or do what ``on_conflict`` says (the text after ON CONFLICT).

    On PostgreSQL a plain COPY is tried first: it is twice as fast, and a first load meets no conflict.
    """
    again = rows if callable(rows) else (lambda: rows)
    if is_sqlite(connection):
        marks = ",".join("?" * len(columns))
        names = ",".join(_quoted(columns))
        sql = f"INSERT INTO {table.name} ({names}) VALUES ({marks}) ON CONFLICT {on_conflict}"  # noqa: S608
        raw(connection).executemany(sql, again())
    elif not _copy_if_new(connection, table, columns, again()):
        _copy_and_merge(connection, table, columns, again(), on_conflict)


def _copy_if_new(
    connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> bool:
    savepoint = connection.begin_nested()
    try:
        copy_rows(connection, table, columns, rows, into=table.name)
    except psycopg.errors.UniqueViolation:
        savepoint.rollback()
        return False
    savepoint.commit()
    return True


def _copy_and_merge(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    on_conflict: str,
) -> None:
    names = ",".join(_quoted(columns))
    stage = f"stage_{table.name}"
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS pg_temp.{stage}")
    connection.exec_driver_sql(
        f"CREATE TEMP TABLE {stage} ON COMMIT DROP AS SELECT {names} FROM {table.name} WITH NO DATA"  # noqa: S608
    )
    copy_rows(connection, table, columns, rows, into=stage)
    connection.exec_driver_sql(
        f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {stage} ON CONFLICT {on_conflict}"  # noqa: S608
    )


def chunks(items: Iterable[Any], size: int = CHUNK) -> Iterator[list[Any]]:
    """Lists of at most ``size`` items."""
    source = iter(items)
    while part := list(islice(source, size)):
        yield part


def _quoted(columns: Sequence[str]) -> list[str]:
    return [f'"{name}"' for name in columns]


def _binders(connection: Connection, table: Table, columns: Sequence[str]) -> list[Any] | None:
    """Per column how the driver wants the value; None when every value may go as it is."""
    found = [
        table.c[name].type.dialect_impl(connection.dialect).bind_processor(connection.dialect)
        for name in columns
    ]
    plain = all(f is None or isinstance(table.c[n].type, Blob) for f, n in zip(found, columns, strict=True))
    return None if plain else found


def _bind(binders: Sequence[Any], row: Sequence[Any]) -> list[Any]:
    return [v if f is None or v is None else f(v) for f, v in zip(binders, row, strict=True)]
