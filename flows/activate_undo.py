"""Take back the plan that was carried out last: lists and budgets as they were before it, by adds and removes.

Nothing learned is forgotten and no plan is deleted. A plan made afterwards may
well propose the same again; whoever took it back decides on it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from audiences.store.records import PlanMove, PlanRecord, PlanStatus
from balancer.types import UNPLACED, BalancePlan
from flows.activate import audit, leased
from flows.activate_plan import carry_out
from flows.activate_turns import one_again
from flows.approvals import lapse_open
from flows.approvers import require_approver
from flows.balance_inputs import ONE_CAMPAIGN
from flows.bands import band_campaigns, note_command
from flows.plan_begun import plan_lease
from flows.plan_codec import decode_plan
from flows.wiring import App, WorkspaceError

UNDONE = "undone"  # Move.reason
SHORTEST_ID = 6  # characters of a plan's id that are taken for one


@dataclass(frozen=True, slots=True)
class Undone:
    """What taking a plan back comes to. ``joined``: the segment is in its one campaign again."""

    plan_id: str
    segment: str
    moves: int
    budgets: tuple[Decimal, ...]
    joined: bool = False
    notes: tuple[str, ...] = ()


def undo_plan(app: App, segment: str, *, dry_run: bool = False) -> Undone:
    """Put every account the last plan moved back, and the money of the day before; with ``dry_run`` only say it.

    Raises WorkspaceError where there is nothing to take back, NotAnApprover as for carrying a plan out, Braked or a
    platform's error; run it again to go on.
    """
    record = app.store.latest_plan(segment, statuses=(PlanStatus.APPLIED,))
    if record is None or taken_back(app, segment) == record.plan_id:
        raise WorkspaceError(f"there is no plan of {segment} to take back")
    plan, moves = _reversed(app, record)
    first = plan.mode not in ONE_CAMPAIGN and bool((plan.band < 0).all())
    money = tuple(Decimal(str(float(b))) for b in plan.budgets)
    undone = Undone(record.plan_id, segment, len(moves), () if first else money, joined=first)
    if dry_run:
        return undone
    require_approver(app, app.who)
    with leased(app, plan_lease(segment)):
        again = replace(record, day=app.today, moves=moves)
        notes = _join(app, again) if first else carry_out(app, again, plan)[2]
        app.store.put(_name(segment), record.plan_id, at=app.now())
        lapse_open(app, segment, note="the plan before it was taken back")
        audit(app, "plan undone", segment, {"plan": record.plan_id[:12], "moves": len(moves)})
    return replace(undone, notes=notes)


def taken_back(app: App, segment: str) -> str | None:
    """The id of the plan that was taken back last."""
    found: str | None = app.store.get(_name(segment))
    return found


def plan_behind(app: App, name: str) -> str | None:
    """The balanced segment that ``name`` stands for: itself, one of its band lists, or its last plan's id."""
    for segment, wanted in app.config.segments.items():
        if wanted.balance is None:
            continue
        own = f"{band_campaigns(app, segment).platform}/{segment}/companies/"
        if name == segment or name.startswith((f"{own}band-", f"{own}held")):
            return segment
        last = app.store.latest_plan(segment, statuses=(PlanStatus.APPLIED,))
        if last is not None and len(name) >= SHORTEST_ID and last.plan_id.startswith(name):
            return segment
    return None


def _reversed(app: App, record: PlanRecord) -> tuple[BalancePlan, tuple[PlanMove, ...]]:
    """The plan with every moved account where it was, and the money of the command before."""
    plan = decode_plan(record.body)
    applied = (record.decided_at or app.now()).astimezone(app.config.zone).date()
    if any(after == applied for _, after in band_campaigns(app, record.segment).retired):
        raise WorkspaceError(
            f"plan {record.plan_id[:12]} changed the mode; choose the earlier mode in evenreach.yaml instead"
        )
    row = {account: i for i, account in enumerate(plan.accounts)}
    band = plan.band.copy()
    for move in record.moves:
        band[row[move.account_id]] = move.before
    moves = tuple(
        PlanMove(m.account_id, m.after, m.before, UNDONE, {}, None)
        for m in record.moves
        if m.after != m.before
    )
    funding: dict[str, list[float]] = app.store.get(f"budgets/{record.segment}", {})
    earlier = [day for day in funding if day < applied.isoformat()]
    budgets = np.array(funding[max(earlier)]) if earlier and plan.mode not in ONE_CAMPAIGN else plan.budgets
    return replace(plan, band=band, budgets=budgets), moves


def _join(app: App, record: PlanRecord) -> tuple[str, ...]:
    """Back to the one campaign: it starts again, the bands pause. Their lists stay, for nobody targets them now."""
    one_again(app, band_campaigns(app, record.segment), record)
    nowhere = {move.account_id: UNPLACED for move in record.moves}
    note_command(app, record.segment, record.day, nowhere)
    app.store.command_bands(record.segment, nowhere, plan_id=record.plan_id, on=record.day)
    return ("the segment's own campaign serves everybody again",)


def _name(segment: str) -> str:
    return f"undone/{segment}"
