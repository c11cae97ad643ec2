"""Which plan is being carried out, so that one that was cut off is finished or made good. Changes no platform.

A plan moves accounts between lists one list after the other. Where it was cut
off and another plan follows, that one brings every list in line, not only those
its own moves touch.
"""

from __future__ import annotations

from audiences.store.records import PlanRecord
from flows.wiring import App

SEVERAL = "several"  # a second plan was begun before the first had ended


class PlanBegun(Exception):
    """A plan that was carried out in part can no longer be refused."""

    retryable = False
    remedy = "Approve it again to finish it (evenreach balance --approve), or make a new plan."


def plan_lease(segment: str) -> str:
    """Whoever decides or carries out a plan of a segment holds this."""
    return f"plan/{segment}"


def begun(app: App, segment: str) -> str | None:
    """The id of the plan that was begun and has not ended, or ``SEVERAL``."""
    found: str | None = app.store.get(_name(segment))
    return found


def begin(app: App, record: PlanRecord) -> None:
    """Note, before anything is changed, that a plan is carried out."""
    found = begun(app, record.segment)
    if found != record.plan_id:
        app.store.put(_name(record.segment), SEVERAL if found else record.plan_id, at=app.now())


def end(app: App, segment: str) -> None:
    """Everything of the plan has been carried out."""
    app.store.put(_name(segment), None, at=app.now())


def _name(segment: str) -> str:
    return f"begun/{segment}"
