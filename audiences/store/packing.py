"""Many keys or texts as one blob, and back. Pure; must not know what they mean."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from audiences.model import MemberTable

KEY_BYTES = 32


def pack(items: Sequence[bytes]) -> bytes | None:
    """Lengths as little-endian uint32, then the bytes. None when every item is empty."""
    if not any(items):
        return None
    return np.fromiter(map(len, items), dtype="<u4", count=len(items)).tobytes() + b"".join(items)


def unpack(blob: bytes | None, n: int) -> list[bytes]:
    """The ``n`` items of ``pack``; empty ones when there is no blob."""
    if blob is None:
        return [b""] * n
    ends = np.cumsum(np.frombuffer(blob, dtype="<u4", count=n), dtype=np.int64) + 4 * n
    starts = [4 * n, *ends[:-1].tolist()]
    return [blob[a:b] for a, b in zip(starts, ends.tolist(), strict=True)] if n else []


def pack_texts(texts: Sequence[str]) -> bytes | None:
    return pack([text.encode() for text in texts])


def unpack_texts(blob: bytes | None, n: int) -> list[str]:
    return [item.decode() for item in unpack(blob, n)]


def keys_from(blob: bytes) -> NDArray[np.uint8]:
    """(n, 32) uint8 over the same memory."""
    return np.frombuffer(blob, dtype=np.uint8).reshape(-1, KEY_BYTES)


def each_key(keys: NDArray[np.uint8]) -> Iterator[bytes]:
    """Every row as 32 bytes. Never through an ``S32`` item: that drops trailing zero bytes."""
    blob = keys.tobytes()
    return (blob[i : i + KEY_BYTES] for i in range(0, len(blob), KEY_BYTES))


def sortable(keys: NDArray[np.uint8]) -> NDArray[np.bytes_]:
    """(n,) view that compares in byte order; to compare and search with, never to read values from."""
    return np.ascontiguousarray(keys).view(f"S{KEY_BYTES}").reshape(-1)


def contained(needles: NDArray[np.uint8], hay: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(n,) bool: which rows of ``needles`` are rows of ``hay``, which is sorted."""
    if len(hay) == 0:
        return np.zeros(len(needles), dtype=np.bool_)
    where = np.searchsorted(sortable(hay), sortable(needles))
    where[where == len(hay)] = 0
    found: NDArray[np.bool_] = (hay[where] == needles).all(axis=1)
    return found


def rows_of(members: MemberTable, rows: NDArray[np.int64]) -> MemberTable:
    """The chosen rows, in the order given."""
    chosen = rows.tolist()
    return MemberTable(
        keys=members.keys[rows],
        payloads=[members.payloads[i] for i in chosen],
        account_ids=[members.account_ids[i] for i in chosen],
    )


def stack(blobs: Iterable[bytes]) -> NDArray[np.uint8]:
    """(n, 32) of all blobs, one after the other."""
    return keys_from(b"".join(blobs))


def in_key_order(members: MemberTable) -> MemberTable:
    """The same members in byte order of the key."""
    keys = sortable(members.keys)
    if len(keys) < 2 or bool((keys[1:] > keys[:-1]).all()):
        return members
    return rows_of(members, np.argsort(keys, kind="stable"))


def chosen(members: MemberTable, mask: NDArray[np.bool_]) -> MemberTable:
    """The rows where ``mask`` is True; the table itself when that is all of them."""
    return members if bool(mask.all()) else rows_of(members, np.flatnonzero(mask))
