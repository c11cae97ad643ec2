"""A consistent copy of the record in use, and putting one back: SQLite here, PostgreSQL next door. Never half a file."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import make_url

from audiences.store import backup_postgresql
from audiences.store.database import Database, sorted_errors
from audiences.store.errors import Conflict, StoreBroken
from audiences.store.schema import refuse_newer_schema


def backup(url: str, target: Path) -> None:
    """Write a compact copy of the database to ``target`` (mode 0600), replacing it only when complete.

    Others may read and write meanwhile. Raises ``Conflict`` where there is nothing to copy.
    """
    if not _embedded(url):
        backup_postgresql.backup(url, target)
        return
    source = _file(url)
    if not source.exists():
        raise Conflict("There is no database file to copy.")
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    with sorted_errors(), closing(sqlite3.connect(source, timeout=30.0)) as connection:
        connection.execute("VACUUM INTO ?", (str(part),))
    part.chmod(0o600)
    _to_disk(part)
    os.replace(part, target)


def restore(url: str, source: Path) -> None:
    """Put a copy in place of the database; stop every program that uses the workspace first.

    The copy is checked before anything is touched: ``StoreBroken`` when it is damaged, ``StoreAhead`` when a
    newer program wrote it. An older one is brought up to date by ``Store.create``. PostgreSQL takes it only
    into an empty database: ``Conflict`` otherwise.
    """
    if not _embedded(url):
        backup_postgresql.restore(url, source)
        return
    target = _file(url)
    part = target.with_name(target.name + ".part")
    part.write_bytes(source.read_bytes())
    part.chmod(0o600)
    try:
        _check(part)
    except BaseException:
        part.unlink()
        raise
    _to_disk(part)
    for leftover in ("-wal", "-shm"):  # they belong to the database that goes
        Path(f"{target}{leftover}").unlink(missing_ok=True)
    os.replace(part, target)


def _check(path: Path) -> None:
    with sorted_errors(), closing(sqlite3.connect(path)) as connection:
        if connection.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
            raise StoreBroken("The copy is damaged.")
    database = Database(f"sqlite:///{path}")
    try:
        refuse_newer_schema(database)
        with database.engine.connect() as connection:  # leave no side files next to the copy
            connection.exec_driver_sql("ROLLBACK")
            connection.exec_driver_sql("PRAGMA journal_mode=DELETE")
    finally:
        database.close()


def _embedded(url: str) -> bool:
    return make_url(url).get_backend_name() == "sqlite"


def _file(url: str) -> Path:
    parsed = make_url(url)
    if not parsed.database:
        raise Conflict("A database in memory cannot be copied.")
    return Path(parsed.database)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
