"""The deals of every deal source of the settings, and what became of each segment by them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import polars as pl

from audiences.config import DealSource
from audiences.errors import ConfigError
from audiences.model import Rejected
from audiences.performance import STAGES, Deal, Divergence, Performance, divergences, performance, split_deals
from audiences.performance_deals import SYNONYMS, deals_from
from audiences.performance_retention import retention, revenues
from audiences.sources_sql import query_table
from audiences.sources_table import read_table
from flows.assess import Assessment
from flows.load_sources import database_of, name_of
from flows.wiring import CONFIG, App

QUARTER_DAYS = 92


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


def measured(
    app: App, assessment: Assessment, deals: Sequence[Deal], *, only: str | None = None
) -> dict[str, Performance]:
    """Measures per segment (or of one), and over all companies under EVERYTHING."""
    economics = app.config.economics
    members = {
        name: one.version.account_ids for name, one in assessment.segments.items() if only in (None, name)
    }
    kept = revenues(assessment.universe, economics)
    return {
        name: replace(one, nrr=retention(kept, members.get(name)))
        for name, one in performance(members, deals, economics=economics).items()
    }


def diverged(app: App, assessment: Assessment, deals: Sequence[Deal]) -> tuple[Divergence, ...]:
    """Rates of the last QUARTER_DAYS that have left a segment's own past: it wants a review."""
    now, before = split_deals(deals, since=assessment.on - timedelta(days=QUARTER_DAYS))
    members = {name: one.version.account_ids for name, one in assessment.segments.items()}
    one, other = (performance(members, part, economics=app.config.economics) for part in (now, before))
    return tuple(found for name in one for found in divergences(one[name], other[name]))


def _table(app: App, source: DealSource) -> pl.DataFrame:
    if source.sql is not None:
        return query_table(database_of(app, source), str(source.query), name=name_of(source))
    names = {name for names in SYNONYMS.values() for name in names} | set(STAGES)
    known = {name.replace("_", " ") for name in names} | names
    given = [[theirs] if isinstance(theirs, str) else theirs for theirs in source.columns.values()]
    known |= {name.strip().lower() for names in given for name in names}
    return read_table(app.workspace / str(source.file), name=name_of(source), known=known)
