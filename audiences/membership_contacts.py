"""People of a segment as rows of a list: may they be on it, and by which identifiers.

Works on hashed contacts only. A person is one row, however many identifiers
they have; the first reason against them is the one that is counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import polars as pl

from audiences.config_segments import Segment
from audiences.membership_keys import Keys, from_digests
from audiences.membership_payloads import payloads_for
from audiences.model import Consent


@dataclass(frozen=True, slots=True)
class ListRules:
    """What a platform asks of members, taken from its capabilities."""

    identifiers: tuple[str, ...]  # IdentifierKind values it matches by
    needs_consent: bool = False  # unknown consent is not enough; a refusal always counts
    needs_first_party: bool = False


def people_rows(
    contacts: pl.DataFrame,
    accounts: pl.DataFrame,
    platform: str,
    rules: ListRules,
    segment: Segment,
    suppressed: Keys,
) -> pl.DataFrame:
    """contact_id, row, reason, payload of every person at one of ``accounts`` (row, account_id, reason)."""
    used = contacts.select(
        "contact_id", "account_id", "payload", "consent", "first_party", "function", "seniority"
    )
    never = pl.Series([key.tobytes().hex() for key in suppressed], dtype=pl.String)
    parts = []
    for part in used.iter_slices(_PART) if used.height else (used,):
        people = part.join(accounts, on="account_id", how="inner", maintain_order="left")
        found = payloads_for(people, platform, rules.identifiers, suppressed=never)
        barred = people["contact_id"].is_in(never.implode()) | found["barred"]
        people = people.with_columns(found["payload"], barred.alias("barred"))
        reason = pl.coalesce("reason", refusals(rules, segment.functions, segment.seniorities))
        parts.append(people.select("contact_id", "row", reason.alias("reason"), "payload"))
    return pl.concat(parts)


def keys_of(contact_ids: pl.Series) -> Keys:
    """(n, 32) digests from their 64 hex digits, a part at a time: ten million texts as Python objects
    would take gigabytes. Raises ValueError when one is not 64 hex digits."""
    if not (contact_ids.str.len_bytes() == 64).all():
        raise ValueError("a contact id is not a digest of 64 hex digits")
    parts = [
        bytes.fromhex("".join(contact_ids[start : start + _PART]))
        for start in range(0, len(contact_ids), _PART)
    ]
    return from_digests(b"".join(parts))


_PART = 1 << 18


def refusals(rules: ListRules, functions: Sequence[str] | None, seniorities: Sequence[str] | None) -> pl.Expr:
    """The first reason a person may not or need not be on the list, null when there is none."""
    consent = pl.col("consent").fill_null(Consent.UNKNOWN.value)
    refused: Any = (  # Polars has a class per length of such a chain
        pl.when("barred")
        .then(pl.lit("suppressed"))
        .when(consent == Consent.DENIED.value)
        .then(pl.lit("consent_denied"))
        .when((consent == Consent.UNKNOWN.value) & rules.needs_consent)
        .then(pl.lit("consent_unknown"))
        .when(~pl.col("first_party").fill_null(value=False) & rules.needs_first_party)
        .then(pl.lit("not_first_party"))
    )
    for column, wanted in (("function", functions), ("seniority", seniorities)):
        if wanted is not None:
            fits = pl.col(column).str.to_lowercase().is_in([word.lower() for word in wanted])
            refused = refused.when(~fits.fill_null(value=False)).then(pl.lit(f"other_{column}"))
    return cast(pl.Expr, refused.when(pl.col("payload").is_null()).then(pl.lit("no_identifier")))
