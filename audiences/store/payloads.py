"""A member's identifiers as canonical JSON bytes, and back. Pure; must not know platforms."""

from __future__ import annotations

import orjson

from audiences.model import IdentifierKind

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
