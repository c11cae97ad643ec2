"""Prefect's view of the work: flows, tasks, retries, names. The only module that imports Prefect's engine.

Bodies are plain functions of the other modules. Parameters are names and ids:
Prefect keeps them in clear, so no row, key or token is ever one of them.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from prefect import flow, task
from prefect.client.schemas.objects import State as RunState
from prefect.client.schemas.objects import TaskRun
from prefect.tasks import Task

from flows import activate, activate_plan, balance, collect, load, upkeep
from flows.activate_each import each_list
from flows.alerts_entries import alert_entries
from flows.assess import assess
from flows.wiring import app_for


def worth_retrying(_: Task[..., Any], __: TaskRun, state: RunState[Any]) -> bool:
    """Only errors that say so: throttled, not ready, no answer."""
    error = state.result(raise_on_failure=False)
    return bool(getattr(error, "retryable", False))


PATIENCE: dict[str, Any] = {
    "retries": 3,
    "retry_delay_seconds": [60, 300, 900],
    "retry_condition_fn": worth_retrying,
}


@task(name="read sources")
def read_sources(workspace: str, accept_shrink: int = 0) -> dict[str, object]:
    with app_for(workspace) as app:
        return load.as_json(load.load(app, accept_shrink=accept_shrink))


@flow(name="load", flow_run_name="load")
async def load_flow(workspace: str, accept_shrink: int = 0) -> dict[str, object]:
    """Read every source of the workspace into the store; ``accept_shrink``: rows a source may have lost."""
    return read_sources(workspace, accept_shrink)


@task(name="prepare list", task_run_name="prepare-{list_id}")
def prepare_list(workspace: str, list_id: str, on: date | None, accept_shrink: int) -> int:
    with app_for(workspace) as app:
        spec = next(s for s in activate.wanted_lists(app) if s.audience_id == list_id)
        assessment = assess(app, on=on)
        prepared = activate.prepare(app, assessment, spec, accept_shrink=accept_shrink)
        alert_entries(app, assessment, [spec.segment])
        return prepared.adds + prepared.removes


@task(name="send list", task_run_name="send-{list_id}", **PATIENCE)
def send_list(workspace: str, list_id: str) -> dict[str, int]:
    with app_for(workspace) as app:
        sent = activate.send(app, list_id)
        activate.follow(app, list_id)
        return {
            "adds": sent.adds,
            "removes": sent.removes,
            "rejected": sent.rejected,
            "waiting": sent.waiting,
        }


@flow(name="sync", flow_run_name="sync-{segment}-{platform}")
async def sync_flow(
    workspace: str, segment: str, platform: str, on: date | None = None, accept_shrink: int = 0
) -> dict[str, dict[str, int]]:
    """Bring one segment's lists on one platform in line with its rules, each on its own.

    Ends failed, naming the lists, when a brake stopped some; the others are in line then all the same.
    """
    with app_for(workspace) as app:
        lists = [spec.audience_id for spec in activate.wanted_lists(app, segment, platform)]
    return each_list(
        lists,
        lambda list_id: prepare_list(workspace, list_id, on, accept_shrink),
        lambda list_id: send_list(workspace, list_id),
    )


@task(name="upkeep", **PATIENCE)
def keep_up(workspace: str) -> int:
    with app_for(workspace) as app:
        found = upkeep.upkeep(app)
        upkeep.raise_trouble(found)
        return found.open


@flow(name="upkeep", flow_run_name="upkeep")
async def upkeep_flow(workspace: str) -> int:
    """Settle, retry and keep alive every list. Returns how many batches still wait for an answer."""
    return keep_up(workspace)


@task(name="collect reports", task_run_name="collect-{segment}", **PATIENCE)
def collect_reports(workspace: str, segment: str, days: int) -> int:
    with app_for(workspace) as app:
        return collect.collect(app, segment, days=days).rows


@flow(name="collect", flow_run_name="collect-{segment}")
async def collect_flow(workspace: str, segment: str, days: int = 7) -> int:
    """Read the newest impression reports of one balanced segment."""
    return collect_reports(workspace, segment, days)


@task(name="collect window", task_run_name="window-{start}-{end}", **PATIENCE)
def collect_report_window(workspace: str, segment: str, start: date, end: date) -> None:
    with app_for(workspace) as app:
        collect.collect_window(app, segment, start, end)


@flow(name="report", flow_run_name="report-{segment}-{end}")
async def report_flow(workspace: str, segment: str, start: date, end: date) -> None:
    """Read one window as the share report needs it."""
    collect_report_window(workspace, segment, start, end)


@task(name="plan", task_run_name="plan-{segment}")
def plan_segment(workspace: str, segment: str) -> str:
    with app_for(workspace) as app:
        return balance.todays_plan(app, segment).plan_id


@task(name="apply plan", task_run_name="apply-{plan_id}", **PATIENCE)
def apply_approved(workspace: str, plan_id: str) -> int:
    with app_for(workspace) as app:
        return activate_plan.apply_plan(app, plan_id).moves


@flow(name="balance", flow_run_name="balance-{segment}-{day}")
async def balance_flow(
    workspace: str, segment: str, day: date, days: int = 3, approved_by: str = ""
) -> dict[str, object]:
    """Collect, plan, and apply where somebody approved in advance; else the plan waits."""
    collect_reports(workspace, segment, days)
    plan_id = plan_segment(workspace, segment)
    if not approved_by:
        return {"plan": plan_id, "moves": None}
    with app_for(workspace) as app:
        balance.approve_as_seen(app, plan_id, who=approved_by)
    return {"plan": plan_id, "moves": apply_approved(workspace, plan_id)}
