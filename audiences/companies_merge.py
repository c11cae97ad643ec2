"""Rows of one company into one account: which row each field is taken from, and that it is on record.

Must not decide which rows belong together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
import polars as pl

from audiences.clean_values import hosts_of, tags_to_dict
from audiences.companies_domains import is_everybodys, sites_of
from audiences.model import Account

_PLACE = ("country", "region", "city")
_FACTS = ("industry", "employees", "revenue_usd", "founded_year", "linkedin_url", "organization_urn")
FIELDS = ("name", *_PLACE, *_FACTS, "status", "parent")
_PIECE = 50_000  # rows
_JOINED = ("tags", "technologies", "more_domains")


def merge_rows(rows: pl.DataFrame, *, trust: Sequence[str] = ()) -> pl.DataFrame:
    """One row per ``account_id``; each field from the first row that has it.

    Rows are ranked by ``trust`` (sources, best first), then by how many fields
    they fill, then by their order. Besides the fields: ``domain`` and
    ``domains`` (all of them, a list), ``tags`` and ``technologies`` of all rows
    joined, ``rows`` (references of all rows, ``"<source>:<line>"``),
    ``taken_from`` (struct field -> reference: the provenance) and ``parent_id``.
    """
    extra = [c for c in rows.columns if c.startswith("attribute:")]
    fields = [*FIELDS, *extra]
    ordered = _ranked(rows, trust).with_columns(_alone=pl.len().over("account_id") == 1)
    taken = (pl.when(pl.col(f).is_not_null()).then("ref").alias(f) for f in fields)
    single = ordered.filter("_alone").select(
        "account_id",
        pl.concat_list("domain").alias("domains"),
        *fields,
        *_JOINED,
        pl.concat_list("ref").alias("rows"),
        pl.struct(taken).alias("taken_from"),
    )
    first = (pl.col("ref").filter(pl.col(f).is_not_null()).first().alias(f) for f in fields)
    several = (
        ordered.filter(~pl.col("_alone"))
        .group_by("account_id", maintain_order=True)
        .agg(
            pl.col("domain").unique(maintain_order=True).alias("domains"),
            *(pl.col(f).drop_nulls().first() for f in fields),
            *(pl.col(f).drop_nulls().str.join(";").replace("", None) for f in _JOINED),
            pl.col("ref").alias("rows"),
            pl.struct(first).alias("taken_from"),
        )
    )
    accounts = _with_domains(pl.concat([single, several], how="vertical").sort("account_id"))
    return accounts.with_columns(_parents(accounts, rows))


def _ranked(rows: pl.DataFrame, trust: Sequence[str]) -> pl.DataFrame:
    filled = pl.sum_horizontal(pl.col(c).is_not_null() for c in FIELDS)
    rank = pl.lit(0)
    if trust:
        places = list(range(len(trust)))
        rank = pl.col("source").replace_strict(list(trust), places, default=len(trust))
    return rows.with_columns(_rank=rank, _filled=filled).sort(
        "account_id", "_rank", "_filled", descending=[False, False, True], maintain_order=True
    )


def _with_domains(accounts: pl.DataFrame) -> pl.DataFrame:
    """``domains`` with those a CRM adds, and ``domain``: the one that is the id, else the first."""
    stated = accounts.filter(pl.col("more_domains").is_not_null()).select(
        "account_id", pl.col("more_domains").str.split(";").alias("h")
    )
    if stated.height:
        hosts = stated.explode("h")
        sites = hosts.select("account_id", sites_of(hosts_of(hosts["h"].str.strip_chars())).alias("site"))
        usable = sites.filter(pl.col("site").is_not_null() & ~is_everybodys(pl.col("site")))
        added = usable.group_by("account_id").agg(pl.col("site").unique().sort().alias("_more"))
        accounts = accounts.join(added, on="account_id", how="left", maintain_order="left").with_columns(
            pl.col("domains").list.concat(pl.col("_more").fill_null([])).list.unique(maintain_order=True)
        )
    domains = pl.col("domains").list.drop_nulls()
    own = pl.when(domains.list.contains(pl.col("account_id"))).then("account_id")
    accounts = accounts.with_columns(domains.alias("domains"))
    return accounts.with_columns(pl.coalesce(own, pl.col("domains").list.first()).alias("domain")).drop(
        "more_domains", "_more", strict=False
    )


def _parents(accounts: pl.DataFrame, rows: pl.DataFrame) -> pl.Series:
    """The account each company says it belongs to: by the CRM's id, or a name that only one company has."""
    names = rows.select(pl.col("name").str.to_lowercase().alias("k"), "account_id").drop_nulls()
    ids = rows.select(pl.col("row_id").alias("k"), "account_id").drop_nulls()
    unique = pl.concat([names, ids]).unique().unique("k", keep="none")
    known = dict(zip(unique["k"], unique["account_id"], strict=True)) if _any_parent(accounts) else {}
    tagged = accounts["tags"].str.contains("parent:", literal=True).fill_null(value=False)
    asked = (tagged | accounts["parent"].is_not_null()).arg_true()
    found: list[str | None] = []
    for index in asked:
        stated = [accounts["parent"][index], *tags_to_dict(accounts["tags"][index]).get("parent", [])]
        parents = (known.get(name, known.get(name.lower())) for name in stated if name)
        own = accounts["account_id"][index]
        found.append(next((parent for parent in parents if parent and parent != own), None))
    nobody = pl.Series("parent_id", [None], dtype=pl.String).new_from_index(0, accounts.height)
    return nobody.scatter(asked, pl.Series(found, dtype=pl.String)) if found else nobody


