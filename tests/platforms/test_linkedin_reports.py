"""LinkedIn reports on the wire: rows per company, exact totals beside them, and every doubt said aloud."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from platforms.errors import Garbled, Refused, Throttled
from platforms.linkedin import LinkedIn
from tests.platforms.scripted import HandClock, Script
from tests.platforms.wire_examples import example

JULY = (date(2026, 7, 1), date(2026, 7, 31))
PATH = "/rest/adAnalytics"
ROWS, TOTAL = example("linkedin_report_companies"), example("linkedin_report_campaign_total")


def report(elements: list[dict[str, Any]], **paging: Any) -> httpx.Response:
    return httpx.Response(
        200, json={"paging": {"start": 0, "count": 10, "links": [], **paging}, "elements": elements}
    )


def company_day(number: int, day: int, impressions: int = 5) -> dict[str, Any]:
    one = {"year": 2026, "month": 7, "day": day}
    return {
        "pivotValues": [f"urn:li:organization:{number}"],
        "dateRange": {"start": one, "end": one},
        "impressions": impressions,
    }


def test_a_window_is_asked_as_documented_and_read_with_its_total(linkedin: LinkedIn, script: Script) -> None:
    script.on("GET", PATH, ROWS, TOTAL)

    answer = linkedin.account_report(*JULY, grain="all", campaigns=["600000001"])

    assert script.targets() == [ROWS.path, TOTAL.path]
    big, small = answer.rows
    assert (big.entity, big.impressions, big.clicks, big.spend) == (
        "urn:li:organization:4242",
        1830,
        14,
        Decimal("91.40527"),
    )
    assert small.clicks is None
    assert small.spend is None
    assert small.day is None
    assert {row.campaign_id for row in answer.rows} == {"600000001"}
    assert answer.totals[0].impressions == 20000
    assert answer.totals[0].campaign_id == "600000001"
    assert answer.scope == ("600000001",)
    assert answer.list_depth == 100
    assert answer.warnings == ()


def test_the_whole_ad_account_is_measured_against_its_own_total(linkedin: LinkedIn, script: Script) -> None:
    script.on("GET", PATH, ROWS, example("linkedin_report_account_total"))

    answer = linkedin.account_report(*JULY, grain="all")

    assert script.targets()[1] == example("linkedin_report_account_total").path
    assert answer.rows[0].campaign_id is None
    assert answer.totals[0].campaign_id is None


def test_creatives_have_their_own_totals(linkedin: LinkedIn, script: Script) -> None:
    total = {**TOTAL.answer["elements"][0], "pivotValues": ["urn:li:sponsoredCreative:5"]}
    script.on("GET", PATH, ROWS, report([total]))

    answer = linkedin.account_report(*JULY, grain="all", creatives=["5"])

    assert "pivot=CREATIVE" in script.targets()[1]
    assert "creatives=List(urn%3Ali%3AsponsoredCreative%3A5)" in script.targets()[0]
    assert answer.totals[0].creative_id == "5"
    assert answer.rows[0].creative_id == "5"


def test_several_campaigns_come_back_merged_and_carry_no_id(linkedin: LinkedIn, script: Script) -> None:
    script.on("GET", PATH, ROWS, TOTAL)

    answer = linkedin.account_report(*JULY, grain="all", campaigns=["600000001", "600000002"])

    assert {row.campaign_id for row in answer.rows} == {None}


def test_days_are_put_on_daily_rows(linkedin: LinkedIn, script: Script) -> None:
    script.on("GET", PATH, report([company_day(1, 2), company_day(1, 1)]), report([]))

    answer = linkedin.account_report(*JULY, grain="daily")

    assert [row.day for row in answer.rows] == [date(2026, 7, 1), date(2026, 7, 2)]


def test_an_answer_that_ends_at_its_own_count_is_asked_again_with_a_larger_one(
    linkedin: LinkedIn, script: Script
) -> None:
    cut = report([company_day(i, 1) for i in range(10)])
    whole = report([company_day(i, 1) for i in range(25)], count=10_000)
    script.on("GET", PATH, cut, whole, report([]))

    answer = linkedin.account_report(*JULY, grain="daily")

    assert len(answer.rows) == 25
    assert answer.warnings == ()
    assert script.targets()[1].endswith("&count=10000")


def test_an_answer_that_stays_cut_is_reported_as_such(linkedin: LinkedIn, script: Script) -> None:
    script.on("GET", PATH, report([company_day(1, 1)], links=[{"rel": "next", "href": "/x"}]))

    assert "maybe_truncated:member_company" in linkedin.account_report(*JULY, grain="daily").warnings


def test_a_window_with_too_many_rows_is_halved_until_nothing_is_dropped(
    scripted_client: httpx.Client, script: Script, hand_clock: HandClock
) -> None:
    from platforms.linkedin import LinkedInSettings

    settings = LinkedInSettings("516848833", base_url="http://platform.test/rest", element_limit=8)
    small = LinkedIn(settings, scripted_client, hand_clock, hand_clock.sleep)

    def serve(request: httpx.Request) -> httpx.Response:
        query = request.url.raw_path.decode()
        if "MEMBER_COMPANY" not in query:
            return report([])
        first, last = (int(part.split(")")[0]) for part in query.split("day:")[1:3])
        every = [company_day(i, day) for day in range(first, last + 1) for i in range(3)]
        return report(every[-8:], count=10_000)  # the earliest are the ones that are missing

    script.on("GET", PATH, serve)
    answer = small.account_report(date(2026, 7, 1), date(2026, 7, 8), grain="daily")

    assert len(answer.rows) == 24
    assert answer.warnings == ()


def test_young_days_are_called_pending(linkedin: LinkedIn, script: Script, hand_clock: HandClock) -> None:
    script.on("GET", PATH, ROWS, TOTAL)
    end = hand_clock.now.date()

    assert "pending" in linkedin.account_report(end, end, grain="daily").warnings


def test_no_rows_beside_a_total_is_not_taken_for_nobody(linkedin: LinkedIn, script: Script) -> None:
    script.on("GET", PATH, report([]), TOTAL)

    assert linkedin.account_report(*JULY, grain="all").warnings == ("no_rows_beside_a_total",)


def test_a_window_the_platform_rounded_is_said(linkedin: LinkedIn, script: Script) -> None:
    script.on("GET", PATH, ROWS, TOTAL)

    answer = linkedin.account_report(date(2026, 7, 2), date(2026, 7, 31), grain="all")

    assert "window_rounded_by_platform" in answer.warnings


def test_the_volume_limit_is_waited_out_by_the_scheduler(linkedin: LinkedIn, script: Script) -> None:
    script.on("GET", PATH, example("linkedin_throttle_data"))

    with pytest.raises(Throttled) as caught:
        linkedin.account_report(*JULY, grain="all")
    assert caught.value.wait > 300.0
    assert len(script.requests) == 1


@pytest.mark.parametrize(
    "element",
    [{"pivotValues": []}, {"pivotValues": ["x"], "dateRange": {}}, {"pivotValues": ["x"], "dateRange": 5}],
)
def test_a_row_without_name_or_day_is_garbled_not_guessed(
    linkedin: LinkedIn, script: Script, element: dict[str, Any]
) -> None:
    script.on("GET", PATH, report([element]))

    with pytest.raises(Garbled):
        linkedin.account_report(*JULY, grain="daily")


def test_a_senseless_question_is_not_sent(linkedin: LinkedIn, script: Script) -> None:
    with pytest.raises(Refused):
        linkedin.account_report(JULY[1], JULY[0], grain="all")
    with pytest.raises(Refused):
        linkedin.account_report(*JULY, grain="all", campaigns=["1"], creatives=["2"])
    assert script.requests == []


def test_organizations_are_looked_up_by_number_and_missing_ones_are_unknown(
    linkedin: LinkedIn, script: Script
) -> None:
    wire = example("linkedin_organizations")
    script.play(wire)
    script.on("GET", "/rest/adTargetingEntities", httpx.Response(200, json={"elements": []}))
    urns = ["urn:li:organization:4242", "urn:li:organization:990017", "urn:li:organization:5"]

    found = linkedin.organizations(urns)

    assert script.targets()[:2] == [wire.path, "/rest/organizationsLookup?ids=List(5)"]
    assert "q=urns&urns=List(urn%3Ali%3Aorganization%3A5)&count=1" in script.targets()[2]
    assert found[urns[0]].name == "Northwind Labs"
    assert found[urns[0]].domain == "northwind.example"
    assert found[urns[1]].domain is None
    assert found[urns[1]].vanity == "northwind-showcase"
    assert found[urns[2]].name is None


def test_a_page_the_lookup_does_not_show_is_named_by_the_directory_of_employers(
    linkedin: LinkedIn, script: Script
) -> None:
    urn = "urn:li:organization:5"
    script.on("GET", "/rest/organizationsLookup", httpx.Response(200, json={"results": {}}))
    named = {
        "elements": [{"urn": urn, "name": "Northwind Labs", "facetUrn": "urn:li:adTargetingFacet:employers"}]
    }
    script.on("GET", "/rest/adTargetingEntities", httpx.Response(200, json=named))

    found = linkedin.organizations([urn])[urn]

    assert (found.name, found.domain, found.vanity) == ("Northwind Labs", None, None)


def test_an_app_that_may_not_batch_looks_organizations_up_one_by_one(
    linkedin: LinkedIn, script: Script
) -> None:
    refused = httpx.Response(403, json={"status": 403, "code": "ACCESS_DENIED", "serviceErrorCode": 100})
    page = example("linkedin_organizations").answer["results"]["4242"]
    script.on("GET", "/rest/organizationsLookup", refused)
    script.on("GET", "/rest/organizations/4242", httpx.Response(200, json=page))
    script.on("GET", "/rest/organizations/5", refused)
    script.on("GET", "/rest/adTargetingEntities", refused)

    found = linkedin.organizations(["urn:li:organization:4242", "urn:li:organization:5"])

    assert found["urn:li:organization:4242"].name == "Northwind Labs"
    assert found["urn:li:organization:5"].name is None
    assert len(script.sent("GET", "/rest/organizationsLookup")) == 1
