"""What the new reports teach: rates, credit, how much each band can take, what pressure costs.

Updates a Memory from a State; it proposes nothing.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from balancer.blocks import blocks
from balancer.memory import ABSORBED, RAMPED, RECENT, Memory
from balancer.price import price_law, remember
from balancer.rates import absorb, rates
from balancer.sums import by_band
from balancer.types import DayReport, Policy, State, Vector

LEAK = 0.97  # credit kept per day: an account's history counts for about a window
SHORT = 0.995  # a band that spends less than this of its money is full
WHOLE = 3.0  # impressions: a smaller rest is rounding
TRUST = 0.4  # weight of one day that showed a full band
GROW = 1.002  # per day: inventory that is not being tested may have grown
STEP_DAYS = 3
STEPS = {"cautious": 1.12, "fast": 1.3}
SEEN_FULL = 0.3  # of the natural delivery must have been seen full before headroom is known
TRIM_GAIN, TRIM_MOST = 0.35, 0.06


def prior_rates(state: State) -> Vector:
    """(n,) impressions per day to believe before any report; the even share where nothing is known."""
    n = len(state.accounts)
    even = max(state.baseline, 1e-9) / max(n, 1)
    if state.prior_rate is None:
        return np.broadcast_to(np.float64(even), n)
    return np.asarray(
        np.maximum(np.where(np.isfinite(state.prior_rate), state.prior_rate, even), 1e-3 * even)
    )


def current_rates(state: State, memory: Memory) -> Vector:
    """(n,) believed impressions per day at throttle 1; they sum to the baseline."""
    believed = rates(memory.evidence, prior_rates(state))
    believed *= state.baseline / max(float(believed.sum()), 1e-300)
    return believed


def study(state: State, policy: Policy, memory: Memory) -> tuple[Memory, NDArray[np.bool_]]:
    """Absorb the unread reports, oldest first; returns the memory and who was just found misjudged (n,)."""
    shocked = np.zeros(len(state.accounts), dtype=np.bool_)
    for report in sorted(state.reports, key=lambda r: r.day):
        if report.day <= memory.at(ABSORBED):
            continue
        memory, hit = _one_day(report, memory, state)
        shocked |= hit
    return _open_up(state, policy, memory).narrowed(), shocked


def learned_headroom(memory: Memory, rate: Vector) -> float:
    """What accounts were seen to take at the most over their natural ``rate`` (n,); inf before it is known."""
    known = np.isfinite(memory.room)
    natural = float(rate[known].sum())
    if natural < SEEN_FULL * float(rate.sum()):
        return float("inf")
    return float(memory.room[known].sum(dtype=np.float64)) / natural


def usual_budget(memory: Memory, otherwise: float) -> float:
    """Mean money per day over the last four weeks; ``otherwise`` before any report."""
    return float(memory.recent[:, 3].mean()) if memory.recent.shape[0] else otherwise


def _one_day(report: DayReport, memory: Memory, state: State) -> tuple[Memory, NDArray[np.bool_]]:
    prior = prior_rates(state)
    believed = rates(memory.evidence, prior)
    got = absorb(memory.evidence, report, prior, believed=believed)
    believed *= state.baseline / max(float(believed.sum()), 1e-300)
    memory = memory.with_evidence(got.evidence)
    total = float(report.band_total.sum())
    aimed = float(memory.target.sum())
    if aimed > 0.0 and report.band_total.size == memory.centre.size:
        credit = LEAK * memory.credit
        credit += memory.target * (total / aimed)
        credit -= got.counts
        memory = replace(memory, credit=credit)
    row = np.array([[report.day, total, report.band_spend.sum(), report.band_budget.sum()]])
    memory = replace(memory, recent=np.concatenate([memory.recent, row])[-RECENT:])
    memory = _bands_taught(report, memory, believed)
    if got.shocked.any():
        memory = replace(memory, room=np.where(got.shocked, np.inf, memory.room))
    return memory.ticked(absorbed=report.day), got.shocked


def _bands_taught(report: DayReport, memory: Memory, believed: Vector) -> Memory:
    """Throttle, price and fullness of each campaign; weekday traffic is taken out by the day's money."""
    k = report.band_total.size
    mass = by_band(report.band, believed, k)
    traffic = float(report.band_budget.sum()) / max(usual_budget(memory, 1.0), 1e-300)
    live = (mass > 0.0) & (report.band_budget > 0.0) & (report.band_total > 0.0)
    reached = np.where(live, report.band_total / np.maximum(mass * traffic, 1e-300), 0.0)
    each = np.where(live, report.band_spend / np.maximum(report.band_total, 1e-300), 0.0)
    price = remember(memory.price, reached, each, np.where(live, report.band_total, 0.0))
    memory = replace(memory, price=price)
    if k != memory.centre.size or memory.target.sum() <= 0.0:
        return memory
    missing = (report.band_budget - report.band_spend) / np.maximum(each, 1e-300)
    full = live & (report.band_spend < SHORT * report.band_budget) & (missing >= WHOLE) & (reached >= 1.0)
    room = np.empty(believed.size)
    for at in blocks(room.size):
        room[at] = _room(memory.room[at], report.band[at], believed[at], reached, full)
    return replace(memory, room=room)


def _room(
    room: Vector, band: NDArray[np.int8], believed: Vector, reached: Vector, full: NDArray[np.bool_]
) -> Vector:
    """(n,) most impressions per day each account was seen to take, after one more day."""
    placed = band >= 0
    home = np.where(placed, band, 0)
    taken = reached[home] * believed
    known = np.isfinite(room)
    before = np.where(known, room, taken)
    # a band that missed by far was misjudged, not unlucky: believe the new number at once
    trust = np.minimum(1.0, TRUST + 4.0 * np.abs(before - taken) / np.maximum(before, 1e-300))
    learned = before + trust * (taken - before)
    more = np.where(known, before + TRUST * np.maximum(taken - before, 0.0), np.inf) * GROW
    return np.where(placed, np.where(full[home], learned, more), room)


def _open_up(state: State, policy: Policy, memory: Memory) -> Memory:
    """Every three days: allow a little more throttle, and correct the floor by what was really delivered."""
    if state.day - memory.at(RAMPED) < STEP_DAYS:
        return memory
    memory = memory.ticked(ramped=state.day)
    lift = np.clip(memory.lift * STEPS[policy.ramp], 1.0, max(1.0, policy.max_throttle))
    return replace(memory, lift=lift, trim=_trim(state, policy, memory))


def _trim(state: State, policy: Policy, memory: Memory) -> Vector:
    week = memory.recent[-7:]
    if week.shape[0] < 7 or week[0, 0] < memory.at(0) or price_law(memory.price, default=1.0).eps == 0.0:
        return memory.trim
    ratio = float(week[:, 1].sum()) / max(7.0 * state.baseline, 1e-300)
    return np.asarray(
        np.clip(memory.trim + TRIM_GAIN * (policy.impression_floor - ratio), -TRIM_MOST, TRIM_MOST)
    )
