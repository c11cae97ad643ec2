"""The share report of a balanced segment, from the store to a page. Reads only; what is missing raises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from audiences.store.records import PlanStatus
from balancer.allocate_limits import limits_from_policy
from balancer.starved import starved
from balancer.types import UNPLACED, Exposure, Policy, ShareTable, State
from flows.balance import usable
from flows.bands import band_campaigns
from flows.comparison import comparison_notes, modelled_note
from flows.comparison import quiet_band as quiet_change
from flows.exposure import segment_accounts, share_table
from flows.interventions import interventions, of_week
from flows.plan_codec import decode_inputs, decode_plan
from flows.price_response import measured_response, price_of_a_point, response_words
from flows.report import words
from flows.report.catalogue import say
from flows.report.model import Beside, Measured, ReportPage, build_page
from flows.report.pieces import AccountFacts, Companies, ListLine, Week, Window
from flows.tier_figures import tier_lines
from flows.wiring import App


@dataclass(frozen=True, eq=False)
class Compared:
    """A report and the share tables behind it."""

    page: ReportPage
    before: ShareTable
    after: ShareTable | None


def report(
    app: App,
    segment: str,
    window: tuple[date, date],
    *,
    earlier: tuple[date, date] | None = None,
    weeks: Sequence[tuple[date, date]] = (),
    top: int = 100,
) -> Compared:
    """The report of ``window``, compared with ``earlier`` where given. Raises NothingCollected."""
    newest = Measured(share_table(app, segment, *window, top=top), Window(*window))
    shown = weekly(app, segment, weeks, top=top)
    before: Measured | None = None
    said: tuple[str, ...] = ()
    if earlier:
        asked = Measured(share_table(app, segment, *earlier, top=top), Window(*earlier))
        before, said = _comparable(app, segment, (asked, newest), shown)
    plan = app.store.latest_plan(
        segment, statuses=(PlanStatus.PROPOSED, PlanStatus.APPLIED, PlanStatus.SHADOW)
    )
    facts = account_facts(app, segment)
    page = build_page(
        app.config.segments[segment].title or segment,
        newest,
        earlier=before,
        facts=facts,
        generated_at=app.now(),
        beside=Beside(
            weeks=shown,
            aa_band=quiet_band(shown),
            plan=decode_plan(plan.body) if plan else None,
            lists=list_lines(app, segment),
            companies=companies(app),
            notes=(*notes(app, segment, newest.table.exposure, top=top), *said),
            tiers=tier_lines(newest.table.exposure, before.table.exposure if before else None, facts),
        ),
    )
    return Compared(page, (before or newest).table, newest.table if before else None)


def _comparable(
    app: App, segment: str, pair: tuple[Measured, Measured], weeks: Sequence[Week]
) -> tuple[Measured | None, tuple[str, ...]]:
    """The earlier window, where the two may be compared at all, and what to know about the comparison."""
    earlier, newest = pair
    counts = (_creatives(app, segment, earlier.window.end), _creatives(app, segment, newest.window.end))
    found = comparison_notes(
        earlier.table,
        newest.table,
        (earlier.window.start, earlier.window.end),
        (newest.window.start, newest.window.end),
        creatives=counts,
        weekly=_quiet_shares(weeks),
    )
    return (earlier if found.change is not None else None), found.notes


@dataclass(frozen=True, slots=True)
class Planned:
    """What the newest plan in force knows of accounts: limits, why some get little, who is pinned or excluded."""

    caps: Mapping[str, float]
    starved: Mapping[str, str]
    pinned: frozenset[str]
    held: frozenset[str] = frozenset()

    def state(self, account: str, *, waits: bool) -> str:
        """Whoever is on no list today is paused; only a person's word excludes."""
        if account in self.held:
            return "held"
        return "paused" if waits else "pinned" if account in self.pinned else "active"


def account_facts(app: App, segment: str) -> Mapping[str, AccountFacts]:
    """What is known of every account of the segment beside its impressions."""
    tiers = app.store.tiers()
    states = {state.account_id: state for state in app.store.band_states(segment)}
    names = {account: (name, domain) for account, name, domain in app.store.account_names()}
    known, sizes = planned(app, segment), app.store.account_sizes()
    facts = {}
    for account in segment_accounts(app, segment):
        name, domain = names.get(account, (account, None))
        band = states.get(account)
        waits = band is not None and band.band == UNPLACED
        facts[account] = AccountFacts(
            name=name,
            domain=domain,
            tier=tiers.get(account),
            members=sizes.get(account),
            cap=known.caps.get(account),
            band=band.band if band else UNPLACED,
            state=known.state(account, waits=waits),
            since=band.commanded_on if band else None,
            starved=known.starved.get(account, ""),
        )
    return facts


