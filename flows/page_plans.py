"""Decisions on plans: exceptions with a new plan at once, approve what was shown, refuse, shadow.

An approved plan is carried out beside the page by ``activate_plan``; nothing here touches a platform.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from audiences.store.errors import Conflict
from audiences.store.errors import NotFound as NotStored
from audiences.store.records import PlanRecord, PlanStatus
from flows import balance
from flows.activate_plan import apply_plan
from flows.activate_undo import undo_plan
from flows.approvals import EXPIRED, still_stands
from flows.approvers import require_approver
from flows.exceptions import AccountException, exceptions_of, keep_exception
from flows.exposure import segment_accounts
from flows.page_part import in_page_words, told
from flows.page_plan_views import PlanViews
from flows.plan_codec import decode_inputs, decode_plan
from flows.report import formats
from flows.report.catalogue import say
from flows.web.errors import Invalid, Moved, NotFound, TooLate
from flows.web.views import PlanView

log = logging.getLogger(__name__)


class Plans(PlanViews):
    """Plans to look at, and a person's word on them."""

    def plan(self, segment: str) -> PlanView | None:
        """The newest plan of a segment, None when there is none."""
        record = self.app.store.latest_plan(self.known(segment))
        return None if record is None else self.view(record, self._moved(record))

    def plan_by_id(self, plan_id: str) -> PlanView:
        record = self._record(plan_id)
        return self.view(record, self._moved(record))

    def override(
        self, plan_id: str, account_id: str, *, kind: str, value: float | None, who: str
    ) -> PlanView:
        """Keep one account's exception and plan again at once. Raises Moved, TooLate or Invalid."""
        record = self._open(plan_id)
        account = account_id.strip().lower()
        kept = exceptions_of(self.app, record.segment)
        if account not in kept and account not in set(segment_accounts(self.app, record.segment)):
            wrong = {"account_id": say("plan.exceptions.unknown")}
            raise Invalid(say("plan.exceptions.not_made"), fields=wrong)
        exception = None if kind == "clear" else AccountException(kind, value, who)
        keep_exception(self.app, record.segment, account, exception)
        self.note(who, "override", record.segment, account=account, kind=kind, value=value)
        return self.view(self._planned_again(record, who))

    def approve(self, plan_id: str, shown_hash: str, *, who: str) -> PlanView:
        """Approve exactly what was shown and begin to carry it out. Approving again goes on with it."""
        record = self._record(plan_id)
        with in_page_words():
            require_approver(self.app, who)
        if record.status is not PlanStatus.APPROVED:
            record = self._shown(plan_id, shown_hash, who)
            with in_page_words():
                try:
                    balance.approve(self.acting(who), plan_id, seen=shown_hash, who=who)
                except Conflict as error:
                    raise TooLate(say("plan.error.decided")) from error
        self._begin(plan_id, lambda: apply_plan(self.acting(who), plan_id).notes)
        return self.plan_by_id(plan_id)

    def plan_undo(self, plan_id: str, *, who: str) -> PlanView:
        """Begin to bring lists and budgets back to what they were before this plan. Raises TooLate."""
        record = self._record(plan_id)
        if not self.may_take_back(record):
            raise TooLate(say("plan.error.not_last"))

        with in_page_words():
            require_approver(self.app, who)

        def act() -> Sequence[str]:
            undone = undo_plan(self.acting(who), record.segment)
            return (say("plan.progress.undone", n=undone.moves), *undone.notes)

        self._begin(plan_id, act)
        return self.plan_by_id(plan_id)

    def _begin(self, plan_id: str, act: Callable[[], Sequence[str]]) -> None:
        """Do it beside the page, and keep what came of it in words."""
        self.workers.start(f"plan {plan_id}", lambda: self._work(plan_id, act))

    def _work(self, plan_id: str, act: Callable[[], Sequence[str]]) -> None:
        words = f"plan progress {plan_id}"
        self.app.remembered[words] = say("plan.progress.working")
        try:
            notes = act()
        except Exception as error:
            log.warning("a plan stopped: %s", type(error).__name__)
            known = getattr(error, "remedy", None) is not None
            why = told(error) if known else say("plan.progress.fault")
            self.app.remembered[words] = say("plan.progress.stopped", why=why)
            if not known:
                raise
            return
        self.app.remembered[words] = " ".join(f"{note[:1].upper()}{note[1:]}." for note in notes)

    def refuse(self, plan_id: str, shown_hash: str, *, who: str, reason: str) -> PlanView:
        """Refuse it; nothing of it is carried out."""
        self._decided(plan_id, shown_hash)
        with in_page_words():
            balance.refuse(self.acting(who), plan_id, who=who, note=reason)
        return self.plan_by_id(plan_id)

    def shadow(self, plan_id: str, shown_hash: str, *, who: str) -> PlanView:
        """Keep the plan for comparison with what happens, and change nothing."""
        self._decided(plan_id, shown_hash)
        self.app.store.decide_plan(plan_id, PlanStatus.SHADOW, by=who, at=self.app.now(), seen=shown_hash)
        self.note(who, "shadow", plan_id[:12])
        return self.plan_by_id(plan_id)

    # -- what is shown against what would be done ---------------------------------

    def _record(self, plan_id: str) -> PlanRecord:
        try:
            return self.app.store.plan(plan_id)
        except NotStored as error:
            raise NotFound(say("error.no_plan")) from error

    def _open(self, plan_id: str) -> PlanRecord:
        """A plan nobody has decided. Raises Moved when a newer one took its place, TooLate when decided."""
        record = self._record(plan_id)
        if record.status is PlanStatus.LAPSED:
            newest = self.app.store.latest_plan(record.segment) or record
            raise Moved(
                say("plan.error.moved"),
                differences=differences(record, newest),
                path=f"/plans/{newest.plan_id}",
            )
        if record.status is not PlanStatus.PROPOSED:
            raise TooLate(say("plan.error.decided"))
        return record

    def _decided(self, plan_id: str, shown_hash: str) -> PlanRecord:
        record = self._open(plan_id)
        if record.inputs_hash != shown_hash:
            raise Moved(say("plan.error.other"), path=f"/plans/{plan_id}")
        return record

    def _shown(self, plan_id: str, shown_hash: str, who: str) -> PlanRecord:
        """The plan, while what it rests on stands. Raises Moved with what differs, and shows a new one."""
        record = self._decided(plan_id, shown_hash)
        with in_page_words(), self.guard:
            against = still_stands(self.app, record)
        if not against:
            return record
        newest = self._planned_again(record, who)
        if newest.plan_id == plan_id:
            return record
        told_ = differences(record, newest)
        self.app.remembered[f"moved {newest.plan_id}"] = told_
        late = say("plan.error.late", n=self.app.config.approvals.expire_days)
        raise Moved(
            late if EXPIRED in against else say("plan.error.inputs_moved"),
            differences=told_,
            path=f"/plans/{newest.plan_id}",
        )

    def _planned_again(self, record: PlanRecord, who: str) -> PlanRecord:
        with in_page_words(), self.guard:
            return balance.propose(self.acting(who), record.segment).record

    def _moved(self, record: PlanRecord) -> tuple[str, ...]:
        found: tuple[str, ...] = self.app.remembered.get(f"moved {record.plan_id}", ())
        return found


