"""Keep every list alive and true: follow, settle, retry, refresh, renew, end; tokens and retention besides.

Run it daily (weekly is enough to keep lists alive). One list's trouble never
stops the others. What members a list should have is not decided here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from audiences.store.records import AudienceRecord
from flows import activate, activate_renew, activate_replace
from flows.alerts import Condition, tell
from flows.erase import go_on
from flows.push_records import forget_pushes
from flows.upkeep_conditions import conditions
from flows.upkeep_truth import not_there
from flows.wiring import App

EARLY = timedelta(days=7)  # so that a weekly run is in time
LAPSE_MARGIN = timedelta(days=30)  # members are sent again this long before their membership ends
TOUCH = 5  # members sent again to show a platform that a list is used
RESEND_AFTER = timedelta(days=30)  # a list that stays empty is not sent again and again
PRUNE_EVERY = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Kept:
    """What one run did for one list. Counts are members unless they say batches."""

    audience_id: str
    status: str = ""
    open: int = 0  # batches without an answer
    retried: int = 0
    refreshed: int = 0
    renewed: bool = False
    emptied: int = 0
    parked: int = 0  # dead letters nobody tries again by itself
    notes: tuple[str, ...] = ()
    empty: str = ""  # why a list that should reach people reaches nobody
    trouble: str = ""  # the error that ended this list's run
    retryable: bool = False
    busy: bool = False  # another run works on it; nothing was done here


@dataclass(frozen=True, slots=True)
class Upkept:
    """What one run did. ``told`` are the messages that went out."""

    lists: tuple[Kept, ...]
    erased: int = 0  # people whose erasure every list has confirmed now
    pruned: dict[str, int] = field(default_factory=dict)
    conditions: tuple[Condition, ...] = ()
    told: tuple[str, ...] = ()

    @property
    def open(self) -> int:
        """Batches still without an answer."""
        return sum(kept.open for kept in self.lists)

    @property
    def troubles(self) -> tuple[Kept, ...]:
        return tuple(kept for kept in self.lists if kept.trouble)


class UpkeepTrouble(Exception):
    """Some lists could not be kept up; the others were."""

    remedy = "Read what each list says; the next run tries again."

    def __init__(self, message: str = "", *, retryable: bool = False) -> None:
        super().__init__(message)
        self.retryable = retryable


def upkeep(app: App) -> Upkept:
    """Look after every list of the workspace, then the record itself, and tell whoever should know."""
    lists = tuple(_guarded(app, record) for record in app.store.audiences())
    found = Upkept(lists, erased=go_on(app), pruned=prune(app), conditions=conditions(app, lists))
    return replace(found, told=tell(app, found.conditions))


def raise_trouble(found: Upkept) -> None:
    """Raises UpkeepTrouble when a list could not be kept up."""
    if found.troubles:
        words = "; ".join(f"{kept.audience_id}: {kept.trouble}" for kept in found.troubles)
        raise UpkeepTrouble(words, retryable=any(kept.retryable for kept in found.troubles))


def _guarded(app: App, record: AudienceRecord) -> Kept:
    list_id = record.spec.audience_id
    try:
        return keep(app, record)
    except activate.Busy:
        words = "another run is working on it"
        return Kept(list_id, open=_open(app, list_id), notes=(words,), busy=True)
    except Exception as error:
        if getattr(error, "remedy", None) is None:
            raise
        state = (app.store.audience(list_id) or record).state
        counts = app.store.ledger_counts(list_id)
        return Kept(
            list_id,
            status=str(state.status) if state else "",
            open=_open(app, list_id),
            parked=_parked(app, list_id),
            notes=(f"{counts.pending_adds + counts.pending_removes} rows are under way",),
            trouble=str(error),
            retryable=bool(getattr(error, "retryable", False)),
        )


def keep(app: App, record: AudienceRecord) -> Kept:
    """Look after one list. Raises Busy or the platform's error; run it again to go on."""
    list_id, before = record.spec.audience_id, record.state
    one_off = {one.audience_id: one for one in app.store.one_offs()}.get(list_id)
    if before is None or record.spec.platform not in app.config.platforms.names():
        return Kept(list_id)
    if one_off is not None and one_off.ended_at is not None:
        return Kept(list_id, status=str(before.status), notes=("ended",))
    if app.store.batches_to_settle(list_id):
        activate.settle(app, list_id)
    state = activate.follow(app, list_id) or before
    if one_off is not None and _over(one_off.ends_on, app.today):
        return _end(app, list_id)
    renewed, emptied = False, ""
    if activate_renew.renewing(app, list_id) or (
        state.status in activate_renew.DEAD and _in_use(app, list_id)
    ):
        renewed = activate_renew.renew(app, list_id, before)
    retried = _planned(
        app, app.store.plan_retries(list_id, batch_size=_batch_size(app, record), at=app.now())
    )
    refreshed = _refresh(app, list_id)
    _send(app, list_id)
    if not renewed:
        emptied = not_there(app, list_id)
        refreshed += _send_again(app, list_id) if emptied else 0
    words = (
        "made anew and sent again from the ledger" if renewed else "",
        activate_replace.go_on(app, list_id),
    )
    last = app.store.audience(list_id)
    return Kept(
        list_id,
        status=str(last.state.status) if last and last.state else "",
        open=_open(app, list_id),
        retried=retried,
        refreshed=refreshed,
        renewed=renewed,
        parked=_parked(app, list_id),
        empty=emptied,
        notes=tuple(word for word in words if word),
    )


