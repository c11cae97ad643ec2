"""adAnalytics: exact totals, and what truncation, floors, noise and delay leave of company rows."""

from __future__ import annotations

import re
from datetime import date, timedelta

import numpy as np
import pytest

from platforms.sandbox.linkedin_creatives import add_creative
from platforms.sandbox.market import CreativeDay
from tests.platforms.sandbox.calls import ACCOUNT, START, code_of, companies

FIRST = date(2026, 11, 2)
DAYS = 30
LAST = FIRST + timedelta(days=DAYS - 1)
CAMPAIGN = 600_000_001


def zipf(companies: int, exponent: float, total: int, *, days: int, creatives: int, seed: int) -> np.ndarray:
    """(days, creatives, companies) Poisson counts, equal days and creatives."""
    weight = np.arange(1, companies + 1) ** -exponent
    mean = weight / weight.sum() * total / days / creatives
    return np.random.default_rng(seed).poisson(mean, size=(days, creatives, companies))


def deliver(sandbox, counts: np.ndarray) -> None:
    """Put a known delivery into a seeded sandbox and let it become old enough to be reported."""
    made = sandbox.seed(creatives=0)
    for c in range(counts.shape[1]):
        number = add_creative(sandbox.world, made["account"], made["campaign"], {}, "ACTIVE", None)
        sandbox.world.market.delivered[number] = [
            day_of(counts[d, c], FIRST + timedelta(days=d)) for d in range(counts.shape[0])
        ]
    sandbox.pass_time(days=counts.shape[0] + 2)


def day_of(counts: np.ndarray, day: date) -> CreativeDay:
    shown = np.flatnonzero(counts)
    order = shown[np.argsort(-counts[shown], kind="stable")]
    return CreativeDay(
        day.toordinal(),
        order + 1000,
        counts[order],
        np.zeros(order.size, np.int64),
        float(counts.sum()) * 0.05,
    )


def rows(sandbox, **query) -> list[int]:
    reply = sandbox.analytics(start=FIRST, end=LAST, **query)
    assert reply.status_code == 200, reply.text
    return sorted((e["impressions"] for e in reply.json()["elements"]), reverse=True)


def total(sandbox, pivot="ACCOUNT") -> int:
    return sum(rows(sandbox, pivot=pivot))


def test_truncation_leaves_the_headline_low_the_row_share_wild_and_coverage_partial(sandbox):
    """2,000 companies, 1.0 M impressions, Zipf 0.72, 5 creatives, 30 days."""
    counts = zipf(2000, 0.72, 1_000_000, days=DAYS, creatives=5, seed=1)
    deliver(sandbox, counts)
    seen, whole = rows(sandbox), total(sandbox)
    by_company = np.sort(counts.sum(axis=(0, 1)))[::-1]

    assert whole == counts.sum()
    assert abs(by_company[:100].sum() / whole - 0.369) < 0.005
    assert abs(sum(seen[:100]) / whole - 0.35) < 0.01
    assert abs(sum(seen[:100]) / sum(seen) - 0.92) < 0.03
    assert abs(sum(seen) / whole - 0.38) < 0.02


def test_more_creatives_show_more_of_the_tail_and_leave_the_headline(make):
    shares, coverage = [], []
    for creatives in (5, 20):
        sandbox = make()
        deliver(sandbox, zipf(2000, 0.72, 1_000_000, days=DAYS, creatives=creatives, seed=2))
        seen, whole = rows(sandbox), total(sandbox)
        shares.append(sum(seen[:100]) / whole)
        coverage.append(sum(seen) / whole)

    assert abs(shares[0] - shares[1]) < 0.01
    assert coverage[1] > coverage[0] + 0.01


def test_two_impressions_a_day_are_absent_daily_and_about_sixty_over_the_window(sandbox):
    counts = np.full((DAYS, 1, 1), 2)
    deliver(sandbox, counts)

    assert rows(sandbox, grain="DAILY") == []
    (whole,) = rows(sandbox)
    assert abs(whole - 60) <= 3


def test_no_access_and_no_activity_look_the_same_in_rows_and_not_in_the_account(sandbox):
    deliver(sandbox, np.full((DAYS, 1, 10), 50))
    sandbox.control("POST", "/tokens", {"token": "t2", "who": "m2", "scopes": ["r_ads_reporting"]})
    sandbox.control("POST", "/accounts", {"id": ACCOUNT, "roles": {"m2": None}})
    sandbox.li.headers["Authorization"] = "Bearer t2"

    assert rows(sandbox) == []
    assert total(sandbox) == 0
    assert sandbox.li.get(f"/rest/adAccounts/{ACCOUNT}").status_code == 403
    sandbox.li.headers["Authorization"] = "Bearer sandbox-token"
    idle = sandbox.analytics(start=date(2026, 10, 1), end=date(2026, 10, 2))
    assert idle.json()["elements"] == []
    assert sandbox.li.get(f"/rest/adAccounts/{ACCOUNT}").status_code == 200


