"""Every condition reads as English."""

from __future__ import annotations

import pytest

from audiences.config import parse
from audiences.segments_words import heading, in_words, segment_in_words


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("{field: employees, between: [100, 500]}", "employees between 100 and 500"),
        ("{field: revenue_usd, at_least: 1000000}", "annual revenue in USD at least 1,000,000"),
        (
            "{field: industry, in: [Software, Banking, Media]}",
            "industry is one of Software, Banking or Media",
        ),
        ("{field: tags, lacks: [Marketo, Pardot]}", "tags is known and lacks Marketo or Pardot"),
        ("{field: country, missing: true}", "country is unknown"),
        ("{field: country, exists: true}", "country is known"),
        ("{field: contract_value, top: 25 %}", "contract value in the top 25 %"),
        ("{field: usage, more_than_field: plan_limit}", "usage is more than plan_limit"),
        ("{field: renewal_on, within_next_days: 90}", "renewal on in the next 90 days"),
        ("{field: renewal_on, at_least: 2026-11-01}", "renewal on at least 2026-11-01"),
        ("{field: employees, at_least: 50, if_unknown: match}", "employees at least 50 (or unknown)"),
        ("{field: employees, at_least: 5, at_most: 9}", "employees at least 5 and employees at most 9"),
        ("{tier: [1, 2]}", "tier 1 or 2"),
        ("{fit: 70}", "fit at least 70"),
        ("{intent: {between: [5, 40]}}", "intent score between 5 and 40"),
        ("{intent: hot}", "intent is hot"),
        ("{heat: [hot, warm]}", "intent is hot or warm"),
        ("{mode: handle_with_care}", "handle with care in the fit x intent grid"),
        ("{technology: [HubSpot, Salesforce]}", "uses HubSpot or Salesforce"),
        ("{absent_technology: Marketo}", "is known not to use Marketo"),
        (
            "{signal: pricing_page, more_than: 2, within_days: 14}",
            "pricing page more than twice in the last 14 days",
        ),
        (
            "{signal: [topic_surge], topics: [CRM], minimum_strength: 0.6, people: 2, within_days: 9}",
            "topic surge on CRM of strength 0.6 or more at least once by at least 2 people "
            "in the last 9 days",
        ),
        (
            "{signal: executive_contact, at_most: 0, between_days_ago: [10, 90]}",
            "executive contact not once between 10 and 90 days ago",
        ),
        (
            "{signal: site_visit, within_days: 14, after_silence_days: 90}",
            "site visit at least once in the last 14 days, after 90 days of silence",
        ),
        (
            "{metric: logins, down_at_least: 50 %, within_days: 30}",
            "logins down 50 % or more in 30 days against the 30 before",
        ),
        ("{any: [{tier: 1}, {none: [{tier: 4}]}]}", "any of: tier 1; none of: tier 4"),
    ],
)
def test_a_condition_in_words(rule: str, words: str) -> None:
    where = parse(f"workspace: A\nsegments: {{s: {{where: {rule}}}}}").segments["s"].where
    assert where is not None
    assert in_words(where) == words
    assert heading(where) == ("any of these" if rule.startswith("{any") else words)


def test_references_and_matrices_in_words() -> None:
    config = parse(
        "workspace: A\nmatrices: {m: {rows: {big: {tier: 1}}, columns: {soft: {tier: 2}}}}\nsegments:\n"
        "  p: {where: {matrix: m, cells: [[big, soft]]}}\n"
        "  s: {title: Best, within: p, where: {segment: p}, without: [q], holdout: 10 %}\n"
        "  q: {kind: negative, where: {tier: 4}}\n"
    )
    assert segment_in_words("p", config.segments["p"]) == "p: companies where in m: big x soft."
    assert segment_in_words("s", config.segments["s"]) == (
        "Best: companies of p where in segment p, but not in q; 10 % of them are held out."
    )
