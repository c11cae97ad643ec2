"""Whatever is sent, the sandbox answers; it never falls over."""

from __future__ import annotations

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from platforms.sandbox.wire import Answer
from tests.platforms.sandbox.calls import (
    ACCOUNT,
    STILL,
    Sandbox,
    campaign_body,
    people,
    segment_body,
    targeting,
)

SEGMENT, CAMPAIGN, CREATIVE, LIST = "10001", "600000001", "900000001", "7090784001"
URN = f"urn%3Ali%3AsponsoredAccount%3A{ACCOUNT}"
PATHS = [
    "/rest/dmpSegments",
    f"/rest/dmpSegments/{SEGMENT}",
    "/rest/dmpSegments/x",
    f"/rest/dmpSegments/{SEGMENT}/companies",
    "/rest/dmpSegments/10002/users",
    f"/rest/dmpSegments/{SEGMENT}/destinations",
    f"/rest/dmpSegments/{SEGMENT}/destinations/LINKEDIN",
    f"/rest/dmpSegments/{SEGMENT}/listUploads",
    "/rest/adSegments",
    "/rest/adSegments/8000001",
    f"/rest/adAccounts/{ACCOUNT}",
    "/rest/adAccounts/x",
    f"/rest/adAccounts/{ACCOUNT}/adCampaigns",
    f"/rest/adAccounts/{ACCOUNT}/adCampaigns/{CAMPAIGN}",
    f"/rest/adAccounts/{ACCOUNT}/adCampaignGroups",
    f"/rest/adAccounts/{ACCOUNT}/creatives",
    f"/rest/adAccounts/{ACCOUNT}/creatives/urn%3Ali%3AsponsoredCreative%3A{CREATIVE}",
    "/rest/audienceCounts",
    "/rest/adTargetingEntities",
    "/rest/adAnalytics",
    "/rest/adAccountUsers",
    "/rest/organizationsLookup",
    "/rest/organizations/7",
    "/rest/accountIntelligence",
    "/oauth/v2/accessToken",
    "/oauth/v2/introspectToken",
    "/oauth/v2/authorization",
    "/ambry/",
    "/token",
    "/v1/audienceMembers:ingest",
    "/v1/audienceMembers:remove",
    "/v1/audienceMembers:removeAll",
    "/v1/requestStatus:retrieve",
    "/v1/accountTypes/GOOGLE_ADS/accounts/1234567890/userLists",
    f"/v1/accountTypes/GOOGLE_ADS/accounts/1234567890/userLists/{LIST}",
    "/v26/customers/1234567890/googleAds:searchStream",
    "/v26/customers/1234567890/googleAds:search",
    "/v26/customers/1234567890/campaignCriteria:mutate",
    "/v26/customers/1234567890/campaignBudgets:mutate",
    "/sandbox/seed",
    "/sandbox/clock/advance",
    "/sandbox/faults",
    "/sandbox/knobs",
    "/sandbox/tokens",
    "/sandbox/accounts",
    "/sandbox/google/seed",
    "/sandbox/google/accounts",
    "/sandbox/truth/members",
    "/sandbox/truth/impressions",
    "/nothing",
]
NAMES = """
    q pivot pivots timeGranularity dateRange fields accounts campaigns account start count ids urns facet
    query targetingCriteria search pageSize pageToken sortBy filterCriteria requestId updateMask filter
    segment end
    campaign a[0] d.e
""".split()
VALUES = [
    *"account analytics statistics search criteria urns typeahead accounts MEMBER_COMPANY ALL DAILY".split(),
    *"-1 0 1e9 99999999999999999999 List( (a:b) (a:List(1,2)) %28a%29 id=1 2026-13-01 displayName".split(),
    "(start:x)",
    f"List({URN})",
    "",
    "(start:(year:2026,month:11,day:2))",
    "(start:(year:0,month:0,day:0))",
    "(include:(and:List((or:(urn%3Ali%3AadTargetingFacet%3Alocations:List(urn%3Ali%3Ageo%3A1))))))",
    "(include:x)",
    "(include:(and:x))",
    "(include:(and:List(x)))",
    "(status:(values:List(ACTIVE)))",
]
words = st.sampled_from(
    """
    name type account destinations elements patch $set $delete targetingCriteria include exclude and or status
    dailyBudget amount currencyCode content campaign action userIds idType idValue companyName organizationUrn
    companyPageUrl industries query operations create update audienceMembers compositeData userData
    userIdentifiers emailAddress address consent encoding termsOfService productDestinationId operatingAccount
    accountId accountType displayName ingestedUserListInfo uploadKeyTypes seconds to kind match times token
    scopes id roles entities version campaigns shape owner inputFile removeAsOfTime price
    optimizationPreference
    probability expires_in drift_sd build_hours daily_budget lists customer headroom plant closed_to
    frequencyOptimizationPreference frequency timeSpan duration membershipDuration campaignGroup
    urn:li:adTargetingFacet:locations urn:li:adTargetingFacet:audienceMatchingSegments
    """.split()
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 10**6),
    st.floats(allow_nan=False, allow_infinity=False, width=16),
    st.sampled_from(
        [
            *"ADD REMOVE COMPANY USER ACTIVE HEX LINKEDIN x NaN inf 1e400 -1 ü CONTACT_ID 500 slow A".split(),
            "auction",
            "",
            "urn:li:adSegment:8000001",
            f"urn:li:sponsoredAccount:{ACCOUNT}",
            "2026-11-20T08:00:00Z",
            "SELECT a.b FROM c",
            "SELECT user_list.id FROM user_list WHERE user_list.id = 1",
        ]
    ),
)
trees = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(words, inner, max_size=4)),
    max_leaves=12,
)
whole_bodies = st.sampled_from(
    [
        segment_body(),
        campaign_body(700000001),
        {"patch": {"$set": {"targetingCriteria": targeting(["urn:li:adSegment:8000001"])}}},
        {"elements": people(2)},
    ]
)


