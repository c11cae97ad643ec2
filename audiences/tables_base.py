"""The ground of every table: one metadata of our own. Must hold no table."""

from __future__ import annotations

from sqlalchemy.orm import registry
from sqlmodel import SQLModel

NO_ROWID = {"sqlite_with_rowid": False}


class Table(SQLModel, registry=registry()):
    """Own metadata, so that another package's SQLModel tables never enter our migrations."""
