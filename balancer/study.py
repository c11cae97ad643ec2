"""What the new reports teach: rates, credit, what each band can deliver, how far to open up.

Updates a Memory from a State; it proposes nothing.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from balancer.memory import RECENT, Memory
from balancer.rates import absorb, rates
from balancer.types import DayReport, Policy, State, Vector

LEAK = 0.97
SHORT, BACK_OFF, LOCK_DAYS, PROBE = 0.98, 0.97, 7, 1.03
STEP_DAYS = 3
STEPS = {"cautious": 1.12, "fast": 1.3}
FIRST, ABSORBED, REBANDED, RAMPED, PLANNED = range(5)


def prior_rates(state: State) -> Vector:
    """(n,) impressions per day to believe before any report; the even share where nothing is known."""
    n = len(state.accounts)
    even = max(state.baseline, 1e-9) / max(n, 1)
    if state.prior_rate is None:
        return np.asarray(np.full(n, even))
    return np.asarray(
        np.maximum(np.where(np.isfinite(state.prior_rate), state.prior_rate, even), 1e-3 * even)
    )


def study(state: State, policy: Policy, memory: Memory) -> tuple[Memory, NDArray[np.bool_]]:
    """Absorb the unread reports, oldest first; returns the memory and who was just found misjudged (n,)."""
    prior = prior_rates(state)
    shocked = np.zeros(len(state.accounts), dtype=np.bool_)
    for report in sorted(state.reports, key=lambda r: r.day):
        if report.day <= int(memory.clock[ABSORBED]):
            continue
        memory, hit = _one_day(report, memory, prior, state)
        shocked |= hit
    return _open_up(state, policy, memory), shocked


def _one_day(
    report: DayReport, memory: Memory, prior: Vector, state: State
) -> tuple[Memory, NDArray[np.bool_]]:
    believed = rates(memory.evidence, prior)
    got = absorb(memory.evidence, report, prior)
    memory = memory.with_evidence(got.evidence)
    controlled = memory.target.sum() > 0.0 and report.band_total.size == memory.limit.size
    if controlled:
        day_total = float(report.band_total.sum())
        owed = memory.target * (day_total / float(memory.target.sum()))
        memory = replace(memory, credit=LEAK * memory.credit + owed - got.counts)
        memory = _limits(report, memory, believed * (state.baseline / float(believed.sum())))
    row = np.array([[report.day, report.band_total.sum(), report.band_spend.sum(), report.band_budget.sum()]])
    clock = memory.clock.copy()
    clock[ABSORBED] = report.day
    return replace(memory, recent=np.concatenate([memory.recent, row])[-RECENT:], clock=clock), got.shocked


def _limits(report: DayReport, memory: Memory, rate: Vector) -> Memory:
    """A band that could not spend has shown the throttle it delivers at."""
    k = memory.limit.size
    placed = report.band >= 0
    mass = np.bincount(report.band[placed], weights=rate[placed], minlength=k)[:k]
    short = (report.band_budget > 0.0) & (report.band_spend < SHORT * report.band_budget) & (mass > 0.0)
    reached = BACK_OFF * report.band_total / np.maximum(mass, 1e-300)
    limit = np.where(short, np.minimum(memory.limit, reached), memory.limit)
    lock = np.where(short, report.day + LOCK_DAYS, memory.lock).astype(np.int32)
    return replace(memory, limit=limit, lock=lock)


def _open_up(state: State, policy: Policy, memory: Memory) -> Memory:
    if state.day - int(memory.clock[RAMPED]) < STEP_DAYS:
        return memory
    clock = memory.clock.copy()
    clock[RAMPED] = state.day
    recent = memory.recent
    ratio = 1.0
    if recent.shape[0] >= RECENT:
        ratio = float(recent[:, 1].sum()) / (recent.shape[0] * state.baseline)
    step = STEPS[policy.ramp]
    if ratio < policy.impression_floor:
        step = 0.93
    elif ratio < policy.impression_floor + 0.005:
        step = 1.0
    lift = np.clip(memory.lift * step, 1.0, policy.max_throttle)
    limit = np.where(memory.lock <= state.day, memory.limit * PROBE, memory.limit)
    return replace(memory, clock=clock, lift=lift, limit=limit)
