"""Sandboxes for tests: one whose clock stands still, and a maker for others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from platforms.sandbox.knobs import Knobs
from tests.platforms.sandbox.calls import STILL, Sandbox


@pytest.fixture
def make() -> Iterator[Callable[..., Sandbox]]:
    """``make(knob=value, ...)``: a sandbox whose clock moves only when told."""
    made: list[Sandbox] = []

    def build(*, options: dict[str, Any] | None = None, **knobs: Any) -> Sandbox:
        made.append(Sandbox(STILL.changed(knobs) if knobs else STILL, **(options or {})))
        return made[-1]

    yield build
    for sandbox in made:
        sandbox.engine.close()


@pytest.fixture
def sandbox(make: Callable[..., Sandbox]) -> Sandbox:
    return make()


@pytest.fixture
def still() -> Knobs:
    return STILL
