"""What must change on one list, put before the brakes and stored as batches. Sends nothing.

Changed identifiers are sent again; where that leaves an outdated one on the
platform, the member is taken off by what was sent before it is added anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from audiences.brakes import Braked, Change, check
from audiences.membership import Desired, desired
from audiences.membership_delta import delta, outdated, rows_of
from audiences.membership_keys import NO_KEYS, Keys, Rows, contained, in_byte_order, repeats
from audiences.model import AudienceSpec, Delta, MemberKind, MemberTable
from audiences.store.records import LedgerState, LedgerView
from flows.activate_lists import ensure_list, list_rules, minimum
from flows.activate_reasons import with_reasons
from flows.assess import Assessment
from flows.wiring import App


@dataclass(frozen=True, slots=True)
class Prepared:
    """One list's planned change. ``batches`` are stored; in a dry run there are none.

    ``adds`` and ``removes`` count what is sent; ``changed`` of the adds are on the list already and are sent
    again because their identifiers changed.
    """

    audience_id: str
    desired: int
    adds: int
    removes: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    batches: tuple[str, ...] = ()
    changed: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """A balanced segment over all its band lists, in members."""

    desired: int
    listed: int
    leavers: int


@dataclass(frozen=True, slots=True)
class Grounds:
    """What the brakes look at beside the list itself."""

    source_rows: int
    rules: str = ""  # fingerprint of the rules behind the list, "" where there are none
    qualifying: int = 0
    segment: Standing | None = None  # a band list is judged by its whole segment


@dataclass(frozen=True, eq=False)
class _Plan:
    """Stored in this order: ``change``, then the additions of those it takes off by outdated identifiers."""

    change: Delta
    again: MemberTable
    changed: int
    leavers: int

    @property
    def adds(self) -> int:
        return len(self.change.adds) + len(self.again)


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
    evaluation = assessment.segments[spec.segment]
    wanted = _desired(app, assessment, spec, bands)
    grounds = Grounds(
        _source_rows(app, spec),
        evaluation.rules_fingerprint,
        int(evaluation.members.sum()),
        None if bands is None else _standing(app, assessment, spec),
    )
    members = wanted.membership.members
    try:
        change = plan_change(app, spec, members, grounds, accept_shrink=accept_shrink, dry_run=dry_run)
    except Braked as error:
        raise with_reasons(error, app.config, assessment, spec.segment) from None
    return replace(change, left_out=dict(wanted.left_out))


def plan_change(
    app: App,
    spec: AudienceSpec,
    members: MemberTable,
    grounds: Grounds,
    *,
    accept_shrink: int = 0,
    dry_run: bool = False,
) -> Prepared:
    """The delta that brings one list to ``members``, before the brakes, stored as batches unless ``dry_run``.

    Raises Braked (nothing is stored or sent), or a platform's error when the list must be created first.
    """
    record = app.store.audience(spec.audience_id)
    ledger = app.store.ledger_keys(spec.audience_id) if record else _nothing(spec.audience_id)
    plan = _plan(app, spec, members, ledger)
    warnings = _braked(app, spec, grounds, _counts(members, ledger, plan, grounds), accept_shrink)
    batches: tuple[str, ...] = ()
    if not dry_run:
        ensure_list(app, spec)
        batches = _record(app, spec, plan, ledger)
        _remember_rules(app, spec, grounds)
    return Prepared(
        spec.audience_id,
        len(members),
        plan.adds,
        len(plan.change.removes),
        warnings=warnings,
        batches=batches,
        changed=plan.changed,
    )


def _nothing(audience_id: str) -> LedgerView:
    return LedgerView(audience_id, 0, NO_KEYS, np.zeros(0, np.uint8), np.zeros(0, np.int64))


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


# -- the delta -----------------------------------------------------------------


def _plan(app: App, spec: AudienceSpec, members: MemberTable, ledger: LedgerView) -> _Plan:
    """The store knows the identifiers of those who leave."""

    def sent(rows: Rows) -> MemberTable:
        found: MemberTable = app.store.ledger_members(spec.audience_id, ledger.keys[rows])
        return found

    change = delta(
        spec.audience_id,
        members,
        ledger_keys=ledger.keys,
        ledger_digests=ledger.digests,
        base_version=ledger.version,
        ledger_members=sent if ledger.details and len(ledger.keys) else None,
    )
    leavers = len(change.removes)
    present = ledger.keys[ledger.states != LedgerState.REJECTED]
    listed = np.flatnonzero(contained(change.adds.keys, ledger.keys))
    known = np.flatnonzero(contained(change.adds.keys, present))
    before = app.store.ledger_members(spec.audience_id, change.adds.keys[known]) if known.size else None
    stale = known[outdated(before, rows_of(change.adds, known))] if before is not None else known
    again = rows_of(change.adds, stale)
    if stale.size:
        others = np.setdiff1d(np.arange(len(change.adds)), stale)
        gone = MemberTable(again.keys, [b""] * stale.size, [""] * stale.size)
        change = replace(change, adds=rows_of(change.adds, others), removes=_together(change.removes, gone))
    return _Plan(change, again, int(listed.size), leavers)


def _together(one: MemberTable, other: MemberTable) -> MemberTable:
    return MemberTable(
        np.concatenate([one.keys, other.keys]),
        [*one.payloads, *other.payloads],
        [*one.account_ids, *other.account_ids],
    )


def _record(app: App, spec: AudienceSpec, plan: _Plan, ledger: LedgerView) -> tuple[str, ...]:
    """Cut off between the two, the next run finds those of ``again`` missing and adds them."""
    size, base = app.platform(spec.platform).capabilities.batch_size, plan.change.base_version
    batches: tuple[str, ...] = app.store.record_delta(plan.change, batch_size=size, at=app.now(), view=ledger)
    if len(plan.again):
        nobody = rows_of(plan.again, np.zeros(0, dtype=np.intp))
        anew = Delta(spec.audience_id, base + 1, plan.again, nobody)
        batches += app.store.record_delta(anew, batch_size=size, at=app.now())
    return batches


# -- the brakes ----------------------------------------------------------------


def _counts(members: MemberTable, ledger: LedgerView, plan: _Plan, grounds: Grounds) -> Standing:
    return grounds.segment or Standing(len(members), int(ledger.keys.shape[0]), plan.leavers)


def _braked(
    app: App, spec: AudienceSpec, grounds: Grounds, counts: Standing, accept_shrink: int
) -> tuple[str, ...]:
    """Words of the brakes that only warn. Raises Braked."""
    before: dict[str, Any] = app.store.get(_rules_name(spec), {})
    change = Change(
        audience_id=spec.audience_id,
        source_rows=grounds.source_rows,
        desired=counts.desired,
        ledger=counts.listed,
        leavers=counts.leavers,
        minimum_audience=0 if spec.kind == MemberKind.COMPANY else minimum(app, spec.platform),
        previous_qualifying=before.get("qualifying"),
        qualifying=grounds.qualifying,
        rules_changed=bool(before and grounds.rules) and before.get("rules") != grounds.rules,
    )
    try:
        return tuple(brake.words for brake in check(app.config.brakes, change, accept_shrink=accept_shrink))
    except Braked as error:
        if spec.band is None:
            raise
        number = max(brake.number for brake in error.brakes)
        remedy = f"If this is meant, run evenreach sync {spec.segment} --accept-shrink {number} first."
        raise Braked(str(error.args[0]), brakes=error.brakes, remedy=remedy) from None


def _remember_rules(app: App, spec: AudienceSpec, grounds: Grounds) -> None:
    """What the next change of the rules is compared with."""
    value = {"rules": grounds.rules, "qualifying": grounds.qualifying}
    if grounds.rules and app.store.get(_rules_name(spec)) != value:
        app.store.put(_rules_name(spec), value, at=app.now())


def _rules_name(spec: AudienceSpec) -> str:
    """Band lists share the memory of the segment's own list: what was accepted there counts here."""
    return f"rules/{_own_list(spec)}"


