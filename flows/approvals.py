"""How long a person's word on a plan holds, and which plans need none. Decides no plan and changes no platform.

A plan rests on the segment's accounts, the policy with people's exceptions, the
money, and what was carried out before it. While none of these moves, it may be
approved and carried out until ``approvals: expire_days`` after it was made. Days
of reports that come in meanwhile do not unsettle it: they are the next plan's.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from audiences.store.records import PlanRecord, PlanStatus
from balancer.canon import inputs_hash
from balancer.types import Policy, State
from flows.balance_inputs import policy_of, standing_state
from flows.band_edits import edits
from flows.funding import funding
from flows.plan_codec import decode_inputs
from flows.wiring import App

AUTOMATIC = "automatic: below the size set in approvals"
EXPIRED, MOVED = "expired", "other_inputs"
OPEN = (PlanStatus.PROPOSED, PlanStatus.APPROVED)


class PlanExpired(Exception):
    """A plan that waited longer than approvals allow; it has lapsed."""

    retryable = False
    remedy = "Make a new plan: evenreach balance."


class PlanMoved(Exception):
    """The accounts, the policy, the money or the lists are no longer those the plan was made for."""

    retryable = False
    remedy = "Make a new plan and look at it: evenreach balance."


def still_stands(app: App, record: PlanRecord) -> tuple[str, ...]:
    """Why a plan can no longer be approved or carried out: EXPIRED, MOVED; () while it stands."""
    found = (EXPIRED,) if expired(app, record) else ()
    return (*found, *((MOVED,) if _moved(app, record) else ()))


def expired(app: App, record: PlanRecord) -> bool:
    """Whether the plan was made longer ago than ``approvals: expire_days``."""
    return app.now() - record.created_at > timedelta(days=app.config.approvals.expire_days)


def check_stands(app: App, record: PlanRecord) -> None:
    """Raises PlanExpired or PlanMoved; an open plan that has expired lapses."""
    against = still_stands(app, record)
    if EXPIRED in against:
        _lapse(app, record)
        days = app.config.approvals.expire_days
        raise PlanExpired(f"plan {record.plan_id[:12]} was made more than {days} days ago")
    if MOVED in against:
        raise PlanMoved(f"what plan {record.plan_id[:12]} rests on has changed since it was made")


def lapse_expired(app: App, segment: str) -> tuple[str, ...]:
    """Let open plans lapse that waited too long. Returns their ids."""
    open_plans = [plan for status in OPEN for plan in app.store.plans(segment=segment, status=status)]
    late = [plan for plan in open_plans if expired(app, plan)]
    for plan in late:
        _lapse(app, plan)
    return tuple(plan.plan_id for plan in late)


def lapse_open(app: App, segment: str, *, note: str, before: datetime | None = None) -> None:
    """Let every open plan (made ``before``) lapse, because what was carried out before it has changed."""
    for status in OPEN:
        for plan in app.store.plans(segment=segment, status=status):
            if before is not None and plan.created_at >= before:
                continue
            app.store.decide_plan(plan.plan_id, PlanStatus.LAPSED, by="evenreach", at=app.now(), note=note)


def goes_ahead(app: App, record: PlanRecord) -> bool:
    """Whether a plan needs no person: fewer moves than ``approvals: auto_below``, and nobody has changed
    the band campaigns by hand since the last plan."""
    small = len(record.moves) < app.config.approvals.auto_below
    return small and not edits(app, record.segment)


def _lapse(app: App, record: PlanRecord) -> None:
    if record.status in OPEN:
        words = f"not carried out within {app.config.approvals.expire_days} days"
        app.store.decide_plan(record.plan_id, PlanStatus.LAPSED, by="evenreach", at=app.now(), note=words)


def _moved(app: App, record: PlanRecord) -> bool:
    if record.inputs is None:
        return True
    then, policy = decode_inputs(record.inputs)
    if policy != (wanted := policy_of(app, record.segment)):
        return True
    if funding(app, record.segment, record.day) != funding(app, record.segment, app.today):
        return True
    now = standing_state(app, record.segment, wanted, record.day)
    return now is None or _standing(now, wanted) != _standing(then, policy)


def _standing(state: State, policy: Policy) -> str:
    """The hash of what a plan rests on beside the reports."""
    return inputs_hash(replace(state, reports=(), click_rate=None, cost=None), policy)
