"""List files, Company Intelligence and Google's numbers on the wire, as published."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import httpx
import pytest

from audiences.model import AudienceSpec, MemberKind
from platforms.errors import Garbled, NoPermission, Refused
from platforms.google import Google
from platforms.linkedin import LinkedIn, LinkedInSettings
from tests.platforms.members import company, mail, person
from tests.platforms.scripted import HandClock, Script
from tests.platforms.wire_examples import example

SPEC = AudienceSpec("linkedin/tier-1/company", "linkedin", "T", MemberKind.COMPANY)
FIRMS = [company(("name", f"Firm {i}"), ("domain", f"f{i}.example")) for i in range(300)]
ATTACH = "/rest/dmpSegments/11205/listUploads"
STREAM = "/v26/customers/1234567890/googleAds:searchStream"


@pytest.fixture
def uploading(scripted_client: httpx.Client, script: Script, hand_clock: HandClock) -> LinkedIn:
    """The published answers in their places; the file goes to the address LinkedIn gives."""
    script.play(example("linkedin_segment_find_none"), example("linkedin_upload_file"))
    script.play(example("linkedin_upload_attach"))
    script.on(
        "POST",
        "/rest/dmpSegments",
        example("linkedin_upload_url"),
        httpx.Response(201, headers={"x-restli-id": "11205"}),
    )
    segment = {**example("linkedin_segment_get").answer, "id": 11205, "type": "COMPANY_LIST_UPLOAD"}
    script.on("GET", "/rest/dmpSegments/11205", httpx.Response(200, json=segment))
    settings = LinkedInSettings("516848833", base_url="http://platform.test/rest")
    return LinkedIn(settings, scripted_client, hand_clock, hand_clock.sleep)


def test_a_list_file_is_sent_where_linkedin_says_and_attached(uploading: LinkedIn, script: Script) -> None:
    state = uploading.upload(SPEC, FIRMS)

    assert state.external_id == "11205"
    (sent,) = script.sent("POST", "/ambry/")
    assert sent.headers["Content-Type"] == "text/csv"
    lines = sent.content.decode().splitlines()
    assert lines[0].startswith("companyname,companywebsite,companyemaildomain,linkedincompanypageurl")
    assert len(lines) == 301
    assert script.bodies("POST", ATTACH) == [example("linkedin_upload_attach").sent]
    ask, made = script.bodies("POST", "/rest/dmpSegments")
    assert ask == example("linkedin_upload_url").sent
    assert (made["type"], made["sourcePlatform"]) == ("COMPANY_LIST_UPLOAD", "LIST_UPLOAD")


def test_a_segment_whose_file_cannot_be_attached_is_taken_away_again(
    uploading: LinkedIn, script: Script
) -> None:
    script.on("POST", ATTACH, httpx.Response(400, json={"status": 400, "code": "ILLEGAL_ARGUMENT"}))
    script.on("DELETE", "/rest/dmpSegments/11205", httpx.Response(204))

    with pytest.raises(Refused):
        uploading.upload(SPEC, FIRMS)
    assert len(script.sent("DELETE", "/rest/dmpSegments/11205")) == 1


def test_a_list_file_and_the_token_only_go_to_linkedins_own_host(uploading: LinkedIn, script: Script) -> None:
    elsewhere = {"value": "https://www.linkedin.com.evil.example/ambry/?x=1"}
    script.on("POST", "/rest/dmpSegments", httpx.Response(200, json=elsewhere))

    with pytest.raises(Garbled):
        uploading.upload(SPEC, FIRMS)
    assert len(script.requests) == 1


@pytest.mark.parametrize("count", [0, 299])
def test_a_list_file_too_short_for_linkedin_is_not_sent(
    uploading: LinkedIn, script: Script, count: int
) -> None:
    with pytest.raises(Refused):
        uploading.upload(SPEC, FIRMS[:count])
    assert script.requests == []


def test_people_are_uploaded_by_their_hashes(uploading: LinkedIn, script: Script) -> None:
    spec = AudienceSpec("linkedin/tier-1/contact", "linkedin", "T", MemberKind.CONTACT)
    uploading.upload(spec, [person(("email_sha256", mail(i)), ("country", "DE")) for i in range(300)])

    lines = script.sent("POST", "/ambry/")[0].content.decode().splitlines()
    assert lines[1] == f"{mail(0)},,,,,DE,"


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
