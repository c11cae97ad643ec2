"""Who must never be on a list, and the erasures that must reach every list. Digests only; sends nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from audiences.membership_keys import Keys, from_digests
from audiences.store.accounts import CONTACT, SIGNAL
from audiences.store.bulk import is_sqlite, upsert_rows
from audiences.store.database import table_of
from audiences.store.errors import Conflict
from audiences.store.ledger_read import BATCH, LEDGER
from audiences.store.lists import ids_by_number
from audiences.store.packing import KEY_BYTES, each_key, pack, pack_texts, unpack, unpack_texts
from audiences.store.part import Part
from audiences.store.records import ErasureStep
from audiences.tables import ErasureRow, SuppressionRow

SUPPRESSION, ERASURE = table_of(SuppressionRow), table_of(ErasureRow)


class Suppression(Part):
    def suppress(self, digests: Iterable[bytes], *, reason: str, at: datetime) -> None:
        """Add 32-byte digests to the suppression list; the first reason stays."""
        rows = [(digest, reason, at) for digest in sorted(set(digests))]
        if any(len(digest) != KEY_BYTES for digest, _, _ in rows):
            raise Conflict("A digest has 32 bytes.")
        bind = SUPPRESSION.c.at.type.bind_processor
        with self._db.write() as connection:
            convert = bind(connection.dialect)
            ready = [(d, r, t if convert is None else convert(t)) for d, r, t in rows]
            upsert_rows(
                connection, SUPPRESSION, ("digest", "reason", "at"), ready, on_conflict="(digest) DO NOTHING"
            )

    def unsuppress(self, digests: Iterable[bytes]) -> int:
        """Take digests off again. Returns how many were on it."""
        gone = 0
        wanted = sorted(set(digests))
        with self._db.write() as connection:
            for i in range(0, len(wanted), 10_000):
                done = connection.execute(
                    delete(SUPPRESSION).where(SUPPRESSION.c.digest.in_(wanted[i : i + 10_000]))
                )
                gone += done.rowcount
        return gone

    def suppressed(self, *, reason: str | None = None) -> Keys:
        """(n, 32) uint8, sorted; optionally those put there for one reason."""
        wanted = select(SUPPRESSION.c.digest).order_by(SUPPRESSION.c.digest)
        if reason is not None:
            wanted = wanted.where(SUPPRESSION.c.reason == reason)
        with self._db.read() as connection:
            rows = connection.execute(wanted).scalars()
            return from_digests(b"".join(bytes(row) for row in rows))

    def suppression_counts(self) -> dict[str, int]:
        """Digests per reason."""
        with self._db.read() as connection:
            rows = connection.execute(
                select(SUPPRESSION.c.reason, func.count()).group_by(SUPPRESSION.c.reason)
            )
            return {row[0]: row[1] for row in rows}


class Erasure(Part):
    def keys_known_by(self, digest: bytes) -> tuple[bytes, ...]:
        """Members and contacts that have this digest among their identifiers: theirs need not be the key."""
        text = digest.hex()
        with self._db.read() as connection:
            contacts = connection.execute(
                select(CONTACT.c.contact_id).where(CONTACT.c.identifiers.contains(text))
            ).scalars()
            found = {bytes.fromhex(contact_id) for contact_id in contacts}
            sql = f"SELECT DISTINCT key FROM ledger WHERE {_inside(connection, 'payload')} > 0"  # noqa: S608
            rows = connection.exec_driver_sql(sql, (text.encode(),)).scalars()
            return tuple(sorted(found | {bytes(key) for key in rows}))

    def lists_that_held(self, digest: bytes) -> tuple[str, ...]:
        """Every audience that was ever asked about this member: in the ledger, or in a batch still kept."""
        with self._db.read() as connection:
            return _lists_that_held(connection, digest)

    def ask_erasure(self, digest: bytes, *, at: datetime) -> tuple[ErasureStep, ...]:
        """Note an erasure: one open step per list that ever held the member. Asking again adds new lists."""
        with self._db.write() as connection:
            known = {step.audience_id for step in _steps(connection, digest)}
            for audience_id in _lists_that_held(connection, digest):
                if audience_id not in known:
                    connection.execute(
                        insert(ERASURE).values(
                            digest=digest, audience_id=audience_id, asked_at=at, batch_id=""
                        )
                    )
            return _steps(connection, digest)

    def note_erasure(
        self, digest: bytes, audience_id: str, *, batch_id: str, done_at: datetime | None
    ) -> None:
        """Note which batch carries an erasure to a list, and when the platform confirmed it."""
        with self._db.write() as connection:
            connection.execute(
                update(ERASURE)
                .where(ERASURE.c.digest == digest, ERASURE.c.audience_id == audience_id)
                .values(batch_id=batch_id, done_at=done_at)
            )

    def forget_person(self, digest: bytes) -> int:
        """Delete a contact, what it did, and its place in every settled batch; the last step of an erasure.

        The ledger's own rows go when a platform confirms the removal. Returns the number of rows touched.
        """
        with self._db.write() as connection:
            touched = connection.execute(delete(CONTACT).where(CONTACT.c.contact_id == digest.hex())).rowcount
            touched += connection.execute(delete(SIGNAL).where(SIGNAL.c.person == digest.hex())).rowcount
            for number in _batches_with(connection, digest, settled=True):
                row = connection.execute(select(BATCH).where(BATCH.c.number == number)).one()
                values = _scrubbed(row, digest)
                connection.execute(update(BATCH).where(BATCH.c.number == number).values(**values))
                touched += 1
            return touched

    def open_erasures(self) -> tuple[bytes, ...]:
        """Digests of whom some list has not confirmed to have let go."""
        wanted = select(ERASURE.c.digest).where(ERASURE.c.done_at.is_(None)).distinct()
        with self._db.read() as connection:
            return tuple(sorted(bytes(digest) for digest in connection.execute(wanted).scalars()))

    def erasure(self, digest: bytes) -> tuple[ErasureStep, ...]:
        """The steps of one erasure, by audience: its receipt."""
        with self._db.read() as connection:
            return _steps(connection, digest)


def _lists_that_held(connection: Connection, digest: bytes) -> tuple[str, ...]:
    now = set(connection.execute(select(LEDGER.c.audience).where(LEDGER.c.key == digest)).scalars())
    numbers = _batches_with(connection, digest, settled=False)
    ever = connection.execute(select(BATCH.c.audience).where(BATCH.c.number.in_(numbers))).scalars()
    names = ids_by_number(connection)
    return tuple(sorted(names[number] for number in now | set(ever)))


def _steps(connection: Connection, digest: bytes) -> tuple[ErasureStep, ...]:
    found = connection.execute(select(ERASURE).where(ERASURE.c.digest == digest))
    rows = sorted(found, key=lambda row: row.audience_id)
    return tuple(ErasureStep(row.audience_id, row.asked_at, row.batch_id, row.done_at) for row in rows)


def _batches_with(connection: Connection, digest: bytes, *, settled: bool) -> list[int]:
    inside = _inside(connection, "member_keys")
    only = "AND status = 'settled'" if settled else ""
    sql = f"SELECT number FROM push_batch WHERE {inside} > 0 {only}"  # noqa: S608
    return list(connection.exec_driver_sql(sql, (digest,)).scalars())


def _inside(connection: Connection, column: str) -> str:
    """Where in a column of bytes the one parameter stands, 0 for nowhere."""
    return f"instr({column}, ?)" if is_sqlite(connection) else f"position(%s in {column})"


def _scrubbed(row: Row[Any], digest: bytes) -> dict[str, bytes | None]:
    """The content of a batch with one member blanked: 32 zero bytes, nothing else."""
    keys = each_key(from_digests(row.member_keys))
    payloads, accounts = unpack(row.payloads, row.n), unpack_texts(row.account_ids, row.n)
    for place in [i for i, key in enumerate(keys) if key == digest]:
        keys[place], payloads[place], accounts[place] = bytes(KEY_BYTES), b"", ""
    packed = {"payloads": pack(payloads), "account_ids": pack_texts(accounts)}
    return {"member_keys": b"".join(keys), **packed}
