"""Batches of the ledger: ids, order, settling later, retries and what overtakes what."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from audiences.membership_keys import payload_digests
from audiences.model import MemberKind, Op, Receipt, RowStatus
from audiences.store import Store
from audiences.store.errors import Conflict, NotFound
from audiences.store.records import BACK_OFF, BatchStatus, LedgerState
from tests.audiences.lists_and_members import (
    AT,
    LATER,
    LIST,
    NO,
    OK,
    SILENT,
    answer,
    bare,
    change,
    hours,
    key,
    members,
    settle_all,
    with_list,
)


def test_the_same_delta_gets_the_same_batch_ids_in_another_workspace(store: Store, tmp_path: object) -> None:
    with_list(store)
    first = store.record_delta(change(0, range(25)), batch_size=10, at=AT)
    with Store.create(f"sqlite:///{tmp_path}/other.db") as other:
        with_list(other)
        again = other.record_delta(change(0, reversed(range(25))), batch_size=10, at=AT + hours(5))
    assert first == again
    assert len(set(first)) == 3


def test_adding_somebody_back_after_a_removal_is_another_batch(store: Store) -> None:
    with_list(store)
    first = store.record_delta(change(0, ["a"]), batch_size=10, at=AT)
    settle_all(store)
    store.record_delta(change(1, [], ["a"]), batch_size=10, at=AT)
    settle_all(store)
    assert store.record_delta(change(2, ["a"]), batch_size=10, at=AT) != first


def test_removals_are_planned_before_additions(store: Store) -> None:
    with_list(store)
    store.record_delta(change(0, range(5)), batch_size=10, at=AT)
    settle_all(store)
    ids = store.record_delta(change(1, range(5, 30), range(3)), batch_size=10, at=AT)
    assert [store.batch_info(i).op for i in ids] == [Op.REMOVE, Op.ADD, Op.ADD, Op.ADD]
    assert [store.batch_info(i).n for i in ids] == [3, 10, 10, 5]


def test_a_batch_carries_members_in_key_order_with_all_their_identifiers(store: Store) -> None:
    with_list(store)
    (batch_id,) = store.record_delta(change(0, ["b", "a", "c"]), batch_size=10, at=AT)
    batch = store.batch(batch_id)
    assert [m.key for m in batch.members] == sorted(key(n) for n in "abc")
    assert {m.identifiers for m in batch.members} == {(("domain", f"{n}.x.example"),) for n in "abc"}
    assert (batch.external_id, batch.kind) == ("77", MemberKind.COMPANY)


def test_a_key_without_payload_is_an_email_digest(store: Store) -> None:
    with_list(store, "google/all/contact", kind=MemberKind.CONTACT)
    table = bare(["p"])
    delta = replace(change(0, on="google/all/contact"), adds=table)
    (batch_id,) = store.record_delta(delta, batch_size=10, at=AT)
    (member,) = store.batch(batch_id).members
    assert member.identifiers == (("email_sha256", key("p").hex()),)


def test_a_list_that_does_not_exist_on_its_platform_takes_no_delta(store: Store) -> None:
    from audiences.model import AudienceSpec

    store.save_audience(AudienceSpec(LIST, "linkedin", "x", MemberKind.COMPANY), at=AT)
    with pytest.raises(Conflict):
        store.record_delta(change(0, ["a"]), batch_size=10, at=AT)


def test_a_batch_that_settles_later_waits_under_its_request_id(store: Store) -> None:
    with_list(store)
    (batch_id,) = store.record_delta(change(0, ["a", "b"]), batch_size=10, at=AT)
    store.mark_sent(batch_id, at=AT)
    waiting = Receipt(batch_id, (SILENT, SILENT), request_id="r-1", settled=False)
    assert not store.settle_batch(batch_id, waiting, at=AT)
    assert store.batches_to_send(LIST) == ()
    assert store.batches_to_settle(LIST) == (batch_id,)
    assert store.batch_info(batch_id).request_id == "r-1"
    assert store.ledger_counts(LIST).pending_adds == 2
    assert store.settle_batch(batch_id, Receipt(batch_id, (OK, NO), request_id="r-1"), at=AT)
    assert store.batches_to_settle(LIST) == ()


def test_a_failed_try_goes_back_to_be_sent_with_its_reason(store: Store) -> None:
    with_list(store)
    (batch_id,) = store.record_delta(change(0, ["a"]), batch_size=10, at=AT)
    store.mark_sent(batch_id, at=AT)
    store.mark_failed(batch_id, "HTTP 503")
    info = store.batch_info(batch_id)
    assert (info.status, info.error, info.attempts) == (BatchStatus.PLANNED, "HTTP 503", 1)
    settle_all(store)
    with pytest.raises(Conflict):
        store.mark_sent(batch_id, at=AT)


def test_an_answer_that_comes_after_a_later_change_does_not_undo_it(store: Store) -> None:
    with_list(store)
    (add,) = store.record_delta(change(0, ["a"]), batch_size=10, at=AT)
    (remove,) = store.record_delta(change(1, [], ["a"]), batch_size=10, at=AT)
    store.settle_batch(remove, answer(remove, [OK]), at=AT)
    assert len(store.ledger_keys(LIST).keys) == 0
    store.settle_batch(add, answer(add, [OK]), at=AT)
    assert len(store.ledger_keys(LIST).keys) == 0
    assert store.ledger_counts(LIST).accepted == 0


def test_new_identifiers_of_a_member_are_sent_again_without_changing_the_list(store: Store) -> None:
    with_list(store)
    store.record_delta(change(0, ["a", "b"]), batch_size=10, at=AT)
    settle_all(store)
    changed = members(["a"], payload="new")
    (batch_id,) = store.record_delta(replace(change(1), adds=changed), batch_size=10, at=AT)
    settle_all(store)
    view = store.ledger_keys(LIST)
    assert len(view.keys) == 2
    at = [k.tobytes() for k in view.keys].index(key("a"))
    assert view.digests[at] == payload_digests(changed.payloads)[0]
    assert len(store.ledger_at(LIST, 1).keys) == 2
    assert store.batch(batch_id).members[0].identifiers == (("domain", "a.new.example"),)


def test_digests_of_pending_members_are_those_of_the_open_batch(store: Store) -> None:
    with_list(store)
    store.record_delta(change(0, range(6)), batch_size=2, at=AT)
    view = store.ledger_keys(LIST)
    order = np.argsort([key(i) for i in range(6)])
    assert view.digests.tolist() == payload_digests(members(order).payloads).tolist()
    assert set(view.states.tolist()) == {LedgerState.PENDING}


def test_refused_rows_are_parked_and_silent_ones_come_back_with_growing_waits(store: Store) -> None:
    with_list(store)
    (batch_id,) = store.record_delta(change(0, ["a", "b", "c"]), batch_size=10, at=AT)
    by_key = dict(zip(sorted(key(n) for n in "abc"), [NO, SILENT, LATER], strict=True))
    store.settle_batch(batch_id, answer(batch_id, list(by_key.values())), at=AT)
    letters = {d.key: d for d in store.dead_letters(LIST)}
    due = {by_key[k].reason: d.next_try for k, d in letters.items()}
    assert due == {"not_matched": None, "no_answer": AT + BACK_OFF[0], "try_later": AT + BACK_OFF[0]}
    assert store.plan_retries(LIST, batch_size=10, at=AT) == ()
    now = AT
    for wait in BACK_OFF:
        now += wait
        (retry,) = store.plan_retries(LIST, batch_size=10, at=now)
        assert store.plan_retries(LIST, batch_size=10, at=now) == ()
        store.settle_batch(retry, answer(retry, [SILENT, SILENT]), at=now)
    assert {d.next_try for d in store.dead_letters(LIST)} == {None}
    assert {d.tries for d in store.dead_letters(LIST)} == {1, len(BACK_OFF) + 1}
    assert store.dead_letter_counts(LIST) == {"no_answer": 2, "not_matched": 1}


def test_a_retry_that_is_accepted_clears_the_dead_letter(store: Store) -> None:
    with_list(store)
    store.record_delta(change(0, ["a"]), batch_size=10, at=AT)
    settle_all(store, with_=SILENT)
    (retry,) = store.plan_retries(LIST, batch_size=10, at=AT + timedelta(days=1))
    (member,) = store.batch(retry).members
    assert member.identifiers == (("domain", "a.x.example"),)
    store.settle_batch(retry, answer(retry, [OK]), at=AT)
    assert store.dead_letters(LIST) == ()
    assert store.ledger_counts(LIST).accepted == 1


def test_a_removal_nobody_answered_is_tried_again_as_a_removal(store: Store) -> None:
    with_list(store)
    store.record_delta(change(0, ["a"]), batch_size=10, at=AT)
    settle_all(store)
    store.record_delta(change(1, [], ["a"]), batch_size=10, at=AT)
    settle_all(store, with_=SILENT)
    assert store.ledger_counts(LIST).leaving == 1
    assert len(store.ledger_keys(LIST).keys) == 0
    (retry,) = store.plan_retries(LIST, batch_size=10, at=AT + timedelta(days=1))
    assert store.batch(retry).op is Op.REMOVE
    store.settle_batch(retry, answer(retry, [OK]), at=AT)
    assert store.ledger_counts(LIST).leaving == 0


def test_an_earlier_version_comes_back_with_its_members_and_their_identifiers(store: Store) -> None:
    with_list(store)
    store.record_delta(change(0, range(8)), batch_size=3, at=AT)
    settle_all(store)
    store.record_delta(change(1, range(8, 12), range(5)), batch_size=3, at=AT)
    settle_all(store)
    old = store.ledger_at(LIST, 1)
    assert [k.tobytes() for k in old.keys] == sorted(key(i) for i in range(8))
    assert set(old.payloads) == set(members(range(8)).payloads)
    assert set(old.account_ids) == {f"{i}.example" for i in range(8)}
    assert [(v, adds, removes) for v, _, adds, removes in store.ledger_versions(LIST)] == [
        (1, 8, 0),
        (2, 4, 5),
    ]
    with pytest.raises(NotFound):
        store.ledger_at(LIST, 3)


def test_confirmed_members_come_in_key_order_and_in_chunks(store: Store) -> None:
    with_list(store)
    store.record_delta(change(0, range(25)), batch_size=10, at=AT)
    settle_all(store)
    parts = list(store.confirmed(LIST, chunk=10))
    assert [len(part) for part in parts] == [10, 10, 5]
    assert [k.tobytes() for part in parts for k in part.keys] == sorted(key(i) for i in range(25))


def test_a_batch_knows_how_its_rows_fared(store: Store) -> None:
    with_list(store)
    (batch_id,) = store.record_delta(change(0, range(6)), batch_size=10, at=AT)
    store.settle_batch(batch_id, answer(batch_id, [OK, OK, NO, SILENT, OK, LATER]), at=AT)
    info = store.batch_info(batch_id)
    assert (info.accepted, info.rejected, info.unknown, info.status) == (3, 2, 1, BatchStatus.SETTLED)
    assert store.batch_log(LIST) == (info,)
    assert {d.status for d in store.dead_letters(LIST)} == {RowStatus.REJECTED, RowStatus.UNKNOWN}


@pytest.mark.parametrize("unusual", [0.0, 0.01, 0.6])
def test_a_ledger_reads_the_same_whether_few_or_many_rows_are_out_of_the_ordinary(
    store: Store, unusual: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audiences.store.ledger_read._FEW", 30)
    with_list(store, "google/all/contact", kind=MemberKind.CONTACT)
    names = range(300)
    table = replace(bare(names), payloads=[b'{"x":"1"}' if i < 300 * unusual else b"" for i in names])
    delta = replace(change(0, on="google/all/contact"), adds=table)
    store.record_delta(delta, batch_size=100, at=AT)
    settle_all(store, "google/all/contact")
    view = store.ledger_keys("google/all/contact")
    expected = dict(zip([key(i) for i in names], payload_digests(table.payloads).tolist(), strict=True))
    found = dict(zip([k.tobytes() for k in view.keys], view.digests.tolist(), strict=True))
    assert found == expected
    assert set(view.states.tolist()) == {LedgerState.ACCEPTED}
