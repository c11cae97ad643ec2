"""How fast a bucket was used is one number for all who share the database."""

from __future__ import annotations

import threading

import pytest

from audiences.store import Store
from audiences.store.pace import Pace


def test_a_bucket_that_was_never_used_stands_at_zero(store: Store) -> None:
    assert store.pace("never") == (0.0, 0.0)
    assert store.change_pace("never", lambda held: held) == (0.0, 0.0)


def test_a_change_is_kept_exactly_and_touches_no_other_bucket(store: Store) -> None:
    before = store.change_pace("one", lambda held: (held[0] + 1_772_342_400.123456, 7.5))
    assert before == (0.0, 0.0)
    assert store.change_pace("one", lambda held: (held[0] + 0.25, held[1])) == (1_772_342_400.123456, 7.5)
    assert store.pace("one") == (1_772_342_400.373456, 7.5)
    assert store.pace("two") == (0.0, 0.0)


def test_a_change_that_fails_leaves_the_bucket_as_it_was(store: Store) -> None:
    store.change_pace("one", lambda _: (5.0, 6.0))

    def fails(_: Pace) -> Pace:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.change_pace("one", fails)
    assert store.pace("one") == (5.0, 6.0)


def test_changes_of_many_workers_at_once_never_overlap(url: str) -> None:
    taken: list[float] = []
    barrier = threading.Barrier(4)

    def work() -> None:
        with Store.open(url) as mine:
            barrier.wait()
            for _ in range(15):
                taken.append(mine.change_pace("busy", lambda held: (held[0] + 1.0, held[1]))[0])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [float(i) for i in range(60)]
