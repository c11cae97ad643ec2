"""Rest.li 2.0 encoding of query values, paths and URNs. It must not send anything.

The structural characters ``( ) , :`` stay literal, everything inside is percent-encoded with nothing safe.
The result goes into the address as it stands: httpx's ``params=`` would encode it a second time.
Source: learn.microsoft.com/en-us/linkedin/shared/api-guide/concepts/protocol-version, 2026-08.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import quote, unquote


@dataclass(frozen=True, slots=True)
class Plain:
    """Text that goes in as it is: ``fields`` is a plain comma list, not ``List(...)``."""

    text: str


def encode(value: object) -> str:
    """One value. Lists become ``List(a,b)``, mappings ``(k:v,k:v)``, in the order given."""
    if isinstance(value, Plain):
        return value.text
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quote(value, safe="")
    if isinstance(value, int | Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return "(" + ",".join(f"{encode(name)}:{encode(item)}" for name, item in value.items()) + ")"
    if isinstance(value, Sequence):
        return "List(" + ",".join(encode(item) for item in value) + ")"
    raise TypeError(f"no Rest.li form for {type(value).__name__}")


def query(parameters: Mapping[str, object]) -> str:
    """A whole query string. Parameters that are None are left out."""
    return "&".join(f"{name}={encode(value)}" for name, value in parameters.items() if value is not None)


def key(identifier: str) -> str:
    """An entity key for a path: encoded including its own ``( ) , :``."""
    return quote(identifier, safe="")


def entity_id(header: str) -> str:
    """The id a create answers in ``x-restli-id``: URNs arrive percent-encoded."""
    return unquote(header)


def urn(kind: str, identifier: str) -> str:
    """``urn:li:<kind>:<id>`` from an id or from a URN of any kind."""
    return f"urn:li:{kind}:{tail(identifier)}"


def tail(identifier: str) -> str:
    """The last part of a URN, or the id itself."""
    return identifier.rsplit(":", 1)[-1]
