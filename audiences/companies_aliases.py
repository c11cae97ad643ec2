"""Rows without a domain, and companies with two: joined by exact name where nothing speaks against it.

Must not join by likeness; a name that is merely similar, or stands for several
companies, becomes a proposal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

import polars as pl

from audiences.clean_countries import country_code
from audiences.companies_domains import label
from audiences.companies_names import speaks_of
from audiences.model import Quarantined


def merge_twins(rows: pl.DataFrame) -> pl.DataFrame:
    """Add ``account_id`` for rows with a domain; ``lixil.co.jp`` and ``lixil.com`` are one company under one
    name.

    Two domains are one company when name, country (or none given) and the label
    in front of the public suffix are equal. The domain with the most rows, then
    the shortest, names the account.
    """
    front = pl.col("domain").str.extract(r"^([^.]+)\.").alias("label")
    owned = rows.lazy().filter(pl.col("domain").is_not_null() & pl.col("key").is_not_null())
    per_domain = owned.group_by("key", front, "domain").agg(pl.len(), pl.col("country").drop_nulls().unique())
    twins = (
        per_domain.filter(pl.len().over("key", "label") > 1)
        .sort(
            "key",
            "label",
            "len",
            pl.col("domain").str.len_bytes(),
            "domain",
            descending=[False, False, True, False, False],
        )
        .with_columns(
            pl.col("domain").first().over("key", "label").alias("account_id"),
            pl.col("country").list.explode().drop_nulls().n_unique().over("key", "label").alias("countries"),
        )
        .filter(pl.col("countries") <= 1)
        .select("domain", "account_id")
        .unique("domain", keep="none")
        .collect()
    )
    renamed = dict(zip(twins["domain"], twins["account_id"], strict=True))
    renamed |= {site: main for site, main in _second_sites(rows) if site not in renamed}
    ends = {domain: _end(domain, renamed) for domain in renamed}
    return rows.with_columns(pl.col("domain").replace(ends).alias("account_id"))


_MOST_SITES = 3  # one name on more websites is a common name, or a group that keeps them apart


def _second_sites(rows: pl.DataFrame) -> Iterator[tuple[str, str]]:
    """(website, the company's main website) of companies with exactly one name and the same town or country.

    Both websites are made of the name, or it has several words and the town is the same. A website that
    carries another name as well is left alone, and so are a holding and the company it holds.
    """
    named = rows.lazy().filter(pl.col("domain").is_not_null() & pl.col("key").is_not_null())
    names = named.group_by("domain").agg(pl.col("key").first(), pl.col("key").n_unique().alias("names"))
    few = names.filter((pl.col("names") == 1) & pl.len().over("key").is_between(2, _MOST_SITES)).collect()
    per_site = (
        named.join(few.lazy().select("domain"), on="domain", how="semi", maintain_order="left")
        .group_by("domain")
        .agg(
            pl.col("key").first(),
            pl.len().alias("n"),
            pl.col("country").drop_nulls().unique(),
            pl.struct("country", "city").unique().alias("places"),
            pl.col("name").unique().alias("written"),
        )
        .sort("key", "n", pl.col("domain").str.len_bytes(), "domain", descending=[False, True, False, False])
        .collect()
    )
    for _, group in groupby(per_site.iter_rows(named=True), key=lambda row: str(row["key"])):
        main, *others = group
        yield from ((str(other["domain"]), str(main["domain"])) for other in others if _agree(main, other))


def _agree(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    key = str(one["key"])
    several = len(key.split()) > 1
    spoken = all(speaks_of(key, label(row["domain"])) for row in (one, other))
    if _marks(one["written"]) != _marks(other["written"]):
        return False
    if _towns(one) & _towns(other):
        return several or spoken
    return several and spoken and bool(set(one["country"]) & set(other["country"]))


def _towns(row: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {(p["country"], p["city"]) for p in row["places"] if p["country"] and p["city"]}


def _marks(names: Iterable[str]) -> frozenset[str]:
    """What sets companies of one name apart: a holding, a group, a place in brackets that is no country."""
    found: set[str] = set()
    for name in names:
        found |= {word for word in ("holding", "group") if word in name.lower()}
        found |= {text.lower() for text in re.findall(r"\(([^)]*)\)", name) if country_code(text) is None}
    return frozenset(found)


def _end(domain: str, renamed: dict[str, str]) -> str:
    seen = {domain}
    while renamed.get(domain, domain) not in seen:
        domain = renamed[domain]
        seen.add(domain)
    return domain


def adopt_homeless(rows: pl.DataFrame) -> pl.DataFrame:
    """A row without any website joins the one company that has exactly its name, unless their countries
    differ.
    """
    by_name = _companies_by_name(rows)
    rows = rows.join(by_name, on="key", how="left", maintain_order="left")
    fits = (
        pl.col("country").is_null()
        | (pl.col("known_countries").list.len() == 0)
        | pl.col("known_countries").list.contains(pl.col("country"))
    )
    free = (
        pl.col("account_id").is_null() & pl.col("site").is_null() & (pl.col("known").list.len() == 1) & fits
    )
    adopted = pl.when(free).then(pl.col("known").list.first()).otherwise(pl.col("account_id"))
    return rows.with_columns(adopted.alias("account_id")).drop("known", "known_countries")


def _companies_by_name(rows: pl.DataFrame) -> pl.DataFrame:
    owned = rows.filter(pl.col("account_id").is_not_null() & pl.col("key").is_not_null())
    return owned.group_by("key").agg(
        pl.col("account_id").unique().sort().alias("known"),
        pl.col("country").drop_nulls().unique().alias("known_countries"),
    )


def same_name_proposals(rows: pl.DataFrame) -> Iterator[tuple[Quarantined, frozenset[str]]]:
    """Accounts with exactly one name: one entry per name and country, for a person to join or to keep apart.

    Accounts in different countries are asked about only when one of them has no
    website: a namesake abroad with its own site is simply another company.
    """
    known = rows.filter(pl.col("key").is_not_null())
    ids = known.group_by("key", "account_id").agg(
        pl.col("country").drop_nulls().unique().sort(),
        pl.col("ref"),
        pl.col("site").is_not_null().any().alias("has_site"),
    )
    several = ids.filter(pl.len().over("key") > 1).sort("key", "account_id")
    for key, group in groupby(several.iter_rows(named=True), key=lambda row: str(row["key"])):
        part = list(group)
        homeless = not all(row["has_site"] for row in part)
        if not homeless and not _some_pair_agrees([set(row["country"]) for row in part]):
            continue
        names = [row["account_id"] for row in part]
        refs = tuple(ref for row in part for ref in row["ref"])
        shown = " / ".join(names[:6])
        why = "the same name, without a website" if homeless else "the same name on several websites"
        yield Quarantined(key, "same_name", refs, f"{why}; {shown}"), frozenset(names)


def _some_pair_agrees(countries: list[set[str]]) -> bool:
    return any(not a or not b or a & b for at, a in enumerate(countries) for b in countries[at + 1 :])
