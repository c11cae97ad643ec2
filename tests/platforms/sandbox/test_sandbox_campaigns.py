"""Campaigns, targeting, creatives and audience counts on the wire."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from platforms.sandbox.audience import audience_of
from tests.platforms.sandbox.calls import (
    ACCOUNT,
    ACCOUNT_URN,
    LIST_FACET,
    campaign_body,
    code_of,
    companies,
    people,
    targeting,
)

CAMPAIGNS = f"/rest/adAccounts/{ACCOUNT}/adCampaigns"
CREATIVES = f"/rest/adAccounts/{ACCOUNT}/creatives"
FINDER = {"X-RestLi-Method": "FINDER"}
FACET = "urn:li:adTargetingFacet:"


@pytest.fixture
def seeded(sandbox):
    sandbox.made = sandbox.seed()
    return sandbox


def ready_list(sandbox, count=200, kind="COMPANY"):
    segment = sandbox.ready_segment(kind)
    sandbox.push(
        segment,
        companies(count) if kind == "COMPANY" else people(count),
        "companies" if kind == "COMPANY" else "users",
    )
    sandbox.pass_time(days=1, seconds=1)
    return sandbox.destination(segment)["destinationSegmentId"]


def test_seeding_makes_an_account_a_group_a_template_and_its_creatives(seeded):
    made = seeded.made
    account = seeded.li.get(f"/rest/adAccounts/{made['account']}").json()
    campaign = seeded.campaign(made["campaign"])
    creatives = seeded.li.get(CREATIVES + "?q=criteria", headers=FINDER).json()["elements"]

    assert account["currency"] == "USD"
    assert campaign["audienceExpansionEnabled"] is False
    assert campaign["offsiteDeliveryEnabled"] is False
    assert campaign["dailyBudget"]["amount"] == "1785.71"
    assert len(creatives) == 5


def test_a_campaign_is_created_as_a_draft_and_read_back(seeded):
    body = campaign_body(seeded.made["campaign_group"])
    reply = seeded.li.post(CAMPAIGNS, json=body)
    shown = seeded.campaign(reply.headers["x-restli-id"])

    assert (reply.status_code, reply.content) == (201, b"")
    assert {k: shown[k] for k in body} == body
    assert shown["version"]["versionTag"] == "1"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"politicalIntent": None}, 400),
        ({"id": 1}, 422),
        ({"servingStatuses": []}, 422),
        ({"nonsense": 1}, 422),
        ({"status": "REMOVED"}, 422),
        ({"campaignGroup": "urn:li:sponsoredCampaignGroup:1"}, 400),
        ({"account": "urn:li:sponsoredAccount:1"}, 400),
        ({"dailyBudget": {"amount": 100.0, "currencyCode": "USD"}}, 422),
        ({"name": None}, 422),
    ],
)
def test_a_campaign_that_breaks_a_rule_is_not_created(seeded, change, status):
    body = {**campaign_body(seeded.made["campaign_group"]), **change}
    reply = seeded.li.post(CAMPAIGNS, json={k: v for k, v in body.items() if v is not None})

    assert reply.status_code == status
    assert len(seeded.li.get(CAMPAIGNS + "?q=search").json()["elements"]) == 1


def test_search_filters_by_status_and_pages_by_cursor(seeded):
    for i in range(4):
        seeded.li.post(CAMPAIGNS, json=campaign_body(seeded.made["campaign_group"], name=f"band {i}"))
    drafts = CAMPAIGNS + "?q=search&search=(status:(values:List(DRAFT)))&pageSize=3"
    first = seeded.li.get(drafts).json()
    second = seeded.li.get(drafts + f"&pageToken={first['metadata']['nextPageToken']}").json()

    assert len(first["elements"]) == 3
    assert len(second["elements"]) == 1
    assert "nextPageToken" not in second["metadata"]
    assert seeded.li.get(CAMPAIGNS + "?q=search&pageSize=1001").status_code == 400


def test_a_partial_update_raises_the_version_and_leaves_the_rest(seeded):
    number = seeded.made["campaign"]
    before = seeded.campaign(number)
    reply = seeded.patch_campaign(number, {"dailyBudget": {"amount": "50.00", "currencyCode": "USD"}})
    after = seeded.campaign(number)

    assert (reply.status_code, reply.content) == (204, b"")
    assert after["dailyBudget"]["amount"] == "50.00"
    assert after["version"]["versionTag"] == "2"
    assert after["targetingCriteria"] == before["targetingCriteria"]


def test_a_write_against_an_old_version_is_a_conflict(seeded):
    number = seeded.made["campaign"]
    seeded.patch_campaign(number, {"name": "one"})
    reply = seeded.patch_campaign(number, {"name": "two", "version": {"versionTag": "1"}})

    assert (reply.status_code, code_of(reply)) == (409, "CONFLICT")
    assert seeded.campaign(number)["name"] == "one"
    assert seeded.patch_campaign(number, {"name": "two", "version": {"versionTag": "2"}}).status_code == 204


def test_a_batch_partial_update_has_one_outcome_per_campaign(seeded):
    number = seeded.made["campaign"]
    reply = seeded.li.post(
        CAMPAIGNS + f"?ids=List({number},1)",
        json={
            "entities": {
                str(number): {"patch": {"$set": {"status": "PAUSED"}}},
                "1": {"patch": {"$set": {"status": "PAUSED"}}},
            }
        },
        headers={"X-RestLi-Method": "BATCH_PARTIAL_UPDATE"},
    ).json()

    assert reply["results"] == {str(number): {"status": 204}}
    assert reply["errors"]["1"]["status"] == 404
    assert seeded.campaign(number)["status"] == "PAUSED"


def test_only_drafts_can_be_deleted(seeded):
    draft = seeded.li.post(CAMPAIGNS, json=campaign_body(seeded.made["campaign_group"])).headers[
        "x-restli-id"
    ]

    assert seeded.li.delete(f"{CAMPAIGNS}/{draft}").status_code == 204
    assert seeded.li.get(f"{CAMPAIGNS}/{draft}").status_code == 404
    assert code_of(seeded.li.delete(f"{CAMPAIGNS}/{seeded.made['campaign']}")) == "STATUS_CHANGE_NOT_ALLOWED"


def test_targeting_is_replaced_whole(seeded):
    number = seeded.made["campaign"]
    first, second = ready_list(seeded), ready_list(seeded)
    seeded.target(number, [first], [second])
    seeded.target(number, [second])
    shown = seeded.campaign(number)["targetingCriteria"]

    assert shown["include"]["and"][-1] == {"or": {LIST_FACET: [second]}}
    assert "exclude" not in shown


def test_an_update_without_interface_locales_is_refused(seeded):
    tree = targeting([])
    tree["include"]["and"] = tree["include"]["and"][:1]
    reply = seeded.patch_campaign(seeded.made["campaign"], {"targetingCriteria": tree})

    assert (reply.status_code, code_of(reply)) == (400, "MISSING_FIELD")
    body = campaign_body(seeded.made["campaign_group"], targetingCriteria=tree)
    assert seeded.li.post(CAMPAIGNS, json=body).status_code == 201


def test_the_codes_of_targeting_that_cannot_be(seeded):
    urn = ready_list(seeded)
    number = seeded.made["campaign"]
    dynamic = targeting([])
    dynamic["include"]["and"].append({"or": {FACET + "dynamicSegments": [urn]}})
    mixed = targeting([])
    mixed["include"]["and"] += [
        {"or": {FACET + "titles": ["urn:li:title:1"]}},
        {"or": {FACET + "seniorities": ["urn:li:seniority:8"]}},
    ]
    cases = {
        "FIELD_CANNOT_BE_BOTH_IN_INCLUDED_AND_EXCLUDED_TARGETING": targeting([urn], [urn]),
        "INVALID_SEGMENT_ID_AND_FACET_COMBINATION_PROVIDED": dynamic,
        "FIELD_VALUE_DOES_NOT_EXIST": targeting(["urn:li:adSegment:1"]),
        "INVALID_VALUE_DUPLICATE_EXIST": targeting([urn, urn]),
        "INCOMPATIBLE_TARGETING_COMBINATION": mixed,
    }

    for code, tree in cases.items():
        reply = seeded.patch_campaign(number, {"targetingCriteria": tree})
        assert (reply.status_code, code_of(reply)) == (400, code)
        assert reply.json()["errorDetailType"] == "com.linkedin.common.error.BadRequest"


def test_a_dmp_segment_id_is_no_target(seeded):
    segment = seeded.ready_segment()
    reply = seeded.target(seeded.made["campaign"], [f"urn:li:adSegment:{segment}"])

    assert code_of(reply) == "FIELD_VALUE_DOES_NOT_EXIST"


def test_a_segment_can_be_attached_while_it_is_building(seeded):
    segment = seeded.create_segment()

    assert (
        seeded.target(
            seeded.made["campaign"], [seeded.destination(segment)["destinationSegmentId"]]
        ).status_code
        == 204
    )


def test_an_audience_below_three_hundred_is_held_not_served(make):
    sandbox = make(opt_out=0.0)
    sandbox.made = sandbox.seed()
    urn = ready_list(sandbox, 400, "USER")
    sandbox.target(sandbox.made["campaign"], [urn])

    assert sandbox.campaign(sandbox.made["campaign"])["servingStatuses"] == ["CAMPAIGN_AUDIENCE_COUNT_HOLD"]


def test_by_knob_an_audience_below_three_hundred_is_refused_on_save(make):
    sandbox = make(refuse_small_audience=True)
    made = sandbox.seed()
    urn = ready_list(sandbox, 100, "USER")
    reply = sandbox.target(made["campaign"], [urn])

    assert code_of(reply) == "AUDIENCE_SIZE_TOO_SMALL"
    assert "minimum audience size of 300" in reply.json()["message"]


def test_deleting_a_segment_changes_what_its_campaign_reaches(seeded):
    segment = seeded.ready_segment()
    seeded.push(segment, companies(100))
    seeded.pass_time(days=1)
    number = seeded.made["campaign"]
    seeded.target(number, [seeded.destination(segment)["destinationSegmentId"]])
    assert seeded.campaign(number)["servingStatuses"] == ["RUNNABLE"]
    seeded.li.delete(f"/rest/dmpSegments/{segment}")

    assert seeded.campaign(number)["servingStatuses"] == ["CAMPAIGN_AUDIENCE_COUNT_HOLD"]


def counts(sandbox, include, exclude=()):
    def listed(urns):
        return f"List({','.join(quote(u, safe='') for u in urns)})"

    key = quote(LIST_FACET, safe="")
    where = f"(or:({quote(FACET + 'locations', safe='')}:List(urn%3Ali%3Ageo%3A103644278)))"
    clauses = [where] + ([f"(or:({key}:{listed(include)}))"] if include else [])
    tree = f"(include:(and:List({','.join(clauses)}))" + (
        f",exclude:(or:({key}:{listed(exclude)})))" if exclude else ")"
    )
    return sandbox.li.get(f"/rest/audienceCounts?q=targetingCriteriaV2&targetingCriteria={tree}")


def test_audience_counts_follow_include_and_exclude(seeded):
    one, two = ready_list(seeded, 200), ready_list(seeded, 100)
    whole = counts(seeded, [one]).json()["elements"][0]["total"]
    rest = counts(seeded, [one], [two]).json()["elements"][0]["total"]
    excluded = counts(seeded, [two]).json()["elements"][0]["total"]
    anybody = counts(seeded, []).json()["elements"][0]["total"]

    assert abs(whole - rest - excluded) <= 0.06 * whole
    assert counts(seeded, [one], [one, two]).json()["elements"][0] == {"active": 0, "total": 0}
    assert anybody > 1_000_000


def test_audience_counts_know_one_finder_and_no_malformed_urn(seeded):
    assert seeded.li.get("/rest/audienceCounts?q=targetingCriteria").status_code == 400
    reply = counts(seeded, ["nonsense"])
    assert reply.status_code == 400
    assert "TargetingPartialComputationException" in reply.json()["message"]


def test_a_seniority_clause_narrows_a_company_list(seeded):
    urn = ready_list(seeded, 300)
    tree = targeting([urn])
    tree["include"]["and"].append({"or": {FACET + "seniorities": ["urn:li:seniority:8"]}})
    number = seeded.made["campaign"]
    before = counts(seeded, [urn]).json()["elements"][0]["total"]

    assert seeded.patch_campaign(number, {"targetingCriteria": tree}).status_code == 204
    assert audience_of(seeded.world, tree).members < 0.5 * before


def test_creatives_are_found_by_campaign_created_and_paused(seeded):
    number = seeded.made["campaign"]
    urn = quote(f"urn:li:sponsoredCampaign:{number}", safe="")
    found = seeded.li.get(f"{CREATIVES}?q=criteria&campaigns=List({urn})", headers=FINDER).json()["elements"]
    copy = seeded.li.post(CAMPAIGNS, json=campaign_body(seeded.made["campaign_group"])).headers["x-restli-id"]
    made = seeded.li.post(
        CREATIVES,
        json={
            "campaign": f"urn:li:sponsoredCampaign:{copy}",
            "content": found[0]["content"],
            "intendedStatus": "ACTIVE",
        },
    )
    shown = seeded.li.get(f"{CREATIVES}/{made.headers['x-restli-id']}").json()

    assert found[0]["id"].startswith("urn:li:sponsoredCreative:")
    assert made.headers["x-restli-id"] == quote(shown["id"], safe="")
    assert shown["content"] == found[0]["content"]
    paused = seeded.li.post(
        f"{CREATIVES}/{made.headers['x-restli-id']}",
        json={"patch": {"$set": {"intendedStatus": "PAUSED"}}},
        headers={"X-RestLi-Method": "PARTIAL_UPDATE"},
    )
    assert paused.status_code == 204
    asked = f"{CREATIVES}?q=criteria&intendedStatuses=List(PAUSED)"
    by_status = seeded.li.get(asked, headers=FINDER).json()["elements"]
    assert [c["id"] for c in by_status] == [shown["id"]]


def test_creatives_have_no_search_finder_and_refuse_read_only_fields(seeded):
    assert seeded.li.get(CREATIVES + "?q=search").json()["message"] == "No virtual resource found"
    number = seeded.made["campaign"]
    body = {
        "campaign": f"urn:li:sponsoredCampaign:{number}",
        "content": {"reference": "urn:li:share:1"},
        "intendedStatus": "ACTIVE",
    }
    assert seeded.li.post(CREATIVES, json={**body, "isServing": True}).status_code == 422
    assert (
        seeded.li.post(CREATIVES, json={**body, "campaign": "urn:li:sponsoredCampaign:1"}).status_code == 400
    )
    statuses = [seeded.li.post(CREATIVES, json=body).status_code for _ in range(11)]
    assert statuses == [201] * 10 + [400]


def test_accounts_and_groups_can_be_read(seeded):
    group = seeded.made["campaign_group"]

    assert [a["id"] for a in seeded.li.get("/rest/adAccounts?q=search").json()["elements"]] == [int(ACCOUNT)]
    shown = seeded.li.get(f"/rest/adAccounts/{ACCOUNT}/adCampaignGroups/{group}").json()
    assert shown["account"] == ACCOUNT_URN
    listed = seeded.li.get(f"/rest/adAccounts/{ACCOUNT}/adCampaignGroups?q=search").json()["elements"]
    assert [g["id"] for g in listed] == [group]


def test_targeting_entities_can_be_resolved_browsed_and_searched(seeded):
    ready_list(seeded, 50)
    base = "/rest/adTargetingEntities?"
    named = seeded.li.get(base + "q=urns&urns=List(urn%3Ali%3Afunction%3A13)").json()["elements"]
    browsed = seeded.li.get(
        base + f"q=adTargetingFacet&facet={quote(FACET + 'seniorities', safe='')}&count=100"
    )
    typed = seeded.li.get(base + f"q=typeahead&facet={quote(FACET + 'employers', safe='')}&query=company1")

    assert named == [{"urn": "urn:li:function:13", "name": "Information Technology"}]
    assert len(browsed.json()["elements"]) == 10
    assert typed.json()["elements"]


def test_company_intelligence_is_403_unless_provisioned(make):
    query = f"/rest/accountIntelligence?q=account&account={quote(ACCOUNT_URN, safe='')}"
    closed, open_ = make(), make(accounts_intelligence=True)
    for sandbox in (closed, open_):
        sandbox.made = sandbox.seed()
        urn = ready_list(sandbox, 100)
        sandbox.target(sandbox.made["campaign"], [urn])
        sandbox.pass_time(days=3)

    assert closed.li.get(query).status_code == 403
    reply = open_.li.get(query + "&filterCriteria=(lookbackWindow:LAST_30_DAYS)&start=0&count=1000").json()
    truth = {r["organization"]: r["impressions"] for r in open_.control("GET", "/truth/impressions")["rows"]}
    rows = {int(r["companyPageUrl"].rsplit("/", 1)[1]): r["paidImpressions"] for r in reply["elements"]}
    assert rows == truth
    only = open_.li.get(query + f"&filterCriteria=(adSegments:List({quote(urn, safe='')}))&count=1000").json()
    assert only["paging"]["total"] == sum(m["matched"] for m in open_.members(urn))