def _any_parent(accounts: pl.DataFrame) -> bool:
    tagged = bool(accounts["tags"].str.contains("parent:", literal=True).any())
    return tagged or accounts["parent"].null_count() < accounts.height


def accounts_of(accounts: pl.DataFrame) -> Iterator[Account]:
    """Rows of ``merge_rows`` as Accounts.

    Attributes: a list per tag key; ``technologies`` (lower case, from tags and
    the CRM column); ``domains`` when there are several; ``status``, ``parent``,
    ``parent_id``; CRM columns by name; ``provenance`` (field -> row reference)
    and ``rows``.
    """
    extra = [c for c in accounts.columns if c.startswith("attribute:")]
    for row in accounts.iter_rows(named=True):
        yield Account(
            account_id=row["account_id"],
            name=row["name"] or row["domain"] or row["account_id"],
            domain=row["domain"],
            attributes=_attributes(row, extra),
            **{field: row[field] for field in (*_PLACE, *_FACTS)},
        )


def account_table(accounts: pl.DataFrame) -> pl.DataFrame:
    """``accounts_of`` by column, ``attributes`` as JSON text: a million of them without an object each."""
    extra = [c for c in accounts.columns if c.startswith("attribute:")]
    # in pieces: all of them as Python texts would take half a gigabyte
    texts = [pl.Series([], dtype=pl.String)]
    for piece in accounts.iter_slices(_PIECE):
        rows = piece.iter_rows(named=True)
        found = [orjson.dumps(_attributes(row, extra), option=orjson.OPT_SORT_KEYS).decode() for row in rows]
        texts.append(pl.Series(found, dtype=pl.String))
    filled = [pl.when(pl.col(name) != "").then(name) for name in ("name", "domain")]
    return accounts.select(
        "account_id",
        pl.coalesce(*filled, "account_id").alias("name"),
        "domain",
        *(*_PLACE, *_FACTS),
        pl.concat(texts).alias("attributes"),
    )


def _attributes(row: Mapping[str, Any], extra: Sequence[str]) -> dict[str, Any]:
    tags = tags_to_dict(row["tags"])
    found: dict[str, Any] = {key: sorted(set(values)) for key, values in tags.items()}
    stated = [*(row["technologies"] or "").split(";"), *tags.get("tech", [])]
    technologies = sorted({name.strip().lower() for name in stated if name.strip()})
    if technologies:
        found["technologies"] = technologies
    if len(row["domains"]) > 1:
        found["domains"] = list(row["domains"])
    for name in ("status", "parent", "parent_id"):
        if row[name] is not None:
            found[name] = row[name]
    found |= {name.partition(":")[2]: row[name] for name in extra if row[name] is not None}
    found["provenance"] = {field: ref for field, ref in row["taken_from"].items() if ref}
    found["rows"] = list(row["rows"])
    return found
