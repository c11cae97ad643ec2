"""LinkedIn lists on the wire: found or created once, streamed with a result per row."""

from __future__ import annotations

import httpx
import pytest

from audiences.model import AudienceSpec, AudienceStatus, MemberKind, Op, RowStatus
from platforms.errors import Gone, ListLimitReached, NotReady, PlatformDown, QuotaSpent, Throttled
from platforms.linkedin import LinkedIn
from tests.platforms.members import batch, company, person
from tests.platforms.scripted import HandClock, Script
from tests.platforms.wire_examples import example

SPEC = AudienceSpec("linkedin/tier-1/company", "linkedin", "ABM tier 1 2026Q4", MemberKind.COMPANY, "Tier 1")
SEGMENTS = "/rest/dmpSegments"
COMPANIES = "/rest/dmpSegments/9000001/companies"
NOBODY = example("linkedin_segment_find_none")
LOST = httpx.ReadTimeout("lost")


def answered(segment_id: int, **fields: object) -> httpx.Response:
    return httpx.Response(200, json={**example("linkedin_segment_get").answer, "id": segment_id, **fields})


def test_a_list_is_found_by_our_key_and_its_type_not_by_its_name(linkedin: LinkedIn, script: Script) -> None:
    found = example("linkedin_segment_find")
    script.play(found)

    state = linkedin.find_or_create(SPEC)

    assert (state.external_id, state.target_id) == ("9000002", "urn:li:adSegment:8000002")
    assert state.status is AudienceStatus.BUILDING
    assert state.audience_size is None
    assert state.matched is None
    assert script.targets() == [found.path]


def test_a_missing_list_is_created_as_documented(linkedin: LinkedIn, script: Script) -> None:
    create = example("linkedin_segment_create")
    script.play(NOBODY, create).on("GET", f"{SEGMENTS}/11204", answered(11204))

    state = linkedin.find_or_create(SPEC)

    assert state.external_id == "11204"
    assert script.bodies("POST", SEGMENTS) == [create.sent]
    headers = script.sent("POST", SEGMENTS)[0].headers
    assert {name: headers[name] for name in create.headers} == create.headers


def test_a_create_whose_answer_was_lost_is_not_sent_again_before_looking(
    linkedin: LinkedIn, script: Script
) -> None:
    script.on("GET", SEGMENTS, NOBODY, example("linkedin_segment_find")).on("POST", SEGMENTS, LOST)

    state = linkedin.find_or_create(SPEC)

    assert state.external_id == "9000002"
    assert len(script.sent("POST", SEGMENTS)) == 1


def test_a_create_that_never_happened_is_left_to_the_next_run(linkedin: LinkedIn, script: Script) -> None:
    script.play(NOBODY).on("POST", SEGMENTS, LOST)

    with pytest.raises(PlatformDown) as caught:
        linkedin.find_or_create(SPEC)

    assert caught.value.retryable
    assert len(script.sent("POST", SEGMENTS)) == 1


def test_a_create_that_could_not_connect_is_tried_again(linkedin: LinkedIn, script: Script) -> None:
    create = example("linkedin_segment_create")
    script.play(NOBODY).on("POST", SEGMENTS, httpx.ConnectError("refused"), create)
    script.on("GET", f"{SEGMENTS}/11204", answered(11204))

    assert linkedin.find_or_create(SPEC).external_id == "11204"


@pytest.mark.parametrize("end", [{"status": "EXPIRED"}, {"status": "ARCHIVED", "audienceSize": 0}])
def test_a_list_that_cannot_live_again_is_left_alone_and_a_new_one_made(
    linkedin: LinkedIn, script: Script, end: dict[str, object]
) -> None:
    dead = example("linkedin_segment_find").answer["elements"][1]
    dead = {**dead, "destinations": [{**dead["destinations"][0], **end}]}
    script.on("GET", SEGMENTS, httpx.Response(200, json={"elements": [dead]}))
    script.play(example("linkedin_segment_create")).on("GET", f"{SEGMENTS}/11204", answered(11204))

    assert linkedin.find_or_create(SPEC).external_id == "11204"