def _over(ends_on: date | None, today: date) -> bool:
    return ends_on is not None and ends_on <= today


def _end(app: App, list_id: str) -> Kept:
    """Take everybody off a one-off list whose day has come. The list stays: campaigns may point at it."""
    emptied = activate_renew.empty(app, list_id)
    _send(app, list_id)
    counts = app.store.ledger_counts(list_id)
    left = counts.accepted + counts.unknown + counts.rejected + counts.leaving
    pending = _open(app, list_id)
    note = f"{left:,} members are still leaving" if left or pending else "ended; everybody was taken off"
    if not left and not pending:
        app.store.end_one_off(list_id, at=app.now())
        activate.audit(app, "one-off list ended", list_id, {"removed": emptied})
    return Kept(list_id, open=pending, emptied=emptied, parked=_parked(app, list_id), notes=(note,))


def _in_use(app: App, list_id: str) -> bool:
    """Whether anybody is meant to be on the list; an empty one is not made anew again and again."""
    counts = app.store.ledger_counts(list_id)
    return bool(counts.accepted + counts.unknown + counts.pending_adds)


def _refresh(app: App, list_id: str) -> int:
    """Plan to send again: everybody whose membership ends soon, and a few where a list idles too long."""
    record = app.store.audience(list_id)
    assert record is not None
    able, now = app.platform(record.spec.platform).capabilities, app.now()
    batches: tuple[str, ...] = ()
    if able.membership_life is not None:
        due = now - able.membership_life + LAPSE_MARGIN
        batches = app.store.plan_refresh(
            list_id, accepted_before=due, batch_size=_batch_size(app, record), at=now
        )
    idle = now - (record.touched_at or record.created_at)
    if not batches and able.keep_alive is not None:
        longest = min(able.keep_alive, timedelta(days=app.config.sync.keep_alive_days))
        if idle >= longest - EARLY:
            batches = app.store.plan_refresh(
                list_id, accepted_before=now, batch_size=TOUCH, at=now, limit=TOUCH
            )
    return _planned(app, batches)


def _send(app: App, list_id: str) -> None:
    """Send what is planned and ask how the list stands after it."""
    if app.store.batches_to_send(list_id):
        activate.send(app, list_id)
        activate.follow(app, list_id)


def _send_again(app: App, list_id: str) -> int:
    """Everybody once more, to a list that took them and shows nobody; not more often than monthly."""
    last = app.store.get(f"resent/{list_id}")
    if last is not None and app.today - date.fromisoformat(last) < RESEND_AFTER:
        return 0
    app.store.put(f"resent/{list_id}", app.today.isoformat(), at=app.now())
    members = activate_renew.again(app, list_id)
    activate.audit(app, "list sent again", list_id, {"members": members})
    _send(app, list_id)
    return members


def _batch_size(app: App, record: AudienceRecord) -> int:
    return int(app.platform(record.spec.platform).capabilities.batch_size)


def _planned(app: App, batches: tuple[str, ...]) -> int:
    return sum(app.store.batch_info(batch_id).n for batch_id in batches)


def _open(app: App, list_id: str) -> int:
    return len(app.store.batches_to_settle(list_id)) + len(app.store.batches_to_send(list_id))


def _parked(app: App, list_id: str) -> int:
    return sum(letter.next_try is None for letter in app.store.dead_letters(list_id))


def prune(app: App) -> dict[str, int]:
    """Drop what retention no longer keeps, once a week. Returns rows per kind; {} when it was not due."""
    last = app.store.get("pruned")
    if last is not None and app.today - date.fromisoformat(last) < PRUNE_EVERY:
        return {}
    kept, now = app.config.retention, app.now()
    counts = app.store.prune(
        now - timedelta(days=kept.versions_days),
        history_before=app.today - timedelta(days=kept.reports_days),
    )
    counts["audit_lines"] = app.store.trim_audit(
        now - timedelta(days=kept.audit_days), who="retention", at=now
    )
    counts["pushes"] = forget_pushes(app, now - timedelta(days=kept.versions_days))
    app.store.put("pruned", app.today.isoformat(), at=now)
    return counts
