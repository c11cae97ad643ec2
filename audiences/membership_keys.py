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


def from_digests(joined: bytes) -> Keys:
    """(n, 32) from n digests joined together."""
    return np.frombuffer(joined, dtype=np.uint8).reshape(-1, 32)


def prefix(keys: Keys) -> NDArray[np.uint64]:
    """(n,) the first 8 bytes as a number; its order is the byte order of those bytes."""
    return _words(keys)[:, 0].astype(np.uint64)


def _words(keys: Keys) -> NDArray[np.uint64]:
    """(n, 4) the 32 bytes as four big-endian numbers; no copy where ``keys`` are contiguous."""
    return np.ascontiguousarray(keys).view(">u8").reshape(-1, 4)


def byte_order(keys: Keys) -> Rows:
    """(n,) row order that sorts ``keys`` bytewise; equal keys keep no particular order."""
    first = prefix(keys)
    if first.size < 2 or bool((first[1:] > first[:-1]).all()):
        return np.arange(first.size)
    order: Rows = np.argsort(first)
    ranked = first[order]
    if bool((ranked[1:] == ranked[:-1]).any()):
        words = _words(keys)
        order = np.lexsort((words[:, 3], words[:, 2], words[:, 1], words[:, 0]))
    return order


def in_byte_order(keys: Keys) -> tuple[Rows, Keys]:
    """The order that sorts ``keys``, and the sorted keys; sorted ones are not copied."""
    order = byte_order(keys)
    untouched = order.size < 2 or bool((order[1:] > order[:-1]).all())
    return order, keys if untouched else keys[order]


def repeats(keys: Keys) -> NDArray[np.bool_]:
    """(n,) True where a row equals the one before; ``keys`` are in byte order."""
    same = np.zeros(keys.shape[0], dtype=np.bool_)
    first = prefix(keys)
    close = np.flatnonzero(first[1:] == first[:-1]) + 1  # nearly always none
    same[close] = (keys[close] == keys[close - 1]).all(axis=1)
    return same


def places(new: Keys, old: Keys) -> Rows:
    """(n,) row of ``old`` that equals each row of ``new``, -1 where none; both in byte order, ``old`` unique.

    Two digests may share their first 8 bytes (about 3 in a million runs at ten million members), so a
    match counts only when all 32 bytes agree, and shared prefixes are looked up one by one.
    """
    found = np.full(new.shape[0], -1, dtype=np.intp)
    if old.shape[0] == 0 or new.shape[0] == 0:
        return found
    first_old, first_new = prefix(old), prefix(new)
    at = np.searchsorted(first_old, first_new)
    at[at == old.shape[0]] = 0
    hits = np.flatnonzero(first_old[at] == first_new)
    at = at[hits]
    exact = _same(new, hits, old, at)
    if exact.all():
        found[hits] = at
        return found
    found[hits[exact]] = at[exact]
    _search_shared_prefixes(found, new, old, hits[~exact])
    return found


_CHUNK = 1 << 18  # rows compared at a time: both sides stay in the processor's cache


def _same(new: Keys, rows: Rows, old: Keys, at: Rows) -> NDArray[np.bool_]:
    """Whether ``new[rows]`` equals ``old[at]`` in the 24 bytes behind the prefix, row by row."""
    same = np.empty(rows.size, dtype=np.bool_)
    words_new, words_old = _words(new), _words(old)
    for start in range(0, rows.size, _CHUNK):
        part = slice(start, start + _CHUNK)
        difference = words_new[rows[part], 1:] ^ words_old[at[part], 1:]
        same[part] = (difference[:, 0] | difference[:, 1] | difference[:, 2]) == 0
    return same


def _search_shared_prefixes(found: Rows, new: Keys, old: Keys, rows: Rows) -> None:
    shared = np.flatnonzero(np.isin(prefix(old), prefix(new[rows])))
    place_of = {old[place].tobytes(): place for place in shared}
    for row in rows:
        found[row] = place_of.get(new[row].tobytes(), -1)


def contained(needles: Keys, hay: Keys) -> NDArray[np.bool_]:
    """(n,) which of ``needles`` are in ``hay``; any order, repeats allowed."""
    inside = np.zeros(needles.shape[0], dtype=np.bool_)
    order, ranked = in_byte_order(needles)
    held = in_byte_order(hay)[1]
    inside[order] = places(ranked, held) >= 0
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
