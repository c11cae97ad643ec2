"""The market: anchors of the field, budgets, exclusion, headroom, and rates that stay with a company."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from platforms.sandbox.seeding import seed as seed_world
from tests.platforms.sandbox.calls import ACCOUNT, LIST_FACET, campaign_body, companies, people

FOUR_WEEKS = (date(2026, 11, 4), date(2026, 12, 1))


def running(sandbox, count=2700, **settings):
    """A seeded sandbox whose template campaign includes ``count`` companies, landed."""
    sandbox.made = sandbox.seed(**settings)
    sandbox.list_id = sandbox.ready_segment()
    sandbox.push(sandbox.list_id, companies(count))
    sandbox.urn = sandbox.destination(sandbox.list_id)["destinationSegmentId"]
    assert sandbox.target(sandbox.made["campaign"], [sandbox.urn]).status_code == 204
    sandbox.pass_time(days=1, hours=18)
    return sandbox


def truth(sandbox, start=None, end=None, campaign=None):
    query = [f"start={start}"] if start else []
    query += [f"end={end}"] if end else []
    query += [f"campaign={campaign}"] if campaign else []
    return sandbox.control("GET", "/truth/impressions?" + "&".join(query))


def utc_day(ms):
    return datetime.fromtimestamp(ms / 1000, tz=UTC).date()


def by_org(shown):
    return {r["organization"]: r["impressions"] for r in shown["rows"]}


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_four_uncontrolled_weeks_have_the_concentration_of_the_field(make, seed):
    sandbox = running(make(options={"seed": seed}))
    sandbox.pass_time(days=30)
    shown = truth(sandbox, *FOUR_WEEKS)
    counts = np.sort(list(by_org(shown).values()))[::-1]
    landed = sandbox.control("GET", "/truth/state")["companies_in_market"]

    assert 2400 < landed < 2600
    assert abs(shown["total"] - 1_000_000) < 20_000
    assert 0.36 <= counts[:100].sum() / shown["total"] <= 0.40
    assert 0.76 <= counts[: landed // 10].sum() / shown["total"] <= 0.83


def test_the_daily_budget_is_spent_following_the_weekday(make):
    sandbox = running(make())
    sandbox.pass_time(days=7)
    days = {}
    for creative in sandbox.world.market.delivered.values():
        for day in creative:
            days[day.day] = days.get(day.day, 0.0) + day.spend
    week = [days[d] for d in sorted(days)][-7:]
    weekend = [days[d] for d in sorted(days)[-7:] if date.fromordinal(d).weekday() >= 5]

    assert abs(sum(week) - 7 * 1785.71) < 2
    assert all(abs(w / max(week) - 0.7) < 0.01 for w in weekend)


def test_every_creative_of_the_campaign_takes_its_part(make):
    sandbox = running(make(), creatives=4)
    sandbox.pass_time(days=5)
    counts = [sum(int(d.impressions.sum()) for d in days) for days in sandbox.world.market.delivered.values()]

    assert len(counts) == 4
    assert max(counts) / min(counts) < 1.05
    clicks = sum(int(d.clicks.sum()) for days in sandbox.world.market.delivered.values() for d in days)
    assert 0.004 < clicks / sum(counts) < 0.006


def test_a_company_keeps_getting_impressions_until_its_removal_has_landed(make):
    sandbox = running(make(remove_hours=48))
    sandbox.pass_time(days=3)
    heavy = max(truth(sandbox)["rows"], key=lambda r: r["impressions"])
    row = {"action": "REMOVE", "organizationUrn": f"urn:li:organization:{heavy['organization']}"}
    sandbox.push(sandbox.list_id, [row])
    asked = sandbox.world.now
    sandbox.pass_time(days=6)
    daily = sandbox.control("GET", "/truth/impressions?grain=daily")["rows"]
    mine = {r["day"]: r["impressions"] for r in daily if r["organization"] == heavy["organization"]}
    first = utc_day(asked)

    assert mine.get((first + timedelta(days=1)).isoformat(), 0) > 0
    assert (first + timedelta(days=2)).isoformat() not in mine


def test_an_excluded_list_takes_its_companies_out_and_the_money_goes_to_the_rest(make):
    sandbox = running(make())
    sandbox.pass_time(days=4)
    top = sorted(truth(sandbox)["rows"], key=lambda r: -r["impressions"])[:100]
    out = sandbox.ready_segment()
    rows = [{"action": "ADD", "organizationUrn": f"urn:li:organization:{r['organization']}"} for r in top]
    sandbox.push(out, rows)
    sandbox.target(
        sandbox.made["campaign"], [sandbox.urn], [sandbox.destination(out)["destinationSegmentId"]]
    )
    sandbox.pass_time(days=2)
    today = utc_day(sandbox.world.now)
    sandbox.pass_time(days=7)
    after = truth(sandbox, start=today, end=today + timedelta(days=6))
    gone = {r["organization"] for r in top}

    assert not gone & set(by_org(after))
    assert abs(after["spend"] - 7 * 1785.71) < 2


def test_a_paused_campaign_and_a_campaign_without_a_list_deliver_nothing(make):
    sandbox = running(make())
    sandbox.pass_time(days=2)
    sandbox.patch_campaign(sandbox.made["campaign"], {"status": "PAUSED"})
    before = truth(sandbox)["total"]
    sandbox.pass_time(days=3)
    assert truth(sandbox)["total"] == before

    idle = make()
    idle.seed()
    idle.pass_time(days=3)
    assert truth(idle)["total"] == 0


def test_a_campaign_under_the_minimum_audience_delivers_nothing(make):
    sandbox = running(make(minimum_audience=10**9))
    sandbox.pass_time(days=3)

    assert truth(sandbox)["total"] == 0


def test_a_company_keeps_its_rate_whatever_campaign_it_is_in(make):
    sandbox = running(make(drift_sd=0.0, day_noise_cv=0.0, leak=0.0), count=600)
    sandbox.pass_time(days=7)
    before = by_org(truth(sandbox))
    body = campaign_body(
        sandbox.made["campaign_group"],
        status="ACTIVE",
        dailyBudget={"amount": "1785.71", "currencyCode": "USD"},
        targetingCriteria=sandbox.campaign(sandbox.made["campaign"])["targetingCriteria"],
    )
    copy = sandbox.li.post(f"/rest/adAccounts/{ACCOUNT}/adCampaigns", json=body).headers["x-restli-id"]
    sandbox.li.post(
        f"/rest/adAccounts/{ACCOUNT}/creatives",
        json={
            "campaign": f"urn:li:sponsoredCampaign:{copy}",
            "content": {"reference": "urn:li:share:1"},
            "intendedStatus": "ACTIVE",
        },
    )
    sandbox.patch_campaign(sandbox.made["campaign"], {"status": "PAUSED"})
    sandbox.pass_time(days=7)
    after = by_org(truth(sandbox, campaign=copy))
    both = sorted(before.keys() | after.keys())

    assert np.corrcoef([before.get(o, 0) for o in both], [after.get(o, 0) for o in both])[0, 1] > 0.99


def test_companies_that_join_later_draw_from_the_same_rates(make):
    sandbox = running(make(), count=1500)
    sandbox.push(sandbox.list_id, companies(1500, first=5000))
    sandbox.pass_time(days=2)
    rate = sandbox.world.market.rate
    early, late = rate[:1400], rate[1400:]

    assert late.size > 1300
    assert abs(np.log(early).mean() - np.log(late).mean()) < 0.25
    assert set(late) <= set(early) | set(rate)


def test_inventory_saturates_when_the_budget_asks_for_more_than_there_is(make):
    sandbox = running(make(), headroom=1.5)
    budget = {"amount": "17857.10", "currencyCode": "USD"}
    sandbox.patch_campaign(sandbox.made["campaign"], {"dailyBudget": budget})
    sandbox.pass_time(days=8)
    today = utc_day(sandbox.world.now)
    week = truth(sandbox, start=today - timedelta(days=7), end=today - timedelta(days=1))

    assert 1.2 * 250_000 < week["total"] < 2.2 * 250_000
    assert week["spend"] < 0.3 * 7 * 17857


@pytest.mark.parametrize("plant", ["proportional", "power_price:0.2", "auction"])
def test_every_plant_spends_the_budget(make, plant):
    sandbox = running(make(), count=800, plant=plant)
    sandbox.pass_time(days=7)
    today = utc_day(sandbox.world.now)
    week = truth(sandbox, start=today - timedelta(days=7), end=today - timedelta(days=1))

    assert abs(week["spend"] / (7 * 1785.71) - 1) < 0.01
    assert week["total"] > 100_000


def test_pressure_raises_the_price_where_the_plant_says_so(make):
    prices = {}
    for plant in ("proportional", "power_price:0.3"):
        sandbox = running(make(), count=800, plant=plant)
        budget = {"amount": "5357.13", "currencyCode": "USD"}
        sandbox.patch_campaign(sandbox.made["campaign"], {"dailyBudget": budget})
        sandbox.pass_time(days=3)
        today = utc_day(sandbox.world.now)
        day = truth(sandbox, start=today - timedelta(days=1), end=today - timedelta(days=1))
        prices[plant] = day["spend"] / day["total"]

    assert abs(prices["proportional"] - 0.05) < 1e-3
    assert prices["power_price:0.3"] > 0.06


def test_a_few_impressions_reach_companies_nobody_targeted(make):
    sandbox = running(make(leak=0.02))
    sandbox.pass_time(days=5)
    shown = truth(sandbox)
    known = {m["organization"] for m in sandbox.members(sandbox.list_id)}
    outside = sum(n for o, n in by_org(shown).items() if o not in known)

    assert 0.015 < outside / shown["total"] < 0.025


@pytest.mark.parametrize("settings", [{"plant": "magic"}, {"shape": "Z"}, {"price": 0}, {"nonsense": 1}])
def test_a_market_that_makes_no_sense_is_refused_with_the_choices(sandbox, settings):
    with pytest.raises(ValueError, match=r"plant is|shape is|price is|there are"):
        seed_world(sandbox.world, settings)
    reply = sandbox.bare.post("/sandbox/seed", json=settings)
    assert reply.status_code == 400
    assert reply.json()["error"]


def test_contacts_on_a_list_are_reached_too(make):
    sandbox = make()
    made = sandbox.seed()
    segment = sandbox.ready_segment("USER")
    sandbox.push(segment, people(3000), "users")
    sandbox.target(made["campaign"], [sandbox.destination(segment)["destinationSegmentId"]])
    sandbox.pass_time(days=4)

    assert truth(sandbox)["total"] > 0


def test_a_market_opened_late_finds_the_companies_that_are_there(sandbox):
    segment = sandbox.ready_segment()
    sandbox.push(segment, companies(500))
    sandbox.pass_time(days=2)
    made = sandbox.seed()
    sandbox.target(made["campaign"], [sandbox.destination(segment)["destinationSegmentId"]])
    sandbox.pass_time(days=2)

    assert abs(truth(sandbox)["spend"] / (2 * 1785.71) - 1) < 0.3


def test_an_exclusion_list_that_lands_first_draws_no_rates(make):
    sandbox = make()
    made = sandbox.seed()
    out, on = sandbox.ready_segment(), sandbox.ready_segment()
    sandbox.push(out, companies(800, first=9000))
    sandbox.pass_time(days=3)
    sandbox.push(on, companies(2700))
    urns = [sandbox.destination(s)["destinationSegmentId"] for s in (on, out)]
    sandbox.target(made["campaign"], urns[:1], urns[1:])
    sandbox.pass_time(days=3)

    assert abs(sandbox.world.market.rate.sum() - 1_000_000 / 28) < 1
    assert len(sandbox.world.market.row) == sum(m["matched"] for m in sandbox.members(on))


def test_a_frequency_cap_of_the_campaign_limits_impressions_per_member(make):
    sandbox = running(make(leak=0.0))
    cap = {"optimizationType": "MAX_FREQUENCY", "frequency": 1, "timeSpan": {"duration": 7, "unit": "DAY"}}
    preference = {"frequencyOptimizationPreference": cap}
    sandbox.patch_campaign(sandbox.made["campaign"], {"optimizationPreference": preference})
    today = utc_day(sandbox.world.now)
    sandbox.pass_time(days=8)
    week = truth(sandbox, start=today, end=today + timedelta(days=6))
    known = sandbox.world.directory.known()
    loads = [r["impressions"] / known[r["organization"]].members for r in week["rows"]]

    assert np.quantile(loads, 0.99) < 1.6
    assert max(r["impressions"] for r in week["rows"] if known[r["organization"]].members < 20) < 40


def test_four_bands_with_even_targets_take_the_top_hundred_down(make):
    """What the product is for: the same money, split by exposure into campaigns, spreads the impressions."""
    sandbox = running(make())
    sandbox.pass_time(days=14)
    rate = dict(zip(sandbox.world.market.org.tolist(), sandbox.world.market.rate.tolist(), strict=True))
    ranked = sorted(rate, key=lambda o: -rate[o])
    edges = [0, len(ranked) // 10, len(ranked) // 4, len(ranked) // 2, len(ranked)]
    caps = np.linspace(0.0, 500.0, 1001)
    most = 3.5 * np.array([rate[o] for o in ranked])
    level = caps[np.searchsorted([np.minimum(c, most).sum() for c in caps], sum(rate.values()))]
    sizes = [float(np.minimum(level, most[a:b]).sum()) for a, b in pairwise(edges)]
    bands = []
    for i, (a, b) in enumerate(pairwise(edges)):
        segment = sandbox.ready_segment()
        rows = [{"action": "ADD", "organizationUrn": f"urn:li:organization:{o}"} for o in ranked[a:b]]
        sandbox.push(segment, rows)
        money = {"amount": f"{1785.71 * sizes[i] / sum(sizes):.2f}", "currencyCode": "USD"}
        tree = sandbox.campaign(sandbox.made["campaign"])["targetingCriteria"]
        tree["include"]["and"][-1]["or"] = {
            LIST_FACET: [sandbox.destination(segment)["destinationSegmentId"]]
        }
        body = campaign_body(
            sandbox.made["campaign_group"], status="ACTIVE", dailyBudget=money, targetingCriteria=tree
        )
        number = sandbox.li.post(f"/rest/adAccounts/{ACCOUNT}/adCampaigns", json=body).headers["x-restli-id"]
        sandbox.li.post(
            f"/rest/adAccounts/{ACCOUNT}/creatives",
            json={
                "campaign": f"urn:li:sponsoredCampaign:{number}",
                "content": {"reference": "urn:li:share:1"},
                "intendedStatus": "ACTIVE",
            },
        )
        bands.append(number)
    sandbox.patch_campaign(sandbox.made["campaign"], {"status": "PAUSED"})
    sandbox.pass_time(days=2)
    today = utc_day(sandbox.world.now)
    sandbox.pass_time(days=29)
    month = truth(sandbox, start=today, end=today + timedelta(days=27))
    counts = np.sort([r["impressions"] for r in month["rows"]])[::-1]

    assert counts[:100].sum() / month["total"] < 0.20
    assert month["total"] > 0.97 * 1_000_000
