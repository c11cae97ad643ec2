"""What a run leaves to be read in Prefect: tables, a plan, progress. Counts, ids and companies, never a person."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from prefect.artifacts import (
    acreate_markdown_artifact,
    acreate_progress_artifact,
    acreate_table_artifact,
    aupdate_progress_artifact,
)

from audiences.store.records import PlanRecord
from flows import reporting
from flows.plan_codec import decode_plan
from flows.plan_words import expected
from flows.report import words
from flows.wiring import App

Row = dict[str, Any]


class Progress:
    """Parts of a run done so far, as one line in Prefect that moves."""

    def __init__(self, artifact: UUID, parts: int) -> None:
        self._artifact, self._parts, self._done = artifact, parts, 0

    @classmethod
    async def begin(cls, key: str, what: str, *, parts: int) -> Progress:
        made = await acreate_progress_artifact(0.0, key=named("progress", key), description=what)
        return cls(made, parts)

    async def step(self) -> None:
        """One more part is done."""
        self._done += 1
        await aupdate_progress_artifact(self._artifact, min(100.0, 100.0 * self._done / self._parts))


async def table(key: str, what: str, rows: Sequence[Row]) -> None:
    await acreate_table_artifact([dict(row) for row in rows], key=key, description=what)


async def text(key: str, what: str, markdown: str) -> None:
    await acreate_markdown_artifact(markdown, key=key, description=what)


def named(*parts: str) -> str:
    """A key as Prefect takes it: lower case, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", "-".join(parts).lower()).strip("-")


def list_rows(app: App, lists: Iterable[str], changes: Mapping[str, Mapping[str, Any]]) -> list[Row]:
    """What became of each list: what this run changed, and how the list stands after it."""
    standing = {one.audience.spec.audience_id: one for one in app.store.overview()}
    rows = []
    for list_id in lists:
        changed, found = changes.get(list_id, {}), standing.get(list_id)
        row: Row = {"list": list_id} | {name: changed.get(name, 0) for name in ("adds", "removes")}
        counts = found.counts if found else None
        row["accepted"] = counts.accepted if counts else 0
        row["rejected"] = counts.rejected if counts else 0
        row["no answer yet"] = counts.unknown + counts.pending_adds + counts.pending_removes if counts else 0
        state = found.audience.state if found else None
        rows.append(row | {"status": words.list_status(str(state.status)) if state else "not made yet"})
    return rows


def compared_rows(changes: Mapping[str, Mapping[str, Any]]) -> list[Row]:
    """What a dry run found, list by list."""
    names = ("members", "adds", "removes", "stopped")
    return [{"list": name, **{key: one.get(key, "") for key in names}} for name, one in changes.items()]


def top_rows(app: App, segment: str, window: tuple[date, date], *, top: int = 100) -> list[Row]:
    """The accounts with the most impressions of a window. Raises NothingCollected."""
    page = reporting.report(app, segment, window, top=top).page
    return [
        {
            "rank": row.rank,
            "account": row.account_id,
            "name": row.name,
            "impressions": round(row.impressions),
            "at least": round(row.low),
            "at most": round(row.high),
            "share": f"{row.share:.2%}",
            "times even": f"{row.times_even:.1f}",
        }
        for row in page.rows[:top]
    ]


def plan_text(record: PlanRecord) -> str:
    """A plan as a short page: what it changes, what it expects, and how to decide."""
    plan = decode_plan(record.body)
    lines = [
        f"# Plan {record.plan_id[:12]} for {record.segment}, {record.day}",
        f"{len(record.moves):,} moves, mode {record.mode}, {record.status}. Inputs `{record.inputs_hash[:12]}`.",
        "",
        *(f"- {words.status(s.code, s.number, s.detail)}" for s in plan.statuses),
    ]
    if str(record.status) == "proposed":
        lines += ["", f"It waits: `evenreach balance --approve {record.plan_id[:12]}`, or the page."]
    reasons: dict[str, int] = {}
    for move in record.moves:
        reasons[move.reason] = reasons.get(move.reason, 0) + 1
    lines += ["", "| reason | accounts |", "| --- | ---: |"] if reasons else []
    lines += [f"| {reason.replace('_', ' ')} | {n:,} |" for reason, n in sorted(reasons.items())]
    lines += ["", "| expected | |", "| --- | ---: |"] if plan.forecast else []
    lines += [f"| {label} | {value} |" for label, value in expected(plan.forecast)]
    return "\n".join(lines)
