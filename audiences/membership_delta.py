"""What must change on a list: desired members against what the platform has confirmed.

NumPy on 8-byte prefixes, then checked on all 32 bytes. It looks at bytes only
and never asks why somebody is on a list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audiences.membership_keys import Digests, Keys, Rows, byte_order, payload_digests, prefix, repeats
from audiences.model import Delta, MemberTable


@dataclass(frozen=True, eq=False)
class Difference:
    """Row numbers. ``adds`` and ``changes`` point into the desired side, ``removes`` into the ledger."""

    adds: Rows
    changes: Rows  # on both sides, but with other identifiers: they are added again
    removes: Rows


def delta(
    audience_id: str,
    desired: MemberTable,
    *,
    ledger_keys: Keys,
    ledger_digests: Digests | None = None,
    base_version: int,
    ledger_members: Callable[[Rows], MemberTable] | None = None,
) -> Delta:
    """The adds and removes that turn the ledger into ``desired``.

    ledger_keys     (m, 32) uint8, unique, any order: members the platform has confirmed
    ledger_digests  (m,) int64 ``payload_digests`` of what was sent for them; None: payloads are not compared
    ledger_members  the members of some ledger rows, to remove them by the identifiers they were sent with;
                    None: the key alone identifies a member (an e-mail digest)

    Both sides of the result are in byte order of the key. Raises ValueError on a key that stands twice.
    """
    found = difference(desired, ledger_keys, ledger_digests)
    adds = np.union1d(found.adds, found.changes)
    leaving = ledger_members(found.removes) if ledger_members else _bare(ledger_keys[found.removes])
    return Delta(audience_id, base_version, _ordered(rows_of(desired, adds)), _ordered(leaving))


def difference(desired: MemberTable, ledger_keys: Keys, ledger_digests: Digests | None = None) -> Difference:
    """Rows to add, to add again with other identifiers, and to remove. Arguments as in ``delta``."""
    order_new, order_old = byte_order(desired.keys), byte_order(ledger_keys)
    new, old = desired.keys[order_new], ledger_keys[order_old]
    if repeats(new).any() or repeats(old).any():
        raise ValueError("a member key stands twice on one side")
    at = _places(new, old)
    both = at >= 0
    gone = np.ones(old.shape[0], dtype=np.bool_)
    gone[at[both]] = False
    changed = np.zeros(0, dtype=np.intp)
    if ledger_digests is not None:
        rows_new, rows_old = order_new[both], order_old[at[both]]
        digests = payload_digests(desired.payloads)
        changed = rows_new[digests[rows_new] != ledger_digests[rows_old]]
    return Difference(np.sort(order_new[~both]), np.sort(changed), np.sort(order_old[gone]))


def _places(new: Keys, old: Keys) -> NDArray[np.intp]:
    """(n,) row of ``old`` that equals each row of ``new``, -1 where none; both in byte order, unique.

    Two digests may share their first 8 bytes (about 3 in a million runs at ten million members), so a
    match counts only when all 32 bytes agree, and shared prefixes are looked up one by one.
    """
    if old.shape[0] == 0 or new.shape[0] == 0:
        return np.full(new.shape[0], -1, dtype=np.intp)
    first_new, first_old = prefix(new), prefix(old)
    at = np.searchsorted(first_old, first_new)
    at[at == old.shape[0]] = 0
    equal = first_old[at] == first_new
    hits = np.flatnonzero(equal)
    exact = (new[hits] == old[at[hits]]).all(axis=1)
    places = np.full(new.shape[0], -1, dtype=np.intp)
    places[hits[exact]] = at[hits[exact]]
    if not exact.all():
        _search_shared_prefixes(places, new, old, hits[~exact])
    return places


def _search_shared_prefixes(places: NDArray[np.intp], new: Keys, old: Keys, rows: Rows) -> None:
    wanted = {new[row].tobytes(): row for row in rows}
    shared = np.isin(prefix(old), prefix(new[rows]))
    for place in np.flatnonzero(shared):
        row = wanted.get(old[place].tobytes())
        if row is not None:
            places[row] = place


def rows_of(table: MemberTable, rows: Rows) -> MemberTable:
    """Some rows of a table, in the order asked."""
    if rows.size == len(table) and bool(np.array_equal(rows, np.arange(len(table)))):
        return table
    picked = rows.tolist()
    return MemberTable(
        table.keys[rows], [table.payloads[i] for i in picked], [table.account_ids[i] for i in picked]
    )


def _bare(keys: Keys) -> MemberTable:
    return MemberTable(keys, [b""] * keys.shape[0], [""] * keys.shape[0])


def _ordered(table: MemberTable) -> MemberTable:
    return rows_of(table, byte_order(table.keys))
