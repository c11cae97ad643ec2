"""Who works on what, and how much of a quota is used: shared by several processes. Must not wait or sleep."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_new

from audiences.store.database import table_of
from audiences.store.part import Part
from audiences.store.records import Lease
from audiences.tables import LeaseRow, QuotaRow

LEASE, QUOTA = table_of(LeaseRow), table_of(QuotaRow)


class Leases(Part):
    def take_lease(self, name: str, holder: str, *, now: datetime, until: datetime) -> bool:
        """Take or renew a lease (on an audience, say). False while another holder's runs; one caller wins."""
        with self._db.write() as connection:
            taken = connection.execute(
                update(LEASE)
                .where(LEASE.c.name == name, (LEASE.c.holder == holder) | (LEASE.c.until <= now))
                .values(holder=holder, until=until)
            )
            if taken.rowcount:
                return True
            if self._db.is_sqlite:  # the write lock is ours: nobody can come in between
                if connection.execute(select(LEASE.c.name).where(LEASE.c.name == name)).first() is not None:
                    return False
                connection.execute(insert(LEASE).values(name=name, holder=holder, until=until))
                return True
            fresh = insert_new(LEASE).values(name=name, holder=holder, until=until).on_conflict_do_nothing()
            return connection.execute(fresh.returning(LEASE.c.name)).first() is not None

    def release_lease(self, name: str, holder: str) -> bool:
        """Give a lease back. False when it was not (or no longer) this holder's."""
        with self._db.write() as connection:
            gone = connection.execute(delete(LEASE).where(LEASE.c.name == name, LEASE.c.holder == holder))
            return bool(gone.rowcount)

    def lease(self, name: str) -> Lease | None:
        """Who holds a lease, also when it has run out."""
        with self._db.read() as connection:
            row = connection.execute(select(LEASE).where(LEASE.c.name == name)).one_or_none()
        return None if row is None else Lease(row.name, row.holder, row.until)


class Quotas(Part):
    def add_quota(
        self, owner: str, endpoint: str, window: str, n: int = 1, *, limit: int | None = None
    ) -> int | None:
        """Count ``n`` more uses in a window (e.g. "2026-03-01"). Returns the new count.

        With ``limit``: None, and nothing is counted, when it would be passed. Atomic among processes.
        """
        with self._db.write() as connection:
            key = {"owner": owner, "endpoint": endpoint, "window": window}
            where = [QUOTA.c[name] == value for name, value in key.items()]
            if not self._db.is_sqlite:
                connection.execute(insert_new(QUOTA).values(**key, used=0).on_conflict_do_nothing())
            count = connection.execute(
                select(QUOTA.c.used).where(*where).with_for_update()
            ).scalar_one_or_none()
            if limit is not None and (count or 0) + n > limit:
                return None
            if count is None:
                connection.execute(insert(QUOTA).values(**key, used=n))
            else:
                connection.execute(update(QUOTA).where(*where).values(used=count + n))
            return (count or 0) + n

    def quota(self, owner: str, endpoint: str, window: str) -> int:
        """Uses counted so far."""
        wanted = select(QUOTA.c.used).where(
            QUOTA.c.owner == owner, QUOTA.c.endpoint == endpoint, QUOTA.c.window == window
        )
        with self._db.read() as connection:
            return connection.execute(wanted).scalar_one_or_none() or 0
