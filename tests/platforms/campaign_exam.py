"""The second half of the exam: what every platform that steers campaigns, or reports per account, must do.

A candidate brings the adapter, one running campaign, and lists the campaign may point at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Protocol

import pytest

from audiences.model import Campaign
from platforms.contract import CampaignPlatform, ReportingPlatform
from platforms.errors import NotFound, PlatformError, Refused


class Steered(CampaignPlatform, ReportingPlatform, Protocol):
    """Both halves at once."""


@dataclass
class Steering:
    """``lists`` are large and ready, smallest first; ``tiny`` is ready and below the platform's minimum.

    ``campaign`` makes one that runs and has creatives; ``reported`` is a span with delivery on ``campaign()``.
    """

    name: str
    platform: Steered
    lists: tuple[str, str, str]
    tiny: str
    campaign: Callable[[], str]
    reported: Callable[[], tuple[str, date, date]]
    copies: int = 0

    def reference(self) -> str:
        """One nobody has used before."""
        self.copies += 1
        return f"exam-{self.copies}"


Question = Callable[[Steering], None]
QUESTIONS: list[Question] = []


def question(asked: Question) -> Question:
    QUESTIONS.append(asked)
    return asked


def same_but_for_its_version(one: Campaign, other: Campaign) -> bool:
    fields = ("campaign_id", "status", "daily_budget", "include", "exclude", "creatives")
    return all(getattr(one, name) == getattr(other, name) for name in fields)


@question
def a_campaign_reads_the_same_alone_and_among_all(it: Steering) -> None:
    number = it.campaign()
    listed = {campaign.campaign_id: campaign for campaign in it.platform.list_campaigns()}
    assert listed[number] == it.platform.campaign(number)
    assert listed[number].creatives


@question
def lists_are_set_on_either_side_and_the_other_side_stays(it: Steering) -> None:
    number, (small, middle, large) = it.campaign(), it.lists
    assert it.platform.set_targets(number, include=[large]).include == (large,)
    both = it.platform.set_targets(number, exclude=[small])
    assert (both.include, both.exclude) == ((large,), (small,))
    swapped = it.platform.set_targets(number, include=[middle], ours=[large])
    assert (swapped.include, swapped.exclude) == ((middle,), (small,))
    assert it.platform.set_targets(number, exclude=[], ours=[small]).exclude == ()


@question
def a_list_of_somebody_else_is_never_taken_out(it: Steering) -> None:
    number, (small, middle, large) = it.campaign(), it.lists
    it.platform.set_targets(number, include=[large], exclude=[small])
    after = it.platform.set_targets(number, include=[middle], exclude=[], ours=[middle])
    assert set(after.include) == {large, middle}
    assert after.exclude == (small,)


@question
def the_same_targets_again_change_nothing_at_all(it: Steering) -> None:
    number, (_, _, large) = it.campaign(), it.lists
    once = it.platform.set_targets(number, include=[large])
    assert it.platform.set_targets(number, include=[large]) == once


@question
def one_list_on_both_sides_is_refused_and_nothing_is_changed(it: Steering) -> None:
    number, (_, _, large) = it.campaign(), it.lists
    before = it.platform.campaign(number)
    with pytest.raises(Refused):
        it.platform.set_targets(number, include=[large], exclude=[large])
    assert it.platform.campaign(number) == before


@question
def the_last_list_is_not_taken_out(it: Steering) -> None:
    number, (_, _, large) = it.campaign(), it.lists
    it.platform.set_targets(number, include=[large])
    with pytest.raises(Refused):
        it.platform.set_targets(number, include=[], ours=[large])
    assert it.platform.campaign(number).include == (large,)


@question
def a_running_campaign_is_not_narrowed_below_what_is_served(it: Steering) -> None:
    number, (_, _, large) = it.campaign(), it.lists
    it.platform.set_targets(number, include=[large])
    with pytest.raises(Refused) as caught:
        it.platform.set_targets(number, include=[it.tiny], ours=[large])
    assert "fewer" in str(caught.value)
    assert it.platform.campaign(number).include == (large,)


@question
def people_are_counted_for_the_lists_asked_about(it: Steering) -> None:
    number, (small, _, large) = it.campaign(), it.lists
    before = it.platform.campaign(number)
    many = it.platform.audience_count(number, include=[large], exclude=[])
    fewer = it.platform.audience_count(number, include=[large], exclude=[small])
    assert many is not None
    assert fewer is not None
    assert many > fewer
    assert it.platform.audience_count(number, include=[it.tiny], exclude=[]) is None
    assert it.platform.campaign(number) == before


@question
def none_of_a_count_is_believed_where_the_platform_counts_lists(it: Steering) -> None:
    assert it.platform.counts_lists([it.lists[2]])
    assert it.platform.counts_lists([it.tiny])
    assert it.platform.counts_lists([])


@question
def a_budget_is_set_to_the_cent_and_read_back(it: Steering) -> None:
    number = it.campaign()
    for amount in ("120.50", "80", "120.50"):
        assert it.platform.set_daily_budget(number, Decimal(amount)).daily_budget == Decimal(amount)
    for nothing in ("0", "-5"):
        with pytest.raises(Refused):
            it.platform.set_daily_budget(number, Decimal(nothing))
    assert it.platform.campaign(number).daily_budget == Decimal("120.50")


@question
def a_campaign_is_paused_and_started_and_nothing_else(it: Steering) -> None:
    number = it.campaign()
    for status in ("paused", "paused", "active"):
        assert it.platform.set_status(number, status).status == status
    for status in ("archived", "removed", ""):
        with pytest.raises(Refused):
            it.platform.set_status(number, status)
    assert it.platform.campaign(number).status == "active"


@question
def a_copy_is_a_draft_with_everything_that_is_shown(it: Steering) -> None:
    number, reference = it.campaign(), it.reference()
    source = it.platform.set_targets(number, include=[it.lists[2]])
    copy = it.platform.clone(number, "Copy", reference=reference)
    assert copy.campaign_id != number
    assert (copy.status, copy.include, copy.daily_budget) == ("draft", source.include, source.daily_budget)
    assert len(copy.creatives) == len(source.creatives)
    assert not set(copy.creatives) & set(source.creatives)
    assert not copy.audience_expansion
    assert same_but_for_its_version(it.platform.campaign(number), source)


@question
def a_reference_names_one_copy_however_often_it_is_asked_for(it: Steering) -> None:
    number, reference = it.campaign(), it.reference()
    first = it.platform.clone(number, "Copy", reference=reference)
    again = it.platform.clone(number, "Renamed meanwhile", reference=reference)
    assert again == first
    assert it.platform.clone(number, "Copy", reference=it.reference()).campaign_id != first.campaign_id


@question
def what_is_not_there_is_an_error_nobody_repeats(it: Steering) -> None:
    acts: list[Callable[[str], object]] = [
        it.platform.campaign,
        lambda n: it.platform.set_status(n, "paused"),
        lambda n: it.platform.set_daily_budget(n, Decimal(5)),
        lambda n: it.platform.set_targets(n, include=[it.lists[0]]),
        lambda n: it.platform.clone(n, "Copy", reference=it.reference()),
    ]
    for act in acts:
        with pytest.raises(NotFound) as caught:
            act("999999999")
        assert not caught.value.retryable


# --- reports ------------------------------------------------------------------------------


@question
def a_report_has_the_platforms_own_totals_beside_the_rows(it: Steering) -> None:
    number, start, end = it.reported()
    whole = it.platform.account_report(start, end, grain="all", campaigns=[number])
    daily = it.platform.account_report(start, end, grain="daily", campaigns=[number])
    assert whole.scope == daily.scope == (number,)
    assert {row.day for row in whole.rows} == {None}
    assert {row.day for row in daily.rows} <= {start + timedelta(i) for i in range((end - start).days + 1)}
    assert sum(t.impressions for t in daily.totals) == sum(t.impressions for t in whole.totals) > 0
    assert len({row.entity for row in whole.rows}) == len(whole.rows) > 0


@question
def a_report_that_cannot_be_asked_for_is_refused_before_anything_is_sent(it: Steering) -> None:
    number, start, end = it.reported()
    for span, grain, scope in (
        ((end, start - timedelta(1)), "all", {}),
        ((start, end), "weekly", {}),
        ((start, end), "all", {"campaigns": [number], "creatives": ["1"]}),
    ):
        with pytest.raises(PlatformError) as caught:
            it.platform.account_report(*span, grain=grain, **scope)
        assert not caught.value.retryable


@question
def every_company_asked_about_has_an_answer(it: Steering) -> None:
    number, start, end = it.reported()
    report = it.platform.account_report(start, end, grain="all", campaigns=[number])
    urns = [row.entity for row in report.rows[:30]] + ["urn:li:organization:999999999999"]
    found = it.platform.organizations(urns)
    assert [(urn, one.urn) for urn, one in found.items()] == [(urn, urn) for urn in urns]
    assert any(one.name for one in found.values())
    assert it.platform.organizations([]) == {}
