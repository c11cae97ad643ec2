"""Who of a segment may be on a list, by which identifiers, and in which band."""

from __future__ import annotations

import hashlib
from datetime import date

import orjson
import pytest

from audiences.config import parse
from audiences.membership import HELD, Desired, ListRules, desired
from audiences.membership_keys import company_keys, from_digests
from audiences.model import Account, AudienceSpec, Consent, Contact, MemberKind
from audiences.scoring import frames_from, score
from audiences.scoring_frames import contacts_frame
from audiences.segments import Evaluation, evaluate

TODAY = date(2026, 11, 1)
EVERY = ("email_sha256", "phone_sha256", "given_name_sha256", "family_name_sha256", "postal_code", "country")
YAML = """
workspace: A
platforms: {linkedin: {ad_account: "1"}, google: {customer: "2"}}
segments:
  s:
    title: All of them
    where: {field: employees, at_least: 1}
    functions: [Marketing]
    sync: {linkedin: [companies, contacts], google: contacts}
    balance: {campaign: "6"}
"""


def evaluated(accounts: list[Account], yaml: str = YAML) -> Evaluation:
    config = parse(yaml)
    frames = frames_from(accounts)
    scores = score(config.scoring, frames.accounts, frames.signals, on=TODAY)
    return evaluate(config, frames.accounts, frames.signals, scores, on=TODAY)["s"]


ACCOUNTS = [Account(f"c{i:02}", f"C{i}", f"c{i:02}.example", employees=5) for i in range(40)]


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def person(name: str, *extra: tuple[str, str], kinds: tuple[tuple[str, str], ...] | None = None) -> Contact:
    own = (("email_sha256", digest(name)),) if kinds is None else kinds
    return Contact(
        digest(name), "c01", own + extra, first_party=True, consent=Consent.GRANTED, function="marketing"
    )


def people(*contacts: Contact, platform: str = "google", **rules: bool) -> Desired:
    spec = AudienceSpec(f"{platform}/s/contact", platform, "S", MemberKind.CONTACT)
    return desired(
        spec, evaluated(ACCOUNTS), rules=ListRules(EVERY, **rules), contacts=contacts_frame(contacts)
    )


def payload(result: Desired) -> dict[str, object]:
    (only,) = result.membership.members.payloads
    return orjson.loads(only) if only else {}


def test_a_person_with_one_e_mail_needs_no_payload() -> None:
    result = people(person("a"))
    assert result.membership.members.payloads == [b""]
    assert result.membership.members.keys[0].tobytes().hex() == digest("a")


def test_all_identifiers_of_a_person_travel_together() -> None:
    result = people(person("a", ("phone_sha256", digest("+1")), ("email_sha256", digest("second"))))
    assert payload(result) == {
        "email_sha256": sorted([digest("a"), digest("second")]), "phone_sha256": digest("+1"),
    }  # fmt: skip


def test_an_identifier_made_for_one_platform_goes_to_that_platform_alone() -> None:
    both = (("linkedin:email_sha256", digest("a")), ("google:email_sha256", digest("g")))
    assert payload(people(person("a", kinds=both))) == {"email_sha256": digest("g")}
    assert people(person("a", kinds=both), platform="linkedin").membership.members.payloads == [b""]


def test_a_postal_code_alone_matches_nobody() -> None:
    result = people(person("a", kinds=(("postal_code", "10115"), ("country", "DE"))))
    assert (len(result.membership.members), result.left_out) == (0, {"no_identifier": 1})


def test_identifiers_the_platform_does_not_take_are_not_sent() -> None:
    spec = AudienceSpec("linkedin/s/contact", "linkedin", "S", MemberKind.CONTACT)
    rules = ListRules(("email_sha256",))
    contacts = contacts_frame(
        [person("a", ("phone_sha256", digest("+1"))), person("b", kinds=(("phone_sha256", "1"),))]
    )
    result = desired(spec, evaluated(ACCOUNTS), rules=rules, contacts=contacts)
    assert result.membership.members.payloads == [b""]
    assert result.left_out == {"no_identifier": 1}


def test_a_refusal_keeps_a_person_off_every_platform_and_silence_only_off_those_that_need_consent() -> None:
    said = [
        Contact(digest(str(i)), "c01", (("email_sha256", digest(str(i))),), None, True, consent, "Marketing")
        for i, consent in enumerate((Consent.GRANTED, Consent.UNKNOWN, None, Consent.DENIED))
    ]
    assert people(*said).left_out == {"consent_denied": 1}
    assert people(*said, needs_consent=True).left_out == {"consent_denied": 1, "consent_unknown": 2}


def test_people_bought_from_a_vendor_are_not_for_platforms_that_want_first_party_data() -> None:
    bought = Contact(
        digest("v"), "c01", (("email_sha256", digest("v")),), consent=Consent.GRANTED, function="Marketing"
    )
    assert people(bought, needs_first_party=True).left_out == {"not_first_party": 1}
    assert people(bought).left_out == {}


