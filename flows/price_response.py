"""The price response of a segment that is balanced in bands, estimated from its own stored reports. Reads only."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np

from audiences.store.records import PlanStatus
from balancer.elasticity import PriceResponse, price_response
from balancer.frontier import cost_of_a_point, power_frontier
from balancer.types import DayReport, Exposure, Vector
from flows.bands import band_campaigns
from flows.collect import newest_complete
from flows.exposure import day_reports
from flows.forecast import believed_rates
from flows.plan_codec import decode_inputs, decode_plan
from flows.report.catalogue import say
from flows.report.formats import percent, points
from flows.wiring import App

DAYS = 28
LEAST_SAID = 0.0005  # a smaller change of price is none to speak of
LATE = timedelta(days=2)  # the last membership change may land a day late


def measured_response(app: App, segment: str) -> PriceResponse | None:
    """From the newest four weeks in bands; None before enough of them were reported.

    Pressure is a band's impressions over what its accounts would draw by themselves, as the last plan believes.
    """
    record = app.store.latest_plan(segment, statuses=(PlanStatus.APPLIED,))
    live = band_campaigns(app, segment).live_since
    if record is None or record.inputs is None or live is None:
        return None
    state, policy = decode_inputs(record.inputs)
    rates = believed_rates(state, decode_plan(record.body, record.memory), policy)
    newest = newest_complete(app, band_campaigns(app, segment).platform)
    start = max(live + LATE, newest - timedelta(days=DAYS - 1))
    reports = day_reports(app, segment, state.accounts, start, newest) if start <= newest else []
    return price_response(*_tables(reports, rates)) if reports else None


def response_words(found: PriceResponse | None) -> str:
    """One sentence; "" where nothing is known."""
    if found is None:
        return ""
    each = [1.1**value - 1.0 for value in (found.elasticity, found.low, found.high)]
    if max(map(abs, each)) < LEAST_SAID:
        return say("report.price.no_dearer", days=found.days)
    change, low, high = (f"{points(value, 1)} %" for value in each)
    return say("report.price.dearer", change=change, low=low, high=high, days=found.days)


def price_of_a_point(found: PriceResponse | None, exposure: Exposure, *, top: int) -> str:
    """What one more point of the top share would cost at that response, with its range; "" where unknown."""
    if found is None or float(exposure.point.sum()) <= 0.0:
        return ""
    costs = []
    for elasticity in (found.elasticity, found.low, found.high):
        curve = power_frontier(exposure.point, elasticity=max(elasticity, 0.0), top=top)
        costs.append(cost_of_a_point(curve, share=curve[0].share))
    if not np.isfinite(costs).all():
        return ""
    low, high = sorted(costs[1:])
    if max(abs(low), abs(high)) < 0.00005:  # 0.00 %
        return say("report.price.point_for_nothing", top=top)
    about, least, most = (percent(cost, 2) for cost in (costs[0], low, high))
    return say("report.price.point", top=top, about=about, low=least, high=most)


def as_json(found: PriceResponse | None) -> dict[str, Any] | None:
    """For ``--json``."""
    if found is None:
        return None
    return {"elasticity": found.elasticity, "low": found.low, "high": found.high, "days": found.days}


def _tables(reports: list[DayReport], rates: Vector) -> tuple[Vector, Vector, Vector]:
    """(days, K) throttle, money per impression, impressions; days in another number of bands are left out."""
    k = reports[-1].band_total.size
    rows = [_row(report, rates) for report in reports if report.band_total.size == k]
    return tuple(np.array(column) for column in zip(*rows, strict=True))  # type: ignore[return-value]


def _row(report: DayReport, rates: Vector) -> tuple[Vector, Vector, Vector]:
    k = report.band_total.size
    placed = (report.band >= 0) & (report.band < k)
    mass = np.bincount(report.band[placed], weights=rates[placed], minlength=k)
    total = report.band_total
    throttle = np.divide(total, mass, out=np.zeros(k), where=mass > 0.0)
    each = np.divide(report.band_spend, total, out=np.zeros(k), where=total > 0.0)
    return throttle, each, total
