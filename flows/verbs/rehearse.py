"""``evenreach rehearse``: what a policy would bring, on past impressions or a simulated world."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from flows.verbs.outcome import DONE, show


def run(arguments: argparse.Namespace) -> int:
    from balancer.rehearse import rehearse

    source: Any = impressions(arguments.impressions) if arguments.impressions else arguments.world
    found = rehearse(
        source, mode=arguments.mode, plant=arguments.plant, seed=arguments.seed, weeks=arguments.weeks
    )
    data = {name: plain(value) for name, value in asdict(found).items()} | {"realised": found.realised}
    show(arguments, data, lambda: _words(data))
    return DONE


def impressions(file: Path) -> Any:
    """(n,) impressions per account, from a table with an ``impressions`` column or a Campaign Manager download.

    A plain CSV names the account in its first column. Raises a platform's FileNotUnderstood.
    """
    import numpy as np

    counts: dict[str, float] = {}
    for account, number in _plain_table(file) or _download(file):
        counts[account] = counts.get(account, 0.0) + number
    return np.array([counts[name] for name in sorted(counts)], dtype=np.float64)


def _plain_table(file: Path) -> list[tuple[str, float]]:
    """Rows of a UTF-8 CSV whose header has ``impressions``; [] when it is something else."""
    import csv

    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.reader(stream))
        place = [cell.strip().lower() for cell in rows[0]].index("impressions")
        return [(row[0], float(row[place].replace(",", ""))) for row in rows[1:] if len(row) > place]
    except (UnicodeDecodeError, ValueError, IndexError):
        return []


def _download(file: Path) -> list[tuple[str, float]]:
    from datetime import UTC, datetime

    from platforms.exports import read_export

    report = read_export(file, fetched_at=datetime.now(UTC))
    return [(row.entity, float(row.impressions)) for row in report.rows if row.impressions is not None]


def plain(value: Any) -> Any:
    """Arrays and tuples as lists, so that it prints as JSON."""
    return value.tolist() if hasattr(value, "tolist") else list(value) if isinstance(value, tuple) else value


def _words(data: dict[str, Any]) -> str:
    lines = [
        f"{data['mode']} on {data['accounts']:,} accounts, {data['plant']}, {data['weeks']} weeks:",
        f"  share of the top 100   {data['top100_before']:.1%} -> {data['top100_after']:.1%}"
        f"  (best possible {data['oracle']:.1%})",
        f"  impressions            {data['delivery']:.1%} of before, at {data['cpm_ratio']:.2f} x the price each",
        f"  coverage               {data['coverage_before']:.1%} -> {data['coverage_after']:.1%}",
        f"  list changes           {data['changes_per_day']:.1f} a day, settled after {data['settle_days']:.0f} days",
        "Simulated: a rehearsal shows what would follow if the market behaves as assumed. It promises nothing.",
        *[f"  assumed: {one}" for one in data.get("assumed", ())],
    ]
    return "\n".join(lines)
