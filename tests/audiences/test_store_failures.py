"""What the record does when something breaks in the middle: all or nothing, and a word on what to do next."""

from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from audiences.store import Store
from audiences.store import errors as store_errors
from audiences.store.errors import Conflict, NotFound, StaleBase, StoreBusy, StoreError, StoreFull
from tests.audiences.lists_and_members import (
    AT,
    LIST,
    NO,
    OK,
    SILENT,
    answer,
    bare,
    change,
    key,
    members,
    settle_all,
    with_list,
)


class Killed(BaseException):
    """Stands for a process that ends here."""


@contextmanager
def dying_at(store: Store, step: int) -> Iterator[list[int]]:
    """End the process at the ``step``-th statement of a transaction."""
    seen = [0]

    def before(*_: Any) -> None:
        seen[0] += 1
        if seen[0] == step:
            raise Killed

    event.listen(store._db.engine, "before_cursor_execute", before)
    try:
        yield seen
    finally:
        event.remove(store._db.engine, "before_cursor_execute", before)


def everything(store: Store) -> tuple[Any, ...]:
    view = store.ledger_keys(LIST)
    dead = [(d.key, d.op, d.tries) for d in store.dead_letters(LIST)]
    return view.version, view.keys.tobytes(), view.states.tobytes(), dead, store.batch_log(LIST)


@pytest.mark.parametrize("step", range(1, 13))
def test_a_run_killed_while_planning_is_as_if_it_never_ran_and_runs_again(store: Store, step: int) -> None:
    with_list(store)
    store.record_delta(change(0, range(9)), batch_size=4, at=AT)
    settle_all(store)
    before = everything(store)
    try:
        with dying_at(store, step):
            ids = store.record_delta(change(1, range(9, 14), range(4)), batch_size=4, at=AT)
    except Killed:
        assert everything(store) == before
        ids = store.record_delta(change(1, range(9, 14), range(4)), batch_size=4, at=AT)
    assert store.batches_to_send(LIST) == ids


@pytest.mark.parametrize("step", range(1, 16))
def test_a_run_killed_while_settling_leaves_the_batch_whole_and_settles_it_again(
    store: Store, step: int
) -> None:
    with_list(store)
    (batch_id,) = store.record_delta(change(0, range(6)), batch_size=10, at=AT)
    before = everything(store)
    receipt = answer(batch_id, [OK, NO, SILENT, OK, NO, OK])
    try:
        with dying_at(store, step):
            store.settle_batch(batch_id, receipt, at=AT)
    except Killed:
        assert everything(store) == before
        assert store.settle_batch(batch_id, receipt, at=AT)
    counts = store.ledger_counts(LIST)
    assert (counts.accepted, counts.rejected, counts.unknown, counts.pending_adds) == (3, 2, 1, 0)
    assert not store.settle_batch(batch_id, receipt, at=AT)


def test_a_sent_batch_without_an_answer_is_sent_again_after_a_crash(store: Store) -> None:
    with_list(store)
    (batch_id,) = store.record_delta(change(0, range(3)), batch_size=10, at=AT)
    store.mark_sent(batch_id, at=AT)
    assert store.batches_to_send(LIST) == (batch_id,)
    assert store.batch_info(batch_id).attempts == 1
    assert {m.key for m in store.batch(batch_id).members} == {key(i) for i in range(3)}


def test_of_two_runs_on_the_same_base_one_wins_and_the_other_writes_nothing(store: Store, url: str) -> None:
    with_list(store)
    with Store.open(url) as other:
        store.record_delta(change(0, range(3)), batch_size=10, at=AT)
        before = everything(store)
        with pytest.raises(StaleBase) as caught:
            other.record_delta(change(0, range(3, 6)), batch_size=10, at=AT)
    assert (caught.value.base, caught.value.current, caught.value.retryable) == (0, 1, True)
    assert everything(store) == before


def test_an_empty_delta_changes_nothing(store: Store) -> None:
    with_list(store)
    assert store.record_delta(change(0), batch_size=10, at=AT) == ()
    assert store.ledger_keys(LIST).version == 0


