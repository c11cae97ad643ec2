"""Fixtures: seeded share tables and whole pages."""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.flows.report import share_worlds


@pytest.fixture(scope="session")
def worlds() -> ModuleType:
    return share_worlds
