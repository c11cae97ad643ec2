"""One HTTP call and its answer as plain data. It must know neither platform."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson


class Bad(Exception):
    """A request that is answered with an error; carries the finished answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


@dataclass(slots=True)
class Answer:
    """Status, headers and body of a reply. ``early`` marks "not yet": simulated time passes on it."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    early: bool = False


@dataclass(slots=True)
class Call:
    """One request as a handler sees it, after gates and decoding.

    ``effects`` are what an injected fault does to the rows (see ``faults``); they are part of the
    journal, so a replay does the same to the same rows.
    """

    method: str  # after X-HTTP-Method-Override
    path: str  # undecoded
    query: str  # undecoded, without "?"
    headers: Mapping[str, str]  # lower-case names
    body: bytes
    now: int  # epoch milliseconds of the sandbox's clock
    who: str = ""  # the member or project behind the token
    args: dict[str, str] = field(default_factory=dict)  # from the path
    effects: Mapping[str, Any] = field(default_factory=dict)

    def header(self, name: str) -> str:
        return self.headers.get(name, "")


def json_answer(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, orjson.dumps(value), {"content-type": "application/json", **(headers or {})})


def load_json(body: bytes) -> Any:
    """The body as JSON.

    Raises:
        ValueError: not JSON.
    """
    return orjson.loads(body)
