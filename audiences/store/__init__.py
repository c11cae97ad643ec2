"""The record: the only package that opens a connection to the database, behind one ``Store``.

Takes and returns the nouns of ``audiences.model`` (and the few of ``records``).
Every method is one transaction; times are passed in and carry a zone. It must
not decide anything: who belongs on a list is ``membership``, when to send is
``flows``.
"""

from __future__ import annotations

from types import TracebackType

from audiences.store.account_columns import AccountColumns
from audiences.store.accounts import Accounts, Imports, Organizations
from audiences.store.audit import Audit
from audiences.store.batches import Batches
from audiences.store.columns import Columns
from audiences.store.database import Database
from audiences.store.dead_letters import DeadLetters
from audiences.store.deltas import Deltas
from audiences.store.impressions import Impressions
from audiences.store.leases import Leases, Quotas
from audiences.store.ledger import Ledgers
from audiences.store.lists import Lists
from audiences.store.pace import Paces
from audiences.store.plans import Bands, Plans
from audiences.store.retention import Retention
from audiences.store.schema import bring_up_to_date, refuse_other_schema
from audiences.store.segments import Segments
from audiences.store.settings import Alerts, OneOffs, Settings
from audiences.store.settling import Settling
from audiences.store.suppression import Erasure, Suppression
from audiences.store.upkeep import Upkeep

__all__ = ["Store"]


class Store(
    Accounts,
    Imports,
    Columns,
    AccountColumns,
    Organizations,
    Segments,
    Lists,
    Ledgers,
    Deltas,
    Batches,
    Settling,
    DeadLetters,
    Impressions,
    Plans,
    Bands,
    Audit,
    Suppression,
    Erasure,
    Leases,
    Quotas,
    Paces,
    Settings,
    Alerts,
    OneOffs,
    Upkeep,
    Retention,
):
    """One database of one workspace. Safe to share between threads; close it when done."""

    @classmethod
    def open(cls, url: str) -> Store:
        """Open an existing database (``sqlite:///path`` or ``postgresql://...``).

        Changes nothing. Raises ``StoreMissing``, ``StoreBehind`` (migrations wait), ``StoreAhead`` (a newer
        program wrote it) or ``StoreGone``.
        """
        database = Database(url)
        try:
            refuse_other_schema(database)
        except BaseException:
            database.close()
            raise
        return cls(database)

    @classmethod
    def create(cls, url: str) -> Store:
        """Create the database or bring it up to date, all or nothing, and open it. Raises ``StoreAhead``."""
        database = Database(url)
        try:
            bring_up_to_date(database)
        except BaseException:
            database.close()
            raise
        return cls(database)

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
