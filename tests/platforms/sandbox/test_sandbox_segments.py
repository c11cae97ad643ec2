"""DMP segments: create, find, change, and the life of a list from BUILDING to EXPIRED."""

from __future__ import annotations

import pytest

from tests.platforms.sandbox.calls import (
    ACCOUNT,
    ACCOUNT_URN,
    LIST_FACET,
    PATCH,
    code_of,
    companies,
    people,
    segment_body,
    targeting,
)

FIND = f"/rest/dmpSegments?q=account&account=urn%3Ali%3AsponsoredAccount%3A{ACCOUNT}"


def test_create_answers_201_with_the_id_in_both_headers_and_no_body(sandbox):
    reply = sandbox.li.post("/rest/dmpSegments", json=segment_body())

    assert reply.status_code == 201
    assert reply.content == b""
    assert reply.headers["x-restli-id"] == reply.headers["x-linkedin-id"]
    assert reply.headers["x-restli-id"].isdigit()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (segment_body("PEOPLE"), 'ERROR :: /type :: "PEOPLE" is not an enum symbol'),
        (
            {k: v for k, v in segment_body().items() if k != "name"},
            "ERROR :: /name :: field is required but not found and has no default value",
        ),
        (
            segment_body(accessPolicy="PRIVATE"),
            "ERROR :: /accessPolicy :: unrecognized field found but not allowed",
        ),
        (segment_body(name=19.9), "ERROR :: /name :: 19.9 cannot be coerced to String"),
        (
            segment_body(destinations=[{"destination": "FACEBOOK"}]),
            'ERROR :: /destinations/0/destination :: "FACEBOOK" is not an enum symbol',
        ),
    ],
)
def test_a_body_that_breaks_the_schema_is_422_in_the_validators_words(sandbox, body, message):
    reply = sandbox.li.post("/rest/dmpSegments", json=body)

    assert (reply.status_code, reply.json()["message"]) == (422, message)


def test_two_segments_may_carry_the_same_name_and_key(sandbox):
    first = sandbox.create_segment(sourceSegmentId="abm")
    second = sandbox.create_segment(sourceSegmentId="abm")

    assert first != second
    assert len(sandbox.li.get(FIND + "&sourceSegmentId=abm&start=0&count=10").json()["elements"]) == 2


def test_the_segment_over_the_limit_is_429_and_only_deleting_cures_it(make):
    sandbox = make(segment_limit=2)
    first = sandbox.create_segment()
    sandbox.create_segment("USER")
    refused = sandbox.li.post("/rest/dmpSegments", json=segment_body())

    assert (refused.status_code, code_of(refused)) == (429, "SEGMENT_LIMIT_EXCEEDED")
    sandbox.pass_time(days=2)
    assert sandbox.li.post("/rest/dmpSegments", json=segment_body()).status_code == 429
    assert sandbox.li.delete(f"/rest/dmpSegments/{first}").status_code == 204
    assert sandbox.li.post("/rest/dmpSegments", json=segment_body()).status_code == 201


def test_the_default_limit_is_a_thousand_segments(still):
    assert still.segment_limit == 1000


def test_a_test_ad_account_takes_no_segments(sandbox):
    sandbox.control("POST", "/accounts", {"id": "77", "test": True})
    reply = sandbox.li.post("/rest/dmpSegments", json=segment_body(account="urn:li:sponsoredAccount:77"))

    assert code_of(reply) == "SEGMENT_CREATION_NOT_ALLOWED_FOR_TEST_ACCOUNTS"


def test_find_filters_by_source_and_pages_by_index(sandbox):
    for i in range(5):
        sandbox.create_segment(sourceSegmentId=f"key{i}")
    sandbox.create_segment("USER", sourceSegmentId="key0")
    both = sandbox.li.get(FIND + "&sourcePlatform=DIRECT_API&sourceSegmentId=key0&start=0&count=100").json()
    page = sandbox.li.get(FIND + "&start=4&count=4").json()

    assert [e["type"] for e in both["elements"]] == ["COMPANY", "USER"]
    assert len(page["elements"]) == 2
    assert page["paging"] == {"start": 4, "count": 4, "links": [], "total": 6}
    assert len(sandbox.li.get(FIND).json()["elements"]) == 6


