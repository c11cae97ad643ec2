"""Plans, bands and the audit log: who decided what, and nothing of it can be rewritten."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from audiences.store import Store
from audiences.store.audit import TRIMMED, audit_digest
from audiences.store.errors import Conflict, NotFound, StoreError
from audiences.store.plans import NEXT_STATUS, plan_id
from audiences.store.records import AuditLine, BandState, PlanMove, PlanRecord, PlanStatus
from tests.audiences.lists_and_members import AT

DAY = date(2026, 3, 2)


def plan(body: bytes = b"plan", *, status: PlanStatus = PlanStatus.PROPOSED, day: date = DAY) -> PlanRecord:
    moves = (
        PlanMove("a.example", 0, 2, "over_cap", {"share": 0.4}, day + timedelta(days=7)),
        PlanMove("b.example", 1, -1, "held"),
    )
    return PlanRecord(
        plan_id=plan_id("strike", day, "bands", "h1", body),
        segment="strike",
        day=day,
        mode="bands",
        status=status,
        inputs_hash="h1",
        body=body,
        inputs=b"\x00in",
        memory=b"\xffmem",
        moves=moves,
        created_by="balance flow",
        created_at=AT,
    )


def test_a_plan_comes_back_byte_for_byte_and_is_stored_once(store: Store) -> None:
    assert store.save_plan(plan())
    assert not store.save_plan(plan())
    assert store.plan(plan().plan_id) == plan()
    with pytest.raises(NotFound):
        store.plan("none")


def test_the_latest_plan_of_a_segment_is_the_one_stored_last(store: Store) -> None:
    store.save_plan(plan(b"one"))
    store.save_plan(plan(b"two", status=PlanStatus.SHADOW))
    latest = store.latest_plan("strike")
    assert latest is not None
    assert latest.body == b"two"
    proposed = store.latest_plan("strike", statuses=[PlanStatus.PROPOSED])
    assert proposed is not None
    assert proposed.body == b"one"
    assert store.latest_plan("other") is None
    assert [p.body for p in store.plans(segment="strike")] == [b"two", b"one"]
    assert [p.body for p in store.plans(status=PlanStatus.SHADOW)] == [b"two"]


@pytest.mark.parametrize("start", list(PlanStatus))
@pytest.mark.parametrize("goal", list(PlanStatus))
def test_a_plan_moves_only_along_the_allowed_steps(store: Store, start: PlanStatus, goal: PlanStatus) -> None:
    store.save_plan(plan(status=start))
    if goal is start or goal in NEXT_STATUS[start]:
        assert store.decide_plan(plan().plan_id, goal, by="anna", at=AT).status is goal
    else:
        with pytest.raises(Conflict):
            store.decide_plan(plan().plan_id, goal, by="anna", at=AT)
        assert store.plan(plan().plan_id).status is start


def test_an_approval_is_only_for_the_inputs_that_were_looked_at(store: Store) -> None:
    store.save_plan(plan())
    with pytest.raises(Conflict, match="other inputs"):
        store.decide_plan(plan().plan_id, PlanStatus.APPROVED, by="anna", at=AT, seen="h0")
    decided = store.decide_plan(plan().plan_id, PlanStatus.APPROVED, by="anna", at=AT, seen="h1", note="fine")
    assert (decided.decided_by, decided.decided_at, decided.note) == ("anna", AT, "fine")


def test_of_two_people_deciding_at_once_the_first_wins(store: Store, url: str) -> None:
    store.save_plan(plan())
    outcomes: list[str] = []

    def decide(status: PlanStatus, who: str) -> None:
        with Store.open(url) as mine:
            try:
                mine.decide_plan(plan().plan_id, status, by=who, at=AT)
                outcomes.append(who)
            except Conflict:
                outcomes.append("conflict")

    both = [(PlanStatus.LAPSED, "anna"), (PlanStatus.REFUSED, "bert")]
    threads = [threading.Thread(target=decide, args=one) for one in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("conflict") == 1
    assert store.plan(plan().plan_id).decided_by in outcomes


def test_a_band_keeps_the_day_it_was_first_commanded_and_lands_later(store: Store) -> None:
    store.command_bands("strike", {"a": 0, "b": 1}, plan_id="p1", on=DAY)
    store.command_bands("strike", {"a": 0, "b": 2, "c": -1}, plan_id="p2", on=DAY + timedelta(days=1))
    assert store.land_bands("strike", ["a", "b", "x"], on=DAY + timedelta(days=2)) == 2
    assert store.land_bands("strike", ["a", "b"], on=DAY + timedelta(days=3)) == 0
    landed = DAY + timedelta(days=2)
    assert store.band_states("strike") == (
        BandState("a", 0, DAY, 0, landed, "p1"),
        BandState("b", 2, DAY + timedelta(days=1), 2, landed, "p2"),
        BandState("c", -1, DAY + timedelta(days=1), None, None, "p2"),
    )
    assert store.band_states("other") == ()


LINE = AuditLine(AT, "anna", "plan.approved", "strike", "h1", {"moves": 12, "bands": [1, 2]})


def test_audit_lines_come_back_in_order_with_their_detail(store: Store) -> None:
    for what in ("plan.approved", "push.sent", "plan.approved"):
        store.audit(replace(LINE, what=what))
    lines = store.audit_log()
    assert [line.what for line in lines] == ["plan.approved", "push.sent", "plan.approved"]
    assert replace(lines[0], number=0) == LINE
    assert [line.number for line in store.audit_log(what="push.sent")] == [lines[1].number]
    assert store.audit_log(after=lines[1].number) == lines[2:]
    assert store.audit_log(subject="other") == ()
    assert store.audit_tail(2) == (lines[2], lines[1])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET who = 'somebody else'",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE number = (SELECT max(number) FROM audit)",
        "UPDATE audit SET detail = '{}' WHERE number = (SELECT max(number) FROM audit)",
    ],
)
def test_the_database_itself_refuses_to_rewrite_the_audit_log(store: Store, statement: str) -> None:
    store.audit(LINE)
    with pytest.raises(StoreError), store._db.write() as connection:
        connection.execute(text(statement))
    assert [replace(line, number=0) for line in store.audit_log()] == [LINE]


def test_neither_replacing_nor_emptying_gets_round_the_audit_log(store: Store) -> None:
    store.audit(LINE)
    number = store.audit_log()[0].number
    if store._db.is_sqlite:
        statement = (
            "INSERT OR REPLACE INTO audit (number, at, who, what, subject, inputs_hash, detail)"
            f" VALUES ({number}, '2026-01-01', 'x', 'x', '', '', '{{}}')"
        )
    else:
        statement = "TRUNCATE audit"
    with pytest.raises(StoreError), store._db.write() as connection:
        connection.execute(text(statement))
    store.prune(AT + timedelta(days=999))
    assert [replace(line, number=0) for line in store.audit_log()] == [LINE]


def test_old_audit_lines_go_and_what_they_said_can_still_be_proved(store: Store) -> None:
    for day in range(5):
        store.audit(replace(LINE, at=AT + timedelta(days=day), detail={"ümlaut": day, "a": [1]}))
    whole = store.audit_log()

    assert store.trim_audit(AT + timedelta(days=3), who="retention", at=AT + timedelta(days=9)) == 3
    left = store.audit_log()

    assert left[:2] == whole[3:]
    assert (left[2].what, left[2].subject, left[2].detail["lines"]) == (TRIMMED, str(whole[2].number), 3)
    assert left[2].inputs_hash == audit_digest(whole[:3])
    assert left[2].inputs_hash != audit_digest([whole[0], replace(whole[1], who="x"), whole[2]])
    assert store.trim_audit(AT + timedelta(days=3), who="retention", at=AT + timedelta(days=9)) == 0


def test_a_trimming_is_proved_by_the_next_one_that_takes_it_away(store: Store) -> None:
    for day in range(3):
        store.audit(replace(LINE, at=AT + timedelta(days=day)))
        store.trim_audit(AT + timedelta(days=day), who="retention", at=AT + timedelta(days=day))
    before = store.audit_log()

    gone = store.trim_audit(AT + timedelta(days=9), who="retention", at=AT + timedelta(days=10))

    (last,) = store.audit_log()
    assert gone == len(before)
    assert last.inputs_hash == audit_digest(before)


@pytest.mark.parametrize("covering", ["0", "strike"])
def test_no_line_goes_that_the_record_does_not_say_went(store: Store, covering: str) -> None:
    store.audit(LINE)
    store.audit(replace(LINE, what=TRIMMED if covering == "0" else "plan.approved", subject=covering))
    whole = store.audit_log()

    with pytest.raises(StoreError), store._db.write() as connection:
        connection.execute(text(f"DELETE FROM audit WHERE number <= {whole[0].number}"))

    assert store.audit_log() == whole


def test_a_line_that_says_others_went_cannot_be_removed_with_them(store: Store) -> None:
    store.audit(LINE)
    store.trim_audit(AT + timedelta(days=1), who="retention", at=AT + timedelta(days=2))

    with pytest.raises(StoreError), store._db.write() as connection:
        connection.execute(text("DELETE FROM audit"))

    assert [line.what for line in store.audit_log()] == [TRIMMED]
