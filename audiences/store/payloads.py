"""A member's identifiers as canonical JSON bytes, and back. Pure; must not know platforms."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat

import orjson

from audiences.model import IdentifierKind, Member, MemberTable
from audiences.store.packing import KEY_BYTES, each_key

Identifiers = tuple[tuple[str, str], ...]


def identifiers_of(key: bytes, payload: bytes) -> Identifiers:
    """The (kind, value) pairs of a payload; an empty payload means the key is an e-mail digest.

    A value may be a list (several e-mails of one person): then each gives a pair.
    """
    if not payload:
        return ((IdentifierKind.EMAIL.value, key.hex()),)
    pairs: list[tuple[str, str]] = []
    for kind, value in orjson.loads(payload).items():
        pairs.extend((kind, one) for one in (value if isinstance(value, list) else [value]))
    return tuple(pairs)


def nouns_of(table: MemberTable) -> tuple[Member, ...]:
    """The rows as members, in order."""
    keys = each_key(table.keys)
    if any(table.payloads):
        found: Iterable[Identifiers] = map(identifiers_of, keys, table.payloads)
    else:
        text = table.keys.tobytes().hex()
        mails = [text[i : i + 2 * KEY_BYTES] for i in range(0, len(text), 2 * KEY_BYTES)]
        found = zip(zip(repeat(IdentifierKind.EMAIL.value), mails, strict=False), strict=True)
    return tuple(_built(keys, table.account_ids, found))


def _built(keys: list[bytes], account_ids: Iterable[str], identifiers: Iterable[Identifiers]) -> list[Member]:
    """Members, a field at a time: their own constructor takes three times as long, a third of a push."""
    made = list(map(Member.__new__, repeat(Member, len(keys))))
    for name, values in (("key", keys), ("account_id", account_ids), ("identifiers", identifiers)):
        for _ in map(getattr(Member, name).__set__, made, values):
            pass
    return made


def payload_of(identifiers: Identifiers, key: bytes = b"") -> bytes:
    """Canonical bytes of identifiers; ``b""`` when the key says it all."""
    if key and identifiers == ((IdentifierKind.EMAIL.value, key.hex()),):
        return b""
    grouped: dict[str, str | list[str]] = {}
    for kind, value in sorted(identifiers):
        held = grouped.get(kind)
        if held is None:
            grouped[kind] = value
        elif isinstance(held, list):
            held.append(value)
        else:
            grouped[kind] = [held, value]
    return orjson.dumps(grouped, option=orjson.OPT_SORT_KEYS)