def test_a_delta_is_not_judged_by_the_view_of_another_version(store: Store) -> None:
    with_list(store)
    early = store.ledger_keys(LIST)
    store.record_delta(change(0, range(3)), batch_size=10, at=AT)

    with pytest.raises(Conflict):
        store.record_delta(change(1, range(3, 6)), batch_size=10, at=AT, view=early)

    assert store.ledger_keys(LIST).version == 1


@pytest.mark.parametrize(
    "bad",
    [change(0, [1, 1]), change(0, [1], [1]), change(0, [], [2, 2])],
    ids=["added twice", "added and removed", "removed twice"],
)
def test_a_delta_that_contradicts_itself_is_refused(store: Store, bad: Any) -> None:
    with_list(store)
    with pytest.raises(Conflict):
        store.record_delta(bad, batch_size=10, at=AT)
    assert store.batch_log(LIST) == ()


def test_a_receipt_must_speak_of_every_row_of_its_batch(store: Store) -> None:
    with_list(store)
    (batch_id,) = store.record_delta(change(0, range(3)), batch_size=10, at=AT)
    with pytest.raises(Conflict, match="3 rows"):
        store.settle_batch(batch_id, answer(batch_id, [OK, OK]), at=AT)
    with pytest.raises(Conflict, match="another batch"):
        store.settle_batch(batch_id, answer("other", [OK] * 3), at=AT)
    with pytest.raises(NotFound):
        store.settle_batch("none", answer("none", []), at=AT)


def test_a_time_without_a_zone_is_refused_before_anything_is_written(store: Store) -> None:
    with_list(store)
    with pytest.raises(Exception, match="without a zone"):
        store.put("x", 1, at=AT.replace(tzinfo=None))
    assert store.get("x") is None


def test_a_full_disk_is_named_and_leaves_the_ledger_whole(tmp_path: Path) -> None:
    with Store.create(f"sqlite:///{tmp_path / 'record.db'}") as store:
        with_list(store)
        store.record_delta(change(0, range(50)), batch_size=10, at=AT)
        settle_all(store)
        before = everything(store)
        with store._db.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count=1")
        with pytest.raises(StoreFull, match="Free space"):
            store.record_delta(change(1, range(100, 9000)), batch_size=500, at=AT)
        assert everything(store) == before


def test_a_locked_database_is_a_reason_to_wait_not_to_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audiences.store.database.BUSY_SECONDS", 0.05)
    path = tmp_path / "record.db"
    with Store.create(f"sqlite:///{path}") as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy) as caught:
            store.put("x", 1, at=AT)
        assert caught.value.retryable
        other.execute("ROLLBACK")
        other.close()
        store.put("x", 1, at=AT)


def test_an_error_of_the_database_never_quotes_a_row(store: Store) -> None:
    from audiences.model import Account

    twice = [
        Account("marked-value.example", "Marked Name", industry="marked"),
        Account("marked-value.example", "x"),
    ]
    with pytest.raises(StoreError) as caught:
        store.replace_accounts(twice, "f", AT)
    shown = str(caught.value) + repr(caught.value) + str(caught.value.__context__ and caught.value.__cause__)
    assert "marked" not in shown.lower()
    assert caught.value.__suppress_context__
    assert store.accounts() == ()


def test_every_error_survives_pickling_and_says_what_to_do() -> None:
    kinds = [k for k in vars(store_errors).values() if isinstance(k, type) and issubclass(k, StoreError)]
    assert len(kinds) > 8
    for kind in kinds:
        error = pickle.loads(pickle.dumps(kind("It broke.")))
        assert type(error) is kind
        assert str(error).endswith(error.remedy)
    stale = pickle.loads(pickle.dumps(StaleBase("Moved.", audience_id="a/b", base=3, current=4)))
    assert (stale.audience_id, stale.base, stale.current) == ("a/b", 3, 4)


def test_a_removed_member_goes_out_with_the_identifiers_it_came_with(store: Store) -> None:
    with_list(store)
    store.record_delta(change(0, ["a", "b"]), batch_size=10, at=AT)
    settle_all(store)
    (batch_id,) = store.record_delta(change(1, [], ["a"]), batch_size=10, at=AT)
    (member,) = store.batch(batch_id).members
    assert member.identifiers == (("domain", "a.x.example"),)
    assert member.account_id == "a.example"
    assert store.ledger_members(LIST, bare(["b"]).keys).payloads == members(["b"]).payloads
