"""A whole PageService in memory: plans that move, files that are read, pushes on a clock one can turn."""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache

from audiences.model import Rejected
from balancer.types import Bounded, Move
from flows.report.model import ReportPage, plan_summary
from flows.report.pieces import AccountFacts, ListLine
from flows.web.errors import Invalid, Moved, NotFound, NothingYet, TooLate
from flows.web.limits import Failures
from flows.web.views import (
    AuditLine,
    ColumnChoice,
    Override,
    Overview,
    PlanView,
    PreviewAccount,
    PricePoint,
    Proposal,
    PushForecast,
    PushOrder,
    PushPreview,
    PushProgress,
    RuleLine,
    RunLine,
    SegmentLine,
    SegmentView,
    SizePoint,
    Waiting,
)
from tests.flows.report import share_worlds

START = datetime(2026, 5, 25, 7, 30, tzinfo=UTC)
YAML = """name: strike-dach
who:
  all:
    - tier: [1]
    - country: [DE, AT, CH]
    - employees: {from: 200}
"""
FIELDS = (
    ("company_name", "Company name"),
    ("domain", "Web address"),
    ("email", "E-mail"),
    ("phone", "Phone"),
)
SYNONYMS = {
    "company": "company_name",
    "website": "domain",
    "domain": "domain",
    "email": "email",
    "e-mail": "email",
}


class Clock:
    """A clock the test turns."""

    def __init__(self, at: datetime = START):
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def turn(self, **by: float) -> None:
        self.at += timedelta(**by)


@cache
def reports(accounts: int) -> tuple[ReportPage, ReportPage]:
    """The report with and without a comparison; frozen, so tests may share them."""
    return share_worlds.report_page(accounts), share_worlds.report_page(accounts, compared=False)


