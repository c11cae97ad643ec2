"""``evenreach demo``: set up, run, show. Progress goes to stderr, results to stdout."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from pathlib import Path
from typing import Any

from flows.verbs.outcome import DONE, show


def run(arguments: argparse.Namespace) -> int:
    """Run the whole loop; a workspace that is complete is only shown again."""
    if arguments.weeks < 4:
        from flows.wiring import WorkspaceError

        raise WorkspaceError("--weeks must be at least 4: four-week windows are compared")
    started = time.monotonic()
    folder = arguments.workspace or Path("evenreach-demo")
    from flows.demo.workspace import make_workspace
    from flows.engine import prefect_server

    make_workspace(folder, seed=arguments.seed)
    with prefect_server(folder.absolute() / "prefect") as wait:
        outcome = _steps(arguments, folder, wait)
        runs = _flow_runs()
    outcome.figures.update(flow_runs=runs, seconds=round(time.monotonic() - started, 1))
    show(arguments, outcome.figures, lambda: _words(outcome, folder))
    return DONE


def _steps(arguments: argparse.Namespace, folder: Path, wait: Any) -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from flows.demo.calendar import Calendar
    from flows.demo.run import run as run_demo
    from flows.wiring import open_app

    console = Console(file=sys.stderr)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress, open_app(folder) as app:
        task = progress.add_task("Prefect's server starts", total=None, note="")
        wait()
        progress.update(task, description="Import, score, push")

        def tick(done: int, of: int) -> None:
            progress.update(
                task, description="Balancing, day by day", completed=done, total=of, note=f"{done} of {of}"
            )

        return run_demo(app, Calendar(arguments.weeks), say=progress.console.print, tick=tick)


def _flow_runs() -> int:
    """How many flow runs Prefect has on record for this workspace."""
    import httpx

    from flows.settings import prefect_server_url

    answer = httpx.post(f"{prefect_server_url()}/flow_runs/count", json={}, timeout=30)
    return int(answer.raise_for_status().json())


def _words(outcome: Any, folder: Path) -> str:
    from flows.report.text import summary

    f, at = outcome.figures, f"--workspace {shlex.quote(str(folder))}"
    after = f["reported_after"]
    return "\n".join(
        [
            summary(outcome.page.page),
            "",
            f"The market's truth: the top 100 accounts took {f['top100_share_before']:.1%} before and "
            f"{f['top100_share_after']:.1%} after, at {f['delivery_ratio']:.1%} of the impressions;",
            f"LinkedIn's reports alone would say {after['point']:.1%}, and that it is between "
            f"{after['low']:.1%} and {after['high']:.1%}.",
            f"{f['impressions_moved']:,} impressions went to other accounts than before. "
            f"{f['flow_runs']} Prefect flow runs, {f['seconds']} s.",
            "",
            f"Report: {f['report']}",
            "Next:",
            f"  evenreach segments preview tier-1-strike {at}",
            f"  evenreach why {_somebody(outcome)} {at}",
            f"  evenreach sync tech-and-industry --dry-run {at}",
        ]
    )


def _somebody(outcome: Any) -> str:
    return shlex.quote(str(outcome.page.page.rows[0].account_id))  # an id may hold a name, with spaces
