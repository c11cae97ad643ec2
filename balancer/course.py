"""A controller against a plant, day by day, with every delay in between.

Records what happened; ``rehearse`` measures it. No plan leaves the simulation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from balancer.allocate import water_fill
from balancer.hiding import COMPLETE, ReportRule, report_day
from balancer.plants import Plant
from balancer.types import UNPLACED, BalancePlan, Controller, DayReport, Policy, State, Vector
from balancer.worlds import WINDOW, Day, World, traffic

FIRST_DAY = 738_886  # a Monday
LATE = 0.2
PRICE = 0.05  # money per impression; only ratios matter
Band = NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Course:
    """What happened: impressions and oracle (days, n); budget, spend, changes (days,); first controlled day."""

    impressions: Vector
    oracle: Vector
    budget: Vector
    spend: Vector
    changes: Vector
    start: int
    baseline: float
    plans: tuple[BalancePlan, ...] = field(default=())


def run(
    world: World,
    controller: Controller | None,
    policy: Policy,
    *,
    plant: Plant,
    seed: int,
    weeks: int,
    rule: ReportRule = COMPLETE,
    keep_plans: bool = False,
    jolt: tuple[int, NDArray[np.int64], float] | None = None,
) -> Course:
    rng = np.random.default_rng([seed, 77])
    n = world.rates.size
    days = WINDOW + 7 * weeks
    baseline = float(world.rates.sum())
    loop = _Loop(n, policy, baseline, world.members)
    out = np.zeros((days, n))
    best = np.zeros((days, n))
    budget, spend, changes = np.zeros(days), np.zeros(days), np.zeros(days)
    plans = []
    for t, today in enumerate(traffic(world, first=FIRST_DAY, count=days, rng=rng)):
        if jolt is not None and t >= jolt[0]:
            today = _jolted(today, jolt)
        budget[t] = baseline * today.factor * PRICE
        budgets = np.array([budget[t]])
        if controller is not None and t >= WINDOW:
            loop.baseline = float(out[:WINDOW].sum()) / WINDOW
            plan = loop.propose(controller, today.day, float(budget[t]))
            budgets = plan.budgets
            changes[t] = loop.command(plan, rng)
            if keep_plans:
                plans.append(plan)
        force, believed, budgets = loop.in_force(today.day, budgets, float(budget[t]))
        got = plant.deliver(
            today.rates,
            today.inventory,
            included=force >= 0,
            band=force,
            budgets=budgets,
            price=PRICE,
            rng=rng,
        )
        out[t], spend[t] = got.impressions, got.spend.sum()
        best[t] = oracle_day(today, float(budget[t]) / PRICE, rng)
        loop.file(
            report_day(
                today.day,
                got.impressions,
                force,
                believed=believed,
                spend=got.spend,
                budgets=budgets,
                rule=rule,
                rng=rng,
            )
        )
    return Course(out, best, budget, spend, changes, WINDOW, baseline, tuple(plans))


def _jolted(today: Day, jolt: tuple[int, NDArray[np.int64], float]) -> Day:
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

    def __init__(self, n: int, policy: Policy, baseline: float, members: Vector) -> None:
        self.policy, self.baseline, self.members = policy, baseline, members
        self.ids = tuple(f"{i:08d}" for i in range(n))
        start = UNPLACED if policy.mode in ("bands", "auto") else 0
        self.commanded: Band = np.full(n, start, dtype=np.int8)
        self.truth = self.commanded.copy()  # in force
        self.belief = self.commanded.copy()  # expected in force, before today's command
        self.queue: list[tuple[int, NDArray[np.int64], Band, bool]] = []
        self.reports: list[DayReport] = []
        self.memory: Mapping[str, NDArray[np.generic]] = {}
        self.day = 0

    def propose(self, controller: Controller, day: int, budget: float) -> BalancePlan:
        self._land(day)
        ready = [r for r in self.reports if r.day <= day - 1 - self.policy.report_delay]
        self.reports = self.reports[len(ready) :]
        n = len(self.ids)
        state = State(
            day=day, accounts=self.ids, members=self.members, tier=np.zeros(n, dtype=np.int8), budget=budget,
            baseline=self.baseline, band=self.commanded.copy(), landed=self.belief.copy(), reports=tuple(ready),
            memory=self.memory,
        )  # fmt: skip
        plan = controller.propose(state, self.policy)
        self.memory = plan.memory
        return plan

    def command(self, plan: BalancePlan, rng: np.random.Generator) -> int:
        rows = np.flatnonzero(plan.band != self.commanded)
        due = plan.day + self.policy.actuation_delay
        late = rng.random(rows.size) < LATE
        for at, part in ((due, rows[~late]), (due + 1, rows[late])):
            if part.size:
                self.queue.append((at, part, plan.band[part], True))
        if rows.size:
            self.queue.append((due, rows, plan.band[rows], False))
        self.commanded = plan.band.copy()
        self._land(plan.day)
        return int(rows.size)

    def _land(self, day: int) -> None:
        waiting = []
        for item in self.queue:
            at, rows, band, real = item
            if at > day:
                waiting.append(item)
            elif real:
                self.truth[rows] = band
            else:
                self.belief[rows] = band
        self.queue = waiting

    def in_force(self, day: int, budgets: Vector, money: float) -> tuple[Band, Band, Vector]:
        """Before anything has landed the old single campaign runs with all the money."""
        if (self.truth >= 0).any():
            return self.truth, self.belief, budgets
        everyone = np.zeros(self.truth.size, dtype=np.int8)
        return everyone, everyone, np.array([money])

    def file(self, report: DayReport) -> None:
        self.reports.append(report)
