"""Tell sales when a tier-1 account that shows intent enters a segment, in the run that syncs it.

Keeps, per segment, whom it has told of; who left and comes back is told again.
Held-out companies are never told: sales would treat them differently.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from flows.alerts import Condition, deliver
from flows.assess import Assessment
from flows.runs import Busy, leased
from flows.wiring import App

TIER, HEAT = 1, "hot"
MOST_LINES = 20


def alert_entries(app: App, assessment: Assessment, segments: Iterable[str]) -> tuple[str, ...]:
    """Tell of every hot tier-1 account that is new in one of these segments. Returns its account ids.

    A segment seen for the first time tells nothing. When no channel takes the message, the next run tries again.
    """
    hot = assessment.scores.filter((pl.col("tier") == TIER) & (pl.col("heat") == HEAT))
    wanted = frozenset(hot["account_id"])
    told: list[str] = []
    for name in dict.fromkeys(segments):
        if app.config.segments[name].kind == "negative":
            continue
        try:
            with leased(app, f"entries/{name}"):
                told += _entered(app, assessment, name, wanted)
        except Busy:
            continue  # another run is telling of this segment
    return tuple(told)


def _entered(app: App, assessment: Assessment, name: str, hot: frozenset[str]) -> list[str]:
    version = assessment.segments[name].version
    inside = hot.intersection(version.account_ids) - frozenset(version.holdout_ids)
    known: list[str] | None = app.store.get(_key(name))
    new = sorted(inside.difference(known)) if known is not None else []
    taken = not new or deliver(app, _lines(app, assessment, name, new), title="hot tier-1 accounts")
    keep = inside if taken else inside.difference(new)
    if known is None or set(known) != keep:
        app.store.put(_key(name), sorted(keep), at=app.now())
    return new if taken else []


def _lines(app: App, assessment: Assessment, name: str, new: list[str]) -> list[Condition]:
    title = app.config.segments[name].title or name
    rows = assessment.scores.filter(pl.col("account_id").is_in(new[:MOST_LINES])).sort("account_id")
    lines = [
        Condition(
            f"entry/{name}", "entered", f"{row['account_id']} entered {title}: fit {row['fit']:.0f}, hot."
        )
        for row in rows.iter_rows(named=True)
    ]
    more = len(new) - len(lines)
    return [*lines, Condition(f"entry/{name}", "entered", f"and {more:,} more.")] if more else lines


def _key(name: str) -> str:
    return f"entries/{name}"
