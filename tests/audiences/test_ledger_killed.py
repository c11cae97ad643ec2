"""Workers killed with -9 in the middle of their work; the next one ends in the right place."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from audiences.store import Store
from tests.audiences.killed_worker import holds
from tests.audiences.lists_and_members import LIST, with_list

WORKER = Path(__file__).with_name("killed_worker.py")
ROUNDS = 10
KILLS = 4


@pytest.mark.slow  # starts a row of Python processes
def test_after_4_kills_at_random_moments_no_row_is_lost_doubled_or_unasked_for(url: str) -> None:
    with Store.open(url) as store:
        with_list(store)
    chance = random.Random(11)
    kills = 0
    while kills < KILLS:
        worker = subprocess.Popen([sys.executable, WORKER, url, "5", str(ROUNDS)])
        _wait_for_work(url, worker)
        time.sleep(chance.uniform(0.0, 0.03))
        worker.kill()
        kills += worker.wait() == -9
        _check(url)
        if worker.returncode == 0:
            break
    assert kills >= KILLS // 2
    assert subprocess.run([sys.executable, WORKER, url, "5", str(ROUNDS)], check=True).returncode == 0
    with Store.open(url) as store:
        assert store.ledger_keys(LIST).version == ROUNDS
        assert store.batches_to_send(LIST) == ()
        assert all(holds(store, 5, version) for version in range(ROUNDS + 1))
        counts = store.ledger_counts(LIST)
        assert (counts.accepted, counts.unknown, counts.leaving, counts.pending_adds) == (60, 0, 0, 0)


def _wait_for_work(url: str, worker: subprocess.Popen[bytes]) -> None:
    """Until the worker has written something: a kill before that would prove nothing."""
    with Store.open(url) as store:
        before = store.batch_log(LIST, limit=1)
        while store.batch_log(LIST, limit=1) == before and worker.poll() is None:
            time.sleep(0.05)


def _check(url: str) -> None:
    """Whatever was cut off, what is stored is one of the memberships that were asked for."""
    with Store.open(url) as store:
        version = store.ledger_keys(LIST).version
        assert holds(store, 5, version)
        if version:
            assert holds(store, 5, version - 1)
