"""What an experienced strategist would say about the segments: stable codes with numbers.

It advises; nothing here stops a sync.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from audiences.config import Config
from audiences.config_rules import AllOf, Condition, FieldTest, MetricTest, SignalTest, TierTest, children
from audiences.config_segments import Segment
from audiences.config_yaml import suggestion
from audiences.segments import Evaluation
from audiences.segments_preview import FIRMOGRAPHIC, Coverage, Preview, conditions_of
from audiences.segments_staleness import QUIET_DAYS
from audiences.segments_words import field_in_words, many, percent, platform_in_words

MOST_SEGMENTS, MOST_TIERS, MOST_CRITERIA, LEAST_ACTIONS = 8, 4, 5, 3
STALE_SIGNAL_DAYS, QUARTER_DAYS, SAME_SHARE, UNKNOWN_SHARE = 30, 92, 0.8, 0.2
TIER1_ACCOUNTS = (50, 150)
CAMPAIGN_PER_DAY, DAYS_PER_MONTH, WEEKS_PER_MONTH = 10.0, 30, 52 / 12
LEAST_PER_WEEK = 1.0  # impressions per person and week; about 3 are usual, below 1 nobody remembers
THIRD_PARTY = frozenset({"topic_surge", "review_site", "g2_spike"})


@dataclass(frozen=True, slots=True)
class Advice:
    """One warning. ``number`` against ``limit``; ``segment`` is "" for the workspace as a whole."""

    code: str
    segment: str
    number: float
    limit: float
    words: str


def workspace_warnings(config: Config) -> tuple[Advice, ...]:
    """Warnings about the set of segments and the scores as written; needs no data."""
    return (*_counts(config), *_one_word_two_meanings(config), *_fit(config))


def segment_warnings(
    evaluation: Evaluation, preview: Preview, *, changed_on: date | None = None
) -> tuple[Advice, ...]:
    """Warnings about one segment on its data. ``changed_on``: when its membership last changed, if known."""
    found: list[Advice] = []
    for check in (_care, _rules, _data, _size, _money):
        found += check(evaluation, preview)
    today = evaluation.universe.on
    if changed_on is not None and (today - changed_on).days > QUARTER_DAYS:
        days = (today - changed_on).days
        found.append(
            Advice(
                "static", preview.name, days, QUARTER_DAYS, f"Nobody joined or left for {many(days, 'day')}."
            )
        )
    return tuple(found)


# -- the workspace ---------------------------------------------------------------


def _counts(config: Config) -> Iterator[Advice]:
    positive = sum(segment.kind == "positive" for segment in config.segments.values())
    if positive > MOST_SEGMENTS:
        words = f"{positive} segments; 3 to 8 can be worked, a small team manages 2 to 4. Merge some."
        yield Advice("too_many_segments", "", positive, MOST_SEGMENTS, words)
    if positive and not any(segment.kind == "negative" for segment in config.segments.values()):
        words = "No negative segment: customers, staff and competitors will see the ads."
        yield Advice("no_negative_segment", "", 0, 1, words)
    if len(config.scoring.tiers) > MOST_TIERS:
        words = f"{len(config.scoring.tiers)} tiers; with that many, none is treated differently."
        yield Advice("too_many_tiers", "", len(config.scoring.tiers), MOST_TIERS, words)


def _fit(config: Config) -> Iterator[Advice]:
    fit = config.scoring.fit
    if fit.groups and fit.reachable > fit.maximum:
        words = (
            f"The rows of the fit score add up to {fit.reachable:g}, above its maximum of {fit.maximum:g}."
        )
        yield Advice("fit_over_maximum", "", fit.reachable, fit.maximum, words)


_WORDS = (
    "enterprise",
    "mid-market",
    "midmarket",
    "smb",
    "startup",
    "small",
    "large",
    "strategic",
    "commercial",
)


def _one_word_two_meanings(config: Config) -> Iterator[Advice]:
    """The same word in two titles, with different head-counts behind it."""
    for word in _WORDS:
        meanings: dict[tuple[str, ...], str] = {}
        for name, segment in config.segments.items():
            said = re.search(rf"\b{word}\b", f"{name.replace('_', ' ')} {segment.title}".lower())
            sizes = _sizes(segment)
            if said and sizes:
                meanings.setdefault(sizes, name)
        if len(meanings) > 1:
            names = ", ".join(meanings.values())
            words = (
                f'"{word}" means {len(meanings)} different head-counts ({names}). Agree on one with sales.'
            )
            yield Advice("word_with_two_meanings", next(iter(meanings.values())), len(meanings), 1, words)


def _sizes(segment: Segment) -> tuple[str, ...]:
    tests = (c for c in conditions_of(segment) if isinstance(c, FieldTest) and c.field == "employees")
    return tuple(sorted(repr(test) for test in tests))


# -- one segment -------------------------------------------------------------------


def _care(evaluation: Evaluation, preview: Preview) -> Iterator[Advice]:
    segment, name, today = evaluation.segment, preview.name, evaluation.universe.on
    acts = len(segment.acted_on_by)
    if acts == 0:
        yield Advice(
            "nothing_acts", name, 0, LEAST_ACTIONS, "Nothing acts on this segment; it is only a report."
        )
    elif acts < LEAST_ACTIONS and segment.kind == "positive":
        change = many(acts, "thing changes", "things change")
        words = f"Only {change} because of it; a real segment changes at least {LEAST_ACTIONS}."
        yield Advice("few_things_act", name, acts, LEAST_ACTIONS, words)
    if not segment.owner:
        yield Advice("no_owner", name, 0, 1, "Nobody owns this segment.")
    if segment.review_by is None:
        yield Advice("no_review_date", name, 0, 1, "No review date is set; definitions age within a quarter.")
    elif segment.review_by < today:
        late = (today - segment.review_by).days
        yield Advice("review_overdue", name, late, 0, f"The review was due {many(late, 'day')} ago.")
    layered = segment.functions and segment.seniorities
    if "contacts" in segment.sync.get("linkedin", ()) and not layered:
        words = "People are not narrowed by job function and seniority; layer both rather than titles."
        yield Advice("people_not_layered", name, 0, 2, words)


def _rules(evaluation: Evaluation, preview: Preview) -> Iterator[Advice]:
    segment, name = evaluation.segment, preview.name
    leaves = [c for c in conditions_of(segment) if not children(c)]
    criteria = len(segment.where.all_) if isinstance(segment.where, AllOf) else int(segment.where is not None)
    if criteria > MOST_CRITERIA:
        words = f"{criteria} criteria must all hold; 3 to {MOST_CRITERIA} are enough."
        yield Advice("too_many_criteria", name, criteria, MOST_CRITERIA, words)
    if segment.kind == "positive" and leaves and all(_firmographic(leaf) for leaf in leaves):
        words = "Firmographics alone say who could buy, not who is about to; add intent, behaviour or need."
        yield Advice("firmographics_alone", name, len(leaves), 0, words)
    bought = [leaf for leaf in leaves if isinstance(leaf, SignalTest) and THIRD_PARTY.issuperset(leaf.signal)]
    rest = [leaf for leaf in leaves if leaf not in bought and not _firmographic(leaf)]
    if segment.kind == "positive" and bought and not rest:
        words = "Bought intent alone only points in a direction; add something companies did with you."
        yield Advice("third_party_alone", name, len(bought), 0, words)
    for leaf in leaves:
        yield from _signal_age(name, leaf)
    if segment.kind == "positive" and segment.sync and not segment.without:
        yield Advice("nothing_left_out", name, 0, 1, "No negative segment is left out of this list.")
    for rule in preview.rules:
        if rule.depth == 1 and rule.entered and rule.kept == rule.entered and rule.alone == preview.universe:
            words = f'The rule "{rule.words}" keeps every company; it can go.'
            yield Advice("rule_without_effect", name, rule.kept, rule.entered, words)


def _firmographic(condition: Condition) -> bool:
    return isinstance(condition, FieldTest) and condition.field.removeprefix("attributes.") in FIRMOGRAPHIC


def _signal_age(name: str, condition: Condition) -> Iterator[Advice]:
    if not isinstance(condition, SignalTest) or not THIRD_PARTY.intersection(condition.signal):
        return
    days = condition.within_days
    if days is None or days > STALE_SIGNAL_DAYS:
        words = f"Bought intent is stale after about {STALE_SIGNAL_DAYS} days; this rule looks back further."
        yield Advice("stale_signal_window", name, float(days or 0), STALE_SIGNAL_DAYS, words)


def _data(evaluation: Evaluation, preview: Preview) -> Iterator[Advice]:
    universe, name = evaluation.universe, preview.name
    for item in preview.coverage:
        yield from _field(evaluation, name, item)
    shown = set(universe.kinds)
    kinds = {k for c in conditions_of(evaluation.segment) for k in getattr(c, "signal", ())}
    kinds |= _metrics_of(evaluation)
    for kind in sorted(kinds - shown):
        words = f'No source has shown a "{kind}" signal. {suggestion(kind, sorted(shown))}'
        yield Advice("signal_never_seen", name, 0, 1, words)
    for old in preview.stale:
        words = (
            f'The newest "{field_in_words(old.kind)}" signal is of {old.newest}, {many(old.days, "day")} ago: bring its '
            "source up to date, or companies leave as days pass."
        )
        yield Advice("signals_stopped", name, old.days, QUIET_DAYS, words)
    if preview.universe and preview.unknown / preview.universe > UNKNOWN_SHARE:
        words = f"{many(preview.unknown, 'company', 'companies')} can be neither kept nor refused: the data does not say."
        yield Advice("mostly_unknown", name, preview.unknown, UNKNOWN_SHARE * preview.universe, words)


def _field(evaluation: Evaluation, name: str, item: Coverage) -> Iterator[Advice]:
    if item.field in evaluation.universe.kinds:
        if not item.enough and item.total:
            needed = percent(round(item.needed or 0.0, 2))
            words = f'"{field_in_words(item.field)}" is seen at {_of(item)} active companies; {needed} are needed.'
            yield Advice("sparse_measure", name, round(item.share, 4), item.needed or 0.0, words)
    elif item.field in _metrics_of(evaluation):
        return  # never seen at all is told as such
    elif evaluation.universe.column(item.field) is None:
        known = sorted(evaluation.universe.fields())
        words = f'No source has a field "{item.field}". {suggestion(item.field, known)}'
        yield Advice("field_never_seen", name, 0, 1, words)
    elif not item.enough and item.needed is not None:
        needed = percent(round(item.needed, 2))
        what = field_in_words(item.field)
        words = f"{what[:1].upper()}{what[1:]}: known for {_of(item)} companies; {needed} are needed."
        yield Advice("sparse_field", name, round(item.share, 4), item.needed, words)


def _of(item: Coverage) -> str:
    """``89 % of``, or ``none of`` where not one is known; a little is never told as nothing."""
    if not item.known:
        return "none of the"
    return f"{percent(max(round(item.share, 2), 0.01))} of"


def _metrics_of(evaluation: Evaluation) -> set[str]:
    return {c.metric for c in conditions_of(evaluation.segment) if isinstance(c, MetricTest)}


def _size(evaluation: Evaluation, preview: Preview) -> Iterator[Advice]:
    name, count = preview.name, preview.qualifying
    if count == 0:
        yield Advice("nobody_qualifies", name, 0, 1, "No company qualifies today.")
    for listed in preview.reach:
        if count and listed.serves is False and listed.people is not None:
            words = (
                f"{platform_in_words(listed.platform)} would reach at most {listed.people[1]:,.0f} people and "
                f"serves none below {listed.minimum:,}; merge this segment or make it a filter."
            )
            yield Advice("too_narrow", name, round(listed.people[1]), listed.minimum, words)
    low, high = TIER1_ACCOUNTS
    if _is_tier_one(evaluation.segment) and count and not low <= count <= high:
        words = f"{count:,} companies in a tier 1 segment; one-to-one treatment works for {low} to {high}."
        yield Advice("tier1_size", name, count, high if count > high else low, words)
    for overlap in preview.overlaps:
        if overlap.of_this >= SAME_SHARE and overlap.of_other >= SAME_SHARE:
            words = f"{percent(round(overlap.of_this, 2))} of it is also {overlap.other}, and nearly the other way round."
            yield Advice("nearly_the_same", name, round(overlap.of_this, 4), SAME_SHARE, words)


def _money(evaluation: Evaluation, preview: Preview) -> Iterator[Advice]:
    """Whether the segment's budget can fund one campaign, and reach its people often enough to be noticed.

    LinkedIn takes no campaign below about 10 USD a day (practitioners' figure, 2026).
    """
    budget, least = evaluation.segment.budget, CAMPAIGN_PER_DAY * DAYS_PER_MONTH
    if budget is None:
        return
    if budget < least:
        words = (
            f"{budget:,.0f} a month cannot fund one campaign; about {least:,.0f} is the least. "
            "Merge this segment or make it a filter."
        )
        yield Advice("cannot_fund_campaign", preview.name, budget, least, words)
    if preview.cost_per_thousand is None:
        return
    impressions = budget / preview.cost_per_thousand * 1000 / WEEKS_PER_MONTH
    for listed in preview.reach:
        if not listed.people or not listed.people[0]:
            continue
        weekly = impressions / listed.people[0]
        if weekly < LEAST_PER_WEEK:
            words = (
                f"{budget:,.0f} a month buys at most {weekly:.1f} impressions per person and week on "
                f"{platform_in_words(listed.platform)}; about 3 are usual. Narrow it, or give it more."
            )
            yield Advice("budget_too_thin", preview.name, round(weekly, 2), LEAST_PER_WEEK, words)


def _is_tier_one(segment: Segment) -> bool:
    top = segment.where.all_ if isinstance(segment.where, AllOf) else (segment.where,)
    return any(isinstance(condition, TierTest) and condition.tier == (1,) for condition in top)
