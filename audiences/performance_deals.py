"""Rows of a CRM's deal export as deals, by the names columns usually have.

Takes a table of text, as a file is read; it opens nothing and joins no segment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from audiences.clean_values import amounts_of, dates_of, hosts_of
from audiences.companies_domains import sites_of
from audiences.errors import ConfigError, UnknownColumns
from audiences.model import Rejected
from audiences.performance import STAGES, Deal
from audiences.sources_mapping import Columns

NAME_IT = "Correct columns: of this source in evenreach.yaml."
# Headers of HubSpot, Salesforce and Pipedrive exports (2026), folded to letters and underscores.
SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "deal_id": ("deal_id", "record_id", "opportunity_id", "id"),
    "account_id": ("account_id",),
    "domain": (
        "domain",
        "company_domain",
        "company_domain_name",
        "website",
        "account_website",
        "organization_domain",
    ),
    "amount": ("amount", "deal_amount", "amount_in_company_currency", "value", "deal_value"),
    "outcome": ("outcome", "status", "stage", "deal_stage", "stage_name"),
    "closed_on": ("closed_on", "close_date", "closed_date", "won_time"),
    "opportunity": (
        "opportunity",
        "opportunity_on",
        "created_on",
        "create_date",
        "created_date",
        "deal_created",
    ),
}


@dataclass(frozen=True, eq=False)
class DealRows:
    """Deals, the rows that were none, and the columns nothing was made of."""

    deals: tuple[Deal, ...]
    rejected: tuple[Rejected, ...]
    unmapped: tuple[str, ...]


def deals_from(
    table: pl.DataFrame,
    *,
    source: str,
    columns: Columns | None = None,
    stages: Sequence[str] = STAGES,
) -> DealRows:
    """Deals of a table of text columns.

    ``columns``: ours -> theirs, where the usual names do not fit; of several, the first filled one counts.
    A stage's day stands in a column named after it ("mql", "mql_on", "mql_date", "date_entered_mql",
    "became_a_mql_date"). A row needs a company: an account id or a domain. Raises UnknownColumns when no column
    names the company or the outcome, and ConfigError when a column that was named is not there.
    """
    found = _mapped(table.columns, columns or {}, stages, source)
    if not {"account_id", "domain"} & set(found) or "outcome" not in found:
        raise UnknownColumns(
            "No column names the company (account_id or domain) or the outcome of a deal.",
            file=source,
            remedy="Name them under columns: of this source, such as {domain: Company URL, outcome: Stage}.",
        )
    text = table.select(_first_filled(theirs).alias(ours) for ours, theirs in found.items())
    deals, rejected = _rows(text, source, stages)
    used = {name for theirs in found.values() for name in theirs}
    unmapped = tuple(name for name in table.columns if name not in used)
    return DealRows(tuple(deals), tuple(rejected), unmapped)


def _rows(text: pl.DataFrame, source: str, stages: Sequence[str]) -> tuple[list[Deal], list[Rejected]]:
    days = {stage: dates_of(text[stage])[0].to_list() for stage in stages if stage in text.columns}
    accounts, amounts, closed = _accounts(text), _amounts(text), _closed(text)
    ids = text["deal_id"].to_list() if "deal_id" in text.columns else [None] * text.height
    deals, rejected = [], []
    for i, (account, outcome) in enumerate(zip(accounts, map(_outcome, text["outcome"]), strict=True)):
        if account is None:
            rejected.append(Rejected(source, i + 2, "domain", "no_company", "neither account id nor domain"))
            continue
        entered = {stage: day for stage, values in days.items() if (day := values[i]) is not None}
        ended = closed[i] if outcome != "open" else None
        deals.append(Deal(ids[i] or f"{source}:{i + 2}", account, entered, outcome, amounts[i], ended))
    return deals, rejected


def _first_filled(names: Sequence[str]) -> pl.Expr:
    filled = (pl.col(name).cast(pl.String) for name in names)
    return pl.coalesce(pl.when(text.str.strip_chars() != "").then(text) for text in filled)


def _mapped(
    headers: Sequence[str], columns: Columns, stages: Sequence[str], source: str
) -> dict[str, tuple[str, ...]]:
    """Ours -> theirs; what the settings say comes first."""
    folded = {_folded(header): header for header in reversed(headers)}
    names = {stage: _stage_names(stage) for stage in stages[:-1]}
    found = {
        ours: (theirs,) if isinstance(theirs, str) else tuple(theirs) for ours, theirs in columns.items()
    }
    for ours, names_given in found.items():
        for missing in (name for name in names_given if name not in headers):
            words = f'the mapped column "{missing}" is not in the file.'
            raise ConfigError(words, file=source, field=f"columns.{ours}", remedy=NAME_IT)
    for ours in (*SYNONYMS, *names):
        if ours not in found:
            known = (*SYNONYMS.get(ours, ()), *names.get(ours, ()))
            theirs = next((folded[name] for name in known if name in folded), None)
            if theirs is not None:
                found[ours] = (theirs,)
    return found


def _stage_names(stage: str) -> tuple[str, ...]:
    return (
        stage, f"{stage}_on", f"{stage}_date", f"date_entered_{stage}", f"became_a_{stage}_date",
        f"became_an_{stage}_date",
    )  # fmt: skip


def _folded(header: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", header.strip().lower()).strip("_")


def _accounts(text: pl.DataFrame) -> list[str | None]:
    found = [text["account_id"]] if "account_id" in text.columns else []
    if "domain" in text.columns:
        found.append(sites_of(hosts_of(text["domain"].str.strip_chars().str.to_lowercase())))
    accounts: list[str | None] = pl.select(pl.coalesce(found)).to_series().to_list()
    return accounts


def _amounts(text: pl.DataFrame) -> list[float | None]:
    if "amount" not in text.columns:
        return [None] * text.height
    amounts: list[float | None] = amounts_of(text["amount"]).to_list()
    return amounts


def _closed(text: pl.DataFrame) -> list[date | None]:
    if "closed_on" not in text.columns:
        return [None] * text.height
    days: list[date | None] = dates_of(text["closed_on"])[0].to_list()
    return days


def _outcome(value: str | None) -> str:
    """``Closed Won``, ``won``, ``closedlost`` ...: any word for won or lost; everything else is open."""
    words = (value or "").lower()
    return "lost" if "lost" in words else ("won" if "won" in words else "open")
