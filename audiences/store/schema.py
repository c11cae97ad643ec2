"""Whether program and database fit, and bringing the database up to date. Knows revisions, no data."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from sqlalchemy import Connection, inspect

from audiences import migrations
from audiences.store.database import Database
from audiences.store.errors import StoreAhead, StoreBehind, StoreMissing
from audiences.tables import Table

_LOCK = 7_305_114  # any constant: two programs that start at once migrate one after the other


def refuse_other_schema(database: Database) -> None:
    """Raise unless the database is exactly at this program's newest revision."""
    path = database.engine.url.database
    if database.is_sqlite and path and path != ":memory:" and not Path(path).exists():
        raise StoreMissing("There is no database file at the workspace's address.")
    refuse_newer_schema(database)
    with database.read() as connection:
        found = migrations.current(connection)
    if found != migrations.head():
        raise StoreBehind(f"The database is at revision {found}, this program needs {migrations.head()}.")


def refuse_newer_schema(database: Database) -> None:
    """Raise ``StoreAhead`` when a newer program wrote the database, ``StoreMissing`` when it is not ours."""
    with database.read() as connection:
        found = migrations.current(connection)
    if found is None:
        raise StoreMissing("The database holds no tables of Evenreach.")
    _refuse_newer(found)


def bring_up_to_date(database: Database) -> None:
    """Run the migrations that wait; none is a quick no-op. All or nothing on both databases."""
    _for_its_owner_alone(database)
    with database.write() as connection:
        if not database.is_sqlite:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        found = migrations.current(connection)
        if found is None:
            _refuse_foreign_tables(connection)
        else:
            _refuse_newer(found)
        if found != migrations.head():
            migrations.upgrade(connection)


def _for_its_owner_alone(database: Database) -> None:
    """SQLite would make a file that everybody on the machine may read; its side files take over the mode."""
    path = database.engine.url.database
    if database.is_sqlite and path and path != ":memory:":
        with suppress(OSError):  # said in its own words when the file is opened
            Path(path).touch(mode=0o600)


def _refuse_newer(found: str) -> None:
    if not migrations.known(found):
        raise StoreAhead(f"The database is at revision {found}, which this program does not know.")


def _refuse_foreign_tables(connection: Connection) -> None:
    """An address typed wrong must not sprinkle our tables among another program's."""
    taken = set(inspect(connection).get_table_names())
    if taken & set(Table.metadata.tables):
        raise StoreAhead("The database already holds tables of another program or version.")