def test_a_day_is_hidden_from_company_rows_until_the_delay_has_passed_and_not_from_totals(make):
    sandbox = make(member_delay_hours=18)
    made = sandbox.seed(creatives=1)
    number = made["creatives"][0]
    sandbox.world.market.delivered[number] = [day_of(np.full(5, 100), FIRST)]
    sandbox.pass_time(hours=18 + 17, minutes=59)
    assert rows(sandbox) == []
    assert total(sandbox) == 500
    sandbox.pass_time(minutes=1)

    assert len(rows(sandbox)) == 5


def test_each_creatives_list_holds_a_hundred_values_a_day(make):
    for depth in (100, 7):
        sandbox = make(list_depth=depth, noise=0)
        counts = np.tile(np.arange(400, 0, -1) + 10, (1, 1, 1))
        deliver(sandbox, counts)
        seen = rows(sandbox)
        assert seen == sorted(counts.ravel())[::-1][:depth]


def test_noise_stays_within_three_repeats_and_changes_with_the_question(sandbox):
    counts = np.full((DAYS, 1, 80), 40)
    deliver(sandbox, counts)
    first, again = (sandbox.analytics(start=FIRST, end=LAST).json()["elements"] for _ in range(2))
    shifts = {e["impressions"] - 40 * DAYS for e in first}
    shorter = sandbox.analytics(start=FIRST, end=LAST - timedelta(days=1)).json()["elements"]

    assert first == again
    assert shifts == {-3, -2, -1, 0, 1, 2, 3}
    moved = [a["impressions"] - b["impressions"] for a, b in zip(first, shorter, strict=True)]
    assert len(set(moved)) > 3


def test_noise_never_takes_a_count_below_zero(make):
    sandbox = make(noise=9)
    deliver(sandbox, np.full((1, 1, 80), 3))
    shown = rows(sandbox)

    assert 0 < len(shown) < 80, "what noise takes to zero has no row"
    assert min(shown) > 0


def test_values_below_the_floor_are_dropped_before_noise(make):
    sandbox = make(noise=0)
    deliver(sandbox, np.array([[[1, 2, 3, 4]]]))

    assert rows(sandbox) == [4, 3]


def test_splitting_by_campaign_or_day_shows_no_company_that_the_creative_day_hides(sandbox):
    deliver(sandbox, zipf(1000, 0.72, 300_000, days=DAYS, creatives=3, seed=3))
    whole = {e["pivotValues"][0] for e in sandbox.analytics(start=FIRST, end=LAST).json()["elements"]}
    daily = {
        e["pivotValues"][0]
        for e in sandbox.analytics(start=FIRST, end=LAST, grain="DAILY").json()["elements"]
    }
    facet = f"campaigns=List(urn%3Ali%3AsponsoredCampaign%3A{CAMPAIGN})"
    merged = sandbox.analytics(start=FIRST, end=LAST, facet=facet).json()["elements"]

    assert daily <= whole
    assert {e["pivotValues"][0] for e in merged} == whole


def test_totals_are_exact_by_account_campaign_and_creative(sandbox):
    counts = zipf(300, 0.7, 50_000, days=DAYS, creatives=4, seed=4)
    deliver(sandbox, counts)
    statistics = sandbox.analytics(start=FIRST, end=LAST, q="statistics", pivot="CAMPAIGN,CREATIVE").json()[
        "elements"
    ]

    assert total(sandbox, "ACCOUNT") == total(sandbox, "CAMPAIGN") == counts.sum()
    assert sorted(e["impressions"] for e in statistics) == sorted(counts.sum(axis=(0, 2)))
    assert all(len(e["pivotValues"]) == 2 for e in statistics)
    daily = sandbox.analytics(start=FIRST, end=LAST, pivot="CAMPAIGN", grain="DAILY").json()["elements"]
    assert [e["impressions"] for e in daily] == list(counts.sum(axis=(1, 2)))
    assert daily[0]["dateRange"]["start"] == daily[0]["dateRange"]["end"]


def test_money_is_a_decimal_string_and_counts_are_ints(sandbox):
    deliver(sandbox, np.full((2, 1, 5), 100))
    (shown,) = sandbox.analytics(start=FIRST, end=LAST, pivot="ACCOUNT").json()["elements"]

    assert shown["impressions"] == 1000
    assert shown["costInLocalCurrency"] == "50.0"


def test_without_fields_only_impressions_and_clicks_come_back(sandbox):
    deliver(sandbox, np.full((2, 1, 5), 100))
    (shown,) = sandbox.analytics(start=FIRST, end=LAST, pivot="ACCOUNT", fields=None).json()["elements"]

    assert set(shown) == {"impressions", "clicks", "dateRange", "pivotValues"}


