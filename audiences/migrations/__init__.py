"""Migrations travel inside the package: upgrade a database, or say how far it is. Must hold no query."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

HERE = Path(__file__).parent


def config(connection: Connection | None = None) -> Config:
    """An Alembic configuration without an ini file; ``env.py`` uses the connection it is given."""
    made = Config()
    made.set_main_option("script_location", str(HERE).replace("%", "%%"))
    made.set_main_option("path_separator", "os")
    if connection is not None:
        made.attributes["connection"] = connection
    return made


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Bring the database up to ``revision`` inside the caller's transaction."""
    command.upgrade(config(connection), revision)


def check(connection: Connection) -> None:
    """Raise ``alembic.util.CommandError`` when the tables and the migrations differ."""
    command.check(config(connection))


def current(connection: Connection) -> str | None:
    """The revision the database is at; None when it holds no tables of ours."""
    return MigrationContext.configure(connection).get_current_revision()


def head() -> str | None:
    """The newest revision this program knows."""
    return ScriptDirectory.from_config(config()).get_current_head()


def known(revision: str) -> bool:
    """Whether this program ships ``revision``; if not, a newer program wrote it."""
    return revision in {script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()}
