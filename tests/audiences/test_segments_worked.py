"""The segments practitioners describe, written as YAML, with the companies each must keep."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from audiences.config import parse
from audiences.model import Account, Signal
from audiences.scoring import frames_from, score
from audiences.segments import Evaluation, evaluate

TODAY = date(2026, 11, 1)


def company(
    name: str, employees: int | None = None, industry: str | None = None, **attributes: Any
) -> Account:
    return Account(name, name, employees=employees, industry=industry, attributes=attributes)


def did(name: str, kind: str, days: int, **more: Any) -> Signal:
    return Signal(name, kind, TODAY - timedelta(days=days), **more)


def run(yaml: str, accounts: list[Account], signals: list[Signal] | None = None) -> dict[str, Evaluation]:
    config = parse("workspace: A\n" + yaml)
    frames = frames_from(accounts, signals or [])
    scores = score(config.scoring, frames.accounts, frames.signals, on=TODAY)
    return evaluate(config, frames.accounts, frames.signals, scores, on=TODAY)


def members(evaluations: dict[str, Evaluation], name: str = "s") -> set[str]:
    return set(evaluations[name].version.account_ids)


def test_enterprise_expansion_wants_a_known_absence_and_not_a_gap_in_the_data() -> None:
    found = run(
        """
segments:
  s:
    where:
      - {field: employees, at_least: 500}
      - {technology: Salesforce}
      - {absent_technology: [Marketo, Pardot, HubSpot, Eloqua]}
""",
        [
            company("yes", 600, technologies=["Salesforce", "Slack"]),
            company("small", 400, technologies=["Salesforce"]),
            company("has-one", 600, technologies=["salesforce", "marketo"]),
            company("no-crm", 600, technologies=["Slack"]),
            company("gap", 600),
        ],
    )
    assert members(found) == {"yes"}
    assert found["s"].unknown == 1


def test_in_market_wants_a_surge_in_thirty_days_and_two_pricing_visits() -> None:
    found = run(
        """
segments:
  s:
    where:
      - {signal: topic_surge, topics: [CRM, Sales Software], within_days: 30, minimum_strength: 0.6}
      - {signal: pricing_page, at_least: 2}
    sync: {linkedin: [companies]}
    acted_on_by: [linkedin ads, sales alert]
platforms: {linkedin: {ad_account: "1"}}
""",
        [company(name) for name in ("yes", "stale", "weak", "topic", "once")],
        [
            did("yes", "topic_surge", 30, topic="crm", strength=0.6),
            did("stale", "topic_surge", 31, topic="CRM", strength=0.9),
            did("weak", "topic_surge", 3, topic="CRM", strength=0.5),
            did("topic", "topic_surge", 3, topic="Payroll", strength=0.9),
            did("once", "topic_surge", 3, topic="Sales Software", strength=0.9),
            *[did(name, "pricing_page", 5) for name in ("yes", "stale", "weak", "topic") for _ in range(2)],
            did("once", "pricing_page", 5),
        ],
    )
    assert members(found) == {"yes"}


def test_renewal_risk_wants_high_value_falling_use_and_no_talk_with_an_executive() -> None:
    names = ["risk", "talked", "steady", "cheap", *[f"x{i}" for i in range(8)]]
    values = {"risk": 900, "talked": 800, "steady": 700}
    accounts = [company(name, contract_value=values.get(name, 10)) for name in names]
    usage = [did(n, "usage", 80, strength=100) for n in names] + [
        did(n, "usage", 10, strength=100 if n == "steady" else 70) for n in names
    ]
    found = run(
        """
segments:
  s:
    where:
      - {field: contract_value, top: 25 %}
      - {metric: usage, within_days: 60, down_at_least: 20 %}
      - {signal: executive_contact, at_most: 0, within_days: 90}
""",
        accounts,
        [*usage, did("talked", "executive_contact", 90), did("risk", "executive_contact", 91)],
    )
    assert members(found) == {"risk"}


def test_high_intent_evaluators_did_three_things_in_fourteen_days() -> None:
    kinds = ("comparison_ad", "g2_spike")
    found = run(
        """
segments:
  s:
    where:
      - {signal: pricing_page, more_than: 2, within_days: 14}
      - {signal: comparison_ad, within_days: 14}
      - {signal: g2_spike, within_days: 14}
""",
        [company("yes"), company("twice"), company("late")],
        [
            *[did("yes", kind, 14) for kind in kinds],
            *[did("twice", kind, 1) for kind in kinds],
            *[did("late", kind, 15) for kind in kinds],
            *[did(name, "pricing_page", 2) for name in ("yes", "late") for _ in range(3)],
            *[did("twice", "pricing_page", 2) for _ in range(2)],
        ],
    )
    assert members(found) == {"yes"}


def test_an_in_market_account_needs_several_people_and_not_one_busy_one() -> None:
    rule = "segments: {s: {where: {signal: [pricing_page, demo_page], people: 3, within_days: 14}}}"
    found = run(
        rule,
        [company("team"), company("one"), company("anonymous")],
        [
            *[did("team", kind, 3, person=p) for kind, p in (("pricing_page", "a"), ("demo_page", "b"),
                                                            ("pricing_page", "c"))],
            *[did("one", "pricing_page", 3, person="a") for _ in range(9)],
            *[did("anonymous", "pricing_page", 3) for _ in range(9)],
        ],
    )  # fmt: skip
    assert members(found) == {"team"}


def test_churn_risk_is_log_ins_halved_and_tickets_rising() -> None:
    def month(name: str, kind: str, before: int, now: int) -> list[Signal]:
        return [did(name, kind, 45, strength=before), did(name, kind, 15, strength=now)]

    found = run(
        """
