"""LinkedIn campaigns on the wire: read, re-targeted without losing anyone's targeting, budgeted, copied."""

from __future__ import annotations

from decimal import Decimal

import httpx
import pytest

from platforms.errors import Conflict, NotFound, Refused
from platforms.linkedin import LinkedIn
from tests.platforms.scripted import Script
from tests.platforms.wire_examples import example

CAMPAIGNS = "/rest/adAccounts/516848833/adCampaigns"
ONE = f"{CAMPAIGNS}/600000001"
CREATIVES = "/rest/adAccounts/516848833/creatives"
FACET = "urn:li:adTargetingFacet:audienceMatchingSegments"
GET, UPDATE = example("linkedin_campaign_get"), example("linkedin_campaign_update")


@pytest.fixture(autouse=True)
def served(script: Script) -> None:
    script.play(GET, UPDATE, example("linkedin_campaign_search"), example("linkedin_creatives_find"))
    script.play(example("linkedin_audience_count"), example("linkedin_campaign_group"))


def written(script: Script) -> list[dict[str, object]]:
    return [body["patch"]["$set"] for body in script.bodies("POST", ONE)]


def test_a_campaign_is_read_with_its_lists_budget_and_creatives(linkedin: LinkedIn, script: Script) -> None:
    campaign = linkedin.campaign("urn:li:sponsoredCampaign:600000001")

    assert campaign.campaign_id == "600000001"
    assert campaign.status == "active"
    assert campaign.daily_budget == Decimal("150.00")
    assert campaign.currency == "USD"
    assert campaign.include == ("urn:li:adSegment:8000001",)
    assert campaign.exclude == ("urn:li:adSegment:999",)
    assert campaign.creatives == ("500000011", "500000012")
    assert campaign.audience_expansion is True
    assert campaign.offsite_delivery is False
    assert script.targets() == [GET.path, example("linkedin_creatives_find").path]


def test_a_campaign_that_is_not_there_is_named(linkedin: LinkedIn, script: Script) -> None:
    script.on("GET", ONE, httpx.Response(404, json={"code": "NOT_FOUND"}))
    with pytest.raises(NotFound, match=r"no campaign 600000001 in this ad account.*Check the id"):
        linkedin.campaign("600000001")


def test_every_page_of_campaigns_is_read(linkedin: LinkedIn, script: Script) -> None:
    row = GET.answer
    pages = [
        httpx.Response(200, json={"elements": [row], "metadata": {"nextPageToken": "t2"}}),
        httpx.Response(200, json={"elements": [{**row, "id": 600000009}], "metadata": {}}),
    ]
    script.on("GET", CAMPAIGNS, *pages)

    assert [c.campaign_id for c in linkedin.list_campaigns()] == ["600000001", "600000009"]
    assert script.targets()[1].endswith("&pageToken=t2")


def test_our_list_is_swapped_and_everything_else_stays(linkedin: LinkedIn, script: Script) -> None:
    linkedin.set_targets(
        "600000001",
        include=["urn:li:adSegment:1"],
        exclude=["urn:li:adSegment:2"],
        ours=["urn:li:adSegment:8000001"],
    )

    criteria = GET.answer["targetingCriteria"]
    changed = written(script)[0]["targetingCriteria"]
    and_before, and_after = criteria["include"]["and"], changed["include"]["and"]
    assert [clause for clause in and_after if FACET not in clause["or"]] == [
        clause for clause in and_before if FACET not in clause["or"]
    ]
    assert [clause["or"][FACET] for clause in and_after if FACET in clause["or"]] == [["urn:li:adSegment:1"]]
    assert changed["exclude"]["or"][FACET] == ["urn:li:adSegment:999", "urn:li:adSegment:2"]
    assert script.sent("POST", ONE)[0].headers["X-RestLi-Method"] == "PARTIAL_UPDATE"


