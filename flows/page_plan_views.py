"""A stored plan as the page shows it: summary, share today, rehearsal, price, exceptions. Decides nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from audiences.store.records import PlanRecord, PlanStatus
from balancer.errors import BalancerError
from balancer.frontier import power_frontier
from balancer.hiding import TRUNCATED
from balancer.rehearse import rehearse
from balancer.types import BalancePlan, Policy, ShareTable, Vector
from flows.activate_undo import taken_back
from flows.exceptions import AccountException
from flows.page_report import Reports
from flows.plan_codec import decode_inputs, decode_plan, policy_from
from flows.report import formats
from flows.report.catalogue import say
from flows.report.model import plan_summary
from flows.report.pieces import PlanSummary
from flows.reporting import account_facts
from flows.web.views import Override, PlanView, PricePoint

STEPS = 6  # points of the price curve shown as a table
REHEARSED_WEEKS = 8


@dataclass(frozen=True, slots=True)
class Drawn:
    """What of a plan never changes while the reports are the same; made once, it names every account."""

    summary: PlanSummary
    price: tuple[PricePoint, ...]
    overrides: tuple[Override, ...]


class PlanViews(Reports):
    """Plans in the page's terms."""

    def view(self, record: PlanRecord, differences: tuple[str, ...] = ()) -> PlanView:
        """One plan. What it rests on was recorded with it, so the page shows what would be carried out."""
        table = self._newest_table(record.segment)
        total = table.exposure.total if table is not None else 0.0
        fixed: Drawn = self.once(("plan", record.plan_id, total), lambda: self._drawn(record, table))
        return PlanView(
            plan_id=record.plan_id,
            segment=record.segment,
            status=str(record.status),
            shown_hash=record.inputs_hash,
            made_at=record.created_at,
            summary=fixed.summary,
            share_now=table.top_share if table is not None else None,
            rehearsal=self._rehearsal(record, table),
            price=fixed.price,
            overrides=fixed.overrides,
            differences=differences,
            decided_by=self._decider(record),
            decided_at=record.decided_at,
            holds_until=record.created_at + timedelta(days=self.app.config.approvals.expire_days),
            operations=sum((m.before >= 0) + (m.after >= 0) for m in record.moves),
            progress=str(self.app.remembered.get(f"plan progress {record.plan_id}", "")),
            may_undo=self.may_take_back(record),
            undone=taken_back(self.app, record.segment) == record.plan_id,
            working=self.workers.busy(f"plan {record.plan_id}"),
        )

    def _decider(self, record: PlanRecord) -> str:
        """Who decided; of a plan that was carried out, who approved it: the record then names who carried it out."""
        if record.status is not PlanStatus.APPLIED:
            return record.decided_by or ""
        lines = self.app.store.audit_log(subject=record.segment, what="plan approved", limit=100_000)
        said = (line.detail.get("by") for line in lines if line.detail.get("plan") == record.plan_id[:12])
        return str(next(said, record.decided_by) or "")

    def may_take_back(self, record: PlanRecord) -> bool:
        """Only the plan that was carried out last, once, and not while it is being worked on."""
        last = self.app.store.latest_plan(record.segment, statuses=(PlanStatus.APPLIED,))
        newest = last is not None and last.plan_id == record.plan_id
        idle = not self.workers.busy(f"plan {record.plan_id}")
        return newest and idle and taken_back(self.app, record.segment) != record.plan_id

    def _drawn(self, record: PlanRecord, table: ShareTable | None) -> Drawn:
        plan = decode_plan(record.body)
        facts = account_facts(self.app, record.segment)
        names = {account: fact.name or account for account, fact in facts.items()}
        return Drawn(
            _largest_first(plan_summary(plan, facts), table),
            self._price(plan, table),
            _overrides(self._exceptions_in(record), names),
        )

    def _newest_table(self, segment: str) -> ShareTable | None:
        spans = self._spans(segment)
        table: ShareTable | None = self._table(segment, spans[0]) if spans else None
        return table

    def _exceptions_in(self, record: PlanRecord) -> dict[str, AccountException]:
        """The exceptions the plan was made under: those of the recorded policy that no setting asks for."""
        if record.inputs is None:
            return {}
        _, policy = decode_inputs(record.inputs)
        standing = self._written_policy(record.segment)
        found = {a: AccountException("exclude") for a in policy.held - standing.held}
        found |= {a: AccountException("pin") for a, v in policy.pins.items() if standing.pins.get(a) != v}
        raised = policy.raised.items()
        found |= {a: AccountException("raise_cap", v) for a, v in raised if standing.raised.get(a) != v}
        return found

    def _written_policy(self, segment: str) -> Policy:
        balance = self.app.config.segments[segment].balance if segment in self.app.config.segments else None
        return policy_from(self.app.config.policies[balance.policy]) if balance else Policy()

    def _price(self, plan: BalancePlan, table: ShareTable | None) -> tuple[PricePoint, ...]:
        """What evenness costs on the newest window's best guess, at the price response the plan found."""
        if table is None or float(table.exposure.point.sum()) <= 0.0:
            return ()
        elasticity = max(float(plan.forecast.get("elasticity", 0.0)), 0.0)
        points = power_frontier(table.exposure.point, elasticity=elasticity, top=table.top)
        even = np.linspace(points[0].share, points[-1].share, STEPS)
        nearest = {int(np.argmin([abs(point.share - share) for point in points])) for share in even}
        return tuple(PricePoint(points[i].share, min(points[i].delivery, 1.0)) for i in sorted(nearest))

    def _rehearsal(self, record: PlanRecord, table: ShareTable | None) -> tuple[str, ...]:
        """What the policy would do from the newest report on; computed once, beside the page."""
        if table is None:
            return ()
        key = f"rehearsal {record.segment} {record.mode} {table.exposure.total}"
        if key in self.app.remembered:
            sentences: tuple[str, ...] = self.app.remembered[key]
            return sentences
        if str(record.status) != "proposed":
            return ()
        counts = np.asarray(np.round(table.exposure.point), dtype=np.float64)
        policy = self._written_policy(record.segment)

        def compute() -> None:
            try:
                self.app.remembered[key] = _rehearsed(counts, record.mode, policy)
            except BalancerError:
                self.app.remembered[key] = ()

        self.workers.start(key, compute)
        return (say("plan.rehearsal.soon"),)


