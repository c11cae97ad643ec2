"""Customer Match on the wire: one person one member, settled later, counted honestly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiences.model import AudienceSpec, AudienceStatus, MemberKind, Op, PushBatch, RowStatus
from platforms.errors import QuotaSpent, Refused, Throttled
from platforms.google import Cadence, Google, GoogleSettings
from platforms.google.members import join_request_id, split_request_id
from tests.platforms.members import batch, mail, person
from tests.platforms.scripted import HandClock, Script
from tests.platforms.wire_examples import example

SPEC = AudienceSpec("google/tier-1/contact", "google", "Tier 1 people", MemberKind.CONTACT, "Tier 1")
LISTS = "/v1/accountTypes/GOOGLE_ADS/accounts/1234567890/userLists"
INGEST, REMOVE = "/v1/audienceMembers:ingest", "/v1/audienceMembers:remove"
STATUS = "/v1/requestStatus:retrieve"
WIRE = example("google_ingest")
IDENTIFIERS = WIRE.sent["audienceMembers"][0]["compositeData"]["userData"]["userIdentifiers"]
ADDRESS = IDENTIFIERS[2]["address"]
QUINN = (
    ("email_sha256", IDENTIFIERS[0]["emailAddress"]),
    ("phone_sha256", IDENTIFIERS[1]["phoneNumber"]),
    ("given_name_sha256", ADDRESS["givenName"]),
    ("family_name_sha256", ADDRESS["familyName"]),
    ("region_code", "US"),
    ("postal_code", "94045"),
)


def people(op: Op, *members: Any) -> PushBatch:
    return batch(op, *members, kind=MemberKind.CONTACT, external_id="7090784486")


def three() -> PushBatch:
    return people(Op.ADD, *(person(("email_sha256", mail(i))) for i in range(3)))


def test_a_person_is_one_member_with_every_identifier(google: Google, script: Script) -> None:
    script.play(WIRE)

    receipt = google.push(people(Op.ADD, person(*QUINN)))

    assert script.bodies("POST", INGEST) == [WIRE.sent]
    assert (receipt.request_id or "").startswith("opaque-1@")
    assert not receipt.settled
    assert receipt.results[0].status is RowStatus.UNKNOWN


def test_a_removal_carries_neither_consent_nor_terms_and_is_never_refused_for_them(
    google: Google, script: Script
) -> None:
    wire = example("google_remove")
    script.play(wire)
    marks = (("consent", "denied"), ("first_party", "no"))

    receipt = google.push(people(Op.REMOVE, person(*QUINN, *marks)))

    assert script.bodies("POST", REMOVE) == [wire.sent]
    assert receipt.results[0].status is RowStatus.UNKNOWN


def test_people_without_consent_or_first_party_context_are_refused_with_the_reason(
    google: Google, script: Script
) -> None:
    script.play(WIRE)
    members = [
        person(("email_sha256", mail(1)), ("first_party", "no")),
        person(("email_sha256", mail(2)), ("consent", "denied")),
        person(("email_sha256", mail(3)), ("consent", "unknown")),
        person(("email_sha256", mail(4)), ("consent", "granted"), ("first_party", "yes")),
    ]
    receipt = google.push(people(Op.ADD, *members))

    assert [row.reason for row in receipt.results] == [
        "not_first_party",
        "no_consent",
        "no_consent",
        "processing",
    ]
    sent = script.bodies("POST", INGEST)[0]["audienceMembers"]
    assert sent == [{"compositeData": {"userData": {"userIdentifiers": [{"emailAddress": mail(4)}]}}}]


def test_malformed_digests_and_partial_addresses_never_reach_google(google: Google, script: Script) -> None:
    script.play(WIRE)
    half = person(("email_sha256", mail(1)), ("given_name_sha256", mail(2)), ("region_code", "US"))
    none = person(("email_sha256", mail(3).upper()), ("phone_sha256", "+4912345"))

    receipt = google.push(people(Op.ADD, half, none))

    sent = script.bodies("POST", INGEST)[0]["audienceMembers"]
    assert sent[0]["compositeData"]["userData"]["userIdentifiers"] == [{"emailAddress": mail(1)}]
    assert receipt.results[1].reason == "no_usable_identifier"


def test_a_batch_is_not_settled_while_it_is_processed(google: Google, script: Script) -> None:
    script.on("GET", STATUS, example("google_status_processing"), example("google_status_success"))

    first, second = google.settle(three(), "opaque-1"), google.settle(three(), "opaque-1")

    assert not first.settled
    assert {row.status for row in first.results} == {RowStatus.UNKNOWN}
    assert second.settled
    assert {row.status for row in second.results} == {RowStatus.ACCEPTED}


def test_a_failed_request_rejects_every_row_and_says_whether_to_send_again(
    google: Google, script: Script
) -> None:
    script.play(example("google_status_failed"))

    results = google.settle(three(), "opaque-1").results

    assert {row.status for row in results} == {RowStatus.REJECTED}
    assert results[0].reason == "INTERNAL_ERROR"
    assert results[0].retryable


def test_when_google_names_the_refused_records_the_others_are_accepted(
    google: Google, script: Script
) -> None:
    script.play(example("google_status_partial_indices"))

    results = google.settle(three(), "opaque-1").results

    assert [row.status for row in results] == ["accepted", "rejected", "accepted"]
    assert results[1].reason == "DENIED_CONSENT"


def test_when_google_only_counts_the_refused_no_row_is_called_accepted(
    google: Google, script: Script
) -> None:
    script.play(example("google_status_partial_counts"))

    receipt = google.settle(three(), "opaque-1")

    assert receipt.settled
    assert {(row.status, row.reason) for row in receipt.results} == {
        (RowStatus.UNKNOWN, "some_refused:DENIED_CONSENT=1")
    }


def test_a_member_google_refuses_is_taken_out_and_the_rest_sent_again(
    google: Google, script: Script, hand_clock: HandClock
) -> None:
    script.on("POST", INGEST, example("google_bad_member"), WIRE).play(example("google_status_success"))
    sent = three()

    receipt = google.push(sent)

    assert [row.status for row in receipt.results] == ["unknown", "rejected", "unknown"]
    assert receipt.results[1].reason == "INVALID_SHA256_FORMAT"
    first, second = (len(body["audienceMembers"]) for body in script.bodies("POST", INGEST))
    assert (first, second) == (3, 2)
    hand_clock.sleep(1900)
    settled = google.settle(sent, receipt.request_id or "")
    assert [row.status for row in settled.results] == ["accepted", "rejected", "accepted"]


def test_terms_that_were_not_accepted_stop_the_batch(google: Google, script: Script) -> None:
    script.play(example("google_terms"))

    with pytest.raises(Refused) as caught:
        google.push(three())

    assert caught.value.code == "TERMS_AND_CONDITIONS_NOT_SIGNED"
    assert not caught.value.retryable
    assert caught.value.request_id.startswith("t-")


def test_a_request_google_no_longer_knows_may_be_sent_again(google: Google, script: Script) -> None:
    script.play(example("google_invalid_request_id"))

    receipt = google.settle(three(), "opaque-1")

    assert receipt.settled
    assert all(row.retryable for row in receipt.results)


def test_minute_and_day_quotas_are_told_apart(google: Google, script: Script) -> None:
    script.on("POST", INGEST, example("google_quota_minute"))
    with pytest.raises(Throttled) as minute:
        google.push(three())
    script.on("POST", INGEST, example("google_quota_day"))
    with pytest.raises(QuotaSpent) as day:
        google.push(three())
    with pytest.raises(QuotaSpent):
        google.push(three())

    assert minute.value.wait > 0
    assert day.value.reset_at is not None
    assert len(script.sent("POST", INGEST)) == 2  # the closed lane is not even tried


def test_a_list_is_created_as_documented_when_none_carries_our_code(google: Google, script: Script) -> None:
    create = example("google_list_create")
    script.play(example("google_lists_none"), create)

    state = google.find_or_create(SPEC)

    assert script.bodies("POST", LISTS) == [create.sent]
    assert state.external_id == "7090784486"
    assert state.status is AudienceStatus.BUILDING
    assert state.audience_size is None
    assert state.target_id == "customers/1234567890/userLists/7090784486"


def test_a_list_with_our_code_is_used(google: Google, script: Script) -> None:
    found = example("google_lists_find")
    script.play(found)

    state = google.find_or_create(SPEC)

    assert script.targets() == [found.path]
    assert state.audience_size == 1500
    assert state.match_rate == 0.42
    assert state.usable


def test_a_create_whose_answer_was_lost_is_found_again(google: Google, script: Script) -> None:
    script.on("GET", LISTS, example("google_lists_none"), example("google_lists_find"))
    script.on("POST", LISTS, httpx.ReadTimeout("lost"))

    assert google.find_or_create(SPEC).external_id == "7090784486"
    assert len(script.sent("POST", LISTS)) == 1


def test_a_name_taken_by_a_foreign_list_is_an_error_not_an_adoption(google: Google, script: Script) -> None:
    taken = {
        "code": 400,
        "status": "INVALID_ARGUMENT",
        "details": [
            {"fieldViolations": [{"field": "user_list.display_name", "reason": "DISPLAY_NAME_ALREADY_USED"}]}
        ],
    }
    script.play(example("google_lists_none")).on("POST", LISTS, httpx.Response(400, json={"error": taken}))

    with pytest.raises(Refused) as caught:
        google.find_or_create(SPEC)
    assert caught.value.code == "DISPLAY_NAME_ALREADY_USED"


def test_a_closed_list_is_opened_again(google: Google, script: Script) -> None:
    closed = {**example("google_list_get").answer, "membershipStatus": "CLOSED"}
    script.on("GET", LISTS, httpx.Response(200, json={"userLists": [closed]}))
    script.on("PATCH", f"{LISTS}/7090784486", example("google_list_get"))

    assert google.find_or_create(SPEC).usable
    assert script.targets()[-1].endswith("updateMask=membershipStatus")


def test_google_is_asked_when_a_poll_is_due_and_not_before(
    google: Google, script: Script, hand_clock: HandClock
) -> None:
    script.play(WIRE, example("google_status_processing"))
    pushed, begun = google.push(three()), hand_clock.now
    asked = []
    for minute in range(0, 24 * 60 + 1, 3):
        hand_clock.now = begun + timedelta(minutes=minute)
        before = len(script.sent("GET", STATUS))
        receipt = google.settle(three(), pushed.request_id or "")
        if len(script.sent("GET", STATUS)) > before:
            asked.append(minute)
        assert receipt.settled == (minute == 24 * 60), "a day is the end of waiting"
        assert {row.status for row in receipt.results} == {RowStatus.UNKNOWN}
    assert asked[:5] == [30, 69, 120, 180, 240]
    assert len(asked) == 25
    assert all(row.reason == "never_finished" and row.retryable for row in receipt.results)


def test_another_process_asks_at_once_about_a_request_that_is_due(
    google: Google, script: Script, hand_clock: HandClock, scripted_client: httpx.Client
) -> None:
    script.play(WIRE, example("google_status_success"))
    pushed = google.push(three())
    hand_clock.sleep(3600)
    later = Google(google._settings, scripted_client, hand_clock, hand_clock.sleep)

    assert later.settle(three(), pushed.request_id or "").settled


@given(
    google_id=st.text("abcr-@0189", min_size=1, max_size=20),
    seconds=st.integers(0, 2**33),
    rows=st.sets(st.integers(0, 9999), max_size=4),
)
def test_what_a_request_id_carries_comes_back(google_id: str, seconds: int, rows: set[int]) -> None:
    sent = datetime.fromtimestamp(seconds, UTC)
    assert split_request_id(join_request_id(google_id, sent, sorted(rows))) == (
        google_id,
        sent,
        tuple(sorted(rows)),
    )


def test_the_polling_times_are_the_documented_ones() -> None:
    minutes = [poll / timedelta(minutes=1) for poll in Cadence().polls()]

    assert minutes[:4] == pytest.approx([30.0, 69.0, 119.7, 179.7])
    assert len(minutes) == 25
    assert minutes[-1] <= 24 * 60


def test_a_manager_account_is_named_where_each_call_wants_it(
    scripted_client: httpx.Client, script: Script, hand_clock: HandClock
) -> None:
    settings = GoogleSettings(
        "1234567890",
        base_url="http://platform.test/v1",
        login_customer_id="9999999999",
        project="cloud-1",
        terms_accepted=True,
    )
    managed = Google(settings, scripted_client, hand_clock, hand_clock.sleep)
    script.play(WIRE, example("google_lists_find"))
    managed.find_or_create(SPEC)
    managed.push(three())

    lists, ingest = script.requests
    assert lists.headers["login-account"] == "accountTypes/GOOGLE_ADS/accounts/9999999999"
    assert "login-account" not in ingest.headers  # there the body says it
    (destination,) = script.bodies("POST", INGEST)[0]["destinations"]
    assert destination["loginAccount"] == {"accountType": "GOOGLE_ADS", "accountId": "9999999999"}
    assert ingest.headers["x-goog-user-project"] == "cloud-1"


def test_a_partial_failure_that_passes_by_itself_may_be_sent_again(google: Google, script: Script) -> None:
    answer = example("google_status_partial_counts").answer
    counts = [{"reason": "PROCESSING_ERROR_REASON_INTERNAL_ERROR", "recordCount": "1"}]
    answer["requestStatusPerDestination"][0]["errorInfo"]["errorCounts"] = counts
    script.on("GET", STATUS, httpx.Response(200, json=answer))

    assert all(row.retryable for row in google.settle(three(), "opaque-1").results)
