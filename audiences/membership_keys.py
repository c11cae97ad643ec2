"""Member keys: 32-byte digests in byte order, as arrays.

Fast paths over ``uint8[n, 32]``. NumPy's ``S32`` is never used: it drops
trailing zero bytes and would shorten one digest in 256.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint8]
Rows = NDArray[np.intp]
Digests = NDArray[np.int64]
NO_KEYS: Keys = np.zeros((0, 32), dtype=np.uint8)
NO_KEYS.flags.writeable = False


def company_keys(account_ids: Iterable[str]) -> Keys:
    """(n, 32) SHA-256 of each account id (UTF-8)."""
    sha256 = hashlib.sha256
    return from_digests(b"".join([sha256(text.encode()).digest() for text in account_ids]))


def contact_keys(contact_ids: Sequence[str]) -> Keys:
    """(n, 32) digests from their 64 hex digits. Raises ValueError when one is not 64 hex digits."""
    if any(len(text) != 64 for text in contact_ids):
        raise ValueError("a contact id is not a digest of 64 hex digits")
    return from_digests(bytes.fromhex("".join(contact_ids)))


def from_digests(joined: bytes) -> Keys:
    """(n, 32) from n digests joined together."""
    return np.frombuffer(joined, dtype=np.uint8).reshape(-1, 32)


def prefix(keys: Keys) -> NDArray[np.uint64]:
    """(n,) the first 8 bytes as a number; its order is the byte order of those bytes."""
    return np.ascontiguousarray(keys[:, :8]).view(">u8").ravel().astype(np.uint64)


def byte_order(keys: Keys) -> Rows:
    """(n,) row order that sorts ``keys`` bytewise; equal keys keep no particular order."""
    first = prefix(keys)
    order: Rows = np.argsort(first)
    ranked = first[order]
    if ranked.size > 1 and bool(np.any(ranked[1:] == ranked[:-1])):
        words = np.ascontiguousarray(keys).view(">u8").reshape(-1, 4)
        order = np.lexsort((words[:, 3], words[:, 2], words[:, 1], words[:, 0]))
    return order


def repeats(keys: Keys) -> NDArray[np.bool_]:
    """(n,) True where a row equals the one before; ``keys`` are in byte order."""
    same = np.zeros(keys.shape[0], dtype=np.bool_)
    if keys.shape[0] > 1:
        same[1:] = (keys[1:] == keys[:-1]).all(axis=1)
    return same


def places(new: Keys, old: Keys) -> Rows:
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
    found = np.full(new.shape[0], -1, dtype=np.intp)
    found[hits[exact]] = at[hits[exact]]
    if not exact.all():
        _search_shared_prefixes(found, new, old, hits[~exact])
    return found


def _search_shared_prefixes(found: Rows, new: Keys, old: Keys, rows: Rows) -> None:
    shared = np.flatnonzero(np.isin(prefix(old), prefix(new[rows])))
    place_of = {old[place].tobytes(): place for place in shared}
    for row in rows:
        found[row] = place_of.get(new[row].tobytes(), -1)


def contained(needles: Keys, hay: Keys) -> NDArray[np.bool_]:
    """(n,) which of ``needles`` are in ``hay``; any order, repeats allowed."""
    inside = np.zeros(needles.shape[0], dtype=np.bool_)
    order = byte_order(needles)
    inside[order] = places(needles[order], hay[byte_order(hay)]) >= 0
    return inside


def payload_digests(payloads: Sequence[bytes]) -> Digests:
    """(n,) signed 64-bit digests of the payloads; 0 for ``b""``. Fits a BIGINT column."""
    result = np.zeros(len(payloads), dtype=np.int64)
    if any(payloads):
        filled = [i for i, payload in enumerate(payloads) if payload]
        result[filled] = [_digest(payloads[i]) for i in filled]
    return result


def _digest(payload: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(payload, digest_size=8).digest(), "big", signed=True) or 1
