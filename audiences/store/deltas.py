"""Records what must change on a list: one transaction from delta to planned batches. Sends nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, select, update

from audiences.membership_keys import NO_KEYS, byte_order, from_digests, places, repeats
from audiences.model import Delta, MemberTable, Op
from audiences.store.batches import BATCH, plan_batches
from audiences.store.errors import Conflict, StaleBase
from audiences.store.ledger_read import asked_among, is_empty
from audiences.store.ledger_rows import details, filled, held_among, held_and_filled
from audiences.store.lists import AUDIENCE, need_audience
from audiences.store.packing import chosen, in_key_order
from audiences.store.part import Part
from audiences.store.records import LedgerView


class Deltas(Part):
    def record_delta(
        self, delta: Delta, *, batch_size: int, at: datetime, view: LedgerView | None = None
    ) -> tuple[str, ...]:
        """Store a delta as planned batches and move the ledger to the next version, or do nothing at all.

        delta.adds, delta.removes   unique keys, none in both (``Conflict``); a removed member's payload may
                                    be left empty: the ledger knows it
        batch_size                  members per request, as the platform takes them
        view                        the list as the delta was computed from; saves looking every member up

        Returns batch ids, removes first, in the order to send. Raises ``StaleBase`` when the ledger is not at
        ``base_version`` any more; recording the very same delta again returns the ids it got the first time.
        An empty delta returns () and leaves the version alone. The list must exist on the platform.
        """
        adds, removes = in_key_order(delta.adds), in_key_order(delta.removes)
        _refuse_repeats(adds, removes)
        if view is not None and (view.audience_id, view.version) != (delta.audience_id, delta.base_version):
            raise Conflict("The view is of another list or version than the delta.")
        if not len(adds) and not len(removes):
            return ()
        with self._db.write() as connection:
            audience = need_audience(connection, delta.audience_id, lock=True)
            if audience.external_id is None:
                raise Conflict(f"{delta.audience_id} does not exist on its platform yet.")
            if audience.ledger_version != delta.base_version:
                return _recorded_before(connection, audience, delta, adds, removes)
            ids = _plan(connection, audience, adds, removes, batch_size=batch_size, at=at, view=view)
            connection.execute(
                update(AUDIENCE)
                .where(AUDIENCE.c.number == audience.number)
                .values(ledger_version=delta.base_version + 1)
            )
        return tuple(ids)


def _plan(
    connection: Connection,
    audience: Row[Any],
    adds: MemberTable,
    removes: MemberTable,
    *,
    batch_size: int,
    at: datetime,
    view: LedgerView | None,
) -> list[str]:
    """Removes first, so that somebody moved between bands is never on two lists for longer than on none."""
    version = audience.ledger_version + 1
    ids: list[str] = []
    for op, members in ((Op.REMOVE, removes), (Op.ADD, adds)):
        if not len(members):
            continue
        members, now = _with_standing(connection, audience.number, members, op, view)
        changing = now if op is Op.REMOVE else ~now
        for changes, mask in ((True, changing), (False, ~changing)):
            if mask.any():
                ids += plan_batches(
                    connection,
                    audience,
                    chosen(members, mask),
                    op=op,
                    version=version,
                    changes=changes,
                    purpose="delta" if changes else "again",
                    batch_size=batch_size,
                    at=at,
                )
    return ids


def _with_standing(
    connection: Connection, audience: int, members: MemberTable, op: Op, view: LedgerView | None
) -> tuple[MemberTable, NDArray[np.bool_]]:
    """The members (a removed one with what was sent for it), and which of them are asked for at this version.

    What is asked for changes with the version alone, so a view of the same version still tells it.
    """
    if view is not None:
        if op is Op.REMOVE and view.details:
            members = filled(members, details(connection, audience, members.keys))
        return members, places(members.keys, view.keys) >= 0
    held = NO_KEYS
    if op is Op.REMOVE:
        held, members = held_and_filled(connection, audience, members)
    elif not is_empty(connection, audience):
        held = held_among(connection, audience, members.keys)
    return members, asked_among(connection, audience, members.keys, held)


def _refuse_repeats(adds: MemberTable, removes: MemberTable) -> None:
    for members in (adds, removes):
        if repeats(members.keys).any():
            raise Conflict("A key appears twice in one delta.")
    if len(removes) and bool((places(adds.keys, removes.keys) >= 0).any()):
        raise Conflict("A key is both added and removed in one delta.")


def _recorded_before(
    connection: Connection, audience: Row[Any], delta: Delta, adds: MemberTable, removes: MemberTable
) -> tuple[str, ...]:
    """The batches this very delta was stored as, or ``StaleBase``."""
    rows = connection.execute(
        select(BATCH.c.batch_id, BATCH.c.op, BATCH.c.member_keys)
        .where(BATCH.c.audience == audience.number, BATCH.c.version == delta.base_version + 1)
        .order_by(BATCH.c.number)
    ).all()
    if rows and all(row.member_keys is not None for row in rows):
        same = [_sent_under(rows, op) == m.keys.tobytes() for op, m in ((Op.ADD, adds), (Op.REMOVE, removes))]
        if all(same):
            return tuple(row.batch_id for row in rows)
    raise StaleBase(
        "Somebody else changed this list.",
        audience_id=delta.audience_id,
        base=delta.base_version,
        current=audience.ledger_version,
    )


def _sent_under(rows: Sequence[Row[Any]], op: Op) -> bytes:
    """All keys of one operation in byte order, as one blob."""
    keys = from_digests(b"".join(row.member_keys for row in rows if row.op == op))
    return keys[byte_order(keys)].tobytes()
