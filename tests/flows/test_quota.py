"""Every flow and process of a workspace draws on one quota per owner and endpoint."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audiences.store import Store
from flows.quota import SharedQuota
from flows.wiring import open_app
from platforms.errors import QuotaSpent, Throttled
from platforms.pacing import FURTHEST, InMemoryQuota, Pacer, Rate
from tests.flows.kept_workspace import write

NOW = datetime(2026, 8, 24, 6, 0, tzinfo=UTC)
T = NOW.timestamp()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.create(f"sqlite:///{tmp_path / 'record.db'}") as opened:
        yield opened


class Hand:
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = NOW
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


def pacer(store: Store, hand: Hand, *, world: str = "live", owner: str = "me|app") -> Pacer:
    return Pacer(owner, clock=hand, sleep=hand.sleep, store=SharedQuota(store, world))


def test_two_connections_of_one_owner_take_turns_in_one_queue(store: Store, tmp_path: Path) -> None:
    hand, rate = Hand(), Rate(60, burst=2)
    with Store.open(f"sqlite:///{tmp_path / 'record.db'}") as other:
        for which in (store, other, store, other):
            pacer(which, hand).turn("companies", rate)
    assert hand.slept == pytest.approx([1.0, 1.0])


def test_owners_endpoints_and_worlds_have_queues_of_their_own(store: Store) -> None:
    hand, rate = Hand(), Rate(60, burst=1)
    pacer(store, hand).turn("companies", rate)
    pacer(store, hand).turn("users", rate)
    pacer(store, hand, owner="you|app").turn("companies", rate)
    pacer(store, hand, world="sandbox").turn("companies", rate)
    assert hand.slept == []


def test_a_day_quota_spent_by_one_process_stops_the_other_until_the_reset(
    store: Store, tmp_path: Path
) -> None:
    hand, reset = Hand(), NOW + timedelta(hours=18)
    with Store.open(f"sqlite:///{tmp_path / 'record.db'}") as other:
        pacer(other, hand).close("users", reset)
        pacer(other, hand).close("users", reset - timedelta(hours=1))
    with pytest.raises(QuotaSpent) as caught:
        pacer(store, hand).turn("users", Rate(60))
    assert caught.value.reset_at == reset
    pacer(store, hand).turn("companies", Rate(60))
    hand.now = reset
    pacer(store, hand).turn("users", Rate(60))


def test_whoever_gives_up_leaves_the_queue_as_it_was(store: Store) -> None:
    hand, rate = Hand(), Rate(1, burst=2)
    for _ in range(2):
        pacer(store, hand).turn("users", rate)
    for _ in range(5):
        hand.now += timedelta(seconds=-0.5)
        with pytest.raises(Throttled):
            Pacer("me|app", clock=hand, sleep=hand.sleep, store=SharedQuota(store, "live"), longest=30).turn(
                "users", rate
            )
    hand.now = NOW + timedelta(minutes=1)
    pacer(store, hand).turn("users", rate)
    assert hand.slept == []


def test_a_clock_that_started_over_is_not_held_up_by_its_former_life(store: Store) -> None:
    hand, rate = Hand(), Rate(60, burst=1)
    hand.now = NOW + timedelta(weeks=4)
    pacer(store, hand).turn("users", rate)
    pacer(store, hand).close("users", hand.now + timedelta(hours=20))
    hand.now = NOW
    pacer(store, hand).turn("users", rate)
    assert hand.slept == []
    pacer(store, hand).close("users", NOW + timedelta(hours=3))
    with pytest.raises(QuotaSpent):
        pacer(store, hand).turn("users", rate)


STEPS = st.one_of(
    st.tuples(st.just("reserve"), st.sampled_from("ab"), st.floats(0, 20)),
    st.tuples(st.just("close"), st.sampled_from("ab"), st.floats(-FURTHEST, FURTHEST)),
)


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(STEPS, max_size=15), burst=st.integers(1, 4))
def test_the_shared_quota_equals_the_one_in_memory(
    store: Store, steps: list[tuple[str, str, float]], burst: int
) -> None:
    """Buckets carry the step's object id, so that every example starts afresh."""
    memory, rate, now = InMemoryQuota(), Rate(30, burst), T
    shared = SharedQuota(store, f"example {id(steps)} {burst} {hash(tuple(steps))}")
    for name, bucket, number in steps:
        if name == "close":
            memory.close(bucket, now + number)
            shared.close(bucket, now + number)
        else:
            now += number / 10
            waits = [q.reserve(bucket, rate, now, longest=number) for q in (memory, shared)]
            assert waits[0] == waits[1]
        assert memory.closed_until(bucket) == shared.closed_until(bucket)


WORKER = """
import sys
from audiences.store import Store
from flows.quota import SharedQuota
from platforms.pacing import Rate
with Store.open(sys.argv[1]) as store:
    shared = SharedQuota(store, "live")
    for _ in range(40):
        print(shared.reserve("users", Rate(60, burst=1), 1000.0))
"""


def test_processes_that_ask_at_once_never_get_the_same_place(store: Store, tmp_path: Path) -> None:
    command = [sys.executable, "-c", WORKER, f"sqlite:///{tmp_path / 'record.db'}"]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
        for _ in range(2)
    ]
    waits = [float(line) for process in running for line in process.communicate(timeout=300)[0].splitlines()]
    assert [process.returncode for process in running] == [0, 0]
    assert sorted(waits) == pytest.approx([float(i) for i in range(80)])


def test_a_day_that_one_process_spent_on_reading_stops_the_next_one_before_it_asks(tmp_path: Path) -> None:
    write(tmp_path)
    with open_app(tmp_path) as first, open_app(tmp_path) as second:
        assert first.sandbox is not None
        first.sandbox.post("/sandbox/knobs", {"calls_per_day": 1})
        first.platform("linkedin").check()
        with pytest.raises(QuotaSpent) as told:
            first.platform("linkedin").check()
        assert told.value.code != "closed"
        first.sandbox.post("/sandbox/knobs", {"calls_per_day": 1000})
        with pytest.raises(QuotaSpent) as known:
            second.platform("linkedin").check()
        assert known.value.code == "closed"
        second.sleep(86_400.0)
        assert second.platform("linkedin").check() == ()
