"""A controller against a plant, day by day, with every delay in between.

Records what happened; ``rehearse`` measures it. No plan leaves the simulation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from balancer.allocate import water_fill
from balancer.auto import DUTY
from balancer.hiding import COMPLETE, ReportRule, report_day
from balancer.plants import Delivery, Plant
from balancer.types import UNPLACED, BalancePlan, Controller, DayReport, Policy, State, Vector
from balancer.worlds import WINDOW, Day, World, traffic

FIRST_DAY = 738_886  # a Monday
LATE = 0.2
PRICE = 0.05  # money per impression; only ratios matter
DAYS_PER_WEEK = 7
Band = NDArray[np.int8]
Jolt = tuple[int, NDArray[np.int64], float]  # from which day, whose rate, times what


@dataclass(frozen=True, eq=False)
class Course:
    """What happened: impressions and oracle (days, n); budget, spend and changes (days,).

    ``start`` is the row of the first controlled day, ``baseline`` the natural impressions per day.
    """

    impressions: Vector
    oracle: Vector
    budget: Vector
    spend: Vector
    changes: Vector
    start: int
    baseline: float


def run(
    world: World,
    controller: Controller | None,
    policy: Policy,
    *,
    plant: Plant,
    seed: int,
    weeks: int,
    rule: ReportRule = COMPLETE,
    jolt: Jolt | None = None,
) -> Course:
    """Four weeks without control, then ``weeks`` with it. ``controller`` None = never any control.

    Budgets follow the traffic of the weekday. Plans are made each morning from reports that are at least
    ``policy.report_delay`` days late; changes land ``policy.actuation_delay`` days later, a fifth of
    them a day later still. The same seed gives the same traffic whatever the controller does.
    """
    weather, dice = np.random.default_rng([seed, 77]), np.random.default_rng([seed, 78])
    days = WINDOW + DAYS_PER_WEEK * weeks
    course = _blank(days, world.rates.size, float(world.rates.sum()))
    loop = _Loop(world, policy)
    for t, today in enumerate(traffic(world, first=FIRST_DAY, count=days, rng=weather)):
        if jolt is not None and t >= jolt[0]:
            today = _jolted(today, jolt)
        money = course.baseline * today.factor * PRICE
        budgets = np.array([money])
        if controller is not None and t >= WINDOW:
            loop.baseline = float(course.impressions[:WINDOW].sum()) / WINDOW
            plan = loop.propose(controller, today.day, money)
            budgets = plan.budgets
            course.changes[t] = loop.command(plan, dice)
        got = loop.serve(today, budgets, money, plant=plant, rule=rule, rng=dice)
        course.budget[t], course.spend[t] = money, got.spend.sum()
        course.impressions[t] = got.impressions
        course.oracle[t] = oracle_day(today, money / PRICE, dice)
    return course


def _blank(days: int, n: int, baseline: float) -> Course:
    wide, flat = np.zeros((days, n)), np.zeros(days)
    return Course(wide, wide.copy(), flat, flat.copy(), flat.copy(), WINDOW, baseline)


def _jolted(today: Day, jolt: Jolt) -> Day:
    factor = np.ones(today.rates.size)
    factor[jolt[1]] = jolt[2]
    return replace(
        today,
        expected=today.expected * factor,
        rates=today.rates * factor,
        inventory=today.inventory * factor,
    )


def oracle_day(today: Day, total: float, rng: np.random.Generator) -> Vector:
    """(n,) counts of the best possible day: a bid per account, the drift known, the noise of the day not."""
    noise = today.rates / np.maximum(today.expected, 1e-300)
    x = water_fill(total, weight=noise, floor=0.0, cap=today.inventory).target
    return rng.multinomial(int(x.sum()), x / max(float(x.sum()), 1e-300)).astype(np.float64)


class _Loop:
    """The delays between a controller and its plant: reports come late, changes land late."""

    def __init__(self, world: World, policy: Policy) -> None:
        n = world.rates.size
        self.policy, self.members, self.baseline = policy, world.members, float(world.rates.sum())
        self.ids = tuple(f"{i:08d}" for i in range(n))
        self.banded = policy.mode in ("bands", "auto")
        start = UNPLACED if self.banded else 0
        self.commanded: Band = np.full(n, start, dtype=np.int8)
        self.truth = self.commanded.copy()  # in force
        self.belief = self.commanded.copy()  # thought to be in force: nobody is told what lands late
        self.queue: list[tuple[int, NDArray[np.int64], Band, bool]] = []
        self.reports: list[DayReport] = []
        self.memory: Mapping[str, NDArray[np.generic]] = {}

    def propose(self, controller: Controller, day: int, budget: float) -> BalancePlan:
        self._land(day)
        self._into_one_campaign()
        ready = [r for r in self.reports if r.day <= day - 1 - self.policy.report_delay]
        self.reports = self.reports[len(ready) :]
        state = State(
            day=day,
            accounts=self.ids,
            members=self.members,
            tier=np.zeros(len(self.ids), dtype=np.int8),
            budget=budget,
            baseline=self.baseline,
            band=self.commanded.copy(),
            landed=self.belief.copy(),
            reports=tuple(ready),
            memory=self.memory,
        )
        plan = controller.propose(state, self.policy)
        self.memory = plan.memory
        return plan

    def _into_one_campaign(self) -> None:
        """A change from bands to turns: the campaign of before still has the whole list."""
        turned = "auto" in self.memory and int(self.memory["auto"][0]) == DUTY
        if turned and self.banded:
            self.commanded[:] = self.truth[:] = self.belief[:] = 0
            self.queue, self.banded = [], False

    def command(self, plan: BalancePlan, rng: np.random.Generator) -> int:
        """Queue the plan's changes; returns how many there are."""
        rows = np.flatnonzero(plan.band != self.commanded)
        due = plan.day + self.policy.actuation_delay
        late = rng.random(rows.size) < LATE
        for at, part in ((due, rows[~late]), (due + 1, rows[late])):
            self.queue.append((at, part, plan.band[part], True))
        self.queue.append((due, rows, plan.band[rows], False))
        self.commanded = plan.band.copy()
        self._land(plan.day)
        return int(rows.size)

    def serve(
        self,
        today: Day,
        budgets: Vector,
        money: float,
        *,
        plant: Plant,
        rule: ReportRule,
        rng: np.random.Generator,
    ) -> Delivery:
        """One day of delivery, and its report for later. The old campaign runs until a split has landed."""
        force, belief = self.truth, self.belief
        if not (force >= 0).any():
            force = belief = np.zeros(force.size, dtype=np.int8)
            budgets = np.array([money])
        got = plant.deliver(
            today.rates,
            today.inventory,
            included=force >= 0,
            band=force,
            budgets=budgets,
            price=PRICE,
            rng=rng,
        )
        report = report_day(
            today.day,
            got.impressions,
            force,
            believed=belief,
            spend=got.spend,
            budgets=budgets,
            rule=rule,
            rng=rng,
        )
        self.reports.append(report)
        return got

    def _land(self, day: int) -> None:
        for at, rows, band, real in self.queue:
            if at <= day:
                (self.truth if real else self.belief)[rows] = band
        self.queue = [item for item in self.queue if item[0] > day]
