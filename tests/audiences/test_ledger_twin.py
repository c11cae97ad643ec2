"""The ledger after any run of deltas, answers, repeats, retries and crashes equals a plain-dict twin."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audiences.model import Op, RowResult, RowStatus
from audiences.store import Store
from audiences.store.errors import StaleBase
from audiences.store.records import LedgerState
from tests.audiences.ledger_twin import LedgerTwin, TwinBatch
from tests.audiences.lists_and_members import AT, answer, change, hours, key, with_list

NAMES = st.sets(st.integers(0, 9), max_size=7)
STATUSES = st.lists(st.sampled_from(list(RowStatus)), min_size=7, max_size=7)
STEPS = st.one_of(
    st.tuples(st.just("want"), NAMES),
    st.tuples(st.just("settle"), st.integers(0, 5), STATUSES),
    st.tuples(st.just("settle"), st.integers(0, 5), STATUSES),
    st.tuples(st.just("settle_again"), st.integers(0, 20)),
    st.tuples(st.just("stale"), NAMES),
    st.tuples(st.just("again"), NAMES),
    st.tuples(st.just("retry"), st.integers(1, 400)),
)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(STEPS, min_size=1, max_size=16))
def test_the_ledger_equals_its_twin_after_any_history(store: Store, steps: list[tuple[Any, ...]]) -> None:
    world = World(store)
    for name, *arguments in steps:
        getattr(world, name)(*arguments)
        world.compare()
    world.compare_versions()


class World:
    """One list, driven twice: in the store and in the twin."""

    def __init__(self, store: Store) -> None:
        self.store, self.twin = store, LedgerTwin()
        self.list = with_list(store, f"linkedin/{uuid.uuid4().hex}/company")
        self.names = {key(i): i for i in range(10)}
        self.view = store.ledger_keys(self.list)  # read as early as its version existed

    def want(self, names: set[int]) -> None:
        """The usual run: bring the list to exactly these members."""
        have = {self.names[k] for k in self.twin.asked()}
        self._record(names - have, have - names)

    def again(self, names: set[int]) -> None:
        """Adds of members that may be on the list already, and removals of strangers."""
        self._record({n for n in names if n % 2}, {n for n in names if not n % 2})

    def _record(self, adds: set[int], removes: set[int]) -> None:
        delta = change(self.twin.version, sorted(adds), sorted(removes), on=self.list)
        view = self.view if self.twin.version % 2 else None
        ids = self.store.record_delta(delta, batch_size=3, at=AT, view=view)
        assert self.store.record_delta(delta, batch_size=3, at=AT, view=view) == ids
        self._note(ids, self.twin.record)
        self.view = self.store.ledger_keys(self.list)

    def _note(self, ids: tuple[str, ...], note: Any) -> None:
        made = [self.store.batch(batch_id) for batch_id in ids]
        version = self.store.audience(self.list).ledger_version  # type: ignore[union-attr]
        note([TwinBatch(b.batch_id, version, b.op, tuple(m.key for m in b.members)) for b in made])

    def settle(self, pick: int, statuses: list[RowStatus]) -> None:
        """Answers may come in any order."""
        waiting = [batch for batch in self.twin.batches if not batch.settled]
        if not waiting:
            return
        batch = waiting[pick % len(waiting)]
        mine = statuses[: len(batch.keys)]
        results = [RowResult(s, "said_so", retryable=True) for s in mine]
        assert self.store.settle_batch(batch.batch_id, answer(batch.batch_id, results), at=AT)
        self.twin.settle(batch, mine)

    def settle_again(self, pick: int) -> None:
        done = [batch for batch in self.twin.batches if batch.settled]
        if done:
            batch = done[pick % len(done)]
            other = answer(batch.batch_id, [RowResult(RowStatus.REJECTED)] * len(batch.keys))
            assert not self.store.settle_batch(batch.batch_id, other, at=AT)

    def stale(self, names: set[int]) -> None:
        if self.twin.version and names:
            with pytest.raises(StaleBase):
                self.store.record_delta(
                    change(self.twin.version - 1, [f"stranger {n}" for n in names], on=self.list),
                    batch_size=3,
                    at=AT,
                )

    def retry(self, after: int) -> None:
        busy = set(self.twin.waiting())
        due = {d.key for d in self.store.dead_letters(self.list, due=AT + hours(after))}
        ids = self.store.plan_retries(self.list, batch_size=3, at=AT + hours(after))
        sent = {m.key for batch_id in ids for m in self.store.batch(batch_id).members}
        assert sent == due - busy
        self._note(ids, self.twin.batches.extend)

    def compare(self) -> None:
        view = self.store.ledger_keys(self.list)
        states = {k.tobytes(): LedgerState(s) for k, s in zip(view.keys, view.states, strict=True)}
        assert view.version == self.twin.version
        assert [k.tobytes() for k in view.keys] == sorted(states)
        assert states == self.twin.states()
        dead = {d.key: (Op(d.op), d.tries) for d in self.store.dead_letters(self.list)}
        assert dead == self.twin.dead
        counts = self.store.ledger_counts(self.list)
        stored = list(self.twin.state.values())
        assert counts.accepted == stored.count(LedgerState.ACCEPTED)
        assert counts.leaving == stored.count(LedgerState.LEAVING)

    def compare_versions(self) -> None:
        for version, expected in enumerate(self.twin.history):
            members = self.store.ledger_at(self.list, version)
            assert [k.tobytes() for k in members.keys] == sorted(expected)
            assert all(members.payloads)
