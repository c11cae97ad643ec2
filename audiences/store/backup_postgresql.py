"""A consistent copy of a PostgreSQL record in use, and putting one back. Needs no program of PostgreSQL's.

The copy is a ZIP: the revision of the schema, and each table as COPY writes it. All of it is one moment.
"""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

from psycopg import sql
from sqlalchemy import Connection, inspect

from audiences import migrations
from audiences.store.database import Database
from audiences.store.errors import Conflict, StoreAhead, StoreBroken

ABOUT = "record.json"
CHUNK = 1 << 20


def backup(url: str, target: Path) -> None:
    """Write every table to ``target`` (mode 0600), replacing it only when complete; others may go on working.

    Raises StoreMissing, StoreAhead or StoreGone as opening the record does.
    """
    part = target.with_name(target.name + ".part")
    database = Database(url)
    try:
        with database.read() as connection, os.fdopen(_private(part), "wb") as raw:
            with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as copy:
                _write(connection, copy)
            raw.flush()
            os.fsync(raw.fileno())
        os.replace(part, target)
    finally:
        database.close()
        part.unlink(missing_ok=True)


def restore(url: str, source: Path) -> None:
    """Fill an empty database with a copy, all or nothing; ``Store.create`` brings an older one up to date.

    Raises Conflict when the database holds tables already, StoreBroken when the copy is damaged, StoreAhead
    when a newer program wrote it.
    """
    try:
        with zipfile.ZipFile(source) as copy:
            about = json.loads(copy.read(ABOUT))
            if copy.testzip() is not None:
                raise StoreBroken("The copy is damaged.")
            _restore(url, copy, about)
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError):
        raise StoreBroken("The copy is damaged.") from None


def _restore(url: str, copy: zipfile.ZipFile, about: dict[str, Any]) -> None:
    if not migrations.known(about["revision"]):
        raise StoreAhead(f"The copy is at revision {about['revision']}, which this program does not know.")
    database = Database(url)
    try:
        with database.write() as connection:
            if inspect(connection).get_table_names():
                raise Conflict(
                    "The database to restore into is not empty; nothing is overwritten. Name an empty one."
                )
            migrations.upgrade(connection, about["revision"])
            for name, columns in about["tables"]:
                with copy.open(name) as stream:
                    _copy_in(connection, name, columns, stream)
                _set_sequences(connection, name, columns)
    finally:
        database.close()


def _write(connection: Connection, copy: zipfile.ZipFile) -> None:
    revision = migrations.current(connection)
    tables = [(name, _columns(connection, name)) for name in _in_order(connection)]
    copy.writestr(ABOUT, json.dumps({"revision": revision, "tables": tables}))
    for name, columns in tables:
        with copy.open(name, "w", force_zip64=True) as stream, _cursor(connection) as cursor:
            statement = sql.SQL("COPY {} ({}) TO STDOUT").format(sql.Identifier(name), _names(columns))
            with cursor.copy(statement) as rows:
                for piece in rows:
                    stream.write(piece)


def _copy_in(connection: Connection, name: str, columns: list[str], stream: IO[bytes]) -> None:
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(name), _names(columns))
    with _cursor(connection) as cursor, cursor.copy(statement) as rows:
        while piece := stream.read(CHUNK):
            rows.write(piece)


def _set_sequences(connection: Connection, name: str, columns: list[str]) -> None:
    """Numbers the database gives out go on after the largest that was put back."""
    with _cursor(connection) as cursor:
        for column in columns:
            found = cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", (f'"{name}"', column)).fetchone()
            if found[0] is not None:
                statement = sql.SQL("SELECT setval(%s, coalesce(max({0}), 0) + 1, false) FROM {1}")
                cursor.execute(statement.format(sql.Identifier(column), sql.Identifier(name)), (found[0],))


def _in_order(connection: Connection) -> list[str]:
    """Tables that others point at first; Alembic's own is made by the migrations."""
    found = inspect(connection).get_sorted_table_and_fkc_names()
    return [name for name, _ in found if name and name != "alembic_version"]


def _columns(connection: Connection, name: str) -> list[str]:
    return [column["name"] for column in inspect(connection).get_columns(name) if not column.get("computed")]


def _names(columns: list[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _cursor(connection: Connection) -> Any:
    return connection.connection.dbapi_connection.cursor()  # type: ignore[union-attr]


def _private(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
