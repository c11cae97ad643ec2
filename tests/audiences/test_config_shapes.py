"""What a marketer may write, and what it means."""

from __future__ import annotations

from datetime import date

import pytest

from audiences.config import Config, parse
from audiences.config_recipes import recipe, recipe_names
from audiences.config_rules import (
    AllOf,
    FieldTest,
    HeatTest,
    IntentHeatTest,
    IntentTest,
    SignalTest,
    TierTest,
)
from audiences.config_scoring import Top
from audiences.errors import ConfigError

FULL = """
workspace: Acme
database: sqlite:///evenreach.db
timezone: Europe/Berlin
platforms:
  linkedin: {mode: sandbox, ad_account: "500000001", api_version: "202608"}
  google:   {mode: live, customer: 1234567890}
  files:    {directory: out}
sources:
  companies: [ {file: data/companies.csv.gz, layout: generic_companies} ]
  contacts:  [ {file: data/contacts.csv, layout: generic_contacts, first_party: true, default_country: US} ]
  signals:
    - {file: data/surge.csv.gz, layout: bombora_surge_2015, as_of: 2026-08-24, kind: topic_surge}
    - {sql: "env:WAREHOUSE", query: select * from visits, layout: site_visits}
  deals: [ {file: deals.csv} ]
  decisions: decisions.yaml
scoring:
  fit:
    maximum: 30
    groups:
      size:
        best:
          - {field: employees, between: [100, 500], points: 20}
          - {field: employees, at_least: 50, points: 10}
      behaviour: {sum: [{signal: pricing_page, points: 10}]}
  tiers: {1: 70, 2: 45, 3: 25, 4: 0}
  intent:
    {half_life_days: 14, window_days: 30, weights: {pricing_page: 10, surge: 5}, hot: top 10 %, warm: 15}
segments:
  tier1-strike:
    title: Tier 1 strike list
    owner: dana
    purpose: Win the ten per cent
    review_by: 2027-01-31
    acted_on_by: [linkedin ads, sdr routing, web personalisation]
    where:
      all:
        - tier: [1]
        - intent: hot
        - any: [ {field: industry, in: [Software, Semiconductors]}, {field: country, is: NO} ]
        - {signal: pricing_page, at_least: 2, within_days: 14}
        - {signal: topic_surge, topics: [CRM], within_days: 30, minimum_strength: 0.6, people: 2}
        - none: [ {segment: customers} ]
    without: [customers, competitors]
    priority: 10
    holdout: 10 %
    sync: {linkedin: [companies, contacts], google: contacts}
    balance: {campaign: 600000001, policy: default}
  customers: {kind: negative, where: {field: stage, is: customer}}
  competitors: {kind: negative, where: [{field: tags, contains: competitor}]}
policies:
  default: {mode: bands, bands: 4, window_days: 28, impression_floor: 0.98}
brakes: {max_leavers: 0.3, minimum_rows: 1}
sync: {schedule: "0 6 * * *"}
alerts: {email: ops@example.com}
approvals: {auto_below: 5}
retention: {reports_days: 400}
"""


@pytest.fixture(scope="module")
def full() -> Config:
    return parse(FULL)


def test_the_whole_file_is_read_into_types(full: Config) -> None:
    strike = full.segments["tier1-strike"]
    assert strike.review_by == date(2027, 1, 31)
    assert strike.holdout is not None
    assert (strike.holdout.share, strike.holdout.group) == (0.1, "all")
    assert strike.sync == {"linkedin": ("companies", "contacts"), "google": ("contacts",)}
    assert full.scoring.intent.hot == Top(top=0.1)
    assert full.zone.key == "Europe/Berlin"
    assert full.platforms.names() == ("linkedin", "google", "files")


def test_account_numbers_may_be_written_with_or_without_quotes(full: Config) -> None:
    assert full.platforms.google is not None
    assert full.platforms.google.customer == "1234567890"
    balance = full.segments["tier1-strike"].balance
    assert balance is not None
    assert (balance.campaign, balance.policy) == ("600000001", "default")


def test_the_country_code_of_norway_is_not_a_truth_value(full: Config) -> None:
    where = full.segments["tier1-strike"].where
    assert isinstance(where, AllOf)
    country = where.all_[2].any_[1]  # type: ignore[union-attr]
    assert isinstance(country, FieldTest)
    assert country.is_ == "NO"


def test_segments_come_after_everything_they_are_computed_from(full: Config) -> None:
    order = full.segment_order()
    assert set(order) == set(full.segments)
    assert order.index("tier1-strike") == 2


def test_a_bare_list_of_conditions_means_all_of_them(full: Config) -> None:
    where = full.segments["competitors"].where
    assert isinstance(where, AllOf)
    assert where.all_ == (FieldTest(field="tags", contains=("competitor",)),)


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("{tier: 1}", TierTest),
        ("{heat: [hot, warm]}", HeatTest),
        ("{intent: hot}", IntentHeatTest),
        ("{intent: 40}", IntentTest),
        ("{intent: {at_least: 40}}", IntentTest),
        ("{signal: [a, b]}", SignalTest),
    ],
)
def test_short_forms_mean_what_they_say(written: str, kind: type) -> None:
    config = parse(f"workspace: A\nsegments: {{s: {{where: {written}}}}}")
    assert type(config.segments["s"].where) is kind


def test_optional_sections_have_defaults() -> None:
    config = parse("workspace: A")
    assert config.brakes.max_leavers == 0.3
    assert config.policies == {"default": {}}
    assert config.scoring.tiers == {1: 70.0, 2: 45.0, 3: 25.0, 4: 0.0}
    assert config.timezone == "UTC"


def test_settings_cannot_be_changed_after_reading(full: Config) -> None:
    with pytest.raises(ValueError, match="frozen"):
        full.workspace = "other"  # type: ignore[misc]


@pytest.mark.parametrize("name", recipe_names())
def test_every_shipped_recipe_is_a_valid_negative_segment_that_says_what_it_is_for(name: str) -> None:
    text = recipe(name)
    (segment,) = parse("workspace: A\n" + text).segments.values()
    assert segment.kind == "negative"
    assert segment.purpose
    assert segment.acted_on_by
    assert text.startswith("# ")


def test_the_six_usual_negative_segments_are_shipped() -> None:
    assert recipe_names() == ("competitors", "converted", "customers", "open_deals", "poor_fit", "staff")


def test_all_recipes_together_make_one_valid_file() -> None:
    bodies = "".join(recipe(name).split("segments:\n", 1)[1] for name in recipe_names())
    assert len(parse("workspace: A\nsegments:\n" + bodies).segments) == 6


def test_an_unknown_recipe_is_answered_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match="poor_fit"):
        recipe("customer")
