"""Deltas over digests, against sets of bytes."""

from __future__ import annotations

import hashlib

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiences.membership_contacts import keys_of
from audiences.membership_delta import delta, difference
from audiences.membership_keys import (
    NO_KEYS,
    Keys,
    Rows,
    byte_order,
    company_keys,
    contained,
    from_digests,
    payload_digests,
)
from audiences.model import MemberTable
from audiences.scoring_frames import canonical
from audiences.store.payloads import payload_of

# Digests that agree in their first 8 bytes, differ only at the end, or end in zeros: where short cuts fail.
TRICKY = st.builds(
    lambda head, tail: head * 8 + b"\x00" * 16 + tail * 8,
    st.sampled_from([b"\x00", b"\x01", b"\xff"]),
    st.sampled_from([b"\x00", b"\x01", b"\x80", b"\xff"]),
)
DIGESTS = st.one_of(TRICKY, st.binary(min_size=32, max_size=32))
SIDES = st.dictionaries(DIGESTS, st.sampled_from([b"", b'{"a":"1"}', b'{"a":"2"}']), max_size=30)


def keys(digests: list[bytes]) -> Keys:
    return from_digests(b"".join(digests))


def table(side: dict[bytes, bytes]) -> MemberTable:
    return MemberTable(keys(list(side)), list(side.values()), [digest.hex()[:4] for digest in side])


def as_dict(members: MemberTable) -> dict[bytes, bytes]:
    return {key.tobytes(): payload for key, payload in zip(members.keys, members.payloads, strict=True)}


@settings(max_examples=150, deadline=None)
@given(SIDES, SIDES)
def test_a_delta_is_the_set_difference_of_both_sides_and_the_changed_payloads(
    new: dict[bytes, bytes], old: dict[bytes, bytes]
) -> None:
    ledger = table(old)

    def members(rows: Rows) -> MemberTable:
        picked = [list(old.items())[row] for row in rows]
        return table(dict(picked))

    found = delta(
        "a",
        table(new),
        ledger_keys=ledger.keys,
        ledger_digests=payload_digests(ledger.payloads),
        base_version=7,
        ledger_members=members,
    )
    changed = {key for key in new if key in old and old[key] != new[key]}
    assert as_dict(found.adds) == {key: new[key] for key in new if key not in old or key in changed}
    assert as_dict(found.removes) == {key: old[key] for key in old if key not in new}
    assert found.base_version == 7
    for side in (found.adds, found.removes):
        assert list(as_dict(side)) == sorted(as_dict(side))


@settings(max_examples=100, deadline=None)
@given(SIDES, SIDES)
def test_applying_a_delta_to_the_ledger_gives_what_was_desired(
    new: dict[bytes, bytes], old: dict[bytes, bytes]
) -> None:
    found = delta("a", table(new), ledger_keys=table(old).keys, base_version=0)
    after = (set(old) - set(as_dict(found.removes))) | set(as_dict(found.adds))
    assert after == set(new)
    again = delta("a", table(new), ledger_keys=keys(sorted(after)), base_version=1)
    assert (len(again.adds), len(again.removes)) == (0, 0)


@settings(max_examples=50, deadline=None)
@given(st.lists(DIGESTS, max_size=40), st.lists(DIGESTS, max_size=40))
def test_membership_of_digests_is_exact_in_all_32_bytes(needles: list[bytes], hay: list[bytes]) -> None:
    assert contained(keys(needles), keys(hay)).tolist() == [needle in set(hay) for needle in needles]


@settings(max_examples=50, deadline=None)
@given(st.lists(DIGESTS, max_size=40))
def test_byte_order_is_the_order_of_the_bytes(digests: list[bytes]) -> None:
    assert [row.tobytes() for row in keys(digests)[byte_order(keys(digests))]] == sorted(digests)


def test_a_digest_that_ends_in_zero_bytes_keeps_its_length() -> None:
    digest = b"\x07" * 20 + b"\x00" * 12
    found = delta("a", table({digest: b""}), ledger_keys=NO_KEYS, base_version=0)
    assert found.adds.keys[0].tobytes() == digest


def test_a_key_that_stands_twice_is_refused() -> None:
    twice = keys([b"\x01" * 32, b"\x01" * 32])
    with pytest.raises(ValueError, match="twice"):
        difference(MemberTable(twice, [b"", b""], ["", ""]), NO_KEYS)
    with pytest.raises(ValueError, match="twice"):
        difference(table({}), twice)


def test_keys_of_companies_are_the_digest_of_their_id_and_of_people_their_own_digest() -> None:
    assert company_keys(["acme.example"])[0].tobytes() == hashlib.sha256(b"acme.example").digest()
    digest = hashlib.sha256(b"x").hexdigest()
    assert keys_of(pl.Series([digest]))[0].tobytes().hex() == digest
    with pytest.raises(ValueError, match="64 hex digits"):
        keys_of(pl.Series([digest[:-1]]))


