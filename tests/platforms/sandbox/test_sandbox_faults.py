"""Faults on purpose: what each kind does to the caller and to the world."""

from __future__ import annotations

import time

import httpx
import pytest

from tests.platforms.sandbox.calls import ACCOUNT, code_of, companies, digest, segment_body

FIND = f"/rest/dmpSegments?q=account&account=urn%3Ali%3AsponsoredAccount%3A{ACCOUNT}&start=0&count=10"


def fault(sandbox, kind, **settings):
    return sandbox.control("POST", "/faults", {"kind": kind, **settings})


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("throttle_minute", 429, None),
        ("throttle_day", 429, None),
        ("500", 500, "INTERNAL_ERROR"),
        ("503", 503, "UNDER_MAINTENANCE"),
        ("504", 504, None),
        ("409", 409, "CONFLICT"),
        ("expired_token", 401, "EXPIRED_ACCESS_TOKEN"),
        ("revoked_token", 401, "REVOKED_ACCESS_TOKEN"),
    ],
)
def test_a_fault_strikes_as_often_as_told_before_anything_is_done(sandbox, kind, status, code):
    fault(sandbox, kind, match="POST /rest/dmpSegments$", times=2)
    replies = [sandbox.li.post("/rest/dmpSegments", json=segment_body()) for _ in range(3)]

    assert [r.status_code for r in replies] == [status, status, 201]
    assert code_of(replies[0]) == code
    assert len(sandbox.li.get(FIND).json()["elements"]) == 1
    if kind == "throttle_day":
        assert "DAY" in replies[0].json()["message"]


def test_a_lost_reply_was_committed(sandbox):
    fault(sandbox, "lost_reply_after_commit", match="POST /rest/dmpSegments")
    with pytest.raises(httpx.ReadError):
        sandbox.li.post("/rest/dmpSegments", json=segment_body(sourceSegmentId="once"))

    assert len(sandbox.li.get(FIND + "&sourceSegmentId=once").json()["elements"]) == 1


def test_a_reply_lost_before_the_commit_leaves_nothing_behind(sandbox):
    fault(sandbox, "lost_reply_before_commit", match="POST")
    with pytest.raises(httpx.ReadError):
        sandbox.li.post("/rest/dmpSegments", json=segment_body())
    fault(sandbox, "lost_reply_before_commit", match="userLists")
    with pytest.raises(httpx.ReadError):
        sandbox.google.get("/v1/accountTypes/GOOGLE_ADS/accounts/123/userLists")

    assert sandbox.li.get(FIND).json()["elements"] == []


def test_a_push_that_cannot_be_matched_is_answered_201_and_leaves_a_segment_no_campaign_may_use(sandbox):
    campaign = sandbox.seed()["campaign"]
    segment = sandbox.ready_segment()
    fault(sandbox, "matching_error", match="/companies$")
    answers = sandbox.push(segment, companies(300)).json()["elements"]
    sandbox.pass_time(days=2)
    urn = sandbox.destination(segment)["destinationSegmentId"]
    refused = sandbox.target(campaign, [urn])

    assert {answer["status"] for answer in answers} == {201}
    assert sandbox.status(segment) == "ERROR"
    assert sandbox.li.get(f"/rest/adSegments/{urn.rsplit(':', 1)[1]}").json()["status"] == "ERROR"
    assert (refused.status_code, code_of(refused)) == (400, "FIELD_VALUE_NOT_ALLOWED_FOR_SEGMENT_STATUS")


def test_404_after_create_hits_young_segments_only(sandbox):
    segment = sandbox.ready_segment()
    fault(sandbox, "404_after_create", match="/companies$", times=None, seconds=90)

    assert sandbox.push(segment, companies(1)).status_code == 404
    sandbox.pass_time(seconds=90)
    assert sandbox.push(segment, companies(1)).status_code == 200


def test_refused_rows_are_said_to_be_refused_and_are_not_on_the_list(sandbox):
    segment = sandbox.ready_segment()
    fault(sandbox, "rows_refused", match="/companies$", share=0.3)
    statuses = [e["status"] for e in sandbox.push(segment, companies(200)).json()["elements"]]
    on_list = {m["sent"]["companyWebsiteDomain"] for m in sandbox.members(segment)}

    assert 30 < statuses.count(400) < 90
    assert on_list == {f"company{i}.example" for i, s in enumerate(statuses) if s == 201}


def test_silent_drops_are_answered_201_and_are_not_on_the_list(sandbox):
    segment = sandbox.ready_segment()
    fault(sandbox, "silent_drop", match="/companies$", share=0.3)
    statuses = {e["status"] for e in sandbox.push(segment, companies(200)).json()["elements"]}

    assert statuses == {201}
    assert 110 < len(sandbox.members(segment)) < 170


