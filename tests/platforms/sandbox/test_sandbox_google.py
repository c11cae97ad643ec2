"""Google's Data Manager API as the sandbox serves it: lists, ingestion, status, removal."""

from __future__ import annotations

import base64

import pytest

from tests.platforms.sandbox.calls import digest

LISTS = "/v1/accountTypes/GOOGLE_ADS/accounts/1234567890/userLists"
GRANTED = {"adUserData": "CONSENT_GRANTED", "adPersonalization": "CONSENT_GRANTED"}
DENIED = {"adUserData": "CONSENT_DENIED", "adPersonalization": "CONSENT_GRANTED"}


def list_body(name="list", **more):
    return {
        "displayName": name,
        "description": "d",
        "membershipDuration": "46656000s",
        "ingestedUserListInfo": {
            "uploadKeyTypes": ["CONTACT_ID"],
            "contactIdInfo": {"dataSourceType": "DATA_SOURCE_TYPE_FIRST_PARTY"},
        },
        **more,
    }


def create(sandbox, name="list", **more):
    reply = sandbox.google.post(LISTS, json=list_body(name, **more))
    assert reply.status_code == 200, reply.text
    return reply.json()["id"]


def destination(list_id, **more):
    return {
        "operatingAccount": {"accountType": "GOOGLE_ADS", "accountId": "1234567890"},
        "productDestinationId": list_id,
        **more,
    }


def member(*numbers, **more):
    ids = [{"emailAddress": digest(n)} for n in numbers]
    return {"compositeData": {"userData": {"userIdentifiers": ids}}, **more}


def body(list_id, members, **more):
    return {
        "destinations": [destination(list_id)],
        "audienceMembers": members,
        "consent": GRANTED,
        "encoding": "HEX",
        "termsOfService": {"customerMatchTermsOfServiceStatus": "ACCEPTED"},
        **more,
    }


def ingest(sandbox, list_id, members, **more):
    return sandbox.google.post("/v1/audienceMembers:ingest", json=body(list_id, members, **more))


def remove(sandbox, list_id, members, **more):
    sent = {k: v for k, v in body(list_id, members, **more).items() if k not in ("consent", "termsOfService")}
    return sandbox.google.post("/v1/audienceMembers:remove", json=sent)


def status(sandbox, reply):
    found = sandbox.google.get(f"/v1/requestStatus:retrieve?requestId={reply.json()['requestId']}")
    return found.json()["requestStatusPerDestination"][0]


def truth(sandbox, list_id):
    return sandbox.control("GET", f"/truth/members?segment={list_id}")


def violations(reply):
    assert reply.status_code == 400, reply.text
    error = reply.json()["error"]
    assert error["status"] == "INVALID_ARGUMENT"
    details = error["details"]
    assert details[0]["metadata"]["requestId"].startswith("t-")
    return [(v["field"], v["reason"]) for v in details[-1]["fieldViolations"]]


def test_a_list_is_created_read_changed_and_deleted(sandbox):
    made = sandbox.google.post(LISTS, json=list_body(integrationCode="seg-1")).json()
    url = f"{LISTS}/{made['id']}"

    assert made["name"] == url.removeprefix("/v1/")
    assert (made["membershipStatus"], made["accessReason"]) == ("OPEN", "OWNED")
    assert made["sizeInfo"] == {}
    patched = sandbox.google.patch(url + "?updateMask=displayName", json={"displayName": "new"})
    assert patched.json()["displayName"] == "new"
    assert sandbox.google.get(url).json()["integrationCode"] == "seg-1"
    assert sandbox.google.delete(url).json() == {}
    gone = sandbox.google.get(url)
    assert (gone.status_code, gone.json()["error"]["status"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"displayName": ""}, "INVALID_DISPLAY_NAME"),
        ({"displayName": None}, "REQUIRED_FIELD_MISSING"),
        ({"membershipDuration": "46742400s"}, "MEMBERSHIP_DURATION_TOO_LONG"),
        ({"membershipDuration": "86401s"}, "INVALID_FORMAT"),
        ({"ingestedUserListInfo": {}}, "REQUIRED_FIELD_MISSING"),
        ({"ingestedUserListInfo": {"uploadKeyTypes": ["CONTACT_ID", "USER_ID"]}}, "TOO_MANY_ELEMENTS"),
        (
            {"ingestedUserListInfo": {"uploadKeyTypes": ["PAIR_ID"]}},
            "UNSUPPORTED_INGESTED_USER_LIST_INFO_CONFIG",
        ),
    ],
)
def test_a_list_that_breaks_a_rule_is_not_created(sandbox, change, reason):
    sent = {k: v for k, v in {**list_body(), **change}.items() if v is not None}

    assert reason in [r for _, r in violations(sandbox.google.post(LISTS, json=sent))]
    assert sandbox.google.get(LISTS).json() == {}


