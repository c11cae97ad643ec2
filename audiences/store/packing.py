"""Many keys or texts as one blob, and back. Pure; must not know what they mean."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from audiences.membership_keys import Keys, Rows, byte_order
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
    return pack([text.encode() for text in texts]) if any(texts) else None


def unpack_texts(blob: bytes | None, n: int) -> list[str]:
    return [item.decode() for item in unpack(blob, n)] if blob is not None else [""] * n


def each_key(keys: Keys) -> list[bytes]:
    """Every row as 32 bytes (``V32`` items keep trailing zero bytes, which ``S32`` would drop)."""
    rows: list[bytes] = np.ascontiguousarray(keys).view(f"V{KEY_BYTES}").ravel().tolist()
    return rows


def rows_of(members: MemberTable, rows: Rows) -> MemberTable:
    """The chosen rows, in the order given."""
    chosen = rows.tolist()
    return MemberTable(
        keys=members.keys[rows],
        payloads=[members.payloads[i] for i in chosen],
        account_ids=[members.account_ids[i] for i in chosen],
    )


def in_key_order(members: MemberTable) -> MemberTable:
    """The same members in byte order of the key; the table itself when it is in order already."""
    order = byte_order(members.keys)
    return members if bool((order[1:] > order[:-1]).all()) else rows_of(members, order)


def chosen(members: MemberTable, mask: NDArray[np.bool_]) -> MemberTable:
    """The rows where ``mask`` is True; the table itself when that is all of them."""
    return members if bool(mask.all()) else rows_of(members, np.flatnonzero(mask))