def test_ten_thousand_random_members_with_one_per_cent_change() -> None:
    rng = np.random.default_rng(4)
    old = rng.integers(0, 256, (10_000, 32), dtype=np.uint8)
    new = np.concatenate([old[100:], rng.integers(0, 256, (100, 32), dtype=np.uint8)])
    rng.shuffle(new)
    found = delta("a", MemberTable(new, [b""] * 10_000, [""] * 10_000), ledger_keys=old, base_version=0)
    assert {row.tobytes() for row in found.removes.keys} == {row.tobytes() for row in old[:100]}
    assert len(found.adds) == 100


PAIRS = st.tuples(st.sampled_from(["email_sha256", "phone_sha256"]), st.sampled_from("abc"))


@settings(max_examples=50, deadline=None)
@given(st.lists(PAIRS, min_size=1, unique=True))
def test_identifiers_are_written_as_the_record_writes_them(pairs: list[tuple[str, str]]) -> None:
    assert canonical(pairs) == canonical(pairs[::-1]) == payload_of(tuple(pairs))


MAILS, PHONES = ["aa", "bb", "cc", "dd"], ["ee", "ff"]


def full(short: str) -> str:
    return short * 32


def member(mails: list[str], phones: list[str]) -> tuple[bytes, bytes]:
    """Key and payload of a person as the desired side has them: known by the first e-mail, else the phone."""
    pairs = [("email_sha256", full(m)) for m in mails] + [("phone_sha256", full(p)) for p in phones]
    key = bytes.fromhex(pairs[0][1])
    return key, b"" if pairs == [("email_sha256", key.hex())] else canonical(pairs)


def changed(
    new: dict[bytes, bytes], old: dict[bytes, bytes]
) -> tuple[dict[bytes, bytes], dict[bytes, bytes]]:
    """(adds, removes) of the delta with a ledger that knows what it sent."""
    stored = sorted(old.items())
    ledger = table(dict(stored))
    found = delta(
        "a",
        table(new),
        ledger_keys=ledger.keys,
        ledger_digests=payload_digests(ledger.payloads),
        base_version=0,
        ledger_members=lambda rows: table(dict(stored[row] for row in rows)),
    )
    return as_dict(found.adds), as_dict(found.removes)


def test_a_person_who_loses_the_e_mail_they_were_known_by_stays_one_member() -> None:
    before, after = member(["aa"], ["ee"]), member([], ["ee"])
    adds, removes = changed(dict([after]), dict([before]))
    assert (adds, removes) == ({before[0]: after[1]}, {})
    assert changed(dict([after]), {before[0]: after[1]}) == ({}, {})


def test_a_person_left_with_their_second_e_mail_is_sent_with_it_under_the_key_they_had() -> None:
    before, after = member(["aa", "bb"], []), member(["bb"], [])
    adds, removes = changed(dict([after]), dict([before]))
    assert (adds, removes) == ({before[0]: canonical([("email_sha256", full("bb"))])}, {})
    assert changed(dict([after]), adds) == ({}, {})


def test_two_people_behind_one_phone_are_two_members_and_the_e_mail_says_who_stays() -> None:
    old = dict([member(["aa", "bb"], ["ee"]), member(["cc"], ["ee"])])
    new = dict([member(["bb"], ["ee"]), member(["dd"], ["ee"])])
    adds, removes = changed(new, old)
    assert removes == {}
    assert adds[bytes.fromhex(full("aa"))] == member(["bb"], ["ee"])[1]
    assert adds[bytes.fromhex(full("cc"))] == member(["dd"], ["ee"])[1]


PEOPLE = st.lists(
    st.tuples(st.lists(st.sampled_from(MAILS), unique=True), st.lists(st.sampled_from(PHONES), unique=True)),
    max_size=6,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(PEOPLE, min_size=1, max_size=6))
def test_whatever_people_lose_and_gain_a_list_holds_each_once_with_what_they_have_now(
    days: list[list[tuple[list[str], list[str]]]],
) -> None:
    ledger: dict[bytes, bytes] = {}
    for people in days:
        wanted = dict(member(mails, phones) for mails, phones in people if mails or phones)
        adds, removes = changed(wanted, ledger)
        assert not set(adds) & set(removes)
        ledger = {key: value for key, value in ledger.items() if key not in removes} | adds
        told = [payload or canonical([("email_sha256", key.hex())]) for key, payload in ledger.items()]
        meant = [payload or canonical([("email_sha256", key.hex())]) for key, payload in wanted.items()]
        assert sorted(told) == sorted(meant)
        assert changed(wanted, ledger) == ({}, {})