def test_display_names_are_unique_per_account(sandbox):
    create(sandbox, "A list")
    other = LISTS.replace("1234567890", "42")

    assert (
        violations(sandbox.google.post(LISTS, json=list_body("a LIST")))[0][1] == "DISPLAY_NAME_ALREADY_USED"
    )
    assert sandbox.google.post(other, json=list_body("A list")).status_code == 200


def test_immutable_fields_and_a_missing_mask_are_refused(sandbox):
    url = f"{LISTS}/{create(sandbox)}"

    assert violations(sandbox.google.patch(url, json={"displayName": "x"}))[0][0] == "update_mask"
    refused = sandbox.google.patch(url + "?updateMask=ingestedUserListInfo", json={})
    assert violations(refused)[0][1] == "IMMUTABLE_FIELD_FOR_UPDATE"
    unknown = sandbox.google.patch(url + "?updateMask=nonsense", json={})
    assert violations(unknown)[0][1] == "INVALID_UPDATE_MASK"


def test_lists_are_paged_and_filtered(sandbox):
    for i in range(5):
        create(sandbox, f"list {i}", integrationCode=f"seg-{i}")
    first = sandbox.google.get(LISTS + "?pageSize=3").json()
    second = sandbox.google.get(LISTS + f"?pageSize=3&pageToken={first['nextPageToken']}").json()
    found = sandbox.google.get(LISTS + '?filter=integration_code="seg-3" AND membership_status=OPEN').json()

    assert [len(first["userLists"]), len(second["userLists"])] == [3, 2]
    assert "nextPageToken" not in second
    assert [u["displayName"] for u in found["userLists"]] == ["list 3"]
    assert violations(sandbox.google.get(LISTS + "?filter=nonsense")) == [("filter", "INVALID_FILTER")]
    assert violations(sandbox.google.get(LISTS + "?pageToken=zz")) == [("page_token", "INVALID_PAGE_TOKEN")]


def test_ingestion_is_processing_for_half_an_hour_and_then_counts(sandbox):
    list_id = create(sandbox)
    reply = ingest(sandbox, list_id, [member(i) for i in range(1000)])
    assert set(reply.json()) == {"requestId"}
    assert status(sandbox, reply)["requestStatus"] == "PROCESSING"
    sandbox.pass_time(minutes=29, seconds=59)
    assert status(sandbox, reply)["requestStatus"] == "PROCESSING"
    assert truth(sandbox, list_id)["users"] == 0
    sandbox.pass_time(seconds=1)
    shown = status(sandbox, reply)

    assert shown["requestStatus"] == "SUCCESS"
    counts = shown["audienceMembersIngestionStatus"]["compositeDataIngestionStatus"]
    assert counts["recordCount"] == "1000"
    assert counts["dataTypeCounts"] == [{"type": "EMAIL", "count": "1000"}]
    assert counts["uploadMatchRateRange"] == "MATCH_RATE_RANGE_41_TO_50"
    assert shown["destination"] == destination(list_id)
    shown_list = sandbox.google.get(f"{LISTS}/{list_id}").json()
    users = truth(sandbox, list_id)["users"]
    assert shown_list["sizeInfo"]["searchNetworkMembersCount"] == str(users)
    assert shown_list["ingestedUserListInfo"]["contactIdInfo"]["matchRatePercentage"] == round(users / 10)


def test_sizes_below_a_hundred_users_are_absent(sandbox):
    list_id = create(sandbox)
    ingest(sandbox, list_id, [member(i) for i in range(150)])
    sandbox.pass_time(minutes=30)
    shown = sandbox.google.get(f"{LISTS}/{list_id}").json()

    assert 0 < truth(sandbox, list_id)["users"] < 100
    assert shown["sizeInfo"] == {}
    assert "eligibleForDisplay" not in shown["targetNetworkInfo"]


