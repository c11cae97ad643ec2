"""The one door out: bring a platform's lists in line with the segments, from deltas stored beforehand.

Segment -> membership -> delta -> brakes -> batches -> receipts. Every request is
a batch with an id computed from its content, so a crashed run is simply run
again; what is settled is skipped. What to send is computed in ``activate_delta``;
plans are applied in ``activate_plan``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from audiences.model import AudienceState, AudienceStatus, Op
from flows.activate_delta import Prepared, plan_change, prepare
from flows.activate_lists import audience_id, ensure_list, list_rules, list_spec, minimum, wanted_lists
from flows.runs import Busy, audit, audit_line, leased, patiently
from flows.wiring import App, WorkspaceError

__all__ = [
    "Busy",
    "Prepared",
    "Sent",
    "audience_id",
    "audit",
    "ensure_list",
    "follow",
    "leased",
    "list_rules",
    "list_spec",
    "minimum",
    "patiently",
    "plan_change",
    "prepare",
    "send",
    "settle",
    "together",
    "wanted_lists",
]


@dataclass(frozen=True, slots=True)
class Sent:
    """What this run sent of one list, and where the list stands."""

    audience_id: str
    adds: int = 0
    removes: int = 0
    accepted: int = 0
    rejected: int = 0
    unknown: int = 0
    waiting: int = 0  # rows in batches the platform settles later
    notes: tuple[str, ...] = field(default=())


def send(app: App, list_id: str) -> Sent:
    """Send every open batch of one list, in order, and settle what the platform settles at once.

    Where a platform settles later, removals wait until the additions before them are settled: Google
    promises no order. Raises PlatformError; what was settled before stays settled.
    """
    record = app.store.audience(list_id)
    if record is None:
        raise WorkspaceError(f"there is no list {list_id}")
    platform = app.platform(record.spec.platform)
    total = Sent(list_id)
    with leased(app, list_id) as renew:
        for batch_id in app.store.batches_to_send(list_id):
            renew()
            info = app.store.batch_info(batch_id)
            waiting = [app.store.batch_info(b).op for b in app.store.batches_to_settle(list_id)]
            if any(op is not info.op for op in waiting):
                break
            total = together(total, _send_one(app, platform, batch_id))
    return total


def _send_one(app: App, platform: object, batch_id: str) -> Sent:
    batch = app.store.batch(batch_id)
    app.store.mark_sent(batch_id, at=app.now())
    try:
        receipt = platform.push(batch)  # type: ignore[attr-defined]
    except Exception as error:
        app.store.mark_failed(batch_id, f"{type(error).__name__} {getattr(error, 'code', '')}".strip())
        raise
    detail = {"batch": batch_id[:12], "rows": len(batch.members)}
    line = audit_line(app, f"batch {batch.op}", batch.audience_id, detail)
    app.store.settle_batch(batch_id, receipt, at=app.now(), line=line)
    counts = [str(row.status) for row in receipt.results] if receipt.settled else []
    return Sent(
        batch.audience_id,
        adds=len(batch.members) if batch.op is Op.ADD else 0,
        removes=len(batch.members) if batch.op is Op.REMOVE else 0,
        accepted=counts.count("accepted"),
        rejected=counts.count("rejected"),
        unknown=counts.count("unknown"),
        waiting=0 if receipt.settled else len(batch.members),
    )


def settle(app: App, list_id: str) -> int:
    """Ask what became of the batches a platform settles later. Returns how many are still open."""
    record = app.store.audience(list_id)
    if record is None:
        return 0
    platform = app.platform(record.spec.platform)
    for batch_id in app.store.batches_to_settle(list_id):
        info = app.store.batch_info(batch_id)
        receipt = platform.settle(app.store.batch(batch_id), info.request_id or "")
        app.store.settle_batch(batch_id, receipt, at=app.now())
    return len(app.store.batches_to_settle(list_id)) + len(app.store.batches_to_send(list_id))


def follow(app: App, list_id: str) -> AudienceState | None:
    """Ask the platform how a list stands, and remember it."""
    record = app.store.audience(list_id)
    if record is None or record.state is None:
        return None
    platform = app.platform(record.spec.platform)
    state: AudienceState = platform.state(list_id, record.state.external_id)
    if state.status is AudienceStatus.GONE:  # campaigns still point at what it was called there
        state = replace(state, target_id=record.state.target_id)
    app.store.save_state(state, at=app.now())
    return state


def together(one: Sent, other: Sent) -> Sent:
    """Two rounds of one list as one."""
    numbers = ("adds", "removes", "accepted", "rejected", "unknown", "waiting")
    return Sent(one.audience_id, **{n: getattr(one, n) + getattr(other, n) for n in numbers})
