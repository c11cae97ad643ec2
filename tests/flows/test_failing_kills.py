"""Sync, push, collect, balance and apply, killed outright at a random point: the next run heals.

One kill each; ``python -m tests.flows.failing_by_hand --trials 100`` does as many as are wanted.
"""

from pathlib import Path

import pytest

from tests.flows.failing_nursery import Nursery
from tests.flows.failing_trials import Operation, trials

KILLS = 1


@pytest.mark.slow  # two seconds each: two sandboxes and three runs
@pytest.mark.parametrize("name", ["sync", "push", "collect", "balance", "apply"])
def test_killed_once_at_a_random_point_the_next_run_heals(
    operations: dict[str, tuple[Operation, ...]], name: str, nest: Nursery, tmp_path: Path
) -> None:
    told = trials(operations[name][-1], nest, tmp_path, kills=KILLS)
    assert told.killed.total() == KILLS
