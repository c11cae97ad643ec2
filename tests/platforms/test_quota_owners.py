"""Whose quota a call draws on: (member, app, endpoint), for every call of both platforms, by every process."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest

from platforms import PLATFORMS
from platforms.errors import ListLimitReached, PlatformError, QuotaSpent, VersionSunset
from platforms.google import Google, GoogleSettings
from platforms.http import make_client
from platforms.linkedin import LinkedIn, LinkedInSettings
from platforms.pacing import InMemoryQuota
from tests.platforms.members import batch, company
from tests.platforms.scripted import HandClock, Script
from tests.platforms.test_strange_answers import LISTED, SENT
from tests.platforms.wire_examples import Example, example

DAY = example("linkedin_throttle_day")
JULY = (date(2026, 7, 1), date(2026, 7, 31))
CALLS: dict[str, Callable[[LinkedIn], object]] = {
    "adAccounts": lambda p: p.check(),
    "dmpSegments": lambda p: p.state("a", "9000001"),
    "companies": lambda p: p.push(SENT),
    "adCampaigns": lambda p: p.set_status("600000001", "paused"),
    "adAnalytics": lambda p: p.account_report(*JULY, grain="all"),
    "organizationsLookup": lambda p: p.organizations(["urn:li:organization:4242"]),
    "accountIntelligence": lambda p: p.intelligence_report("LAST_7_DAYS"),
}


class Wire:
    """Everything is answered alike; the endpoints that were asked are kept."""

    def __init__(self, answer: Example) -> None:
        self.answer, self.asked = answer, list[str]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        return self.answer.response()


def linkedin(wire: Wire, clock: HandClock, quota: InMemoryQuota, **more: Any) -> LinkedIn:
    wanted = LinkedInSettings(
        "516848833",
        base_url="http://platform.test/rest",
        company_intelligence=True,
        **{"member": "m", "app": "a", **more},
    )
    client = make_client("http://platform.test", transport=httpx.MockTransport(wire))
    return LinkedIn(wanted, client, clock, clock.sleep, quota=quota)


@pytest.mark.parametrize("endpoint", CALLS)
def test_a_spent_day_on_any_endpoint_stops_every_process_of_the_member_until_midnight_utc(
    endpoint: str, hand_clock: HandClock
) -> None:
    wire, quota = Wire(DAY), InMemoryQuota()
    first, second = (linkedin(wire, hand_clock, quota) for _ in range(2))
    with pytest.raises(QuotaSpent) as caught:
        CALLS[endpoint](first)
    assert caught.value.reset_at == datetime(2026, 8, 21, tzinfo=UTC)
    assert len(wire.asked) == 1

    with pytest.raises(QuotaSpent) as caught:
        CALLS[endpoint](second)
    assert caught.value.code == "closed"
    assert len(wire.asked) == 1, "nothing is sent while the quota is closed"

    for other in ({"member": "somebody else"}, {"app": "another app"}):
        with pytest.raises(QuotaSpent):
            CALLS[endpoint](linkedin(wire, hand_clock, quota, **other))
    assert len(wire.asked) == 3, "another member or app has a quota of its own"

    hand_clock.now = datetime(2026, 8, 21, tzinfo=UTC)
    with pytest.raises(QuotaSpent):
        CALLS[endpoint](second)
    assert len(wire.asked) == 4, "the next day it is asked again"


def test_one_endpoint_that_is_spent_leaves_the_others_open(hand_clock: HandClock) -> None:
    wire, quota = Wire(DAY), InMemoryQuota()
    platform = linkedin(wire, hand_clock, quota)
    for act in CALLS.values():
        with pytest.raises(QuotaSpent):
            act(platform)
    assert len(wire.asked) == len(CALLS)


@pytest.mark.parametrize(
    ("answer", "error"),
    [("linkedin_segment_limit", ListLimitReached), ("linkedin_version_sunset", VersionSunset)],
)
def test_what_only_a_person_can_cure_is_sent_once_and_closes_nothing(
    hand_clock: HandClock, answer: str, error: type[PlatformError]
) -> None:
    wire = Wire(example(answer))
    platform = linkedin(wire, hand_clock, InMemoryQuota())
    for times in (1, 2):
        with pytest.raises(error) as caught:
            platform.find_or_create(LISTED)
        assert not caught.value.retryable
        assert len(wire.asked) == times
    assert hand_clock.slept == []


def test_googles_numbers_per_list_draw_on_a_quota_of_their_own(hand_clock: HandClock) -> None:
    wire, quota = Wire(example("google_quota_day")), InMemoryQuota()
    wanted = GoogleSettings("1", base_url="http://platform.test/v1", ads_base_url="http://platform.test")
    client = make_client("http://platform.test", transport=httpx.MockTransport(wire))
    platform = Google(wanted, client, hand_clock, hand_clock.sleep, quota=quota)
    for _ in range(2):
        with pytest.raises(QuotaSpent):
            platform.list_sizes()
    assert len(wire.asked) == 1
    with pytest.raises(QuotaSpent):
        platform.state("a", "7")
    assert len(wire.asked) == 2


def test_whose_quota_it_is_is_asked_as_published(
    scripted_client: httpx.Client, hand_clock: HandClock, script: Script
) -> None:
    published = example("linkedin_account_users")
    wanted = LinkedInSettings("516848833", base_url="http://platform.test/rest")
    platform = LinkedIn(wanted, scripted_client, hand_clock, hand_clock.sleep)
    script.play(published)
    assert platform.member() == "urn:li:person:ABC123def"
    assert script.targets() == [published.path]
    script.on("GET", "/rest/adAccountUsers", httpx.Response(200, json={"elements": []}))
    assert platform.member() == "", "a person without a role on any ad account"


def test_an_empty_push_draws_on_nothing(hand_clock: HandClock) -> None:
    wire = Wire(DAY)
    nobody = company(("country", "US"))
    receipt = linkedin(wire, hand_clock, InMemoryQuota()).push(batch(SENT.op, nobody))
    assert wire.asked == []
    assert receipt.results[0].reason == "no_usable_identifier"


def test_the_quotas_a_record_names_are_the_ones_that_are_kept() -> None:
    linkedin, google = LinkedInSettings("1"), GoogleSettings("1")
    for name, kept in (
        ("linkedin", (linkedin.companies_per_minute, linkedin.users_per_minute, 100 * linkedin.headroom)),
        ("google", (google.requests_per_minute, 100 * google.headroom)),
    ):
        told = " ".join(PLATFORMS[name].capabilities().quotas)
        assert all(f" {number:.0f} " in told for number in kept)
