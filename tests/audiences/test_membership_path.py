"""The road from nouns to a delta, on a company list and a people list."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import orjson
import pytest

from audiences import brakes
from audiences.config import Brakes, Config, load
from audiences.membership import ListRules, desired
from audiences.membership_delta import delta
from audiences.membership_keys import NO_KEYS, company_keys
from audiences.model import Account, AudienceSpec, Consent, Contact, MemberKind, Signal
from audiences.scoring import frames_from, score
from audiences.scoring_frames import contacts_frame
from audiences.segments import Evaluation, evaluate

TODAY = date(2026, 11, 1)
YAML = """
workspace: Acme
platforms: {linkedin: {ad_account: "1"}, google: {customer: "2"}}
scoring:
  fit: {maximum: 20, groups: {size: {best: [{field: employees, between: [100, 500], points: 20}]}}}
  intent: {weights: {pricing_page: 10}, hot: 20, warm: 5}
segments:
  strike:
    where:
      all:
        - tier: 1
        - {signal: pricing_page, at_least: 2, within_days: 14}
    without: [customers]
    sync: {linkedin: [companies], google: [contacts]}
  customers: {kind: negative, where: {field: stage, is: customer}}
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    path = tmp_path / "evenreach.yaml"
    path.write_text(YAML)
    return load(path)


@pytest.fixture
def strike(config: Config) -> Evaluation:
    accounts = [
        Account(
            f"c{i}.example", f"C{i}", f"c{i}.example", employees=200 if i < 40 else 20,
            attributes={"stage": "customer" if i < 5 else "lead"},
        )
        for i in range(100)
    ]  # fmt: skip
    signals = [
        Signal(f"c{i}.example", "pricing_page", TODAY - timedelta(days=days))
        for i in range(20)
        for days in (1, 13)
    ]
    frames = frames_from(accounts, signals)
    scores = score(config.scoring, frames.accounts, frames.signals, on=TODAY)
    return evaluate(config, frames.accounts, frames.signals, scores, on=TODAY)["strike"]


def test_the_rules_keep_exactly_the_companies_they_describe(strike: Evaluation) -> None:
    assert strike.version.account_ids == tuple(sorted(f"c{i}.example" for i in range(5, 20)))
    assert strike.excluded == {"without:customers": 5}
    assert [(rule.entered, rule.kept) for rule in strike.rules] == [(100, 20), (100, 40), (40, 20)]


def test_a_first_sync_adds_everybody_and_a_second_one_changes_nothing(strike: Evaluation) -> None:
    spec = AudienceSpec("linkedin/strike/company", "linkedin", "Strike", MemberKind.COMPANY)
    members = desired(spec, strike, rules=ListRules(("domain", "name"))).membership.members
    first = delta(spec.audience_id, members, ledger_keys=NO_KEYS, base_version=0)
    again = delta(spec.audience_id, members, ledger_keys=members.keys, base_version=1)
    assert (len(first.adds), len(first.removes)) == (15, 0)
    assert (len(again.adds), len(again.removes)) == (0, 0)
    assert orjson.loads(first.adds.payloads[0]).keys() == {"domain", "name"}


def test_everybody_left_off_a_people_list_is_counted_under_one_reason(strike: Evaluation) -> None:
    def person(i: int, consent: Consent | None, *, ours: bool) -> Contact:
        digest = hashlib.sha256(f"p{i}@c{i % 20}.example".encode()).hexdigest()
        return Contact(
            digest, f"c{i % 20}.example", (("email_sha256", digest),), None, first_party=ours, consent=consent
        )

    people = [
        person(5, Consent.GRANTED, ours=True),
        person(6, Consent.DENIED, ours=True),
        person(7, None, ours=True),
        person(8, Consent.GRANTED, ours=False),
        person(9, Consent.GRANTED, ours=True),
        person(1, Consent.GRANTED, ours=True),  # a customer: not of this segment
    ]
    result = desired(
        AudienceSpec("google/strike/contact", "google", "Strike", MemberKind.CONTACT),
        strike,
        rules=ListRules(("email_sha256",), needs_consent=True, needs_first_party=True),
        contacts=contacts_frame(people),
        suppressed=company_keys(["c9.example"]),
    )
    assert result.membership.members.keys.tobytes().hex() == people[0].contact_id
    assert result.left_out == {
        "consent_denied": 1, "consent_unknown": 1, "not_first_party": 1, "suppressed": 1,
    }  # fmt: skip
    assert result.reasons("c6.example") == {"consent_denied": 1}
    assert result.considered == 5


def test_a_source_that_came_back_empty_stops_before_anybody_is_removed() -> None:
    change = brakes.Change("a", source_rows=0, desired=0, ledger=500, leavers=500)
    with pytest.raises(brakes.Braked) as caught:
        brakes.check(Brakes(), change, accept_shrink=500)
    assert [brake.code for brake in caught.value.brakes] == ["empty_source"]


def test_a_suspicious_number_of_leavers_goes_on_only_when_that_number_was_accepted() -> None:
    change = brakes.Change("a", source_rows=9, desired=100, ledger=200, leavers=100)
    with pytest.raises(brakes.Braked, match="--accept-shrink 100"):
        brakes.check(Brakes(), change, accept_shrink=99)
    assert [b.code for b in brakes.check(Brakes(), change, accept_shrink=100)] == ["too_many_leavers"]


def test_a_delta_removes_by_key_whoever_is_no_longer_wanted(strike: Evaluation) -> None:
    spec = AudienceSpec("linkedin/strike/company", "linkedin", "Strike", MemberKind.COMPANY)
    members = desired(spec, strike, rules=ListRules(("domain",))).membership.members
    stranger = np.full((1, 32), 7, dtype=np.uint8)
    change = delta("a", members, ledger_keys=np.concatenate([members.keys[3:], stranger]), base_version=4)
    assert change.removes.keys.tolist() == stranger.tolist()
    assert change.adds.keys.tolist() == members.keys[:3].tolist()