def test_find_refuses_a_parameter_it_does_not_know(sandbox):
    reply = sandbox.li.get(FIND + "&name=x")

    assert (reply.status_code, code_of(reply)) == (400, "QUERY_PARAM_NOT_ALLOWED")


def test_find_on_an_account_without_segments_is_empty(sandbox):
    found = sandbox.li.get(
        "/rest/dmpSegments?q=account&account=urn%3Ali%3AsponsoredAccount%3A42&start=0&count=9"
    )

    assert found.json()["elements"] == []


def test_a_new_segment_names_its_ad_segment_and_no_counts(sandbox):
    segment = sandbox.create_segment(sourceSegmentId="abm", description="d")
    shown = sandbox.segment(segment)

    assert shown["id"] == int(segment)
    assert shown["sourceSegmentId"] == "abm"
    assert "status" not in shown
    destination = shown["destinations"][0]
    assert destination["status"] == "BUILDING"
    assert destination["destinationSegmentId"].startswith("urn:li:adSegment:")
    assert not {"audienceSize", "matchedCount"} & set(destination)
    assert "inputCount" not in shown


def test_children_of_a_segment_are_not_there_for_five_seconds(sandbox):
    segment = sandbox.create_segment()
    early = sandbox.push(segment, companies(1))

    assert early.status_code == 404
    assert early.json() == {"status": 404, "message": f"Could not find DMP segment with ID {segment}"}
    assert sandbox.segment(segment)["id"] == int(segment)
    sandbox.pass_time(seconds=4.9)
    assert sandbox.push(segment, companies(1)).status_code == 404
    sandbox.pass_time(seconds=0.1)
    assert sandbox.push(segment, companies(1)).status_code == 200


def test_a_client_that_only_tries_again_is_let_in_although_nobody_moves_the_clock(make):
    sandbox = make(request_seconds=0.25, early_wait_seconds=2.5)
    segment = sandbox.create_segment()
    statuses = [sandbox.push(segment, companies(1)).status_code for _ in range(3)]

    assert statuses == [404, 404, 200]


def test_a_partial_update_changes_names_and_refuses_the_immutable(sandbox):
    segment = sandbox.create_segment()
    url = f"/rest/dmpSegments/{segment}"
    done = sandbox.li.post(url, json={"patch": {"$set": {"name": "new"}}}, headers=PATCH)

    assert (done.status_code, done.content) == (204, b"")
    assert sandbox.segment(segment)["name"] == "new"
    refused = sandbox.li.post(url, json={"patch": {"$set": {"type": "USER"}}}, headers=PATCH)
    assert refused.status_code == 400
    unknown = sandbox.li.post(url, json={"patch": {"$set": {"nam": "x"}}}, headers=PATCH)
    assert unknown.status_code == 422
    assert sandbox.li.post(url, json={"patch": {"$set": {"name": "x"}}}).status_code == 400


def test_delete_takes_the_ad_segment_along_and_a_repeat_is_404(sandbox):
    segment = sandbox.create_segment()
    number = sandbox.destination(segment)["destinationSegmentId"].rsplit(":", 1)[1]

    assert sandbox.li.get(f"/rest/adSegments/{number}").status_code == 200
    assert sandbox.li.delete(f"/rest/dmpSegments/{segment}").status_code == 204
    assert sandbox.li.get(f"/rest/adSegments/{number}").status_code == 404
    assert sandbox.li.delete(f"/rest/dmpSegments/{segment}").status_code == 404


def test_a_batch_delete_has_one_outcome_per_id(sandbox):
    segment = sandbox.create_segment()
    reply = sandbox.li.delete(f"/rest/dmpSegments?ids=List({segment},999)")

    assert reply.json()["results"] == {segment: {"status": 204}}
    assert reply.json()["errors"]["999"]["status"] == 404


def test_one_destination_can_be_read_by_itself_and_added_again(sandbox):
    segment = sandbox.ready_segment()
    url = f"/rest/dmpSegments/{segment}/destinations"

    assert sandbox.li.get(url + "/LINKEDIN").json() == sandbox.destination(segment)
    again = sandbox.li.post(url, json={"destination": "LINKEDIN"})
    assert (again.status_code, again.headers["x-restli-id"]) == (201, "LINKEDIN")