def test_one_person_with_many_identifiers_is_one_user(make):
    sandbox = make(google_match=1.0)
    list_id = create(sandbox)
    ingest(sandbox, list_id, [member(3 * i, 3 * i + 1, 3 * i + 2) for i in range(50)])
    ingest(sandbox, list_id, [member(3 * i + 2) for i in range(50)])
    sandbox.pass_time(minutes=30)
    assert truth(sandbox, list_id)["users"] == 50
    remove(sandbox, list_id, [member(0)])
    sandbox.pass_time(minutes=30)

    assert truth(sandbox, list_id)["users"] == 49


def member_cases():
    good = member(1)
    two = {"compositeData": good["compositeData"], "mobileData": {"mobileIds": ["x"]}}
    partial = {"givenName": digest(1), "familyName": digest(2), "regionCode": "US"}
    where = "audience_members[1].composite_data.user_data.user_identifiers"

    def composite(*ids):
        return {"compositeData": {"userData": {"userIdentifiers": list(ids)}}}

    return [
        ("bad hex", composite({"emailAddress": "zz"}), f"{where}[0].email_address", "INVALID_HEX_ENCODING"),
        (
            "short digest",
            composite({"emailAddress": "ab" * 31}),
            f"{where}[0].email_address",
            "INVALID_SHA256_FORMAT",
        ),
        (
            "two in one",
            composite({"emailAddress": digest(1), "phoneNumber": digest(2)}),
            f"{where}[0]",
            "INVALID_AUDIENCE_MEMBER",
        ),
        (
            "eleven",
            composite(*[{"emailAddress": digest(i)} for i in range(11)]),
            where,
            "TOO_MANY_USER_IDENTIFIERS",
        ),
        ("nobody", composite(), where, "NO_IDENTIFIERS_PROVIDED"),
        (
            "partial address",
            composite({"address": partial}),
            f"{where}[0].address.postal_code",
            "REQUIRED_FIELD_MISSING",
        ),
        (
            "region",
            composite({"address": {**partial, "postalCode": "1", "regionCode": "USA"}}),
            f"{where}[0].address.region_code",
            "INVALID_REGION_CODE",
        ),
        ("two kinds", two, "audience_members[1]", "INVALID_AUDIENCE_MEMBER"),
        ("no kind", {}, "audience_members[1]", "REQUIRED_FIELD_MISSING"),
    ]


@pytest.mark.parametrize(
    ("row", "field", "reason"), [c[1:] for c in member_cases()], ids=[c[0] for c in member_cases()]
)
def test_one_bad_member_refuses_the_whole_request(sandbox, row, field, reason):
    list_id = create(sandbox)
    reply = ingest(sandbox, list_id, [member(0), row, member(2)])

    assert (field, reason) in violations(reply)
    sandbox.pass_time(hours=1)
    assert truth(sandbox, list_id)["members"] == []


def test_all_violations_of_a_stage_are_reported_together(sandbox):
    list_id = create(sandbox)
    bad = {"compositeData": {"userData": {"userIdentifiers": [{"emailAddress": "zz"}]}}}
    found = violations(ingest(sandbox, list_id, [bad, member(1), bad, bad]))

    assert [f.split(".")[0] for f, _ in found] == [f"audience_members[{i}]" for i in (0, 2, 3)]


def test_a_request_is_looked_at_stage_by_stage_and_only_the_first_bad_one_is_told(sandbox):
    everything = {
        "encoding": "GRANTED",  # no such word at all
        "destinations": [destination("customers/1/userLists/2"), *[destination("9")] * 10],
        "audienceMembers": [{"compositeData": {"userData": {"userIdentifiers": [{"emailAddress": "zz"}]}}}],
        "termsOfService": {"customerMatchTermsOfServiceStatus": "REJECTED"},
    }
    mended = {
        "encoding": "HEX",
        "destinations": [destination("9")],
        "audienceMembers": [member(1)],
        "termsOfService": {"customerMatchTermsOfServiceStatus": "ACCEPTED"},
    }
    told = []
    for part in (None, *mended):
        everything |= {part: mended[part]} if part else {}
        reply = sandbox.google.post("/v1/audienceMembers:ingest", json=everything)
        assert reply.status_code == 400
        told.append(
            {v.get("reason", "shape") for v in reply.json()["error"]["details"][-1]["fieldViolations"]}
        )

    assert told[0] == {"shape"}
    assert "TOO_MANY_DESTINATIONS" in told[1]
    assert told[2:] == [
        {"INVALID_HEX_ENCODING"},
        {"TERMS_AND_CONDITIONS_NOT_SIGNED"},
        {"INVALID_USER_LIST_ID"},
    ]
    sandbox.google.headers["authorization"] = "Bearer unknown"
    assert sandbox.google.post("/v1/audienceMembers:ingest", json={"encoding": 7}).status_code == 401


