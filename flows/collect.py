"""Impression reports into the ledger: days, windows, totals, and which account is behind each entity.

Reads the platform, writes the store. A day is asked for again until it is a
week old, because platforms restate; a newer answer replaces an older one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from audiences.model import Campaign, ImpressionReport
from flows.band_edits import note_edits
from flows.bands import BandCampaigns, band_campaigns, remember
from flows.entities import link
from flows.funding import note_template_budget
from flows.runs import audit
from flows.wiring import App

RESTATED_DAYS = 7


@dataclass(frozen=True, slots=True)
class Collected:
    """What one collection brought."""

    segment: str
    days: int  # campaign-days stored
    rows: int
    newest: date  # newest day that is complete
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()  # what people changed on the campaigns, in sentences


def newest_complete(app: App, platform: str) -> date:
    """The latest day whose account rows the platform has finished, by its stated latency."""
    latency = app.platform(platform).capabilities.report_latency
    moment: datetime = app.now().astimezone(UTC) - latency
    return moment.date() - timedelta(days=1)


def collect(app: App, segment: str, *, days: int = RESTATED_DAYS) -> Collected:
    """Read the last ``days`` complete days of a balanced segment: per campaign the totals, per creative the rows.

    Every creative has its own list of a hundred companies a day, so asking per creative shows what each list hides.
    """
    campaigns = band_campaigns(app, segment)
    notes = _note_budget(app, campaigns)
    end = newest_complete(app, campaigns.platform)
    start = end - timedelta(days=days - 1)
    spans = _spans(campaigns, start, end)
    known = campaigns.creatives
    campaigns, read = _with_creatives(app, campaigns, [campaign for campaign, _, _ in spans])
    remember(app, campaigns, said="creatives added" if _more_creatives(known, campaigns) else "")
    notes += [edit.words() for edit in note_edits(app, campaigns, read)]
    totals = [
        replace(_report(app, campaigns.platform, first, last, grain="daily", campaigns=(campaign,)), rows=())
        for campaign, first, last in spans
    ]
    lists = [
        _report(app, campaigns.platform, first, last, grain="daily", creatives=(creative,))
        for campaign, first, last in spans
        for creative in campaigns.creatives[campaign]
    ]
    _link(app, campaigns, lists)
    stored = sum(app.store.save_report(report) for report in (*totals, *lists))
    warnings = tuple(dict.fromkeys(w for report in (*totals, *lists) for w in report.warnings))
    rows = sum(len(report.rows) for report in lists)
    audit(app, "reports collected", segment, {"platform": campaigns.platform, "days": days, "rows": rows})
    return Collected(segment, stored, rows, end, warnings, tuple(notes))


def _more_creatives(known: Mapping[str, Sequence[str]], now: BandCampaigns) -> bool:
    """Whether a campaign that was looked at before has a creative it had not; a new campaign is no news here."""
    return any(set(now.creatives[campaign]) - set(before) for campaign, before in known.items() if before)


def _note_budget(app: App, campaigns: BandCampaigns) -> list[str]:
    """Keep the daily budget a person gave the segment's campaign; a report shows only what was spent.

    Returns what to say where it was changed after balancing began.
    """
    if not app.platform(campaigns.platform).capabilities.campaigns:
        return []
    budget = app.platform(campaigns.platform).campaign(campaigns.template).daily_budget
    if budget is None or not note_template_budget(app, campaigns.segment, float(budget), app.today):
        return []
    return [
        f"somebody set the daily budget of campaign {campaigns.template} to {budget:,.2f}; "
        "from the next plan on the segment spends that"
    ]


def collect_window(app: App, segment: str, start: date, end: date) -> None:
    """Read one window as the share report needs it: whole-window rows, and every creative's days."""
    remember(app, collect_campaigns(app, band_campaigns(app, segment), start, end))


def collect_campaigns(app: App, campaigns: BandCampaigns, start: date, end: date) -> BandCampaigns:
    """The same for any set of campaigns. Returns them with the creatives they have now."""
    ids = tuple(dict.fromkeys(c for day in _days(start, end) for c in campaigns.delivering(day)))
    campaigns, _ = _with_creatives(app, campaigns, ids)
    creatives = [creative for campaign in ids for creative in campaigns.creatives[campaign]]
    whole = _report(app, campaigns.platform, start, end, grain="all", campaigns=ids)
    known = _days_known(app, campaigns.platform, start, end)
    lists = [
        _report(app, campaigns.platform, start, end, grain="daily", creatives=(creative,))
        for creative in creatives
        if known.get((creative,), 0) < (end - start).days + 1
    ]
    _link(app, campaigns, [whole, *lists])
    for report in (whole, *lists):
        app.store.save_report(report)
    return campaigns


def _days_known(app: App, platform: str, start: date, end: date) -> dict[tuple[str, ...], int]:
    """How many days of the window are in the store, per scope."""
    days: dict[tuple[str, ...], int] = {}
    for window in app.store.report_windows(platform, start, end, grain="daily", source="api"):
        days[window.scope] = days.get(window.scope, 0) + 1
    return days


def _spans(campaigns: BandCampaigns, start: date, end: date) -> list[tuple[str, date, date]]:
    """Per campaign, the first and last day of the range on which it delivered for the segment."""
    days: dict[str, list[date]] = {}
    for day in _days(start, end):
        for campaign in campaigns.delivering(day):
            days.setdefault(campaign, []).append(day)
    return [(campaign, found[0], found[-1]) for campaign, found in days.items()]


def _days(start: date, end: date) -> list[date]:
    return [start + timedelta(days=i) for i in range((end - start).days + 1)]


def _with_creatives(
    app: App, campaigns: BandCampaigns, ids: Sequence[str]
) -> tuple[BandCampaigns, dict[str, Campaign]]:
    """The campaigns, read again, with their creatives: each has its own list of accounts every day."""
    platform = app.platform(campaigns.platform)
    read = {campaign: platform.campaign(campaign) for campaign in ids}
    creatives = {campaign: one.creatives for campaign, one in read.items()}
    return replace(campaigns, creatives={**campaigns.creatives, **creatives}), read


def _report(
    app: App,
    platform: str,
    start: date,
    end: date,
    *,
    grain: str,
    campaigns: Sequence[str] = (),
    creatives: Sequence[str] = (),
) -> ImpressionReport:
    report: ImpressionReport = app.platform(platform).account_report(
        start, end, grain=grain, campaigns=campaigns, creatives=creatives
    )
    return report


def _link(app: App, campaigns: BandCampaigns, reports: Sequence[ImpressionReport]) -> None:
    entities = {row.entity for report in reports for row in report.rows}
    link(app, campaigns.platform, entities, segment=campaigns.segment)
