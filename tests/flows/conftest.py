"""Fixtures: copies of a small workspace on the sandbox, two weeks into its campaign."""

from __future__ import annotations

import pytest

from tests.flows import small_workspace
from tests.flows.list_workspace import lists  # noqa: F401
from tests.flows.page_workspace import page  # noqa: F401


@pytest.fixture(scope="session")
def copies(tmp_path_factory: pytest.TempPathFactory) -> small_workspace.Copies:
    room = tmp_path_factory.mktemp("workspaces")
    small_workspace.make(room / "fresh")
    return small_workspace.Copies(room / "fresh", room)
