"""Who qualifies for each segment on one date, and what every rule kept and dropped.

A pure function of data, rules and date. It reads no ledger and decides nothing
about suppression, consent or platforms; that is ``membership``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import compress

import numpy as np
import polars as pl
from numpy.typing import NDArray

from audiences.config import Config
from audiences.config_rules import AllOf, Condition, children, joiner, walk
from audiences.config_segments import Holdout, Segment
from audiences.model import SegmentVersion
from audiences.scoring_universe import Universe
from audiences.segments_fingerprint import fingerprints, holdout_draw
from audiences.segments_truth import UNKNOWN, YES, Judge, Truth
from audiences.segments_words import heading

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """What one rule did. ``entered`` came through the rules before it; kept + dropped + unknown = entered."""

    path: str  # "where.all[2]"
    words: str
    depth: int
    entered: int
    kept: int
    dropped: int
    unknown: int  # neither kept nor refused: the data does not say
    alone: int  # companies of the whole data set this rule would keep on its own


@dataclass(frozen=True, eq=False)
class Evaluation:
    """One segment on one date.

    ``version.account_ids`` are all that qualify, after ``without`` and priority, holdouts included;
    ``version.holdout_ids`` are those of them that are held out. ``members`` and ``holdout`` are (n,) masks
    over ``universe`` (byte order of account_id); ``matched`` is before ``without`` and priority.
    """

    name: str
    segment: Segment
    version: SegmentVersion
    rules_fingerprint: str  # of the rules alone: the same on every day until somebody rewords them
    rules: tuple[RuleOutcome, ...]
    excluded: Mapping[
        str, int
    ]  # "outside:<parent>" | "without:<segment>" | "priority:<segment>" -> companies
    unknown: int  # companies the rules could not decide for want of data
    matched: Mask
    members: Mask
    holdout: Mask
    judge: Judge = field(repr=False)
    lost_to: Mapping[str, Mask] = field(default_factory=dict, repr=False)

    @property
    def universe(self) -> Universe:
        """The accounts and signals it was computed from."""
        return self.judge.universe


def evaluate(
    config: Config, accounts: pl.DataFrame, signals: pl.DataFrame, scores: pl.DataFrame, *, on: date
) -> dict[str, Evaluation]:
    """Every segment of ``config``, in the order of the file.

    ``accounts`` and ``signals`` as made by ``scoring.frames_from``; ``scores`` by ``scoring.score`` on the
    same accounts and date. Raises ValueError when an account id stands twice or the scores do not fit.
    """
    return evaluate_universe(config, Universe(accounts, signals, on=on), scores)


def evaluate_universe(config: Config, universe: Universe, scores: pl.DataFrame) -> dict[str, Evaluation]:
    """``evaluate`` on data that is already indexed."""
    scores = scores.sort("account_id")
    if not scores["account_id"].equals(universe.accounts["account_id"]):
        raise ValueError("the scores are not of the same accounts; score them again")
    judge = Judge(universe, scores, config.matrices)
    judge.prepare(tuple(_leaves(config)))
    matched: dict[str, Mask] = {}
    for name in config.segment_order():
        matched[name] = _match(judge, config.segments[name])
        judge.members[name] = matched[name] & ~_any_of(judge, config.segments[name].without)
    lost = _lost_to_priority(config, judge.members)
    prints = fingerprints(config, universe, scores)
    return {
        name: _evaluation(name, config, judge, matched[name], lost.get(name, {}), prints[name])
        for name in config.segments
    }


def _leaves(config: Config) -> Iterator[Condition]:
    trees = [segment.where for segment in config.segments.values() if segment.where]
    for matrix in config.matrices.values():
        trees += [*matrix.rows.values(), *matrix.columns.values()]
    for tree in trees:
        yield from (condition for _, condition in walk(tree))


def _match(judge: Judge, segment: Segment) -> Mask:
    mask = np.ones(judge.universe.n, dtype=np.bool_)
    if segment.where is not None:
        mask &= judge.truth(segment.where) == YES
    return mask & judge.members[segment.within] if segment.within else mask


def _any_of(judge: Judge, names: tuple[str, ...]) -> Mask:
    mask = np.zeros(judge.universe.n, dtype=np.bool_)
    for name in names:
        mask |= judge.members[name]
    return mask


def _lost_to_priority(config: Config, members: Mapping[str, Mask]) -> dict[str, dict[str, Mask]]:
    """Per prioritised segment, the companies it loses, by the segment that keeps them.

    Only segments with a priority compete; the larger number wins, and on a tie the one that stands first.
    """
    ranked = [
        (-segment.priority, place, name)
        for place, (name, segment) in enumerate(config.segments.items())
        if segment.priority is not None
    ]
    lost: dict[str, dict[str, Mask]] = {}
    winners: list[tuple[str, Mask]] = []
    for _, _, name in sorted(ranked):
        remaining, lost[name] = members[name].copy(), {}
        for winner, won in winners:
            taken = remaining & won
            if taken.any():
                lost[name][winner] = taken
                remaining &= ~taken
        winners.append((name, remaining))
    return lost


def _evaluation(
    name: str, config: Config, judge: Judge, matched: Mask, lost: Mapping[str, Mask], prints: tuple[str, str]
) -> Evaluation:
    segment, universe = config.segments[name], judge.universe
    members = judge.members[name].copy()
    for taken in lost.values():
        members &= ~taken
    ids = universe.accounts["account_id"]
    holdout = _held_out(ids, members, segment.holdout)
    version = SegmentVersion(
        name,
        prints[0],
        universe.on,
        tuple(compress(universe.ids, members.tolist())),
        tuple(compress(universe.ids, holdout.tolist())),
    )
    rules, start = _outcomes(judge, segment)
    undecided = 0 if segment.where is None else int((start & (judge.truth(segment.where) == UNKNOWN)).sum())
    excluded = _excluded(judge, segment, matched, lost)
    return Evaluation(
        name, segment, version, prints[1], rules, excluded, undecided, matched, members, holdout, judge, lost
    )


def _held_out(ids: pl.Series, members: Mask, holdout: Holdout | None) -> Mask:
    mask = np.zeros(members.size, dtype=np.bool_)
    if holdout is not None and holdout.share > 0.0:
        rows = np.flatnonzero(members)
        mask[rows] = holdout_draw(ids[rows], holdout.group) < holdout.share
    return mask


def _excluded(judge: Judge, segment: Segment, matched: Mask, lost: Mapping[str, Mask]) -> dict[str, int]:
    counts: dict[str, int] = {}
    if segment.within:
        counts[f"outside:{segment.within}"] = int((~judge.members[segment.within]).sum())
    left = matched.copy()
    for other in segment.without:
        counts[f"without:{other}"] = int((left & judge.members[other]).sum())
        left &= ~judge.members[other]
    return counts | {f"priority:{winner}": int(taken.sum()) for winner, taken in lost.items()}


# -- what each rule did ------------------------------------------------------


def _outcomes(judge: Judge, segment: Segment) -> tuple[tuple[RuleOutcome, ...], Mask]:
    start = np.ones(judge.universe.n, dtype=np.bool_)
    if segment.within:
        start = judge.members[segment.within]
    if segment.where is None:
        return (), start
    return tuple(_funnel(judge, segment.where, "where", start, 0)), start


def _funnel(
    judge: Judge, condition: Condition, path: str, entering: Mask, depth: int
) -> Iterator[RuleOutcome]:
    truth = judge.truth(condition)
    yield _outcome(condition, path, depth, truth, entering)
    inside = entering
    for i, child in enumerate(children(condition)):
        yield from _funnel(judge, child, f"{path}.{joiner(condition)}[{i}]", inside, depth + 1)
        if isinstance(condition, AllOf):
            inside = inside & (judge.truth(child) == YES)


def _outcome(condition: Condition, path: str, depth: int, truth: Truth, entering: Mask) -> RuleOutcome:
    found = np.bincount(truth[entering].astype(np.int64) + 1, minlength=3)
    alone = int(np.count_nonzero(truth == YES))
    return RuleOutcome(
        path, heading(condition), depth, int(found.sum()), int(found[2]), int(found[0]), int(found[1]), alone
    )
