"""Rest.li query strings, read the way LinkedIn reads them. Parsing only; it must not build any.

Protocol 2.0.0: ``List(a,b)`` and ``(k:v)`` with literal ``( ) , :`` and every leaf percent-encoded;
leaves with literal colons, as in LinkedIn's own FAQ samples, are understood too. Protocol 1.0.0
(no ``X-Restli-Protocol-Version`` header): ``a.b[0].c=...``.
Source: learn.microsoft.com/en-us/linkedin/shared/api-guide/concepts/protocol-version (2026-08).
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote, unquote_plus

ONE_ZERO = re.compile(r"^[A-Za-z_$]\w*(?:(?:\.\w+)|(?:\[\d+\]))+$")

LENIENT = "filterCriteria"  # of accountIntelligence, whose callers encode the colons of the record or do not


class NotRestli(ValueError):
    """A parameter that does not parse; holds its name only."""

    def __init__(self, name: str, code: str = "PARAM_INVALID") -> None:
        super().__init__(name)
        self.name, self.code = name, code


def pairs(query: str) -> list[tuple[str, str]]:
    """``a=b&c=d`` into raw pairs; values stay encoded."""
    return [(unquote(k), v) for k, _, v in (part.partition("=") for part in query.split("&") if part)]


def parse_query(query: str, *, protocol: str, accept_encoded: bool = False) -> dict[str, Any]:
    """The query as nested dicts, lists and strings.

    Raises:
        NotRestli: a tuple or list that does not parse, encoded structure, or 1.0 syntax under 2.0.0.
    """
    found: dict[str, Any] = {}
    for name, raw in pairs(query):
        if ONE_ZERO.match(name):
            if protocol.startswith("2"):
                raise NotRestli(name, "QUERY_PARAM_NOT_ALLOWED")
            _place(found, name, unquote_plus(raw))
        else:
            found[name] = _value(name, raw, accept_encoded=accept_encoded)
    return found


def _value(name: str, raw: str, *, accept_encoded: bool) -> Any:
    if re.match(r"(?i)^(List)?%28", raw):
        if not accept_encoded:
            raise NotRestli(name)
        raw = unquote(raw)
    if not raw.startswith(("(", "List(")):
        return unquote(raw)
    value, end = _any(raw, 0, name)
    if end != len(raw):
        raise NotRestli(name)
    return value


def _any(text: str, at: int, name: str) -> tuple[Any, int]:
    if text.startswith("List(", at):
        return _list(text, at + 5, name)
    if text.startswith("(", at):
        return _record(text, at + 1, name)
    end = at
    while end < len(text) and text[end] not in ",()":
        end += 1
    return unquote(text[at:end]), end


def _list(text: str, at: int, name: str) -> tuple[list[Any], int]:
    items: list[Any] = []
    if text.startswith(")", at):
        return items, at + 1
    while True:
        item, at = _any(text, at, name)
        items.append(item)
        if text.startswith(")", at):
            return items, at + 1
        if not text.startswith(",", at):
            raise NotRestli(name)
        at += 1


def _record(text: str, at: int, name: str) -> tuple[dict[str, Any], int]:
    record: dict[str, Any] = {}
    if text.startswith(")", at):
        return record, at + 1
    while True:
        key, at = _key(text, at, name)
        record[key], at = _any(text, at, name)
        if text.startswith(")", at):
            return record, at + 1
        if not text.startswith(",", at):
            raise NotRestli(name)
        at += 1


def _key(text: str, at: int, name: str) -> tuple[str, int]:
    """A key ends at its colon; a URN with literal colons ends at the colon before ``List(`` or ``(``."""
    stop = at
    while stop < len(text) and text[stop] not in ",()":
        stop += 1
    token = text[at:stop]
    if text.startswith("(", stop):
        bare = token.removesuffix("List")
        sign = "%3A" if name == LENIENT and bare.upper().endswith("%3A") else ":"
        if not bare.upper().endswith(sign):
            raise NotRestli(name)
        return unquote(bare[: -len(sign)]), at + len(bare)
    for sign in (":", "%3A", "%3a") if name == LENIENT else (":",):
        head, colon, _ = token.partition(sign)
        if colon:
            return unquote(head), at + len(head) + len(sign)
    raise NotRestli(name)


def _place(found: dict[str, Any], name: str, value: str) -> None:
    """``a.b[0]=v`` of protocol 1.0 into nested dicts, lists grown as needed."""
    steps = re.findall(r"\w+|\[\d+\]", name)
    here: Any = found
    for i, step in enumerate(steps):
        last = i == len(steps) - 1
        fresh: Any = value if last else ([] if steps[i + 1].startswith("[") else {})
        if step.startswith("["):
            index = int(step[1:-1])
            while len(here) <= index:
                here.append(None)
            if here[index] is None:
                here[index] = fresh
            here = here[index]
        else:
            here = here.setdefault(step, fresh)


def protocol_of(header: str) -> str:
    """LinkedIn falls back to 1.0.0 where the header is absent."""
    return header or "1.0.0"


def last_part(urn: str) -> str:
    """``urn:li:sponsoredAccount:12`` -> ``12``; a bare id stays."""
    return urn.rsplit(":", 1)[-1]
