"""The page model: everything one report shows, computed once, as frozen data. It never formats or draws.

The same ``ReportPage`` becomes the HTML file, the web page, the terminal summary and the downloads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from balancer.types import UNPLACED, BalancePlan, Exposure, ShareTable
from flows.report import words
from flows.report.certainty_words import certainty
from flows.report.curves import ceilings, lorenz, ranked_counts, unplaced_room
from flows.report.pieces import (
    AccountFacts,
    AccountRow,
    Companies,
    Figures,
    ListLine,
    Moved,
    PlanSummary,
    StarvedLine,
    TierLine,
    Week,
    Window,
)
from flows.report.sections import moved_between, plan_summary, starved_lines, unnamed

_UNKNOWN_FACTS = AccountFacts()
_SHOWN_STARVED = 200


@dataclass(frozen=True, slots=True)
class ReportPage:
    """One report, ready to be shown. ``after`` is None while there is nothing to compare with."""

    title: str
    segment: str
    sentence: str  # the one thing to know
    certainty: tuple[str, ...]  # bounds and unattributed share in plain words
    before: Figures
    after: Figures | None
    rows: tuple[AccountRow, ...]  # every account of the newest window, by rank
    weeks: tuple[Week, ...]
    aa_band: tuple[float, float] | None  # where the weekly share lies when nothing is changed
    target_share: float | None
    moved: Moved | None
    starved: tuple[StarvedLine, ...]
    starved_total: int
    starved_unnamed: int  # of these, never reported: they may have seen enough
    plan: PlanSummary | None
    lists: tuple[ListLine, ...]
    companies: Companies | None
    notes: tuple[str, ...]
    generated_at: datetime
    currency: str
    floor: int  # impressions under which an account counts as under-served
    caps: tuple[float, float] | None = None  # lowest and highest limit of an account over the window
    tiers: tuple[TierLine, ...] = ()  # () where no account has a tier

    @property
    def empty_columns(self) -> tuple[str, ...]:
        """Columns of the account table in which nothing is known about anybody."""
        names = ("tier", "members", "per_member", "cap_use", "band")
        return tuple(name for name in names if all(getattr(row, name) is None for row in self.rows))

    @property
    def now(self) -> Figures:
        """The newest window."""
        return self.after or self.before


@dataclass(frozen=True, eq=False, slots=True)
class Measured:
    """One share table and the window it was measured over."""

    table: ShareTable
    window: Window


@dataclass(frozen=True, eq=False, slots=True)
class Beside:
    """What a page shows beside its share tables; everything may be missing.

    weeks         oldest first, one per week over both windows (and between)
    aa_band       (low, high) of the weekly top-N share over weeks without a change, fractions
    target_share  the top-N share aimed at, fraction
    plan          the plan waiting or in force; its account ids are looked up in the facts
    notes         sentences or codes in ``words.toml``, ``[note]``; those of a share table are added by themselves
    tiers         what each tier took, first tier first
    floor         impressions under which an account counts as under-served (as in ShareTable)
    """

    weeks: Sequence[Week] = ()
    aa_band: tuple[float, float] | None = None
    target_share: float | None = None
    plan: BalancePlan | None = None
    lists: Sequence[ListLine] = ()
    companies: Companies | None = None
    notes: Sequence[str] = ()
    currency: str = "USD"
    floor: int = 7
    tiers: Sequence[TierLine] = ()


def build_page(
    segment: str,
    newest: Measured,
    *,
    facts: Mapping[str, AccountFacts],
    generated_at: datetime,
    earlier: Measured | None = None,
    beside: Beside | None = None,
) -> ReportPage:
    """Turn plain inputs into one page. Pure: the same inputs give an equal page.

    newest         the window of the segment that the page is about
    facts          account_id -> AccountFacts; an account without an entry is shown by its id
    generated_at   when the page was made; passed in, no clock is read here
    earlier        the window before balancing to compare with, None while there is nothing to compare
    """
    beside = beside or Beside()
    first, second = _compared(newest, earlier)
    before = earlier.table if earlier else None
    rows = account_rows(newest.table, facts=facts, before=before)
    starved = starved_lines(rows, facts, floor=beside.floor)
    return ReportPage(
        title=words.title(segment),
        segment=segment,
        sentence=words.headline(first, second, floor=beside.floor),
        certainty=certainty(second or first),
        before=first,
        after=second,
        rows=rows,
        weeks=tuple(beside.weeks),
        aa_band=beside.aa_band,
        target_share=beside.target_share,
        moved=moved_between(before, newest.table, facts) if before else None,
        starved=starved[:_SHOWN_STARVED],
        starved_total=len(starved),
        starved_unnamed=sum(unnamed(row, floor=beside.floor) for row in rows),
        plan=plan_summary(beside.plan, facts) if beside.plan is not None else None,
        lists=tuple(beside.lists),
        companies=beside.companies,
        notes=_all_notes((first, second), tables=(before, newest.table), notes=beside.notes),
        generated_at=generated_at,
        currency=beside.currency,
        floor=beside.floor,
        caps=_caps(rows),
        tiers=tuple(beside.tiers),
    )


def _compared(newest: Measured, earlier: Measured | None) -> tuple[Figures, Figures | None]:
    """The figures before and after; before alone while there is nothing to compare."""
    now = figures(newest.table, newest.window)
    return (figures(earlier.table, earlier.window), now) if earlier else (now, None)


def _caps(rows: Sequence[AccountRow]) -> tuple[float, float] | None:
    """The lowest and the highest limit of an account, None where nobody has one."""
    known = [row.cap for row in rows if row.cap]
    return (min(known), max(known)) if known else None


def _all_notes(
    shown: tuple[Figures, Figures | None],
    *,
    tables: tuple[ShareTable | None, ShareTable],
    notes: Sequence[str],
) -> tuple[str, ...]:
    given = [note for table in tables if table is not None for note in table.notes]
    sentences = [words.note(note) for note in (*given, *notes)]
    told = (*sentences, *words.standing_notes(*shown))
    return tuple(dict.fromkeys(sentence for sentence in told if sentence))


def figures(table: ShareTable, window: Window) -> Figures:
    """The headline numbers of one share table."""
    return Figures(
        window=window,
        accounts=len(table.exposure.accounts),
        top=table.top,
        total=table.exposure.total,
        outside=table.exposure.outside,
        top_share=table.top_share,
        top_decile=table.top_decile,
        gini=table.gini,
        hhi=table.hhi,
        effective_accounts=table.effective_accounts,
        coverage_even=table.coverage_even,
        coverage=dict(sorted(table.coverage.items())),
        under_served=table.under_served,
        never_seen=table.never_seen,
        unattributed=table.unattributed,
        lorenz=lorenz(table.exposure),
        ranked=ranked_counts(table.exposure),
        never_seen_least=table.never_seen_least,
        unplaced=_unplaced(table.exposure),
    )


def _unplaced(exposure: Exposure) -> tuple[int, float]:
    pages = exposure.unplaced
    return (pages.high.size if pages is not None else 0), unplaced_room(exposure)


def account_rows(
    table: ShareTable,
    *,
    facts: Mapping[str, AccountFacts],
    before: ShareTable | None,
) -> tuple[AccountRow, ...]:
    """Every account of ``table``, largest first; ranks and shares compared with ``before`` where given."""
    earlier = _standing(before) if before is not None else {}
    accounts, high = table.exposure.accounts, ceilings(table.exposure)
    return tuple(
        _row(table, i, rank, facts.get(accounts[i], _UNKNOWN_FACTS), earlier.get(accounts[i]), float(high[i]))
        for rank, i in enumerate(table.order.tolist(), start=1)
    )


def _row(
    table: ShareTable,
    i: int,
    rank: int,
    fact: AccountFacts,
    earlier: tuple[int, float] | None,
    high: float,
) -> AccountRow:
    exposure = table.exposure
    account, count = exposure.accounts[i], float(exposure.point[i])
    share = count / max(exposure.total, 1.0)
    return AccountRow(
        rank=rank,
        account_id=account,
        name=fact.name or account,
        domain=fact.domain,
        tier=fact.tier,
        members=fact.members,
        impressions=count,
        low=float(exposure.low[i]),
        high=high,
        share=share,
        times_even=share * len(exposure.accounts),
        per_member=count / fact.members if fact.members else None,
        cap=fact.cap,
        cap_use=count / fact.cap if fact.cap else None,
        band=None if fact.band == UNPLACED else fact.band,
        rank_before=earlier[0] if earlier else None,
        share_change=share - earlier[1] if earlier else None,
        state=fact.state,
        since=fact.since,
        source="reported" if exposure.listed[i] else "imputed",
    )


def _standing(table: ShareTable) -> dict[str, tuple[int, float]]:
    """Account -> (rank, share)."""
    exposure, total = table.exposure, max(table.exposure.total, 1.0)
    return {
        exposure.accounts[i]: (rank, float(exposure.point[i]) / total)
        for rank, i in enumerate(table.order.tolist(), start=1)
    }


__all__ = ["Beside", "Measured", "ReportPage", "account_rows", "build_page", "figures", "plan_summary"]
