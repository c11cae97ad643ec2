"""Stored reports to the balancer's view: exposure of a window, reports of a day. Calls no platform."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from audiences.store.report_records import ImpressionColumns, TotalRow
from balancer.evaluate import halves
from balancer.shares import concentration
from balancer.shares_cells import OUTSIDE, CreativeDayLists, ReportRules, Rows
from balancer.shares_exposure import build_exposure
from balancer.types import UNPLACED, DayReport, Exposure, Indices, ShareTable
from flows.bands import BandCampaigns, band_campaigns, commands, in_force, possible, turns
from flows.experiment_record import running
from flows.exposure_days import DayCells, day_cells
from flows.funding import usual_spend
from flows.wiring import App

Band = NDArray[np.int8]
Money = NDArray[np.float64]
BUSIEST = 1.5  # times a daily budget: the most that is spent of it in one day


class NothingCollected(Exception):
    """The window has no complete report in the store."""

    retryable = False
    remedy = "Run evenreach collect first, or choose a window that ended at least two days ago."


def segment_accounts(app: App, segment: str) -> tuple[str, ...]:
    """Accounts the balancer may serve: qualified and not held out, in byte order; in an experiment only
    the half that is balanced."""
    accounts = qualified_accounts(app, segment)
    experiment = running(app, segment)
    if experiment is None:
        return accounts
    mine = halves(accounts, salt=experiment.salt)
    return tuple(account for account, balanced in zip(accounts, mine.tolist(), strict=True) if balanced)


def qualified_accounts(app: App, segment: str) -> tuple[str, ...]:
    """Accounts of the segment that are not held out, in byte order, whatever half they are in."""
    version = app.store.segment_version(segment)
    if version is None:
        return ()
    held = set(version.holdout_ids)
    return tuple(sorted(set(version.account_ids) - held))


def share_table(app: App, segment: str, start: date, end: date, *, top: int = 100) -> ShareTable:
    """The share report of one window, with bounds. Raises NothingCollected."""
    return concentration(window_exposure(app, segment, start, end), top=top)


def window_exposure(app: App, segment: str, start: date, end: date) -> Exposure:
    """What each account was shown in the window, as far as the stored reports tell. Raises NothingCollected."""
    return exposure_of(app, band_campaigns(app, segment), segment_accounts(app, segment), start, end)


def exposure_of(
    app: App, campaigns: BandCampaigns, accounts: tuple[str, ...], start: date, end: date
) -> Exposure:
    """The same for any set of campaigns and the accounts they serve."""
    platform = campaigns.platform
    windows = app.store.report_windows(platform, start, end, grain="all", source="api")
    ids = {c for day in _days(start, end) for c in campaigns.delivering(day)}
    whole = [w for w in windows if (w.first, w.last) == (start, end) and set(w.scope) == ids]
    if not whole:
        raise NothingCollected(f"no report of {campaigns.segment} from {start} to {end}")
    asked = tuple(sorted(ids))  # other segments may have asked about the same window
    totals = app.store.totals(platform, start, end, grain="all", source="api", scope=asked)
    total = sum(t.impressions for t in totals if (t.first, t.last) == (start, end))
    rows = app.store.impressions(platform, start, end, grain="all", source="api", scope=asked)
    cells = app.store.impressions(platform, start, end, grain="daily", source="api")
    pages = _strangers(campaigns, rows, cells, start, end)
    return build_exposure(
        accounts,
        total=float(total),
        window=_window_rows(rows, accounts, pages, start, end),
        lists=_lists(app, campaigns, cells, accounts, pages, start, end),
        rules=ReportRules(depth=whole[0].list_depth, floor=whole[0].floor, noise=whole[0].noise),
        unplaced=len(pages),
    )


def _strangers(
    campaigns: BandCampaigns, rows: ImpressionColumns, cells: ImpressionColumns, start: date, end: date
) -> tuple[str, ...]:
    """Pages in either answer that are none of our accounts as far as anybody can tell, in byte order.

    The campaigns serve our own lists, so each may well be one of our accounts.
    """
    ours = {creative for ids in campaigns.creatives.values() for creative in ids}
    made = np.array([creative in ours for creative in cells.creatives], dtype=np.bool_)
    mine = made[cells.creative] if made.size else np.zeros(cells.creative.size, dtype=np.bool_)
    shown = {*rows.entity[_of_window(rows, start, end)].tolist()}
    listed = {*cells.entity[mine & (cells.impressions >= 0)].tolist()}
    named = {rows.entities[i] for i in shown if not rows.accounts[i]}
    return tuple(sorted(named | {cells.entities[i] for i in listed if not cells.accounts[i]}))


def _of_window(columns: ImpressionColumns, start: date, end: date) -> NDArray[np.bool_]:
    whole = (columns.first == start.toordinal()) & (columns.last == end.toordinal())
    return np.asarray(whole & (columns.impressions >= 0))


def _window_rows(
    columns: ImpressionColumns, accounts: Sequence[str], pages: Sequence[str], start: date, end: date
) -> Rows:
    mine = _of_window(columns, start, end)
    place = places(columns, accounts, pages)
    return Rows(place[columns.entity[mine]], columns.impressions[mine].astype(np.float64))


def places(columns: ImpressionColumns, accounts: Sequence[str], pages: Sequence[str] = ()) -> Indices:
    """(entities,) row number of each entity's account, OUTSIDE where it is none of ``accounts``.

    pages  entities of unknown owner that get rows of their own, after the accounts
    """
    row = {account: i for i, account in enumerate(accounts)}
    page = {urn: len(accounts) + i for i, urn in enumerate(pages)}
    named = zip(columns.entities, columns.accounts, strict=True)
    return np.array([row.get(a, OUTSIDE) if a else page.get(e, OUTSIDE) for e, a in named], dtype=np.int64)


def _lists(
    app: App,
    campaigns: BandCampaigns,
    columns: ImpressionColumns,
    accounts: Sequence[str],
    pages: Sequence[str],
    start: date,
    end: date,
) -> CreativeDayLists | None:
    """One list per creative and day on which its campaign delivered; ``columns`` are the daily rows."""
    home = {creative: c for c, ids in campaigns.creatives.items() for creative in ids}
    days = {(c, day.toordinal()): i for i, (c, day) in enumerate(_campaign_days(campaigns, start, end))}
    keys = [(cr, c, d) for cr, c in sorted(home.items()) for (k, d) in days if k == c]
    number = {(creative, day): i for i, (creative, _, day) in enumerate(keys)}
    if not number:
        return None
    totals = np.zeros(len(keys))
    for row in _totals(app, campaigns, start, end):
        if (row.creative_id, row.first.toordinal()) in number:
            totals[number[row.creative_id, row.first.toordinal()]] = row.impressions
    names = (
        np.array(columns.creatives, dtype=object)[columns.creative]
        if len(columns.creatives)
        else np.array([])
    )
    of = np.array(
        [number.get((n, d), -1) for n, d in zip(names, columns.first.tolist(), strict=True)], dtype=np.int64
    )
    mine = (of >= 0) & (columns.impressions >= 0)
    place = places(columns, accounts, pages)
    return CreativeDayLists(
        list_of=of[mine],
        account=place[columns.entity[mine]],
        impressions=columns.impressions[mine].astype(np.float64),
        totals=totals,
        audience=np.array([days[c, d] for _, c, d in keys], dtype=np.int64),
        eligible=_eligible(app, campaigns, accounts, start, end),
    )


def _campaign_days(campaigns: BandCampaigns, start: date, end: date) -> list[tuple[str, date]]:
    return [(c, day) for day in _days(start, end) for c in campaigns.delivering(day)]


def _eligible(
    app: App, campaigns: BandCampaigns, accounts: Sequence[str], start: date, end: date
) -> NDArray[np.bool_]:
    """(campaign-days, n) whether an account can have been shown that campaign's ads on that day."""
    history = commands(app, campaigns.segment, accounts)
    n, k = len(accounts), len(campaigns.campaigns)
    rows = []
    for campaign, day in _campaign_days(campaigns, start, end):
        if campaign == campaigns.template:
            rows.append(np.ones(n, dtype=np.bool_))
        else:
            rows.append(possible(history, day, n, k)[campaigns.campaigns.index(campaign)])
    return np.array(rows, dtype=np.bool_).reshape(len(rows), n)