@st.composite
def damaged(draw):
    """A sound body with one value replaced somewhere."""
    body = orjson.loads(orjson.dumps(draw(whole_bodies)))
    here = body
    while True:
        keys = list(here) if isinstance(here, dict) else list(range(len(here)))
        key = draw(st.sampled_from(keys))
        inner = here[key]
        if not isinstance(inner, dict | list) or not inner or draw(st.booleans()):
            here[key] = draw(trees)
            return body
        here = inner


bodies = st.one_of(
    st.just(b""),
    st.binary(max_size=20),
    trees.map(orjson.dumps),
    damaged().map(orjson.dumps),
    st.just(b"grant_type=refresh_token&refresh_token=x"),
)
queries = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)), max_size=5)
headers = st.fixed_dictionaries(
    {},
    optional={
        "x-restli-method": st.sampled_from(
            ["BATCH_CREATE", "PARTIAL_UPDATE", "BATCH_PARTIAL_UPDATE", "nonsense"]
        ),
        "x-restli-protocol-version": st.sampled_from(["2.0.0", "1.0.0", "", "x"]),
        "x-http-method-override": st.sampled_from(["GET", "DELETE"]),
        "content-type": st.sampled_from(
            [
                "application/x-www-form-urlencoded",
                "multipart/mixed; boundary=x",
                "multipart/mixed",
                "text/csv",
            ]
        ),
        "content-length": st.just("3"),
    },
)
call = st.tuples(
    st.sampled_from(["GET", "POST", "PATCH", "DELETE", "PUT"]),
    st.sampled_from(PATHS),
    queries,
    headers,
    bodies,
)


def assert_restli(answer: Answer) -> None:
    """What holds of every answer: errors are marked, a create is an id and no body, a change is nothing at all."""
    marks = {"x-restli-error-response", "x-restli-gateway-error"} & set(answer.headers)
    assert bool(marks) == (answer.status >= 400)
    if answer.status == 201:
        assert answer.body == b""
        assert answer.headers["x-restli-id"] == answer.headers["x-linkedin-id"] != ""
    if answer.status == 204:
        assert answer.body == b""


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(calls=st.lists(call, min_size=1, max_size=15))
def test_every_call_gets_an_answer_of_its_platform_and_a_replay_agrees(tmp_path_factory, calls):
    folder = tmp_path_factory.mktemp("fuzz")
    sandbox = Sandbox(STILL.changed({"accounts_intelligence": True}), state_dir=folder)
    sandbox.seed()
    sandbox.create_segment()
    sandbox.ready_segment("USER")
    info = {"uploadKeyTypes": ["CONTACT_ID"]}
    lists = "/v1/accountTypes/GOOGLE_ADS/accounts/1234567890/userLists"
    sandbox.google.post(lists, json={"displayName": "l", "ingestedUserListInfo": info})
    base = {"authorization": "Bearer sandbox-token", "linkedin-version": "202608"}
    for method, path, query, extra, body in calls:
        text = "&".join(f"{k}={v}" for k, v in query)
        answer = sandbox.engine.call(method, path, text, {**base, **extra}, body).answer
        assert 200 <= answer.status < 600
        if answer.status >= 400:
            assert answer.status != 500 or sandbox.engine.faults.active
            assert orjson.loads(answer.body)
        if path.startswith("/rest"):
            assert_restli(answer)
    before = sandbox.control("GET", "/truth/state")["fingerprint"]
    sandbox.engine.close()
    again = Sandbox(knobs=None, state_dir=folder)
    assert again.control("GET", "/truth/state")["fingerprint"] == before
    again.engine.close()
