"""Mistakes in evenreach.yaml are told with file, line, field and what to do."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiences.config import load, parse
from audiences.config_yaml import ConfigProblems, Problem
from audiences.errors import ConfigError

GOOD = """\
workspace: Acme
platforms:
  linkedin: {mode: sandbox, ad_account: "500000001"}
scoring:
  fit:
    maximum: 20
    groups:
      size: {best: [{field: employees, between: [100, 500], points: 20}]}
segments:
  strike:
    title: Strike list
    where:
      all:
        - tier: [1]
        - {signal: pricing_page, at_least: 2, within_days: 14}
    without: [customers]
    sync: {linkedin: [companies]}
    balance: {campaign: "600000001"}
  customers: {kind: negative, where: {field: stage, is: customer}}
policies:
  default: {mode: bands, bands: 4}
"""


def problems(text: str) -> list[tuple[int, str, str, str]]:
    with pytest.raises(ConfigProblems) as caught:
        parse(text)
    return [(p.line, p.field, p.message, p.remedy) for p in caught.value.problems]


def spotted(text: str) -> tuple[Problem, ...]:
    """The problems of a text; () when there is none."""
    try:
        parse(text)
    except ConfigProblems as error:
        return error.problems
    return ()


def test_a_misspelt_key_is_found_with_its_line_and_the_word_that_was_meant() -> None:
    found = problems(GOOD.replace("    title:", "    titel:"))
    assert found == [(11, "segments.strike.titel", 'unknown key "titel"', 'Did you mean "title"?')]


def test_every_mistake_is_told_in_one_pass_and_in_the_order_of_the_file() -> None:
    text = (
        GOOD.replace("mode: sandbox", "mode: sandbx")
        .replace("between: [100, 500]", "betwen: [100, 500]")
        .replace("- tier: [1]", "- teir: [1]")
        .replace("within_days: 14", "within_days: soon")
    )
    found = problems(text)
    assert [line for line, *_ in found] == [3, 8, 14, 15]
    assert [field for _, field, *_ in found] == [
        "platforms.linkedin.mode",
        "scoring.fit.groups.size.best[0].betwen",
        "segments.strike.where.all[0]",
        "segments.strike.where.all[1].within_days",
    ]
    assert [remedy for *_, remedy in found][:3] == [
        'Did you mean "sandbox"?',
        'Did you mean "between"?',
        'Did you mean "tier"?',
    ]


def test_the_message_reads_file_line_field_problem_remedy() -> None:
    with pytest.raises(ConfigError) as caught:
        parse(GOOD.replace("maximum: 20", "maximum: -1"), file="acme.yaml")
    assert str(caught.value).startswith("acme.yaml:6: scoring.fit.maximum: ")
    assert (caught.value.file, caught.value.line, caught.value.field) == (
        "acme.yaml",
        6,
        "scoring.fit.maximum",
    )
    assert not caught.value.retryable


def test_the_error_survives_pickling_with_all_its_problems() -> None:
    with pytest.raises(ConfigProblems) as caught:
        parse(GOOD.replace("tier: [1]", "teir: [1]"))
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.problems) == (str(caught.value), caught.value.problems)


def test_segments_that_refer_to_each_other_in_a_circle_are_named() -> None:
    text = GOOD.replace("{field: stage, is: customer}", "{segment: strike}")
    ((_, field, message, _),) = problems(text)
    assert field.startswith("segments.")
    assert message.endswith("strike -> customers -> strike") or message.endswith(
        "customers -> strike -> customers"
    )


def test_a_circle_through_a_parent_segment_is_found_too() -> None:
    text = GOOD.replace("    title: Strike list", "    within: strike")
    assert "strike -> strike" in problems(text)[0][2]


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("without: [customers]", "without: [custmers]", 16, 'there is no segment "custmers"'),
        ("sync: {linkedin:", "sync: {google:", 17, 'platform "google" is not set up'),
        ('balance: {campaign: "600000001"}', 'balance: {campaign: "6", policy: evn}', 18, "no such policy"),
        ("bands: 4}", "bandz: 4}", 21, 'unknown key "bandz"'),
        ("    where:\n      all:", "    where:\n      all: []\n      any:", 13, "at least 1 item"),
        ("tier: [1]", "matrix: size, cells: [[a, b]]", 14, 'there is no matrix "size"'),
        ("tier: [1]", "{field: employees}", 14, "nothing is asked of"),
        ("tier: [1]", "{field: employees, between: [9, 1]}", 14, "larger than the second"),
        ("tier: [1]", "{metric: logins, within_days: 30}", 14, "give one direction"),
        ("at_least: 2, within", "between_days_ago: [1, 3], within", 15, "two windows"),
        ("kind: negative, where", "kind: negatve, where", 19, "not one of the allowed words"),
        ("workspace: Acme", "workspace: Acme\ntimezone: Europe/Berln", 2, "no time zone"),
        ('ad_account: "500000001"', "api_version: x", 3, "is missing"),
    ],
)
def test_a_mistake_is_placed_on_its_line(old: str, new: str, line: int, message: str) -> None:
    assert old in GOOD
    text = GOOD.replace(f"- {old}", f"- {{{new}}}" if not new.startswith("{") else f"- {new}")
    found = problems(text if text != GOOD else GOOD.replace(old, new))
    assert any(at == line and message in said for at, _, said, _ in found), found


def test_a_key_that_stands_twice_is_refused() -> None:
    ((line, _, message, remedy),) = problems(
        GOOD.replace("    title: Strike list", "    title: A\n    title: B")
    )
    assert (line, message, remedy) == (12, "a key stands twice in one block", "Keep one of the two.")


def test_text_that_is_no_yaml_names_the_line_where_reading_stopped() -> None:
    ((line, *_),) = problems(GOOD.replace("where: {field: stage, is: customer}}", "where: {field: stage"))
    assert line >= 19


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just words"])
def test_a_file_without_settings_is_refused(text: str) -> None:
    assert problems(text)[0][2] == "the file is not a list of settings"


def test_an_alias_inside_its_own_anchor_is_refused() -> None:
    assert problems("workspace: A\nsegments: {s: {where: &a {all: [*a]}}}\n")


def test_a_missing_file_is_a_settings_error_and_not_a_traceback(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "nowhere.yaml")


def test_a_fit_model_whose_first_tier_is_out_of_reach_is_refused() -> None:
    assert (
        "no company can reach the first tier" in problems(GOOD.replace("maximum: 20", "maximum: 100"))[0][2]
    )


def test_values_of_settings_are_not_repeated_in_messages() -> None:
    text = GOOD.replace("workspace: Acme", "workspace: Acme\ndatabase: [postgresql://u:hunter2@db/x]")
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert "hunter2" not in str(caught.value) + repr(caught.value)


def test_an_address_with_a_password_is_not_shown_when_settings_are_printed() -> None:
    config = parse("workspace: A\ndatabase: postgresql://u:hunter2@db/x\nsources:\n  companies: "
                   "[{sql: 'postgresql://u:hunter2@db/x', query: select 1}]\n"
                   "alerts: {slack: https://hooks/hunter2}\n")  # fmt: skip
    assert "hunter2" not in repr(config) + str(config)


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_whatever_line_is_spoilt_the_answer_is_a_config_or_a_placed_problem(data: st.DataObject) -> None:
    lines = GOOD.splitlines()
    row = data.draw(st.integers(0, len(lines) - 1))
    noise = data.draw(st.text("abc:[]{}-,#&*!'\" 0\t", max_size=8))
    where = data.draw(st.integers(0, len(lines[row])))
    lines[row] = lines[row][:where] + noise + lines[row][where:]
    text = "\n".join(lines)
    for problem in spotted(text):
        assert 0 <= problem.line <= len(lines) + 1
        assert problem.message
        assert problem.remedy


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(f"k{n}: &k{n} [{', '.join([f'*k{n - 1}' if n else 'x'] * 9)}]" for n in range(30)),
        "workspace: " + "[" * 400 + "]" * 400,
    ],
    ids=["anchors", "depth"],
)
def test_settings_that_stand_for_more_than_a_memory_holds_are_refused_at_once(text: str) -> None:
    with pytest.raises(ConfigError, match="nested too deeply, or repeats itself"):
        parse(text)


def test_a_tagged_list_is_a_mistake_with_its_field_and_runs_nothing() -> None:
    with pytest.raises(ConfigError) as caught:
        parse("workspace: !!python/object/apply:os.system [exit]\n")
    assert caught.value.field == "workspace"