def test_all_members_of_a_request_use_one_data_type(sandbox):
    list_id = create(sandbox)
    old = {"userData": {"userIdentifiers": [{"emailAddress": digest(1)}]}}

    found = violations(ingest(sandbox, list_id, [member(0), old]))
    assert ("audience_members", "MULTIPLE_DATA_TYPES_NOT_ALLOWED") in found
    assert ingest(sandbox, list_id, [old]).status_code == 200


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"encoding": None}, "REQUIRED_FIELD_MISSING"),
        ({"termsOfService": None}, "TERMS_AND_CONDITIONS_NOT_SIGNED"),
        (
            {"termsOfService": {"customerMatchTermsOfServiceStatus": "REJECTED"}},
            "TERMS_AND_CONDITIONS_NOT_SIGNED",
        ),
        ({"destinations": []}, "REQUIRED_FIELD_MISSING"),
        ({"destinations": [destination("1")] * 11}, "TOO_MANY_DESTINATIONS"),
        ({"destinations": [destination("customers/1/userLists/2")]}, "INVALID_USER_LIST_ID"),
        ({"destinations": [destination("999")]}, "INVALID_USER_LIST_ID"),
        ({"destinations": [{"productDestinationId": "1"}]}, "REQUIRED_FIELD_MISSING"),
        ({"audienceMembers": []}, "REQUIRED_FIELD_MISSING"),
    ],
)
def test_a_request_that_breaks_a_rule_is_refused_with_its_reason(sandbox, change, reason):
    sent = {**body(create(sandbox), [member(1)]), **change}
    reply = sandbox.google.post(
        "/v1/audienceMembers:ingest", json={k: v for k, v in sent.items() if v is not None}
    )

    assert reason in [r for _, r in violations(reply)]


def test_ten_thousand_members_are_taken_and_one_more_is_not(sandbox):
    list_id = create(sandbox)
    members = [member(i) for i in range(10_001)]

    assert ("audience_members", "TOO_MANY_AUDIENCE_MEMBERS") in violations(ingest(sandbox, list_id, members))
    assert ingest(sandbox, list_id, members[:10_000]).status_code == 200


def test_references_must_differ_and_route_members_to_their_destination(sandbox):
    first, second = create(sandbox, "a"), create(sandbox, "b")
    twice = [destination(first, reference="x"), destination(second, reference="x")]
    refused = ingest(sandbox, first, [member(1)], destinations=twice)
    assert ("destinations[1].reference", "DUPLICATE_DESTINATION_REFERENCE") in violations(refused)

    both = [destination(first, reference="a"), destination(second, reference="b")]
    members = [member(1, destinationReferences=["a"]), member(2)]
    ingest(sandbox, first, members, destinations=both)
    sandbox.pass_time(minutes=30)
    assert len(truth(sandbox, first)["members"]) == 2
    assert len(truth(sandbox, second)["members"]) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"consent": {"adUserData": "GRANTED"}},
        {"nonsense": 1},
        {"encoding": "hex"},
        {"audienceMembers": [{"userData": {"userIdentifiers": [{"addressInfo": {}}]}}]},
        {"audienceMembers": "x"},
    ],
)
def test_names_and_enum_values_google_does_not_know_are_transcoding_errors(sandbox, change):
    reply = sandbox.google.post(
        "/v1/audienceMembers:ingest", json={**body(create(sandbox), [member(1)]), **change}
    )

    assert reply.status_code == 400
    assert reply.json()["error"]["message"].startswith("Invalid JSON payload received.")


def test_snake_case_names_enum_numbers_and_base64_are_read_too(sandbox):
    list_id = create(sandbox)
    sent = {
        "destinations": [
            {
                "operating_account": {"account_type": 1, "account_id": "1234567890"},
                "product_destination_id": list_id,
            }
        ],
        "audience_members": [
            {
                "composite_data": {
                    "user_data": {
                        "user_identifiers": [
                            {"email_address": base64.b64encode(bytes.fromhex(digest(5))).decode()}
                        ]
                    }
                }
            }
        ],
        "encoding": 2,
        "terms_of_service": {"customer_match_terms_of_service_status": 1},
    }
    reply = sandbox.google.post("/v1/audienceMembers:ingest?$alt=json;enum-encoding=int", json=sent)
    sandbox.pass_time(minutes=30)

    assert reply.status_code == 200, reply.text
    assert truth(sandbox, list_id)["members"] == [[digest(5)]]


