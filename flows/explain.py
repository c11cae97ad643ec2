"""Why one account stands where it does in a balanced segment, from stored plans. Decides nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

from audiences.store.records import PlanRecord, PlanStatus
from flows.plan_codec import decode_inputs, decode_plan
from flows.report import words
from flows.wiring import App


@dataclass(frozen=True, slots=True)
class Explained:
    """One sentence, and the numbers in it."""

    segment: str
    words: str
    numbers: dict[str, Any] = field(default_factory=dict)


def explain(app: App, segment: str, account: str, *, on: date | None = None) -> Explained:
    """Say in one sentence why ``account`` (id or domain) is where it is, on a date or now."""
    wanted = account.strip().lower()
    record = _plan(app, segment, on)
    if record is None:
        when = f" on or before {on}" if on else ""
        return Explained(segment, f"No plan was made for {segment}{when}.")
    plan = decode_plan(record.body)
    places = {name.lower(): i for i, name in enumerate(plan.accounts)}
    if wanted not in places:
        return Explained(segment, f"{account} is not in {segment} (or is held out of it).")
    i = places[wanted]
    name = plan.accounts[i]
    band = int(plan.band[i])
    target, even = float(plan.target[i]) * 28, float(plan.target.sum()) / len(plan.accounts) * 28
    numbers: dict[str, Any] = {"plan": record.plan_id[:12], "day": str(record.day), "band": band + 1}
    numbers |= {"target_28_days": round(target, 1), "even_28_days": round(even, 1), "mode": plan.mode}
    sentence = (
        f"{name} is in {words.band(band).lower()} on {record.day}: it is planned {target:,.0f} impressions in 28 days "
        f"({target / max(even, 1e-9):.2f} of the even share)"
    )
    tail = _reason(app, segment, name, record) or _starved(record, i)
    return Explained(segment, f"{sentence}{tail}.", numbers)


def _plan(app: App, segment: str, on: date | None) -> PlanRecord | None:
    if on is None:
        return app.store.latest_plan(segment)
    plans = app.store.plans(segment=segment, limit=10_000)
    standing = [p for p in plans if p.day <= on and p.status in (PlanStatus.APPLIED, PlanStatus.SHADOW)]
    return max(standing, key=lambda plan: plan.day, default=None)


def _reason(app: App, segment: str, account: str, newest: PlanRecord) -> str:
    """The last move of the account, where one is on record."""
    for record in app.store.plans(segment=segment, limit=10_000):
        if record.day > newest.day or record.status is not PlanStatus.APPLIED:
            continue
        for move in record.moves:
            if move.account_id == account:
                plan = decode_plan(record.body)
                exact = next(m for m in plan.moves if m.account == account)
                return f"; on {record.day}: {words.why(exact, name=account)}".rstrip(".")
    return ""


def _starved(record: PlanRecord, row: int) -> str:
    """Why it gets little, where it does."""
    if record.inputs is None:
        return ""
    from balancer.starved import starved

    state, policy = decode_inputs(record.inputs)
    plan = decode_plan(record.body, record.memory)
    reasons = {int(np.searchsorted(state.accounts, one.account)): one for one in starved(state, plan, policy)}
    return f"; {words.starved_reason(reasons[row].reason)}".rstrip(".") if row in reasons else ""
