"""The one door out: bring a platform's lists in line with the segments, from deltas stored beforehand.

Segment -> membership -> delta -> brakes -> batches -> receipts. Every request is
a batch with an id computed from its content, so a crashed run is simply run
again; what is settled is skipped. Plans are applied in ``activate_plan``.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TypeVar

from audiences.brakes import Change, check
from audiences.membership import Desired, desired
from audiences.membership_contacts import ListRules
from audiences.membership_delta import delta
from audiences.model import AudienceSpec, AudienceState, MemberKind, MemberTable, Op
from audiences.store.records import AuditLine
from flows.assess import Assessment
from flows.wiring import App, WorkspaceError

T = TypeVar("T")
KINDS = {"companies": MemberKind.COMPANY, "contacts": MemberKind.CONTACT}
LEASE = timedelta(hours=1)


class Busy(Exception):
    """Somebody else is working on the same list."""

    retryable = True
    remedy = "Nothing to do; run again when the other run has ended."


@dataclass(frozen=True, slots=True)
class Prepared:
    """One list's planned change. ``batches`` are stored; in a dry run there are none."""

    audience_id: str
    desired: int
    adds: int
    removes: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    batches: tuple[str, ...] = ()


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


def audience_id(platform: str, segment: str, kind: str, band: int | None = None) -> str:
    """Ours and stable: ``linkedin/tier-1/companies`` or ``.../companies/band-2``."""
    tail = "" if band is None else f"/band-{band + 1}"
    return f"{platform}/{segment}/{kind}{tail}"


def list_spec(app: App, segment: str, platform: str, kind: str, band: int | None = None) -> AudienceSpec:
    """The list a segment wants on a platform."""
    title = app.config.segments[segment].title or segment
    tail = "" if band is None else f" - band {band + 1}"
    return AudienceSpec(
        audience_id=audience_id(platform, segment, kind, band),
        platform=platform,
        name=f"{title} ({kind}){tail}",
        kind=KINDS[kind],
        description=app.config.segments[segment].purpose[:200],
        segment=segment,
        band=band,
    )


def wanted_lists(app: App, segment: str | None = None, platform: str | None = None) -> list[AudienceSpec]:
    """Every list the settings ask for. Raises WorkspaceError for a segment or platform that is not there."""
    if segment is not None and segment not in app.config.segments:
        known = ", ".join(app.config.segments)
        raise WorkspaceError(f'there is no segment "{segment}"; there are {known}')
    specs = [
        list_spec(app, name, where, kind)
        for name, wanted in app.config.segments.items()
        if segment in (None, name)
        for where, kinds in wanted.sync.items()
        if platform in (None, where)
        for kind in kinds
    ]
    if not specs:
        raise WorkspaceError("no list is asked for there; add a sync: entry to a segment")
    return specs


def prepare(
    app: App,
    assessment: Assessment,
    spec: AudienceSpec,
    *,
    bands: Mapping[str, int] | None = None,
    accept_shrink: int = 0,
    dry_run: bool = False,
) -> Prepared:
    """Compute one list's delta, put it before the brakes, and store it as batches unless ``dry_run``.

    Raises Braked (nothing is stored or sent), or a platform's error when the list must be created first.
    """
    wanted = _desired(app, assessment, spec, bands)
    members = wanted.membership.members
    change = plan_change(
        app, spec, members, accept_shrink=accept_shrink, dry_run=dry_run, may_shrink=bands is not None
    )
    return replace(change, left_out=dict(wanted.left_out))


def plan_change(
    app: App,
    spec: AudienceSpec,
    members: MemberTable,
    *,
    accept_shrink: int = 0,
    dry_run: bool = False,
    may_shrink: bool = False,
) -> Prepared:
    """The delta that brings one list to ``members``, before the brakes, stored as batches unless ``dry_run``.

    Raises Braked (nothing is stored or sent), or a platform's error when the list must be created first.
    """
    if not dry_run:
        ensure_list(app, spec)
    if app.store.audience(spec.audience_id) is None:
        return Prepared(spec.audience_id, len(members), len(members), 0)
    ledger = app.store.ledger_keys(spec.audience_id)
    change = delta(spec.audience_id, members, ledger_keys=ledger.keys, base_version=ledger.version)
    rows = app.store.last_import("accounts")
    warnings = check(
        app.config.brakes,
        Change(
            audience_id=spec.audience_id,
            source_rows=rows.rows_read if rows else len(members),
            desired=len(members),
            ledger=int(ledger.keys.shape[0]),
            leavers=0 if may_shrink else len(change.removes),
            minimum_audience=0 if spec.kind == MemberKind.COMPANY else minimum(app, spec.platform),
        ),
        accept_shrink=accept_shrink,
    )
    batches: tuple[str, ...] = ()
    if not dry_run and (len(change.adds) or len(change.removes)):
        size = app.platform(spec.platform).capabilities.batch_size
        batches = app.store.record_delta(change, batch_size=size, at=app.now())
    words = tuple(brake.words for brake in warnings)
    return Prepared(
        spec.audience_id, len(members), len(change.adds), len(change.removes), warnings=words, batches=batches
    )