def test_hex_is_case_insensitive(sandbox):
    list_id = create(sandbox)
    upper = {"compositeData": {"userData": {"userIdentifiers": [{"emailAddress": digest(1).upper()}]}}}
    ingest(sandbox, list_id, [upper, member(1)])
    sandbox.pass_time(minutes=30)

    assert truth(sandbox, list_id)["members"] == [[digest(1)]]


def test_a_list_takes_its_own_kind_of_key_only(sandbox):
    list_id = create(sandbox, ingestedUserListInfo={"uploadKeyTypes": ["USER_ID"]})
    refused = ingest(sandbox, list_id, [member(1)])

    assert violations(refused) == [("audience_members[0]", "INVALID_USER_LIST_TYPE")]
    assert ingest(sandbox, list_id, [{"userIdData": {"userId": "u1"}}]).status_code == 200


def test_a_dry_run_stores_nothing_and_cannot_be_polled(sandbox):
    list_id = create(sandbox)
    reply = ingest(sandbox, list_id, [member(1)], validateOnly=True)
    sandbox.pass_time(hours=1)

    assert "requestId" not in reply.json()
    assert truth(sandbox, list_id)["members"] == []
    assert violations(ingest(sandbox, "999", [member(1)], validateOnly=True))


def test_denied_consent_is_counted_and_not_listed(make):
    sandbox = make(google_eea_share=1.0)
    list_id = create(sandbox)
    members = [member(1), member(2, consent=DENIED), member(3, consent={})]
    reply = ingest(sandbox, list_id, members)
    alone = ingest(sandbox, list_id, [member(9, consent=DENIED)])
    sandbox.pass_time(minutes=30)
    shown = status(sandbox, reply)

    assert shown["requestStatus"] == "PARTIAL_SUCCESS"
    reasons = {c["reason"]: (c["recordCount"], c["recordIndices"]) for c in shown["errorInfo"]["errorCounts"]}
    assert reasons == {
        "PROCESSING_ERROR_REASON_DENIED_CONSENT": ("1", [1]),
        "PROCESSING_ERROR_REASON_NO_CONSENT": ("1", [2]),
    }
    assert shown["audienceMembersIngestionStatus"]["compositeDataIngestionStatus"]["recordCount"] == "3"
    assert status(sandbox, alone)["requestStatus"] == "FAILED"
    assert truth(sandbox, list_id)["members"] == [[digest(1)]]


def test_consent_may_be_missing_outside_the_eea(sandbox):
    list_id = create(sandbox)
    reply = ingest(sandbox, list_id, [member(1)], consent={})
    sandbox.pass_time(minutes=30)

    assert status(sandbox, reply)["requestStatus"] == "SUCCESS"


def test_removal_takes_neither_consent_nor_terms_and_works_by_any_identifier(sandbox):
    list_id = create(sandbox)
    ingest(sandbox, list_id, [member(1, 2), member(3)])
    sandbox.pass_time(minutes=30)
    reply = remove(sandbox, list_id, [member(2)])
    sandbox.pass_time(minutes=30)

    assert truth(sandbox, list_id)["members"] == [[digest(3)]]
    assert (
        status(sandbox, reply)["audienceMembersRemovalStatus"]["compositeDataRemovalStatus"]["recordCount"]
        == "1"
    )
    refused = sandbox.google.post("/v1/audienceMembers:remove", json=body(list_id, [member(1)]))
    assert refused.json()["error"]["message"].startswith("Invalid JSON payload received.")


def test_remove_all_before_a_moment_keeps_those_added_since(sandbox):
    list_id = create(sandbox)
    ingest(sandbox, list_id, [member(1), member(2)])
    sandbox.pass_time(hours=1)
    moment = sandbox.control("GET", "/clock")["now"]
    sandbox.pass_time(minutes=1)
    ingest(sandbox, list_id, [member(2), member(3)])
    sandbox.pass_time(minutes=30)
    sent = {"destinations": [destination(list_id)], "removeAsOfTime": moment}
    reply = sandbox.google.post("/v1/audienceMembers:removeAll", json=sent)
    sandbox.pass_time(minutes=30)

    assert status(sandbox, reply)["removeAllAudienceMembersStatus"] == {}
    assert {m[0] for m in truth(sandbox, list_id)["members"]} == {digest(2), digest(3)}
    future = {**sent, "removeAsOfTime": "2099-01-01T00:00:00Z"}
    assert violations(sandbox.google.post("/v1/audienceMembers:removeAll", json=future)) == [
        ("remove_as_of_time", "INVALID_REMOVE_AS_OF_TIME")
    ]
    sandbox.google.post("/v1/audienceMembers:removeAll", json={"destinations": [destination(list_id)]})
    sandbox.pass_time(minutes=30)
    assert truth(sandbox, list_id)["members"] == []


