"""Why one company is in a segment or not: every rule with what was seen.

Explains a decision that ``segments`` has made; it decides nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from audiences.config_rules import (
    Condition,
    FieldTest,
    MatrixTest,
    MetricTest,
    SegmentTest,
    SignalTest,
    children,
    joiner,
)
from audiences.segments import Evaluation
from audiences.segments_counts import counted
from audiences.segments_expressions import TECHNOLOGIES
from audiences.segments_words import heading

_ANSWERS = {1: "yes", 0: "unknown", -1: "no"}


@dataclass(frozen=True, slots=True)
class Step:
    """One rule asked of one company."""

    path: str
    words: str
    depth: int
    answer: str  # "yes" | "no" | "unknown"
    seen: str  # what the data says, "unknown" when it says nothing


@dataclass(frozen=True, slots=True)
class Why:
    """The verdict on one company and the rules behind it.

    verdict: "member", "holdout", "dropped", "unknown" (data is missing), "outside:<parent>",
    "without:<segment>", "priority:<segment>", or "no_such_account".
    """

    account_id: str
    segment: str
    verdict: str
    steps: tuple[Step, ...]

    def words(self) -> str:
        """One sentence: the verdict and the rule that settled it."""
        if self.verdict in ("member", "holdout"):
            held = ", but is held out" if self.verdict == "holdout" else ""
            return f"{self.account_id} qualifies for {self.segment}{held}."
        kind, _, other = self.verdict.partition(":")
        reasons = {
            "outside": f"it is not in {other}",
            "without": f"it is in {other}, which this segment leaves out",
            "priority": f"{other} comes first",
            "no_such_account": "no source names it",
        }
        if kind in reasons:
            return f"{self.account_id} is not in {self.segment}: {reasons[kind]}."
        wanted = "unknown" if self.verdict == "unknown" else "no"
        missing = "the data does not say whether" if self.verdict == "unknown" else "it fails"
        settled = _settled(self.steps, self.steps[0], wanted)
        return f"{self.account_id} is not in {self.segment}: {missing} {settled}."


def why(evaluation: Evaluation, account_id: str) -> Why:
    """The verdict on one company of the evaluated data, with every rule's answer."""
    ids = evaluation.universe.ids
    row = bisect_left(ids, account_id)
    if row == len(ids) or ids[row] != account_id:
        return Why(account_id, evaluation.name, "no_such_account", ())
    where = evaluation.segment.where
    steps = tuple(_steps(evaluation, where, row, "where", 0)) if where else ()
    return Why(account_id, evaluation.name, _verdict(evaluation, row), steps)


def _verdict(evaluation: Evaluation, row: int) -> str:
    judge, segment = evaluation.judge, evaluation.segment
    if evaluation.members[row]:
        return "holdout" if evaluation.holdout[row] else "member"
    if segment.within and not judge.members[segment.within][row]:
        return f"outside:{segment.within}"
    if segment.where and not evaluation.matched[row]:
        return "unknown" if judge.truth(segment.where)[row] == 0 else "dropped"
    for other in segment.without:
        if judge.members[other][row]:
            return f"without:{other}"
    winner = next(name for name, mask in evaluation.lost_to.items() if mask[row])
    return f"priority:{winner}"


def _steps(evaluation: Evaluation, condition: Condition, row: int, path: str, depth: int) -> Iterator[Step]:
    answer = _ANSWERS[int(evaluation.judge.truth(condition)[row])]
    inner = children(condition)
    shown = "" if inner else seen(evaluation, condition, row)
    yield Step(path, heading(condition), depth, answer, shown)
    for i, child in enumerate(inner):
        yield from _steps(evaluation, child, row, f"{path}.{joiner(condition)}[{i}]", depth + 1)


def _settled(steps: tuple[Step, ...], step: Step, answer: str) -> str:
    """The rules beneath a step that make its answer what it is, with what was seen.

    One part settles that not all hold; every part is needed to settle that none does.
    """
    start = f"{step.path}."
    parts = [s for s in steps if s.depth == step.depth + 1 and s.path.startswith(start)]
    if not parts:
        return f"{step.words} (seen: {step.seen})"
    group = parts[0].path.removeprefix(start).partition("[")[0]
    cause = {"yes": "no", "no": "yes"}.get(answer, answer) if group == "none" else answer
    causes = [part for part in parts if part.answer == cause]
    if group == "all" and answer != "yes":
        return _settled(steps, causes[0], cause)
    holds = " holds" if answer == "unknown" else ""
    return f"{step.words}{holds}: {'; '.join(_settled(steps, part, cause) for part in causes)}"


def seen(evaluation: Evaluation, condition: Condition, row: int) -> str:
    """What the data says about the subject of a condition, in words."""
    universe = evaluation.universe
    if isinstance(condition, SignalTest):
        return _signals(evaluation, condition, row)
    if isinstance(condition, MetricTest):
        part = universe.signals((condition.metric,))
        own = None if part is None else part.filter(pl.col("row") == row)
        return "unknown" if own is None else f"{own.height} measurements"
    if isinstance(condition, SegmentTest):
        held = [name for name in condition.segment if evaluation.judge.members[name][row]]
        return f"in {', '.join(held)}" if held else "in none of them"
    if isinstance(condition, MatrixTest):
        return "its row and column"
    if isinstance(condition, FieldTest):
        return _value(_cell(universe.accounts, universe.column(condition.field), row))
    if hasattr(condition, "technology") or hasattr(condition, "absent_technology"):
        return _value(_cell(universe.accounts, universe.column(TECHNOLOGIES), row))
    return _score(evaluation, condition, row)


def _score(evaluation: Evaluation, condition: Condition, row: int) -> str:
    (subject,) = type(condition).model_fields
    column = "heat" if type(condition).__name__ == "IntentHeatTest" else subject
    return _value(_cell(evaluation.judge.scores, column, row))


def _signals(evaluation: Evaluation, test: SignalTest, row: int) -> str:
    found = counted(evaluation.universe, test)
    return "never recorded by any source" if found is None else f"{found[row]:g} times"


def _cell(frame: pl.DataFrame, column: str | None, row: int) -> Any:
    return None if column is None else frame[column][row]


def _value(value: Any) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, pl.Series):
        return ", ".join(str(item) for item in value) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
