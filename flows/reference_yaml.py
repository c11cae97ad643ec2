"""The reference of ``evenreach.yaml``, written from the settings' own types: ``python -m flows.reference yaml``.

It explains nothing the code does not know: keys, values and defaults are read off the models, meanings off the
comments beside them, or off ``reference_words`` where a key has none.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import io
import tokenize
import types
import typing
from collections.abc import Callable, Iterator
from datetime import date
from typing import Annotated, Any, Literal

from pydantic_core import PydanticUndefined

from audiences.config import POLICY_KEYS, Config
from audiences.config_rules import AllOf, AnyOf, HeatTest, NoneOf
from audiences.config_scoring import FieldPoints
from audiences.config_yaml import Part
from balancer.types import Policy
from flows.reference_words import CONDITION_WORDS, WORDS

POLICIES = "by name: [policies.NAME](#policiesname)"
CONDITIONS = "[condition](#conditions)"
PLAIN = {str: "text", int: "whole number", float: "number", bool: "true / false", date: "day (2026-12-31)"}
HEAD = """# Settings in evenreach.yaml

Written by `python -m flows.reference yaml`; a test keeps it true. `evenreach init` writes a file to start from, and every
command says file, line and field of what cannot be used. Shares may be written as `0.25` or `25 %`, a single word where a
list is wanted as the word alone.
"""


def settings() -> str:
    """Every key of the file as Markdown, section by section, in the order of the file."""
    parts = [HEAD]
    for title, model in _sections():
        parts.append(f"## {title}\n\n{_intro(model)}\n\n{_table(list(_rows(model)))}")
    parts.append(f"## policies.NAME\n\n{_intro(Policy)}\n\n{_table(list(_policy_rows()))}")
    parts.append(
        "## Conditions\n\nWhat `where:` is made of. A list of conditions means all of them. What is not known "
        "neither matches nor fails, unless `if_unknown` says so.\n"
    )
    for model in _conditions():
        key = next(iter(model.model_fields.values())).alias or next(iter(model.model_fields))
        parts.append(f"### {key}: {_name(model)}\n\n{_intro(model)}\n\n{_table(list(_rows(model)))}")
    return "\n".join(parts)


def _sections() -> Iterator[tuple[str, type[Part]]]:
    """The models under ``Config``, each once, by the path at which it is met first."""
    waiting: list[tuple[str, type[Part]]] = [("The file", Config)]
    seen: set[type[Part]] = set()
    while waiting:
        title, model = waiting.pop(0)
        if model in seen:
            continue
        seen.add(model)
        yield title, model
        above = "" if model is Config else f"{title}."
        inner = [
            (f"{above}{field.alias or name}{_many(field.annotation)}", part)
            for name, field in model.model_fields.items()
            for part in _parts(field.annotation)
            if not _is_condition(part)
        ]
        waiting = inner + waiting


def _conditions() -> list[type[Part]]:
    """Every kind of condition, as the union of them lists them."""
    (field,) = AllOf.model_fields.values()
    return [part for part in dict.fromkeys(_parts(field.annotation)) if part is not HeatTest]


def _is_condition(part: type[Part]) -> bool:
    return part in (AllOf, AnyOf, NoneOf) or part.__module__ == "audiences.config_rules" or _is_points(part)


def _is_points(part: type[Part]) -> bool:
    return part.__module__ == FieldPoints.__module__ and "points" in part.model_fields


def _parts(annotation: Any) -> list[type[Part]]:
    """The models an annotation speaks of, in order."""
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return [annotation]
    return [part for inner in typing.get_args(annotation) for part in _parts(inner)]


def _many(annotation: Any) -> str:
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (Annotated, typing.Union, types.UnionType):
        return _many(inner[0])
    return {dict: ".NAME", tuple: "[]"}.get(origin, "")


def _rows(model: type[Part]) -> Iterator[tuple[str, str, str, str]]:
    said = _comments(model)
    for name, field in model.model_fields.items():
        required = field.default is PydanticUndefined and field.default_factory is None
        default = field.default if field.default_factory is None else field.default_factory()  # type: ignore[call-arg]
        key = field.alias or name
        kind = POLICIES if model is Config and name == "policies" else _type(field.annotation)
        yield key, kind, "needed" if required else _value(default), _meaning(model, name, said)


def _policy_rows() -> Iterator[tuple[str, str, str, str]]:
    said, hints = _comments(Policy), typing.get_type_hints(Policy)
    fields = {field.name: field for field in dataclasses.fields(Policy)}
    for name in POLICY_KEYS:
        field = fields[name]
        default = field.default_factory() if callable(field.default_factory) else field.default
        yield name, _type(hints[name]), _value(default), _meaning(Policy, name, said)


def _meaning(model: type[Any], name: str, said: dict[str, str]) -> str:
    """The words for a key, those of the class it was inherited from included. Raises KeyError without any."""
    for known in model.__mro__:
        if f"{known.__name__}.{name}" in WORDS:
            return WORDS[f"{known.__name__}.{name}"]
    if name in said:
        return said[name]
    if issubclass(model, Part) and _is_condition(model):
        return CONDITION_WORDS[name]
    parts = _parts(model.model_fields[name].annotation) if issubclass(model, Part) else []
    if not parts:
        raise KeyError(f"{model.__name__}.{name} has no words")
    return _intro(parts[0]).split(".")[0].split(":")[0].lower()


def _comments(model: type[Any]) -> dict[str, str]:
    """Field -> the comment on its line, of the class and those above it."""
    found: dict[str, str] = {}
    for known in reversed(
        [c for c in model.__mro__ if c.__module__.split(".")[0] in ("audiences", "balancer")]
    ):
        text = inspect.getsource(known)
        notes = {
            token.start[0]: token.string.lstrip("# ").strip()
            for token in tokenize.generate_tokens(io.StringIO(text).readline)
            if token.type == tokenize.COMMENT
        }
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
                said = [notes[line] for line in lines if line in notes]
                found |= {node.target.id: said[-1]} if said else {}
    return found


def _type(annotation: Any) -> str:
    """What may be written, in words."""
    if annotation is Any:
        return "any"
    if annotation in PLAIN:
        return PLAIN[annotation]
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return _type(inner[0])
    if origin is Literal:
        return " / ".join(map(str, inner))
    shapes: dict[Any, Callable[[], str]] = {
        tuple: lambda: _listed(inner),
        frozenset: lambda: f"list of {_type(inner[0])}",
        dict: lambda: f"by {'name' if inner[0] is str else 'number'}: {_type(inner[1])}",
    }
    if origin in shapes:
        return shapes[origin]()
    if inspect.isclass(origin) and issubclass(origin, typing.Mapping):
        return f"by {'name' if inner[0] is str else 'number'}: {_type(inner[1])}"
    if origin in (typing.Union, types.UnionType):
        return _either([one for one in inner if one is not type(None)])
    parts = _parts(annotation)
    if parts and _is_condition(parts[0]):
        return "row of points" if _is_points(parts[0]) else CONDITIONS
    return _link(parts[0]) if parts else "any"


def _listed(inner: tuple[Any, ...]) -> str:
    if len(inner) == 2 and inner[1] is Ellipsis:
        return (
            f"list of {_type(inner[0])}s" if _type(inner[0]) == CONDITIONS else f"list of {_type(inner[0])}"
        )
    return " and ".join(map(_type, inner))


def _either(choices: list[Any]) -> str:
    texts = list(dict.fromkeys(_type(one) for one in choices))
    return texts[0] if len(texts) == 1 else " or ".join(texts)


def _link(part: type[Part]) -> str:
    title = next(title for title, model in _sections() if model is part)
    anchor = "".join(c for c in title.lower().replace(" ", "-") if c.isalnum() or c in "-_")
    return f"[{title}](#{anchor})"


def _name(part: type[Any]) -> str:
    """A model's name as words."""
    return "".join(f" {c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(part.__name__))


def _value(value: Any) -> str:
    if isinstance(value, Part | dict) and not (
        isinstance(value, dict) and all(isinstance(k, int) for k in value)
    ):
        return ""
    if value in (None, (), {}, frozenset(), ""):
        return ""
    shown = (
        str(value).lower()
        if isinstance(value, bool)
        else ", ".join(map(str, value))
        if isinstance(value, tuple)
        else value
    )
    return f"`{shown}`"


def _intro(model: type[Any]) -> str:
    return inspect.cleandoc(model.__doc__ or "").replace("``", "`")


def _table(rows: list[tuple[str, str, str, str]]) -> str:
    head = "| key | value | unless given | meaning |\n| --- | --- | --- | --- |\n"
    body = ("| `{}` | {} | {} | {} |".format(*(cell.replace("|", "/") for cell in row)) for row in rows)
    return head + "\n".join(body) + "\n"