def _rehearsed(counts: Vector, mode: str, policy: Policy) -> tuple[str, ...]:
    """Two markets between which the real one lies, in sentences."""
    markets = (
        (say("plan.rehearsal.same_price"), "proportional"),
        (say("plan.rehearsal.auction"), "auction"),
    )
    found = []
    for market, plant in markets:
        one = rehearse(counts, mode=mode, plant=plant, weeks=REHEARSED_WEEKS, policy=policy, rule=TRUNCATED)
        found.append(
            say(
                "plan.rehearsal.told",
                market=market,
                before=formats.percent(one.top100_before, 0),
                after=formats.percent(one.top100_after, 0),
                weeks=one.weeks,
                delivery=formats.percent(one.delivery),
            )
        )
    return (*found, say("plan.rehearsal.assumed"))


def _largest_first(summary: PlanSummary, table: ShareTable | None) -> PlanSummary:
    """Moves in the order of what the accounts saw, so that those who take most stand on top."""
    if table is None:
        return summary
    seen = dict(zip(table.exposure.accounts, table.exposure.point.tolist(), strict=True))
    moves = sorted(summary.moves, key=lambda move: -seen.get(move.account_id, 0.0))
    return replace(summary, moves=tuple(moves))


def _overrides(exceptions: dict[str, AccountException], names: dict[str, str]) -> tuple[Override, ...]:
    return tuple(
        Override(account, names.get(account, account), one.kind, one.value)
        for account, one in sorted(exceptions.items())
    )
