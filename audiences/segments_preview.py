"""A segment before it goes live: rules, overlap, reach, how well the data carries it, and what to watch.

Puts together what others computed; it neither evaluates nor pushes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from audiences.config import Config
from audiences.config_rules import (
    AbsentTechnologyTest,
    Condition,
    FieldTest,
    MetricTest,
    TechnologyTest,
    walk,
)
from audiences.config_segments import Segment
from audiences.membership import ListRules
from audiences.membership_keys import NO_KEYS, Keys
from audiences.scoring_universe import Universe
from audiences.segments import Evaluation, Mask, RuleOutcome
from audiences.segments_expressions import TECHNOLOGIES
from audiences.segments_reach import MATCH_RATES, ListReach, Rates, reach
from audiences.segments_staleness import Stale, stale_signals
from audiences.segments_words import segment_in_words

FIRMOGRAPHIC = frozenset(
    "industry employees revenue_usd country region city founded_year funding_stage funding ownership sector "
    "market_cap_band name domain".split()
)
VALUE = frozenset("contract_value deal_size lifetime_value arr mrr plan plan_limit renewal_on".split())
TECHNOGRAPHIC = frozenset((TECHNOLOGIES, "tools", "competitor_tools"))
ENTERPRISE_EMPLOYEES = 500
ACTIVE_DAYS, BEHAVIOUR_LEVEL = 90, 0.9  # behaviour must be known of nine in ten active companies


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of a field is filled among the companies the rules look at, against the level needed."""

    field: str
    known: int
    total: int
    needed: float | None  # None: best effort, no level

    @property
    def share(self) -> float:
        """Share of companies for which the field is known, 0..1."""
        return self.known / self.total if self.total else 0.0

    @property
    def enough(self) -> bool:
        """Whether the share reaches the level needed."""
        return self.needed is None or self.share >= self.needed


@dataclass(frozen=True, slots=True)
class Overlap:
    """Companies shared with another segment."""

    other: str
    shared: int
    of_this: float  # 0..1
    of_other: float


@dataclass(frozen=True, eq=False)
class Preview:
    """Everything a person should see before a segment goes live."""

    name: str
    words: str
    universe: int
    qualifying: int
    holdout: int
    unknown: int
    excluded: Mapping[str, int]
    rules: tuple[RuleOutcome, ...]
    overlaps: tuple[Overlap, ...]
    reach: tuple[ListReach, ...]
    coverage: tuple[Coverage, ...]
    stale: tuple[Stale, ...] = ()  # signals it rests on that have stopped coming
    cost_per_thousand: float | None = None  # planning price of a thousand impressions
    fit_unknown: float | None = (
        None  # 0..1, share of the fit model that rests on unknown data, over its companies
    )


def preview(
    config: Config,
    evaluations: Mapping[str, Evaluation],
    name: str,
    *,
    rules: Mapping[str, ListRules],
    minimums: Mapping[str, int],
    contacts: pl.DataFrame | None = None,
    suppressed: Keys = NO_KEYS,
    rates: Rates = MATCH_RATES,
) -> Preview:
    """Preview one segment of an evaluation.

    ``rules`` and ``minimums`` are per platform, from its capabilities. Raises KeyError for an unknown name.
    """
    this = evaluations[name]
    return Preview(
        name=name,
        words=segment_in_words(name, this.segment),
        universe=this.universe.n,
        qualifying=int(this.members.sum()),
        holdout=int(this.holdout.sum()),
        unknown=this.unknown,
        excluded=this.excluded,
        rules=this.rules,
        overlaps=overlaps(evaluations, name),
        reach=reach(
            this, rules=rules, minimums=minimums, contacts=contacts, suppressed=suppressed, rates=rates
        ),
        coverage=coverage(config, this),
        stale=stale_signals(config, this.universe, name),
        cost_per_thousand=config.economics.cost_per_thousand,
        fit_unknown=_fit_unknown(config, this),
    )


def _fit_unknown(config: Config, evaluation: Evaluation) -> float | None:
    if not config.scoring.fit.groups or not evaluation.members.any():
        return None
    return float(evaluation.judge.scores["fit_unknown"].to_numpy()[evaluation.members].mean())


