"""What a stored plan expected of the next reported day, beside what was then reported. Changes nothing.

A forecast is computed again from the plan's recorded inputs and memory, so it cannot
be fitted afterwards; nor is a score kept: a day whose report is restated is scored anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from audiences.store.records import PlanRecord, PlanStatus
from balancer.memory import ABSORBED, recall
from balancer.study import current_rates
from balancer.types import BalancePlan, DayReport, Policy, State, Vector
from flows.bands import band_campaigns
from flows.collect import newest_complete
from flows.exposure import day_reports
from flows.plan_codec import decode_inputs, decode_plan
from flows.wiring import App

USUAL_DAYS = 28


@dataclass(frozen=True, slots=True)
class Score:
    """One forecast of one day. Fractions of 1 unless said otherwise.

    impressions, expected  reported and forecast totals of the day
    error        sum of absolute errors over the accounts the report lists, over their impressions
    naive_error  the same for "as on the last reported day"
    leaders      share the forecast gave to the accounts it ranked in the top tenth
    leaders_seen share they were reported with, at least
    """

    plan: str
    day: str
    listed: int
    impressions: float
    expected: float
    error: float
    naive_error: float
    leaders: float
    leaders_seen: float


def score(app: App, segment: str, *, limit: int = USUAL_DAYS) -> tuple[Score, ...]:
    """Score the newest plans whose day has been reported, oldest first.

    Shadow plans are scored where there are any, else the plans that were applied.
    """
    plans = _plans(app, segment, limit)
    newest = newest_complete(app, band_campaigns(app, segment).platform)
    found: dict[str, Score] = {}
    for record in plans:
        one = _score(app, segment, record, newest)
        if one is not None:
            found[one.day] = one  # a later plan of the same step replaces an earlier one
    return tuple(found[day] for day in sorted(found))


def expected(state: State, plan: BalancePlan, policy: Policy, report: DayReport) -> Vector:
    """(n,) impressions the plan expected on the reported day, given who was in which campaign then.

    Only the split of the money is taken from the day's settings; how much was delivered is not looked at.
    """
    rate = believed_rates(state, plan, policy)
    k = report.band_total.size
    placed = (report.band >= 0) & (report.band < k)
    home = np.where(placed, report.band, 0)
    mass = np.bincount(home[placed], weights=rate[placed], minlength=k)
    funded = report.band_budget / max(float(report.band_budget.sum()), 1e-300)
    level = np.divide(funded * usual_total(state, report.day), mass, out=np.zeros(k), where=mass > 0.0)
    return np.asarray(np.where(placed, level[home] * rate, 0.0))


def believed_rates(state: State, plan: BalancePlan, policy: Policy) -> Vector:
    """(n,) impressions per day at equal pressure, as the plan's memory has them."""
    if "tally" in plan.memory:
        counted = np.asarray(plan.memory["tally"], dtype=np.float64).sum(axis=0) + 0.5
        return np.asarray(counted * (state.baseline / float(counted.sum())))
    known = replace(state, memory=plan.memory)
    return current_rates(known, recall(known, policy, plan.budgets.size))


def usual_total(state: State, day: int) -> float:
    """Impressions of that weekday before balancing where the reports at hand show it, else of any day."""
    totals = [(r.day, float(r.band_total.sum())) for r in state.reports]
    recent = state.memory.get("recent")
    if recent is not None and recent.size:
        totals += [(int(row[0]), float(row[1])) for row in np.asarray(recent, dtype=np.float64)]
    same = [total for of_day, total in totals if of_day % 7 == day % 7]
    anyday = [total for _, total in totals]
    return sum(same) / len(same) if same else sum(anyday) / len(anyday) if anyday else state.baseline


def _plans(app: App, segment: str, limit: int) -> Sequence[PlanRecord]:
    shadows = app.store.plans(segment=segment, status=PlanStatus.SHADOW, limit=limit)
    chosen = shadows or app.store.plans(segment=segment, status=PlanStatus.APPLIED, limit=limit)
    return sorted(chosen, key=lambda record: record.day)


def _score(app: App, segment: str, record: PlanRecord, newest: date) -> Score | None:
    """The next day after the last report the plan had seen; None while that day is not reported."""
    if record.inputs is None:
        return None
    state, policy = decode_inputs(record.inputs)
    plan = decode_plan(record.body, record.memory)
    seen = date.fromordinal(int(plan.memory["clock"][ABSORBED])) if "clock" in plan.memory else None
    if seen is None or seen + timedelta(days=1) > newest:
        return None
    days = day_reports(app, segment, state.accounts, seen, seen + timedelta(days=1))
    if not days or days[-1].day != seen.toordinal() + 1 or not days[-1].account.size:
        return None
    last = days[0] if days[0].day == seen.toordinal() else None
    return _compare(record, days[-1], expected(state, plan, policy, days[-1]), last)


def _compare(record: PlanRecord, report: DayReport, forecast: Vector, last: DayReport | None) -> Score:
    listed, counts = report.account, report.impressions
    total = float(report.band_total.sum())
    scaled = forecast * (total / max(float(forecast.sum()), 1e-300))
    naive = np.zeros(forecast.size)
    if last is not None:
        naive[last.account] = last.impressions
        naive *= total / max(float(last.band_total.sum()), 1e-300)
    mass = max(float(counts.sum()), 1e-300)
    leaders = np.argsort(-forecast, kind="stable")[: max(1, forecast.size // 10)]
    lead = np.isin(listed, leaders)
    return Score(
        plan=record.plan_id[:12],
        day=date.fromordinal(report.day).isoformat(),
        listed=int(listed.size),
        impressions=total,
        expected=float(forecast.sum()),
        error=float(np.abs(scaled[listed] - counts).sum()) / mass,
        naive_error=float(np.abs(naive[listed] - counts).sum()) / mass,
        leaders=float(scaled[leaders].sum()) / max(total, 1e-300),
        leaders_seen=float(counts[lead].sum()) / max(total, 1e-300),
    )
