"""Whom to leave out, needs and values as conditions, and the corners of the grid."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

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


NEGATIVE = """
segments:
  out:
    kind: negative
    where:
      any:
        - {field: employees, less_than: 20}
        - {field: industry, in: [Government, Consumer Goods]}
        - {field: buying_motive, is: price}
        - {field: use_case, is: none}
        - {field: win_rate_against_incumbent, less_than: 0.1}
        - {field: domain, in: [acme.example]}
        - {field: stage, in: [customer, opportunity]}
  s: {where: {field: name, exists: true}, without: [out]}
"""


@pytest.mark.parametrize(
    "reason",
    [
        {"employees": 5}, {"industry": "government"}, {"buying_motive": "price"}, {"use_case": "none"},
        {"win_rate_against_incumbent": 0.05}, {"stage": "Customer"}, {"stage": "opportunity"},
    ],
)  # fmt: skip
def test_negative_segments_leave_out_whom_ads_should_not_reach(reason: dict[str, Any]) -> None:
    found = run(NEGATIVE, [company("bad", **reason), company("unknown"), company("good", 50, "Software")])
    assert members(found) == {"good", "unknown"}
    assert found["s"].excluded == {"without:out": 1}


def test_need_and_value_fields_are_conditions_like_any_other() -> None:
    found = run(
        "segments: {s: {where: [{field: need, contains: attribution}, {field: lifetime_value, top: 50 %}]}}",
        [
            company("a", need="Better attribution", lifetime_value=9),
            company("b", need="Other", lifetime_value=8),
            company("c", need="attribution", lifetime_value=1),
            company("d", lifetime_value=2),
        ],
    )  # fmt: skip
    assert members(found) == {"a"}


def test_the_four_corners_of_the_grid_can_each_be_a_segment() -> None:
    found = run(
        """
scoring:
  fit: {maximum: 10, groups: {size: {best: [{field: employees, at_least: 100, points: 10}]}}}
  intent: {weights: {pricing_page: 10}, hot: 20, warm: 5}
segments:
  strike: {where: {mode: strike}}
  nurture: {where: {mode: nurture}}
  careful: {where: {mode: handle_with_care}}
  rest: {where: {mode: ignore}}
""",
        [company("a", 200), company("b", 200), company("c", 2), company("d", 2)],
        [did(name, "pricing_page", 0) for name in ("a", "c") for _ in range(2)],
    )
    assert [members(found, name) for name in ("strike", "nurture", "careful", "rest")] == [
        {"a"},
        {"b"},
        {"c"},
        {"d"},
    ]
