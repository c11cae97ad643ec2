"""``evenreach segments performance|contrasts|export``: what became of segments, and their table for a CRM."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from flows.verbs.outcome import DONE, show, table


def performance(arguments: argparse.Namespace, app: Any, assessment: Any) -> int:
    """Conversion, win rate, velocity, CAC, LTV and NRR per segment, each with its n."""
    from flows.deals import QUARTER_DAYS, diverged, measured, read_deals

    read = read_deals(app)
    found = measured(app, assessment, read.deals, only=arguments.segment)
    rows = [_measured(one) for one in found.values()]
    reviews = [
        f"Review {one.segment}: {one.measure.replace('_', ' ')} is {one.now:.0%} in the last {QUARTER_DAYS} "
        f"days and was {one.before:.0%} before, more than chance explains."
        for one in diverged(app, assessment, read.deals)
        if arguments.segment in (None, one.segment)
    ]
    data = {
        "deals": len(read.deals), "rejected": len(read.rejected), "segments": rows, "reviews": reviews
    }  # fmt: skip
    show(arguments, data, lambda: _performance_words(data, found))
    return DONE


_HEADER = "segment|companies|deals|customers|win rate|average deal|days to win|per day|CAC|LTV|NRR".split("|")
_MEASURES = {
    "win_rate": ".0%",
    "average_deal": ",.0f",
    "cycle_days": ",.0f",
    "velocity": ",.0f",
    "cac": ",.0f",
    "ltv": ",.0f",
    "nrr": ".0%",
}


def _performance_words(data: dict[str, Any], found: Mapping[str, Any]) -> str:
    cells = [
        [
            one.segment, one.accounts, one.deals, one.customers,
            *(_said(getattr(one, name), form) for name, form in _MEASURES.items()),
        ]
        for one in found.values()
    ]  # fmt: skip
    stages = [line for one in found.values() for line in _stages(one)]
    parts = [
        f"{data['deals']:,} deals, {data['rejected']:,} rows without a company.",
        table(_HEADER, cells),
        "\n".join(stages),
        "\n".join(data["reviews"]),
        "(all companies): all with a deal. per day: pipeline velocity in the currency of the deals.",
    ]
    return "\n\n".join(part for part in parts if part)


def _said(measure: Any, form: str) -> str:
    """The number with its n; in words where it rests on too few."""
    if measure is None:
        return "-"
    if measure.value is None or not measure.enough:
        return measure.words or "-"
    return f"{measure.value:{form}} (n = {measure.n})"


def _stages(one: Any) -> list[str]:
    steps = [step for step in one.conversion if step.rate.n]
    return [f"{one.segment}: {s.stage} to {s.next_stage} {_said(s.rate, '.0%')}" for s in steps]


def _measured(one: Any) -> dict[str, Any]:
    data: dict[str, Any] = asdict(one)
    for name in _MEASURES:
        if data[name] is not None:
            data[name]["words"] = getattr(one, name).words
    for step, given in zip(data["conversion"], one.conversion, strict=True):
        step["rate"]["words"] = given.rate.words
    return data


def contrasts(arguments: argparse.Namespace, app: Any, assessment: Any) -> int:
    """What the best customers have more often than all customers."""
    from audiences.scoring_customers import contrasts as compare
    from flows.deals import read_deals

    won: dict[str, float] = {}
    for deal in read_deals(app).deals:
        if deal.outcome == "won":
            won[deal.account_id] = won.get(deal.account_id, 0.0) + (deal.amount or 0.0)
    found = compare(assessment.universe.accounts, won, top=arguments.top)
    rows = [asdict(one) for one in found]
    telling = [one for one in found if one.strength in ("strong", "weak", "against")]
    cells = [
        [one.field, one.value, f"{one.top_share:.0%}", f"{one.all_share:.0%}", one.strength]
        for one in telling
    ]
    names = ["field", "value", f"best {arguments.top}", "all customers", "contrast"]
    text = table(names, cells) if cells else f"{len(won):,} customers: too few to say, or no contrast."
    show(arguments, {"customers": len(won), "contrasts": rows}, lambda: text)
    return DONE


def export(arguments: argparse.Namespace, app: Any, assessment: Any) -> int:
    """Tier, scores and segments per company, of a segment or all, to a file or to a table of a database."""
    import polars as pl

    from audiences.segments_export import csv_bytes, parquet_bytes, stamped
    from flows.files import write_atomically

    frame = stamped(assessment.segments, assessment.scores)
    if arguments.segment is not None:
        frame = frame.filter(pl.Series(assessment.segments[arguments.segment].members))
    target = arguments.out or "segments.csv"
    if target.startswith("sql:"):
        from flows.export_sql import write_table

        address = target.removeprefix("sql:")
        written = write_table(app, address, arguments.table, frame)
    else:
        file = Path(target)
        write_atomically(file, parquet_bytes(frame) if file.suffix == ".parquet" else csv_bytes(frame))
        written = str(file)
    show(
        arguments,
        {"file": written, "companies": frame.height},
        lambda: f"{frame.height:,} companies -> {written}",
    )
    return DONE