def test_building_becomes_ready_after_the_first_match(make):
    sandbox = make(build_hours=36)
    segment = sandbox.ready_segment()
    sandbox.push(segment, companies(200))
    sandbox.pass_time(hours=35, minutes=59)
    assert sandbox.status(segment) == "BUILDING"
    assert not any(m["effective"] for m in sandbox.members(segment))
    sandbox.pass_time(minutes=1)

    assert sandbox.status(segment) == "READY"
    assert all(m["effective"] for m in sandbox.members(segment))


def test_a_later_change_is_updating_until_it_lands_additions_and_removals_apart(make):
    sandbox = make(build_hours=24, add_hours=6, remove_hours=30)
    segment = sandbox.ready_segment()
    sandbox.push(segment, companies(50))
    sandbox.pass_time(hours=24)
    sandbox.push(segment, [*companies(10, first=50), *companies(10, "REMOVE")])

    assert sandbox.status(segment) == "UPDATING"
    sandbox.pass_time(hours=6)
    in_force = [m for m in sandbox.members(segment) if m["effective"]]
    assert len(in_force) == 60
    assert sum(m["acknowledged"] for m in in_force) == 50
    sandbox.pass_time(hours=24)
    assert sandbox.status(segment) == "READY"
    assert len([m for m in sandbox.members(segment) if m["effective"]]) == 50


def test_the_last_word_about_a_company_wins_whatever_lands_first(make):
    sandbox = make(build_hours=1, add_hours=48, remove_hours=1)
    segment = sandbox.ready_segment()
    sandbox.push(segment, companies(5))
    sandbox.pass_time(hours=2)
    sandbox.push(segment, companies(1, first=9))
    sandbox.pass_time(hours=1)
    sandbox.push(segment, companies(1, "REMOVE", first=9))
    sandbox.pass_time(hours=1)
    sandbox.push(segment, companies(1, "REMOVE", first=0))
    sandbox.push(segment, companies(1, "ADD", first=0))
    sandbox.pass_time(days=5)
    shown = {m["domain"] for m in sandbox.members(segment) if m["effective"]}

    assert "company9.example" not in shown
    assert "company0.example" in shown


def test_counters_roll_over_seven_days(sandbox):
    segment = sandbox.ready_segment()
    sandbox.push(segment, companies(100))
    sandbox.pass_time(days=2)
    sandbox.push(segment, companies(40, first=100))
    shown = sandbox.segment(segment)
    assert shown["inputCount"] == 140
    assert 120 <= shown["destinations"][0]["matchedCount"] <= 140
    sandbox.pass_time(days=6)
    assert sandbox.segment(segment)["inputCount"] == 40
    sandbox.pass_time(days=2)

    assert "inputCount" not in sandbox.segment(segment)
    assert len(sandbox.members(segment)) == 140


def test_audience_size_counts_members_rounded_and_is_zero_below_three_hundred(make):
    sandbox = make(opt_out=0.0)
    big, small = sandbox.ready_segment("USER"), sandbox.ready_segment("USER")
    sandbox.push(big, people(2000), "users")
    sandbox.push(small, people(300), "users")
    sandbox.pass_time(days=1)
    matched = sum(m["matched"] for m in sandbox.members(big))

    assert sandbox.destination(big)["audienceSize"] == round(matched, -2)
    assert abs(matched - 1200) < 100
    assert sandbox.destination(small)["audienceSize"] == 0


def test_opted_out_members_are_not_in_the_audience(make):
    everyone, fewer = make(opt_out=0.0), make(opt_out=0.5)
    sizes = []
    for sandbox in (everyone, fewer):
        segment = sandbox.ready_segment("USER")
        sandbox.push(segment, people(4000), "users")
        sandbox.pass_time(days=1)
        sizes.append(sandbox.destination(segment)["audienceSize"])

    assert 0.4 < sizes[1] / sizes[0] < 0.6


def test_a_company_lists_size_counts_people_and_its_matches_companies(sandbox):
    segment = sandbox.ready_segment()
    sandbox.push(segment, companies(300))
    sandbox.pass_time(days=1)
    shown = sandbox.destination(segment)

    assert shown["matchedCount"] <= 300
    assert shown["audienceSize"] > 10_000


