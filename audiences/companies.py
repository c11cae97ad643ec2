"""One company from many rows: by registrable domain, else by exact name and country; never by a shared host.

Must not guess: what could be one company or several is kept apart and
quarantined with its evidence, until a decision file says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import polars as pl

from audiences.companies_aliases import adopt_homeless, merge_twins, same_name_proposals
from audiences.companies_decisions import Decisions
from audiences.companies_domains import everybodys_hosts, is_everybodys, sites_of
from audiences.companies_merge import account_table, accounts_of, merge_rows
from audiences.companies_names import name_keys, plain_names
from audiences.companies_split import Bearer, Split, split_names
from audiences.model import Account, Quarantined


@dataclass(frozen=True, eq=False)
class Resolution:
    """Companies, and which row belongs to which.

    accounts     one row per company, see ``companies_merge.merge_rows``
    links        one row per source row: ``source``, ``line``, ``row_id``, ``account_id``
    quarantined  rows kept apart until a person decides; the evidence names the account ids to write down
    report       counts: rows, accounts, with_domain, shared_domains, quarantined
    """

    accounts: pl.DataFrame
    links: pl.DataFrame
    quarantined: tuple[Quarantined, ...]
    report: Mapping[str, int]

    def account_list(self) -> Iterator[Account]:
        """Every company as an Account, in the order of ``accounts``."""
        return accounts_of(self.accounts)

    def account_table(self) -> pl.DataFrame:
        """The same by column, as the store takes them."""
        return account_table(self.accounts)


def resolve(
    frame: pl.DataFrame, *, decisions: Decisions | None = None, trust: Sequence[str] = ()
) -> Resolution:
    """Find the companies in cleaned company rows (of one or of several sources, stacked).

    The account id is the registrable domain; without one, the domain of the only
    company with exactly this name in this country; else ``name:<key>|<country>``.
    A domain on several unrelated names belongs to the name it is made of, or to
    nobody. ``trust`` names sources, best first: within a company each field comes
    from the most trusted, then the most complete row that has it.
    """
    decided = decisions or Decisions()
    rows = _keyed(frame)
    splits = _split_domains(rows, decided.split)
    rows = _own_domain(rows, splits)
    rows = _name_the_rest(merge_twins(rows))
    doubts = [*_domain_doubts(rows, splits), *same_name_proposals(rows)]
    if decided.same:
        rows = rows.with_columns(pl.col("account_id").replace(dict(decided.same)))
    accounts = merge_rows(rows, trust=trust)
    quarantined = tuple(doubt for doubt, ids in doubts if not _is_settled(ids, decided))
    report = {
        "rows": rows.height,
        "accounts": accounts.height,
        "with_domain": int(accounts["domain"].count()),
        "shared_domains": sum(1 for split in splits.values() if split.reason == "shared_host"),
        "quarantined": len(quarantined),
    }
    return Resolution(accounts, rows.select("source", "line", "row_id", "account_id"), quarantined, report)


def _keyed(frame: pl.DataFrame) -> pl.DataFrame:
    """Add ``ref``, ``plain`` and ``key`` (the name, comparable) and ``site`` (the registrable domain)."""
    names = (
        frame.lazy().select(plain=plain_names(pl.col("name"))).with_columns(key=name_keys(pl.col("plain")))
    )
    ref = pl.concat_str([pl.col("source"), pl.lit(":"), pl.col("line")]).alias("ref")
    return frame.with_columns(ref, sites_of(frame["host"]).alias("site")).hstack(
        names.collect(engine="streaming")
    )


def _split_domains(rows: pl.DataFrame, decided: frozenset[str]) -> dict[str, Split]:
    """For each domain with more than one name, or known to be shared: who owns it."""
    known = frozenset().union(*everybodys_hosts().values(), decided)
    named = rows.lazy().filter(pl.col("site").is_not_null() & pl.col("key").is_not_null())
    several = named.group_by("site").agg(pl.col("key").n_unique().alias("n"))
    troubled = several.filter((pl.col("n") > 1) | pl.col("site").is_in(sorted(known))).select("site")
    per_name = (
        named.join(troubled, on="site", how="semi")
        .group_by("site", "key")
        .agg(
            pl.len(), pl.col("plain").unique(), "tags", pl.struct("country", "city").unique().alias("places")
        )
        .sort("site", "key")
        .collect()
    )
    stated = _stated_names(per_name["tags"])
    splits: dict[str, Split] = {}
    for site, part in groupby(per_name.iter_rows(named=True), key=lambda row: str(row["site"])):
        bearers = [_bearer(row, stated) for row in part]
        splits[site] = split_names(site, bearers, shared=site in known)
    return splits


def _stated_names(tags: pl.Series) -> dict[str, str]:
    """Every ``alias:`` and ``acronym:`` in the tags -> its name key."""
    found = {name for group in tags for text in group for name in _aliases(text)}
    names = pl.DataFrame({"n": sorted(found)}, schema={"n": pl.String})
    keys = names.select("n", k=name_keys(plain_names(pl.col("n")))).drop_nulls()
    return dict(zip(keys["n"], keys["k"], strict=True))


def _aliases(tags: str | None) -> list[str]:
    parts = (part.strip().partition(":") for part in (tags or "").split(";"))
    return [value for kind, _, value in parts if kind in ("alias", "acronym") and value]


def _bearer(row: Mapping[str, Any], stated: Mapping[str, str]) -> Bearer:
    return Bearer(
        key=row["key"],
        rows=row["len"],
        plain=frozenset(row["plain"]),
        aliases=frozenset(stated[a] for text in row["tags"] for a in _aliases(text) if a in stated),
        places=frozenset((p["country"], p["city"]) for p in row["places"] if p["country"] and p["city"]),
        product=all("kind:product" in (text or "").split(";") for text in row["tags"]),
    )


def _own_domain(rows: pl.DataFrame, splits: Mapping[str, Split]) -> pl.DataFrame:
    """``domain`` = the row's site where its name owns it; a nameless row keeps it unless it is shared."""
    pairs = [(site, key) for site, split in splits.items() for key in split.others]
    lost = pl.DataFrame(pairs, schema={"site": pl.String, "key": pl.String}, orient="row")
    lost = lost.with_columns(lost=True)
    shared = [site for site, split in splits.items() if split.reason == "shared_host"]
    rows = rows.join(lost, on=["site", "key"], how="left", maintain_order="left")
    everybodys = pl.col("site").is_in(shared) | is_everybodys(pl.col("site"))
    nameless = pl.col("key").is_null() & everybodys
    own = pl.when(pl.col("lost").is_null() & ~nameless).then(pl.col("site"))
    return rows.with_columns(own.alias("domain")).drop("lost")