def overlaps(evaluations: Mapping[str, Evaluation], name: str) -> tuple[Overlap, ...]:
    """Shared companies with every other segment that shares any, largest first."""
    mine = evaluations[name].members
    found = [
        Overlap(other, shared, shared / int(mine.sum()), shared / int(theirs.members.sum()))
        for other, theirs in evaluations.items()
        if other != name and (shared := int(np.count_nonzero(mine & theirs.members)))
    ]
    return tuple(sorted(found, key=lambda overlap: (-overlap.shared, overlap.other)))


def coverage(config: Config, evaluation: Evaluation) -> tuple[Coverage, ...]:
    """Every field the segment's rules read, worst first."""
    universe, segment = evaluation.universe, evaluation.segment
    base = np.ones(universe.n, dtype=np.bool_)
    if segment.within:
        base = evaluation.judge.members[segment.within]
    enterprise = asks_for_enterprise(segment)
    found = [
        Coverage(
            field, _known(universe, field, base), int(base.sum()), needed_level(field, enterprise=enterprise)
        )
        for field in sorted(set(fields_of(segment)))
    ]
    found += [_measured(universe, metric, base) for metric in sorted(set(_metrics(segment)))]
    return tuple(sorted(found, key=lambda item: (item.share - (item.needed or 0.0), item.field)))


def _metrics(segment: Segment) -> Iterator[str]:
    yield from (condition.metric for condition in conditions_of(segment) if isinstance(condition, MetricTest))


def _measured(universe: Universe, metric: str, base: Mask) -> Coverage:
    """Of the companies that did anything in the last ACTIVE_DAYS, those with a measurement."""
    active, measured = np.zeros(universe.n, dtype=np.bool_), np.zeros(universe.n, dtype=np.bool_)
    for kind in universe.kinds:
        part = universe.signals((kind,))
        if part is not None:
            active[part.filter(pl.col("age") <= ACTIVE_DAYS)["row"].to_numpy()] = True
    part = universe.signals((metric,))
    if part is not None:
        measured[part["row"].to_numpy()] = True
    looked_at = base & active
    return Coverage(metric, int((looked_at & measured).sum()), int(looked_at.sum()), BEHAVIOUR_LEVEL)


def fields_of(segment: Segment) -> Iterator[str]:
    """Fields the rules of a segment read, repeats included."""
    for condition in conditions_of(segment):
        if isinstance(condition, FieldTest):
            yield from (
                f for f in (condition.field, condition.at_least_field, condition.more_than_field) if f
            )
        elif isinstance(condition, TechnologyTest | AbsentTechnologyTest):
            yield TECHNOLOGIES


def conditions_of(segment: Segment) -> Iterator[Condition]:
    """Every condition of a segment's own rules, groups included."""
    if segment.where is not None:
        yield from (condition for _, condition in walk(segment.where))


def asks_for_enterprise(segment: Segment) -> bool:
    """Whether the rules ask for companies of 500 or more."""
    return any(
        isinstance(condition, FieldTest)
        and condition.field == "employees"
        and any(
            _at_least(bound, ENTERPRISE_EMPLOYEES)
            for bound in (condition.at_least, condition.more_than, (condition.between or (None,))[0])
        )
        for condition in conditions_of(segment)
    )


def _at_least(bound: Any, least: float) -> bool:
    return isinstance(bound, int | float) and bound >= least


def needed_level(field: str, *, enterprise: bool) -> float | None:
    """Share of companies for which a field must be known before a segment may be built on it.

    Firmographics 95 % for enterprise and 80 % for small firms, contract data 100 %, technologies as far as
    they go, any other field at least half.
    """
    plain = field.removeprefix("attributes.")
    if plain in FIRMOGRAPHIC:
        return 0.95 if enterprise else 0.80
    if plain in VALUE:
        return 1.0
    return None if plain in TECHNOGRAPHIC else 0.5


def _known(universe: Universe, field: str, base: Mask) -> int:
    column = universe.column(field)
    if column is None:
        return 0
    values = universe.accounts[column]
    known = values.is_not_null()
    if values.dtype == pl.String:
        known = known & (values.str.strip_chars() != "").fill_null(value=False)
    return int(np.count_nonzero(known.to_numpy() & base))
