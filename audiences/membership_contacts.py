"""People of a segment as rows of a list: may they be on it, and by which identifiers.

Works on hashed contacts only. A person is one row, however many identifiers
they have; the first reason against them is the one that is counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import orjson
import polars as pl

from audiences.config_segments import Segment
from audiences.membership_keys import Keys, contained, from_digests
from audiences.model import Consent, IdentifierKind
from audiences.scoring_frames import canonical

EMAIL = IdentifierKind.EMAIL.value
# These help a match and can never make one.
SUPPORT = frozenset({IdentifierKind.COUNTRY, IdentifierKind.POSTAL_CODE, IdentifierKind.REGION_CODE})


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
    people = used.join(accounts, on="account_id", how="inner", maintain_order="left").drop("account_id")
    barred = pl.repeat(value=False, n=pl.len())
    if len(suppressed):
        barred = pl.lit(pl.Series(contained(keys_of(people["contact_id"]), suppressed), dtype=pl.Boolean))
    people = people.with_columns(barred.alias("barred"))
    people = _identified(people, platform, rules, frozenset(key.tobytes().hex() for key in suppressed))
    reason = pl.coalesce("reason", refusals(rules, segment.functions, segment.seniorities))
    return people.select("contact_id", "row", reason.alias("reason"), "payload")


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


def _identified(
    people: pl.DataFrame, platform: str, rules: ListRules, suppressed: frozenset[str]
) -> pl.DataFrame:
    """Payloads as this platform takes them: b"" for the e-mail digest alone, null for nothing to match by.

    Nearly everybody has one e-mail; only the others are looked at one by one.
    """
    plain = pl.concat_str(pl.lit(f'{{"{EMAIL}":"'), "contact_id", pl.lit('"}')).cast(pl.Binary)
    simple = people.select(
        ((pl.col("payload") == plain) | (pl.col("payload") == b"")).fill_null(value=True).alias("simple")
    )["simple"]
    bare = b"" if EMAIL in rules.identifiers else None
    payload = pl.Series("payload", [bare], dtype=pl.Binary).new_from_index(0, people.height)
    rest = (~simple).arg_true()
    if rest.len() == 0:
        return people.with_columns(payload)
    found = [
        _one(contact_id, stored, platform=platform, rules=rules, suppressed=suppressed)
        for contact_id, stored in people.select("contact_id", "payload")[rest].iter_rows()
    ]
    payload = payload.scatter(rest, pl.Series([one for one, _ in found], dtype=pl.Binary))
    barred = people["barred"].scatter(rest, people["barred"][rest] | pl.Series([bad for _, bad in found]))
    return people.with_columns(payload, barred)


def _one(
    contact_id: str, payload: bytes, *, platform: str, rules: ListRules, suppressed: frozenset[str]
) -> tuple[bytes | None, bool]:
    """The payload for this platform, and whether one of the person's digests is suppressed."""
    pairs = [
        (kind, value)
        for kind, values in orjson.loads(payload).items()
        for value in (values if isinstance(values, list) else [values])
    ]
    barred = any(value in suppressed for _, value in pairs)
    kept = [(bare, value) for kind, value in pairs if (bare := _bare(kind, platform)) in rules.identifiers]
    if all(kind in SUPPORT for kind, _ in kept):
        return None, barred
    return (b"" if kept == [(EMAIL, contact_id)] else canonical(kept)), barred


def _bare(kind: str, platform: str) -> str:
    """``linkedin:email_sha256`` counts as an e-mail for LinkedIn and as nothing elsewhere."""
    owner, _, name = kind.rpartition(":")
    return name if owner in ("", platform) else ""
