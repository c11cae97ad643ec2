"""Lists as specified and as last seen, one-off lists, alerts, small values, and the overview."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from audiences.model import AudienceSpec, AudienceState, AudienceStatus, MemberKind
from audiences.store import Store
from audiences.store.errors import Conflict, NotFound
from audiences.store.records import OneOff
from tests.audiences.lists_and_members import AT, LIST, NO, change, hours, settle_all, with_list

SPEC = AudienceSpec(LIST, "linkedin", "Strike list", MemberKind.COMPANY, "all of them", "strike", 2)
SEEN = AudienceState(LIST, "77", "urn:li:adSegment:9", AudienceStatus.BUILDING)


def test_a_list_comes_back_as_specified_and_as_last_seen(store: Store) -> None:
    assert store.save_audience(SPEC, at=AT).state is None
    seen = replace(
        SEEN, status=AudienceStatus.READY, audience_size=5_000, matched=90, match_rate=0.9, usable=True
    )
    store.save_state(seen, at=AT + hours(1))
    record = store.audience(LIST)
    assert record is not None
    assert (record.spec, record.state, record.created_at, record.checked_at) == (
        SPEC,
        seen,
        AT,
        AT + hours(1),
    )
    assert store.audience("none") is None


def test_a_list_may_be_renamed_but_never_change_platform_or_kind(store: Store) -> None:
    store.save_audience(SPEC, at=AT)
    store.save_state(SEEN, at=AT)
    record = store.save_audience(replace(SPEC, name="Renamed", band=None), at=AT)
    assert (record.spec.name, record.spec.band, record.state) == ("Renamed", None, SEEN)
    for other in (replace(SPEC, platform="google"), replace(SPEC, kind=MemberKind.CONTACT)):
        with pytest.raises(Conflict):
            store.save_audience(other, at=AT)


def test_only_a_change_of_status_or_use_makes_history(store: Store) -> None:
    store.save_audience(SPEC, at=AT)
    ready = replace(SEEN, status=AudienceStatus.READY, usable=True)
    sizes = [replace(ready, audience_size=n) for n in (300, 400)]
    assert [store.save_state(s, at=AT) for s in (SEEN, SEEN, *sizes, replace(ready, usable=False))] == [
        True,
        False,
        True,
        False,
        True,
    ]
    assert [(c.status, c.usable, c.audience_size) for c in store.status_history(LIST)] == [
        ("building", False, None),
        ("ready", True, 300),
        ("ready", False, None),
    ]


def test_lists_are_chosen_by_platform_and_segment(store: Store) -> None:
    for name in ("linkedin/b/company", "linkedin/a/company", "google/a/contact"):
        with_list(store, name)
    assert [r.spec.audience_id for r in store.audiences()] == [
        "google/a/contact",
        "linkedin/a/company",
        "linkedin/b/company",
    ]
    assert [r.spec.audience_id for r in store.audiences(platform="linkedin", segment="a")] == [
        "linkedin/a/company"
    ]
    with pytest.raises(NotFound):
        store.ledger_keys("linkedin/none/company")


def test_a_one_off_list_is_due_on_its_last_day_until_it_has_ended(store: Store) -> None:
    one = OneOff(LIST, "anna", "event guests", date(2026, 3, 10), AT)
    store.save_one_off(one)
    store.save_one_off(OneOff("google/x/contact", "bert", "", None, AT))
    assert store.one_offs(ending_by=date(2026, 3, 9)) == ()
    assert store.one_offs(ending_by=date(2026, 3, 10)) == (one,)
    store.end_one_off(LIST, at=AT + hours(2))
    assert store.one_offs(ending_by=date(2026, 3, 10)) == ()
    assert store.one_offs()[1] == replace(one, ended_at=AT + hours(2))


def test_an_alert_is_new_once_per_change_of_state(store: Store) -> None:
    told = [
        store.alert_changed("list a", state, at=AT) for state in ("ok", "bad", "bad", "worse", "ok", "ok")
    ]
    assert told == [False, True, False, True, True, False]
    assert store.alert_changed("list b", "bad", at=AT, detail="seen first")
    assert store.alert_states() == {"list a": ("ok", AT, ""), "list b": ("bad", AT, "seen first")}


def test_small_values_are_kept_replaced_and_forgotten(store: Store) -> None:
    store.put("demo.stage", {"week": 3, "done": [True, None]}, at=AT)
    assert store.get("demo.stage") == {"week": 3, "done": [True, None]}
    store.put("demo.stage", "end", at=AT)
    assert store.get("demo.stage") == "end"
    store.put("demo.stage", None, at=AT)
    assert store.get("demo.stage", "nothing") == "nothing"


def test_the_overview_counts_every_list_and_names_what_is_stuck(store: Store) -> None:
    with_list(store)
    with_list(store, "google/quiet/contact")
    store.record_delta(change(0, range(3)), batch_size=10, at=AT)
    settle_all(store)
    store.record_delta(change(1, [8, 9], [0]), batch_size=10, at=AT)
    (remove, _) = store.batches_to_send(LIST)
    store.save_one_off(OneOff(LIST, "anna", "", date(2026, 5, 1), AT))
    store.take_lease(LIST, "worker 1", now=AT, until=AT + hours(1))
    quiet, busy = store.overview()
    assert quiet.counts == type(quiet.counts)()
    assert (busy.counts.accepted, busy.counts.pending_adds, busy.counts.pending_removes) == (3, 2, 1)
    assert (busy.leased_to, busy.ends_on) == ("worker 1", date(2026, 5, 1))
    settle_all(store, with_=NO)
    busy = store.overview()[1]
    assert (busy.dead_letters, busy.parked, busy.counts.rejected, busy.counts.leaving) == (3, 3, 2, 1)
    assert busy.counts == store.ledger_counts(LIST)
    assert store.batch_info(remove).rejected == 1
