"""Rule trees against a slow obvious twin that asks one company at a time."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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


# -- the twin ------------------------------------------------------------------

Answer = bool | None  # None: the data does not say


def asked(rule: dict[str, Any], company: Account, signals: list[Signal], kinds: set[str]) -> Answer:
    for word in ("all", "any", "none"):
        if word in rule:
            return joined(word, [asked(inner, company, signals, kinds) for inner in rule[word]])
    answer = asked_signal(rule, company, signals, kinds) if "signal" in rule else asked_field(rule, company)
    if answer is None and "if_unknown" in rule:
        return bool(rule["if_unknown"] == "match")
    return answer


def joined(word: str, answers: list[Answer]) -> Answer:
    if word == "all":
        return False if False in answers else (None if None in answers else True)
    anyone: Answer = True if True in answers else (None if None in answers else False)
    if word == "any" or anyone is None:
        return anyone
    return not anyone


def asked_field(rule: dict[str, Any], company: Account) -> Answer:
    value = getattr(company, rule["field"], None)
    if "exists" in rule:
        return (value is not None) == rule["exists"]
    if value is None:
        return None
    if "is" in rule:
        return bool(str(value).lower() == str(rule["is"]).lower())
    if "in" in rule:
        return str(value).lower() in [item.lower() for item in rule["in"]]
    if "not_in" in rule:
        return str(value).lower() not in [item.lower() for item in rule["not_in"]]
    if "between" in rule:
        return bool(rule["between"][0] <= value <= rule["between"][1])
    return bool(value >= rule["at_least"])


def asked_signal(rule: dict[str, Any], company: Account, signals: list[Signal], kinds: set[str]) -> Answer:
    if rule["signal"] not in kinds:
        return None
    mine = [
        s
        for s in signals
        if s.account_id == company.account_id
        and s.kind == rule["signal"]
        and 0 <= (TODAY - s.on).days <= rule["within_days"]
        and ("topics" not in rule or (s.topic or "").lower() in [t.lower() for t in rule["topics"]])
        and s.strength >= rule.get("minimum_strength", 0.0)
    ]
    count = sum(int(s.strength) if s.strength > 1 else 1 for s in mine)
    people = {s.person for s in mine if s.person}
    if "people" in rule:
        if not any(s.person for s in signals if s.kind == rule["signal"] and (TODAY - s.on).days >= 0):
            return None
        return len(people) >= rule["people"] and count >= 1
    return count <= rule["at_most"] if "at_most" in rule else count >= rule["at_least"]


FIELDS = st.one_of(
    st.fixed_dictionaries({"field": st.just("industry"), "is": st.sampled_from(["Food", "SOFTWARE"])}),
    st.fixed_dictionaries({"field": st.just("industry"), "in": st.just(["food", "Media"])}),
    st.fixed_dictionaries({"field": st.just("country"), "not_in": st.just(["US", "NO"])}),
    st.fixed_dictionaries({"field": st.just("country"), "exists": st.booleans()}),
    st.fixed_dictionaries({"field": st.just("employees"), "between": st.just([10, 100])}),
    st.fixed_dictionaries(
        {"field": st.just("employees"), "at_least": st.integers(0, 200)},
        optional={"if_unknown": st.sampled_from(["match", "no_match"])},
    ),
)
COUNTED = st.fixed_dictionaries(
    {"signal": st.sampled_from(["visit", "surge", "never"]), "within_days": st.integers(0, 20)}
)
BOUNDS = st.one_of(
    st.fixed_dictionaries({"at_least": st.integers(1, 3)}, optional={"topics": st.just(["CRM"])}),
    st.fixed_dictionaries({"at_most": st.integers(0, 2)}, optional={"minimum_strength": st.just(0.5)}),
    st.fixed_dictionaries({"people": st.integers(1, 3)}),
)
LEAVES = FIELDS | st.builds(lambda a, b: a | b, COUNTED, BOUNDS)
RULES = st.recursive(
    LEAVES,
    lambda inner: st.builds(
        lambda word, rules: {word: rules},
        st.sampled_from(["all", "any", "none"]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=8,
)
COMPANIES = st.lists(
    st.builds(
        lambda industry, country, employees: (industry, country, employees),
        st.sampled_from([None, "Food", "software", "Media"]),
        st.sampled_from([None, "US", "DE"]),
        st.sampled_from([None, 5, 10, 100, 101]),
    ),
    min_size=1,
    max_size=6,
)
EVENTS = st.lists(
    st.tuples(
        st.integers(0, 5), st.sampled_from(["visit", "surge"]), st.integers(-2, 22),
        st.sampled_from([None, "crm", "erp"]), st.sampled_from([0.2, 0.7, 1.0, 2.6]),
        st.sampled_from([None, "p", "q"]),
    ),
    max_size=12,
)  # fmt: skip


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(RULES, COMPANIES, EVENTS)
def test_a_rule_tree_keeps_whom_the_obvious_reading_keeps(
    rule: dict[str, Any], companies: list[tuple[Any, Any, Any]], events: list[tuple[Any, ...]]
) -> None:
    accounts = [
        Account(f"c{i}", "C", industry=a, country=b, employees=c) for i, (a, b, c) in enumerate(companies)
    ]
    signals = [Signal(f"c{i}", kind, TODAY - timedelta(days=d), t, s, p) for i, kind, d, t, s, p in events]
    known = {account.account_id for account in accounts}
    kinds = {s.kind for s in signals if s.account_id in known and s.on <= TODAY}
    ours = [s for s in signals if s.account_id in known]
    config = parse("workspace: A\nsegments: {s: {where: {field: name, exists: true}}}")
    segment = type(config.segments["s"]).model_validate({"where": rule})
    evaluation = run(config.model_copy(update={"segments": {"s": segment}}), accounts, signals)["s"]
    answers = {account.account_id: asked(rule, account, ours, kinds) for account in accounts}
    assert set(evaluation.version.account_ids) == {name for name, answer in answers.items() if answer is True}
    assert evaluation.unknown == sum(answer is None for answer in answers.values())
    verdicts = {True: "member", False: "dropped", None: "unknown"}
    for name, answer in answers.items():
        assert why(evaluation, name).verdict == verdicts[answer]
    for outcome in evaluation.rules:
        assert outcome.kept + outcome.dropped + outcome.unknown == outcome.entered
