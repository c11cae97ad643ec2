"""Contacts and signals by column hold what they hold object by object."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audiences.identity_contacts import identify_contacts
from audiences.scoring_frames import CONTACT_SCHEMA, SIGNAL_SCHEMA, contacts_frame
from audiences.store import Store

AT = datetime(2026, 8, 24, tzinfo=UTC)
PLACES = st.sampled_from([None, "90210", 'a "b"', "back\\slash", "Zürich 8001", "tab\tx", "\x01", "a],[b"])
MAILS = st.sampled_from([None, "ann@one.com", "ann.b+x@gmail.com", "cy@two.com", "a@b", "not one"])
PHONES = st.sampled_from([None, "+1 415 555 0100", "+1 415 555 0101"])
PEOPLE = st.lists(
    st.fixed_dictionaries(
        {
            "email": MAILS,
            "email_2": MAILS,
            "phone": PHONES,
            "given_name": st.sampled_from([None, "Ann", "Cy"]),
            "family_name": st.sampled_from([None, "Bell"]),
            "postal_code": PLACES,
            "consent": st.sampled_from([None, "granted", "denied", "unknown"]),
            "first_party": st.booleans(),
        }
    ),
    max_size=8,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=PEOPLE)
def test_contacts_by_column_are_the_contacts_object_by_object(store: Store, people: list[dict]) -> None:
    texts = ("email", "email_2", "phone", "given_name", "family_name", "postal_code", "consent")
    schema = {**dict.fromkeys(texts, pl.String), "first_party": pl.Boolean}
    rows = pl.DataFrame(people, schema=schema).with_columns(
        pl.lit("s").alias("source"), pl.lit(1, pl.UInt32).alias("line"), pl.lit("US").alias("country"),
        pl.lit("one.com").alias("account_id"),
    )  # fmt: skip
    found = identify_contacts(rows)
    store.replace_contact_table([found.table()], "f", AT)
    twin = contacts_frame(sorted(found.contacts(), key=lambda contact: contact.contact_id))
    assert store.contact_frame().sort("contact_id").equals(twin)
    stored = {contact.contact_id: contact for contact in store.contacts()}
    assert {c: set(stored[c].identifiers) for c in stored} == {
        contact.contact_id: set(contact.identifiers) for contact in found.contacts()
    }


def test_signals_by_column_come_back_in_the_order_given(store: Store) -> None:
    rows = [
        ("b.com", "visit", date(2026, 8, 2), None, 2.0, "p"),
        ("a.com", "visit", date(2026, 8, 1), "topic", 0.5, None),
    ]
    frame = pl.DataFrame(rows, schema=SIGNAL_SCHEMA, orient="row")
    store.replace_signal_frame(frame, "f", AT)
    assert store.signal_frame().equals(frame)
    assert store.signal_frame(since=date(2026, 8, 2)).equals(frame.head(1))
    assert [signal.account_id for signal in store.signals()] == ["b.com", "a.com"]


def test_contacts_can_be_read_for_some_accounts_alone(store: Store) -> None:
    people = [(f"{i:064x}", f"{i % 3}.com", None, "US", True, None, None, None) for i in range(9)]
    frame = pl.DataFrame(people, schema=CONTACT_SCHEMA, orient="row").drop("payload")
    mail = pl.format('[["email_sha256","{}"]]', "contact_id").alias("identifiers")
    store.replace_contact_table([frame.with_columns(mail)], "f", AT)
    found = store.contact_frame(at=pl.Series(["0.com", "2.com", "other.com"]))
    assert set(found.rows()) == set(store.contact_frame().filter(pl.col("account_id") != "1.com").rows())
    assert found.height == 6
