"""The one file of sentences: reads ``words.toml`` and fills in what a sentence leaves open. It words nothing itself."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from markupsafe import Markup, escape


def say(key: str, /, **fields: object) -> str:
    """The sentence at ``key``, e.g. ``say("overview.waiting", n=3)``.

    Numbers among the fields become whole ones with thousands marked; everything else comes as it shall look.
    Where a sentence has the forms ``one`` and ``other``, the field ``n`` chooses.
    Raises KeyError for a key, or for a field of the sentence, that is not there.
    """
    text = _text(key, fields)
    return text.format(**_shown(fields)) if fields else text


def say_in_page(key: str, /, **fields: object) -> Markup:
    """The same for templates: sentence and fields are escaped, and a field that is Markup stays it."""
    text = _escaped(_text(key, fields))
    if not fields:
        return text
    shown = {name: escape(value) for name, value in _shown(fields).items()}
    return Markup(str.format(text, **shown))  # noqa: S704 - both are escaped; Markup.format costs twice as much


def coded(name: str, code: str, default: str, /, **fields: object) -> str:
    """What ``code`` is called in the table ``name``; ``default`` where nobody has given it words."""
    key = f"{name}.{code}"
    known = key in sentences() or ("n" in fields and f"{key}.other" in sentences())
    return say(key, **fields) if known else default


@cache
def table(name: str) -> Mapping[str, str]:
    """Every entry right under ``name``, by its last part: codes and what they are called, in the file's order."""
    parts = ((key.rpartition("."), text) for key, text in sentences().items())
    return MappingProxyType({last: text for (first, _, last), text in parts if first == name})


@cache
def sentences() -> Mapping[str, str]:
    """Every sentence of the file by its full key."""
    text = files("flows.report").joinpath("words.toml").read_text(encoding="utf-8")
    return MappingProxyType(dict(_flat("", tomllib.loads(text))))


def _flat(before: str, tree: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in tree.items():
        if isinstance(value, str):
            yield before + name, value
        else:
            yield from _flat(f"{before}{name}.", value)


def _text(key: str, fields: Mapping[str, object]) -> str:
    text = sentences().get(key)
    if text is not None:
        return text
    n = fields.get("n")
    one = isinstance(n, int | float) and round(n) == 1
    return sentences()[f"{key}.one" if one else f"{key}.other"]


def _shown(fields: Mapping[str, object]) -> dict[str, object]:
    return {name: f"{round(v):,}" if isinstance(v, int | float) else v for name, v in fields.items()}


@cache
def _escaped(text: str) -> Markup:
    return escape(text)


class Said:
    """A sentence as an attribute of a class. It is read when it is asked for, not when the class is made."""

    def __init__(self, key: str):
        self.key = key

    def __get__(self, instance: object, owner: type) -> str:
        return say(self.key)


__all__ = ["Said", "coded", "say", "say_in_page", "sentences", "table"]
