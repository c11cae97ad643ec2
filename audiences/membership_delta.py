"""What must change on a list: desired members against what the platform has confirmed.

NumPy on 8-byte prefixes, then checked on all 32 bytes. It looks at bytes only
and never asks why somebody is on a list.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import orjson
from numpy.typing import NDArray

from audiences.membership_keys import (
    Digests,
    Keys,
    Rows,
    byte_order,
    in_byte_order,
    payload_digests,
    places,
    repeats,
)
from audiences.model import Delta, IdentifierKind, MemberTable


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
    ledger_members  the members of some ledger rows, to remove them by the identifiers they were sent with, and
                    to know a person again whose key has changed; None: the key alone identifies a member

    A person is known by their first e-mail; one who lost it comes under another key. Who shares an e-mail or a
    phone with somebody leaving is that member still, under the key of the ledger: changed, or not at all.
    Both sides of the result are in byte order of the key. Raises ValueError on a key that stands twice.
    """
    found = difference(desired, ledger_keys, ledger_digests)
    leaving = ledger_members(found.removes) if ledger_members else _bare(ledger_keys[found.removes])
    before = same_people(rows_of(desired, found.adds), leaving)
    if (before >= 0).any():
        desired = _under_earlier_keys(desired, found.adds[before >= 0], leaving.keys[before[before >= 0]])
        stay = np.setdiff1d(np.arange(len(leaving)), before)
        found, leaving = difference(desired, ledger_keys, ledger_digests), rows_of(leaving, stay)
    adds = np.union1d(found.adds, found.changes)
    return Delta(audience_id, base_version, _ordered(rows_of(desired, adds)), _ordered(leaving))


def difference(desired: MemberTable, ledger_keys: Keys, ledger_digests: Digests | None = None) -> Difference:
    """Rows to add, to add again with other identifiers, and to remove. Arguments as in ``delta``."""
    (order_new, new), (order_old, old) = in_byte_order(desired.keys), in_byte_order(ledger_keys)
    if repeats(new).any() or repeats(old).any():
        raise ValueError("a member key stands twice on one side")
    at = places(new, old)
    both = at >= 0
    gone = np.ones(old.shape[0], dtype=np.bool_)
    gone[at[both]] = False
    changed = np.zeros(0, dtype=np.intp)
    if ledger_digests is not None:
        rows_new, rows_old = order_new[both], order_old[at[both]]
        digests = payload_digests(desired.payloads)
        changed = rows_new[digests[rows_new] != ledger_digests[rows_old]]
    return Difference(np.sort(order_new[~both]), np.sort(changed), np.sort(order_old[gone]))


def same_people(coming: MemberTable, leaving: MemberTable) -> Rows:
    """(n,) row of ``leaving`` that is the same person as each row of ``coming``, -1 where none is.

    Each is taken once, the first in the order given: who has all the same identifiers, else a same e-mail, else
    a same phone, which colleagues may share. Without a payload a member is the e-mail of their key, and
    different keys are different people.
    """
    found = np.full(len(coming), -1, dtype=np.intp)
    if not len(leaving) or not (any(coming.payloads) or any(leaving.payloads)):
        return found
    taken: set[int] = set()
    for marks in zip(_marks(leaving), _marks(coming), strict=True):
        _pair(found, taken, *marks)
    return found


Marks = list[Sequence[bytes | str]]  # per member, what it may be known by


def _marks(members: MemberTable) -> tuple[Marks, Marks, Marks]:
    """All identifiers together, every e-mail, every phone. A company has none of them."""
    rows = [_identifiers(key, load) for key, load in zip(members.keys, members.payloads, strict=True)]
    values = [_values(row) for row in rows]
    mails: Marks = [row.get(IdentifierKind.EMAIL, ()) for row in values]
    phones: Marks = [row.get(IdentifierKind.PHONE, ()) for row in values]
    whole: Marks = [
        (orjson.dumps(row, option=orjson.OPT_SORT_KEYS),) if mail or phone else ()
        for row, mail, phone in zip(rows, mails, phones, strict=True)
    ]
    return whole, mails, phones


def _pair(found: Rows, taken: set[int], left: Marks, came: Marks) -> None:
    """Give every row not found yet the first row not taken yet that has a mark in common with it."""
    holders: dict[bytes | str, list[int]] = {}
    for row in reversed(range(len(left))):
        for mark in left[row]:
            holders.setdefault(mark, []).append(row)
    for row in np.flatnonzero(found < 0).tolist():
        for mark in came[row]:
            while found[row] < 0 and holders.get(mark):
                earlier = holders[mark].pop()
                found[row] = -1 if earlier in taken else earlier
                taken.add(earlier)


def _identifiers(key: Keys, payload: bytes) -> dict[str, str | list[str]]:
    """An empty payload is the e-mail of the key."""
    found: dict[str, str | list[str]] = (
        orjson.loads(payload) if payload else {IdentifierKind.EMAIL.value: key.tobytes().hex()}
    )
    return found


def _values(identifiers: Mapping[str, str | list[str]]) -> dict[str, list[str]]:
    return {kind: [value] if isinstance(value, str) else value for kind, value in identifiers.items()}


def _under_earlier_keys(desired: MemberTable, rows: Rows, earlier: Keys) -> MemberTable:
    """These rows under other keys; what only the key said is written out."""
    keys, payloads = desired.keys.copy(), list(desired.payloads)
    for row in rows.tolist():
        payloads[row] = payloads[row] or orjson.dumps(_identifiers(desired.keys[row], b""))
    keys[rows] = earlier
    return MemberTable(keys, payloads, desired.account_ids)


def rows_of(table: MemberTable, rows: Rows) -> MemberTable:
    """Some rows of a table, in the order asked."""
    if rows.size == len(table) and bool(np.array_equal(rows, np.arange(len(table)))):
        return table
    picked = rows.tolist()
    return MemberTable(
        table.keys[rows], [table.payloads[i] for i in picked], [table.account_ids[i] for i in picked]
    )


def outdated(before: MemberTable, after: MemberTable) -> NDArray[np.bool_]:
    """(n,) True where something the platform was given to match by no longer belongs to the member.

    Both sides hold the same members in the same order; ``before`` is what was sent. Adding a member again
    never takes an identifier off a list, so these must be removed by the old ones first. A name or a place
    that is merely worded differently finds the same company, as long as a stronger identifier stays.
    """
    rows = zip(before.keys, before.payloads, after.payloads, strict=True)
    return np.fromiter((_outdated(key, old, new) for key, old, new in rows), np.bool_, len(before))


def _outdated(key: Keys, old: bytes, new: bytes) -> bool:
    """An empty payload is the e-mail of the key, which stays as long as the member does."""
    if not old:
        return False
    return bool(_strong(orjson.loads(old)) - _strong(_identifiers(key, new)))


_WEAK = frozenset(
    {
        IdentifierKind.NAME,
        IdentifierKind.COUNTRY,
        IdentifierKind.POSTAL_CODE,
        IdentifierKind.REGION_CODE,
        IdentifierKind.GIVEN_NAME,
    }
)


def _strong(identifiers: Mapping[str, str | list[str]]) -> set[tuple[str, str]]:
    """(kind, value) of what finds a member by itself; all of it where nothing does."""
    pairs = {(kind, value) for kind, values in _values(identifiers).items() for value in values}
    return {pair for pair in pairs if pair[0] not in _WEAK} or pairs


def _bare(keys: Keys) -> MemberTable:
    return MemberTable(keys, [b""] * keys.shape[0], [""] * keys.shape[0])


def _ordered(table: MemberTable) -> MemberTable:
    return rows_of(table, byte_order(table.keys))
