"""What retention drops of a record, and what it never does, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audiences.model import Account, AudienceState, AudienceStatus, SegmentVersion
from audiences.store import Store
from audiences.store.records import PlanMove, PlanRecord, PlanStatus
from tests.audiences.lists_and_members import AT, LIST, OK, answer, change, settle_all, with_list

DAY = AT.date()
_segments = count()
ENDS = (PlanStatus.APPLIED, PlanStatus.SHADOW, PlanStatus.REFUSED, PlanStatus.LAPSED)


def days(n: float) -> timedelta:
    return timedelta(days=n)


def known_accounts(store: Store, *names: str) -> None:
    store.replace_accounts([Account(name, name) for name in names], "f", AT)


def keep_plan(store: Store, number: int, status: PlanStatus, *moved: str, segment: str = "strike") -> None:
    """Store the plan of day ``number``, in which these accounts changed their band."""
    name, day = f"plan-{number:03}" + segment.removeprefix("strike"), DAY + days(number)
    moves = tuple(PlanMove(account, 0, 1, "over_cap") for account in moved)
    made = datetime(day.year, day.month, day.day, 6, tzinfo=UTC)
    store.save_plan(
        PlanRecord(name, segment, day, "bands", status, "h", b"body", b"in", b"mem", moves, "balance", made)
    )


def left(store: Store) -> list[str]:
    return sorted(record.plan_id for record in store.plans(segment="strike", limit=1000))


def prune_on(store: Store, day: int) -> dict[str, int]:
    """Retention as if everything before that day were old."""
    return store.prune(AT + days(day), history_before=DAY + days(day))


def test_old_plans_go_with_their_moves_but_for_the_one_in_force_and_the_one_before_it(store: Store) -> None:
    for number in range(6):
        keep_plan(store, number, PlanStatus.APPLIED, "gone.example")
    keep_plan(store, 6, PlanStatus.REFUSED, "gone.example")
    keep_plan(store, 7, PlanStatus.LAPSED, "gone.example")
    assert prune_on(store, 100)["plans"] == 5
    assert left(store) == ["plan-004", "plan-005", "plan-007"]
    assert [head.moves for head in store.plan_heads()] == [1, 1, 1]
    assert store.last_move("strike", "gone.example", until=DAY + days(4)) is not None
    assert prune_on(store, 100)["plans"] == 0


def test_plans_that_wait_for_a_person_or_are_young_stay(store: Store) -> None:
    keep_plan(store, 0, PlanStatus.PROPOSED)
    keep_plan(store, 1, PlanStatus.APPROVED)
    keep_plan(store, 2, PlanStatus.SHADOW)
    keep_plan(store, 3, PlanStatus.SHADOW)
    for number in range(4, 8):
        keep_plan(store, number, PlanStatus.LAPSED)
    assert prune_on(store, 6)["plans"] == 3
    assert left(store) == ["plan-000", "plan-001", "plan-003", "plan-006", "plan-007"]


def test_the_plan_that_moved_an_account_of_today_last_stays_so_that_its_place_is_explained(
    store: Store,
) -> None:
    known_accounts(store, "still.example", "moved.example")
    keep_plan(store, 0, PlanStatus.APPLIED, "still.example", "moved.example")
    keep_plan(store, 1, PlanStatus.APPLIED, "left-the-market.example")
    keep_plan(store, 2, PlanStatus.SHADOW, "still.example")
    for number in range(3, 6):
        keep_plan(store, number, PlanStatus.APPLIED, "moved.example")
    before = store.last_move("strike", "still.example", until=DAY + days(9))
    assert prune_on(store, 100)["plans"] == 2
    assert left(store) == ["plan-000", "plan-002", "plan-004", "plan-005"]  # 002: the newest shadow plan
    assert store.last_move("strike", "still.example", until=DAY + days(9)) == before
    assert before is not None


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from(list(PlanStatus)), st.sets(st.sampled_from("abc"))), max_size=14),
    st.integers(0, 14),
)
def test_what_the_next_plan_an_undo_and_an_explanation_rest_on_is_the_same_after_retention(
    store: Store, made: list[tuple[PlanStatus, set[str]]], cut: int
) -> None:
    known_accounts(store, "a", "b", "c")
    name = f"segment-{next(_segments)}"
    for number, (status, moved) in enumerate(made):
        keep_plan(store, number, status, *sorted(moved), segment=name)

    def seen() -> list[object]:
        newest = [store.latest_plan(name), store.latest_plan(name, statuses=[PlanStatus.SHADOW])]
        applied = store.plans(segment=name, status=PlanStatus.APPLIED)[:2]
        moves = [store.last_move(name, account, until=DAY + days(99)) for account in "abc"]
        waiting = [store.plans(segment=name, status=s) for s in (PlanStatus.PROPOSED, PlanStatus.APPROVED)]
        return [newest, applied, moves, waiting]

    before = seen()
    store.prune(AT, history_before=DAY + days(cut))
    assert seen() == before


def test_plans_lose_their_inputs_to_retention_but_not_their_moves_nor_what_is_still_learned_from(
    store: Store,
) -> None:
    for number, status in enumerate((*ENDS, PlanStatus.APPLIED, *ENDS[1:], PlanStatus.PROPOSED)):
        keep_plan(store, number, status, "a.example")
    keep_plan(store, 9, PlanStatus.APPLIED)
    keep_plan(store, 10, PlanStatus.LAPSED)
    assert store.prune(AT + days(20))["plan_inputs"] == 6
    whole = [record.plan_id for record in store.plans(limit=100) if record.memory is not None]
    assert whole == ["plan-010", "plan-009", "plan-008", "plan-005", "plan-004"]
    old = store.plan("plan-000")
    assert (old.inputs, old.memory, len(old.moves), old.body) == (None, None, 1, b"body")


def test_old_changes_of_a_lists_status_go_and_its_last_one_stays(store: Store) -> None:
    with_list(store)
    kinds = (AudienceStatus.BUILDING, AudienceStatus.READY)
    for number in range(10):
        state = AudienceState(LIST, "seg-1", "t-1", kinds[number % 2], usable=True)
        store.save_state(state, at=AT + days(number))
    was = store.status_history(LIST)
    assert [change.at for change in was[-10:]] == [AT + days(number) for number in range(10)]
    prune_on(store, 5)  # up to the midnight before the change of that day
    assert store.status_history(LIST) == was[-5:]
    prune_on(store, 100)
    assert store.status_history(LIST) == was[-1:]


def test_old_sizes_of_a_segment_go_and_its_newest_version_stays_whole(store: Store) -> None:
    for number in range(10):
        names = tuple(f"{i}.example" for i in range(number + 1))
        version = SegmentVersion("strike", f"f{number}", DAY + days(number), names, ())
        store.save_segment_version(version, at=AT + days(number))
    assert prune_on(store, 6)["segment_sizes"] == 6
    assert [one.size for one in store.segment_sizes("strike")] == [7, 8, 9, 10]
    prune_on(store, 100)
    assert [one.size for one in store.segment_sizes("strike")] == [10]
    newest = store.segment_version("strike")
    assert newest is not None
    assert len(newest.account_ids) == 10


def test_a_list_that_never_changes_does_not_keep_every_batch_that_only_sent_it_again(store: Store) -> None:
    with_list(store)
    store.record_delta(change(0, ["a", "b"]), batch_size=10, at=AT)
    settle_all(store, at=AT)
    for month in range(1, 13):
        at = AT + days(30 * month)
        store.plan_refresh(LIST, accepted_before=at, batch_size=10, at=at)
        settle_all(store, at=at)
        store.prune(at - days(60))
    before = store.ledger_at(LIST, 1)
    gone = store.prune(AT + days(361))["batches"]
    assert gone == 4  # the first, and what was sent again in the last sixty days
    assert store.ledger_at(LIST, 1).keys.tobytes() == before.keys.tobytes()
    assert store.ledger_counts(LIST).accepted == 2


def test_a_batch_sent_again_stays_while_an_earlier_one_has_no_answer(store: Store) -> None:
    with_list(store)
    store.record_delta(change(0, ["a", "b"]), batch_size=10, at=AT)
    settle_all(store, at=AT)
    store.record_delta(change(1, ["c"]), batch_size=10, at=AT)  # never answered
    (open_one,) = store.batches_to_send(LIST)
    again = store.plan_refresh(LIST, accepted_before=AT + days(1), batch_size=10, at=AT + days(1))
    for batch_id in again:
        store.settle_batch(batch_id, answer(batch_id, [OK, OK]), at=AT + days(1))
    store.prune(AT + days(99))
    assert store.batch_info(again[0]).n == 2
    assert store.batches_to_send(LIST) == (open_one,)