def test_a_full_ad_account_is_not_mistaken_for_throttling(linkedin: LinkedIn, script: Script) -> None:
    script.play(NOBODY, example("linkedin_segment_limit"))

    with pytest.raises(ListLimitReached) as caught:
        linkedin.find_or_create(SPEC)

    assert not caught.value.retryable
    assert len(script.sent("POST", SEGMENTS)) == 1


def test_companies_are_streamed_with_every_identifier_and_answered_row_by_row(
    linkedin: LinkedIn, script: Script
) -> None:
    wire = example("linkedin_companies_push")
    script.play(wire, example("linkedin_segment_get"))
    first = company(
        ("name", "Microsoft"),
        ("domain", "microsoft.com"),
        ("organization_urn", "urn:li:organization:1035"),
        ("page_url", "https://www.linkedin.com/company/microsoft"),
        ("country", "US"),
    )
    receipt = linkedin.push(batch(Op.ADD, first, company(("domain", "example.com"))))

    assert script.bodies("POST", COMPANIES) == [wire.sent]
    assert script.sent("POST", COMPANIES)[0].headers["X-RestLi-Method"] == "BATCH_CREATE"
    assert [row.status for row in receipt.results] == [RowStatus.ACCEPTED, RowStatus.REJECTED]
    assert receipt.settled
    assert receipt.results[1].reason == "http_400"


def test_people_are_removed_by_the_hash_they_were_added_with(linkedin: LinkedIn, script: Script) -> None:
    wire = example("linkedin_users_push")
    script.play(wire)
    digest = wire.sent["elements"][0]["userIds"][0]["idValue"]
    member = person(("email_sha256", digest), ("country", "US"))

    receipt = linkedin.push(batch(Op.REMOVE, member, kind=MemberKind.CONTACT, external_id="9000003"))

    assert script.bodies("POST", "/rest/dmpSegments/9000003/users") == [wire.sent]
    assert receipt.results[0].status is RowStatus.ACCEPTED


def test_a_row_linkedin_does_not_answer_is_not_counted_as_accepted(
    linkedin: LinkedIn, script: Script
) -> None:
    script.on("POST", COMPANIES, httpx.Response(200, json={"elements": [{"status": 201}, {"status": 400}]}))
    members = [company(("domain", f"a{i}.example")) for i in range(3)]

    receipt = linkedin.push(batch(Op.ADD, *members))

    assert [row.status for row in receipt.results] == ["accepted", "rejected", "unknown"]
    assert receipt.results[2].retryable


def test_more_answers_than_rows_are_trusted_for_none_of_them(linkedin: LinkedIn, script: Script) -> None:
    script.on("POST", COMPANIES, httpx.Response(200, json={"elements": [{"status": 201}] * 3}))

    receipt = linkedin.push(batch(Op.ADD, *(company(("domain", f"a{i}.example")) for i in range(2))))

    assert {row.status for row in receipt.results} == {RowStatus.UNKNOWN}


def test_a_member_nothing_can_match_is_refused_here_and_the_rows_stay_in_order(
    linkedin: LinkedIn, script: Script
) -> None:
    script.on("POST", COMPANIES, httpx.Response(200, json={"elements": [{"status": 201}, {"status": 429}]}))
    members = (company(("domain", "a.example")), company(("country", "US")), company(("domain", "b.example")))

    receipt = linkedin.push(batch(Op.ADD, *members))

    assert [row.reason for row in receipt.results] == ["", "no_usable_identifier", "http_429"]
    assert receipt.results[2].retryable
    assert len(script.bodies("POST", COMPANIES)[0]["elements"]) == 2


def test_an_empty_batch_makes_no_call(linkedin: LinkedIn, script: Script) -> None:
    assert linkedin.push(batch(Op.ADD)).results == ()
    assert script.requests == []


