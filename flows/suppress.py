"""Companies and people never to be put on a list: from the suppression file, or one at a time.

Turns raw values into digests and forgets them; sends nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from audiences.clean import clean_companies, clean_contacts
from audiences.clean_values import hosts_of
from audiences.companies import Resolution
from audiences.companies_attach import attach
from audiences.companies_domains import sites_of
from audiences.errors import EmptySource
from audiences.identity import PLATFORMS, already_hashed, hash_one
from audiences.identity_contacts import identify_contacts
from audiences.membership_keys import company_keys
from audiences.model import Rejected
from audiences.sources import SourceFrame, read_source
from flows.wiring import App

_PERSONAL = ("email", "phone", "given_name", "family_name")


@dataclass(frozen=True, slots=True)
class Never:
    """Digests of people and company keys, and the rows nobody could be made of."""

    digests: frozenset[bytes] = frozenset()
    rejected: tuple[Rejected, ...] = ()


def read_suppressions(app: App, resolution: Resolution) -> Never:
    """The suppression file of the settings: people by any identifier, companies by domain or exact name.

    A row with an e-mail, phone or name means that person; any other row means the company. An empty file is
    nobody. Raises an error of ``audiences.errors``.
    """
    file = app.config.sources.suppressions
    if not file:
        return Never()
    try:
        source = read_source(app.workspace / file, name=file)
    except EmptySource:
        return Never()
    return _people(source, resolution) if source.kind == "contacts" else _companies(source, resolution)


def _people(source: SourceFrame, resolution: Resolution) -> Never:
    cleaned = clean_contacts(source)
    personal = pl.any_horizontal(
        pl.col(name).is_not_null() for name in _PERSONAL if name in cleaned.frame.columns
    )
    people = identify_contacts(cleaned.frame.filter(personal))
    companies = _keys(cleaned.frame.filter(~personal), resolution)
    return Never(frozenset({*_digests(people.frame), *companies}), (*cleaned.rejected, *people.rejected))


def _companies(source: SourceFrame, resolution: Resolution) -> Never:
    cleaned = clean_companies(source)
    rows = cleaned.frame.with_columns(pl.col("name").alias("company"))
    return Never(frozenset(_keys(rows, resolution)), cleaned.rejected)


def _digests(people: pl.DataFrame) -> Iterable[bytes]:
    """Every digest a person may be known by: the id, and each hashed identifier of either platform."""
    for name in people.columns:
        if name == "contact_id" or name.rpartition(":")[2].startswith(("email", "phone")):
            yield from (bytes.fromhex(text) for text in people[name].drop_nulls())


def _keys(rows: pl.DataFrame, resolution: Resolution) -> set[bytes]:
    """Company keys: of the account the row belongs to, else of its domain, should it come up one day."""
    found = attach(rows, resolution).select(
        pl.coalesce("account_id", sites_of(rows["host"]).alias("site")).alias("id")
    )
    return {key.tobytes() for key in company_keys(found["id"].drop_nulls().unique())}


def person_digests(text: str) -> frozenset[bytes]:
    """The digests an e-mail address (or a SHA-256 of one) may be known by under each platform's rule.

    Empty when no platform takes the text for an e-mail address.
    """
    hashed = already_hashed(text)
    found = [hashed] if hashed else [hash_one(platform, "email", text) for platform in PLATFORMS]
    return frozenset(bytes.fromhex(digest) for digest in found if not digest.startswith("!"))


def company_digest(domain: str) -> bytes | None:
    """The key of the company at a domain; None when the text is no domain."""
    site = sites_of(hosts_of(pl.Series([domain.strip().lower()])))[0]
    return company_keys([site])[0].tobytes() if site else None
