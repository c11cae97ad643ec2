"""Sync, push, collect, balance and apply, killed outright at random points: the next run heals every time.

A few kills each; ``python -m tests.flows.failing_by_hand --trials 100`` does as many as are wanted.
"""

from pathlib import Path

import pytest

from tests.flows.failing_nursery import Nursery
from tests.flows.failing_trials import Operation, trials

KILLS = 2


@pytest.mark.slow  # about five seconds each: a process, a sandbox and two runs a kill
@pytest.mark.parametrize("name", ["sync", "push", "collect", "balance", "apply"])
def test_killed_2_times_at_random_points_the_next_run_heals(
    operations: dict[str, tuple[Operation, ...]], name: str, nest: Nursery, tmp_path: Path
) -> None:
    told = trials(operations[name][-1], nest, tmp_path, kills=KILLS)
    assert told.killed.total() == KILLS