def test_truncated_answers_are_fewer_than_the_rows_that_were_taken(sandbox):
    segment = sandbox.ready_segment()
    fault(sandbox, "answers_truncated", match="/companies$", share=0.5)
    answers = sandbox.push(segment, companies(200)).json()["elements"]

    assert len(answers) == 100
    assert len(sandbox.members(segment)) == 200


def test_a_fault_with_a_probability_is_seeded(make):
    histories = []
    for seed in (1, 1, 2):
        sandbox = make(options={"seed": seed})
        fault(sandbox, "503", match="GET", times=None, probability=0.4)
        histories.append([sandbox.li.get(FIND).status_code for _ in range(60)])

    assert histories[0] == histories[1] != histories[2]
    assert 12 < histories[0].count(503) < 36


def test_faults_are_listed_and_deleted(sandbox):
    first, second = fault(sandbox, "500", times=None), fault(sandbox, "503", times=None)
    listed = sandbox.control("GET", "/faults")["faults"]

    assert [f["kind"] for f in listed] == ["500", "503"]
    assert sandbox.control("DELETE", f"/faults/{first['number']}") == {"deleted": 1}
    assert sandbox.li.get(FIND).status_code == 503
    assert sandbox.control("DELETE", "/faults") == {"deleted": 1}
    assert sandbox.li.get(FIND).status_code == 200
    assert second["number"] == 2


@pytest.mark.parametrize(
    "body", [{"kind": "flood"}, {"kind": "500", "match": "("}, {"kind": "500", "when": 1}]
)
def test_a_fault_that_makes_no_sense_is_refused(sandbox, body):
    reply = sandbox.bare.post("/sandbox/faults", json=body)

    assert reply.status_code == 400
    assert sandbox.control("GET", "/faults")["faults"] == []


def test_control_calls_are_never_hit(sandbox):
    fault(sandbox, "500", match=".*", times=None)

    assert sandbox.control("GET", "/clock")["mode"] == "simulated"


def test_a_slow_reply_is_slow_on_the_wire():
    from platforms.sandbox.server import start

    with start() as running:
        running.control.fault("slow", match="/rest/adAccounts", seconds=0.3)
        began = time.perf_counter()
        headers = {"Authorization": "Bearer sandbox-token", "LinkedIn-Version": "202608"}
        reply = httpx.get(
            running.url + f"/rest/adAccounts/{ACCOUNT}", headers=headers, trust_env=False, timeout=60
        )

        assert reply.status_code == 200
        assert time.perf_counter() - began >= 0.3


@pytest.mark.parametrize(
    ("kind", "status"),
    [("throttle_minute", 429), ("500", 500), ("503", 503), ("409", 409), ("expired_token", 401)],
)
def test_google_faults_are_in_googles_words(sandbox, kind, status):
    fault(sandbox, kind, match="requestStatus")
    reply = sandbox.google.get("/v1/requestStatus:retrieve?requestId=x")

    assert reply.status_code == status
    assert reply.json()["error"]["code"] == status


def test_google_drops_and_refusals_show_in_the_counts_or_not_at_all(sandbox):
    made = sandbox.google.post(
        "/v1/accountTypes/GOOGLE_ADS/accounts/123/userLists",
        json={"displayName": "l", "ingestedUserListInfo": {"uploadKeyTypes": ["CONTACT_ID"]}},
    ).json()
    fault(sandbox, "rows_refused", match="ingest", share=0.5)
    body = {
        "destinations": [
            {
                "operatingAccount": {"accountType": "GOOGLE_ADS", "accountId": "123"},
                "productDestinationId": made["id"],
            }
        ],
        "audienceMembers": [
            {"compositeData": {"userData": {"userIdentifiers": [{"emailAddress": digest(i)}]}}}
            for i in range(100)
        ],
        "encoding": "HEX",
        "termsOfService": {"customerMatchTermsOfServiceStatus": "ACCEPTED"},
    }
    request = sandbox.google.post("/v1/audienceMembers:ingest", json=body).json()["requestId"]
    sandbox.pass_time(minutes=30)
    (shown,) = sandbox.google.get(f"/v1/requestStatus:retrieve?requestId={request}").json()[
        "requestStatusPerDestination"
    ]

    assert shown["requestStatus"] == "PARTIAL_SUCCESS"
    refused = int(shown["errorInfo"]["errorCounts"][0]["recordCount"])
    assert 30 < refused < 70
    assert len(sandbox.control("GET", f"/truth/members?segment={made['id']}")["members"]) == 100 - refused
