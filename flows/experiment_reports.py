"""What the reports of both halves of an experiment say: did balancing make delivery more even, or did chance?

Reads the platform's reports of the campaign that served everybody before, and of
both halves since. It changes nothing and claims nothing about sales: that is for a
file of outcomes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from balancer.evaluate import Effect, Metric, halves, metric_effect
from balancer.evaluate_band import Band
from balancer.rehearse import gini, top_share
from balancer.types import Vector
from flows.bands import BandCampaigns, band_campaigns, remember
from flows.collect import collect_campaigns, newest_complete
from flows.comparison import quiet_band
from flows.experiment_record import Experiment, experiment_of
from flows.exposure import exposure_of, qualified_accounts
from flows.wiring import App, WorkspaceError

SEED = 1  # the shuffled labels are the same whenever an experiment is evaluated again
WEEK = 7
MOST_WEEKS = 8
COVERED = 0.25  # of the even share


@dataclass(frozen=True, slots=True)
class Measured:
    """One figure of both halves, ``before`` and ``after`` as (balanced, left alone), and the effect."""

    name: str
    before: tuple[float, float]
    after: tuple[float, float]
    effect: Effect


@dataclass(frozen=True, slots=True)
class Delivered:
    """The halves by what was reported of them.

    first, second  the windows compared, of equal length
    band           how much the top tenth's share moves from week to week by itself; None = too few quiet weeks
    """

    accounts: tuple[int, int]
    first: tuple[date, date]
    second: tuple[date, date]
    figures: tuple[Measured, ...]
    band: Band | None


def evaluate_reports(app: App, segment: str, *, days: int = 28) -> Delivered:
    """Compare ``days`` before the start with the newest ``days`` of both halves.

    Raises WorkspaceError where no experiment has run that long, or a platform's error.
    """
    experiment = experiment_of(app, segment)
    if experiment is None or experiment.live_since is None:
        raise WorkspaceError(f"no experiment has been started on {segment}; see evenreach experiment start")
    second = _newest(app, segment, experiment, days)
    first = (experiment.live_since - timedelta(days=days), experiment.live_since - timedelta(days=1))
    accounts = qualified_accounts(app, segment)
    treated = halves(accounts, salt=experiment.salt)
    before = _before(app, segment, experiment, accounts, first)
    after = _after(app, segment, experiment, accounts, treated, second)
    rng = np.random.default_rng(SEED)
    figures = tuple(
        _measured(name, metric, before, after, treated, rng, lower_is_better=lower)
        for name, metric, lower in (
            ("share of the top tenth", top_tenth, True),
            ("Gini", gini, True),
            ("coverage", coverage, False),
        )
    )
    weeks = _quiet_weeks(app, segment, experiment, accounts)
    size = (int(treated.sum()), int((~treated).sum()))
    return Delivered(size, first, second, figures, quiet_band(weeks))


def top_tenth(counts: Vector) -> float:
    """Share of the largest tenth of the accounts."""
    return top_share(counts, max(1, counts.size // 10))


def coverage(counts: Vector) -> float:
    """Fraction of accounts with at least a quarter of the even share."""
    return float((counts >= COVERED * counts.mean()).mean()) if counts.sum() > 0.0 else 0.0


def _measured(
    name: str,
    metric: Metric,
    before: Vector,
    after: Vector,
    treated: np.ndarray,
    rng: np.random.Generator,
    *,
    lower_is_better: bool,
) -> Measured:
    effect = metric_effect(
        before, after, treated=treated, metric=metric, rng=rng, lower_is_better=lower_is_better
    )
    then = (metric(before[treated]), metric(before[~treated]))
    return Measured(name, then, (metric(after[treated]), metric(after[~treated])), effect)


def _newest(app: App, segment: str, experiment: Experiment, days: int) -> tuple[date, date]:
    assert experiment.live_since is not None
    end = newest_complete(app, band_campaigns(app, segment).platform)
    if experiment.ended is not None:
        end = min(end, experiment.ended - timedelta(days=1))
    start = end - timedelta(days=days - 1)
    if start < experiment.live_since:
        known = (end - experiment.live_since).days + 1
        raise WorkspaceError(
            f"the halves have delivered for {max(known, 0)} reported days; {days} are compared (see --days)"
        )
    return start, end


def _campaigns(app: App, segment: str, template: str) -> BandCampaigns:
    """One campaign by itself, as a set of campaigns."""
    return BandCampaigns(segment, template, platform=band_campaigns(app, segment).platform)


def _counts(app: App, campaigns: BandCampaigns, accounts: tuple[str, ...], span: tuple[date, date]) -> Vector:
    read = collect_campaigns(app, campaigns, *span)
    return exposure_of(app, read, accounts, *span).point


def _before(
    app: App, segment: str, experiment: Experiment, accounts: tuple[str, ...], span: tuple[date, date]
) -> Vector:
    return _counts(app, _campaigns(app, segment, experiment.template), accounts, span)


def _after(
    app: App,
    segment: str,
    experiment: Experiment,
    accounts: tuple[str, ...],
    treated: np.ndarray,
    span: tuple[date, date],
) -> Vector:
    """(n,) best guesses of both halves in the window, each half from its own campaigns."""
    mine, others = (tuple(np.array(accounts)[half].tolist()) for half in (treated, ~treated))
    balanced = collect_campaigns(app, _balanced(app, segment, experiment), *span)
    if experiment.ended is None:
        remember(app, balanced)
    after = np.zeros(len(accounts))
    after[treated] = exposure_of(app, balanced, mine, *span).point
    after[~treated] = _counts(app, _campaigns(app, segment, experiment.left_alone), others, span)
    return after


def _balanced(app: App, segment: str, experiment: Experiment) -> BandCampaigns:
    known = band_campaigns(app, segment)
    return replace(known, template=experiment.balanced, since=experiment.live_since)


def _quiet_weeks(app: App, segment: str, experiment: Experiment, accounts: tuple[str, ...]) -> list[float]:
    """Share of the top tenth in the whole weeks before the start that were collected, oldest first."""
    assert experiment.live_since is not None
    platform = band_campaigns(app, segment).platform
    oldest = experiment.live_since - timedelta(days=WEEK * MOST_WEEKS)
    windows = app.store.report_windows(platform, oldest, experiment.live_since, grain="daily", source="api")
    known = {window.first for window in windows if window.scope == (experiment.template,)}
    campaigns, shares = _campaigns(app, segment, experiment.template), []
    for back in range(MOST_WEEKS, 0, -1):
        start = experiment.live_since - timedelta(days=WEEK * back)
        if all(start + timedelta(days=i) in known for i in range(WEEK)):
            counts = _counts(app, campaigns, accounts, (start, start + timedelta(days=WEEK - 1)))
            shares.append(top_tenth(counts))
    return shares
