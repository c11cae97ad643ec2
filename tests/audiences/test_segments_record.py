"""Fingerprints, holdouts and the table for the CRM."""

from __future__ import annotations

import random
from datetime import date, timedelta
from io import BytesIO

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiences.config import Config, parse
from audiences.model import Account, Signal
from audiences.scoring import frames_from, score
from audiences.segments import Evaluation, evaluate
from audiences.segments_export import csv_bytes, neutralised, parquet_bytes, stamped
from audiences.segments_why import why

TODAY = date(2026, 11, 1)
YAML = """
workspace: A
segments:
  s: {title: T, where: [{field: employees, at_least: 50}, {signal: visit}], holdout: 0.2}
  t: {where: {segment: s}}
  u: {where: {field: country, is: US}, holdout: {share: 0.1, group: other}}
"""
CONFIG = parse(YAML)


def world(n: int = 400) -> tuple[list[Account], list[Signal]]:
    rng = random.Random(5)
    accounts = [
        Account(f"c{i}", f"C{i}", country=rng.choice(["US", None]), employees=rng.choice([None, 10, 60]))
        for i in range(n)
    ]
    signals = [
        Signal(
            f"c{rng.randrange(n)}", "visit", TODAY - timedelta(days=rng.randrange(9)), rng.choice(["a", None])
        )
        for _ in range(2 * n)
    ]
    return accounts, signals


def run(
    config: Config, accounts: list[Account], signals: list[Signal], on: date = TODAY
) -> dict[str, Evaluation]:
    frames = frames_from(accounts, signals)
    scores = score(config.scoring, frames.accounts, frames.signals, on=on)
    return evaluate(config, frames.accounts, frames.signals, scores, on=on)


def prints(evaluations: dict[str, Evaluation]) -> dict[str, str]:
    return {name: evaluation.version.fingerprint for name, evaluation in evaluations.items()}


BASE = run(CONFIG, *world())


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_same_data_in_any_order_gives_the_same_version(rng: random.Random) -> None:
    accounts, signals = world()
    rng.shuffle(accounts)
    rng.shuffle(signals)
    again = run(CONFIG, accounts, signals)
    assert {n: e.version for n, e in again.items()} == {n: e.version for n, e in BASE.items()}


def test_rewording_a_title_or_moving_a_sync_changes_no_fingerprint() -> None:
    config = parse(YAML.replace("title: T", "title: Other, owner: kim"))
    assert prints(run(config, *world())) == prints(BASE)


def test_a_changed_rule_changes_its_segment_and_those_built_on_it_and_no_other() -> None:
    changed = prints(run(parse(YAML.replace("at_least: 50", "at_least: 51")), *world()))
    assert [name for name in changed if changed[name] != prints(BASE)[name]] == ["s", "t"]


def test_any_changed_cell_or_date_changes_the_fingerprint() -> None:
    accounts, signals = world()
    other = [
        Account(a.account_id, a.name, country=a.country, employees=a.employees, city="x")
        for a in accounts[:1]
    ]
    moved = [Signal(s.account_id, s.kind, s.on, "b", s.strength, s.person) for s in signals[:1]]
    variants = [
        run(CONFIG, other + accounts[1:], signals),
        run(CONFIG, accounts, moved + signals[1:]),
        run(CONFIG, accounts, signals[1:]),
        run(CONFIG, accounts, [*signals, signals[0]]),
        run(CONFIG, accounts, signals, on=TODAY + timedelta(days=1)),
    ]
    quiet = [run(CONFIG, accounts, [], on=TODAY + timedelta(days=day)) for day in (0, 1)]
    assert prints(quiet[0])["u"] != prints(quiet[1])["u"]
    seen = [prints(BASE)["u"], *(prints(variant)["u"] for variant in variants)]
    assert len(set(seen)) == len(seen)


def rules(yaml: str, on: date = TODAY, rows: int = 400) -> dict[str, str]:
    return {name: e.rules_fingerprint for name, e in run(parse(yaml), *world(rows), on=on).items()}


def test_the_fingerprint_of_the_rules_alone_stays_while_data_and_date_move_on() -> None:
    assert rules(YAML) == rules(YAML, TODAY + timedelta(days=9), 100)
    assert rules(YAML.replace("0.2", "0.3"))["u"] == rules(YAML)["u"] != rules(YAML)["s"]


