"""Who should be on one audience, and why everybody else is not.

Desired = qualifying - suppressed - no consent - not first-party - holdout -
held by the balancer. Pure: the ledger is compared in ``membership_delta``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

import orjson
import polars as pl

from audiences.membership_contacts import ListRules, people_rows
from audiences.membership_keys import NO_KEYS, Keys, company_keys, contained, from_digests
from audiences.model import AudienceSpec, IdentifierKind, MemberKind, Membership, MemberTable
from audiences.segments import Evaluation

__all__ = ["HELD", "Desired", "ListRules", "desired"]

HELD = -1  # band of a company the balancer serves nowhere for now


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
    suppressed: Keys = NO_KEYS,
    held: AbstractSet[str] = frozenset(),
    bands: Bands | None = None,
) -> Desired:
    """Who should be on the audience ``spec``.

    ``contacts`` (CONTACT_SCHEMA, see ``scoring_frames.contacts_frame``) is needed for contact lists.
    ``suppressed`` (m, 32) digests never to be put on a list: of people, or company keys (SHA-256 of the
    account id), which also keep off the people of that company. ``held`` are companies the balancer serves
    nowhere for now. ``bands`` gives the band of each company where the segment is balanced: a list with
    ``spec.band`` takes that band alone, and a company in no band is held. Raises ValueError when a contact
    list has no contacts.
    """
    accounts = _accounts(spec, evaluation, suppressed, held, bands)
    if spec.kind == MemberKind.COMPANY:
        return _settle(spec, evaluation, _companies(accounts, evaluation, rules))
    if contacts is None:
        raise ValueError(f"{spec.audience_id} is a contact list, but no contacts were given")
    people = contacts.join(accounts, on="account_id", how="inner", maintain_order="left")
    return _settle(
        spec, evaluation, people_rows(people, spec.platform, rules, evaluation.segment, suppressed)
    )


def _accounts(
    spec: AudienceSpec,
    evaluation: Evaluation,
    suppressed: Keys,
    held: AbstractSet[str],
    bands: Bands | None,
) -> pl.DataFrame:
    """account_id and reason (null: none) of every qualifying company."""
    ids = evaluation.universe.accounts["account_id"]
    names = ids.filter(pl.Series(evaluation.members))
    holdout = pl.Series(evaluation.holdout).filter(pl.Series(evaluation.members))
    reason = (
        pl.when(pl.col("barred"))
        .then(pl.lit("suppressed"))
        .when(pl.col("holdout"))
        .then(pl.lit("holdout"))
        .when(pl.col("account_id").is_in(pl.lit(_strings(held)).implode()))
        .then(pl.lit("held_by_balancer"))
    )
    never = contained(company_keys(names), suppressed) if len(suppressed) else [False] * len(names)
    barred = pl.Series(never, dtype=pl.Boolean)
    frame = pl.DataFrame({"account_id": names, "holdout": holdout, "barred": barred})
    frame = frame.with_columns(reason.alias("reason"))
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
    keys = [key.tobytes() for key in company_keys(values["account_id"])]
    return values.select("account_id", reason.alias("reason")).with_columns(
        pl.Series("key", keys, dtype=pl.Binary), pl.Series("payload", payloads, dtype=pl.Binary)
    )


def _filled(column: str) -> pl.Expr:
    return pl.col(column).is_not_null() & (pl.col(column) != "")


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
