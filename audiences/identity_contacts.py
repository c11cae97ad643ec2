"""Contact rows in, hashed Contacts out. The gate after which no raw e-mail, phone or name exists.

Must not pass a raw column on: the result is built from digests, codes and
flags only, never by copying the incoming frame.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from audiences.identity import Reject, normalise
from audiences.identity_bulk import hash_many
from audiences.model import Consent, Contact, IdentifierKind, Rejected

_KINDS = {
    "email": IdentifierKind.EMAIL, "phone": IdentifierKind.PHONE, "given_name": IdentifierKind.GIVEN_NAME,
    "family_name": IdentifierKind.FAMILY_NAME, "postal_code": IdentifierKind.POSTAL_CODE,
    "region_code": IdentifierKind.REGION_CODE,
}  # fmt: skip
_CARRIED = (
    "source",
    "line",
    "row_id",
    "account_id",
    "country",
    "first_party",
    "consent",
    "function",
    "seniority",
)


@dataclass(frozen=True, eq=False)
class Identified:
    """Hashed people, one row per person.

    ``frame``: ``contact_id``, the carried columns (source, line, row_id,
    account_id, country, first_party, consent, function, seniority) and one
    String column per identifier: ``email``, ``phone``, ``given_name``,
    ``family_name`` (hex digests), ``postal_code``, ``region_code`` (plain, as
    Google wants them), further ones as ``email_2`` ... Where LinkedIn's and
    Google's rules give two digests for one e-mail (Gmail), ``email`` is
    LinkedIn's and ``google:email`` is Google's; else ``google:email`` is null
    and ``email`` is good for both. (An address only Google takes, ``a@b``, has
    ``google:email`` alone.)
    """

    frame: pl.DataFrame
    rejected: tuple[Rejected, ...]
    duplicates: int  # rows folded into an earlier row of the same person

    def contacts(self) -> Iterator[Contact]:
        """Every person as a Contact, in frame order."""
        names = [c for c in self.frame.columns if identifier_kind(c)]
        for row in self.frame.iter_rows(named=True):
            yield Contact(
                contact_id=row["contact_id"],
                account_id=row["account_id"],
                identifiers=_identifiers(row, names),
                country=row["country"],
                first_party=bool(row["first_party"]),
                consent=Consent(row["consent"]) if row["consent"] else None,
                function=row["function"],
                seniority=row["seniority"],
            )

    def table(self) -> pl.DataFrame:
        """Every person as columns, without an object per row: those of Contact, in byte order of the id.

        ``identifiers`` is JSON text: a list of (kind, value) pairs as ``contacts`` gives them.
        """
        frame = self.frame.sort("contact_id")
        names = [c for c in frame.columns if identifier_kind(c)]
        pairs = [pair for _, pair in sorted(_pairs(names), key=lambda one: one[0])]
        joined = pl.concat_str(pairs, separator=",", ignore_nulls=True)
        return frame.select(
            "contact_id",
            "account_id",
            pl.concat_str(pl.lit("["), joined, pl.lit("]")).alias("identifiers"),
            "country",
            pl.col("first_party").fill_null(value=False),
            "consent",
            "function",
            "seniority",
        )


def _pairs(names: Sequence[str]) -> Iterator[tuple[str, pl.Expr]]:
    """(kind, ``["kind","value"]`` or null) of every column. Where Google has another digest of an e-mail, the
    one in its column is LinkedIn's alone.
    """
    for name in names:
        kind, value = str(_KINDS[identifier_kind(name)]), _json_text(name)
        twin = f"google:{name}"
        if name.startswith("google:"):
            yield _pair(f"google:{kind}", value)
        elif twin in names:
            yield _pair(kind, pl.when(pl.col(twin).is_null()).then(value))
            yield _pair(f"linkedin:{kind}", pl.when(pl.col(twin).is_not_null()).then(value))
        else:
            yield _pair(kind, value)


def _pair(kind: str, value: pl.Expr) -> tuple[str, pl.Expr]:
    return kind, pl.concat_str(pl.lit(f'["{kind}",'), value, pl.lit("]"))


def _json_text(name: str) -> pl.Expr:
    """Digests need no escape; postal and region codes are plain text."""
    if identifier_kind(name) not in ("postal_code", "region_code"):
        return pl.concat_str(pl.lit('"'), name, pl.lit('"'))
    encoded = pl.struct(pl.col(name).alias("v")).struct.json_encode()
    return pl.when(pl.col(name).is_not_null()).then(encoded.str.slice(5).str.strip_suffix("}"))


def identifiers_for(identifiers: Iterable[tuple[str, str]], platform: str) -> tuple[tuple[str, str], ...]:
    """What a platform may be sent: plain kinds go to all, ``"<platform>:<kind>"`` to that one alone."""
    found = []
    for kind, value in identifiers:
        owner, colon, bare = kind.rpartition(":")
        if not colon or owner == platform:
            found.append((bare, value))
    return tuple(dict.fromkeys(found))


def identify_contacts(frame: pl.DataFrame) -> Identified:
    """Normalise and hash every identifier of a cleaned contacts frame, for both platforms at once.

    Phones are read in the row's own country. A person is known by the digest of
    the first e-mail under LinkedIn's rule (the one that changes least), else
    Google's, else the phone, else name + country + postal code. Rows of one
    person are folded into one: a refusal of consent on any row wins.
    """
    rejected: list[Rejected] = []
    hashed = hash_rows(frame, rejected).with_row_index("_at")
    people = fold(hashed).sort("_at").drop("_at")
    return Identified(people, tuple(rejected), hashed.height - people.height)


def hash_rows(frame: pl.DataFrame, rejected: list[Rejected]) -> pl.DataFrame:
    """The rows of ``frame`` in the shape of ``Identified.frame``, several to a person; those of nobody left out.

    What could not be used is added to ``rejected``.
    """
    out = {name: _carried(frame, name) for name in _CARRIED}
    for column in [c for c in frame.columns if identifier_kind(c)]:
        out.update(_digests(frame, column, rejected))
    out["region_code"] = out["country"].alias("region_code")
    hashed = pl.DataFrame(list(out.values()))
    hashed = hashed.insert_column(0, _person_keys(hashed))
    nobody = hashed["contact_id"].is_null()
    for row in hashed.filter(nobody).select("source", "line").iter_rows():
        rejected.append(
            Rejected(row[0], row[1], "", "nothing_to_match_by", "no usable e-mail, phone or full address")
        )
    return hashed.filter(~nobody)


def identifier_kind(column: str) -> str:
    """The identifier kind of a column name, "" for any other column."""
    bare = re.sub(r"_\d+$", "", column.rpartition(":")[2])
    return bare if bare in _KINDS else ""


def _carried(frame: pl.DataFrame, name: str) -> pl.Series:
    if name in frame.columns:
        return frame[name]
    return pl.Series(name, [None], dtype=pl.String).new_from_index(0, frame.height)


def _digests(frame: pl.DataFrame, column: str, rejected: list[Rejected]) -> dict[str, pl.Series]:
    """The hashed columns one raw column becomes; texts without a digest are put down as rejected."""
    kind, values = identifier_kind(column), frame[column]
    if kind == "postal_code":
        return {column: values}
    countries = _carried(frame, "country") if kind == "phone" else None
    google = hash_many("google", kind, values) if countries is None else _phones(values, countries)
    made = {column: google.alias(column)}
    if kind == "email":
        linkedin = hash_many("linkedin", kind, values)
        differs = pl.select(pl.when(google.ne_missing(linkedin)).then(google)).to_series()
        made = {column: linkedin.alias(column), f"google:{column}": differs.alias(f"google:{column}")}
        google = pl.select(pl.coalesce(google, linkedin)).to_series()
    for index in (values.is_not_null() & google.is_null()).arg_true():
        country = countries[index] if countries is not None else None
        found = normalise("google", kind, values[index], default_country=country)
        reason = found.reason if isinstance(found, Reject) else "unexplained"
        place = frame["source"][index], frame["line"][index]
        rejected.append(Rejected(*place, column, f"{kind}_{reason}", "the identifier is not used"))
    return made


def _phones(values: pl.Series, countries: pl.Series) -> pl.Series:
    """Hash per country, because the same digits are different numbers in different countries."""
    frame = pl.DataFrame({"v": values, "c": countries}).with_row_index("i").drop_nulls("v")
    parts = [
        part.with_columns(hash_many("google", "phone", part["v"], default_country=part["c"][0]).alias("v"))
        for part in frame.partition_by("c")
    ]
    empty = pl.Series(values.name, [None], dtype=pl.String).new_from_index(0, len(values))
    if not parts:
        return empty
    hashed = pl.concat(parts)
    return empty.scatter(hashed["i"], hashed["v"])


def _person_keys(hashed: pl.DataFrame) -> pl.Series:
    wanted = [c for c in ("email", "google:email", "email_2", "phone", "phone_2") if c in hashed.columns]
    keys = hashed.select(pl.coalesce([pl.col(c) for c in wanted])).to_series() if wanted else None
    address = _address_keys(hashed)
    parts = [key for key in (keys, address) if key is not None]
    if not parts:
        return pl.Series("contact_id", [None], dtype=pl.String).new_from_index(0, hashed.height)
    return pl.select(pl.coalesce(parts)).to_series().alias("contact_id")


def _address_keys(hashed: pl.DataFrame) -> pl.Series | None:
    """SHA-256 over the two name digests, country and postal code, where all four are there."""
    need = ["given_name", "family_name", "country", "postal_code"]
    if not set(need) <= set(hashed.columns):
        return None
    import polars_hash as plh

    joined = hashed.select(pl.concat_str(need, separator="|").alias("a"))
    return joined.select(plh.col("a").chash.sha2_256()).to_series()


def fold(hashed: pl.DataFrame) -> pl.DataFrame:
    """One row per person, in no order: the first value of each column that is there; any refusal of consent
    wins.
    """
    again = hashed["contact_id"].is_duplicated()
    if not again.any():
        return hashed
    first = [
        pl.col(c).drop_nulls().first()
        for c in hashed.columns
        if c not in ("contact_id", "consent", "first_party")
    ]
    choice = pl.col("consent").cast(pl.String)
    worst = (
        pl.when((choice == "denied").any()).then(pl.lit("denied"))
        .when((choice == "unknown").any()).then(pl.lit("unknown"))
        .otherwise(choice.drop_nulls().first()).cast(hashed.schema["consent"]).alias("consent")
    )  # fmt: skip
    folded = (
        hashed.filter(again)
        .group_by("contact_id", maintain_order=True)
        .agg(*first, worst, pl.col("first_party").any())
    )
    return pl.concat([hashed.filter(~again), folded.select(hashed.columns)])


def _identifiers(row: dict[str, str | None], names: list[str]) -> tuple[tuple[str, str], ...]:
    """(kind, value) pairs; an e-mail whose Google digest differs is kept once per platform."""
    found = []
    for name in names:
        value, kind = row[name], _KINDS[identifier_kind(name)]
        if value is None:
            continue
        if name.startswith("google:"):
            found.append((f"google:{kind}", value))
        elif identifier_kind(name) == "email" and row.get(f"google:{name}") is not None:
            found.append((f"linkedin:{kind}", value))
        else:
            found.append((str(kind), value))
    return tuple(found)
