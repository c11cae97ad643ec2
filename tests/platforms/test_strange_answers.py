"""Answers of any shape: a result or one of our errors; no JSON of a platform crashes an adapter."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiences.model import AudienceSpec, MemberKind, Op
from platforms.errors import PlatformError
from platforms.google import Google, GoogleSettings
from platforms.http import Retry, make_client
from platforms.linkedin import LinkedIn, LinkedInSettings
from platforms.linkedin.uploads import Uploads
from tests.platforms.members import batch, company, mail, person
from tests.platforms.wire_examples import every_example, example

NOW = datetime(2026, 8, 20, 12, tzinfo=UTC)
ONCE = Retry(attempts=1)
LISTED = AudienceSpec("linkedin/tier-1/company", "linkedin", "T", MemberKind.COMPANY)
PEOPLE = AudienceSpec("google/tier-1/contact", "google", "T", MemberKind.CONTACT)
JULY = (date(2026, 7, 1), date(2026, 7, 31))
SENT = batch(Op.ADD, company(("domain", "a.example")), company(("domain", "b.example")))
SENT_PEOPLE = batch(
    Op.ADD, *(person(("email_sha256", mail(i))) for i in range(3)), kind=MemberKind.CONTACT, external_id="7"
)

FIRMS = batch(Op.ADD, *(company(("name", f"c{i}")) for i in range(300)))


def _uploaded(platform: LinkedIn) -> object:
    """The same platform, its lists sent as files."""
    with tempfile.TemporaryDirectory() as folder:
        platform._lists = Uploads(platform._settings, platform._rest, platform._lists, Path(folder))  # type: ignore[arg-type]
        receipt = platform.push(FIRMS)
        return platform.settle(FIRMS, receipt.request_id or "")


LINKEDIN_CALLS: dict[str, Callable[[LinkedIn], object]] = {
    "linkedin_segment_find": lambda p: p.find_or_create(LISTED),
    "linkedin_segment_get": lambda p: p.state("a", "9000001"),
    "linkedin_companies_push": lambda p: p.push(SENT),
    "linkedin_campaign_get": lambda p: p.set_targets("600000001", include=["urn:li:adSegment:8000001"]),
    "linkedin_campaign_search": lambda p: p.list_campaigns(),
    "linkedin_creatives_find": lambda p: p.campaign("600000001"),
    "linkedin_campaign_group": lambda p: p.clone("600000001", "band", reference="r"),
    "linkedin_audience_count": lambda p: p.audience_count("600000001", include=[], exclude=[]),
    "linkedin_report_companies": lambda p: p.account_report(*JULY, grain="daily"),
    "linkedin_organizations": lambda p: p.organizations(["urn:li:organization:4242"]),
    "linkedin_company_intelligence": lambda p: p.intelligence_report("LAST_7_DAYS"),
    "linkedin_upload_url": lambda p: _uploaded(p),
    "linkedin_ad_account": lambda p: p.check(),
    "linkedin_account_users": lambda p: p.member(),
}
GOOGLE_CALLS: dict[str, Callable[[Google], object]] = {
    "google_lists_find": lambda p: p.find_or_create(PEOPLE),
    "google_list_get": lambda p: p.state("a", "7090784486"),
    "google_ingest": lambda p: p.push(SENT_PEOPLE),
    "google_status_partial_indices": lambda p: p.settle(SENT_PEOPLE, "opaque-1"),
    "google_status_failed": lambda p: p.settle(SENT_PEOPLE, "opaque-1"),
    "google_search_stream": lambda p: (p.audience_performance(*JULY), p.list_sizes()),
}
ODD = st.sampled_from(
    [None, [], {}, "", "x", 0, -1, True, 1.5, [None], [[]], [{}], {"a": {}}, ["x"], "9" * 25]
)


def mangled(value: Any, draw: Callable[[st.SearchStrategy[Any]], Any]) -> Any:
    """The value with one place, chosen at random, put out of shape."""
    if not isinstance(value, dict | list) or not value or draw(st.integers(0, 3)) == 0:
        return draw(ODD)
    keys = sorted(value) if isinstance(value, dict) else list(range(len(value)))
    place = draw(st.sampled_from(keys))
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[place] = mangled(value[place], draw)
    return copy


class Published:
    """Every published answer at its place, and the one under test out of shape."""

    def __init__(self) -> None:
        good = [one for one in every_example() if one.data["response"]["status"] < 400]
        self._usual = {(one.method, one.path.split("?")[0]): one for one in good}
        self._odd: tuple[tuple[str, str], bytes] = (("", ""), b"")
        self.client = make_client("http://platform.test", transport=httpx.MockTransport(self._serve))

    def instead_of(self, name: str, answer: Any) -> httpx.Client:
        place = example(name)
        self._odd = ((place.method, place.path.split("?")[0]), json.dumps(answer).encode())
        return self.client

    def _serve(self, request: httpx.Request) -> httpx.Response:
        here = (request.method, request.url.path)
        if here == self._odd[0]:
            return httpx.Response(200, content=self._odd[1])
        found = self._usual.get(here)
        return found.response() if found else httpx.Response(404, json={"status": 404})


@pytest.fixture(scope="module")
def published() -> Iterator[Published]:
    made = Published()
    with made.client:
        yield made


@pytest.mark.parametrize("name", LINKEDIN_CALLS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_answer_of_linkedin_crashes_the_adapter(
    published: Published, name: str, data: st.DataObject
) -> None:
    client = published.instead_of(name, mangled(example(name).answer, data.draw))
    wanted = LinkedInSettings(
        "516848833", base_url="http://platform.test/rest", company_intelligence=True, retry=ONCE
    )
    platform = LinkedIn(wanted, client, lambda: NOW, lambda _: None)
    with suppress(PlatformError):
        LINKEDIN_CALLS[name](platform)
        platform.set_daily_budget("600000001", Decimal(5))


@pytest.mark.parametrize("name", GOOGLE_CALLS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_answer_of_google_crashes_the_adapter(
    published: Published, name: str, data: st.DataObject
) -> None:
    client = published.instead_of(name, mangled(example(name).answer, data.draw))
    wanted = GoogleSettings(
        "1234567890",
        base_url="http://platform.test/v1",
        ads_base_url="http://platform.test",
        terms_accepted=True,
        retry=ONCE,
    )
    platform = Google(wanted, client, lambda: NOW, lambda _: None)
    with suppress(PlatformError):
        GOOGLE_CALLS[name](platform)
