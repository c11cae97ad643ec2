"""Runs as the page lists them, and taking one back. A run is one change of one list, a plan, or a collection.

Undoing computes a delta from the ledger as it stood before, and sends it through ``activate`` like any other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from audiences.store.plans import PlanHead
from audiences.store.records import AudienceRecord, AuditLine, BatchInfo, BatchStatus, PlanStatus
from flows.activate_undo import taken_back
from flows.approvers import accept_if_large
from flows.page_audit import Audits
from flows.page_part import in_page_words
from flows.report.catalogue import say
from flows.restore import restore
from flows.web.errors import NotFound, TooLate
from flows.web.views import RunLine
from flows.wiring import App

BATCHES = 2_000  # newest of each list that are looked at
_PLANS = {
    PlanStatus.APPLIED: "completed",
    PlanStatus.APPROVED: "running",
    PlanStatus.REFUSED: "refused",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One recorded change of one list: the batches of one ledger version."""

    record: AudienceRecord
    version: int
    batches: tuple[BatchInfo, ...]

    @property
    def run_id(self) -> str:
        name = f"{self.record.spec.audience_id}@{self.version}"
        return hashlib.sha256(name.encode()).hexdigest()[:16]


class Runs(Audits):
    """What ran, and what came of it."""

    def runs(self, limit: int) -> Sequence[RunLine]:
        """Newest first: list changes, plans that were decided, collections of reports."""
        engine = self._engine_runs()
        lines = [self._line_of(change, engine) for change in self._changes()]
        lines += [
            self._line_of_plan(plan, engine)
            for plan in self.app.store.plan_heads(limit=limit)
            if plan.status in _PLANS
        ]
        lines += [self._line_of_collection(line) for line in self._collections()]
        return sorted(lines, key=lambda line: line.started, reverse=True)[:limit]

    def undo(self, run_id: str, *, who: str) -> RunLine:
        """Bring a list back to what it was before one run. Raises TooLate when it has changed since."""
        for change in self._changes():
            if change.run_id == run_id:
                if not self._may_undo(change):
                    raise TooLate(say("runs.not_undone"))
                list_id = change.record.spec.audience_id
                with in_page_words():
                    way_back(self.acting(who), list_id, change.version - 1)()
                self._remember_undone(list_id, change.version)
                self.note(who, "undo", list_id, version=change.version)
                return self._line_of(change, {})
        raise NotFound(say("error.no_run"))

    # -- changes of lists ---------------------------------------------------------

    def _changes(self) -> Iterator[Change]:
        """Every recorded change, without those of bands: a band moves with its plan."""
        for record in self.app.store.audiences():
            if record.spec.band is not None:
                continue
            log = self.app.store.batch_log(record.spec.audience_id, limit=BATCHES)
            for version in sorted({batch.version for batch in log}):
                yield Change(record, version, tuple(b for b in log if b.version == version))

    def _line_of(self, change: Change, engine: Mapping[str, str]) -> RunLine:
        spec, batches = change.record.spec, change.batches
        undone = change.version in self._undone(spec.audience_id)
        settled = all(batch.status is BatchStatus.SETTLED for batch in batches)
        ended = [batch.settled_at for batch in batches if batch.settled_at]
        error = next((batch.error for batch in batches if batch.error), "")
        one_off = not spec.segment
        return RunLine(
            run_id=change.run_id,
            kind="push" if one_off else "sync",
            segment=spec.name if one_off else self._title(spec.segment),
            platform=spec.platform,
            started=min(batch.created_at for batch in batches),
            status="undone" if undone else "completed" if settled else "failed" if error else "running",
            ended=max(ended) if settled and ended else None,
            adds=sum(batch.n for batch in batches if batch.op == "add"),
            removes=sum(batch.n for batch in batches if batch.op == "remove"),
            accepted=sum(batch.accepted for batch in batches),
            rejected=sum(batch.rejected for batch in batches),
            unknown=sum(batch.unknown for batch in batches),
            link=self.run_link(
                next((engine[b.batch_id[:12]] for b in batches if b.batch_id[:12] in engine), "")
            ),
            may_undo=self._may_undo(change),
            message=error,
        )

    def _line_of_plan(self, plan: PlanHead, engine: Mapping[str, str]) -> RunLine:
        return RunLine(
            run_id=plan.plan_id,
            kind="balance",
            segment=self._title(plan.segment),
            platform="",
            started=plan.decided_at or plan.created_at,
            status="undone" if taken_back(self.app, plan.segment) == plan.plan_id else _PLANS[plan.status],
            adds=plan.placed,
            removes=plan.left,
            link=self.run_link(engine.get(plan.plan_id[:12], "")),
            message=say("runs.moved", n=plan.moves) if plan.moves else say("runs.budgets"),
        )

    def _line_of_collection(self, line: AuditLine) -> RunLine:
        days, rows = (int(line.detail.get(name, 0)) for name in ("days", "rows"))
        return RunLine(
            run_id=f"collected-{line.number}",
            kind="collect",
            segment=self._title(line.subject),
            platform=str(line.detail.get("platform", "")),
            started=line.at,
            ended=line.at,
            status="completed",
            link=self.run_link(str(line.detail.get("run", ""))),
            message=say("runs.collected", days=say("count.day", n=days), rows=say("count.row", n=rows)),
        )

    def _may_undo(self, change: Change) -> bool:
        """Only a list's newest change, once it has been answered: what came after would be lost too."""
        newest = change.version == change.record.ledger_version
        settled = all(batch.status is BatchStatus.SETTLED for batch in change.batches)
        fresh = change.version not in self._undone(change.record.spec.audience_id)
        moved = any(batch.n for batch in change.batches)
        return newest and settled and fresh and moved and change.record.spec.band is None

    def _undone(self, list_id: str) -> set[int]:
        """Versions that were taken back, and the versions that took them back."""
        kept: list[int] = self.app.store.get(f"undone/{list_id}", [])
        return set(kept)

    def _remember_undone(self, list_id: str, version: int) -> None:
        after = self.app.store.ledger_keys(list_id).version
        kept = sorted(self._undone(list_id) | {version} | ({after} if after > version else set()))
        self.app.store.put(f"undone/{list_id}", kept, at=self.app.now())


def way_back(app: App, list_id: str, version: int) -> Callable[[], object]:
    """What brings a list back to an earlier version; where a brake would stop that, only an approver gets it.

    Whoever was suppressed since stays off. Raises NotAnApprover, or NotFound for a version that is not kept.
    """
    record = app.store.audience(list_id)
    if record is None:
        raise NotFound(say("error.no_list"))
    spec = record.spec
    leavers = accept_if_large(
        app,
        list_id,
        lambda accepted: restore(app, spec, version, accept_shrink=accepted, dry_run=True),
        because="taken back on the page",
    )
    return lambda: restore(app, spec, version, accept_shrink=leavers)
