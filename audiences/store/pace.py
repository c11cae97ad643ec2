"""How fast a bucket of requests has been used, for all processes on one database. Must not wait, nor know rates."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_new

from audiences.store.bulk import is_sqlite
from audiences.store.database import table_of
from audiences.store.part import Part
from audiences.tables import PaceRow

PACE = table_of(PaceRow)
Pace = tuple[float, float]  # next arrival, closed until: seconds since the epoch, 0.0 where never set
UNUSED: Pace = (0.0, 0.0)


class Paces(Part):
    def pace(self, bucket: str) -> Pace:
        """Where a bucket stands; ``(0.0, 0.0)`` when it was never used."""
        wanted = select(PACE.c.arrival, PACE.c.closed).where(PACE.c.bucket == bucket)
        with self._db.read() as connection:
            row = connection.execute(wanted).one_or_none()
        return UNUSED if row is None else (row.arrival, row.closed)

    def change_pace(self, bucket: str, change: Callable[[Pace], Pace]) -> Pace:
        """Replace where a bucket stands by ``change`` of it, one caller at a time; returns what it was before.

        ``change`` is called once and must be quick: other processes wait for it.
        """
        with self._db.write() as connection:
            before = _held(connection, bucket)
            after = change(before)
            if after != before:
                arrival, closed = after
                values = {"arrival": arrival, "closed": closed}
                connection.execute(update(PACE).where(PACE.c.bucket == bucket).values(**values))
        return before


def _held(connection: Connection, bucket: str) -> Pace:
    """The bucket's row, made if need be; nobody else changes it before this transaction ends."""
    wanted = select(PACE.c.arrival, PACE.c.closed).where(PACE.c.bucket == bucket)
    if is_sqlite(connection):  # the write lock is ours already
        row = connection.execute(wanted).one_or_none()
        if row is None:
            connection.execute(insert(PACE).values(bucket=bucket, arrival=0.0, closed=0.0))
        return UNUSED if row is None else (row.arrival, row.closed)
    # places lost in a power cut were not used either: no need to wait for the disk
    connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
    row = connection.execute(wanted.with_for_update()).one_or_none()
    if row is None:
        fresh = insert_new(PACE).values(bucket=bucket, arrival=0.0, closed=0.0)
        connection.execute(fresh.on_conflict_do_nothing())
        row = connection.execute(wanted.with_for_update()).one()
    return (row.arrival, row.closed)
