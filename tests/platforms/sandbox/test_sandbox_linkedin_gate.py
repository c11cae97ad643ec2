"""What every LinkedIn call meets first: token, version, protocol, scope, role, quota."""

from __future__ import annotations

import pytest

from platforms.sandbox.restli import NotRestli, parse_query
from tests.platforms.sandbox.calls import (
    ACCOUNT,
    ACCOUNT_URN,
    analytics_query,
    companies,
    people,
    segment_body,
)

FIND = f"/rest/dmpSegments?q=account&account=urn%3Ali%3AsponsoredAccount%3A{ACCOUNT}&start=0&count=10"


@pytest.mark.parametrize(
    ("settings", "number", "code"),
    [
        ({"revoked": True}, 65601, "REVOKED_ACCESS_TOKEN"),
        ({"expires_in": 0}, 65602, "EXPIRED_ACCESS_TOKEN"),
        ({"usable_in": 30}, 65601, "REVOKED_ACCESS_TOKEN"),
    ],
)
def test_a_token_that_is_no_good_is_refused_with_its_own_code(sandbox, settings, number, code):
    sandbox.control("POST", "/tokens", {"token": "t1", "scopes": ["rw_dmp_segments"], **settings})

    reply = sandbox.li.get(FIND, headers={"Authorization": "Bearer t1"})

    assert reply.status_code == 401
    assert (reply.json()["serviceErrorCode"], reply.json()["code"]) == (number, code)
    assert reply.headers["x-restli-error-response"] == "true"


def test_a_missing_and_an_unknown_token_are_told_apart(sandbox):
    assert sandbox.li.get(FIND, headers={"Authorization": ""}).json()["code"] == "EMPTY_ACCESS_TOKEN"
    assert sandbox.li.get(FIND, headers={"Authorization": "Bearer no"}).json()["serviceErrorCode"] == 65600


def test_a_freshly_minted_token_works_once_it_has_propagated(sandbox):
    sandbox.control("POST", "/tokens", {"token": "t1", "scopes": ["rw_dmp_segments"], "usable_in": 30})
    sandbox.pass_time(seconds=30)

    assert sandbox.li.get(FIND, headers={"Authorization": "Bearer t1"}).status_code == 200


def test_a_missing_version_is_400_and_marked_as_a_gateway_error(sandbox):
    reply = sandbox.li.get(FIND, headers={"LinkedIn-Version": ""})

    assert (reply.status_code, reply.json()["code"]) == (400, "VERSION_MISSING")
    assert "x-restli-gateway-error" in reply.headers


@pytest.mark.parametrize("version", ["202504", "202512", "209901", "latest"])
def test_a_version_that_is_not_live_is_426(sandbox, version):
    reply = sandbox.li.get(FIND, headers={"LinkedIn-Version": version})

    assert reply.status_code == 426
    assert reply.json()["code"] == "NONEXISTENT_VERSION"
    assert reply.json()["message"] == f"Requested version {version}01 is not active"


def test_header_names_are_case_insensitive(sandbox):
    plain = {"AUTHORIZATION": "Bearer sandbox-token", "LINKEDIN-VERSION": "202608"}

    assert sandbox.bare.get(FIND, headers=plain).status_code == 200


def test_every_answer_says_that_it_is_the_sandbox(sandbox):
    replies = [sandbox.li.get(FIND), sandbox.li.get("/rest/nothing"), sandbox.bare.get("/sandbox/clock")]

    assert {reply.headers["x-evenreach-sandbox"] for reply in replies} == {"SANDBOX"}


def test_an_unknown_path_is_404_and_a_wrong_verb_405(sandbox):
    assert sandbox.li.get("/rest/dmpSegmentz").status_code == 404
    assert sandbox.li.put("/rest/dmpSegments").status_code == 405


def test_a_missing_scope_is_403_with_access_denied(sandbox):
    sandbox.control("POST", "/tokens", {"token": "ads", "scopes": ["rw_ads"]})
    headers = {"Authorization": "Bearer ads"}

    reply = sandbox.li.get(FIND, headers=headers)

    assert (reply.status_code, reply.json()["serviceErrorCode"]) == (403, 100)
    assert reply.json()["code"] == "ACCESS_DENIED"
    assert sandbox.li.get(f"/rest/adAccounts/{ACCOUNT}", headers=headers).status_code == 200


def test_a_viewer_may_read_and_not_write(sandbox):
    sandbox.control("POST", "/accounts", {"id": ACCOUNT, "roles": {"member-1": "VIEWER"}})

    assert sandbox.li.get(FIND).status_code == 200
    assert sandbox.li.post("/rest/dmpSegments", json=segment_body()).status_code == 403


def test_a_member_without_a_role_may_not_even_read(sandbox):
    sandbox.control("POST", "/accounts", {"id": ACCOUNT, "roles": {"member-1": None}})

    assert sandbox.li.get(FIND).status_code == 403
    assert sandbox.li.get(f"/rest/adAccounts/{ACCOUNT}").status_code == 403


@pytest.mark.parametrize(("path", "make_rows"), [("users", people), ("companies", companies)])
def test_the_minute_quota_of_a_streaming_endpoint_is_its_own(make, path, make_rows):
    sandbox = make(users_per_minute=3, companies_per_minute=3)
    segment = sandbox.ready_segment("USER" if path == "users" else "COMPANY")
    replies = [sandbox.push(segment, make_rows(1), path) for _ in range(4)]

    assert [r.status_code for r in replies] == [200, 200, 200, 429]
    assert replies[3].json() == {
        "status": 429,
        "serviceErrorCode": 101,
        "message": "Resource level throttle limit for calls to this resource is reached.",
    }
    assert "retry-after" not in replies[3].headers
    assert sandbox.li.get(FIND).status_code == 200
    sandbox.pass_time(minutes=1)
    assert sandbox.push(segment, make_rows(1), path).status_code == 200


