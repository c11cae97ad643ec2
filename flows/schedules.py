"""Deployments with schedules from ``evenreach.yaml``: one per segment and platform, per balanced segment, upkeep.

The flows here only put those of ``deployments`` in order for a day; parameters are names, never rows or keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from prefect import Flow, flow
from prefect.deployments.runner import RunnerDeployment
from prefect.schedules import Cron

from audiences.config import Config
from flows import balance
from flows.collect import newest_complete
from flows.deployments import (
    apply_approved,
    balance_flow,
    collect_report_window,
    collect_reports,
    load_flow,
    sync_flow,
    upkeep_flow,
)
from flows.wiring import app_for

UPKEEP = "40 4 * * *"  # daily; a list needs to be touched only every few weeks
REPORT_DAYS, WEEK_DAYS = 28, 7
AUTOMATIC = "automatic: below the size set in approvals"


@flow(name="keep in sync", flow_run_name="sync-{segment}-{platform}")
async def keep_in_sync(workspace: str, segment: str, platform: str) -> dict[str, dict[str, int]]:
    """Read the sources and bring one segment's lists on one platform in line with its rules.

    workspace: folder with evenreach.yaml. segment: a name from it. platform: linkedin or google.
    """
    await load_flow(workspace)
    return await sync_flow(workspace, segment, platform)


@flow(name="collect reports", flow_run_name="collect-{segment}")
async def collect_and_report(workspace: str, segment: str, days: int = 7) -> int:
    """Read the newest days of one balanced segment, and the windows its share report is made of.

    days: how many days are read again, because platforms restate them.
    """
    rows = collect_reports(workspace, segment, days)
    with app_for(workspace) as app:
        end = newest_complete(app, "linkedin")
    for length in (REPORT_DAYS, WEEK_DAYS):
        collect_report_window(workspace, segment, end - timedelta(days=length - 1), end)
    return rows


@flow(name="daily plan", flow_run_name="plan-{segment}")
async def plan_today(workspace: str, segment: str, days: int = 3) -> dict[str, object]:
    """Collect the newest days of one balanced segment and plan. The plan waits for a person, unless it is
    smaller than approvals: auto_below in evenreach.yaml.
    """
    with app_for(workspace) as app:
        today, small = app.today, app.config.approvals.auto_below
    made = await balance_flow(workspace, segment, today, days=days)
    plan_id = str(made["plan"])
    with app_for(workspace) as app:
        if len(app.store.plan(plan_id).moves) >= small:
            return {"plan": plan_id, "moves": None}
        balance.approve_as_seen(app, plan_id, who=AUTOMATIC)
    return {"plan": plan_id, "moves": apply_approved(workspace, plan_id)}


def deployments(config: Config, workspace: Path) -> list[RunnerDeployment]:
    """Everything that runs by itself, and on request where no schedule is set. Names say segment and platform."""
    return list(_deployments(config, str(workspace.absolute())))


def _deployments(config: Config, workspace: str) -> Iterator[RunnerDeployment]:
    when = config.sync

    def made(what: Flow[..., Any], name: str, cron: str | None, *tags: str, **given: str) -> RunnerDeployment:
        deployment = what.to_deployment(
            name,
            parameters={"workspace": workspace, **given},
            schedule=Cron(cron, timezone=config.timezone) if cron else None,
            tags=list(tags),
            concurrency_limit=1,  # two runs never work on the same lists
        )
        return cast(RunnerDeployment, deployment)  # a coroutine only inside a running event loop

    for segment, wanted in config.segments.items():
        for platform in wanted.sync:
            yield made(
                keep_in_sync, f"{segment}-{platform}", when.schedule, segment, platform, "sync",
                segment=segment, platform=platform,
            )  # fmt: skip
        if wanted.balance is not None:
            yield made(collect_and_report, segment, when.collect, segment, "collect", segment=segment)
            yield made(plan_today, segment, when.balance, segment, "balance", segment=segment)
    yield made(upkeep_flow, "all-lists", UPKEEP, "upkeep")
