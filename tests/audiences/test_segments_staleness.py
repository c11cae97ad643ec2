"""Signals that stopped coming: which kinds a segment rests on, and since when."""

from __future__ import annotations

from datetime import date, timedelta

from audiences.config import Config, parse
from audiences.model import Account, Signal
from audiences.scoring import frames_from
from audiences.scoring_universe import Universe
from audiences.segments_staleness import Stale, signal_kinds, stale_signals

TODAY = date(2026, 11, 1)
YAML = """
workspace: A
scoring:
  fit: {maximum: 10, groups: {behaviour: {sum: [{signal: demo_request, points: 10}]}}}
  intent: {weights: {pricing_page: 10, topic_surge: 5}, hot: 20, warm: 5}
matrices:
  m: {rows: {busy: {signal: webinar}}, columns: {big: {field: employees, at_least: 500}}}
segments:
  visitors: {where: {signal: [pricing_page, download], within_days: 14}}
  hot: {where: {heat: hot}}
  best: {where: {tier: [1]}}
  both: {within: visitors, where: {any: [{mode: strike}, {metric: logins, within_days: 30, down_at_least: 0.5}]}}
  cell: {where: {matrix: m, cells: [[busy, big]]}}
  large: {where: {field: employees, at_least: 500}}
"""


def universe(**ages: int) -> Universe:
    signals = [Signal("a.com", kind, TODAY - timedelta(days=days)) for kind, days in ages.items()]
    signals += [Signal("a.com", kind, TODAY - timedelta(days=days + 30)) for kind, days in ages.items()]
    frames = frames_from([Account("a.com", "A", "a.com")], signals)
    return Universe(frames.accounts, frames.signals, on=TODAY)


def config() -> Config:
    return parse(YAML)


def test_a_segment_rests_on_the_signals_of_its_rules_its_scores_and_the_segments_it_refers_to() -> None:
    found = {name: set(signal_kinds(config(), name)) for name in config().segments}
    assert found == {
        "visitors": {"pricing_page", "download"},
        "hot": {"pricing_page", "topic_surge"},
        "best": {"demo_request"},
        "both": {"pricing_page", "download", "topic_surge", "demo_request", "logins"},
        "cell": {"webinar"},
        "large": set(),
    }


def test_signals_are_stale_when_the_newest_is_more_than_a_week_old() -> None:
    data = universe(pricing_page=8, topic_surge=7, download=40)
    assert stale_signals(config(), data, "hot") == (Stale("pricing_page", TODAY - timedelta(days=8), 8),)
    assert [one.kind for one in stale_signals(config(), data, "visitors")] == ["download", "pricing_page"]
    assert stale_signals(config(), data, "large") == ()
    assert stale_signals(config(), data, "best") == ()  # never seen is another warning


def test_the_words_name_kind_day_and_age() -> None:
    assert Stale("webinar", date(2026, 8, 20), 73).words == "webinar of 2026-08-20 (73 days ago)"
