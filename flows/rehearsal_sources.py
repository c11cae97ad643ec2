"""What a rehearsal starts from: a file of impressions per account, or the stored reports of a segment.

Counts over other windows than four weeks are scaled to four weeks, and said to be.
It simulates nothing.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np

from audiences.model import ImpressionReport
from balancer.allocate_limits import known_members
from balancer.types import Policy, Vector
from flows.wiring import App
from platforms.errors import FileNotUnderstood
from platforms.exports import read_export

WINDOW = 28
MOST = 0.5  # of the companies must have a number of members, or all are drawn
FEWEST = 10  # accounts; with fewer there is nothing to even out
LARGEST = 1e12  # impressions of one account; more is a broken number
NO_WINDOW = "does not say its window"
DOWNLOADED = ("company name", "company")  # first columns of LinkedIn's own files
TOTALS = frozenset(["total", "totals", "grand total", "all", "gesamt", "summe", "overall"])


class NothingToRehearse(Exception):
    """A file or segment whose impressions cannot be rehearsed."""

    retryable = False
    remedy = (
        "Give a CSV with the account in the first column and a column impressions, or a report "
        "downloaded from Campaign Manager; at least ten accounts, counts of 0 and more."
    )


@dataclass(frozen=True, eq=False)
class Past:
    """``counts`` (n,) impressions per account over four weeks; ``members`` (n,) where known; what was assumed.

    elasticity  the price response measured in the reports, >= 0; None = not measured
    """

    counts: Vector
    assumed: tuple[str, ...] = ()
    members: Vector | None = None
    policy: Policy | None = None
    elasticity: float | None = None


def from_file(file: Path) -> Past:
    """A plain CSV, or any layout of a Campaign Manager download. Raises NothingToRehearse or FileNotUnderstood."""
    if not file.is_file():
        raise NothingToRehearse(f"there is no file {file.name}")
    if not file.read_bytes().strip():
        raise NothingToRehearse(f"{file.name} is empty")
    plain = _plain(file)
    if plain:
        return Past(_summed(plain, file.name), (f"{file.name} covers {WINDOW} days",))
    return _from_report(file, *_download(file))


def _from_report(file: Path, report: ImpressionReport, assumed: str) -> Past:
    rows = [(row.entity, float(row.impressions)) for row in report.rows if row.impressions is not None]
    if not rows:
        raise NothingToRehearse(f"{file.name} has no impressions per company; choose a report by company")
    hidden = sum(row.impressions is None for row in report.rows)
    notes = [assumed, *([f"{hidden} companies without a count are left out"] if hidden else [])]
    days = (report.end - report.start).days + 1
    scaled = _summed(rows, file.name) * (WINDOW / days)
    if days != WINDOW:
        notes.append(f"counts of {days} days scaled to {WINDOW}")
    return Past(scaled, tuple(note for note in notes if note), _members(report))


def _members(report: ImpressionReport) -> Vector | None:
    """(n,) members per company in the order of the counts, where the report says them of most."""
    told: dict[str, float] = {row.entity: 0.0 for row in report.rows if row.impressions is not None}
    for row in report.rows:
        if row.entity in told and row.members is not None:
            told[row.entity] = max(told[row.entity], float(row.members))
    members = np.array([told[entity] for entity in sorted(told)], dtype=np.float64)
    return known_members(members) if (members > 0.0).mean() > MOST else None


def from_segment(app: App, segment: str) -> Past:
    """The newest four weeks of a balanced segment, as reported; hidden counts are best guesses.

    Raises WorkspaceError, or NothingCollected where the window was never collected.
    """
    from flows.balance import make_state, policy_of
    from flows.bands import band_campaigns
    from flows.collect import newest_complete
    from flows.exposure import window_exposure
    from flows.price_response import measured_response, response_words

    policy = policy_of(app, segment)
    end = newest_complete(app, band_campaigns(app, segment).platform)
    start = _first_day(app, segment, end)
    exposure = window_exposure(app, segment, start, end)
    days = (end - start).days + 1
    members = make_state(app, segment, policy, app.today).members
    told = f"the reports of {segment} from {start} to {end}; counts they hide are best guesses"
    scaled = [f"counts of {days} days scaled to {WINDOW}"] if days != WINDOW else []
    counts = _checked(np.round(exposure.point) * (WINDOW / days), segment)
    response = measured_response(app, segment)
    priced = [response_words(response)] if response is not None else []
    return Past(
        counts,
        (told, *scaled, *priced),
        known_members(members) if members.any() else None,
        policy,
        max(response.elasticity, 0.0) if response is not None else None,
    )


def _first_day(app: App, segment: str, end: date) -> date:
    """The first of the days to collect: four weeks, or as many as have been reported of the campaigns in force."""
    from flows.bands import band_campaigns
    from flows.collect import collect_window

    campaigns = band_campaigns(app, segment)
    oldest = end - timedelta(days=WINDOW - 1)
    totals = app.store.totals(campaigns.platform, oldest, end, grain="daily", source="api")
    seen = [row.first for row in totals if row.campaign_id in campaigns.everything() and row.impressions]
    start = max(min(seen, default=oldest), oldest)
    collect_window(app, segment, start, end)
    return start


def _plain(file: Path) -> list[tuple[str, float]] | None:
    """Rows of a UTF-8 CSV whose header has ``impressions`` and whose first column names the account.

    None when it is something else, for instance a download: those name companies, or begin with other lines.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            rows = [row for row in csv.reader(stream) if any(cell.strip() for cell in row)]
    except (UnicodeDecodeError, csv.Error):
        return None
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    if "impressions" not in header or header[0] in ("impressions", *DOWNLOADED):
        return None
    place = header.index("impressions")
    body = enumerate(rows[1:], 2)
    return [
        (row[0].strip(), _number(row, place, line, file.name))
        for line, row in body
        if row[0].strip().lower() not in TOTALS
    ]


def _number(row: list[str], place: int, line: int, name: str) -> float:
    text = row[place].strip().replace(",", "").replace(" ", "") if place < len(row) else ""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0.0 <= value <= LARGEST:
        raise NothingToRehearse(f"{name}, row {line}, column impressions: not a count of 0 to {LARGEST:.0e}")
    return value


def _download(file: Path) -> tuple[ImpressionReport, str]:
    """A file of Campaign Manager; where it does not say its days, four weeks are assumed."""
    now = datetime.now(UTC)
    try:
        return read_export(file, fetched_at=now), ""
    except FileNotUnderstood as error:
        if NO_WINDOW not in str(error):
            raise
    end = now.date()
    start = end - timedelta(days=WINDOW - 1)
    report = read_export(file, fetched_at=now, start=start, end=end)
    return report, f"{file.name} does not say its days; {WINDOW} are assumed"


def _summed(rows: Iterable[tuple[str, float]], name: str) -> Vector:
    counts: dict[str, float] = {}
    for account, number in rows:
        counts[account] = counts.get(account, 0.0) + number
    return _checked(np.array([counts[account] for account in sorted(counts)], dtype=np.float64), name)


def _checked(counts: Vector, name: str) -> Vector:
    if counts.size < FEWEST:
        raise NothingToRehearse(
            f"{name} has {counts.size} accounts; {FEWEST} are the fewest worth evening out"
        )
    if counts.sum() <= 0.0:
        raise NothingToRehearse(f"{name} has no impressions at all")
    return counts