def _totals(app: App, campaigns: BandCampaigns, start: date, end: date) -> tuple[TotalRow, ...]:
    return app.store.totals(campaigns.platform, start, end, grain="daily", source="api")


def day_reports(app: App, segment: str, accounts: Sequence[str], start: date, end: date) -> list[DayReport]:
    """One DayReport per complete day on which something was delivered, oldest first."""
    campaigns = band_campaigns(app, segment)
    columns = app.store.impressions(campaigns.platform, start, end, grain="daily", source="api")
    totals = _totals(app, campaigns, start, end)
    split, held = commands(app, segment, accounts), turns(app, segment, accounts)
    funding: Mapping[str, Sequence[float]] = app.store.get(f"budgets/{segment}", {})
    place = places(columns, accounts)
    reports = []
    for day in _days(start, end):
        ids, banded = campaigns.delivering(day), campaigns.banded(day)
        of_day = {t.campaign_id: t for t in totals if t.first == day and t.campaign_id in ids}
        if not of_day:
            continue
        force = in_force(split if banded else held, day, len(accounts), otherwise=UNPLACED if banded else 0)
        spend = np.array([float(of_day[c].spend) if c in of_day else 0.0 for c in ids])
        money = (
            _band_money(funding, day, spend) if banded else np.maximum(usual_spend(app, segment, day), spend)
        )
        cells = day_cells(columns, place, day.toordinal(), ids, campaigns.creatives, len(accounts))
        reports.append(_day_report(day, ids, of_day, cells, force, money))
    return reports


