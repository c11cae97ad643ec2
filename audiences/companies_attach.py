"""People and signals to the companies they belong to: by company row, domain, e-mail domain, exact name.

Must not invent a company: what fits none stays without an account, and is counted.
"""

from __future__ import annotations

import polars as pl

from audiences.clean_values import hosts_of
from audiences.companies import Resolution
from audiences.companies_domains import is_everybodys, sites_of
from audiences.companies_names import name_keys, plain_names


def attach(frame: pl.DataFrame, resolution: Resolution) -> pl.DataFrame:
    """Add ``account_id`` (null when unknown) to a cleaned contacts or signals frame.

    In this order: the CRM's own company id (first of several), the domain in
    the row, the domain of the e-mail unless it is free mail or shared, and the
    company name where exactly one account has it. Run it on contacts before
    they are hashed; it adds one column and keeps order and height.
    """
    found = [
        _by_row_id(frame, resolution.links),
        _by_domain(frame["host"], resolution.accounts),
        _by_domain(_mail_hosts(frame), resolution.accounts),
        _by_name(frame, resolution.accounts),
    ]
    ids = pl.DataFrame([s.alias(f"s{i}") for i, s in enumerate(found)])
    return frame.with_columns(ids.select(pl.coalesce(pl.all()).alias("account_id")).to_series())


def _nothing(height: int) -> pl.Series:
    return pl.Series("account_id", [None], dtype=pl.String).new_from_index(0, height)


def _lookup(keys: pl.Series, table: pl.DataFrame) -> pl.Series:
    """``table`` (columns k, account_id; k unique) applied to ``keys``."""
    joined = keys.alias("k").to_frame().join(table, on="k", how="left", maintain_order="left")
    return joined["account_id"]


def _by_row_id(frame: pl.DataFrame, links: pl.DataFrame) -> pl.Series:
    if "company_row_id" not in frame.columns or frame["company_row_id"].null_count() == frame.height:
        return _nothing(frame.height)
    table = links.filter(pl.col("row_id").is_not_null()).select(k="row_id", account_id="account_id")
    table = table.unique("k", keep="none", maintain_order=True)
    return _lookup(frame["company_row_id"].str.split(";").list.first().str.strip_chars(), table)


def _by_domain(host: pl.Series, accounts: pl.DataFrame) -> pl.Series:
    """Any of a company's domains will do; one that two companies state is nobody's."""
    owned = accounts.select(k=pl.col("domains"), account_id=pl.col("account_id")).explode("k").drop_nulls()
    return _lookup(sites_of(host), owned.unique("k", keep="none"))


def _mail_hosts(frame: pl.DataFrame) -> pl.Series:
    """The domain of the first e-mail where it may be an employer's; a hashed e-mail has none."""
    if "email" not in frame.columns:
        return _nothing(frame.height)
    sites = sites_of(hosts_of(frame["email"].str.extract(r"@([^@]+)$")))
    return sites.alias("s").to_frame().select(pl.when(~is_everybodys(pl.col("s"))).then("s")).to_series()


def _by_name(frame: pl.DataFrame, accounts: pl.DataFrame) -> pl.Series:
    keyed = accounts.select(name_keys(plain_names(pl.col("name"))).alias("k"), "account_id").drop_nulls()
    table = keyed.unique("k", keep="none", maintain_order=True)
    return _lookup(frame.select(name_keys(plain_names(pl.col("company"))).alias("k")).to_series(), table)
