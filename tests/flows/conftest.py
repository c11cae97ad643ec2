"""Fixtures: copies of a small workspace on the sandbox, and what the tests of failures share: worlds and a nursery."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.flows import failing_balance, failing_lists, small_workspace
from tests.flows.failing_nursery import Nursery, nursery
from tests.flows.failing_trials import Operation
from tests.flows.list_workspace import lists  # noqa: F401
from tests.flows.page_workspace import page  # noqa: F401


@pytest.fixture(scope="session")
def copies(tmp_path_factory: pytest.TempPathFactory) -> small_workspace.Copies:
    room = tmp_path_factory.mktemp("workspaces")
    small_workspace.make(room / "fresh")
    return small_workspace.Copies(room / "fresh", room)


@pytest.fixture(scope="session")
def nest() -> Iterator[Nursery]:
    with nursery() as opened:
        yield opened


@pytest.fixture(scope="session")
def operations(
    copies: small_workspace.Copies, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[Operation, ...]]:
    """Sync, push, collect, balance, apply: each on worlds that are only ever copied."""
    room = tmp_path_factory.mktemp("worlds")
    return failing_lists.operations(room) | failing_balance.operations(copies, room)