def planned(app: App, segment: str) -> Planned:
    """By the newest plan in force; empty before there is one."""
    record = app.store.latest_plan(segment, statuses=(PlanStatus.APPLIED,))
    if record is None or record.inputs is None:
        return Planned({}, {}, frozenset())
    state, policy = decode_inputs(record.inputs)
    plan = decode_plan(record.body, record.memory)
    reasons = {one.account: one.reason for one in starved(state, plan, usable(state, policy))}
    return Planned(caps(state, policy), reasons, frozenset(policy.pins), policy.held)


def caps(state: State, policy: Policy) -> Mapping[str, float]:
    """Account -> the impressions its smallest limit allows over the policy's window; no entry without a limit.

    Limits on clicks and money are left out: what they come to in impressions changes from day to day.
    """
    limits = limits_from_policy(
        replace(usable(state, policy), click_cap=None, spend_cap=None),
        total=state.baseline * policy.window_days,
        members=state.members,
        tier=state.tier,
        accounts=state.accounts,
    )
    given = zip(state.accounts, limits.cap.tolist(), strict=True)
    return {account: cap for account, cap in given if 0.0 < cap < np.inf}


def quiet_band(weeks: Sequence[Week]) -> tuple[float, float] | None:
    """Where the weekly share lies when nothing is changed; None with too few weeks before balancing."""
    history = _quiet_shares(weeks)
    band = quiet_change(history)
    if band is None:
        return None
    level = float(np.mean(history))
    return level + band.low - band.typical, level + band.high - band.typical


def _quiet_shares(weeks: Sequence[Week]) -> list[float]:
    """The weekly shares before the first intervention, oldest first."""
    began = next((i for i, week in enumerate(weeks) if week.marks), len(weeks))
    return [week.share.point for week in weeks[:began]]


def _creatives(app: App, segment: str, day: date) -> int:
    """Creatives that ran for the segment on a day; each has its own list in the reports."""
    campaigns = band_campaigns(app, segment)
    return sum(len(campaigns.creatives.get(campaign, ())) for campaign in campaigns.delivering(day))


def weekly(app: App, segment: str, windows: Sequence[tuple[date, date]], *, top: int) -> list[Week]:
    """One point per week; delivery and price against the mean of the weeks before balancing."""
    campaigns = band_campaigns(app, segment)
    tables = [
        (start, share_table(app, segment, start, end, top=top), _money(app, segment, start, end))
        for start, end in windows
    ]
    quiet = [
        table.exposure.total
        for start, table, _ in tables
        if campaigns.live_since is None or start + timedelta(days=6) < campaigns.live_since
    ]
    usual = sum(quiet) / len(quiet) if quiet else 0.0
    weeks, marks = [], interventions(app, segment)
    for start, table, spend in tables:
        total = table.exposure.total
        weeks.append(
            Week(
                start=start,
                share=table.top_share,
                delivery=total / usual if usual else None,
                cpm=1000.0 * spend / total if total else None,
                coverage=table.coverage_even.point,
                covered=table.coverage_even,
                marks=of_week(marks, start),
            )
        )
    return weeks


def _money(app: App, segment: str, start: date, end: date) -> float:
    campaigns = band_campaigns(app, segment)
    days = [start + timedelta(days=i) for i in range((end - start).days + 1)]
    asked = sorted({campaign for day in days for campaign in campaigns.delivering(day)})
    rows = app.store.totals(campaigns.platform, start, end, grain="all", source="api", scope=asked)
    return sum(float(r.spend) for r in rows if (r.first, r.last) == (start, end))


def list_lines(app: App, segment: str | None = None) -> list[ListLine]:
    """The lists of one segment, or all, what became of their members, and how they stand."""
    lines = []
    for record in app.store.audiences(segment=segment):
        counts = app.store.ledger_counts(record.spec.audience_id)
        state = record.state
        lines.append(
            ListLine(
                name=record.spec.name,
                platform=record.spec.platform,
                kind=str(record.spec.kind),
                accepted=counts.accepted,
                rejected=counts.rejected,
                unknown=counts.unknown + counts.pending_adds,
                status=str(state.status) if state else "",
                audience_size=state.audience_size if state else None,
            )
        )
    return lines


def companies(app: App) -> Companies | None:
    """What the last import made of the company rows."""
    last = app.store.last_import("accounts")
    if last is None:
        return None
    return Companies(last.rows_read, last.resolved, last.rejected, last.quarantined)


def notes(app: App, segment: str, exposure: Exposure, *, top: int) -> tuple[str, ...]:
    """What a reader must know: where the numbers come from, what hidden ones may be, what evenness costs."""
    where = words.platform(band_campaigns(app, segment).platform)
    simulated = say("report.simulated", platform=where)
    response = measured_response(app, segment)
    said = (
        simulated if app.sandbox else "",
        modelled_note(exposure),
        response_words(response),
        price_of_a_point(response, exposure, top=top),
    )
    return tuple(sentence for sentence in said if sentence)
