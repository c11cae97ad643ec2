"""Reading JSON written by strangers: a wrong shape becomes Garbled, not a crash. It must know no platform."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from platforms.errors import Garbled

_STEP = re.compile(r"[A-Za-z$_]\w{0,39}|\d{0,6}")


def mapping(value: object) -> Mapping[str, Any]:
    """An object, or an empty one where there is none."""
    return value if isinstance(value, dict) else {}


def records(value: object) -> list[dict[str, Any]]:
    """The objects of a list; anything else is left out."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def need_list(reply: Mapping[str, Any], name: str) -> list[Any]:
    """A field that must be a list. Raises Garbled."""
    value = reply.get(name)
    if not isinstance(value, list):
        raise Garbled(f"the answer has no list of {name}")
    return value


def need_records(reply: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """A field that must be a list of objects. Raises Garbled."""
    value = need_list(reply, name)
    if not all(isinstance(item, dict) for item in value):
        raise Garbled(f"the answer's {name} are not objects")
    return value


def need_id(row: Mapping[str, Any], name: str = "id") -> str:
    """An id, number or text. Raises Garbled."""
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
        raise Garbled("something in the answer has no id")
    return str(value)


def field_path(text: str) -> str:
    """The text when it is made of names of fields and numbers of elements, else "": it may be a value sent."""
    good = len(text) <= 160 and all(_STEP.fullmatch(step) for step in re.split(r"[/.\[\]]", text))
    return text if good else ""


def whole(value: object) -> int | None:
    """A count written as a number or as digits; None where it is neither."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else None
