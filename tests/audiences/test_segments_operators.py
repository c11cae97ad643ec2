"""Operators one by one, each with the companies it must keep."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from audiences.config import Config, parse
from audiences.model import Account, Signal
from audiences.scoring import frames_from, score
from audiences.segments import Evaluation, evaluate
from audiences.segments_why import why

TODAY = date(2026, 11, 1)


def run(
    config: Config, accounts: list[Account], signals: list[Signal] | None = None
) -> dict[str, Evaluation]:
    frames = frames_from(accounts, signals or [])
    scores = score(config.scoring, frames.accounts, frames.signals, on=TODAY)
    return evaluate(config, frames.accounts, frames.signals, scores, on=TODAY)


def kept(where: str, accounts: list[Account], signals: list[Signal] | None = None) -> set[str]:
    config = parse(f"workspace: A\nsegments: {{s: {{where: {where}}}}}")
    return set(run(config, accounts, signals)["s"].version.account_ids)


def account(name: str, **values: Any) -> Account:
    plain = {key: values.pop(key) for key in ("industry", "employees", "country") if key in values}
    return Account(name, name, attributes=values, **plain)


SIZES = [
    account("none"),
    account("tiny", employees=5),
    account("mid", employees=100),
    account("big", employees=900),
]


@pytest.mark.parametrize(
    ("operators", "names"),
    [
        ("at_least: 100", {"mid", "big"}),
        ("more_than: 100", {"big"}),
        ("at_most: 100", {"tiny", "mid"}),
        ("less_than: 100", {"tiny"}),
        ("between: [5, 100]", {"tiny", "mid"}),
        ("at_least: 6, at_most: 899", {"mid"}),
        ("is: 100", {"mid"}),
        ("is_not: 100", {"tiny", "big"}),
        ("in: [5, 900]", {"tiny", "big"}),
        ("not_in: [5, 900]", {"mid"}),
        ("exists: true", {"tiny", "mid", "big"}),
        ("missing: true", {"none"}),
        ("top: 30 %", {"big"}),
        ("top: 34 %", {"mid", "big"}),
        ("bottom: 1 %", {"tiny"}),
        ("at_least: 100, if_unknown: match", {"none", "mid", "big"}),
    ],
)
def test_number_operators(operators: str, names: set[str]) -> None:
    assert kept(f"{{field: employees, {operators}}}", SIZES) == names


def test_none_of_keeps_those_who_are_known_to_be_otherwise() -> None:
    assert kept("{none: [{field: employees, at_least: 100}]}", SIZES) == {"tiny"}
    assert kept("{none: [{field: employees, is: 5}, {field: employees, is: 900}]}", SIZES) == {"mid"}


def test_the_top_quartile_takes_ties_along() -> None:
    rows = [account(f"c{i}", contract_value=value) for i, value in enumerate([9, 9, 9, 5, 4, 3, 2, 1])]
    assert kept("{field: contract_value, top: 25 %}", rows) == {"c0", "c1", "c2"}


TAGGED = [
    account("unknown"),
    account("empty", tags=[]),
    account("ours", tags=["Partner ", "EU"]),
    account("theirs", tags=["Rival"]),
]


@pytest.mark.parametrize(
    ("operators", "names"),
    [
        ("contains: partner", {"ours"}),
        ("contains: [partner, rival]", {"ours", "theirs"}),
        ("contains_all: [EU, partner]", {"ours"}),
        ("lacks: rival", {"empty", "ours"}),
        ("is: rival", {"theirs"}),
    ],
)
def test_list_operators_do_not_take_unknown_for_absence(operators: str, names: set[str]) -> None:
    assert kept(f"{{field: tags, {operators}}}", TAGGED) == names


def test_contains_on_text_looks_for_a_part_of_it_and_takes_it_literally() -> None:
    rows = [account("a", industry="IT Services (B2B)"), account("b", industry="Retail"), account("c")]
    assert kept('{field: industry, contains: "services (b"}', rows) == {"a"}
    assert kept('{field: industry, lacks: "services (b"}', rows) == {"b"}


DATED = [
    account(f"d{days}", renewal_on=(TODAY + timedelta(days=days)).isoformat())
    for days in (-91, -5, 0, 30, 91)
]


@pytest.mark.parametrize(
    ("operators", "names"),
    [
        ("within_next_days: 30", {"d0", "d30"}),
        ("within_last_days: 5", {"d-5", "d0"}),
        ("more_than_days_ago: 90", {"d-91"}),
        ("at_least: 2026-11-01", {"d0", "d30", "d91"}),
        ("between: [2026-10-01, 2026-11-01]", {"d-5", "d0"}),
    ],
)
def test_date_operators(operators: str, names: set[str]) -> None:
    assert kept(f"{{field: renewal_on, {operators}}}", [*DATED, account("x", renewal_on="soon")]) == names


def test_a_field_may_be_compared_with_another_field() -> None:
    rows = [
        account("over", usage=11, plan_limit=10),
        account("at", usage=10, plan_limit=10),
        account("no", usage=1),
    ]
    assert kept("{field: usage, more_than_field: plan_limit}", rows) == {"over"}
    assert kept("{field: usage, at_least_field: plan_limit}", rows) == {"over", "at"}


def test_a_field_no_source_has_is_unknown_for_everybody() -> None:
    config = parse("workspace: A\nsegments: {s: {where: {field: zodiac, is: lion}}}")
    evaluation = run(config, SIZES)["s"]
    assert (evaluation.version.account_ids, evaluation.unknown) == ((), 4)


def test_text_that_should_be_a_number_is_unknown_unless_it_reads_as_one() -> None:
    rows = [account("a", size="1,200"), account("b", size="many"), account("c", size="12")]
    assert kept("{field: size, at_least: 100}", rows) == {"a"}


VISITS = [
    Signal("a", "visit", TODAY - timedelta(days=d), strength=s)
    for d, s in ((0, 1), (14, 2), (15, 1), (100, 1))
]


@pytest.mark.parametrize(
    ("operators", "found"),
    [
        ("at_least: 3, within_days: 14", True),
        ("more_than: 3, within_days: 14", False),
        ("at_least: 4, within_days: 15", True),
        ("between_days_ago: [15, 100], at_least: 2, at_most: 2", True),
        ("between_days_ago: [16, 99]", False),
        ("at_most: 0, between_days_ago: [16, 99]", True),
        ("within_days: 15, after_silence_days: 85", True),
        ("within_days: 15, after_silence_days: 86", False),
    ],
)
def test_signals_are_counted_in_windows_with_both_ends(operators: str, found: bool) -> None:
    assert kept(f"{{signal: visit, {operators}}}", [account("a")], VISITS) == ({"a"} if found else set())


def test_one_row_may_count_several_events_and_never_a_part_of_one() -> None:
    visits = [Signal("a", "visit", TODAY, strength=2.6), Signal("b", "visit", TODAY, strength=0.4)]
    accounts = [account("a"), account("b")]
    assert kept("{signal: visit, at_least: 1}", accounts, visits) == {"a", "b"}
    assert kept("{signal: visit, at_least: 2}", accounts, visits) == {"a"}
    assert kept("{signal: visit, at_least: 3}", accounts, visits) == set()


def test_no_contact_in_ninety_days_is_unknown_when_no_source_records_contacts() -> None:
    rule = "{signal: executive_contact, at_most: 0, within_days: 90}"
    accounts = [account("a"), account("b")]
    assert kept(rule, accounts) == set()
    assert kept(rule, accounts, [Signal("b", "executive_contact", TODAY)]) == {"a"}


def metric(name: str, before: float, now: float) -> list[Signal]:
    return [
        Signal(name, "logins", TODAY - timedelta(days=40), strength=before),
        Signal(name, "logins", TODAY - timedelta(days=4), strength=now),
    ]


@pytest.mark.parametrize(
    ("operators", "names"),
    [
        ("down_at_least: 50 %", {"halved", "silent"}),
        ("up_at_least: 50 %", {"grown"}),
        ("up_at_least: 300 %", set()),
        ("down_at_least: 50 %, measure: mean", {"halved"}),
    ],
)
def test_a_metric_is_compared_with_the_span_before(operators: str, names: set[str]) -> None:
    accounts = [account(name) for name in ("halved", "grown", "steady", "silent", "new")]
    signals = [*metric("halved", 10, 5), *metric("grown", 10, 15), *metric("steady", 10, 9)]
    signals += [metric("silent", 10, 0)[0], metric("new", 0, 9)[1]]
    assert kept(f"{{metric: logins, within_days: 30, {operators}}}", accounts, signals) == names


def test_priority_gives_a_company_to_the_segment_that_comes_first() -> None:
    config = parse(
        "workspace: A\nsegments:\n"
        "  broad: {where: {field: employees, exists: true}, priority: 1}\n"
        "  narrow: {where: {field: employees, at_least: 100}, priority: 5}\n"
        "  free: {where: {field: employees, at_least: 900}}\n"
    )
    found = run(config, SIZES)
    assert found["narrow"].version.account_ids == ("big", "mid")
    assert found["broad"].version.account_ids == ("tiny",)
    assert found["free"].version.account_ids == ("big",)
    assert found["broad"].excluded == {"priority:narrow": 2}
    assert why(found["broad"], "mid").verdict == "priority:narrow"


def test_a_nested_segment_inherits_the_rules_and_exclusions_of_its_parent() -> None:
    config = parse(
        "workspace: A\nsegments:\n"
        "  out: {kind: negative, where: {field: name, is: big}}\n"
        "  parent: {where: {field: employees, at_least: 50}, without: [out]}\n"
        "  child: {within: parent, where: {field: employees, at_most: 1000}}\n"
        "  same: {within: child}\n"
    )
    found = run(config, SIZES)
    assert found["child"].version.account_ids == found["same"].version.account_ids == ("mid",)
    assert why(found["child"], "big").verdict == "outside:parent"
    assert why(found["parent"], "big").verdict == "without:out"
    assert why(found["child"], "stranger").verdict == "no_such_account"


def test_why_says_in_one_sentence_what_failed_and_what_was_seen() -> None:
    rules = "[{field: employees, at_least: 50}, {signal: visit, at_least: 9}]"
    config = parse(f"workspace: A\nsegments: {{s: {{where: {rules}}}}}")
    found = run(config, [account("a", employees=60), account("b", employees=5), account("c")], VISITS)["s"]
    assert why(found, "a").words() == "a is not in s: it fails visit at least 9 times (seen: 5 times)."
    assert why(found, "b").words() == "b is not in s: it fails employees at least 50 (seen: 5)."
    assert "it fails visit" in why(found, "c").words()


@pytest.mark.parametrize(
    ("rule", "employees", "sentence"),
    [
        (
            "{any: [{field: employees, at_least: 50}, {field: name, is: big}]}",
            5,
            "it fails any of these: employees at least 50 (seen: 5); name is big (seen: a).",
        ),
        (
            "{none: [{field: employees, at_least: 50}, {field: name, is: big}]}",
            60,
            "it fails none of these: employees at least 50 (seen: 60).",
        ),
        (
            "{none: [{all: [{field: employees, at_least: 50}, {field: name, is: a}]}]}",
            60,
            "it fails none of these: all of these: employees at least 50 (seen: 60); name is a (seen: a).",
        ),
        (
            "{any: [{all: [{field: name, is: a}, {field: employees, at_least: 50}]}, {field: name, is: big}]}",
            None,
            "the data does not say whether any of these holds: employees at least 50 (seen: unknown).",
        ),
    ],
)
def test_why_names_the_rules_of_a_group_that_settled_it(
    rule: str, employees: int | None, sentence: str
) -> None:
    config = parse(f"workspace: A\nsegments: {{s: {{where: {rule}}}}}")
    found = run(config, [account("a", employees=employees)], [])["s"]
    assert why(found, "a").words() == f"a is not in s: {sentence}"
