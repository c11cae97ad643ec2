"""One company from many rows: by registrable domain, else by exact name and country; never by a shared host.

Must not guess: what could be one company or several is kept apart and
quarantined with its evidence, until a decision file says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from audiences.companies_domains import FREE_MAIL, SHARED_HOSTS, label, registrables
from audiences.companies_merge import accounts_of, merge_rows
from audiences.companies_names import name_keys
from audiences.companies_split import Split, split_names
from audiences.model import Account, Quarantined


@dataclass(frozen=True, eq=False)
class Resolution:
    """Companies, and which row belongs to which.

    accounts     one row per company: ``account_id``, ``name``, ``domain`` and the merged fields
    links        one row per source row: ``source``, ``line``, ``row_id``, ``account_id``
    quarantined  rows kept apart until a person decides
    report       counts: rows, accounts, merged rows, shared domains, quarantined ...
    """

    accounts: pl.DataFrame
    links: pl.DataFrame
    quarantined: tuple[Quarantined, ...]
    report: Mapping[str, int]

    def account_list(self) -> Iterator[Account]:
        """Every company as an Account, in the order of ``accounts``."""
        return accounts_of(self.accounts)


def resolve(frame: pl.DataFrame, *, trust: Sequence[str] = ()) -> Resolution:
    """Find the companies in cleaned company rows (of one or of several sources, stacked).

    ``trust`` names sources, best first; within a company each field comes from
    the most trusted, then most complete row that has it.
    """
    rows = _keyed(frame)
    splits = _split_domains(rows)
    rows = _own_domain(rows, splits)
    rows, proposals = _identify(rows)
    quarantined = (*_domain_quarantine(rows, splits), *proposals)
    accounts = merge_rows(rows, trust=trust)
    report = {
        "rows": rows.height, "accounts": accounts.height, "with_domain": int(accounts["domain"].count()),
        "shared_domains": sum(1 for s in splits.values() if s.reason == "shared_host"),
        "quarantined": len(quarantined),
    }  # fmt: skip
    return Resolution(accounts, rows.select("source", "line", "row_id", "account_id"), quarantined, report)


def _keyed(frame: pl.DataFrame) -> pl.DataFrame:
    ref = pl.concat_str([pl.col("source"), pl.lit(":"), pl.col("line")]).alias("ref")
    return frame.with_columns(name_keys(pl.col("name")).alias("key"), ref).with_columns(
        registrables(frame["host"]).alias("site")
    )


def _split_domains(rows: pl.DataFrame) -> dict[str, Split]:
    """For each domain with more than one name, or on a list of shared hosts: who owns it."""
    named = rows.filter(pl.col("site").is_not_null() & pl.col("key").is_not_null())
    counts = named.group_by("site", "key").len().sort("site", "key")
    known = pl.col("site").is_in(list(FREE_MAIL | SHARED_HOSTS))
    many = counts.filter((pl.len().over("site") > 1) | known)
    splits: dict[str, Split] = {}
    for (site,), part in many.group_by("site", maintain_order=True):
        domain = str(site)
        names = dict(zip(part["key"], part["len"], strict=True))
        splits[domain] = split_names(
            label(domain), names, shared=domain in SHARED_HOSTS or domain in FREE_MAIL
        )
    return splits


def _own_domain(rows: pl.DataFrame, splits: Mapping[str, Split]) -> pl.DataFrame:
    """``domain`` = the row's site where the row's name owns it; a nameless row keeps it unless the host is shared."""
    pairs = [(site, key) for site, split in splits.items() for key in split.others]
    lost = pl.DataFrame(pairs, schema={"site": pl.String, "key": pl.String}, orient="row").with_columns(
        lost=True
    )
    shared = [site for site, split in splits.items() if split.reason == "shared_host"] + list(
        FREE_MAIL | SHARED_HOSTS
    )
    rows = rows.join(lost, on=["site", "key"], how="left", maintain_order="left")
    nameless = pl.col("key").is_null() & pl.col("site").is_in(shared)
    own = pl.when(pl.col("lost").is_null() & ~nameless).then(pl.col("site"))
    return rows.with_columns(own.alias("domain")).drop("lost")


def _identify(rows: pl.DataFrame) -> tuple[pl.DataFrame, list[Quarantined]]:
    """Account ids: the domain; else the one company of that exact name and country; else the name itself."""
    owned = rows.filter(pl.col("domain").is_not_null() & pl.col("key").is_not_null())
    by_name = owned.group_by("key").agg(
        pl.col("domain").unique().sort(), pl.col("country").drop_nulls().unique()
    )
    rows = rows.join(by_name, on="key", how="left", suffix="_known", maintain_order="left")
    homeless = pl.col("domain").is_null()
    one = pl.col("domain_known").list.len() == 1
    fits = (
        pl.col("country").is_null()
        | (pl.col("country_known").list.len() == 0)
        | pl.col("country_known").list.contains(pl.col("country"))
    )
    by_domain = pl.when(homeless & one & fits & pl.col("site").is_null()).then(
        pl.col("domain_known").list.first()
    )
    named = pl.concat_str([pl.lit("name:"), pl.col("key"), pl.lit("|"), pl.col("country").fill_null("")])
    nameless = pl.concat_str([pl.lit("row:"), pl.col("ref")])
    rows = rows.with_columns(pl.coalesce("domain", by_domain, named, nameless).alias("account_id"))
    unsure = rows.filter(
        homeless & (pl.col("domain_known").list.len() >= 1) & pl.col("account_id").str.starts_with("name:")
    )
    proposals = [
        Quarantined(
            subject=str(account), reason="same_name",
            rows=tuple(part["ref"].to_list()),
            evidence="same name as " + ", ".join(part["domain_known"][0].to_list()[:5]),
        )
        for (account,), part in unsure.group_by("account_id", maintain_order=True)
    ]  # fmt: skip
    return rows.drop("domain_known", "country_known"), proposals


def _domain_quarantine(rows: pl.DataFrame, splits: Mapping[str, Split]) -> Iterator[Quarantined]:
    """One entry per domain that lost names, with the rows that carry those names."""
    troubled = [site for site, split in splits.items() if split.others]
    lost = rows.filter(pl.col("site").is_in(troubled) & pl.col("domain").is_null())
    for (site,), part in lost.group_by("site", maintain_order=True):
        split = splits[str(site)]
        names = ", ".join(part["name"].drop_nulls().unique(maintain_order=True).to_list()[:5])
        owner = f"; kept for {', '.join(sorted(split.owners)[:3])}" if split.owners else "; kept for nobody"
        yield Quarantined(
            str(site), split.reason, tuple(part["ref"].to_list()), f"{split.evidence}: {names}{owner}"
        )
