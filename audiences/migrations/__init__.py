"""Create or upgrade a database, or say how far it is. Must hold no query of our data.

Every command asks how far the database is, so Alembic, which takes a quarter of a second to import, is imported
only where a migration runs. A file in ``versions`` is named after its revision.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, column, inspect, select, table

if TYPE_CHECKING:
    from alembic.config import Config

HERE = Path(__file__).parent
STAMP = "alembic_version"


def config(connection: Connection | None = None) -> Config:
    """An Alembic configuration without an ini file; ``env.py`` uses the connection it is given."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(HERE).replace("%", "%%"))
    made.set_main_option("path_separator", "os")
    if connection is not None:
        made.attributes["connection"] = connection
    return made


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Bring the database up to ``revision`` inside the caller's transaction."""
    from alembic import command

    command.upgrade(config(connection), revision)


def check(connection: Connection) -> None:
    """Raise ``alembic.util.CommandError`` when the tables and the migrations differ."""
    from alembic import command

    command.check(config(connection))


def current(connection: Connection) -> str | None:
    """The revision the database is at; None when it holds no tables of ours."""
    if not inspect(connection).has_table(STAMP):
        return None
    found = connection.execute(select(column("version_num")).select_from(table(STAMP))).scalar_one_or_none()
    return None if found is None else str(found)


def head() -> str:
    """The newest revision this program knows."""
    return max(_revisions())


def known(revision: str) -> bool:
    """Whether this program ships ``revision``; if not, a newer program wrote it."""
    return revision in _revisions()


def _revisions() -> set[str]:
    return {file.name.partition("_")[0] for file in (HERE / "versions").glob("[0-9]*_*.py")}
