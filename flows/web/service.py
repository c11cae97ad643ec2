"""Everything the page reads or does, as one protocol. It holds no logic.

Every method may raise the errors of ``flows.web.errors`` (NotFound, NothingYet, Invalid, Moved, TooLate,
Busy).
``who`` is the signed-in name and belongs into the audit log. Methods are called from worker threads, several
at a time. Reads must not change anything; every act is remembered with who, what and when.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from audiences.model import Rejected
from flows.report.model import ReportPage
from flows.web.limits import Failures
from flows.web.views import (
    AuditLine,
    Overview,
    PlanView,
    PreviewAccount,
    Proposal,
    PushOrder,
    PushPreview,
    PushProgress,
    RunLine,
    SegmentLine,
    SegmentView,
)


class PageService(Protocol):
    """What the page needs from the rest of the system."""

    # -- reading --------------------------------------------------------------

    def overview(self) -> Overview:
        """Segments with their standing, and what waits for a person."""
        ...

    def windows(self, segment: str) -> Sequence[tuple[str, str]]:
        """(key, label) of the report windows on offer, newest first, e.g. ("latest", "Last 28 days")."""
        ...

    def report(self, segment: str, window: str) -> ReportPage:
        """The page model of one window, a key of ``windows``. NothingYet when nothing was reported.

        Asked for by the page, by its table and by every download: keep it until new data is collected.
        """
        ...

    def segments(self) -> Sequence[SegmentLine]: ...

    def segment_line(self, name: str) -> SegmentLine:
        """One segment as in ``segments``; shown on top of each of its pages, so it should be cheap."""
        ...

    def segment(self, name: str) -> SegmentView:
        """Rules with what each kept and dropped, warnings, history."""
        ...

    def preview(self, name: str, limit: int) -> Sequence[PreviewAccount]:
        """The first ``limit`` qualifying accounts, best first. Companies only."""
        ...

    def runs(self, limit: int) -> Sequence[RunLine]:
        """Newest first."""
        ...

    def audit(self, limit: int) -> Sequence[AuditLine]:
        """Newest first."""
        ...

    # -- plans ----------------------------------------------------------------

    def plan(self, segment: str) -> PlanView | None:
        """The newest plan of a segment, None when there is none."""
        ...

    def plan_by_id(self, plan_id: str) -> PlanView: ...

    def override(
        self, plan_id: str, account_id: str, *, kind: str, value: float | None, who: str
    ) -> PlanView:
        """Pin, exclude or raise the cap of one account ("clear" takes it back), then plan again at once.

        kind   "pin" | "exclude" | "raise_cap" | "clear"; ``value`` (impressions per window) with "raise_cap"
        Returns the new plan, which has another id and hash.
        """
        ...

    def approve(self, plan_id: str, shown_hash: str, *, who: str) -> PlanView:
        """Approve exactly what was shown. Moved when ``shown_hash`` is not what would be applied now."""
        ...

    def refuse(self, plan_id: str, shown_hash: str, *, who: str, reason: str) -> PlanView: ...

    def shadow(self, plan_id: str, shown_hash: str, *, who: str) -> PlanView:
        """Keep the plan for comparison with what happens, and push nothing."""
        ...

    def plan_undo(self, plan_id: str, *, who: str) -> PlanView:
        """Begin to bring lists and budgets back to what they were before. TooLate for any but the last plan."""
        ...

    # -- segments -------------------------------------------------------------

    def propose_edit(self, name: str, yaml: str, *, who: str) -> Proposal:
        """Check a changed definition and count its effect; change nothing."""
        ...

    def proposal(self, proposal_id: str) -> Proposal: ...

    def write_edit(self, proposal_id: str, *, who: str) -> Proposal:
        """Write a proposal into the file, where the setting allows it."""
        ...

    # -- signing in -----------------------------------------------------------

    def failures(self) -> Failures:
        """Recent failed sign-ins, as ``flows.web.limits.FailedSignIns``: shared by every process of the page."""
        ...

    def change_failures(self, change: Callable[[Failures], Failures]) -> Failures: ...

    def note_sign_in(self, what: str, who: str, *, address: str, failures: int = 0) -> None:
        """A line in the audit log: "sign_in", "sign_in_failed", "sign_in_locked" or "sign_out".

        ``who`` is "" for a name that is no account's: it may be a password typed into the wrong field.
        """
        ...

    # -- one-off lists --------------------------------------------------------

    def push_preview(
        self, content: bytes, name: str, *, mapping: Mapping[str, str] | None, who: str
    ) -> PushPreview:
        """Read a file, map its columns (``mapping``: header -> field), check rows, send nothing.

        The content must not outlive the preview in clear.
        """
        ...

    def push_shown(self, preview_id: str) -> PushPreview:
        """A preview made earlier. NotFound once it was thrown away."""
        ...

    def push_remap(
        self, preview_id: str, mapping: Mapping[str, str], *, who: str, vouched: bool = False
    ) -> PushPreview:
        """The same file under a corrected mapping.

        ``vouched``: ``who`` says that the people gave their details themselves and agreed to be reached by ads.
        """
        ...

    def push_rejects(self, preview_id: str) -> Sequence[Rejected]:
        """Rows that cannot be used, with line, column and reason; never the value."""
        ...

    def push_confirm(self, preview_id: str, order: PushOrder, *, who: str) -> str:
        """Start the push and return its id. The same file under the same name returns the same id.

        Raises NotAllowed when so many would leave that it takes one of the approvers named in the settings.
        """
        ...

    def push_progress(self, push_id: str) -> PushProgress: ...

    def pushes(self, limit: int) -> Sequence[PushProgress]:
        """Newest first."""
        ...

    def push_cancel(self, push_id: str, *, who: str) -> PushProgress:
        """Stop a push within its first minute. TooLate afterwards."""
        ...

    def push_undo(self, push_id: str, *, who: str) -> PushProgress:
        """Take back exactly what a push added."""
        ...

    def undo(self, run_id: str, *, who: str) -> RunLine:
        """Take back what one run changed."""
        ...