def test_a_person_is_suppressed_by_any_of_their_digests_or_by_their_company() -> None:
    contacts = contacts_frame([person("a", ("email_sha256", digest("old"))), person("b")])
    spec = AudienceSpec("google/s/contact", "google", "S", MemberKind.CONTACT)
    never = {
        "by second e-mail": (from_digests(bytes.fromhex(digest("old"))), {digest("b")}),
        "by first e-mail": (from_digests(bytes.fromhex(digest("b"))), {digest("a")}),
        "by company": (company_keys(["c01"]), set[str]()),
        "by nothing": (from_digests(b"\x01" * 32), {digest("a"), digest("b")}),
    }
    for suppressed, left in never.values():
        result = desired(
            spec, evaluated(ACCOUNTS), rules=ListRules(EVERY), contacts=contacts, suppressed=suppressed
        )
        assert {key.tobytes().hex() for key in result.membership.members.keys} == left


def test_people_outside_the_wanted_functions_are_counted_as_such() -> None:
    stranger = Contact(digest("x"), "c01", (("email_sha256", digest("x")),), function="Finance")
    nobody = Contact(digest("y"), "c01", (("email_sha256", digest("y")),))
    assert people(stranger, nobody).left_out == {"other_function": 2}


def test_one_person_at_two_companies_is_one_member() -> None:
    twice = [person("a"), Contact(digest("a"), "c02", (("email_sha256", digest("a")),), function="Marketing")]
    result = people(*twice)
    assert (len(result.membership.members), result.left_out) == (1, {"duplicate": 1})
    assert result.reasons("c02") == {"duplicate": 1}


def test_people_without_a_company_are_on_no_segment_list() -> None:
    assert people(Contact(digest("a"), None, (("email_sha256", digest("a")),))).considered == 0


def test_a_people_list_without_people_is_refused() -> None:
    spec = AudienceSpec("google/s/contact", "google", "S", MemberKind.CONTACT)
    with pytest.raises(ValueError, match="no contacts were given"):
        desired(spec, evaluated(ACCOUNTS), rules=ListRules(EVERY))


# -- companies, bands, holdouts --------------------------------------------------------


def companies(band: int | None = None, **more: object) -> Desired:
    spec = AudienceSpec("linkedin/s/company", "linkedin", "S", MemberKind.COMPANY, band=band)
    return desired(spec, evaluated(ACCOUNTS), rules=ListRules(("domain", "name", "country")), **more)  # type: ignore[arg-type]


def test_the_bands_split_the_segment_without_loss_or_overlap() -> None:
    bands = {account.account_id: i % 5 - 1 for i, account in enumerate(ACCOUNTS)}  # -1 is held
    parts = [companies(band, bands=bands) for band in range(4)]
    ids = [name for part in parts for name in part.membership.members.account_ids]
    assert sorted(ids) == sorted(name for name, band in bands.items() if band != HELD)
    assert len(set(ids)) == len(ids)
    assert parts[0].left_out == {"held_by_balancer": 8, "other_band": 24}


def test_a_company_the_plan_does_not_know_is_held_and_not_put_in_some_band() -> None:
    assert companies(0, bands={"c00": 0}).left_out == {"held_by_balancer": 39}


def test_held_and_suppressed_companies_are_left_out_and_say_so() -> None:
    result = companies(held={"c03"}, suppressed=company_keys(["c04", "c03"]))
    assert result.left_out == {"suppressed": 2}
    assert companies(held={"c03"}).reasons("c03") == {"held_by_balancer": 1}


def test_holdouts_are_on_no_list() -> None:
    evaluation = evaluated(ACCOUNTS, YAML.replace("    title", "    holdout: 0.5\n    title"))
    spec = AudienceSpec("linkedin/s/company", "linkedin", "S", MemberKind.COMPANY)
    result = desired(spec, evaluation, rules=ListRules(("domain",)))
    held = set(evaluation.version.holdout_ids)
    assert 0 < len(held) < 40
    assert result.left_out == {"holdout": len(held)}
    assert not held & set(result.membership.members.account_ids)
    assert result.membership.version == evaluation.version.fingerprint


def test_a_company_without_an_identifier_the_platform_knows_is_left_out() -> None:
    evaluation = evaluated(
        [Account("a", "", None, "DE", employees=1), Account("b", "B", None, "DE", employees=1)]
    )
    spec = AudienceSpec("linkedin/s/company", "linkedin", "S", MemberKind.COMPANY)
    result = desired(spec, evaluation, rules=ListRules(("domain", "name", "country")))
    assert result.left_out == {"no_identifier": 1}
    assert payload(result) == {"country": "DE", "name": "B"}


def test_nobody_qualifying_gives_an_empty_list_and_no_reason() -> None:
    evaluation = evaluated([Account("a", "A")])
    spec = AudienceSpec("linkedin/s/company", "linkedin", "S", MemberKind.COMPANY)
    result = desired(
        spec, evaluation, rules=ListRules(("domain",)), held={"z"}, suppressed=company_keys(["q"])
    )
    assert (len(result.membership.members), result.left_out, result.considered) == (0, {}, 0)