def test_two_overlapping_requests_may_complete_in_the_other_order(make):
    outcomes = []
    for unordered in (False, True):
        sandbox = make(google_unordered=unordered)
        list_id = create(sandbox)
        ingest(sandbox, list_id, [member(1)])
        remove(sandbox, list_id, [member(1)])
        sandbox.pass_time(hours=2)
        outcomes.append(truth(sandbox, list_id)["members"])

    assert outcomes == [[], [[digest(1)]]]


def test_memberships_run_out_after_their_duration_and_a_new_ingest_refreshes_them(make):
    sandbox = make(google_match=1.0, google_minimum_size=1)
    list_id = create(sandbox, membershipDuration=f"{30 * 86_400}s")
    ingest(sandbox, list_id, [member(1), member(2)])
    sandbox.pass_time(days=20)
    ingest(sandbox, list_id, [member(2)])
    sandbox.pass_time(days=10, minutes=1)
    shown = sandbox.google.get(f"{LISTS}/{list_id}").json()

    assert shown["sizeInfo"]["displayNetworkMembersCount"] == "1"


def test_an_unknown_request_and_one_older_than_fifty_days_cannot_be_polled(sandbox):
    reply = ingest(sandbox, create(sandbox), [member(1)])
    unknown = sandbox.google.get("/v1/requestStatus:retrieve?requestId=none")
    sandbox.pass_time(days=51)
    old = sandbox.google.get(f"/v1/requestStatus:retrieve?requestId={reply.json()['requestId']}")

    assert violations(unknown) == [("request_id", "INVALID_REQUEST_ID")]
    assert violations(old) == [("request_id", "REQUEST_TOO_OLD")]


def test_a_list_may_be_too_young_for_records(make):
    sandbox = make(google_too_recent_minutes=10)
    list_id = create(sandbox)
    reply = ingest(sandbox, list_id, [member(1)])
    sandbox.pass_time(minutes=30)
    shown = status(sandbox, reply)

    assert shown["requestStatus"] == "FAILED"
    assert shown["errorInfo"]["errorCounts"][0]["reason"].endswith("DESTINATION_TOO_RECENTLY_CREATED")


@pytest.mark.parametrize(
    ("knob", "call", "limit"),
    [
        ("google_ingest_per_minute", "ingest", "IngestionMutateRequestsPerMinutePerProject"),
        ("google_ingest_per_day", "ingest", "IngestionMutateRequestsPerDayPerProject"),
        ("google_read_per_minute", "poll", "IngestionReadRequestsPerMinutePerProject"),
        ("google_manage_per_day", "list", "ManagementReadRequestsPerDayPerProject"),
    ],
)
def test_quotas_are_429_and_name_their_limit(make, knob, call, limit):
    sandbox = make(**{knob: 2})
    list_id = create(sandbox)
    calls = {
        "ingest": lambda: ingest(sandbox, list_id, [member(1)]),
        "poll": lambda: sandbox.google.get("/v1/requestStatus:retrieve?requestId=x"),
        "list": lambda: sandbox.google.get(LISTS),
    }
    replies = [calls[call]() for _ in range(3)]

    assert replies[1].status_code != 429
    assert replies[2].status_code == 429
    error = replies[2].json()["error"]
    assert error["status"] == "RESOURCE_EXHAUSTED"
    assert error["details"][0]["metadata"]["quota_limit"] == limit
    sandbox.pass_time(minutes=1)
    assert (calls[call]().status_code == 429) == ("Day" in limit)


def test_tokens_and_scopes_are_checked_and_ads_headers_ignored(sandbox):
    url = LISTS
    assert (
        sandbox.google.get(url, headers={"Authorization": "Bearer no"}).json()["error"]["status"]
        == "UNAUTHENTICATED"
    )
    sandbox.control("POST", "/tokens", {"token": "narrow", "scopes": ["r_ads"]})
    refused = sandbox.google.get(url, headers={"Authorization": "Bearer narrow"})
    assert refused.status_code == 403
    assert refused.json()["error"]["details"][0]["reason"] == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
    assert (
        sandbox.google.get(url, headers={"developer-token": "x", "login-customer-id": "1"}).status_code == 200
    )


