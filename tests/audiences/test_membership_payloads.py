"""Payloads by column against the obvious way, person by person."""

from __future__ import annotations

import hashlib
from collections import Counter

import numpy as np
import orjson
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from audiences.membership_payloads import company_payloads, one_payload, payloads_for
from audiences.model import MemberTable
from audiences.scoring_frames import CONTACT_SCHEMA, canonical
from audiences.segments_reach import best_identifiers

EVERY = ("email_sha256", "phone_sha256", "family_name_sha256", "postal_code", "country", "region_code")
DIGESTS = [hashlib.sha256(str(i).encode()).hexdigest() for i in range(4)]
KINDS = st.sampled_from(["email_sha256", "phone_sha256", "family_name_sha256"])
OWNERS = st.sampled_from(["", "", "google:", "linkedin:"])
PAIRS = st.lists(
    st.tuples(st.builds(str.__add__, OWNERS, KINDS), st.sampled_from(DIGESTS))
    | st.tuples(
        st.just("postal_code"), st.sampled_from(["10115", 'a"b', "back\\slash", "[1]", "a,b", "", "Zürich"])
    )
    | st.tuples(st.just("region_code"), st.just("US")),
    max_size=5,
)
PEOPLE = st.lists(st.tuples(st.sampled_from(DIGESTS), st.none() | PAIRS), max_size=8)


@settings(max_examples=300, deadline=None)
@given(
    people=PEOPLE,
    platform=st.sampled_from(["google", "linkedin"]),
    identifiers=st.sets(st.sampled_from(EVERY)).map(sorted),
    suppressed=st.sets(st.sampled_from(DIGESTS)),
)
def test_payloads_by_column_are_those_of_each_person(
    people: list[tuple[str, list[tuple[str, str]] | None]],
    platform: str,
    identifiers: list[str],
    suppressed: set[str],
) -> None:
    stored = [(contact, None if pairs is None else canonical(pairs)) for contact, pairs in people]
    schema = {"contact_id": pl.String, "payload": CONTACT_SCHEMA["payload"]}
    frame = pl.DataFrame(stored, schema=schema, orient="row")
    never = pl.Series(sorted(suppressed), dtype=pl.String)
    found = payloads_for(frame, platform, identifiers, suppressed=never)
    bare = b"" if "email_sha256" in identifiers else None
    twin = [
        (bare, False)
        if payload is None
        else one_payload(contact, payload, platform=platform, identifiers=identifiers, suppressed=suppressed)
        for contact, payload in stored
    ]
    plain = [canonical([("email_sha256", contact)]) for contact, _ in stored]
    twin = [
        (bare, False) if payload == own else one
        for one, (_, payload), own in zip(twin, stored, plain, strict=True)
    ]  # the id's own suppression is looked at where the id stands
    assert found.rows() == twin


TEXTS = st.none() | st.sampled_from(["", "acme.com", 'a "b"', "back\\slash", "\x01", "Zürich\t", "a,b", "}"])


@given(rows=st.lists(st.tuples(TEXTS, TEXTS, TEXTS), max_size=6))
def test_company_payloads_by_column_are_those_of_each_company(rows: list[tuple[str | None, ...]]) -> None:
    kinds = ("name", "domain", "country")
    frame = pl.DataFrame(rows, schema=dict.fromkeys(kinds, pl.String), orient="row")
    twin = [{kind: value for kind, value in zip(kinds, row, strict=True) if value} for row in rows]
    assert company_payloads(frame).to_list() == [
        orjson.dumps(one, option=orjson.OPT_SORT_KEYS) for one in twin
    ]


@given(people=st.lists(PAIRS.filter(bool), max_size=6))
def test_the_best_identifier_is_counted_as_if_each_payload_were_read(
    people: list[list[tuple[str, str]]],
) -> None:
    rates = {"email_sha256": (0.1, 0.3), "phone_sha256": (0.2, 0.5), "postal_code": (0.0, 0.1)}
    payloads = [canonical(pairs) for pairs in people] + [b""]
    table = MemberTable(np.zeros((len(payloads), 32), np.uint8), payloads, [""] * len(payloads))
    twin = Counter(
        max(orjson.loads(p) if p else ["email_sha256"], key=lambda kind: (rates.get(kind, (0.0, 0.0)), kind))
        for p in payloads
    )
    assert best_identifiers(table, rates) == dict(twin)
