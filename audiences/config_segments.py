"""Settings of segments and matrices, and the check that what they name exists and goes in no circle.

Only shapes and references; who qualifies is ``segments``' work.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from audiences.config_rules import Condition, MatrixTest, SegmentTest, walk
from audiences.config_values import Words, ZeroShare, as_list
from audiences.config_yaml import Part, suggestion, wrong

Kind = Literal["companies", "contacts"]
Kinds = Annotated[tuple[Kind, ...], BeforeValidator(as_list), Field(min_length=1)]


class Holdout(Part):
    """A share of companies never advertised to. Stable: the same company falls the same way every day.

    Segments with the same ``group`` hold out the same companies, so a company held out of one is not
    reached through another.
    """

    share: ZeroShare
    group: str = "all"


def _as_holdout(value: Any) -> Any:
    return value if isinstance(value, dict | Holdout) else {"share": value}


class Balance(Part):
    """The campaign whose impressions are evened out over this segment, and by which policy.

    ``bands`` names campaigns that exist already and are to carry the bands, most held back first; without
    it they are copied from ``campaign``.
    """

    campaign: str
    policy: str = "default"
    bands: Annotated[tuple[str, ...], BeforeValidator(as_list)] = ()

    @model_validator(mode="after")
    def _names_each_campaign_once(self) -> Balance:
        named = (self.campaign, *self.bands)
        if len(set(named)) < len(named):
            raise wrong(
                "a campaign is named twice", "Name every campaign once; campaign: is none of the bands"
            )
        if len(self.bands) == 1:
            raise wrong("one band is no split", "Name two campaigns or more, or leave bands: out")
        return self


class Matrix(Part):
    """Two ways of cutting the market; a cell is one row crossed with one column."""

    rows: dict[str, Condition] = Field(min_length=1)
    columns: dict[str, Condition] = Field(min_length=1)


class Segment(Part):
    """A group of companies that is treated differently, and what acts on it."""

    title: str = ""
    kind: Literal["positive", "negative"] = "positive"
    owner: str = ""
    purpose: str = ""
    review_by: date | None = None
    acted_on_by: Annotated[tuple[str, ...], BeforeValidator(as_list)] = ()
    within: str | None = None  # parent: only its companies are looked at
    where: Condition | None = None
    without: Annotated[tuple[str, ...], BeforeValidator(as_list)] = ()
    priority: int | None = None  # larger wins a company that qualifies for several prioritised segments
    holdout: Annotated[Holdout, BeforeValidator(_as_holdout)] | None = None
    sync: dict[str, Kinds] = Field(default_factory=dict)
    balance: Balance | None = None
    functions: Words | None = None  # contacts: only these job functions
    seniorities: Words | None = None  # contacts: only these levels
    budget: float | None = Field(None, gt=0)  # per month, in the currency of the ad account
    bid_note: str = ""  # what to bid for it; stands in the list's description on the platform

    @model_validator(mode="after")
    def _chooses_somebody(self) -> Segment:
        if self.where is None and self.within is None:
            raise wrong("the segment has no rules", "Add where: with at least one condition")
        if self.kind == "negative" and self.balance is not None:
            raise wrong("a negative segment cannot be balanced", "Remove balance, or kind: negative")
        return self


def needs(segment: Segment, matrices: Mapping[str, Matrix]) -> tuple[str, ...]:
    """Names of the segments this one is computed from."""
    names = [*([segment.within] if segment.within else []), *segment.without]
    for _, condition in walk(segment.where) if segment.where else ():
        if isinstance(condition, SegmentTest):
            names += condition.segment
        elif isinstance(condition, MatrixTest) and condition.matrix in matrices:
            names += _matrix_needs(matrices[condition.matrix])
    return tuple(dict.fromkeys(names))


def _matrix_needs(matrix: Matrix) -> list[str]:
    axes = [*matrix.rows.values(), *matrix.columns.values()]
    return [n for c in axes for _, leaf in walk(c) if isinstance(leaf, SegmentTest) for n in leaf.segment]


def order(segments: Mapping[str, Segment], matrices: Mapping[str, Matrix]) -> tuple[str, ...]:
    """Segment names, each after everything it is computed from.

    Raises ValueError naming the cycle, when there is one.
    """
    done: dict[str, None] = {}

    def visit(name: str, trail: tuple[str, ...]) -> None:
        if name in trail:
            raise ValueError(" -> ".join([*trail[trail.index(name) :], name]))
        if name in done or name not in segments:
            return
        for other in needs(segments[name], matrices):
            visit(other, (*trail, name))
        done[name] = None

    for name in segments:
        visit(name, ())
    return tuple(done)


Finding = tuple[tuple[object, ...], str, str]  # where it stands, message, remedy


def reference_findings(segments: Mapping[str, Segment], matrices: Mapping[str, Matrix]) -> Iterator[Finding]:
    """Names of segments and matrix cells that do not exist, and circles."""
    for name, segment in segments.items():
        at: tuple[object, ...] = ("segments", name)
        if name.startswith("/") or ".." in re.split(r"[/\\]", name):  # reports are files named after it
            yield (
                at,
                "this name leads out of a folder",
                "Write a name without .. and without a leading slash.",
            )
        if segment.within and segment.within not in segments:
            yield (*at, "within"), *_unknown("segment", segment.within, segments)
        for i, other in enumerate(segment.without):
            if other not in segments:
                yield (*at, "without", i), *_unknown("segment", other, segments)
        for path, condition in walk(segment.where) if segment.where else ():
            for message, remedy in _condition_findings(condition, segments, matrices):
                yield (*at, *steps(path)), message, remedy
    try:
        order(segments, matrices)
    except ValueError as error:
        first = str(error).split(" -> ")[0]
        yield (
            ("segments", first),
            f"segments refer to each other in a circle: {error}",
            "Remove one reference.",
        )


def _condition_findings(
    condition: Condition, segments: Mapping[str, Segment], matrices: Mapping[str, Matrix]
) -> Iterator[tuple[str, str]]:
    if isinstance(condition, SegmentTest):
        yield from (
            _unknown("segment", other, segments) for other in condition.segment if other not in segments
        )
    if isinstance(condition, MatrixTest):
        matrix = matrices.get(condition.matrix)
        if matrix is None:
            yield _unknown("matrix", condition.matrix, matrices)
            return
        for row, column in condition.cells:
            if row not in matrix.rows:
                yield _unknown("matrix row", row, matrix.rows)
            if column not in matrix.columns:
                yield _unknown("matrix column", column, matrix.columns)


def _unknown(noun: str, name: str, known: Mapping[str, object]) -> tuple[str, str]:
    return f'there is no {noun} "{name}"', suggestion(name, known)


def steps(path: str) -> tuple[object, ...]:
    """``where.all[0]`` as ("where", "all", 0)."""
    parts: list[object] = []
    for piece in path.replace("]", "").split("."):
        name, *indices = piece.split("[")
        parts += [name, *(int(i) for i in indices)]
    return tuple(parts)
