"""Replacing what a Google list holds: never later than Google's clock, never before everybody is on it."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from audiences.model import MemberKind, Op, PushBatch
from platforms.errors import NotReady, Refused
from platforms.google import Google
from tests.platforms.members import batch, mail, person
from tests.platforms.scripted import HandClock, Script
from tests.platforms.wire_examples import example

LISTS = "/v1/accountTypes/GOOGLE_ADS/accounts/1234567890/userLists"
STATUS = "/v1/requestStatus:retrieve"
WIRE = example("google_ingest")


def three() -> PushBatch:
    people = [person(("email_sha256", mail(i))) for i in range(3)]
    return batch(Op.ADD, *people, kind=MemberKind.CONTACT, external_id="7090784486")


def test_replacing_waits_for_every_push_and_removes_only_who_was_not_sent_again(
    google: Google, script: Script, hand_clock: HandClock
) -> None:
    wire = example("google_remove_all")
    script.play(WIRE, wire, example("google_status_success"), example("google_lists_find"))
    hand_clock.now = hand_clock.now.replace(month=11, day=20, hour=8)
    started = google.begin_replace()
    pushed = google.push(three())

    with pytest.raises(NotReady):
        google.finish_replace("7090784486", started, [pushed])
    hand_clock.sleep(1900)
    done = google.settle(three(), pushed.request_id or "")

    assert google.finish_replace("7090784486", started, [done]) == "opaque-3"
    assert script.bodies("POST", "/v1/audienceMembers:removeAll") == [wire.sent]


@pytest.mark.parametrize(
    ("theirs", "taken"),
    [
        ("Fri, 20 Nov 2026 07:10:00 GMT", "07:10"),  # our clock runs ahead
        ("Fri, 20 Nov 2026 08:30:00 GMT", "08:00"),  # or behind
        ("yesterday", "08:00"),
        ("Fri, 20 Nov 2026 07:10:00 -0000", "08:00"),  # in no time zone anybody knows
        (None, "08:00"),
    ],
)
def test_replacing_begins_no_later_than_googles_own_clock_says(
    google: Google, script: Script, hand_clock: HandClock, theirs: str | None, taken: str
) -> None:
    hand_clock.now = hand_clock.now.replace(month=11, day=20, hour=8)
    headers = {} if theirs is None else {"Date": theirs}
    script.on("GET", LISTS, httpx.Response(200, json={}, headers=headers))
    assert f"{google.begin_replace():%H:%M}" == taken


@pytest.mark.parametrize(("state", "done"), [("SUCCESS", True), ("PROCESSING", False)])
def test_taking_the_others_off_is_asked_about_until_it_is_done(
    google: Google, script: Script, state: str, done: bool
) -> None:
    answer = {"requestStatusPerDestination": [{"requestStatus": state, "removeAllAudienceMembersStatus": {}}]}
    script.on("GET", STATUS, httpx.Response(200, json=answer))
    assert google.replace_done("opaque-3") is done


def test_others_who_could_not_be_taken_off_are_an_error(google: Google, script: Script) -> None:
    script.play(example("google_status_failed"))
    with pytest.raises(Refused, match="could not be taken off"):
        google.replace_done("opaque-1")


def test_replacing_with_nothing_accepted_is_refused(google: Google, script: Script) -> None:
    script.play(example("google_status_failed"))
    failed = google.settle(three(), "opaque-1")

    with pytest.raises(Refused):
        google.finish_replace("7090784486", datetime(2026, 11, 20, 8, tzinfo=UTC), [failed])
