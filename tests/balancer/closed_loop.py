"""Small worlds under control, with every plan kept: what the controller tests look at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from balancer.course import Course, run
from balancer.hiding import COMPLETE, ReportRule
from balancer.plants import Plant, Proportional
from balancer.types import UNPLACED, Controller, DayReport, Policy, State
from balancer.worlds import World, open_world


@dataclass
class Recorder:
    """A controller that remembers what it was asked and what it answered."""

    inner: Controller

    def __post_init__(self):
        self.calls = []

    def propose(self, state, policy):
        plan = self.inner.propose(state, policy)
        self.calls.append((state, plan))
        return plan


def controlled(
    controller: Controller,
    *,
    world: World | str = "C",
    n: int = 300,
    policy: Policy | None = None,
    plant: Plant | None = None,
    seed: int = 0,
    weeks: int = 4,
    rule: ReportRule = COMPLETE,
    headroom: float = 5.0,
    jolt=None,
) -> tuple[Course, list]:
    """Run a small closed loop; returns the course and every (state, plan)."""
    settled = open_world(world, seed=seed, n=n, headroom=headroom) if isinstance(world, str) else world
    recorder = Recorder(controller)
    policy = policy or Policy(ramp="fast", member_cap=None)
    course = run(
        settled, recorder, policy, plant=plant or Proportional(), seed=seed, weeks=weeks, rule=rule, jolt=jolt
    )
    return course, recorder.calls


def morning(
    n: int = 40,
    *,
    day: int = 738_900,
    reports: tuple[DayReport, ...] = (),
    band=None,
    members: float = 100.0,
    memory=None,
    landed=None,
) -> State:
    """One State with even accounts, nothing in any band unless told."""
    here = np.full(n, UNPLACED, dtype=np.int8) if band is None else np.asarray(band, dtype=np.int8)
    return State(
        day=day,
        accounts=tuple(f"acc-{i:04d}" for i in range(n)),
        members=np.full(n, float(members)),
        tier=np.zeros(n, dtype=np.int8),
        budget=100.0,
        baseline=2_000.0,
        band=here,
        landed=here.copy() if landed is None else np.asarray(landed, dtype=np.int8),
        reports=reports,
        memory=memory or {},
    )


def day_report(
    counts, *, day: int, band=None, k: int = 1, price: float = 0.05, spent: float = 1.0
) -> DayReport:
    """A complete report of one day; ``spent`` is the part of each band's money that was spent."""
    counts = np.asarray(counts, dtype=np.float64)
    where = np.zeros(counts.size, dtype=np.int8) if band is None else np.asarray(band, dtype=np.int8)
    placed = where >= 0
    total = np.bincount(where[placed], weights=counts[placed], minlength=k)[:k]
    rows = np.flatnonzero(placed)
    return DayReport(
        day=day,
        band_total=total,
        band_spend=total * price,
        band_budget=total * price / spent,
        account=rows,
        impressions=counts[rows],
        list_floor=np.zeros(k),
        band=where,
    )