def _own_list(spec: AudienceSpec) -> str:
    return spec.audience_id if spec.band is None else spec.audience_id.rpartition("/")[0]


def _source_rows(app: App, spec: AudienceSpec) -> int:
    what = "contacts" if spec.kind == MemberKind.CONTACT else "accounts"
    rows = app.store.last_import(what)
    return rows.rows_read if rows else 0


def _standing(app: App, assessment: Assessment, spec: AudienceSpec) -> Standing:
    """The balanced segment as a whole: moving between bands is not leaving.

    Who has left the segment's own list has been through its brake already.
    """
    whole = _desired(app, assessment, replace(spec, band=None), None).membership.members.keys
    listed = _in_bands(app, spec)
    gone = listed[~contained(listed, whole)]
    if app.store.audience(_own_list(spec)) is not None:
        gone = gone[contained(gone, app.store.ledger_keys(_own_list(spec)).keys)]
    newcomers = int((~contained(whole, listed)).sum())
    return Standing(len(whole), len(listed) + newcomers if len(listed) else 0, len(gone))


def _in_bands(app: App, spec: AudienceSpec) -> Keys:
    """Everybody on any band list of the segment, once."""
    lists = [
        record.spec.audience_id
        for record in app.store.audiences(platform=spec.platform)
        if record.spec.segment == spec.segment
        and record.spec.band is not None
        and record.spec.kind == spec.kind
    ]
    keys = [app.store.ledger_keys(list_id).keys for list_id in lists]
    everybody = in_byte_order(np.concatenate([NO_KEYS, *keys]))[1]
    return everybody[~repeats(everybody)]


__all__ = ["Grounds", "Prepared", "Standing", "plan_change", "prepare"]