def _band_money(
    funding: Mapping[str, Sequence[float]], day: date, spend: NDArray[np.float64]
) -> NDArray[np.float64]:
    budgets = budgets_of(funding, day)
    if budgets is None:
        return spend.copy()
    some = np.zeros(spend.size)  # the number of bands may have changed since
    some[: budgets.size] = budgets[: spend.size]
    return available(some, spend)


def _day_report(
    day: date, ids: Sequence[str], totals: Mapping[str, TotalRow], cells: DayCells, force: Band, money: Money
) -> DayReport:
    return DayReport(
        day=day.toordinal(),
        band_total=np.array([totals[c].impressions if c in totals else 0.0 for c in ids], dtype=np.float64),
        band_spend=np.array([float(totals[c].spend) if c in totals else 0.0 for c in ids]),
        band_budget=money,
        account=cells.account,
        impressions=cells.impressions,
        list_floor=cells.floor,
        band=force,
        hidden=cells.hidden,
    )


def budgets_of(funding: Mapping[str, Sequence[float]], day: date) -> NDArray[np.float64] | None:
    """(K,) daily budgets in force on ``day``: set on a morning, they count from that day on."""
    earlier = [text for text in funding if text <= day.isoformat()]
    return np.array(funding[max(earlier)], dtype=np.float64) if earlier else None


def available(budgets: NDArray[np.float64], spend: NDArray[np.float64]) -> NDArray[np.float64]:
    """(K,) money each campaign could spend that day.

    Platforms pace a daily budget by the day's traffic (less on week-ends, up to half more on busy days), the
    same for every campaign: the fullest shows how much. So a band counts as short of inventory only against
    its siblings, also on a day on which even the short ones spend more than their daily budget.
    """
    ratio = np.divide(spend, budgets, out=np.zeros(budgets.size), where=budgets > 0.0)
    return np.asarray(np.maximum(budgets * min(float(ratio.max(initial=0.0)), BUSIEST), spend))


def _days(start: date, end: date) -> list[date]:
    return [start + timedelta(days=i) for i in range((end - start).days + 1)]
