"""Three sections of the page computed from tables and plans: who gave and got, who starves, what is planned.

They choose what is shown; they never word it (``words``) or draw it (``charts``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np

from balancer.types import BalancePlan, ShareTable
from flows.report import words
from flows.report.curves import aligned, groups_of
from flows.report.pieces import AccountFacts, AccountRow, Moved, PlanLine, PlanSummary, StarvedLine, Transfer

_UNKNOWN_FACTS = AccountFacts()
_SHOWN_TRANSFERS = 10


def moved_between(before: ShareTable, after: ShareTable, facts: Mapping[str, AccountFacts]) -> Moved:
    """Who gave and who got, largest changes first; windows are compared by share."""
    accounts, then, now = aligned(before.exposure, after.exposure)
    change = now - then
    listed = tuple(_listed(table) for table in (before, after))
    order = np.argsort(change, kind="stable")

    def lines(rows: list[int]) -> tuple[Transfer, ...]:
        return tuple(
            Transfer(
                account_id=a,
                name=facts.get(a, _UNKNOWN_FACTS).name or a,
                before=float(then[i]),
                after=float(now[i]),
                guessed=(a not in listed[0], a not in listed[1]),
            )
            for i in rows
            for a in (accounts[i],)
        )

    return Moved(
        impressions=float(min(change[change > 0].sum(), -change[change < 0].sum())),
        givers=lines([i for i in order[:_SHOWN_TRANSFERS].tolist() if change[i] < 0]),
        getters=lines([i for i in order[::-1][:_SHOWN_TRANSFERS].tolist() if change[i] > 0]),
        groups=groups_of(then, now, top=before.top),
    )


def starved_lines(
    rows: Sequence[AccountRow], facts: Mapping[str, AccountFacts], *, floor: int
) -> tuple[StarvedLine, ...]:
    """Accounts under the floor by best guess, or never reported and maybe under it; best tiers first.

    Among equals those with most members come first.
    """
    low = [row for row in rows if row.impressions < floor or unnamed(row, floor=floor)]
    low.sort(key=lambda r: (r.tier or 9, -(r.members or 0.0), r.account_id))
    return tuple(
        StarvedLine(
            account_id=row.account_id,
            name=row.name,
            tier=row.tier,
            members=row.members,
            impressions=row.impressions,
            high=row.high,
            reason=facts.get(row.account_id, _UNKNOWN_FACTS).starved or _starved_guess(row),
        )
        for row in low
    )


def unnamed(row: AccountRow, *, floor: int) -> bool:
    """Whether nobody knows if the account saw ``floor`` impressions, though the best guess says so."""
    return row.source == "imputed" and row.low < floor <= row.impressions


def _listed(table: ShareTable) -> frozenset[str]:
    exposure = table.exposure
    return frozenset(exposure.accounts[i] for i in np.flatnonzero(exposure.listed).tolist())


def _starved_guess(row: AccountRow) -> str:
    """The reason the numbers alone support, where the caller gave none."""
    if row.state in ("paused", "held", "pending", "excluded"):
        return row.state
    if row.members is not None and row.members <= 0:
        return "not_matched"
    return "below_report" if row.source == "imputed" else "outbid"


def plan_summary(plan: BalancePlan, facts: Mapping[str, AccountFacts]) -> PlanSummary:
    """A plan in the page's terms, with one sentence per move."""
    lines = []
    for move in plan.moves:
        name = facts.get(move.account, _UNKNOWN_FACTS).name or move.account
        lines.append(
            PlanLine(
                account_id=move.account,
                name=name,
                before=move.before,
                after=move.after,
                reason=move.reason,
                why=words.why(move, name=name),
                release=None if move.release is None else date.fromordinal(move.release),
            )
        )
    counted = Counter(move.reason for move in plan.moves)
    return PlanSummary(
        day=date.fromordinal(plan.day),
        mode=plan.mode,
        inputs_hash=plan.inputs_hash,
        budgets=tuple(float(b) for b in plan.budgets),
        band_accounts=tuple(int((plan.band == k).sum()) for k in range(plan.budgets.size)),
        forecast=dict(plan.forecast),
        statuses=plan.statuses,
        moves=tuple(lines),
        by_reason=dict(counted.most_common()),
    )
