"""Limits of an ad account, its groups and creatives, and quotas of member and application."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.platforms.sandbox.calls import ACCOUNT, ACCOUNT_URN, PATCH, campaign_body, code_of

GROUPS = f"/rest/adAccounts/{ACCOUNT}/adCampaignGroups"
CAMPAIGNS = f"/rest/adAccounts/{ACCOUNT}/adCampaigns"
CREATIVES = f"/rest/adAccounts/{ACCOUNT}/creatives"
FINDER = {"X-RestLi-Method": "FINDER"}
BATCH = {"X-RestLi-Method": "BATCH_PARTIAL_UPDATE"}
FORM = {"destination": "urn:li:adForm:9", "label": "SIGN_UP"}


@pytest.fixture
def seeded(sandbox):
    sandbox.made = sandbox.seed(creatives=1)
    return sandbox


def creative(number, **more):
    return {
        "campaign": f"urn:li:sponsoredCampaign:{number}",
        "content": {"reference": "urn:li:share:1"},
        "intendedStatus": "ACTIVE",
        **more,
    }


def made(reply):
    assert reply.status_code == 201, reply.text
    return reply.headers["x-restli-id"]


def patched(sandbox, path, changes):
    return sandbox.li.post(path, json={"patch": {"$set": changes}}, headers=PATCH)


# --- groups -------------------------------------------------------------------------------


def test_a_group_is_changed_in_a_batch_and_its_pause_holds_its_campaigns(seeded):
    group, campaign = seeded.made["campaign_group"], seeded.made["campaign"]
    entities = {str(group): {"patch": {"$set": {"status": "PAUSED"}}}, "1": {"patch": {"$set": {}}}}
    reply = seeded.li.post(f"{GROUPS}?ids=List({group},1)", json={"entities": entities}, headers=BATCH).json()

    assert reply["results"] == {str(group): {"status": 204}}
    assert reply["errors"]["1"]["status"] == 404
    assert seeded.li.get(f"{GROUPS}/{group}").json()["status"] == "PAUSED"
    assert "CAMPAIGN_GROUP_STATUS_HOLD" in seeded.campaign(campaign)["servingStatuses"]


def test_a_single_group_update_is_refused_unless_the_knob_says_otherwise(seeded):
    path = f"{GROUPS}/{seeded.made['campaign_group']}"
    assert patched(seeded, path, {"name": "B"}).status_code == 400
    seeded.control("POST", "/knobs", {"groups_only_in_batches": False})

    assert patched(seeded, path, {"name": "B"}).status_code == 204
    assert seeded.li.get(path).json()["name"] == "B"
    assert code_of(patched(seeded, path, {"objectiveType": "ENGAGEMENT"})) == "FIELD_CANNOT_BE_CHANGED"
    assert patched(seeded, path, {"status": "CANCELLED"}).status_code == 422
    assert patched(seeded, path, {"unknown": 1}).status_code == 422
    assert code_of(patched(seeded, path, {"name": "x" * 101})) == "FIELD_VALUE_TOO_LONG"


# --- campaigns ----------------------------------------------------------------------------


def test_an_account_has_so_many_active_campaigns_and_a_group_so_many_in_all(make):
    sandbox = make(active_campaigns=2, group_campaigns=3)
    group = sandbox.seed()["campaign_group"]
    active = campaign_body(group, status="ACTIVE")

    assert sandbox.li.post(CAMPAIGNS, json=active).status_code == 201
    assert sandbox.li.post(CAMPAIGNS, json=active).status_code == 400
    draft = made(sandbox.li.post(CAMPAIGNS, json=campaign_body(group)))
    assert code_of(sandbox.patch_campaign(draft, {"status": "ACTIVE"})) == "STATUS_CHANGE_NOT_ALLOWED"
    assert sandbox.li.post(CAMPAIGNS, json=campaign_body(group)).status_code == 400


def test_the_old_targeting_object_is_refused_by_its_own_code(seeded):
    body = campaign_body(seeded.made["campaign_group"], targeting={})
    assert code_of(seeded.li.post(CAMPAIGNS, json=body)) == "TARGETING_FIELD_DEPRECATED"
    change = seeded.patch_campaign(seeded.made["campaign"], {"targeting": {}})
    assert code_of(change) == "TARGETING_FIELD_DEPRECATED"


def test_a_search_without_a_criterion_is_answered_unless_the_knob_says_otherwise(seeded):
    assert seeded.li.get(f"{CAMPAIGNS}?q=search&pageSize=10").status_code == 200
    seeded.control("POST", "/knobs", {"search_needs_criteria": True})

    assert seeded.li.get(f"{CAMPAIGNS}?q=search&pageSize=10").status_code == 400
    asked = f"{CAMPAIGNS}?q=search&search=(status:(values:List(ACTIVE)))&pageSize=10"
    assert len(seeded.li.get(asked).json()["elements"]) == 1


# --- creatives ----------------------------------------------------------------------------


def test_the_creatives_finder_wants_its_method_named_and_at_most_a_hundred_a_page(seeded):
    def status(query, headers=FINDER):
        return seeded.li.get(f"{CREATIVES}?{query}", headers=headers).status_code

    assert status("q=criteria", headers={}) == 400
    assert status("q=criteria&pageSize=100") == 200
    assert status("q=criteria&pageSize=101") == 400
    assert status("q=criteria&search=(x:1)") == 400


def test_a_lead_campaigns_creative_needs_its_form_and_keeps_it(seeded):
    group = seeded.made["campaign_group"]
    lead = made(seeded.li.post(CAMPAIGNS, json=campaign_body(group, objectiveType="LEAD_GENERATION")))

    assert code_of(seeded.li.post(CREATIVES, json=creative(lead))) == "MISSING_FIELD"
    urn = made(seeded.li.post(CREATIVES, json=creative(lead, leadgenCallToAction=FORM)))
    assert seeded.li.get(f"{CREATIVES}/{urn}").json()["leadgenCallToAction"] == FORM
    other = patched(seeded, f"{CREATIVES}/{urn}", {"leadgenCallToAction": {**FORM, "label": "APPLY"}})
    assert code_of(other) == "FIELD_CANNOT_BE_CHANGED"


def test_a_draft_is_not_reviewed_and_may_be_deleted_but_nothing_else_may(seeded):
    number = seeded.made["campaign"]
    draft = made(seeded.li.post(CREATIVES, json=creative(number, intendedStatus="DRAFT")))
    live = quote(f"urn:li:sponsoredCreative:{seeded.made['creatives'][0]}", safe="")

    shown = seeded.li.get(f"{CREATIVES}/{draft}").json()
    assert "review" not in shown
    assert shown["servingHoldReasons"] == ["STOPPED"]
    assert seeded.li.delete(f"{CREATIVES}/{draft}").status_code == 204
    assert seeded.li.get(f"{CREATIVES}/{draft}").status_code == 404
    assert code_of(seeded.li.delete(f"{CREATIVES}/{live}")) == "STATUS_CHANGE_NOT_ALLOWED"


def test_a_canceled_creative_is_hidden_unless_asked_for(seeded):
    live = quote(f"urn:li:sponsoredCreative:{seeded.made['creatives'][0]}", safe="")
    assert patched(seeded, f"{CREATIVES}/{live}", {"intendedStatus": "CANCELED"}).status_code == 204

    everything = seeded.li.get(f"{CREATIVES}?q=criteria", headers=FINDER).json()
    asked = f"{CREATIVES}?q=criteria&intendedStatuses=List(CANCELED)"
    assert everything["elements"] == []
    assert len(seeded.li.get(asked, headers=FINDER).json()["elements"]) == 1


def test_fifteen_creatives_of_a_campaign_are_active_however_they_became_so(seeded):
    number = seeded.made["campaign"]
    paused = made(seeded.li.post(CREATIVES, json=creative(number, intendedStatus="PAUSED")))
    for _ in range(14):
        made(seeded.li.post(CREATIVES, json=creative(number)))

    assert patched(seeded, f"{CREATIVES}/{paused}", {"intendedStatus": "ACTIVE"}).status_code == 400


# --- quotas and encodings -----------------------------------------------------------------


def test_the_application_has_a_day_quota_of_its_own_beside_each_members(make):
    sandbox = make(calls_per_day=3, application_calls_per_day=4)
    sandbox.seed()
    for who in ("one", "two"):
        body = {"token": who, "who": who, "scopes": ["rw_ads"]}
        sandbox.control("POST", "/tokens", body)

    def ask(who):
        reply = sandbox.li.get(f"{CAMPAIGNS}?q=search", headers={"Authorization": f"Bearer {who}"})
        return reply.json().get("message", "fine")

    said = [ask("one") for _ in range(4)] + [ask("two") for _ in range(2)]
    assert [("MEMBER DAY" in s, "APPLICATION DAY" in s) for s in said] == [
        *[(False, False)] * 3, (True, False), (False, False), (False, True),
    ]  # fmt: skip
    sandbox.pass_time(days=1)
    assert ask("one") == "fine"


def test_company_intelligence_takes_the_colons_of_its_record_encoded_or_not(make):
    sandbox = make(accounts_intelligence=True)
    campaign = sandbox.seed()["campaign"]
    base = f"/rest/accountIntelligence?q=account&account={quote(ACCOUNT_URN, safe='')}&filterCriteria="
    urn = quote(f"urn:li:sponsoredCampaign:{campaign}", safe="")
    lists = quote("urn:li:adSegment:1", safe="")
    for colon in (":", "%3A"):
        criteria = f"(lookbackWindow{colon}LAST_7_DAYS,campaign{colon}{urn},adSegments{colon}List({lists}))"
        assert sandbox.li.get(base + criteria).json()["elements"] == [], colon
