"""What several workers share: leases and quotas; and who must never be on a list."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from audiences.model import Contact, Op, Signal
from audiences.store import Store
from audiences.store.errors import Conflict, NotFound
from audiences.store.records import ErasureStep
from tests.audiences.lists_and_members import (
    AT,
    LIST,
    answer,
    change,
    hours,
    key,
    members,
    settle_all,
    with_list,
)
from tests.audiences.lists_and_members import OK as YES

WORKERS = 4


def together(url: str, work: Callable[[Store, int], object]) -> list[object]:
    """Run ``work`` in several threads, each with a connection of its own; what they returned."""
    results: list[object] = []
    barrier = threading.Barrier(WORKERS)

    def one(number: int) -> None:
        with Store.open(url) as mine:
            barrier.wait()
            results.append(work(mine, number))

    threads = [threading.Thread(target=one, args=(i,)) for i in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == WORKERS
    return results


def test_of_many_workers_exactly_one_gets_a_lease(url: str) -> None:
    def take(store: Store, number: int) -> object:
        return [
            store.take_lease(f"list {i}", f"worker {number}", now=AT, until=AT + hours(1)) for i in range(20)
        ]

    taken = together(url, take)
    assert [sum(row) for row in zip(*taken, strict=True)] == [1] * 20  # type: ignore[call-overload]


def test_a_lease_is_renewed_by_its_holder_and_taken_over_when_it_has_run_out(store: Store) -> None:
    def take(who: str, at: float, until: float) -> bool:
        return store.take_lease(LIST, who, now=AT + hours(at), until=AT + hours(until))

    assert take("one", 0, 1)
    assert not take("two", 0.5, 1.5)
    assert take("one", 0.5, 2)
    assert not take("two", 1.5, 3)
    assert take("two", 2, 3)
    assert not take("one", 2.5, 4)
    assert not store.release_lease(LIST, "one")
    assert store.release_lease(LIST, "two")
    assert store.lease(LIST) is None
    assert take("one", 2.5, 4)
    held = store.lease(LIST)
    assert held is not None
    assert (held.holder, held.until) == ("one", AT + hours(4))


def test_uses_counted_by_many_workers_all_count(url: str) -> None:
    together(url, lambda store, _: [store.add_quota("app", "users", "2026-03-01", 2) for _ in range(15)])
    with Store.open(url) as store:
        assert store.quota("app", "users", "2026-03-01") == WORKERS * 15 * 2
        assert store.quota("app", "users", "2026-03-02") == 0


def test_a_limit_is_never_passed_by_workers_who_ask_at_once(url: str) -> None:
    given = together(url, lambda store, _: [store.add_quota("app", "x", "w", limit=25) for _ in range(10)])
    granted = sorted(n for row in given for n in row if n is not None)  # type: ignore[attr-defined]
    assert granted == list(range(1, 26))
    with Store.open(url) as store:
        assert store.add_quota("app", "x", "w", 1, limit=25) is None
        assert store.quota("app", "x", "w") == 25


def test_many_workers_on_one_list_record_one_delta_per_version(url: str) -> None:
    with Store.open(url) as store:
        with_list(store)

    def race(store: Store, number: int) -> object:
        from audiences.store.errors import StaleBase

        try:
            return store.record_delta(change(0, [f"{number} {i}" for i in range(5)]), batch_size=10, at=AT)
        except StaleBase:
            return None

    won = [ids for ids in together(url, race) if ids is not None]
    assert len(won) == 1
    with Store.open(url) as store:
        assert store.batches_to_send(LIST) == won[0]
        assert store.ledger_keys(LIST).version == 1


def test_suppressed_digests_come_back_sorted_with_the_first_reason(store: Store) -> None:
    store.suppress([key("b"), key("a"), key("b")], reason="opt_out", at=AT)
    store.suppress([key("a"), key("c")], reason="erased", at=AT)
    assert [k.tobytes() for k in store.suppressed()] == sorted(key(n) for n in "abc")
    assert store.suppression_counts() == {"opt_out": 2, "erased": 1}
    assert store.unsuppress([key("a"), key("z")]) == 1
    assert len(store.suppressed()) == 2
    with pytest.raises(Conflict):
        store.suppress([b"short"], reason="x", at=AT)


def test_an_erasure_finds_every_list_that_ever_held_a_person(store: Store) -> None:
    for name in (
        "google/now/contact",
        "google/left/contact",
        "google/planned/contact",
        "google/never/contact",
    ):
        with_list(store, name)
        names = ["other"] if "never" in name else ["person", "other"]
        store.record_delta(change(0, names, on=name), batch_size=10, at=AT)
        if "planned" not in name:
            settle_all(store, name)
    store.record_delta(change(1, [], ["person"], on="google/left/contact"), batch_size=10, at=AT)
    settle_all(store, "google/left/contact")
    held = ("google/left/contact", "google/now/contact", "google/planned/contact")
    assert store.lists_that_held(key("person")) == held
    assert store.lists_that_held(key("nobody")) == ()


def test_an_erasure_is_a_receipt_per_list_that_fills_as_platforms_confirm(store: Store) -> None:
    with_list(store)
    store.record_delta(change(0, ["person", "other"]), batch_size=10, at=AT)
    settle_all(store)
    (step,) = store.ask_erasure(key("person"), at=AT)
    assert step == ErasureStep(LIST, AT, "", None)
    assert store.ask_erasure(key("person"), at=AT + hours(1)) == (step,)
    (batch_id,) = store.record_delta(change(1, [], ["person"]), batch_size=10, at=AT)
    assert store.batch(batch_id).op is Op.REMOVE
    settle_all(store)
    store.note_erasure(key("person"), LIST, batch_id=batch_id, done_at=AT + hours(2))
    assert store.erasure(key("person")) == (ErasureStep(LIST, AT, batch_id, AT + hours(2)),)


def test_a_forgotten_person_is_in_no_table_any_more_and_the_list_can_still_go_back(store: Store) -> None:
    person = key("person")
    store.replace_contacts([Contact(person.hex(), "a.example", (("email_sha256", person.hex()),))], "f", AT)
    store.replace_signals([Signal("a.example", "download", AT.date(), person=person.hex())], "f", AT)
    with_list(store)
    store.record_delta(change(0, ["person", "other", "third"]), batch_size=10, at=AT)
    settle_all(store)
    store.record_delta(change(1, [], ["person", "third"]), batch_size=10, at=AT)
    settle_all(store)
    assert store.forget_person(person) == 4
    assert store.lists_that_held(person) == ()
    assert list(store.contacts()) == []
    assert list(store.signals()) == []
    back = store.ledger_at(LIST, 1)
    assert [k.tobytes() for k in back.keys] == sorted([key("other"), key("third")])
    assert set(back.payloads) == set(members(["other", "third"]).payloads)


def test_retention_drops_settled_batches_and_says_which_versions_are_out_of_reach(store: Store) -> None:
    with_list(store)
    for version in range(4):
        store.record_delta(change(version, [version]), batch_size=10, at=AT)
        settle_all(store, at=AT + timedelta(days=version))
    store.record_delta(change(4, [4]), batch_size=10, at=AT)  # stays open
    before = store.ledger_keys(LIST).keys.tobytes()
    assert store.prune(AT + timedelta(days=2))["batches"] == 2
    assert store.prune(AT + timedelta(days=2))["batches"] == 0
    assert store.ledger_keys(LIST).keys.tobytes() == before
    assert len(store.ledger_at(LIST, 2)) == 2
    with pytest.raises(NotFound, match="older than what is kept"):
        store.ledger_at(LIST, 1)
    assert store.prune(AT + timedelta(days=99))["batches"] == 2
    assert len(store.batches_to_send(LIST)) == 1


def test_members_are_sent_again_before_they_lapse_and_only_then(store: Store) -> None:
    with_list(store)
    store.record_delta(change(0, ["a", "b", "c"]), batch_size=10, at=AT)
    settle_all(store, at=AT)
    store.record_delta(change(1, ["d"], ["c"]), batch_size=10, at=AT)
    settle_all(store, at=AT + timedelta(days=100))
    due = AT + timedelta(days=50)
    assert store.plan_refresh(LIST, accepted_before=AT, batch_size=10, at=due) == ()
    (refresh,) = store.plan_refresh(LIST, accepted_before=due, batch_size=10, at=due)
    assert {m.key for m in store.batch(refresh).members} == {key("a"), key("b")}
    assert store.plan_refresh(LIST, accepted_before=due, batch_size=10, at=due + hours(1)) == ()
    store.settle_batch(refresh, answer(refresh, [YES, YES]), at=due + timedelta(days=60))
    assert store.plan_refresh(LIST, accepted_before=due, batch_size=10, at=due) == ()
    assert len(store.ledger_at(LIST, 1).keys) == 3
    assert store.ledger_keys(LIST).version == 2
