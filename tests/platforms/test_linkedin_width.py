"""Whom a LinkedIn campaign will reach: asked before every change of one that runs, and what a 0 is taken for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from platforms.errors import PlatformDown, Refused
from platforms.linkedin import LinkedIn
from tests.platforms.scripted import HandClock, Script
from tests.platforms.wire_examples import example

CAMPAIGNS = "/rest/adAccounts/516848833/adCampaigns"
ONE, COUNTS = f"{CAMPAIGNS}/600000001", "/rest/audienceCounts"
OURS = "/rest/adSegments/8000001"
GET = example("linkedin_campaign_get")
DOWN = httpx.Response(500, json={"code": "FAILED_TO_RETRIEVE_AUDIENCE_SIZE"})
Act = Callable[[LinkedIn], object]


def exclude(linkedin: LinkedIn) -> None:
    linkedin.set_targets("600000001", exclude=["urn:li:adSegment:2"])


def fund(linkedin: LinkedIn, amount: int = 80) -> None:
    linkedin.set_daily_budget("600000001", Decimal(amount))


def start(linkedin: LinkedIn) -> None:
    linkedin.set_status("600000001", "active")


def pause(linkedin: LinkedIn) -> None:
    linkedin.set_status("600000001", "paused")


CHANGES: dict[str, tuple[str, Act]] = {
    "its lists": ("ACTIVE", exclude),
    "a budget": ("ACTIVE", fund),
    "a start": ("PAUSED", start),
}
changes = pytest.mark.parametrize(("status", "act"), CHANGES.values(), ids=CHANGES)


@pytest.fixture(autouse=True)
def served(script: Script) -> None:
    script.play(GET, example("linkedin_campaign_update"), example("linkedin_adsegment"))
    script.play(example("linkedin_audience_count"))
    script.on("GET", "/rest/adAccounts/516848833/creatives", answered({"elements": [], "metadata": {}}))


def answered(body: Any) -> httpx.Response:
    return httpx.Response(200, json=body)


def stands(script: Script, status: str) -> None:
    script.on("GET", ONE, answered({**GET.answer, "status": status}))


def counts(*totals: int) -> list[httpx.Response]:
    return [answered({"elements": [{"active": 0, "total": total}]}) for total in totals]


@changes
def test_a_campaign_that_will_run_is_counted_before_it_is_changed(
    linkedin: LinkedIn, script: Script, status: str, act: Act
) -> None:
    stands(script, status)
    act(linkedin)

    order = [(r.method, r.url.path) for r in script.requests]
    assert order.count(("GET", COUNTS)) == 1
    assert order.index(("GET", COUNTS)) < order.index(("POST", ONE))


@changes
def test_without_an_answer_nothing_is_written(
    linkedin: LinkedIn, script: Script, status: str, act: Act
) -> None:
    stands(script, status)
    script.on("GET", COUNTS, DOWN)

    with pytest.raises(PlatformDown):
        act(linkedin)
    assert script.sent("POST", ONE) == []


def test_the_lists_as_they_will_be_are_counted(linkedin: LinkedIn, script: Script) -> None:
    exclude(linkedin)
    assert b"adSegment%3A2" in script.sent("GET", COUNTS)[0].url.raw_path


@pytest.mark.parametrize(
    ("status", "act"), [("ACTIVE", pause), ("DRAFT", fund), ("DRAFT", exclude), ("PAUSED", fund)]
)
def test_a_pause_and_a_campaign_that_does_not_run_wait_for_no_count(
    linkedin: LinkedIn, script: Script, status: str, act: Act
) -> None:
    stands(script, status)
    script.on("GET", COUNTS, DOWN)
    act(linkedin)

    assert script.sent("GET", COUNTS) == []
    assert len(script.sent("POST", ONE)) == 1


def test_one_run_asks_once_per_targeting_and_a_later_one_again(
    linkedin: LinkedIn, script: Script, hand_clock: HandClock
) -> None:
    for amount in (80, 90, 100):
        fund(linkedin, amount)
    lists = linkedin.campaign("600000001")
    linkedin.audience_count("600000001", include=lists.include, exclude=lists.exclude)
    assert len(script.sent("GET", COUNTS)) == 1
    exclude(linkedin)
    assert len(script.sent("GET", COUNTS)) == 2, "another targeting is another question"
    hand_clock.now += timedelta(minutes=11)
    fund(linkedin, 110)
    assert len(script.sent("GET", COUNTS)) == 3


MALFORMED = httpx.Response(400, json={"status": 400, "message": "TargetingPartialComputationException"})


@pytest.mark.parametrize("answer", [*counts(0), MALFORMED], ids=["zero", "not countable"])
@pytest.mark.parametrize(("status", "act"), [("ACTIVE", fund), ("PAUSED", start)])
def test_what_is_no_count_holds_up_no_money_and_no_start(
    linkedin: LinkedIn, script: Script, status: str, act: Act, answer: httpx.Response
) -> None:
    stands(script, status)
    script.on("GET", COUNTS, answer)
    act(linkedin)
    assert len(script.sent("POST", ONE)) == 1


def test_lists_linkedin_cannot_count_are_not_written(linkedin: LinkedIn, script: Script) -> None:
    script.on("GET", COUNTS, MALFORMED)
    with pytest.raises(Refused):
        exclude(linkedin)
    assert script.sent("POST", ONE) == []


def test_a_running_campaign_is_not_left_with_too_few_people(linkedin: LinkedIn, script: Script) -> None:
    script.on("GET", COUNTS, *counts(0, 4200))

    with pytest.raises(Refused, match="pause the campaign, run this again and start it") as caught:
        exclude(linkedin)

    assert caught.value.code == "audience_too_narrow"
    assert "fewer than 300" in str(caught.value)
    assert script.sent("POST", ONE) == []


def size(people: int, status: str = "READY") -> httpx.Response:
    known = example("linkedin_adsegment").answer
    return answered({**known, "approximateMemberCount": people, "status": status})


@pytest.mark.parametrize(
    ("what", "status", "totals", "ours"),
    [
        ("a list that is still being matched", "ACTIVE", (0, 4200), size(0, "BUILDING")),
        ("a list made a moment ago", "ACTIVE", (0, 4200), httpx.Response(404, json={"status": 404})),
        ("a campaign that reaches nobody measurable now", "ACTIVE", (0, 0), size(240_000)),
        ("a campaign that does not run", "PAUSED", (0, 4200), size(240_000)),
        ("a count that knows nobody of a list LinkedIn calls large", "ACTIVE", (0, 4200, 0), size(240_000)),
    ],
)
def test_zero_alone_is_no_reason_to_refuse(
    linkedin: LinkedIn, script: Script, what: str, status: str, totals: tuple[int, ...], ours: httpx.Response
) -> None:
    stands(script, status)
    script.on("GET", COUNTS, *counts(*totals))
    script.on("GET", OURS, ours)

    exclude(linkedin)

    assert len(script.sent("POST", ONE)) == 1, what


@pytest.mark.parametrize(
    ("what", "totals", "ours"),
    [
        ("a list too small by LinkedIn's own number", (0, 4200, 0), size(0)),
        ("a list that alone would do", (0, 4200, 9000), size(240_000)),
    ],
)
def test_zero_counts_where_linkedin_knows_the_list(
    linkedin: LinkedIn, script: Script, what: str, totals: tuple[int, ...], ours: httpx.Response
) -> None:
    script.on("GET", COUNTS, *counts(*totals))
    script.on("GET", OURS, ours)

    with pytest.raises(Refused):
        exclude(linkedin)
    assert script.sent("POST", ONE) == [], what


def test_lists_that_cannot_be_asked_about_alone_count_as_known(linkedin: LinkedIn, script: Script) -> None:
    script.on("GET", COUNTS, MALFORMED)
    assert linkedin.counts_lists(["urn:li:adSegment:8000001"])
    assert linkedin.counts_lists([])
