"""The ground every room of the store stands on: one database. Must hold no noun of its own."""

from __future__ import annotations

from audiences.store.database import Database


class Part:
    """Base of the store's rooms; each adds the methods of one noun."""

    def __init__(self, database: Database) -> None:
        self._db = database