def test_a_changed_score_model_changes_the_rules_of_segments_that_use_scores_and_of_no_other() -> None:
    text = "workspace: A\n{}segments:\n"
    text += "  a: {{where: {{tier: 1}}}}\n  b: {{where: {{field: name, exists: true}}}}\n"
    text += "  c: {{within: a, where: {{matrix: m, cells: [[x, y]]}}}}\n"
    text += "matrices: {{m: {{rows: {{x: {{heat: hot}}}}, columns: {{y: {{field: name, exists: true}}}}}}}}\n"
    before, after = rules(text.format("")), rules(text.format("scoring: {tiers: {1: 60, 2: 0}}\n"))
    assert [name for name in before if before[name] != after[name]] == ["a", "c"]


def test_a_rival_with_priority_is_part_of_the_rules() -> None:
    text = "workspace: A\nsegments:\n"
    text += "  a: {where: {field: employees, at_least: 50}, priority: 1}\n"
    text += "  b: {where: {segment: d}, priority: 2}\n  c: {where: {field: name, exists: true}}\n"
    text += "  d: {where: {field: country, is: US}}\n"
    before, after = rules(text), rules(text.replace("is: US", "is: DE"))
    assert [name for name in before if before[name] != after[name]] == ["a", "b", "d"]


def test_a_holdout_is_a_part_of_those_who_qualify_of_about_the_size_asked_for() -> None:
    accounts = [Account(f"company-{i}.example", "C", country="US") for i in range(20_000)]
    config = parse("workspace: A\nsegments: {s: {where: {field: country, is: US}, holdout: 10 %}}")
    version = run(config, accounts, [])["s"].version
    assert set(version.holdout_ids) < set(version.account_ids)
    assert len(version.holdout_ids) == pytest.approx(2000, abs=4 * (20_000 * 0.1 * 0.9) ** 0.5)


def test_a_company_held_out_today_is_held_out_tomorrow_whatever_else_changes() -> None:
    accounts, signals = world()
    later = run(
        CONFIG, [*accounts[50:], Account("new", "N", country="US")], signals, on=TODAY + timedelta(days=30)
    )
    both = set(BASE["u"].version.account_ids) & set(later["u"].version.account_ids)
    assert both
    assert both & set(BASE["u"].version.holdout_ids) == both & set(later["u"].version.holdout_ids)


def test_a_company_that_is_held_out_is_told_so() -> None:
    held = BASE["s"].version.holdout_ids[0]
    served = next(name for name in BASE["s"].version.account_ids if name not in BASE["s"].version.holdout_ids)
    assert why(BASE["s"], held).words() == f"{held} qualifies for s, but is held out."
    assert why(BASE["s"], served).words() == f"{served} qualifies for s."


def test_a_larger_share_of_the_same_group_holds_out_the_same_companies_and_more() -> None:
    def held(share: float, group: str = "all") -> set[str]:
        holdout = f"holdout: {{share: {share}, group: {group}}}"
        config = parse(f"workspace: A\nsegments: {{s: {{where: {{field: name, exists: true}}, {holdout}}}}}")
        return set(run(config, *world())["s"].version.holdout_ids)

    assert held(0.1) < held(0.3)
    assert not held(0.3) <= held(0.3, "other")


def test_the_table_for_the_crm_has_a_row_per_company_with_scores_and_segments() -> None:
    accounts, signals = world()
    frames = frames_from(accounts, signals)
    table = stamped(BASE, score(CONFIG.scoring, frames.accounts, frames.signals, on=TODAY))
    assert table.height == len(accounts)
    for row in table.iter_rows(named=True):
        named = [name for name in BASE if row["account_id"] in BASE[name].version.account_ids]
        assert row["segments"] == "; ".join(named)
        assert (row["tier"], row["computed_on"]) == (4, TODAY)
    held = set(table.filter(pl.col("held_out_of").str.contains("s"))["account_id"])
    assert held == set(BASE["s"].version.holdout_ids)
    assert pl.read_parquet(BytesIO(parquet_bytes(table))).equals(table)
    assert pl.read_csv(BytesIO(csv_bytes(table)), try_parse_dates=True).height == table.height


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_cell_that_a_spreadsheet_would_run_is_made_harmless(cell: str) -> None:
    frame = pl.DataFrame({"name": [cell, "Acme = good", None], "fit": [-1.0, 2.0, 3.0]})
    assert neutralised(frame)["name"].to_list() == ["'" + cell, "Acme = good", None]
    assert neutralised(frame)["fit"].to_list() == [-1.0, 2.0, 3.0]


def test_scores_of_other_accounts_are_refused() -> None:
    accounts, signals = world()
    frames = frames_from(accounts, signals)
    scores = score(CONFIG.scoring, frames.accounts, frames.signals, on=TODAY)
    with pytest.raises(ValueError, match="score them again"):
        evaluate(CONFIG, frames.accounts.head(9), frames.signals, scores, on=TODAY)
