"""What is shown before a segment goes live, and what a strategist would say about it."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta

import pytest

from audiences.config import Config, parse
from audiences.membership import ListRules
from audiences.model import Account, Consent, Contact, MemberKind, Signal
from audiences.scoring import frames_from, score
from audiences.scoring_frames import contacts_frame
from audiences.segments import Evaluation, evaluate
from audiences.segments_preview import Preview, preview
from audiences.segments_warnings import Advice, segment_warnings, workspace_warnings
from audiences.segments_words import segment_in_words

TODAY = date(2026, 11, 1)
RULES = {
    "linkedin": ListRules(("domain", "name", "email_sha256")),
    "google": ListRules(("email_sha256",), needs_consent=True, needs_first_party=True),
}
MINIMUMS = {"linkedin": 300, "google": 100}
HEAD = 'workspace: A\nplatforms: {linkedin: {ad_account: "1"}, google: {customer: "2"}}\n'
CAREFUL = """segments:
  s:
    title: Software companies with a live interest
    owner: dana
    review_by: 2027-01-01
    acted_on_by: [linkedin ads, sdr routing, web]
    where: [{field: industry, is: Software}, {signal: pricing_page, within_days: 14}]
    without: [out]
    functions: [Marketing]
    seniorities: [VP]
    sync: {linkedin: [companies], google: [contacts]}
  out:
    {kind: negative, owner: x, review_by: 2027-01-01, acted_on_by: all, where: {field: employees, at_most: 4}}