def test_the_default_quotas_are_the_documented_ones(still):
    assert (still.users_per_minute, still.companies_per_minute) == (600, 300)


def test_the_day_quota_holds_until_midnight_utc(make):
    sandbox = make(calls_per_day=2)
    replies = [sandbox.li.get(FIND) for _ in range(3)]

    assert [r.status_code for r in replies] == [200, 200, 429]
    assert "MEMBER DAY" in replies[2].json()["message"]
    sandbox.pass_time(hours=17)
    assert sandbox.li.get(FIND).status_code == 429
    sandbox.pass_time(hours=1)
    assert sandbox.li.get(FIND).status_code == 200


def test_a_quota_belongs_to_one_member(make):
    sandbox = make(calls_per_day=1)
    sandbox.control("POST", "/tokens", {"token": "t2", "who": "member-2", "scopes": ["rw_dmp_segments"]})

    assert sandbox.li.get(FIND).status_code == 200
    assert sandbox.li.get(FIND).status_code == 429
    assert sandbox.li.get(FIND, headers={"Authorization": "Bearer t2"}).status_code == 200


def test_urns_are_read_encoded_and_with_literal_colons(sandbox):
    sandbox.create_segment()
    encoded = sandbox.li.get(FIND).json()
    literal = sandbox.li.get(FIND.replace("%3A", ":")).json()

    assert encoded == literal
    assert len(encoded["elements"]) == 1


def test_protocol_one_syntax_is_refused_under_two_and_read_without_the_header(sandbox):
    sandbox.seed()
    query = (
        "/rest/adAnalytics?q=analytics&pivot=ACCOUNT&timeGranularity=ALL"
        "&dateRange.start.year=2026&dateRange.start.month=11&dateRange.start.day=1"
        f"&accounts[0]={ACCOUNT_URN}"
    )

    refused = sandbox.li.get(query)
    assert refused.status_code == 400
    assert refused.json()["errorDetails"]["inputErrors"][0]["code"] == "QUERY_PARAM_NOT_ALLOWED"
    assert sandbox.li.get(query, headers={"X-Restli-Protocol-Version": ""}).status_code == 200


def test_percent_encoded_tuples_are_refused_unless_the_knob_says_otherwise(make):
    query = "/rest/adAnalytics?" + analytics_query().replace("(", "%28").replace(")", "%29")

    strict = make().li.get(query)
    assert strict.status_code == 400
    assert strict.json()["errorDetails"]["inputErrors"][0]["code"] == "PARAM_INVALID"
    assert make(accept_encoded_tuples=True).li.get(query).status_code == 200


def test_a_long_query_needs_tunnelling(sandbox):
    many = ",".join(f"urn%3Ali%3AsponsoredCampaign%3A{600000000 + i}" for i in range(200))
    query = analytics_query(facet=f"campaigns=List({many})")

    assert sandbox.li.get("/rest/adAnalytics?" + query).status_code == 414
    tunnelled = sandbox.li.post(
        "/rest/adAnalytics",
        content=query,
        headers={"X-HTTP-Method-Override": "GET", "Content-Type": "application/x-www-form-urlencoded"},
    )
    assert tunnelled.status_code == 200
    assert tunnelled.json()["elements"] == []


def test_a_tunnelled_write_carries_query_and_body_as_two_parts(sandbox):
    first, second = sandbox.create_segment(), sandbox.create_segment()
    body = (
        "--xyz\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n"
        f"ids=List({first},{second})\r\n"
        "--xyz\r\nContent-Type: application/json\r\n\r\n{}\r\n--xyz--\r\n"
    )
    reply = sandbox.li.post(
        "/rest/dmpSegments",
        content=body.encode(),
        headers={"X-HTTP-Method-Override": "DELETE", "Content-Type": "multipart/mixed; boundary=xyz"},
    )

    assert reply.json()["results"] == {first: {"status": 204}, second: {"status": 204}}


def test_a_post_without_a_body_or_length_is_411(sandbox):
    reply = sandbox.engine.call(
        "POST",
        "/rest/dmpSegments",
        "",
        {"authorization": "Bearer sandbox-token", "linkedin-version": "202608"},
        b"",
    )

    assert reply.answer.status == 411


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a=List(1,2)", {"a": ["1", "2"]}),
        ("a=List()", {"a": []}),
        ("a=(b:List(x%3Ay),c:(d:1))", {"a": {"b": ["x:y"], "c": {"d": "1"}}}),
        ("a=(urn%3Ali%3Ax:List(urn:li:y:1))", {"a": {"urn:li:x": ["urn:li:y:1"]}}),
        ("a=(urn:li:x:List(1))", {"a": {"urn:li:x": ["1"]}}),
        ("fields=a,b", {"fields": "a,b"}),
        ("q=x%20y&empty=", {"q": "x y", "empty": ""}),
    ],
)
def test_restli_tuples_are_read(text, value):
    assert parse_query(text, protocol="2.0.0") == value


@pytest.mark.parametrize("text", ["a=List(1", "a=(b:1", "a=(b)", "a=(b:1)x", "a=List(1,(", "a=((1))"])
def test_broken_tuples_are_refused_by_name(text):
    with pytest.raises(NotRestli) as caught:
        parse_query(text, protocol="2.0.0")
    assert caught.value.name == "a"
