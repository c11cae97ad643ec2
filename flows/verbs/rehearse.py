"""``evenreach rehearse``: what a policy would bring, on past impressions or a simulated world."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from flows.verbs.outcome import DONE, show, table

PROMISES_NOTHING = (
    "Simulated: a rehearsal shows what would follow if the market behaves as assumed. It promises nothing."
)


def run(arguments: argparse.Namespace) -> int:
    from balancer.rehearse import rehearse
    from balancer.types import Policy

    source: Any = impressions(arguments.impressions) if arguments.impressions else arguments.world
    if arguments.compare:
        return _compare(arguments, source)
    found = rehearse(
        source,
        mode=arguments.mode,
        plant=arguments.plant,
        seed=arguments.seed,
        seeds=arguments.seeds,
        weeks=arguments.weeks,
        headroom=arguments.headroom,
        policy=Policy(impression_floor=arguments.floor),
    )
    data = {name: plain(value) for name, value in asdict(found).items()} | {"realised": found.realised}
    show(arguments, data, lambda: _words(data))
    return DONE


def _compare(arguments: argparse.Namespace, source: Any) -> int:
    from flows.price_table import price_table

    found = price_table(
        source,
        caps=caps(arguments.caps),
        plant=arguments.plant,
        seed=arguments.seed,
        seeds=max(3, arguments.seeds),
        weeks=arguments.weeks,
        floor=arguments.floor,
        headroom=arguments.headroom,
    )
    show(arguments, found.as_json(), lambda: price_words(found))
    return DONE


def caps(text: str) -> list[float | None]:
    """``none,3,2`` -> [None, 3.0, 2.0]. Raises BadNumbers for anything else."""
    from balancer.errors import BadNumbers

    found: list[float | None] = []
    for part in text.split(","):
        word = part.strip().lower()
        try:
            found.append(None if word == "none" else float(word))
        except ValueError:
            raise BadNumbers("Caps are numbers or the word none, with commas between.") from None
    return found


def price_words(found: Any) -> str:
    """A PriceTable as text: a row per mode and cap, what the floor allows, what was assumed."""

    def spread(row: Any, name: str, shape: str) -> str:
        low, high = format(row.low[name], shape), format(row.high[name], shape)
        middle = format(row.figures[name], shape)
        return middle if low == high else f"{middle} ({low} to {high})"

    rows = [
        [
            row.mode,
            "-" if row.cap is None else f"{row.cap:g} x even",
            spread(row, "top100_after", ".1%"),
            spread(row, "coverage_after", ".0%"),
            spread(row, "delivery", ".1%"),
            spread(row, "cpm_ratio", ".2f"),
            spread(row, "changes_per_day", ".0f"),
            spread(row, "settle_days", ".0f"),
            "" if row.kept else "below your floor; tighter caps left out",
        ]
        for row in found.rows
    ]
    header = [
        "mode",
        "cap",
        "top 100",
        "coverage",
        "impressions",
        "price",
        "changes a day",
        "days to settle",
        "",
    ]
    best = found.best
    choice = (
        f"Lowest share within your floor of {found.floor:.0%}: {best.mode}"
        f"{'' if best.cap is None else f', cap {best.cap:g} x even'}."
        if best is not None
        else f"Nothing here keeps {found.floor:.0%} of the impressions; leave the campaign as it is or lower the floor."
    )
    return "\n".join(
        [
            f"{found.accounts:,} accounts; the top 100 take {found.before:.1%} now, {found.oracle:.1%} at the very best.",
            table(header, rows),
            choice,
            "",
            "If pressure raises the price (exponent), the floor stops evening out here:",
            table(
                ["exponent", "top 100", "impressions", "pressure", "one more point costs"],
                [
                    [
                        f"{f.elasticity:g}",
                        f"{f.share:.1%}",
                        f"{f.delivery:.1%}",
                        f"{f.throttle:.2f} x",
                        "-" if f.a_point is None else f"{f.a_point:.2%} of impressions",
                    ]
                    for f in found.frontier
                ],
            ),
            PROMISES_NOTHING,
            *[f"  assumed: {one}" for one in found.assumed],
        ]
    )


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
        PROMISES_NOTHING,
        *[f"  assumed: {one}" for one in data.get("assumed", ())],
    ]
    return "\n".join(lines)