def test_a_list_that_is_not_ours_is_kept_and_still_narrows_the_campaign(
    linkedin: LinkedIn, script: Script
) -> None:
    linkedin.set_targets("600000001", include=["urn:li:adSegment:1"])

    clauses = written(script)[0]["targetingCriteria"]["include"]["and"]
    assert [c["or"][FACET] for c in clauses if FACET in c["or"]] == [
        ["urn:li:adSegment:8000001"],
        ["urn:li:adSegment:1"],
    ]


def test_nothing_is_written_when_the_targeting_is_right_already(linkedin: LinkedIn, script: Script) -> None:
    linkedin.set_targets("600000001", include=["urn:li:adSegment:8000001"], exclude=["urn:li:adSegment:999"])
    linkedin.set_daily_budget("600000001", Decimal("150"))
    linkedin.set_status("600000001", "active")

    assert script.sent("POST", ONE) == []


def test_a_write_conflict_is_read_and_written_once_more(linkedin: LinkedIn, script: Script) -> None:
    script.on("POST", ONE, example("linkedin_campaign_conflict"), UPDATE)
    theirs = {**GET.answer["targetingCriteria"], "exclude": {"or": {FACET: ["urn:li:adSegment:777"]}}}
    script.on("GET", ONE, GET, httpx.Response(200, json={**GET.answer, "targetingCriteria": theirs}))

    linkedin.set_targets("600000001", exclude=["urn:li:adSegment:2"])

    last = written(script)[-1]["targetingCriteria"]
    assert last["exclude"]["or"][FACET] == ["urn:li:adSegment:777", "urn:li:adSegment:2"]


def test_a_second_conflict_is_handed_up(linkedin: LinkedIn, script: Script) -> None:
    script.on("POST", ONE, example("linkedin_campaign_conflict"))

    with pytest.raises(Conflict):
        linkedin.set_targets("600000001", exclude=["urn:li:adSegment:2"])
    assert len(script.sent("POST", ONE)) == 2


def test_the_interface_locale_is_never_missing_from_an_update(linkedin: LinkedIn, script: Script) -> None:
    bare = {"include": {"and": [{"or": {FACET: ["urn:li:adSegment:8000001"]}}]}}
    script.on("GET", ONE, httpx.Response(200, json={**GET.answer, "targetingCriteria": bare}))

    linkedin.set_targets("600000001", exclude=["urn:li:adSegment:2"])

    clauses = written(script)[0]["targetingCriteria"]["include"]["and"]
    assert {"or": {"urn:li:adTargetingFacet:interfaceLocales": ["urn:li:locale:en_US"]}} in clauses


@pytest.mark.parametrize(
    "targets",
    [
        {"include": [], "ours": ["urn:li:adSegment:8000001"]},  # would open the campaign to everyone
        {"include": ["urn:li:adSegment:5"], "exclude": ["urn:li:adSegment:5"]},
    ],
)
def test_targeting_that_would_do_harm_is_refused_before_anything_is_sent(
    linkedin: LinkedIn, script: Script, targets: dict[str, list[str]]
) -> None:
    with pytest.raises(Refused):
        linkedin.set_targets("600000001", **targets)
    assert script.sent("POST", ONE) == []


def test_a_budget_is_written_as_documented_in_the_campaigns_currency(
    linkedin: LinkedIn, script: Script
) -> None:
    linkedin.set_daily_budget("600000001", Decimal("120.499999"))

    assert script.bodies("POST", ONE) == [UPDATE.sent]


def test_a_campaign_is_paused_with_one_field(linkedin: LinkedIn, script: Script) -> None:
    linkedin.set_status("600000001", "paused")

    assert written(script) == [{"status": "PAUSED"}]
    with pytest.raises(Refused):
        linkedin.set_status("600000001", "archived")


