"""YAML with line numbers, and the strict base every settings model is built on.

Turns a file into plain nodes that remember where each key stood, so a problem
can name file, line and field. It never decides what a setting means.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from audiences.errors import ConfigError

Model = TypeVar("Model", bound=BaseModel)
MOST_NODES = 1_000_000  # written out; a few nested anchors stand for more than any memory holds


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a settings file, where it stands, and what to do."""

    line: int  # 1-based; 0 when the file as a whole is meant
    field: str  # dotted path, "segments.tier1.where.all[0].field"
    message: str
    remedy: str

    def text(self, file: str) -> str:
        """``file:line: field: message. remedy``, on one line."""
        return f"{file}:{self.line}: {self.field or '(whole file)'}: {self.message}. {self.remedy}"


class Node(dict[str, Any]):
    """A mapping that remembers its place in the file."""

    line: int = 0
    path: str = ""
    lines: Mapping[str, int] = {}


class Items(list[Any]):
    """A sequence that remembers the line of each item."""

    lines: Sequence[int] = ()


class Part(BaseModel):
    """Base of every settings model: frozen, and an unknown key is a mistake."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True, coerce_numbers_to_str=True
    )

    @model_validator(mode="before")
    @classmethod
    def _collect_unknown_keys(cls, data: Any, info: ValidationInfo) -> Any:
        """Report every unknown key with a suggestion, and let the rest be checked in the same pass."""
        problems = info.context.get("problems") if isinstance(info.context, dict) else None
        if problems is None or not isinstance(data, Node):
            return data
        known = keys_of(cls)
        for key in [key for key in data if key not in known]:
            problems.append(unknown_key(data, key, known))
        return {key: value for key, value in data.items() if key in known}


def keys_of(model: type[BaseModel]) -> tuple[str, ...]:
    """The keys a person may write for ``model``, in the order it declares them."""
    return tuple(info.alias or name for name, info in model.model_fields.items())


def unknown_key(node: Node, key: str, known: Sequence[str]) -> Problem:
    """The problem of a key that no model knows, with the closest one there is."""
    path = f"{node.path}.{key}" if node.path else key
    return Problem(node.lines.get(key, node.line), path, f'unknown key "{key}"', suggestion(key, known))


def suggestion(word: object, known: Iterable[object]) -> str:
    """``Did you mean "x"?`` when one is close, else the choices."""
    choices = [str(choice) for choice in known]
    close = difflib.get_close_matches(str(word), choices, n=1, cutoff=0.6)
    if close:
        return f'Did you mean "{close[0]}"?'
    return f"Use one of: {', '.join(choices)}." if choices else "Remove it."


def read_text(path: Path) -> str:
    """The text of a settings file. Raises ConfigError when it cannot be read as UTF-8."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        problem = Problem(0, "", "the file cannot be read", "Check that it exists and is UTF-8 text.")
        raise problems_error(path.name, [problem]) from error


def parse_nodes(text: str, file: str) -> Node:
    """YAML text as nodes with line numbers; ``file`` is only named in errors.

    Raises ConfigError when it is not YAML (a key that stands twice included), not a mapping at the top, or
    larger than MOST_NODES once its anchors are written out.
    """
    try:
        tree = YAML(typ="rt").load(text)
        if isinstance(tree, CommentedMap) and _written_out(tree, {}) <= MOST_NODES:
            return cast(Node, _plain(tree, "", 1))
    except YAMLError as error:
        raise problems_error(file, [_syntax_problem(error)]) from error
    except RecursionError:
        tree = CommentedMap()
    if isinstance(tree, CommentedMap):
        problem = Problem(0, "", "it is nested too deeply, or repeats itself too often", "Write it plainly.")
        raise problems_error(file, [problem])
    problem = Problem(1, "", "the file is not a list of settings", 'Write "key: value" lines.')
    raise problems_error(file, [problem])


class ConfigProblems(ConfigError):
    """Everything wrong with one settings file, in the order it stands there."""

    problems: tuple[Problem, ...] = ()

    def __str__(self) -> str:
        return "\n".join(problem.text(self.file) for problem in self.problems)


def problems_error(file: str, problems: Sequence[Problem]) -> ConfigProblems:
    """One error for all problems; ``line`` and ``field`` are those of the first."""
    ordered = sorted(set(problems), key=lambda problem: (problem.line, problem.field, problem.message))
    first = ordered[0]
    error = ConfigProblems(first.message, file=file, line=first.line, field=first.field, remedy=first.remedy)
    error.problems = tuple(ordered)
    return error


def validate(model: type[Model], node: Node) -> tuple[Model | None, list[Problem]]:
    """The model, or every problem found in one pass."""
    problems: list[Problem] = []
    try:
        built = model.model_validate(node, context={"problems": problems})
    except ValidationError as error:
        return None, problems + [
            _problem(node, detail) for detail in _causes(error.errors(include_url=False))
        ]
    return (None if problems else built), problems


