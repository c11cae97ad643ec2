"""Splitting a LinkedIn campaign: which creatives come along, and whose money a copy would spend."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from platforms.errors import Refused
from platforms.linkedin import LinkedIn
from tests.platforms.scripted import Script
from tests.platforms.wire_examples import example

ACCOUNT = "/rest/adAccounts/516848833"
CAMPAIGNS, CREATIVES = f"{ACCOUNT}/adCampaigns", f"{ACCOUNT}/creatives"
ONE, GROUP = f"{CAMPAIGNS}/600000001", f"{ACCOUNT}/adCampaignGroups/700000001"
GET, FOUND = example("linkedin_campaign_get"), example("linkedin_creatives_find")
LEAD_FORM = {"destination": "urn:li:adForm:9", "label": "SIGN_UP"}


@pytest.fixture(autouse=True)
def served(script: Script) -> None:
    script.play(GET, example("linkedin_campaign_update"), example("linkedin_campaign_search"))
    script.play(example("linkedin_campaign_create"), example("linkedin_creative_create"))
    script.play(example("linkedin_campaign_group"))
    script.on("GET", f"{CAMPAIGNS}/600000002", answered({**GET.answer, "id": 600000002}))


def answered(body: Any) -> httpx.Response:
    return httpx.Response(200, json=body)


def listed(*rows: Any) -> httpx.Response:
    return answered({"elements": list(rows), "metadata": {}})


def copied(linkedin: LinkedIn, script: Script, *rows: Any) -> list[Any]:
    script.on("GET", CREATIVES, listed(), listed(*rows))
    linkedin.clone("600000001", "ABM band 0", reference="plan-7/0")
    return script.bodies("POST", CREATIVES)


def test_creatives_are_asked_for_in_pages_linkedin_allows_by_a_named_finder(
    linkedin: LinkedIn, script: Script
) -> None:
    script.on("GET", CREATIVES, FOUND)
    linkedin.campaign("600000001")

    request = script.sent("GET", CREATIVES)[0]
    assert request.url.raw_path.decode() == FOUND.path
    assert request.headers["X-RestLi-Method"] == "FINDER"


def test_the_creatives_of_many_campaigns_are_asked_for_in_several_calls(
    linkedin: LinkedIn, script: Script
) -> None:
    script.on("GET", CAMPAIGNS, listed(*({**GET.answer, "id": 600000001 + i} for i in range(120))))
    script.on("GET", CREATIVES, listed())

    linkedin.list_campaigns()

    assert [r.url.raw_path.count(b"sponsoredCampaign") for r in script.sent("GET", CREATIVES)] == [50, 50, 20]


def test_a_copy_takes_the_living_creatives_with_their_names_and_forms(
    linkedin: LinkedIn, script: Script
) -> None:
    rows = FOUND.answer["elements"]
    dead = [{**rows[0], "intendedStatus": status} for status in ("ARCHIVED", "CANCELED", "REMOVED")]
    form = {**rows[0], "leadgenCallToAction": LEAD_FORM, "intendedStatus": "PAUSED"}

    sent = copied(linkedin, script, *dead, form)

    assert sent == [
        {
            "campaign": "urn:li:sponsoredCampaign:600000002",
            "content": rows[0]["content"],
            "intendedStatus": "PAUSED",
            "leadgenCallToAction": LEAD_FORM,
            "name": "Creative 1",
        }
    ]


def test_one_post_behind_two_forms_is_two_creatives(linkedin: LinkedIn, script: Script) -> None:
    row = FOUND.answer["elements"][0]
    other = {**LEAD_FORM, "destination": "urn:li:adForm:10"}
    pair = [{**row, "leadgenCallToAction": form} for form in (LEAD_FORM, other)]
    script.on("GET", CREATIVES, listed(pair[0]), listed(*pair))

    linkedin.clone("600000001", "ABM band 0", reference="plan-7/0")

    assert [body["leadgenCallToAction"] for body in script.bodies("POST", CREATIVES)] == [other]


@pytest.mark.parametrize(
    ("where", "answer", "code"),
    [
        (ONE, {**GET.answer, "totalBudget": {"amount": "5000", "currencyCode": "USD"}}, "total_budget"),
        (GROUP, {"budgetOptimization": {"budgetOptimizationStrategy": "DYNAMIC"}}, "group_budget"),
    ],
)
def test_a_campaign_whose_money_is_not_its_own_per_day_is_not_split(
    linkedin: LinkedIn, script: Script, where: str, answer: Any, code: str
) -> None:
    script.on("GET", where, answered(answer))

    with pytest.raises(Refused) as caught:
        linkedin.clone("600000001", "ABM band 0", reference="plan-7/0")

    assert caught.value.code == code
    assert script.sent("POST", CAMPAIGNS) == []
