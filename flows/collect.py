"""Impression reports into the ledger: days, windows, totals, and which account is behind each entity.

Reads the platform, writes the store. A day is asked for again until it is a
week old, because platforms restate; a newer answer replaces an older one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from audiences.model import ImpressionReport
from flows.bands import BandCampaigns, band_campaigns, remember
from flows.entities import link
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


def newest_complete(app: App, platform: str) -> date:
    """The latest day whose account rows the platform has finished, by its stated latency."""
    latency = app.platform(platform).capabilities.report_latency
    moment: datetime = app.now().astimezone(UTC) - latency
    return moment.date() - timedelta(days=1)


def collect(app: App, segment: str, *, days: int = RESTATED_DAYS) -> Collected:
    """Read the last ``days`` complete days of a balanced segment, per campaign and day."""
    campaigns = band_campaigns(app, segment)
    end = newest_complete(app, campaigns.platform)
    start = end - timedelta(days=days - 1)
    reports = [
        _report(app, campaigns.platform, first, last, grain="daily", campaigns=(campaign,))
        for campaign, first, last in _spans(campaigns, start, end)
    ]
    _link(app, campaigns, reports)
    stored = sum(app.store.save_report(report) for report in reports)
    warnings = tuple(dict.fromkeys(w for report in reports for w in report.warnings))
    return Collected(segment, stored, sum(len(r.rows) for r in reports), end, warnings)


def collect_window(app: App, segment: str, start: date, end: date) -> None:
    """Read one window as the share report needs it: whole-window rows, and every creative's days."""
    campaigns = band_campaigns(app, segment)
    ids = tuple(dict.fromkeys(c for day in _days(start, end) for c in campaigns.delivering(day)))
    campaigns = _with_creatives(app, campaigns, ids)
    creatives = [creative for campaign in ids for creative in campaigns.creatives[campaign]]
    whole = _report(app, campaigns.platform, start, end, grain="all", campaigns=ids)
    lists = [
        _report(app, campaigns.platform, start, end, grain="daily", creatives=(creative,))
        for creative in creatives
    ]
    _link(app, campaigns, [whole, *lists])
    for report in (whole, *lists):
        app.store.save_report(report)


def _spans(campaigns: BandCampaigns, start: date, end: date) -> Iterable[tuple[str, date, date]]:
    """Per campaign, the first and last day of the range on which it delivered for the segment."""
    days: dict[str, list[date]] = {}
    for day in _days(start, end):
        for campaign in campaigns.delivering(day):
            days.setdefault(campaign, []).append(day)
    return [(campaign, found[0], found[-1]) for campaign, found in days.items()]


def _days(start: date, end: date) -> list[date]:
    return [start + timedelta(days=i) for i in range((end - start).days + 1)]


def _with_creatives(app: App, campaigns: BandCampaigns, ids: Sequence[str]) -> BandCampaigns:
    """The creatives of these campaigns, read again: each has its own list of accounts every day."""
    platform = app.platform(campaigns.platform)
    read = {campaign: platform.campaign(campaign).creatives for campaign in ids}
    known = replace(campaigns, creatives={**campaigns.creatives, **read})
    remember(app, known)
    return known


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
    link(app, campaigns.platform, {row.entity for report in reports for row in report.rows})


def midnight(day: date) -> datetime:
    """The start of a day, UTC: the platforms' reports count in UTC."""
    return datetime.combine(day, time(), tzinfo=UTC)
