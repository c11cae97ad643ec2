"""A list that died on its platform is made anew, filled from the ledger and put where the old one was.

Also sends whole lists again and takes everybody off one. Every step is stored
before it is done, so a run that was cut off goes on where it stood. Decides no
membership: what is sent is what the ledger says was asked for.
"""

from __future__ import annotations

import numpy as np

from audiences.model import (
    AudienceState,
    AudienceStatus,
    Delta,
    MemberTable,
    Op,
    Receipt,
    RowResult,
    RowStatus,
)
from audiences.store.records import AudienceRecord, LedgerState
from flows.runs import audit, leased
from flows.wiring import App

DEAD = (AudienceStatus.ARCHIVED, AudienceStatus.EXPIRED, AudienceStatus.FAILED, AudienceStatus.GONE)
NOBODY_THERE = (AudienceStatus.EXPIRED, AudienceStatus.GONE)
LOST = RowResult(RowStatus.UNKNOWN, "list_gone", retryable=True)
OFF = RowResult(RowStatus.ACCEPTED, "list_gone")
HELD = (LedgerState.ACCEPTED, LedgerState.UNKNOWN)


def renew(app: App, list_id: str, before: AudienceState) -> bool:
    """Give a dead list a living one. True when the platform made (or had made) another list.

    ``before`` is the state as it was known when the list still lived: campaigns point at its target.
    An archived list that the platform itself still keeps stays: sending to it wakes it.
    Raises Busy, or the platform's error; run it again to go on.
    """
    with leased(app, list_id):
        record = app.store.audience(list_id)
        assert record is not None
        mark = app.store.get(_mark(list_id))
        if mark is None:
            mark = {"external_id": before.external_id, "target_id": before.target_id}
            app.store.put(_mark(list_id), mark, at=app.now())
        state: AudienceState = app.platform(record.spec.platform).find_or_create(record.spec)
        if state.external_id == mark["external_id"]:
            app.store.save_state(state, at=app.now())
            app.store.put(_mark(list_id), None, at=app.now())
            return False
        _give_up_open_batches(app, list_id, state.external_id)
        app.store.save_state(state, at=app.now())
        again(app, list_id)
        _point_campaigns(app, record, mark["target_id"], state.target_id)
        app.store.put(_mark(list_id), None, at=app.now())
    audit(app, "list made anew", list_id, {"before": mark["external_id"], "after": state.external_id})
    return True


def renewing(app: App, list_id: str) -> bool:
    """Whether an earlier run was cut off while it made this list anew."""
    return app.store.get(_mark(list_id)) is not None


def again(app: App, list_id: str) -> int:
    """Plan to send everybody the list is meant to hold once more. Returns how many."""
    view = app.store.ledger_keys(list_id)
    keys = view.keys[np.isin(view.states, HELD)]
    members = app.store.ledger_members(list_id, keys)
    _record(app, list_id, Delta(list_id, view.version, members, _nobody()))
    return len(members)


def empty(app: App, list_id: str) -> int:
    """Plan to take everybody off a list; off a list that is gone they are taken at once. Returns how many."""
    view = app.store.ledger_keys(list_id)
    leaving = MemberTable(view.keys, [b""] * len(view.keys), [""] * len(view.keys))
    batches = _record(app, list_id, Delta(list_id, view.version, _nobody(), leaving))
    record = app.store.audience(list_id)
    if record is not None and record.state is not None and record.state.status in NOBODY_THERE:
        for batch_id in (*batches, *app.store.batches_to_send(list_id)):
            n, op = app.store.batch_info(batch_id).n, app.store.batch_info(batch_id).op
            result = OFF if op is Op.REMOVE else RowResult(RowStatus.REJECTED, "list_gone")
            app.store.settle_batch(batch_id, Receipt(batch_id, (result,) * n), at=app.now())
    return len(leaving)


def _record(app: App, list_id: str, delta: Delta) -> tuple[str, ...]:
    record = app.store.audience(list_id)
    assert record is not None
    size = app.platform(record.spec.platform).capabilities.batch_size
    return app.store.record_delta(delta, batch_size=size, at=app.now())


def _give_up_open_batches(app: App, list_id: str, living: str) -> None:
    """What was under way to the dead list is unknown now; members among it are sent to the new one."""
    for batch_id in (*app.store.batches_to_send(list_id), *app.store.batches_to_settle(list_id)):
        if app.store.batch(batch_id).external_id == living:
            continue
        n = app.store.batch_info(batch_id).n
        app.store.settle_batch(batch_id, Receipt(batch_id, (LOST,) * n), at=app.now())


def _point_campaigns(app: App, record: AudienceRecord, old: str | None, new: str | None) -> None:
    """Every campaign that included or excluded the old list does so with the new one."""
    platform = app.platform(record.spec.platform)
    if old is None or new is None or old == new or not platform.capabilities.campaigns:
        return
    for campaign in platform.list_campaigns():
        include = [new] if old in campaign.include else None
        exclude = [new] if old in campaign.exclude else None
        if include or exclude:
            platform.set_targets(campaign.campaign_id, include=include, exclude=exclude, ours=[old])
            audit(app, "campaign targets set", campaign.campaign_id, {"list": record.spec.audience_id})


def _nobody() -> MemberTable:
    return MemberTable(np.empty((0, 32), dtype=np.uint8), [], [])


def _mark(list_id: str) -> str:
    return f"renew/{list_id}"