def test_a_list_made_moments_ago_is_waited_for(
    linkedin: LinkedIn, script: Script, hand_clock: HandClock
) -> None:
    born = int(hand_clock.now.timestamp() * 1000)
    script.on("GET", f"{SEGMENTS}/9000001", answered(9000001, created=born))
    early = example("linkedin_segment_too_early")
    script.on("POST", COMPANIES, early, example("linkedin_companies_push"))
    linkedin.state("linkedin/tier-1/company", "9000001")

    receipt = linkedin.push(batch(Op.ADD, *(company(("domain", f"a{i}.example")) for i in range(2))))

    assert receipt.results[0].status is RowStatus.ACCEPTED
    assert hand_clock.slept[0] == pytest.approx(5.0)  # nothing is streamed before that


def test_a_list_that_stays_invisible_is_a_matter_for_the_next_attempt(
    linkedin: LinkedIn, script: Script, hand_clock: HandClock
) -> None:
    born = int(hand_clock.now.timestamp() * 1000)
    script.on("GET", f"{SEGMENTS}/9000001", answered(9000001, created=born))
    script.on("POST", COMPANIES, example("linkedin_segment_too_early"))
    linkedin.state("linkedin/tier-1/company", "9000001")

    with pytest.raises(NotReady) as caught:
        linkedin.push(batch(Op.ADD, company(("domain", "a.example"))))

    assert caught.value.retryable


def test_an_old_list_that_answers_404_was_deleted(linkedin: LinkedIn, script: Script) -> None:
    gone = example("linkedin_segment_too_early")
    script.on("POST", COMPANIES, gone).on("GET", f"{SEGMENTS}/9000001", gone)

    with pytest.raises(Gone) as caught:
        linkedin.push(batch(Op.ADD, company(("domain", "a.example"))))

    assert not caught.value.retryable
    assert linkedin.state("linkedin/tier-1/company", "9000001").status is AudienceStatus.GONE


def test_status_and_sizes_are_read_from_the_destination(linkedin: LinkedIn, script: Script) -> None:
    script.play(example("linkedin_segment_get"))

    state = linkedin.state("linkedin/tier-1/company", "9000001")

    assert (state.status, state.audience_size, state.matched) == (AudienceStatus.READY, 240000, 2)
    assert state.match_rate == 0.5
    assert state.usable


@pytest.mark.parametrize(
    ("status", "size", "usable"),
    [("ARCHIVED", 500, True), ("ARCHIVED", 0, False), ("EXPIRED", 500, False), ("ERROR", None, False)],
)
def test_only_lists_a_campaign_may_use_are_called_usable(
    linkedin: LinkedIn, script: Script, status: str, size: int | None, usable: bool
) -> None:
    target = {"destinationSegmentId": "urn:li:adSegment:1", "status": status, "audienceSize": size}
    script.on("GET", f"{SEGMENTS}/7", answered(7, destinations=[target]))

    assert linkedin.state("a", "7").usable is usable


def test_deleting_a_list_twice_is_a_success(linkedin: LinkedIn, script: Script) -> None:
    script.on("DELETE", f"{SEGMENTS}/7", httpx.Response(204), example("linkedin_segment_too_early"))

    linkedin.delete("7")
    linkedin.delete("7")


def test_a_spent_day_quota_stops_the_endpoint_until_midnight_without_asking_again(
    linkedin: LinkedIn, script: Script, hand_clock: HandClock
) -> None:
    script.on("POST", COMPANIES, example("linkedin_throttle_day"), example("linkedin_companies_push"))
    member = company(("domain", "a.example"))
    for _ in range(2):
        with pytest.raises(QuotaSpent) as caught:
            linkedin.push(batch(Op.ADD, member))
    assert caught.value.reset_at is not None
    assert caught.value.reset_at.isoformat() == "2026-08-21T00:00:00+00:00"
    assert len(script.sent("POST", COMPANIES)) == 1

    hand_clock.now = caught.value.reset_at
    assert linkedin.push(batch(Op.ADD, member, member)).results[0].status is RowStatus.ACCEPTED


def test_a_minute_limit_is_handed_up_with_the_time_to_wait(linkedin: LinkedIn, script: Script) -> None:
    script.on("POST", COMPANIES, example("linkedin_throttle_minute"))

    with pytest.raises(Throttled) as caught:
        linkedin.push(batch(Op.ADD, company(("domain", "a.example"))))

    assert caught.value.wait == 61.0
    assert len(script.sent("POST", COMPANIES)) == 1