def test_gaql_reads_list_sizes_and_audience_performance(sandbox):
    list_id = create(sandbox, "band A")
    ingest(sandbox, list_id, [member(i) for i in range(2000)])
    made = sandbox.control(
        "POST",
        "/google/seed",
        {"customer": "1234567890", "campaigns": [{"name": "band", "daily_budget": 5.0, "lists": [list_id]}]},
    )
    sandbox.pass_time(days=4)
    url = "/v26/customers/1234567890/googleAds:searchStream"
    sizes = sandbox.google.post(
        url,
        json={
            "query": "SELECT user_list.id, user_list.name, user_list.size_for_display"
            " FROM user_list WHERE user_list.type = 'CRM_BASED' AND user_list.access_reason = 'OWNED'"
        },
    ).json()
    days = sandbox.google.post(
        url,
        json={
            "query": "SELECT segments.date, campaign.id, ad_group.id, ad_group_criterion.criterion_id,"
            " ad_group_criterion.user_list.user_list, metrics.impressions, metrics.cost_micros"
            " FROM ad_group_audience_view WHERE segments.date BETWEEN '2026-11-01' AND '2026-11-30'"
            " AND ad_group_criterion.type = 'USER_LIST' ORDER BY segments.date DESC"
        },
    ).json()[0]["results"]

    (batch,) = sizes
    assert batch["results"][0]["userList"]["sizeForDisplay"] == str(truth(sandbox, list_id)["users"])
    assert batch["fieldMask"].startswith("userList.id,userList.name")
    assert [d["segments"]["date"] for d in days] == ["2026-11-05", "2026-11-04", "2026-11-03", "2026-11-02"][
        : len(days)
    ]
    assert len(days) >= 3
    assert {d["adGroupCriterion"]["userList"]["userList"] for d in days} == {
        f"customers/1234567890/userLists/{list_id}"
    }
    assert all(abs(int(d["metrics"]["costMicros"]) - 5_000_000) < 1_000_000 for d in days)
    assert days[0]["campaign"]["id"] == str(made["campaigns"][0]["campaign"])


def test_a_list_is_reported_where_it_is_attached_and_nowhere_else(sandbox):
    list_id = create(sandbox)
    ingest(sandbox, list_id, [member(i) for i in range(2000)])
    seeds = [{"lists": [list_id], "level": level} for level in ("ad_group", "campaign")]
    made = sandbox.control("POST", "/google/seed", {"campaigns": seeds})["campaigns"]
    sandbox.pass_time(days=3)

    def campaigns(view):
        query = f"SELECT campaign.id, metrics.impressions FROM {view}"
        path = "/v26/customers/1234567890/googleAds:search"
        rows = sandbox.google.post(path, json={"query": query}).json()["results"]
        return {int(row["campaign"]["id"]) for row in rows}

    assert campaigns("ad_group_audience_view") == {made[0]["campaign"]}
    assert campaigns("campaign_audience_view") == {made[1]["campaign"]}


def test_people_on_an_excluded_list_are_not_served(sandbox):
    everybody, some = create(sandbox), create(sandbox, displayName="Some")
    ingest(sandbox, everybody, [member(i) for i in range(2000)])
    ingest(sandbox, some, [member(i) for i in range(1500)])
    plenty = {"lists": [everybody], "daily_budget": 1e6}
    made = sandbox.control("POST", "/google/seed", {"campaigns": [plenty, plenty]})["campaigns"]
    wanted = {"campaign": f"customers/1234567890/campaigns/{made[1]['campaign']}", "negative": True}
    wanted["userList"] = {"userList": f"customers/1234567890/userLists/{some}"}
    path = "/v26/customers/1234567890/campaignCriteria:mutate"
    assert sandbox.google.post(path, json={"operations": [{"create": wanted}]}).status_code == 200
    sandbox.pass_time(days=5)

    query = "SELECT campaign.id, metrics.impressions FROM campaign"
    path = "/v26/customers/1234567890/googleAds:search"
    rows = sandbox.google.post(path, json={"query": query}).json()["results"]
    whole, part = (int(row["metrics"]["impressions"]) for row in rows)
    assert 0.15 < part / whole < 0.35


