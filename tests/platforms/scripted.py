"""A platform that answers from a script: what was sent is kept, what is answered is decided by the test."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.platforms.wire_examples import Example

Answer = httpx.Response | Example | Exception | Callable[[httpx.Request], httpx.Response]


class Script:
    """Answers per (method, path without query), in order; the last one repeats."""

    def __init__(self) -> None:
        self._answers: dict[tuple[str, str], list[Answer]] = {}
        self.requests: list[httpx.Request] = []

    def on(self, method: str, path: str, *answers: Answer) -> Script:
        self._answers[(method, path)] = list(answers)
        return self

    def play(self, *examples: Example) -> Script:
        for one in examples:
            self.on(one.method, one.path.split("?")[0], one)
        return self

    def __call__(self, request: httpx.Request) -> httpx.Response:
        copy = httpx.Request(request.method, request.url, headers=request.headers, content=request.read())
        self.requests.append(copy)  # an auth flow signs the same object again
        queue = self._answers.get((request.method, request.url.path))
        assert queue, f"nobody expected {request.method} {request.url.path}"
        answer = queue.pop(0) if len(queue) > 1 else queue[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Example):
            return answer.response()
        if isinstance(answer, httpx.Response):
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
        return answer(request)

    def sent(self, method: str, path: str) -> list[httpx.Request]:
        return [r for r in self.requests if (r.method, r.url.path) == (method, path)]

    def bodies(self, method: str, path: str) -> list[Any]:
        return [json.loads(r.content) for r in self.sent(method, path)]

    def targets(self) -> list[str]:
        return [r.url.raw_path.decode() for r in self.requests]


class HandClock:
    """A clock that moves when someone sleeps on it."""

    def __init__(self, now: datetime = datetime(2026, 8, 20, 12, 0, tzinfo=UTC)) -> None:
        self.now = now
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)
