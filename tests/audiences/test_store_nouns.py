"""Accounts, contacts, signals, imports, links, scores and segments: what goes in comes out."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audiences.model import Account, Consent, Contact, Quarantined, Rejected, Score, SegmentVersion, Signal
from audiences.store import Store
from audiences.store.errors import NotFound, StoreError
from audiences.store.records import ImportSummary
from tests.audiences.lists_and_members import AT, key

TEXT = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\x00"), max_size=12)
MAYBE = st.none() | TEXT
ACCOUNTS = st.lists(
    st.builds(
        Account,
        account_id=TEXT.filter(bool),
        name=TEXT,
        domain=MAYBE,
        country=MAYBE,
        employees=st.none() | st.integers(0, 2**40),
        revenue_usd=st.none() | st.floats(0, 1e15),
        founded_year=st.none() | st.integers(1000, 2100),
        organization_urn=MAYBE,
        attributes=st.dictionaries(
            TEXT, st.none() | st.booleans() | st.integers(-9, 9) | st.lists(TEXT), max_size=3
        ),
    ),
    max_size=6,
    unique_by=lambda account: account.account_id,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(accounts=ACCOUNTS)
def test_accounts_come_back_as_they_went_in_and_unknown_stays_unknown(
    store: Store, accounts: list[Account]
) -> None:
    store.replace_accounts(accounts, "print", AT)
    assert store.accounts() == tuple(sorted(accounts, key=lambda a: a.account_id.encode()))
    assert store.account_count() == len(accounts)
    assert store.account_names() == [(a.account_id, a.name, a.domain) for a in store.accounts()]
    for account in accounts:
        assert store.account(account.account_id) == account


def test_accounts_are_in_the_same_order_on_every_database(store: Store) -> None:
    names = ["b.example", "B.example", "a-b.example", "ab.example", "é.example", "name:x|DE", "_.example"]
    store.replace_accounts([Account(name, name) for name in names], "print", AT)
    assert [a.account_id for a in store.accounts()] == sorted(names, key=str.encode)


def test_a_replacement_that_fails_leaves_the_accounts_of_before(store: Store) -> None:
    store.replace_accounts([Account("a.example", "A")], "one", AT)
    with pytest.raises(StoreError):
        store.replace_accounts([Account("b.example", "B"), Account("b.example", "B")], "two", AT)
    assert [a.account_id for a in store.accounts()] == ["a.example"]


def contact(name: str, account_id: str | None = None, **more: object) -> Contact:
    return Contact(key(name).hex(), account_id, (("email_sha256", key(name).hex()),), **more)  # type: ignore[arg-type]


def test_contacts_come_back_by_account_with_their_consent(store: Store) -> None:
    people = [
        contact("p1", "b.example", consent=Consent.GRANTED, first_party=True, country="DE"),
        contact("p2", "a.example", consent=Consent.DENIED, function="it"),
        contact("p3", "a.example", consent=None, seniority="vp"),
    ]
    assert store.replace_contacts(iter(people), "print", AT) == 3
    assert sorted(store.contacts(), key=lambda c: c.contact_id) == sorted(people, key=lambda c: c.contact_id)
    assert [c.account_id for c in store.contacts()] == ["a.example", "a.example", "b.example"]
    assert {c.contact_id for c in store.contacts(account_id="a.example")} == {
        key("p2").hex(),
        key("p3").hex(),
    }
    assert store.replace_contacts([], "print", AT) == 0
    assert list(store.contacts()) == []


def test_signals_keep_their_order_and_can_be_read_from_a_day_on(store: Store) -> None:
    day = date(2026, 2, 1)
    signals = [
        Signal(
            "a.example", "pricing_page", day + timedelta(days=i), topic="t" if i % 2 else None, strength=i / 4
        )
        for i in range(9)
    ]
    assert store.replace_signals(signals, "print", AT) == 9
    assert list(store.signals()) == signals
    assert list(store.signals(since=day + timedelta(days=5))) == signals[5:]


def test_reasons_of_the_latest_import_replace_those_of_the_one_before(store: Store) -> None:
    first = ImportSummary("accounts", "f1", AT, 10, 7, 2, 1)
    store.save_import(first, [Rejected("a.csv", 3, "domain", "domain_malformed")], [])
    second = replace(first, fingerprint="f2", rejected=1)
    rejects = [Rejected("a.csv", 9, "", "row_empty", "nothing in it")]
    quarantined = [Quarantined("rh.example", "shared_host", ("a.csv:1", "a.csv:4"), "two names")]
    store.save_import(second, rejects, quarantined)
    assert store.last_import("accounts") == second
    assert store.rejects("accounts") == tuple(rejects)
    assert store.quarantined() == tuple(quarantined)
    assert store.last_import("contacts") is None


def test_a_later_link_of_an_organization_wins(store: Store) -> None:
    store.link_organizations(
        "linkedin", {"urn:li:organization:1": "a.example", "urn:li:organization:2": "b"}, at=AT
    )
    store.link_organizations("linkedin", {"urn:li:organization:1": "c.example"}, at=AT)
    store.link_organizations("google", {"urn:li:organization:1": "d.example"}, at=AT)
    store.link_organizations("google", {}, at=AT)
    expected = {"urn:li:organization:1": "c.example", "urn:li:organization:2": "b"}
    assert store.organization_links("linkedin") == expected


def test_scores_are_replaced_whole(store: Store) -> None:
    old = [Score(f"{i}.example", 50.0, 0.25, 2, 3.5, "warm", "nurture") for i in range(5)]
    store.replace_scores(old)
    new = [Score("1.example", 90.5, 0.0, 1, 40.0, "hot", "strike")]
    store.replace_scores(new)
    assert store.scores() == {"1.example": new[0]}
    assert store.tiers() == {"1.example": 1}


def version(fingerprint: str, *ids: str, held: tuple[str, ...] = ()) -> SegmentVersion:
    return SegmentVersion("strike", fingerprint, date(2026, 3, 1), tuple(sorted(ids)), held)


def test_a_segment_keeps_a_history_of_sizes_and_the_same_version_is_stored_once(store: Store) -> None:
    assert store.save_segment_version(version("f1", "a", "b", held=("b",)), at=AT)
    assert not store.save_segment_version(version("f1", "a", "b", held=("b",)), at=AT)
    assert store.save_segment_version(version("f2", "a"), at=AT)
    assert store.save_segment_version(version("f3"), at=AT)
    assert [(s.fingerprint, s.size, s.holdout) for s in store.segment_sizes("strike")] == [
        ("f1", 2, 1),
        ("f2", 1, 0),
        ("f3", 0, 0),
    ]
    assert store.segment_version("strike") == version("f3")
    assert store.segment_version("strike", "f1") == version("f1", "a", "b", held=("b",))
    assert store.segment_version("other") is None
    assert store.segments_known() == ("strike",)


def test_old_versions_of_a_segment_lose_their_accounts_but_not_their_size(store: Store) -> None:
    store.save_segment_version(version("f1", "a", "b"), at=AT)
    store.save_segment_version(version("f2", "a"), at=AT)
    assert store.prune(AT + timedelta(days=1))["segment_versions"] == 1
    with pytest.raises(NotFound, match="retention"):
        store.segment_version("strike", "f1")
    assert store.segment_version("strike") == version("f2", "a")
    assert [s.size for s in store.segment_sizes("strike")] == [2, 1]