segments:
  s:
    where:
      - {metric: logins, within_days: 30, down_at_least: 50 %}
      - {metric: tickets, within_days: 30, up_at_least: 1 %}
""",
        [company("risk"), company("calm"), company("busy")],
        [
            *month("risk", "logins", 100, 50), *month("risk", "tickets", 2, 3),
            *month("calm", "logins", 100, 40), *month("calm", "tickets", 3, 3),
            *month("busy", "logins", 100, 51), *month("busy", "tickets", 2, 9),
        ],
    )  # fmt: skip
    assert members(found) == {"risk"}


def test_re_engagement_is_a_no_show_who_is_back_after_ninety_days_of_silence() -> None:
    found = run(
        """
segments:
  s:
    where:
      - {signal: demo_no_show}
      - {signal: [site_visit, email_click], within_days: 14, after_silence_days: 90}
""",
        [company(name) for name in ("back", "never-left", "new", "gone")],
        [
            *[did(name, "demo_no_show", 200) for name in ("back", "never-left", "new", "gone")],
            did("back", "site_visit", 100), did("back", "email_click", 5),
            did("never-left", "site_visit", 60), did("never-left", "site_visit", 5),
            did("new", "site_visit", 5),
            did("gone", "site_visit", 150),
        ],
    )  # fmt: skip
    assert members(found) == {"back"}


def test_expansion_ready_is_use_over_the_plan_and_several_users_added() -> None:
    found = run(
        """
segments:
  s:
    where:
      - {field: usage, more_than_field: plan_limit}
      - {signal: user_added, at_least: 3, within_days: 30}
""",
        [company("ready", usage=12, plan_limit=10), company("within", usage=9, plan_limit=10),
         company("few", usage=12, plan_limit=10)],
        [did("ready", "user_added", 9, strength=3), did("within", "user_added", 9, strength=5),
         did("few", "user_added", 9, strength=2)],
    )  # fmt: skip
    assert members(found) == {"ready"}


def test_a_matrix_of_size_and_industry_takes_its_best_cells() -> None:
    found = run(
        """
matrices:
  market:
    rows:
      small: {field: employees, between: [1, 50]}
      middle: {field: employees, between: [51, 500]}
      large: {field: employees, more_than: 500}
    columns:
      software: {field: industry, is: Software}
      banking: {field: industry, is: Banking}
segments:
  s: {where: {matrix: market, cells: [[middle, software], [large, banking]]}}
""",
        [
            company("a", 51, "Software"), company("b", 500, "Software"), company("c", 501, "Software"),
            company("d", 501, "Banking"), company("e", 50, "Software"), company("f", 100, "Banking"),
            company("g", None, "Software"),
        ],
    )  # fmt: skip
    assert members(found) == {"a", "b", "d"}
    assert found["s"].unknown == 1


def test_three_google_lists_take_each_company_once_by_priority() -> None:
    found = run(
        """
platforms: {google: {customer: "1"}}
scoring: {fit: {maximum: 10, groups: {size: {best: [{field: employees, at_least: 100, points: 10}]}}}}
segments:
  tier-1: {where: {tier: 1}, priority: 3, bid_note: bid 40 % above average, sync: {google: contacts}}
  displacement: {where: {technology: Rival}, priority: 2, sync: {google: contacts}}
  late-stage: {where: {field: stage, in: [proposal]}, priority: 1, sync: {google: contacts}}
""",
        [
            company("all", 200, technologies=["Rival"], stage="proposal"),
            company("two", 5, technologies=["Rival"], stage="proposal"),
            company("one", 5, technologies=[], stage="proposal"),
        ],
    )
    assert [members(found, name) for name in ("tier-1", "displacement", "late-stage")] == [
        {"all"},
        {"two"},
        {"one"},
    ]


def test_a_hierarchy_of_sizes_is_split_by_industry_without_repeating_rules() -> None:
    sizes = {"small": "between: [1, 50]", "middle": "between: [51, 500]", "large": "more_than: 500"}
    text = "segments:\n"
    for size, rule in sizes.items():
        text += f"  {size}: {{where: {{field: employees, {rule}}}}}\n"
        for industry in ("software", "banking"):
            text += f"  {size}-{industry}: {{within: {size}, where: {{field: industry, is: {industry}}}}}\n"
    accounts = [company(f"{i}-{n}", n, i) for i in ("Software", "Banking") for n in (10, 100, 1000)]
    found = run(text, accounts)
    assert members(found, "middle") == {"Software-100", "Banking-100"}
    assert members(found, "large-software") == {"Software-1000"}
    parts = [members(found, f"{size}-{i}") for size in sizes for i in ("software", "banking")]
    assert sorted(name for part in parts for name in part) == sorted(a.account_id for a in accounts)