class MemoryService:
    """Two segments with data and one without, one plan waiting, and everything a visitor can do to them."""

    def __init__(self, clock: Clock, *, accounts: int = 240):
        self.clock = clock
        self.page, self.alone = reports(accounts)
        self.lines = {
            "strike-dach": SegmentLine(
                "strike-dach", "Strike list DACH", 2431, 184_300, tuple(share_worlds.lists()),
                START - timedelta(hours=3), self.page.now.top_share, self.page.now.coverage_even, 1, 1,
            ),
            "intent 30/d": SegmentLine("intent 30/d", "Intent, last 30 days", 912, warnings=0),
            "customers": SegmentLine("customers", "Customers", 143, negative=True),
        }  # fmt: skip
        self.facts = {a: AccountFacts(name=f"Company {a[8:13]}") for a in share_worlds.account_ids(accounts)}
        self.base = share_worlds.balance_plan(accounts)
        self.inputs = "inputs-1"
        self.exceptions: tuple[Override, ...] = ()
        self.plans: dict[str, PlanView] = {}
        self.newest = self._make_plan()
        self.plans["done"] = replace(self.newest, plan_id="done", status="applied", may_undo=True)
        self.proposals: dict[str, Proposal] = {}
        self.files: dict[str, tuple[bytes, str, dict[str, str]]] = {}
        self.vouched: dict[str, str] = {}
        self.orders: dict[str, tuple[str, PushOrder, datetime, str]] = {}
        self.log: list[AuditLine] = []
        self.failed: dict[str, list[float]] = {}
        self.run_lines = [
            RunLine("run-2", "sync", "Strike list DACH", "linkedin", START - timedelta(hours=3), "completed",
                    START - timedelta(hours=3) + timedelta(seconds=41), 214, 12, 219, 4, 3,
                    "http://127.0.0.1:4200/runs/flow-run/2", True),
            RunLine("run-1", "sync", "Intent, last 30 days", "google", START - timedelta(days=1), "refused",
                    message="41 % of the list would leave; the brake is at 20 %."),
        ]  # fmt: skip

    # -- reading --------------------------------------------------------------

    def overview(self) -> Overview:
        waiting = [
            Waiting(f"A plan for {self.lines[p.segment].title}", f"/plans/{p.plan_id}", p.made_at)
            for p in self.plans.values()
            if p.status == "proposed"
        ]
        return Overview(tuple(self.lines.values()), tuple(waiting), sandbox=True)

    def windows(self, segment: str) -> Sequence[tuple[str, str]]:
        self._line(segment)
        return (
            [("latest", "Last 28 days"), ("before", "Before balancing")] if segment == "strike-dach" else []
        )

    def report(self, segment: str, window: str) -> ReportPage:
        if not self.windows(segment):
            raise NothingYet("Nothing has been reported for this segment yet.")
        if window not in ("latest", "before"):
            raise NotFound("There is no such window.")
        return self.page if window == "latest" else self.alone

    def segments(self) -> Sequence[SegmentLine]:
        return tuple(self.lines.values())

    def segment_line(self, name: str) -> SegmentLine:
        return self._line(name)

    def segment(self, name: str) -> SegmentView:
        return SegmentView(
            self._line(name),
            (
                RuleLine("all of", 2431, 2556),
                RuleLine("tier is 1", 3010, 1977, 0, 1),
                RuleLine("country is Germany, Austria or Switzerland", 2702, 2285, 41, 1),
                RuleLine("at least 200 employees", 2431, 2014, 542, 1),
            ),
            YAML,
            ("The number of employees is known for 89 % of accounts only.",),
            tuple(SizePoint(date(2026, 5, 1) + timedelta(days=3 * i), 2300 + 17 * i) for i in range(8)),
            may_write=True,
            reviewed_on=date(2026, 4, 2),
        )

    def preview(self, name: str, limit: int) -> Sequence[PreviewAccount]:
        self._line(name)
        ids = share_worlds.account_ids(240)[:limit] if name == "strike-dach" else ()
        return [PreviewAccount(a, f"Company {a[8:13]}", a, "DE", "Machinery", 900, 1, 88.0, 2.5) for a in ids]

    def runs(self, limit: int) -> Sequence[RunLine]:
        return self.run_lines[:limit]

    def audit(self, limit: int) -> Sequence[AuditLine]:
        return self.log[::-1][:limit]

    def _line(self, name: str) -> SegmentLine:
        if name not in self.lines:
            raise NotFound("There is no such segment.")
        return self.lines[name]

    def _note(self, who: str, action: str, subject: str, detail: str = "") -> None:
        self.log.append(AuditLine(self.clock(), who, action, subject, detail))

    # -- plans ----------------------------------------------------------------

    def failures(self) -> Failures:
        return {key: list(times) for key, times in self.failed.items()}

    def change_failures(self, change: Callable[[Failures], Failures]) -> Failures:
        self.failed = change(self.failures())
        return self.failed

    def note_sign_in(self, what: str, who: str, *, address: str, failures: int = 0) -> None:
        self._note(who, what, "page", f"from {address}, {failures} failures")

    def _make_plan(self) -> PlanView:
        mark = hashlib.sha256(f"{self.inputs}|{self.exceptions}".encode()).hexdigest()
        plan_id = mark[:10]
        if plan_id in self.plans:
            self.plans[plan_id] = replace(self.plans[plan_id], status="proposed")
            return self.plans[plan_id]
        moves = (
            self.base.moves
            if self.inputs == "inputs-1"
            else (*self.base.moves[3:], Move("x.example", 1, 3, "shock"))
        )
        spared = {item.account_id for item in self.exceptions}
        plan = replace(self.base, moves=tuple(m for m in moves if m.account not in spared), inputs_hash=mark)
        self.plans[plan_id] = PlanView(
            plan_id, "strike-dach", "proposed", mark, self.clock(), plan_summary(plan, self.facts),
            share_now=Bounded(0.36, 0.38, 0.4),
            rehearsal=("Over the last eight weeks: top share 21 % instead of 38 %, delivery 99 %.",),
            price=(PricePoint(0.3, 0.999), PricePoint(0.24, 0.992), PricePoint(0.15, 0.97)),
            overrides=self.exceptions, operations=61,
        )  # fmt: skip
        return self.plans[plan_id]

    def inputs_move(self) -> PlanView:
        """New reports arrive: what waits is planned anew."""
        self.inputs += "+"
        before = self.newest
        self.plans[before.plan_id] = replace(before, status="lapsed")
        made = self._make_plan()
        told = ("3 accounts are no longer moved, 1 is new: x.example.", "The expected share stays at 20 %.")
        self.newest = self.plans[made.plan_id] = replace(made, differences=told)
        return self.newest

    def plan(self, segment: str) -> PlanView | None:
        self._line(segment)
        return self.newest if segment == "strike-dach" else None

    def plan_by_id(self, plan_id: str) -> PlanView:
        if plan_id not in self.plans:
            raise NotFound("There is no such plan.")
        return self.plans[plan_id]

    def override(
        self, plan_id: str, account_id: str, *, kind: str, value: float | None, who: str
    ) -> PlanView:
        found = self._open(plan_id)
        if account_id not in self.facts:
            raise Invalid(
                "The exception could not be made.", fields={"account_id": "No such account in this segment."}
            )
        others = tuple(item for item in self.exceptions if item.account_id != account_id)
        made = () if kind == "clear" else (Override(account_id, self.facts[account_id].name, kind, value),)
        self.exceptions = (*others, *made)
        self.plans[found.plan_id] = replace(found, status="lapsed")
        self.newest = self._make_plan()
        self._note(who, "override", account_id, kind)
        return self.newest

    def _open(self, plan_id: str) -> PlanView:
        found = self.plan_by_id(plan_id)
        if found.status == "lapsed":
            raise Moved(
                "The data moved while you were looking.",
                differences=self.newest.differences,
                path=f"/plans/{self.newest.plan_id}",
            )
        if found.status != "proposed":
            raise TooLate("This plan has been decided already.")
        return found

    def _decide(self, plan_id: str, shown_hash: str, status: str, who: str, detail: str = "") -> PlanView:
        found = self._open(plan_id)
        if shown_hash != found.shown_hash:
            raise Moved("The data moved while you were looking.", path=f"/plans/{self.newest.plan_id}")
        made = replace(found, status=status, decided_by=who, decided_at=self.clock())
        self.plans[plan_id] = made
        self.newest = made
        action = {"approved": "approve", "refused": "refuse"}.get(status, status)
        self._note(who, action, plan_id, detail)
        return made

    def approve(self, plan_id: str, shown_hash: str, *, who: str) -> PlanView:
        return self._decide(plan_id, shown_hash, "approved", who)

    def refuse(self, plan_id: str, shown_hash: str, *, who: str, reason: str) -> PlanView:
        return self._decide(plan_id, shown_hash, "refused", who, reason)

    def shadow(self, plan_id: str, shown_hash: str, *, who: str) -> PlanView:
        return self._decide(plan_id, shown_hash, "shadow", who)

    def plan_undo(self, plan_id: str, *, who: str) -> PlanView:
        found = self.plan_by_id(plan_id)
        if not found.may_undo:
            raise TooLate("Only the plan that was carried out last can be taken back.")
        self.plans[plan_id] = replace(found, may_undo=False, undone=True)
        self._note(who, "undo", plan_id)
        return self.plans[plan_id]

    # -- segments -------------------------------------------------------------

    def propose_edit(self, name: str, yaml: str, *, who: str) -> Proposal:
        self._line(name)
        diff = "\n".join(difflib.unified_diff(YAML.splitlines(), yaml.splitlines(), lineterm="", n=2))
        problems = () if "name:" in yaml else ("Line 1: a segment needs a name.",)
        key = hashlib.sha256(f"{name}|{yaml}".encode()).hexdigest()[:10]
        self.proposals[key] = Proposal(key, name, yaml, diff, problems, (), 2431, 2702, may_write=True)
        self._note(who, "propose", name)
        return self.proposals[key]

    def proposal(self, proposal_id: str) -> Proposal:
        if proposal_id not in self.proposals:
            raise NotFound("There is no such proposal.")
        return self.proposals[proposal_id]

    def write_edit(self, proposal_id: str, *, who: str) -> Proposal:
        found = self.proposal(proposal_id)
        if found.problems:
            raise Invalid("The proposal cannot be used.", fields={"yaml": found.problems[0]})
        self.proposals[proposal_id] = replace(found, written=True)
        self._note(who, "write", found.segment)
        return self.proposals[proposal_id]

    # -- one-off lists --------------------------------------------------------

    def push_preview(
        self, content: bytes, name: str, *, mapping: Mapping[str, str] | None, who: str
    ) -> PushPreview:
        try:
            rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
        except (UnicodeDecodeError, csv.Error):
            raise Invalid(
                "The file could not be read.", fields={"file": "It is not a CSV file in UTF-8."}
            ) from None
        if not rows or not rows[0]:
            raise Invalid("The file has no header.", fields={"file": "The first line must name the columns."})
        guessed = {h: SYNONYMS.get(h.strip().lower(), "") for h in rows[0]}
        key = hashlib.sha256(content).hexdigest()[:10]
        self.files[key] = (content, name, dict(mapping or guessed))
        return self.push_shown(key)

    def _read(self, preview_id: str) -> tuple[list[str], list[list[str]], dict[str, str], str]:
        if preview_id not in self.files:
            raise NotFound("This preview was thrown away.")
        content, name, mapping = self.files[preview_id]
        head, *rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
        return head, rows, mapping, name

    def push_rejects(self, preview_id: str) -> Sequence[Rejected]:
        head, rows, mapping, name = self._read(preview_id)
        found, seen = [], set()
        for number, row in enumerate(rows, start=2):
            cells = {
                mapping.get(h, ""): c.strip().lower()
                for h, c in zip(head, row, strict=False)
                if mapping.get(h)
            }
            if len(row) < len(head):
                found.append(Rejected(name, number, "", "too_few_columns"))
            elif "email" in cells and "@" not in cells["email"]:
                found.append(Rejected(name, number, "email", "email_malformed"))
            elif not any(cells.get(k) for k in ("email", "domain", "phone")):
                found.append(Rejected(name, number, "", "no_identifier"))
            elif (identity := cells.get("email") or cells.get("domain")) in seen:
                found.append(Rejected(name, number, "", "duplicate"))
            else:
                seen.add(identity)
        return found

    def push_shown(self, preview_id: str) -> PushPreview:
        head, rows, mapping, name = self._read(preview_id)
        rejects = self.push_rejects(preview_id)
        usable = len(rows) - len(rejects)
        contacts = "email" in mapping.values()
        columns = tuple(
            ColumnChoice(
                h,
                mapping.get(h, ""),
                sum(len(r) > i and bool(r[i].strip()) for r in rows) / max(len(rows), 1),
            )
            for i, h in enumerate(head)
        )
        problems = (
            () if set(mapping.values()) & {"email", "domain", "phone"} else ("No column identifies anyone.",)
        )
        return PushPreview(
            preview_id, name, "contact" if contacts else "company", len(rows), usable, len(rejects),
            dict(Counter(r.reason for r in rejects)), columns, FIELDS,
            (
                PushForecast("linkedin", usable, 0, 0.55, 0.7, 300, usable >= 500),
                PushForecast("google", usable, 0, 0.4, 0.6, 100, usable >= 200, "First-party contacts only."),
            ),
            name.rpartition(".")[0], any(o[0] == preview_id for o in self.orders.values()), problems,
            self.vouched.get(preview_id, ""),
        )  # fmt: skip

    def push_remap(
        self, preview_id: str, mapping: Mapping[str, str], *, who: str, vouched: bool = False
    ) -> PushPreview:
        self._read(preview_id)
        content, name, _ = self.files[preview_id]
        self.files[preview_id] = (content, name, dict(mapping))
        self.vouched[preview_id] = who if vouched else ""
        return self.push_shown(preview_id)

    def push_confirm(self, preview_id: str, order: PushOrder, *, who: str) -> str:
        if self.push_shown(preview_id).problems:
            raise Invalid("The list cannot be sent.", fields={"file": "No column identifies anyone."})
        key = hashlib.sha256(f"{preview_id}|{order.list_name}".encode()).hexdigest()[:10]
        if key not in self.orders:
            self.orders[key] = (preview_id, order, self.clock(), "")
            self._note(who, "push", order.list_name)
        return key

    def push_progress(self, push_id: str) -> PushProgress:
        if push_id not in self.orders:
            raise NotFound("There is no such push.")
        preview_id, order, started, ended = self.orders[push_id]
        total = self.push_shown(preview_id).usable
        age = (self.clock() - started).total_seconds()
        stage = ended or (
            "waiting" if age < 60 else "sending" if age < 90 else "settling" if age < 120 else "ready"
        )
        done = 0 if stage in ("waiting", "cancelled") else total
        status = {"ready": "ready", "settling": "building"}.get(stage, "")
        lists = tuple(
            ListLine(order.list_name, p, "contact", done, 0, done, 0, 0, status) for p in order.platforms
        )
        return PushProgress(
            push_id, order.list_name, stage, done, total, lists if done else (),
            started + timedelta(minutes=1),
            stage in ("ready", "settling"), order.owner, order.note, order.ends_on,
        )  # fmt: skip

    def pushes(self, limit: int) -> Sequence[PushProgress]:
        return [self.push_progress(key) for key in list(self.orders)[::-1][:limit]]

    def _end(self, push_id: str, stage: str, who: str, action: str) -> PushProgress:
        preview_id, order, started, _ = self.orders[push_id]
        self.orders[push_id] = (preview_id, order, started, stage)
        self._note(who, action, order.list_name)
        return self.push_progress(push_id)

    def push_cancel(self, push_id: str, *, who: str) -> PushProgress:
        found = self.push_progress(push_id)
        if found.stage != "waiting":
            raise TooLate("The minute to cancel is over.")
        return self._end(push_id, "cancelled", who, "cancel")

    def push_undo(self, push_id: str, *, who: str) -> PushProgress:
        if not self.push_progress(push_id).may_undo:
            raise TooLate("There is nothing to undo.")
        return self._end(push_id, "undone", who, "undo")

    def undo(self, run_id: str, *, who: str) -> RunLine:
        for i, run in enumerate(self.run_lines):
            if run.run_id == run_id:
                if not run.may_undo:
                    raise TooLate("This run cannot be undone.")
                self.run_lines[i] = replace(run, status="undone", may_undo=False)
                self._note(who, "undo", run_id)
                return self.run_lines[i]
        raise NotFound("There is no such run.")