def _name_the_rest(rows: pl.DataFrame) -> pl.DataFrame:
    """Account ids: the domain; else the one company of that exact name and country; else the name itself."""
    named = pl.concat_str([pl.lit("name:"), pl.col("key"), pl.lit("|"), pl.col("country").fill_null("")])
    nameless = pl.concat_str([pl.lit("row:"), pl.col("ref")])
    rows = adopt_homeless(rows)
    return rows.with_columns(pl.coalesce("account_id", named, nameless).alias("account_id"))


def _domain_doubts(
    rows: pl.DataFrame, splits: Mapping[str, Split]
) -> Iterator[tuple[Quarantined, frozenset[str]]]:
    """One entry per shared domain, one per doubtful name on any other, and the account ids in question."""
    troubled = [site for site, split in splits.items() if split.others]
    lost = rows.filter(pl.col("site").is_in(troubled) & pl.col("domain").is_null())
    for (site,), part in lost.group_by("site", maintain_order=True):
        split = splits[str(site)]
        for doubt in (
            [part] if split.reason == "shared_host" else part.partition_by("key", maintain_order=True)
        ):
            ids = doubt["account_id"].unique(maintain_order=True).to_list()
            why = split.doubts.get(str(doubt["key"][0]), "a host that serves everybody")
            shown = " / ".join([str(site), *ids[:5]]) + (f" and {len(ids) - 5} more" if len(ids) > 5 else "")
            entry = Quarantined(str(site), split.reason, tuple(doubt["ref"].to_list()), f"{why}; {shown}")
            yield entry, frozenset([str(site), *ids])


def _is_settled(ids: frozenset[str], decided: Decisions) -> bool:
    """Whether every pair in question has been decided, one way or the other."""
    ends = {decided.same.get(one, one) for one in ids}
    pairs = (frozenset((a, b)) for a in ends for b in ends if a < b)
    subject_split = bool(ids & decided.split)
    return subject_split or len(ends) == 1 or all(pair in decided.different for pair in pairs)
