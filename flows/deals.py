"""The deals of every deal source of the settings. Joins no segment."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from audiences.config import DealSource
from audiences.errors import ConfigError
from audiences.model import Rejected
from audiences.performance import STAGES, Deal
from audiences.performance_deals import SYNONYMS, deals_from
from audiences.sources_sql import query_table
from audiences.sources_table import read_table
from flows.load_sources import database_of, name_of
from flows.wiring import CONFIG, App


@dataclass(frozen=True, slots=True)
class Deals:
    """What the deal sources gave."""

    deals: tuple[Deal, ...]
    rejected: tuple[Rejected, ...]


def read_deals(app: App) -> Deals:
    """Raises an error of ``audiences.errors``, also when the settings name no source of deals."""
    sources = app.config.sources.deals
    if not sources:
        raise ConfigError(
            "there is no source of deals.",
            file=CONFIG,
            field="sources.deals",
            remedy="Add one there, such as - {file: data/deals.csv}.",
        )
    parts = [deals_from(_table(app, one), source=name_of(one), columns=one.columns) for one in sources]
    return Deals(
        tuple(deal for part in parts for deal in part.deals),
        tuple(reject for part in parts for reject in part.rejected),
    )


def _table(app: App, source: DealSource) -> pl.DataFrame:
    if source.sql is not None:
        return query_table(database_of(app, source), str(source.query), name=name_of(source))
    names = {name for names in SYNONYMS.values() for name in names} | set(STAGES)
    known = {name.replace("_", " ") for name in names} | names
    known |= {theirs.strip().lower() for theirs in source.columns.values()}
    return read_table(app.workspace / str(source.file), name=name_of(source), known=known)
