"""Named values: kept, forgotten, and changed by many at once without losing a change."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from audiences.store import Store

AT = datetime(2026, 9, 1, 9, tzinfo=UTC)


def test_a_change_sees_what_is_kept_and_touches_no_other_name(store: Store) -> None:
    store.put("other", 7, at=AT)
    assert store.change("counts", lambda kept: [kept], at=AT) == [None]
    assert store.change("counts", lambda kept: [*kept, 1], at=AT) == [None, 1]
    assert (store.get("counts"), store.get("other")) == ([None, 1], 7)


def test_a_change_that_fails_leaves_the_value_as_it_was(store: Store) -> None:
    store.put("counts", [1], at=AT)
    with pytest.raises(ZeroDivisionError):
        store.change("counts", lambda kept: 1 / 0, at=AT)
    assert store.get("counts") == [1]


def test_no_change_of_many_workers_at_once_is_lost(url: str) -> None:
    barrier = threading.Barrier(4)

    def work() -> None:
        with Store.open(url) as mine:
            barrier.wait()
            for _ in range(15):
                mine.change("busy", lambda kept: (kept or 0) + 1, at=AT)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Store.open(url) as store:
        assert store.get("busy") == 60
