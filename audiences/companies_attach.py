"""People and signals to the companies they belong to: by company row, domain, e-mail domain, exact name.

Must not invent a company: what fits none stays without an account, and is counted.
"""

from __future__ import annotations

from functools import cached_property

import polars as pl

from audiences.clean_values import hosts_of
from audiences.companies import Resolution
from audiences.companies_domains import is_everybodys, sites_of
from audiences.companies_names import name_keys, plain_names


class Directory:
    """By what the companies of a resolution are found, each table made once, at its first use."""

    def __init__(self, resolution: Resolution) -> None:
        self._found = resolution

    @cached_property
    def row_ids(self) -> pl.DataFrame:
        """The CRM's own ids; one that stands for two companies is left out, as below."""
        known = self._found.links.filter(pl.col("row_id").is_not_null())
        return known.select(k="row_id", account_id="account_id").unique().unique("k", keep="none")

    @cached_property
    def domains(self) -> pl.DataFrame:
        """Any of a company's domains will do; one that two companies state is nobody's."""
        owned = self._found.accounts.select(k=pl.col("domains"), account_id=pl.col("account_id"))
        return owned.explode("k").drop_nulls().unique("k", keep="none")

    @cached_property
    def names(self) -> pl.DataFrame:
        """Names, legal form and accents aside, that only one account has."""
        own = self._found.accounts.select(_key("name").alias("k"), "account_id")
        return own.drop_nulls().unique("k", keep="none")


def attach(frame: pl.DataFrame, resolution: Resolution) -> pl.DataFrame:
    """``attach_by`` for a single frame."""
    return attach_by(frame, Directory(resolution))


def attach_by(frame: pl.DataFrame, directory: Directory) -> pl.DataFrame:
    """Add ``account_id`` (null when unknown) to a cleaned contacts or signals frame.

    In this order: the CRM's own company id (first of several), the domain in
    the row, the domain of the e-mail unless it is free mail or shared, and the
    company name where exactly one account has it. Run it on contacts before
    they are hashed; it adds one column and keeps order and height.
    """
    surest = [_by_row_id(frame, directory), _by_site(sites_of(frame["host"]), directory)]
    surest.append(_by_site(_mail_sites(frame), directory))
    ids = pl.DataFrame([s.alias(f"s{i}") for i, s in enumerate(surest)])
    found = ids.select(pl.coalesce(pl.all()).alias("account_id")).to_series()
    rest = (found.is_null() & frame["company"].is_not_null()).arg_true()
    if not rest.is_empty():
        found = found.scatter(rest, _by_name(frame["company"].gather(rest), directory))
    return frame.with_columns(found.alias("account_id"))


def _nothing(height: int) -> pl.Series:
    return pl.Series("account_id", [None], dtype=pl.String).new_from_index(0, height)


def _lookup(keys: pl.Series, table: pl.DataFrame) -> pl.Series:
    """``table`` (columns k, account_id; k unique) applied to ``keys``."""
    joined = keys.alias("k").to_frame().join(table, on="k", how="left", maintain_order="left")
    return joined["account_id"]


def _by_row_id(frame: pl.DataFrame, directory: Directory) -> pl.Series:
    if "company_row_id" not in frame.columns or frame["company_row_id"].null_count() == frame.height:
        return _nothing(frame.height)
    return _lookup(frame["company_row_id"].str.split(";").list.first().str.strip_chars(), directory.row_ids)


def _by_site(site: pl.Series, directory: Directory) -> pl.Series:
    return _nothing(len(site)) if site.null_count() == len(site) else _lookup(site, directory.domains)


def _mail_sites(frame: pl.DataFrame) -> pl.Series:
    """The domain of the first e-mail where it may be an employer's; a hashed e-mail has none."""
    if "email" not in frame.columns:
        return _nothing(frame.height)
    sites = sites_of(hosts_of(frame["email"].str.extract(r"@([^@]+)$")))
    return sites.alias("s").to_frame().select(pl.when(~is_everybodys(pl.col("s"))).then("s")).to_series()


def _by_name(names: pl.Series, directory: Directory) -> pl.Series:
    """The account of exactly this name, if only one account has it."""
    distinct = names.unique().alias("n").to_frame().select("n", _key("n").alias("k"))
    table = distinct.join(directory.names, on="k", how="left").select(k="n", account_id="account_id")
    return _lookup(names, table)


def _key(column: str) -> pl.Expr:
    return name_keys(plain_names(pl.col(column)))
