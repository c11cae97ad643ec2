"""Quotas belong to whoever owns them: never exceeded, shared, and closed for the day when spent."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platforms.errors import QuotaSpent, Throttled
from platforms.pacing import InMemoryQuota, Pacer, Rate, next_arrival
from tests.platforms.scripted import HandClock


def sent_at(rate: Rate, asked: list[float]) -> list[float]:
    """When each request leaves, if asked for at these moments (ascending)."""
    arrival, times = 0.0, []
    for moment in asked:
        arrival, wait = next_arrival(arrival, rate, moment)
        times.append(moment + wait)
    return times


def test_a_burst_leaves_at_once_and_the_rest_at_the_rate() -> None:
    assert sent_at(Rate(60, burst=3), [100.0] * 5) == [100.0, 100.0, 100.0, 101.0, 102.0]


@given(
    per_minute=st.sampled_from([30, 240, 480]),
    burst=st.integers(1, 20),
    gaps=st.lists(st.floats(0, 5), min_size=1, max_size=120),
    window=st.floats(0.5, 90),
)
def test_no_window_ever_holds_more_than_the_burst_and_the_rate(
    per_minute: int, burst: int, gaps: list[float], window: float
) -> None:
    moments = [1_000.0 + sum(gaps[: i + 1]) for i in range(len(gaps))]
    times = sent_at(Rate(per_minute, burst), moments)

    allowed = burst + window * per_minute / 60.0
    for start in times:
        assert sum(start <= t < start + window for t in times) <= allowed + 1


@given(st.integers(1, 20), st.integers(1, 40))
def test_an_idle_bucket_never_makes_anyone_wait(burst: int, count: int) -> None:
    rate = Rate(60, burst)
    assert sent_at(rate, [10.0 * i for i in range(count)]) == [10.0 * i for i in range(count)]


def test_waiting_is_done_by_the_sleep_that_was_given(hand_clock: HandClock) -> None:
    pacer = Pacer("me|app", clock=hand_clock, sleep=hand_clock.sleep)
    for _ in range(4):
        pacer.turn("companies", Rate(60, burst=2))

    assert hand_clock.slept == pytest.approx([1.0, 1.0])


def test_endpoints_and_owners_do_not_share_but_two_pacers_of_one_owner_do(hand_clock: HandClock) -> None:
    store, rate = InMemoryQuota(), Rate(60, burst=1)
    one, same, other = (
        Pacer(name, clock=hand_clock, sleep=hand_clock.sleep, store=store) for name in ("a", "a", "b")
    )
    one.turn("companies", rate)
    one.turn("users", rate)
    other.turn("companies", rate)
    assert hand_clock.slept == []
    same.turn("companies", rate)
    assert hand_clock.slept == [1.0]


def test_minutes_of_waiting_are_left_to_the_scheduler(hand_clock: HandClock) -> None:
    pacer = Pacer("me", clock=hand_clock, sleep=hand_clock.sleep, longest=2.0)
    pacer.turn("x", Rate(1, burst=1))
    with pytest.raises(Throttled) as caught:
        pacer.turn("x", Rate(1, burst=1))
    assert caught.value.wait > 2.0
    assert hand_clock.slept == []


def test_a_spent_day_closes_the_bucket_for_everyone_until_the_reset(hand_clock: HandClock) -> None:
    store = InMemoryQuota()
    one, other = (Pacer("a", clock=hand_clock, sleep=hand_clock.sleep, store=store) for _ in range(2))
    reset = hand_clock.now + timedelta(hours=5)
    one.close("x", reset)

    with pytest.raises(QuotaSpent) as caught:
        other.turn("x", Rate(60))
    assert caught.value.reset_at == reset
    assert not caught.value.retryable
    hand_clock.now = reset
    other.turn("x", Rate(60))


def test_threads_never_take_the_same_place() -> None:
    store, rate, waits = InMemoryQuota(), Rate(60, burst=1), list[float]()

    def take() -> None:
        for _ in range(50):
            waits.append(store.reserve("x", rate, 1_000.0))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(waits) == pytest.approx([float(i) for i in range(200)])


@pytest.mark.parametrize("bad", [{"per_minute": 0}, {"per_minute": 5, "burst": 0}])
def test_a_rate_that_lets_nothing_through_is_a_mistake(bad: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="rate"):
        Rate(**bad)
