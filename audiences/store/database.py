"""Opens transactions on SQLite or PostgreSQL and sorts what can fail. Must know no noun and no table."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import SQLModel

from audiences.store.errors import StoreBroken, StoreBusy, StoreError, StoreFull, StoreGone

BUSY_SECONDS = 30.0
_BUSY_PAUSE = 0.02  # seconds
_CACHE_KIB = 65_536  # page cache per connection; a larger one gained nothing on sorted writes

_SQLITE = {
    "SQLITE_BUSY": StoreBusy,
    "SQLITE_LOCKED": StoreBusy,
    "SQLITE_FULL": StoreFull,
    "SQLITE_IOERR_SHMSIZE": StoreFull,  # no room for the file that readers and writers share
    "SQLITE_CANTOPEN": StoreGone,
    "SQLITE_IOERR": StoreGone,
    "SQLITE_READONLY": StoreGone,
    "SQLITE_CORRUPT": StoreBroken,
    "SQLITE_NOTADB": StoreBroken,
}
# PostgreSQL SQLSTATE prefixes (manual, appendix A)
_SQLSTATE = {
    "40": StoreBusy,
    "55P03": StoreBusy,
    "53100": StoreFull,
    "53": StoreBusy,
    "08": StoreGone,
    "57": StoreGone,
}


class Database:
    """An engine with two kinds of transaction: ``read``, and ``write`` (one at a time on SQLite)."""

    def __init__(self, url: str) -> None:
        self.engine = make_engine(url)

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One snapshot for every statement of the block."""
        options = (
            {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        )
        with self._transaction(options) as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Commit when the block ends, roll everything back when it raises."""
        with self._transaction({"sqlite_begin": "BEGIN IMMEDIATE"}) as connection:
            yield connection

    @contextmanager
    def _transaction(self, options: dict[str, Any]) -> Iterator[Connection]:
        with sorted_errors(), self.engine.connect() as plain:
            connection = plain.execution_options(**options)
            with connection.begin():
                yield connection

    def close(self) -> None:
        self.engine.dispose()


def make_engine(url: str) -> Engine:
    """SQLite in WAL mode with foreign keys, or PostgreSQL through psycopg. Values stay out of errors."""
    if url.startswith(("postgresql://", "postgres://")):
        url = "postgresql+psycopg://" + url.split("://", 1)[1]
    if url.startswith("sqlite"):
        engine = create_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(url, hide_parameters=True, pool_pre_ping=True, connect_args={"connect_timeout": 10})


def _prepare_sqlite(raw: Any, _: ConnectionPoolEntry) -> None:
    # the driver must not open transactions by itself: we choose between BEGIN and BEGIN IMMEDIATE
    raw.isolation_level = None
    raw.execute(f"PRAGMA busy_timeout={int(BUSY_SECONDS * 1000)}").close()
    _switch_to_wal(raw)
    for pragma in (
        "synchronous=NORMAL",
        "foreign_keys=ON",
        f"cache_size=-{_CACHE_KIB}",
        "temp_store=MEMORY",
    ):
        raw.execute(f"PRAGMA {pragma}").close()


def _switch_to_wal(raw: Any) -> None:
    # two programs that meet a new file here would wait for each other, so SQLite refuses one at once,
    # whatever the busy timeout (sqlite.org, sqlite3_busy_handler, 2026-11-22)
    refused_after = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            raw.execute("PRAGMA journal_mode=WAL").close()
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() > refused_after:
                raise
            time.sleep(_BUSY_PAUSE)


def _begin_sqlite(connection: Connection) -> None:
    # a reader that later wants to write would fail at once with "locked"; writers take the lock first
    connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))


@contextmanager
def sorted_errors() -> Iterator[None]:
    """Turn a driver's error into ours, without its message: that may quote a row."""
    try:
        yield
    except DBAPIError as error:
        raise sort_error(error.orig) from None
    except (sqlite3.Error, psycopg.Error) as error:  # from the bulk paths, which speak to the driver
        raise sort_error(error) from None


def sort_error(error: BaseException | None) -> StoreError:
    """Choose the class by the driver's code (SQLite error name, or SQLSTATE)."""
    name = str(getattr(error, "sqlite_errorname", None) or getattr(error, "sqlstate", None) or "")
    if type(error).__name__ == "OperationalError" and not name:
        return StoreGone("The database cannot be reached.")  # psycopg gives no code when it cannot connect
    table = _SQLITE if name.startswith("SQLITE") else _SQLSTATE
    for prefix, kind in table.items():
        if name.startswith(prefix):
            return kind(f"The database said {name}.")
    return StoreError(f"The database refused a statement ({type(error).__name__}, code {name or 'none'}).")


def table_of(model: type[SQLModel]) -> Table:
    """The Core table behind a SQLModel shape."""
    table = model.metadata.tables[str(model.__tablename__)]
    assert isinstance(table, Table)
    return table
