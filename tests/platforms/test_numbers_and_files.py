"""Company Intelligence and Google's numbers on the wire, as published."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import httpx
import pytest

from platforms.errors import NoPermission, Refused
from platforms.google import Google
from platforms.linkedin import LinkedIn, LinkedInSettings
from tests.platforms.scripted import HandClock, Script
from tests.platforms.wire_examples import example

STREAM = "/v26/customers/1234567890/googleAds:searchStream"


def test_company_intelligence_is_off_until_switched_on(
    linkedin: LinkedIn, scripted_client: httpx.Client, script: Script, hand_clock: HandClock
) -> None:
    with pytest.raises(NoPermission):
        linkedin.intelligence_report("LAST_30_DAYS")
    assert script.requests == []

    wire = example("linkedin_company_intelligence")
    script.play(wire)
    settings = LinkedInSettings("516848833", base_url="http://platform.test/rest", company_intelligence=True)
    granted = LinkedIn(settings, scripted_client, hand_clock, hand_clock.sleep)
    report = granted.intelligence_report("LAST_30_DAYS")

    assert script.targets() == [wire.path]
    assert [(row.entity, row.impressions, row.clicks) for row in report.rows] == [
        ("urn:li:organization:4242", 1830, 14),
        ("Quoted, Inc.", 57, None),
    ]
    assert (report.start, report.end) == (date(2026, 7, 21), date(2026, 8, 19))
    with pytest.raises(Refused):
        granted.intelligence_report("LAST_3_DAYS")


def test_intelligence_can_be_narrowed_to_lists_and_a_campaign(
    scripted_client: httpx.Client, script: Script, hand_clock: HandClock
) -> None:
    script.play(example("linkedin_company_intelligence"))
    settings = LinkedInSettings("516848833", base_url="http://platform.test/rest", company_intelligence=True)
    granted = LinkedIn(settings, scripted_client, hand_clock, hand_clock.sleep)
    granted.intelligence_report("LAST_7_DAYS", lists=["urn:li:adSegment:111"], campaign="600000001")

    assert (
        "filterCriteria=(lookbackWindow:LAST_7_DAYS,adSegments:List(urn%3Ali%3AadSegment%3A111),"
        "campaign:urn%3Ali%3AsponsoredCampaign%3A600000001)" in script.targets()[0]
    )


def test_googles_performance_is_read_per_list_in_the_accounts_currency(
    google: Google, script: Script
) -> None:
    script.play(example("google_search_stream"))

    (row,) = google.audience_performance(date(2026, 7, 1), date(2026, 7, 31))

    query = script.bodies("POST", STREAM)[0]["query"]
    assert "FROM ad_group_audience_view WHERE segments.date BETWEEN '2026-07-01' AND '2026-07-31'" in query
    assert (row.list_id, row.campaign_id, row.ad_group_id, row.day) == ("456", "9", "77", date(2026, 7, 1))
    assert (row.impressions, row.clicks, row.cost) == (1204, 9, Decimal("8.12"))


def test_googles_campaign_level_has_its_own_view(google: Google, script: Script) -> None:
    script.on("POST", STREAM, httpx.Response(200, json=[{"fieldMask": "x"}]))

    assert google.audience_performance(date(2026, 7, 1), date(2026, 7, 2), level="campaign") == ()
    query = script.bodies("POST", STREAM)[0]["query"]
    assert "FROM campaign_audience_view" in query
    assert "ad_group" not in query


def test_a_size_google_does_not_tell_is_unknown_not_zero(google: Google, script: Script) -> None:
    lists = [{"userList": {"id": "7", "name": "A", "sizeForDisplay": "1200", "membershipStatus": "OPEN"}}]
    script.on("POST", STREAM, httpx.Response(200, json=[{"results": lists}]))

    (size,) = google.list_sizes()
    assert (size.list_id, size.for_display, size.for_search, size.match_rate) == ("7", 1200, None, None)
