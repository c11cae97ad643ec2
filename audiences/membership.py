"""Who should be on one audience, and why everybody else is not.

Desired = qualifying - suppressed - no consent - not first-party - holdout -
held by the balancer. Pure: the ledger is compared in ``membership_delta``.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from audiences.membership_contacts import ListRules, keys_of, people_rows
from audiences.membership_keys import (
    NO_KEYS,
    Keys,
    Rows,
    byte_order,
    company_keys,
    contained,
    payload_digests,
    repeats,
)
from audiences.membership_payloads import company_payloads
from audiences.model import AudienceSpec, IdentifierKind, MemberKind, Membership, MemberTable
from audiences.segments import Evaluation, Mask

__all__ = ["HELD", "Desired", "ListRules", "desired"]

HELD = -1  # band of a company that is in no band of the plan in force


@dataclass(frozen=True, eq=False)
class Desired:
    """The desired membership, and a count per reason for everybody who qualified and is left out.

    For companies the counts are companies, for contacts people. ``reasons`` are stable codes, in the
    order they are tried: the first that applies is the one counted.
    """

    membership: Membership
    left_out: Mapping[str, int]
    considered: int  # qualifying companies, or contacts of qualifying companies
    _out: pl.DataFrame = field(repr=False)  # row of the account in the universe, reason
    _ids: list[str] = field(repr=False)  # account ids by row

    def reasons(self, account_id: str) -> dict[str, int]:
        """Reason -> how many members of this account are left out for it."""
        row = bisect_left(self._ids, account_id)
        if row == len(self._ids) or self._ids[row] != account_id:
            return {}
        return _counts(self._out.filter(pl.col("row") == row)["reason"])


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
    account id), which also keep off the people of that company. ``held`` are companies that no campaign is
    to serve until the balancer releases them. ``bands`` gives the band of each company where the segment is
    balanced: a list with ``spec.band`` takes that band alone, and a company in no band is held. Raises
    ValueError when a contact list has no contacts.
    """
    accounts = _accounts(spec, evaluation, suppressed, held, bands)
    if spec.kind == MemberKind.COMPANY:
        rows = _companies(accounts, evaluation, rules)
        return _settle(spec, evaluation, rows, lambda wanted: company_keys(wanted["account_id"]))
    if contacts is None:
        raise ValueError(f"{spec.audience_id} is a contact list, but no contacts were given")
    rows = people_rows(contacts, accounts, spec.platform, rules, evaluation.segment, suppressed)
    return _settle(spec, evaluation, rows, lambda wanted: keys_of(wanted["contact_id"]))


def _accounts(
    spec: AudienceSpec,
    evaluation: Evaluation,
    suppressed: Keys,
    held: AbstractSet[str],
    bands: Bands | None,
) -> pl.DataFrame:
    """row, account_id and reason (null: none) of every qualifying company."""
    rows = np.flatnonzero(evaluation.members)
    names = evaluation.universe.accounts["account_id"].gather(rows)
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
    holdout = pl.Series(evaluation.holdout[rows])
    columns = {"row": rows.astype(np.int32), "account_id": names, "holdout": holdout, "barred": barred}
    frame = pl.DataFrame(columns)
    frame = frame.with_columns(reason.alias("reason"))
    if bands is not None:
        band = pl.Series("band", [bands.get(name, HELD) for name in names], dtype=pl.Int64)
        frame = frame.with_columns(band).with_columns(_band_reason(spec.band))
    return frame.select("row", "account_id", "reason")


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
    """Adds the payload; a company without any identifier the platform knows is left out."""
    table = evaluation.universe.accounts
    wanted = {kind: column for kind, column in _COMPANY_FIELDS.items() if kind in rules.identifiers}
    present = {kind: column for kind, column in wanted.items() if column in table.columns}
    support = {IdentifierKind.COUNTRY: "country"} if IdentifierKind.COUNTRY in rules.identifiers else {}
    columns = [pl.col(column).alias(kind.value) for kind, column in (present | support).items()]
    values = table.select(columns)[accounts["row"]]
    known = pl.any_horizontal([_filled(kind.value) for kind in present]) if present else pl.lit(value=False)
    unknown = ~values.select(pl.repeat(value=True, n=pl.len()) & known).to_series()
    reason = pl.coalesce("reason", pl.when(unknown).then(pl.lit("no_identifier")))
    return accounts.with_columns(reason.alias("reason"), company_payloads(values))


def _filled(column: str) -> pl.Expr:
    return pl.col(column).is_not_null() & (pl.col(column) != "")


# -- the table -------------------------------------------------------------------


def _settle(
    spec: AudienceSpec,
    evaluation: Evaluation,
    rows: pl.DataFrame,
    keys_of_rows: Callable[[pl.DataFrame], Keys],
) -> Desired:
    """Split into the wanted, unique and in byte order, and the left out with their counts."""
    ids = evaluation.universe.ids
    wanted = rows.filter(pl.col("reason").is_null())
    keys = keys_of_rows(wanted)
    payloads = _payloads(wanted["payload"])
    order, twice = _unique_order(keys, wanted["row"].to_numpy(), payloads)
    kept = order[~twice]
    members = MemberTable(
        keys[kept],
        [payloads[i] for i in kept.tolist()] if any(payloads) else [b""] * kept.size,
        [ids[row] for row in wanted["row"].gather(kept).to_list()],
    )
    extra = wanted.select("row", reason=pl.lit("duplicate"))[order[twice]]
    out = pl.concat([rows.filter(pl.col("reason").is_not_null()).select("row", "reason"), extra])
    membership = Membership(spec.audience_id, evaluation.version.fingerprint, members)
    return Desired(membership, _counts(out["reason"]), rows.height, out, ids)


def _payloads(column: pl.Series) -> list[bytes]:
    if (column.bin.size() == 0).all():
        return [b""] * column.len()
    payloads: list[bytes] = column.to_list()
    return payloads


def _unique_order(keys: Keys, rows: NDArray[np.int32], payloads: Sequence[bytes]) -> tuple[Rows, Mask]:
    """The byte order of the keys, and which of it repeat the one before.

    Where one person stands at several companies, the first company in byte order keeps them, so that the
    order of the file never decides.
    """
    order = byte_order(keys)
    twice = repeats(keys[order])
    if twice.any():
        words = np.ascontiguousarray(keys).view(">u8").reshape(-1, 4)
        order = np.lexsort((payload_digests(payloads), rows, *words.T[::-1]))
    return order, twice


def _counts(reasons: pl.Series) -> dict[str, int]:
    return dict(reasons.value_counts().sort("reason").iter_rows())