@pytest.mark.parametrize(
    ("query", "inner"),
    [
        ({"q": "statistics", "pivot": "CAMPAIGN,MEMBER_COMPANY"}, "FIELD_INVALID"),
        ({"pivot": "MEMBER_COUNTRY"}, "FIELD_INVALID"),
        ({"grain": "HOURLY"}, "FIELD_INVALID"),
        ({"facet": "count=10"}, "FIELD_INVALID"),
        ({"fields": "impressions,reach"}, "FIELD_INVALID"),
        ({"fields": "impressions,cardClicks"}, "FIELD_INVALID"),
        ({"fields": "impressions,approximateMemberReach"}, "FIELD_INVALID"),
        ({"fields": ",".join(["impressions"] * 21)}, "FIELD_INVALID"),
        ({"sortBy": "(field:CLICKS,order:DESCENDING)"}, "FIELD_INVALID"),
        ({"nonsense": "1"}, "QUERY_PARAM_NOT_ALLOWED"),
        ({"accounts[0]": "x"}, "QUERY_PARAM_NOT_ALLOWED"),
        ({"q": "search"}, "FIELD_INVALID"),
    ],
)
def test_a_question_linkedin_does_not_take_is_400_with_an_inner_code(sandbox, query, inner):
    sandbox.seed()
    reply = sandbox.analytics(**query)

    assert reply.status_code == 400
    assert code_of(reply) == "ILLEGAL_ARGUMENT"
    assert reply.json()["errorDetails"]["inputErrors"][0]["code"] == inner


def test_the_value_form_of_pivot_and_grain_is_read_too(sandbox):
    deliver(sandbox, np.full((2, 1, 5), 100))

    assert len(rows(sandbox, pivot="(value:MEMBER_COMPANY)", grain="(value:ALL)")) == 5


def test_rows_are_sorted_when_asked(sandbox):
    deliver(sandbox, zipf(90, 0.7, 20_000, days=2, creatives=1, seed=5))
    reply = sandbox.analytics(start=FIRST, end=LAST, sortBy="(field:IMPRESSIONS,order:ASCENDING)").json()
    seen = [e["impressions"] for e in reply["elements"]]

    assert seen == sorted(seen)


def test_reach_needs_at_most_ninety_two_days_and_a_plain_pivot(sandbox):
    deliver(sandbox, np.full((2, 1, 5), 100))
    fields = "impressions,approximateMemberReach,audiencePenetration,pivotValues"
    (shown,) = sandbox.analytics(start=FIRST, end=LAST, pivot="CAMPAIGN", fields=fields).json()["elements"]

    assert 0 < shown["approximateMemberReach"] <= 1000
    late = FIRST + timedelta(days=92)
    assert sandbox.analytics(start=FIRST, end=late, pivot="CAMPAIGN", fields=fields).status_code == 400


def test_a_window_older_than_six_months_is_rounded_out_to_whole_months(sandbox):
    deliver(sandbox, np.full((DAYS, 1, 3), 50))
    sandbox.pass_time(days=220)
    (shown,) = sandbox.analytics(start=date(2026, 11, 10), end=date(2026, 11, 12), pivot="ACCOUNT").json()[
        "elements"
    ]

    assert shown["dateRange"]["start"] == {"year": 2026, "month": 11, "day": 1}
    assert shown["dateRange"]["end"] == {"year": 2026, "month": 11, "day": 30}
    assert shown["impressions"] == 29 * 3 * 50
    assert rows(sandbox, grain="DAILY") == []


def test_company_rows_are_gone_after_two_years_and_totals_stay(sandbox):
    deliver(sandbox, np.full((DAYS, 1, 3), 50))
    sandbox.pass_time(days=2 * 366 + 40)

    assert rows(sandbox) == []
    assert total(sandbox) > 0


def test_totals_are_gone_after_ten_years(sandbox):
    deliver(sandbox, np.full((DAYS, 1, 3), 50))
    sandbox.pass_time(days=9 * 365)
    assert total(sandbox) > 0
    sandbox.pass_time(days=2 * 366)
    assert total(sandbox) == 0


def test_months_carry_their_effective_range(sandbox):
    deliver(sandbox, np.full((DAYS, 1, 3), 50))
    found = sandbox.analytics(start=FIRST, end=LAST, pivot="ACCOUNT", grain="MONTHLY").json()["elements"]

    assert [e["dateRange"]["start"]["month"] for e in found] == [11, 12]
    assert sum(e["impressions"] for e in found) == DAYS * 150