def differences(old: PlanRecord, new: PlanRecord) -> tuple[str, ...]:
    """How two plans of one segment differ, in sentences; what was reported first."""
    found = []
    if new.day != old.day:
        found.append(say("plan.difference.day", now=formats.day(new.day), then=formats.day(old.day)))
    arrived = len(_reported(new) - _reported(old))
    if arrived:
        found.append(say("plan.difference.arrived", n=arrived))
    before, after = ({m.account_id: m.after for m in record.moves} for record in (old, new))
    gone, come = len(before.keys() - after.keys()), len(after.keys() - before.keys())
    other = sum(before[account] != after[account] for account in before.keys() & after.keys())
    if gone or come or other:
        found.append(say("plan.difference.moves", n=gone, come=come, other=other))
    shares = [decode_plan(record.body).forecast.get("top100_share") for record in (old, new)]
    if shares[0] is not None and shares[1] is not None:
        then, now = (formats.percent(share) for share in shares)
        same = say("plan.difference.same_share", now=now)
        found.append(same if then == now else say("plan.difference.share", now=now, then=then))
    return tuple(found) or (say("plan.difference.other"),)


def _reported(record: PlanRecord) -> set[int]:
    return {report.day for report in decode_inputs(record.inputs)[0].reports} if record.inputs else set()