def test_an_idle_segment_is_archived_after_thirty_days_and_expired_after_ninety(sandbox):
    segment = sandbox.ready_segment()
    sandbox.push(segment, companies(100))
    sandbox.pass_time(days=29)
    assert sandbox.status(segment) == "READY"
    sandbox.pass_time(days=1)
    assert sandbox.status(segment) == "ARCHIVED"
    sandbox.pass_time(days=59)
    assert sandbox.status(segment) == "ARCHIVED"
    sandbox.pass_time(days=1)

    assert sandbox.status(segment) == "EXPIRED"
    assert sandbox.push(segment, companies(1)).status_code == 400
    sandbox.li.post(f"/rest/dmpSegments/{segment}", json={"patch": {"$set": {"name": "x"}}}, headers=PATCH)
    assert sandbox.status(segment) == "EXPIRED"
    assert sandbox.members(segment) == []


def test_a_change_keeps_a_segment_alive(sandbox):
    segment = sandbox.ready_segment()
    sandbox.push(segment, companies(100))
    for _ in range(5):
        sandbox.pass_time(days=25)
        sandbox.push(segment, companies(1))

    assert sandbox.status(segment) in {"READY", "UPDATING"}


def test_a_segment_in_an_active_campaign_does_not_idle(sandbox):
    made = sandbox.seed()
    segment = sandbox.ready_segment()
    sandbox.push(segment, companies(100))
    sandbox.target(made["campaign"], [sandbox.destination(segment)["destinationSegmentId"]])
    sandbox.pass_time(days=120)
    assert sandbox.status(segment) == "READY"
    sandbox.patch_campaign(made["campaign"], {"status": "PAUSED"})
    sandbox.pass_time(days=30)

    assert sandbox.status(segment) == "ARCHIVED"


def test_an_archived_segment_that_is_used_is_processed_again(sandbox):
    made = sandbox.seed()
    segment = sandbox.ready_segment()
    sandbox.push(segment, companies(100))
    sandbox.pass_time(days=31)
    reply = sandbox.target(made["campaign"], [sandbox.destination(segment)["destinationSegmentId"]])

    assert reply.status_code == 204
    assert sandbox.status(segment) == "UPDATING"
    sandbox.pass_time(hours=48)
    assert sandbox.status(segment) == "READY"


def test_an_archived_segment_with_nobody_in_it_never_comes_back(sandbox):
    made = sandbox.seed()
    segment = sandbox.ready_segment()
    sandbox.pass_time(days=31)
    reply = sandbox.target(made["campaign"], [sandbox.destination(segment)["destinationSegmentId"]])
    sandbox.push(segment, companies(100))
    sandbox.pass_time(days=4)

    assert reply.status_code == 204
    assert sandbox.status(segment) == "ARCHIVED"


def test_an_expired_segment_cannot_be_targeted(sandbox):
    made = sandbox.seed()
    segment = sandbox.ready_segment()
    sandbox.push(segment, companies(100))
    sandbox.pass_time(days=91)
    urn = sandbox.destination(segment)["destinationSegmentId"]
    for tree in (targeting([urn]), targeting([], [urn])):
        reply = sandbox.patch_campaign(made["campaign"], {"targetingCriteria": tree})
        assert (reply.status_code, code_of(reply)) == (400, "FIELD_VALUE_NOT_ALLOWED_FOR_SEGMENT_STATUS")
        assert reply.json()["errorDetails"]["inputErrors"][0]["input"]["inputPath"]["fieldPath"] == LIST_FACET


def test_ad_segments_are_listed_with_status_and_member_count(sandbox):
    segment = sandbox.ready_segment()
    sandbox.push(segment, companies(100))
    sandbox.pass_time(days=1)
    for accounts in (f"List(urn%3Ali%3AsponsoredAccount%3A{ACCOUNT})", ACCOUNT_URN):
        reply = sandbox.li.get(f"/rest/adSegments?q=accounts&accounts={accounts}").json()
        (shown,) = reply["elements"]
        assert shown["status"] == "READY"
        assert shown["type"] == "MARKET_AUTOMATION"
        assert shown["approximateMemberCount"] == sandbox.destination(segment)["audienceSize"]