"""


def accounts(count: int = 100) -> list[Account]:
    """Nine in ten companies with a known industry, three in four of them in software."""
    return [
        Account(
            f"c{i:03}", f"Company {i}", f"c{i}.example" if i % 2 else None, employees=10 + i,
            industry=None if i % 10 == 9 else ("Retail" if i % 4 == 3 else "Software"),
        )
        for i in range(count)
    ]  # fmt: skip


VISITS = [Signal(f"c{i:03}", "pricing_page", TODAY - timedelta(days=1)) for i in range(0, 100, 2)]


def run(config: Config, rows: list[Account], signals: list[Signal]) -> dict[str, Evaluation]:
    frames = frames_from(rows, signals)
    scores = score(config.scoring, frames.accounts, frames.signals, on=TODAY)
    return evaluate(config, frames.accounts, frames.signals, scores, on=TODAY)


def shown(yaml: str, rows: list[Account] | None = None, name: str = "s") -> tuple[Evaluation, Preview]:
    config = parse(HEAD + yaml)
    found = run(config, accounts() if rows is None else rows, VISITS)
    people = contacts_frame(person(i) for i in range(200))
    return found[name], preview(config, found, name, rules=RULES, minimums=MINIMUMS, contacts=people)


def person(i: int) -> Contact:
    digest = hashlib.sha256(str(i).encode()).hexdigest()
    consent = Consent.GRANTED if i % 4 else Consent.UNKNOWN
    return Contact(
        digest, f"c{i % 100:03}", (("email_sha256", digest),), first_party=True, consent=consent,
        function="marketing", seniority="vp",
    )  # fmt: skip


def codes(yaml: str, **more: date) -> dict[str, Advice]:
    evaluation, seen = shown(yaml)
    return {advice.code: advice for advice in segment_warnings(evaluation, seen, **more)}


def test_the_preview_adds_up() -> None:
    evaluation, seen = shown(CAREFUL)
    assert seen.universe == 100
    assert seen.qualifying == len(evaluation.version.account_ids)
    first, second = (rule for rule in seen.rules if rule.depth == 1)
    assert (first.entered, first.unknown) == (100, 10)
    assert first.kept + first.dropped + first.unknown == 100
    assert second.entered == first.kept
    assert second.kept == seen.qualifying + seen.excluded["without:out"]


def test_reach_tells_per_list_who_would_be_pushed_and_by_what_they_would_be_found() -> None:
    _, seen = shown(CAREFUL)
    companies, people = seen.reach
    assert (companies.platform, companies.kind, companies.members) == (
        "linkedin",
        MemberKind.COMPANY,
        seen.qualifying,
    )
    assert companies.by_identifier == {"name": seen.qualifying}  # even companies have no domain here
    assert companies.matched == (pytest.approx(0.5 * seen.qualifying), pytest.approx(0.85 * seen.qualifying))
    assert people.qualifying == 2 * seen.qualifying
    assert people.members + sum(people.left_out.values()) == people.qualifying
    assert set(people.left_out) == {"consent_unknown"}


def test_measured_match_rates_replace_the_published_ones() -> None:
    config = parse(HEAD + CAREFUL)
    found = run(config, accounts(), VISITS)
    rates = {"linkedin": {"name": (0.6, 0.6)}}
    seen = preview(config, found, "s", rules=RULES, minimums=MINIMUMS, rates=rates)
    assert seen.reach[0].matched == (pytest.approx(0.6 * seen.qualifying),) * 2
    assert [reach.platform for reach in seen.reach] == ["linkedin"]  # no contacts were given


def test_overlap_is_told_with_every_segment_that_shares_companies() -> None:
    small, large = "{field: employees, at_most: 59}", "{field: employees, at_least: 40}"
    yaml = f"segments: {{s: {{where: {small}}}, t: {{where: {large}}}}}"
    _, seen = shown(yaml)
    (overlap,) = seen.overlaps
    assert (overlap.other, overlap.shared) == ("t", 20)
    assert (overlap.of_this, overlap.of_other) == (pytest.approx(20 / 50), pytest.approx(20 / 70))


def test_coverage_is_measured_against_the_level_the_field_needs() -> None:
    _, seen = shown(CAREFUL)
    (industry,) = seen.coverage
    assert (industry.field, industry.known, industry.total, industry.needed) == ("industry", 90, 100, 0.8)
    assert industry.enough
    big = "segments: {s: {where: [{field: industry, is: Software}, {field: employees, at_least: 500}]}}"
    _, enterprise = shown(big)
    assert [(c.field, c.needed, c.enough) for c in enterprise.coverage] == [
        ("industry", 0.95, False), ("employees", 0.95, True),
    ]  # fmt: skip


def test_a_well_kept_segment_draws_no_warning_but_the_size_of_its_audience() -> None:
    assert set(codes(CAREFUL)) <= {"too_narrow"}


@pytest.mark.parametrize(
    ("old", "new", "code", "number"),
    [
        ("acted_on_by: [linkedin ads, sdr routing, web]", "acted_on_by: []", "nothing_acts", 0),
        ("acted_on_by: [linkedin ads, sdr routing, web]", "acted_on_by: [ads]", "few_things_act", 1),
        ("    owner: dana\n", "", "no_owner", 0),
        ("    review_by: 2027-01-01\n    acted", "    acted", "no_review_date", 0),
        ("review_by: 2027-01-01\n    acted", "review_by: 2026-10-01\n    acted", "review_overdue", 31),
        (", {signal: pricing_page, within_days: 14}", "", "firmographics_alone", 1),
        (
            "signal: pricing_page, within_days: 14",
            "signal: topic_surge, within_days: 45",
            "stale_signal_window",
            45,
        ),
        ("signal: pricing_page", "signal: pricing_pages", "signal_never_seen", 0),
        ("field: industry, is", "field: industri, is", "field_never_seen", 0),
        ("field: industry, is: Software", "field: industry, is: Mining", "nobody_qualifies", 0),
        ("    without: [out]\n", "", "nothing_left_out", 0),
        ("field: industry, is: Software", "field: name, exists: true", "rule_without_effect", 100),
    ],
)
def test_a_strategist_says_what_is_wrong_with_its_number(
    old: str, new: str, code: str, number: float
) -> None:
    assert old in CAREFUL
    found = codes(CAREFUL.replace(old, new, 1))
    assert found[code].number == number
    assert found[code].words


def test_a_tier_one_segment_is_measured_against_what_one_to_one_treatment_bears() -> None:
    fit = "scoring: {fit: {maximum: 1, groups: {a: {best: [{field: name, exists: true, points: 1}]}}}}\n"
    for count, limit in ((49, 50), (151, 150)):
        evaluation, seen = shown(fit + "segments: {s: {where: {tier: 1}}}", accounts(count))
        found = {advice.code: advice for advice in segment_warnings(evaluation, seen)}
        assert (found["tier1_size"].number, found["tier1_size"].limit) == (count, limit)


def test_people_on_linkedin_should_be_layered_by_function_and_seniority() -> None:
    text = CAREFUL.replace("linkedin: [companies]", "linkedin: contacts")
    assert "people_not_layered" not in codes(text)
    assert "people_not_layered" in codes(text.replace("    seniorities: [VP]\n", ""))


def test_more_than_five_criteria_are_too_many() -> None:
    rules = ", ".join(f"{{field: employees, at_least: {n}}}" for n in range(6))
    assert codes(f"segments: {{s: {{where: [{rules}]}}}}")["too_many_criteria"].number == 6


def test_a_criterion_on_a_field_that_is_mostly_empty_is_named() -> None:
    rows = [Account(f"c{i}", "C", attributes={"need": "x"} if i < 3 else {}) for i in range(10)]
    evaluation, seen = shown("segments: {s: {where: {field: need, is: x}}}", rows)
    found = {advice.code: advice for advice in segment_warnings(evaluation, seen)}
    assert (found["sparse_field"].number, found["sparse_field"].limit) == (0.3, 0.5)
    assert found["mostly_unknown"].number == 7


@pytest.mark.parametrize(
    ("known", "words"),
    [
        (0, "Annual revenue in USD: known for none of the companies; 80 % are needed."),
        (1, "Annual revenue in USD: known for 1 % of companies; 80 % are needed."),
        (500, "Annual revenue in USD: known for 50 % of companies; 80 % are needed."),
    ],
)
def test_a_sparse_field_is_told_in_words_and_a_little_is_not_nothing(known: int, words: str) -> None:
    rows = [Account(f"c{i}", "C", revenue_usd=1e6 if i < known else None) for i in range(1_000)]
    evaluation, seen = shown("segments: {s: {where: {field: revenue_usd, at_least: 1}}}", rows)
    found = {advice.code: advice for advice in segment_warnings(evaluation, seen)}
    assert found["sparse_field"].words == words


def test_a_segment_nobody_joined_or_left_for_over_a_quarter_is_static() -> None:
    assert codes(CAREFUL, changed_on=TODAY - timedelta(days=93))["static"].number == 93
    assert "static" not in codes(CAREFUL, changed_on=TODAY - timedelta(days=92))


def test_two_segments_with_the_same_companies_are_told_apart_by_nobody() -> None:
    rule = "{where: {field: employees, at_least: 20}}"
    yaml = f"segments: {{s: {rule}, t: {rule.replace('20', '21')}}}"
    assert codes(yaml)["nearly_the_same"].words.endswith("also t, and nearly the other way round.")


def workspace(yaml: str) -> dict[str, Advice]:
    return {advice.code: advice for advice in workspace_warnings(parse(HEAD + yaml))}


def test_more_than_eight_segments_are_too_many_and_negative_ones_do_not_count() -> None:
    eight = "".join(f"  s{i}: {{where: {{field: a, is: 1}}}}\n" for i in range(8))
    negative = "  out: {kind: negative, where: {field: a, is: 2}}\n"
    assert workspace("segments:\n" + eight + negative) == {}
    assert (
        workspace("segments:\n" + eight + negative + "  s9: {where: {field: a, is: 1}}\n")[
            "too_many_segments"
        ].number
        == 9
    )
    assert "no_negative_segment" in workspace("segments:\n" + eight)


def test_one_word_for_two_head_counts_is_noticed() -> None:
    yaml = (
        "segments:\n"
        "  enterprise: {where: {field: employees, at_least: 500}}\n"
        "  ads: {title: Enterprise ads, where: {field: employees, at_least: 1000}}\n"
        "  out: {kind: negative, where: {field: a, is: 1}}\n"
    )
    assert workspace(yaml)["word_with_two_meanings"].number == 2
    assert workspace(yaml.replace("1000", "500")) == {}


def test_nine_tiers_and_a_fit_model_above_its_maximum_are_noticed() -> None:
    yaml = (
        "scoring:\n  tiers: {1: 80, 2: 70, 3: 60, 4: 50, 5: 40, 6: 30, 7: 20, 8: 10, 9: 0}\n"
        "  fit: {maximum: 10, groups: {a: {sum: [{field: a, is: 1, points: 8}, {signal: b, points: 8}]}}}\n"
    )
    assert workspace(yaml)["too_many_tiers"].number == 9
    assert workspace(yaml)["fit_over_maximum"].number == 16


def test_a_segment_reads_as_one_english_sentence() -> None:
    config = parse(HEAD + CAREFUL)
    assert segment_in_words("s", config.segments["s"]) == (
        "Software companies with a live interest: companies where all of: industry is Software; "
        "pricing page at least once in the last 14 days, but not in out."
    )


def budgeted(amount: int, more: str = "") -> dict[str, Advice]:
    return codes(more + CAREFUL.replace("    owner: dana\n", f"    owner: dana\n    budget: {amount}\n"))


def test_a_budget_that_cannot_fund_one_campaign_is_told_with_the_least_that_can() -> None:
    poor = budgeted(250)["cannot_fund_campaign"]
    assert (poor.number, poor.limit) == (250, 300)
    assert "merge" in poor.words.lower()
    assert "cannot_fund_campaign" not in budgeted(300)
    assert "cannot_fund_campaign" not in codes(CAREFUL)


def test_a_budget_spread_too_thin_is_told_in_impressions_per_person_and_week() -> None:
    priced = "economics: {cost_per_thousand: 30}\n"
    _, seen = shown(CAREFUL)
    low = max(one.people[0] for one in seen.reach if one.people)
    least = int(low * 52 / 12 * 30 / 1000) + 1  # buys everybody one impression a week
    assert "budget_too_thin" in budgeted(max(least // 2, 1), priced)
    assert "budget_too_thin" not in budgeted(least * 2, priced)
    assert "budget_too_thin" not in budgeted(1)
    assert "impressions per person and week" in budgeted(1, priced)["budget_too_thin"].words


def test_signals_that_stopped_coming_are_told_with_their_last_day() -> None:
    old = [Signal("c001", "pricing_page", TODAY - timedelta(days=20))]
    config = parse(HEAD + CAREFUL)
    found = run(config, accounts(), old)
    seen = preview(config, found, "s", rules=RULES, minimums=MINIMUMS)
    advice = {one.code: one for one in segment_warnings(found["s"], seen)}["signals_stopped"]
    assert advice.number == 20
    assert str(TODAY - timedelta(days=20)) in advice.words


def test_bought_intent_alone_only_points_in_a_direction() -> None:
    rule = "{signal: topic_surge, within_days: 30}"
    alone = f"segments: {{s: {{where: [{rule}, {{field: employees, at_least: 1}}]}}}}\n"
    both = f"segments: {{s: {{where: [{rule}, {{signal: pricing_page, within_days: 14}}]}}}}\n"
    assert codes(alone)["third_party_alone"].number == 1
    assert "third_party_alone" not in codes(both)


def test_a_measure_must_be_known_of_nine_in_ten_active_companies() -> None:
    config = parse(
        "workspace: A\nsegments: {s: {where: {metric: logins, within_days: 30, down_at_least: 0.5}}}\n"
    )
    logins = [Signal(f"c{i:03}", "logins", TODAY - timedelta(days=3)) for i in range(0, 80, 2)]
    found = run(config, accounts(), VISITS + logins)
    seen = preview(config, found, "s", rules={}, minimums={})
    (measured,) = [one for one in seen.coverage if one.field == "logins"]
    assert (measured.known, measured.total, measured.needed, measured.enough) == (40, 50, 0.9, False)
    advice = {one.code: one for one in segment_warnings(found["s"], seen)}
    assert advice["sparse_measure"].number == 0.8
    unseen = run(config, accounts(), VISITS)
    codes_then = {
        a.code for a in segment_warnings(unseen["s"], preview(config, unseen, "s", rules={}, minimums={}))
    }
    assert "signal_never_seen" in codes_then
    assert "field_never_seen" not in codes_then