def test_gaql_sums_without_a_date_and_answers_an_empty_result_with_one_batch(sandbox):
    list_id = create(sandbox)
    ingest(sandbox, list_id, [member(i) for i in range(2000)])
    sandbox.control("POST", "/google/seed", {"campaigns": [{"lists": [list_id], "level": "campaign"}]})
    sandbox.pass_time(days=5)
    query = (
        "SELECT campaign.id, metrics.impressions FROM campaign_audience_view"
        " WHERE segments.date DURING LAST_30_DAYS"
    )
    found = sandbox.google.post(
        "/v25/customers/1234567890/googleAds:searchStream", json={"query": query}
    ).json()
    nobody = sandbox.google.post("/v26/customers/99/googleAds:searchStream", json={"query": query}).json()

    assert len(found[0]["results"]) == 1
    assert int(found[0]["results"][0]["metrics"]["impressions"]) > 1000
    assert "results" not in nobody[0]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("SELECT user_list.company FROM user_list", "UNRECOGNIZED_FIELD"),
        ("SELECT metrics.reach FROM campaign", "UNRECOGNIZED_FIELD"),
        ("SELECT company.id FROM company_view", "BAD_RESOURCE_TYPE_IN_FROM_CLAUSE"),
        ("DELETE FROM user_list", "EXPECTED_SELECT"),
        (
            "SELECT campaign.id FROM campaign WHERE segments.date DURING SOMETIMES",
            "INVALID_VALUE_WITH_DURING_OPERATOR",
        ),
    ],
)
def test_gaql_refuses_what_does_not_exist(sandbox, query, code):
    reply = sandbox.google.post("/v26/customers/1/googleAds:searchStream", json={"query": query})

    assert reply.status_code == 400
    assert code in reply.json()["error"]["details"][0]["errors"][0]["errorCode"].values()


def test_search_takes_no_page_size(sandbox):
    reply = sandbox.google.post(
        "/v26/customers/1/googleAds:search",
        json={"query": "SELECT customer.id FROM customer", "pageSize": 10},
    )

    assert "PAGE_SIZE_NOT_SUPPORTED" in reply.text


def test_lists_are_attached_detached_and_budgets_moved_by_mutates(sandbox):
    list_id = create(sandbox)
    ingest(sandbox, list_id, [member(i) for i in range(2000)])
    made = sandbox.control("POST", "/google/seed", {"campaigns": [{"daily_budget": 5.0}]})
    campaign = made["campaigns"][0]["campaign"]
    base = "/v26/customers/1234567890"
    create_op = {
        "create": {
            "campaign": f"customers/1234567890/campaigns/{campaign}",
            "userList": {"userList": f"customers/1234567890/userLists/{list_id}"},
        }
    }
    attached = sandbox.google.post(f"{base}/campaignCriteria:mutate", json={"operations": [create_op]}).json()
    budget = f"customers/1234567890/campaignBudgets/{campaign}"
    update = {"update": {"resourceName": budget, "amountMicros": "10000000"}, "updateMask": "amountMicros"}
    sandbox.google.post(f"{base}/campaignBudgets:mutate", json={"operations": [update]})
    sandbox.pass_time(days=3)
    spent = [d[5] for d in sandbox.world.google.delivery.days]
    assert abs(spent[-1] - 10) < 2
    name = attached["results"][0]["resourceName"]
    sandbox.google.post(f"{base}/campaignCriteria:mutate", json={"operations": [{"remove": name}]})
    days = len(spent)
    sandbox.pass_time(days=3)

    assert len(sandbox.world.google.delivery.days) == days
    again = sandbox.google.post(f"{base}/campaignCriteria:mutate", json={"operations": [{"remove": name}]})
    assert again.status_code == 400


def test_an_account_without_access_or_without_the_eu_declaration_is_refused(sandbox):
    list_id = create(sandbox)
    sandbox.control("POST", "/google/accounts", {"id": "1234567890", "eu_declaration_missing": True})
    reason = "EU_POLITICAL_ADVERTISING_DECLARATION_REQUIRED"
    assert violations(ingest(sandbox, list_id, [member(1)]))[0][1] == reason
    assert violations(sandbox.google.post(LISTS, json=list_body("b")))[0][1] == reason
    sandbox.control("POST", "/google/accounts", {"id": "1234567890", "closed_to": ["member-1"]})
    replies = [ingest(sandbox, list_id, [member(1)]), sandbox.google.get(LISTS)]

    assert [(r.status_code, r.json()["error"]["status"]) for r in replies] == [(403, "PERMISSION_DENIED")] * 2