def minimum(app: App, platform: str) -> int:
    """Members below which the platform serves nothing."""
    return int(app.platform(platform).capabilities.minimum_audience)


def _desired(
    app: App, assessment: Assessment, spec: AudienceSpec, bands: Mapping[str, int] | None
) -> Desired:
    return desired(
        spec,
        assessment.segments[spec.segment],
        rules=list_rules(app, spec.platform),
        contacts=assessment.contacts if spec.kind == MemberKind.CONTACT else None,
        suppressed=app.store.suppressed(),
        bands=bands,
    )


def list_rules(app: App, platform: str) -> ListRules:
    """What a platform asks of members."""
    able = app.platform(platform).capabilities
    return ListRules(
        identifiers=tuple(able.identifiers),
        needs_consent=able.needs_consent,
        needs_first_party=able.needs_first_party,
    )


def ensure_list(app: App, spec: AudienceSpec) -> AudienceState:
    """The list on the platform, created once and remembered."""
    record = app.store.save_audience(spec, at=app.now())
    if record.state is not None:
        return record.state
    state: AudienceState = app.platform(spec.platform).find_or_create(spec)
    app.store.save_state(state, at=app.now())
    audit(app, "list created", spec.audience_id, {"external_id": state.external_id})
    return state


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
    with leased(app, list_id):
        for batch_id in app.store.batches_to_send(list_id):
            info = app.store.batch_info(batch_id)
            waiting = [app.store.batch_info(b).op for b in app.store.batches_to_settle(list_id)]
            if any(op is not info.op for op in waiting):
                break
            total = _add(total, _send_one(app, platform, batch_id))
    return total


def _send_one(app: App, platform: object, batch_id: str) -> Sent:
    batch = app.store.batch(batch_id)
    app.store.mark_sent(batch_id, at=app.now())
    try:
        receipt = platform.push(batch)  # type: ignore[attr-defined]
    except Exception as error:
        app.store.mark_failed(batch_id, f"{type(error).__name__} {getattr(error, 'code', '')}".strip())
        raise
    app.store.settle_batch(batch_id, receipt, at=app.now())
    counts = [str(row.status) for row in receipt.results] if receipt.settled else []
    audit(app, f"batch {batch.op}", batch.audience_id, {"batch": batch_id[:12], "rows": len(batch.members)})
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
    app.store.save_state(state, at=app.now())
    return state


@contextmanager
def leased(app: App, name: str) -> Iterator[None]:
    """Hold one list (or plan) for this run, so that two workers never write to it at once. Raises Busy.

    A lease left behind by a process of this machine that no longer runs is taken over.
    """
    holder, now = _holder(), app.now()
    if not app.store.take_lease(name, holder, now=now, until=now + LEASE):
        stale = app.store.lease(name)
        if stale is None or not _dead(stale.holder) or not app.store.release_lease(name, stale.holder):
            raise Busy(f"{name} is being worked on by another run")
        if not app.store.take_lease(name, holder, now=now, until=now + LEASE):
            raise Busy(f"{name} is being worked on by another run")
    try:
        yield
    finally:
        app.store.release_lease(name, holder)


def _holder() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"


def _dead(holder: str) -> bool:
    """Whether the holder is a process of this machine that has ended."""
    host, pid, _ = holder.rsplit(":", 2)
    if host != socket.gethostname():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def patiently(app: App, act: Callable[[], T], *, attempts: int = 5, wait: float = 20.0) -> T:
    """Do ``act``, again after a wait while its error says that this helps. For runs without a scheduler."""
    for attempt in range(1, attempts + 1):
        try:
            return act()
        except Exception as error:
            if attempt == attempts or not getattr(error, "retryable", False):
                raise
            app.sleep(getattr(error, "wait", 0.0) or wait * attempt)
    raise AssertionError("unreachable")


def audit(app: App, what: str, subject: str, detail: Mapping[str, object]) -> None:
    """One line in the append-only record: who did what to which list or plan."""
    app.store.audit(AuditLine(at=app.now(), who=app.who, what=what, subject=subject, detail=dict(detail)))


def _add(one: Sent, other: Sent) -> Sent:
    numbers = ("adds", "removes", "accepted", "rejected", "unknown", "waiting")
    return Sent(one.audience_id, **{n: getattr(one, n) + getattr(other, n) for n in numbers})
