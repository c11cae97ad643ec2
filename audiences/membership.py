"""Who should be on one audience, and why everybody else is not.

Desired = qualifying - suppressed - no consent - not first-party - holdout -
held by the balancer. Pure: the ledger is compared in ``membership_delta``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, cast

import orjson
import polars as pl

from audiences.membership_keys import Keys, company_keys, contact_keys, from_digests
from audiences.model import AudienceSpec, Consent, IdentifierKind, MemberKind, Membership, MemberTable
from audiences.segments import Evaluation

HELD = -1  # band of a company the balancer serves nowhere for now


@dataclass(frozen=True, slots=True)
class ListRules:
    """What a platform asks of members, taken from its capabilities."""

    identifiers: tuple[str, ...]  # IdentifierKind values it matches by
    needs_consent: bool = False
    needs_first_party: bool = False


@dataclass(frozen=True, slots=True)
class Suppressed:
    """Companies and people who are never put on a list."""

    account_ids: frozenset[str] = frozenset()
    contact_ids: frozenset[str] = frozenset()  # hex digests


@dataclass(frozen=True, eq=False)
class Desired:
    """The desired membership, and a count per reason for everybody who qualified and is left out.

    For companies the counts are companies, for contacts people. ``reasons`` are stable codes, in the
    order they are tried: the first that applies is the one counted.
    """

    membership: Membership
    left_out: Mapping[str, int]
    considered: int  # qualifying companies, or contacts of qualifying companies
    _reasons: pl.DataFrame = field(repr=False)  # account_id, reason

    def reasons(self, account_id: str) -> dict[str, int]:
        """Reason -> how many members of this account are left out for it."""
        rows = self._reasons.filter(pl.col("account_id") == account_id)["reason"].value_counts()
        return dict(rows.sort("reason").iter_rows())


Bands = Mapping[str, int]


def desired(
    spec: AudienceSpec,
    evaluation: Evaluation,
    *,
    rules: ListRules,
    contacts: pl.DataFrame | None = None,
    suppressed: Suppressed = Suppressed(),
    held: AbstractSet[str] = frozenset(),
    bands: Bands | None = None,
) -> Desired:
    """Who should be on the audience ``spec``.

    ``contacts`` (CONTACT_SCHEMA, see ``scoring_frames.contacts_frame``) is needed for contact lists.
    ``bands`` gives the band of each company where the segment is balanced: a list with ``spec.band`` takes
    that band alone, and a company in no band is held. Raises ValueError when a contact list has no contacts.
    """
    accounts = _accounts(spec, evaluation, suppressed, held, bands)
    if spec.kind == MemberKind.COMPANY:
        return _settle(spec, evaluation, _companies(accounts, evaluation, rules))
    if contacts is None:
        raise ValueError(f"{spec.audience_id} is a contact list, but no contacts were given")
    segment = evaluation.segment
    people = contacts.join(accounts, on="account_id", how="inner", maintain_order="left")
    refused = _refusals(rules, suppressed, segment.functions, segment.seniorities)
    people = people.with_columns(pl.coalesce(pl.col("reason"), refused).alias("reason"))
    return _settle(spec, evaluation, _people(people, rules))


def _accounts(
    spec: AudienceSpec,
    evaluation: Evaluation,
    suppressed: Suppressed,
    held: AbstractSet[str],
    bands: Bands | None,
) -> pl.DataFrame:
    """account_id and reason (null: none) of every qualifying company."""
    ids = evaluation.universe.accounts["account_id"]
    names = ids.filter(pl.Series(evaluation.members))
    holdout = pl.Series(evaluation.holdout).filter(pl.Series(evaluation.members))
    reason = (
        pl.when(pl.col("account_id").is_in(pl.lit(_strings(suppressed.account_ids)).implode()))
        .then(pl.lit("suppressed"))
        .when(pl.col("holdout"))
        .then(pl.lit("holdout"))
        .when(pl.col("account_id").is_in(pl.lit(_strings(held)).implode()))
        .then(pl.lit("held_by_balancer"))
    )
    frame = pl.DataFrame({"account_id": names, "holdout": holdout}).with_columns(reason.alias("reason"))
    if bands is not None:
        band = pl.Series("band", [bands.get(name, HELD) for name in names], dtype=pl.Int64)
        frame = frame.with_columns(band).with_columns(_band_reason(spec.band))
    return frame.select("account_id", "reason")


def _band_reason(band: int | None) -> pl.Expr:
    outside: Any = pl.when(pl.col("band") == HELD).then(pl.lit("held_by_balancer"))
    if band is not None:
        outside = outside.when(pl.col("band") != band).then(pl.lit("other_band"))
    return pl.coalesce(pl.col("reason"), outside).alias("reason")


def _strings(values: Iterable[str]) -> pl.Series:
    return pl.Series(sorted(values), dtype=pl.String)


# -- companies ---------------------------------------------------------------

_COMPANY_FIELDS = {
    IdentifierKind.NAME: "name",
    IdentifierKind.DOMAIN: "domain",
    IdentifierKind.EMAIL_DOMAIN: "attributes.email_domain",
    IdentifierKind.ORGANIZATION: "organization_urn",
    IdentifierKind.PAGE: "linkedin_url",
}


def _companies(accounts: pl.DataFrame, evaluation: Evaluation, rules: ListRules) -> pl.DataFrame:
    """Adds key and payload; a company without any identifier the platform knows is left out."""
    table = evaluation.universe.accounts
    wanted = {kind: column for kind, column in _COMPANY_FIELDS.items() if kind in rules.identifiers}
    present = {kind: column for kind, column in wanted.items() if column in table.columns}
    support = {IdentifierKind.COUNTRY: "country"} if IdentifierKind.COUNTRY in rules.identifiers else {}
    columns = [pl.col(column).alias(kind.value) for kind, column in (present | support).items()]
    values = accounts.join(
        table.select("account_id", *columns), on="account_id", how="left", maintain_order="left"
    )
    known = pl.any_horizontal([_filled(kind.value) for kind in present]) if present else pl.lit(value=False)
    reason = pl.coalesce("reason", pl.when(~known).then(pl.lit("no_identifier")))
    payloads = [
        orjson.dumps({k: v for k, v in row.items() if v}, option=orjson.OPT_SORT_KEYS)
        for row in values.select([kind.value for kind in present | support]).iter_rows(named=True)
    ]
    keys = company_keys(values["account_id"])
    return values.select("account_id", reason.alias("reason")).with_columns(
        _key_column(keys), pl.Series("payload", payloads, dtype=pl.Binary)
    )


def _filled(column: str) -> pl.Expr:
    return pl.col(column).is_not_null() & (pl.col(column) != "")


# -- people --------------------------------------------------------------------


def _refusals(
    rules: ListRules,
    suppressed: Suppressed,
    functions: Sequence[str] | None,
    seniorities: Sequence[str] | None,
) -> pl.Expr:
    """The first reason a person may not or need not be on the list, null when there is none."""
    consent = pl.col("consent").fill_null(Consent.UNKNOWN.value)
    refused: Any = (  # Polars has a class per length of such a chain
        pl.when(pl.col("contact_id").is_in(pl.lit(_strings(suppressed.contact_ids)).implode()))
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
    return cast(pl.Expr, refused)


def _people(people: pl.DataFrame, rules: ListRules) -> pl.DataFrame:
    payloads = [
        _identifiers(payload or b"", contact_id, rules)
        for payload, contact_id in people.select("payload", "contact_id").iter_rows()
    ]
    missing = pl.Series([payload is None for payload in payloads], dtype=pl.Boolean)
    reason = pl.coalesce("reason", pl.when(missing).then(pl.lit("no_identifier")))
    return people.select("account_id", reason.alias("reason")).with_columns(
        _key_column(contact_keys(people["contact_id"].to_list())),
        pl.Series("payload", [payload or b"" for payload in payloads], dtype=pl.Binary),
    )


_SUPPORT = (IdentifierKind.COUNTRY, IdentifierKind.POSTAL_CODE, IdentifierKind.REGION_CODE)


def _identifiers(payload: bytes, contact_id: str, rules: ListRules) -> bytes | None:
    """What the platform takes: ``b""`` when that is the e-mail digest alone, None when it is nothing."""
    if not payload:
        return b"" if IdentifierKind.EMAIL in rules.identifiers else None
    kept = {kind: value for kind, value in orjson.loads(payload).items() if kind in rules.identifiers}
    if not any(kind not in _SUPPORT for kind in kept):
        return None
    if kept == {IdentifierKind.EMAIL.value: contact_id}:
        return b""
    return orjson.dumps(kept, option=orjson.OPT_SORT_KEYS)


def _key_column(keys: Keys) -> pl.Series:
    return pl.Series("key", [row.tobytes() for row in keys], dtype=pl.Binary)


# -- the table -------------------------------------------------------------------


def _settle(spec: AudienceSpec, evaluation: Evaluation, rows: pl.DataFrame) -> Desired:
    """Split into the wanted, unique and in byte order, and the left out with their counts."""
    ordered = rows.filter(pl.col("reason").is_null()).sort("key", "account_id", "payload")
    twice = (pl.col("key") == pl.col("key").shift(1)).fill_null(value=False)
    extra = ordered.filter(twice).with_columns(pl.lit("duplicate").alias("reason"))
    wanted = ordered.filter(~twice)
    members = MemberTable(
        from_digests(b"".join(wanted["key"])), wanted["payload"].to_list(), wanted["account_id"].to_list()
    )
    out = pl.concat([rows.filter(pl.col("reason").is_not_null()), extra]).select("account_id", "reason")
    counts = dict(out["reason"].value_counts().sort("reason").iter_rows())
    membership = Membership(spec.audience_id, evaluation.version.fingerprint, members)
    return Desired(membership, counts, rows.height, out)
