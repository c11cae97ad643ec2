"""Settings of the scores: fit points, intent weights, tiers, the fit x intent grid.

Only shapes and checks; ``scoring`` does the arithmetic.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from audiences.config_rules import AbsentTechnologyTest, FieldTest, MetricTest, SignalTest, TechnologyTest
from audiences.config_values import as_fraction
from audiences.config_yaml import Part, suggestion, wrong

Points = Annotated[float, Field()]


class FieldPoints(FieldTest):
    """Points for a field."""

    points: Points


class SignalPoints(SignalTest):
    """Points for signals."""

    points: Points


class MetricPoints(MetricTest):
    """Points for a change over time."""

    points: Points


class TechnologyPoints(TechnologyTest):
    """Points for a tool in use."""

    points: Points


class AbsentTechnologyPoints(AbsentTechnologyTest):
    """Points for a known absence of tools."""

    points: Points


_POINT_KINDS = ("field", "signal", "metric", "technology", "absent_technology")


def _point_kind(value: Any) -> str | None:
    if isinstance(value, dict):
        return next((f"<{kind}>" for kind in _POINT_KINDS if kind in value), None)
    return next((f"<{kind}>" for kind in _POINT_KINDS if hasattr(value, kind)), None)


def _shaped(value: Any) -> Any:
    if isinstance(value, dict) and _point_kind(value) is None:
        first = next(iter(value), "")
        raise wrong(f'"{first}" does not start a row of points', suggestion(first, _POINT_KINDS))
    return value


PointsRow = Annotated[
    Annotated[FieldPoints, Tag("<field>")]
    | Annotated[SignalPoints, Tag("<signal>")]
    | Annotated[MetricPoints, Tag("<metric>")]
    | Annotated[TechnologyPoints, Tag("<technology>")]
    | Annotated[AbsentTechnologyPoints, Tag("<absent_technology>")],
    Discriminator(_point_kind),
    BeforeValidator(_shaped),
]


class Group(Part):
    """Rows of points. ``best`` takes the largest that applies, ``sum`` adds all that apply."""

    best: tuple[PointsRow, ...] | None = None
    sum: tuple[PointsRow, ...] | None = None
    at_most: float | None = None  # ceiling of the group's points

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Group:
        if (self.best is None) == (self.sum is None):
            raise wrong("a group is either best or sum", "Keep one of the two, with at least one row")
        if not self.rows:
            raise wrong(
                "the group has no rows", "Add rows such as {field: employees, at_least: 50, points: 10}"
            )
        return self

    @property
    def rows(self) -> tuple[PointsRow, ...]:
        """The rows, of whichever kind the group is."""
        return self.best or self.sum or ()

    @property
    def most(self) -> float:
        """The most points this group can give."""
        points = [max(row.points, 0.0) for row in self.rows]
        most = max(points, default=0.0) if self.best else sum(points)
        return most if self.at_most is None else min(most, self.at_most)


class Fit(Part):
    """Groups add up; the score is 100 x points / maximum, clipped to 0..100."""

    maximum: float = Field(100.0, gt=0.0)
    groups: dict[str, Group] = Field(default_factory=dict)

    @property
    def reachable(self) -> float:
        """Points of a perfect account; may exceed ``maximum``, then the score is cut at 100."""
        return sum(group.most for group in self.groups.values())


def _percentile(value: Any) -> Any:
    """``top 10 %`` is the threshold that a tenth of the accounts with any intent reach."""
    if isinstance(value, str) and value.strip().lower().startswith("top"):
        return {"top": as_fraction(value.strip()[3:].strip())}
    return value


class Top(Part):
    """A threshold as the share of accounts that reach it."""

    top: float = Field(gt=0.0, le=1.0)


Threshold = Annotated[float | Top, BeforeValidator(_percentile)]


class Intent(Part):
    """Each signal adds weight x strength x 0.5 ** (age / half life), inside the window."""

    half_life_days: float = Field(14.0, gt=0.0)
    window_days: int = Field(30, ge=1)
    weights: dict[str, float] = Field(default_factory=dict)
    daily_cap: float | None = Field(None, gt=0.0)  # points one kind can add per account and day
    hot: Threshold = 40.0
    warm: Threshold = 15.0

    @model_validator(mode="after")
    def _hot_is_above_warm(self) -> Intent:
        if isinstance(self.hot, float) and isinstance(self.warm, float) and self.hot < self.warm:
            raise wrong("hot is below warm", "Make hot the larger number")
        if isinstance(self.hot, Top) and isinstance(self.warm, Top) and self.hot.top > self.warm.top:
            raise wrong("hot takes more accounts than warm", "Make the share of hot the smaller one")
        return self


class Grid(Part):
    """Where the fit x intent grid is cut. High fit = one of these tiers; high intent = one of these heats."""

    high_fit_tiers: tuple[int, ...] = (1, 2)
    high_intent: tuple[Literal["hot", "warm", "cool"], ...] = ("hot",)


DEFAULT_TIERS = {1: 70.0, 2: 45.0, 3: 25.0, 4: 0.0}


class Scoring(Part):
    """The whole model: fit, tiers by fit score, intent, and the grid of both."""

    fit: Fit = Fit()
    tiers: dict[int, float] = Field(default_factory=lambda: dict(DEFAULT_TIERS))  # tier -> least fit score
    intent: Intent = Intent()
    grid: Grid = Grid()

    @model_validator(mode="after")
    def _tiers_fall(self) -> Scoring:
        floors = [floor for _, floor in sorted(self.tiers.items())]
        if not floors or any(a <= b for a, b in pairwise(floors)):
            raise wrong("tiers must fall", "Write them as {1: 70, 2: 45, 3: 25, 4: 0}")
        best = 100.0 * self.fit.reachable / self.fit.maximum
        if self.fit.groups and best < floors[0]:
            raise wrong(
                f"the rows give at most {self.fit.reachable:g} of {self.fit.maximum:g} points, "
                "so no company can reach the first tier",
                f"Lower fit.maximum (to {self.fit.reachable:g}), add points, or lower the tiers",
            )
        if floors[-1] != 0.0:
            raise wrong(
                "the last tier must start at 0", "Add a last tier with 0, so that every account has one"
            )
        return self
