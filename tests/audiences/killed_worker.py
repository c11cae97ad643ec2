"""A worker that is killed by the test: brings one list to a series of memberships, answering its own batches.

Started as a process (URL, seed, rounds). Deterministic in what it wants, so that it may
be started again after each kill and must end in the same place.
"""

from __future__ import annotations

import random
import sys
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from audiences.store import Store
from tests.audiences.lists_and_members import AT, LIST, OK, answer, change, key


def wanted(seed: int, goal: int) -> set[int]:
    """The members of the list after ``goal`` rounds."""
    return set(random.Random(f"{seed}/{goal}").sample(range(160), 60)) if goal else set()


def work(url: str, seed: int, rounds: int) -> None:
    with Store.open(url) as store:
        while True:
            for batch_id in store.batches_to_send(LIST):
                store.mark_sent(batch_id, at=AT)
                store.settle_batch(batch_id, answer(batch_id, [OK] * store.batch_info(batch_id).n), at=AT)
            version = store.ledger_keys(LIST).version
            if version == rounds:
                return
            before, after = wanted(seed, version), wanted(seed, version + 1)
            delta = change(version, sorted(after - before), sorted(before - after))
            store.record_delta(delta, batch_size=10, at=AT + timedelta(hours=version))


def holds(store: Store, seed: int, version: int) -> bool:
    """Whether the list is exactly what it should be at this version."""
    keys = [k.tobytes() for k in store.ledger_at(LIST, version).keys]
    return keys == sorted(key(i) for i in wanted(seed, version))


if __name__ == "__main__":
    work(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