def test_a_copy_is_a_draft_with_the_creatives_and_without_audience_expansion(
    linkedin: LinkedIn, script: Script
) -> None:
    create, creative = example("linkedin_campaign_create"), example("linkedin_creative_create")
    nothing = httpx.Response(200, json={"elements": [], "metadata": {}})
    script.play(create, creative)
    script.on("GET", CREATIVES, nothing, example("linkedin_creatives_find"))
    script.on("GET", f"{CAMPAIGNS}/600000002", httpx.Response(200, json={**GET.answer, "id": 600000002}))

    copy = linkedin.clone("600000001", "ABM band 0", reference="plan-7/0")

    assert copy.campaign_id == "600000002"
    assert script.bodies("POST", CAMPAIGNS) == [create.sent]
    assert script.bodies("POST", CREATIVES)[0] == creative.sent
    assert len(script.sent("POST", CREATIVES)) == 2


def test_an_interrupted_copy_is_completed_not_made_twice(linkedin: LinkedIn, script: Script) -> None:
    copy = {**GET.answer, "id": 600000002, "name": "ABM band 0 [plan-7/0]"}
    script.on("GET", CAMPAIGNS, httpx.Response(200, json={"elements": [GET.answer, copy], "metadata": {}}))
    script.on("GET", f"{CAMPAIGNS}/600000002", httpx.Response(200, json=copy))
    both = example("linkedin_creatives_find").answer["elements"]
    half = [{**both[0], "campaign": "urn:li:sponsoredCampaign:600000002"}]
    script.on(
        "GET",
        CREATIVES,
        httpx.Response(200, json={"elements": half, "metadata": {}}),
        example("linkedin_creatives_find"),
    )
    script.play(example("linkedin_creative_create"))

    linkedin.clone("600000001", "ABM band 0", reference="plan-7/0")

    assert script.sent("POST", CAMPAIGNS) == []
    assert [body["content"] for body in script.bodies("POST", CREATIVES)] == [both[1]["content"]]


def test_a_copy_whose_answer_was_lost_is_found_by_its_reference(linkedin: LinkedIn, script: Script) -> None:
    copy = {**GET.answer, "id": 600000002, "name": "ABM band 0 [plan-7/0]"}
    script.on(
        "GET",
        CAMPAIGNS,
        example("linkedin_campaign_search"),
        httpx.Response(200, json={"elements": [copy], "metadata": {}}),
    )
    script.on("POST", CAMPAIGNS, httpx.ReadTimeout("lost"))
    script.on("GET", f"{CAMPAIGNS}/600000002", httpx.Response(200, json=copy))

    assert linkedin.clone("600000001", "ABM band 0", reference="plan-7/0").campaign_id == "600000002"
    assert len(script.sent("POST", CAMPAIGNS)) == 1


def test_an_audience_is_counted_with_the_proposed_lists(linkedin: LinkedIn, script: Script) -> None:
    script.play(example("linkedin_audience_count"))

    count = linkedin.audience_count(
        "600000001", include=["urn:li:adSegment:1"], exclude=["urn:li:adSegment:2"]
    )

    assert count == 25312600
    asked = script.targets()[-1]
    assert "q=targetingCriteriaV2&targetingCriteria=(include:(and:List((or:(urn%3Ali" in asked
    assert "audienceMatchingSegments:List(urn%3Ali%3AadSegment%3A1)" in asked
    assert "8000001" not in asked
    assert "adSegment%3A999" not in asked


def test_an_audience_of_zero_is_not_a_measurement(linkedin: LinkedIn, script: Script) -> None:
    script.on(
        "GET", "/rest/audienceCounts", httpx.Response(200, json={"elements": [{"active": 0, "total": 0}]})
    )

    assert linkedin.audience_count("600000001", include=[], exclude=[]) is None


def test_a_question_too_long_for_an_address_is_tunnelled(linkedin: LinkedIn, script: Script) -> None:
    script.on("POST", "/rest/audienceCounts", example("linkedin_audience_count"))

    linkedin.audience_count("600000001", include=[f"urn:li:adSegment:{i}" for i in range(200)], exclude=[])

    request = script.sent("POST", "/rest/audienceCounts")[0]
    assert request.headers["X-HTTP-Method-Override"] == "GET"
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert request.content.startswith(b"q=targetingCriteriaV2&targetingCriteria=(include:(and:List(")