def test_beyond_the_element_limit_the_earliest_days_are_missing(make):
    sandbox = make(element_limit=10)
    deliver(sandbox, np.full((5, 1, 4), 50))
    found = sandbox.analytics(start=FIRST, end=LAST, grain="DAILY").json()["elements"]

    assert len(found) == 10
    assert min(e["dateRange"]["start"]["day"] for e in found) == FIRST.day + 2


def test_by_knob_count_defaults_to_ten_rows(make):
    sandbox = make(honour_count_default_10=True)
    deliver(sandbox, np.full((2, 1, 40), 50))

    assert len(rows(sandbox)) == 10
    assert len(rows(sandbox, count="1000")) == 40


def test_a_creative_with_too_few_engaged_members_has_no_rows(make):
    sandbox = make(engaged_floor=1)
    deliver(sandbox, np.full((2, 1, 40), 50))

    assert rows(sandbox) == []
    assert total(sandbox) == 4000


def test_the_data_budget_of_five_minutes_is_429_in_its_own_words_and_refills(make):
    sandbox = make(metric_values_per_5_minutes=100)
    deliver(sandbox, np.full((2, 1, 15), 50))
    replies = [sandbox.analytics(start=FIRST, end=LAST) for _ in range(2)]

    assert [r.status_code for r in replies] == [200, 429]
    assert "More than 45 million metric values" in replies[1].json()["message"]
    sandbox.pass_time(seconds=301)
    assert sandbox.analytics(start=FIRST, end=LAST).status_code == 200


def test_company_sizes_are_enums_not_urns(sandbox):
    made = sandbox.seed()
    segment = sandbox.ready_segment()
    sandbox.push(segment, companies(400))
    sandbox.target(made["campaign"], [sandbox.destination(segment)["destinationSegmentId"]])
    sandbox.pass_time(days=5)
    found = sandbox.analytics(pivot="MEMBER_COMPANY_SIZE").json()["elements"]

    assert {e["pivotValues"][0] for e in found} >= {"SIZE_51_TO_200", "SIZE_201_TO_500"}
    assert all(e["pivotValues"][0].startswith("SIZE_") for e in found)


OTHER_PIVOTS = {
    "MEMBER_COMPANY_SIZE": r"SIZE_\w+",
    "MEMBER_INDUSTRY": r"urn:li:industry:\d+",
    "MEMBER_SENIORITY": r"urn:li:seniority:\d+",
    "MEMBER_JOB_FUNCTION": r"urn:li:function:\d+",
    "MEMBER_JOB_TITLE": r"urn:li:title:\d+",
    "MEMBER_COUNTRY_V2": r"urn:li:geo:\d+",
    "MEMBER_REGION_V2": r"urn:li:geo:\d+",
    "MEMBER_COUNTY": r"urn:li:geo:\d+",
}


@pytest.mark.parametrize("pivot", OTHER_PIVOTS)
def test_every_demographic_pivot_adds_up_to_what_was_delivered(make, pivot):
    sandbox = make(count_floor=0, noise=0, list_depth=10_000)
    counts = zipf(300, 0.8, 60_000, days=4, creatives=2, seed=3)
    deliver(sandbox, counts)

    found = sandbox.analytics(start=FIRST, end=LAST, pivot=pivot).json()["elements"]
    assert all(re.fullmatch(OTHER_PIVOTS[pivot], e["pivotValues"][0]) for e in found)
    assert len({e["pivotValues"][0] for e in found}) == len(found)
    assert sum(e["impressions"] for e in found) == counts.sum()


def test_the_top_hundred_are_a_hundred_values_of_the_pivot_asked_for(make):
    """Nine sizes are never cut off, however many companies are; of titles each creative and day has its hundred."""
    sandbox = make(count_floor=0, noise=0)
    counts = zipf(2000, 0.5, 400_000, days=2, creatives=1, seed=4)
    deliver(sandbox, counts)

    def shown(pivot):
        return sum(rows(sandbox, pivot=pivot))

    assert shown("MEMBER_COMPANY") < 0.3 * counts.sum()
    assert shown("MEMBER_COMPANY_SIZE") == shown("MEMBER_SENIORITY") == counts.sum()
    assert 0.3 * counts.sum() < shown("MEMBER_JOB_TITLE") < counts.sum()
    daily = sandbox.analytics(start=FIRST, end=FIRST, pivot="MEMBER_JOB_TITLE", grain="DAILY").json()[
        "elements"
    ]
    assert len(daily) == 100


def test_the_open_end_of_a_window_is_today(sandbox):
    deliver(sandbox, np.full((2, 1, 5), 100))
    (shown,) = sandbox.analytics(start=FIRST, pivot="ACCOUNT").json()["elements"]
    today = (START + timedelta(days=4)).date()

    assert shown["dateRange"]["end"] == {"year": today.year, "month": today.month, "day": today.day}
