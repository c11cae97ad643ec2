"""Sync, push, collect, balance and apply, killed outright at random points: the next run heals every time.

A few kills each; ``python -m tests.flows.failing_by_hand --trials 100`` does as many as are wanted.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows import failing_balance, failing_lists, small_workspace
from tests.flows.failing_nursery import Nursery, nursery
from tests.flows.failing_trials import Operation, trials

KILLS = 2


@pytest.fixture(scope="module")
def nest() -> Iterator[Nursery]:
    with nursery() as opened:
        yield opened


@pytest.fixture(scope="module")
def operations(
    copies: small_workspace.Copies, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[Operation, ...]]:
    room = tmp_path_factory.mktemp("worlds")
    return failing_lists.operations(room) | failing_balance.operations(copies, room)


@pytest.mark.slow  # about five seconds each: a process, a sandbox and two runs a kill
@pytest.mark.parametrize("name", ["sync", "push", "collect", "balance", "apply"])
def test_killed_2_times_at_random_points_the_next_run_heals(
    operations: dict[str, tuple[Operation, ...]], name: str, nest: Nursery, tmp_path: Path
) -> None:
    told = trials(operations[name][-1], nest, tmp_path, kills=KILLS)
    assert told.killed.total() == KILLS