def _causes(details: list[ErrorDetails]) -> list[ErrorDetails]:
    """Without "too short": a list whose only items are wrong is reported by its items."""
    places = [detail["loc"] for detail in details]
    return [
        detail
        for detail in details
        if detail["type"] != "too_short"
        or not any(
            len(at) > len(detail["loc"]) and at[: len(detail["loc"])] == detail["loc"] for at in places
        )
    ]


def place(node: Any, parts: Iterable[object]) -> tuple[int, str]:
    """Line and dotted path of the deepest existing node along ``parts``; unknown parts are skipped."""
    line, path = getattr(node, "line", 0), ""
    for part in parts:
        if isinstance(node, Node) and part in node:
            line, node = node.lines.get(str(part), line), node[str(part)]
            path = f"{path}.{part}" if path else str(part)
        elif isinstance(node, Items) and isinstance(part, int) and part < len(node):
            line, node, path = node.lines[part], node[part], f"{path}[{part}]"
    return line, path


def wrong(message: str, remedy: str) -> PydanticCustomError:
    """An error for use inside validators that carries its own remedy."""
    return PydanticCustomError("setting", "{message}", {"message": message, "remedy": remedy})


_REMEDIES = {
    "missing": "Add it",
    "list_type": "Write a list: [a, b]",
    "dict_type": "Write key: value pairs below it",
    "model_type": "Write key: value pairs below it",
    "date_from_datetime_parsing": "Write a date as 2027-01-31",
    "date_type": "Write a date as 2027-01-31",
    "string_type": "Write a word or put it in quotes",
    "bool_parsing": "Write true or false",
}


def _problem(root: Node, detail: ErrorDetails) -> Problem:
    line, path = place(root, detail["loc"])
    context = detail.get("ctx") or {}
    kind, message = detail["type"], detail["msg"]
    if kind == "missing":
        return Problem(line, _join(path, detail["loc"][-1]), "is missing", "Add it.")
    if kind in {"literal_error", "enum"}:
        choices = [
            choice.strip(" '") for choice in str(context.get("expected", "")).replace(" or ", ",").split(",")
        ]
        return Problem(line, path, "is not one of the allowed words", suggestion(detail["input"], choices))
    remedy = str(context.get("remedy") or _REMEDIES.get(kind, "Correct this value"))
    message = message[0].lower() + message[1:]
    return Problem(line, path, message.rstrip("."), remedy if remedy[-1] in ".?" else f"{remedy}.")


def _join(path: str, part: object) -> str:
    return f"{path}.{part}" if path else str(part)


def _syntax_problem(error: YAMLError) -> Problem:
    mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
    what = (error.problem if isinstance(error, MarkedYAMLError) else None) or "this is not valid YAML"
    remedy = "Check the indentation, quotes and brackets on this line and the one before"
    if "duplicate key" in what:
        what, remedy = "a key stands twice in one block", "Keep one of the two"
    return Problem((mark.line + 1) if mark else 0, "", what.splitlines()[0], f"{remedy}.")


def _written_out(value: Any, known: dict[int, int]) -> int:
    """Nodes below ``value`` with every anchor written out; what an anchor names is counted once."""
    if not isinstance(value, CommentedMap | CommentedSeq):
        return 1
    if id(value) not in known:
        inside = value.values() if isinstance(value, CommentedMap) else value
        known[id(value)] = 1 + sum(_written_out(one, known) for one in inside)
    return known[id(value)]


def _plain(value: Any, path: str, line: int) -> Any:
    if isinstance(value, CommentedMap):
        return _mapping(value, path, line)
    if isinstance(value, CommentedSeq):
        at = [value.lc.item(i) for i in range(len(value))]  # a tagged list has no places
        lines = tuple(line if place is None else place[0] + 1 for place in at)
        items = Items(_plain(item, f"{path}[{i}]", lines[i]) for i, item in enumerate(value))
        items.lines = lines
        return items
    return _scalar(value)


def _mapping(value: CommentedMap, path: str, line: int) -> Node:
    node, lines = Node(), {}
    for key in value:
        try:
            lines[str(key)] = value.lc.key(key)[0] + 1
        except KeyError:  # merged in by a YAML anchor ("<<"): it has no line of its own here
            lines[str(key)] = line
        node[str(key)] = _plain(value[key], f"{path}.{key}" if path else str(key), lines[str(key)])
    node.line, node.path, node.lines = line, path, lines
    return node


def _scalar(value: Any) -> Any:
    """Drop the round-trip types of ruamel; dates stay dates."""
    if value is None or isinstance(value, bool | date | datetime):
        return value
    for plain in (int, float, str):
        if isinstance(value, plain):
            return plain(value)
    return bool(value)
