"""Register every scheduled flow with a work pool, so that workers on several machines run them. Starts none.

A worker imports the flow from the installed package, so every machine needs the same version of it, the
workspace under the same path, and a record on PostgreSQL.
"""

from __future__ import annotations

from pathlib import Path

from prefect import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import ObjectNotFound

from flows.quota_runs import ensure_limits
from flows.schedules import deployments
from flows.wiring import App, WorkspaceError

KIND = "process"
# Prefect 3.8 starts a process that fetches a run's code, and then one that runs it; ours is installed, so the
# second is enough (docs.prefect.io, process workers, job variables, 2026-11-22). It saves a quarter of each run.
COMMAND = "python -m prefect.engine"


def register(app: App, pool: str) -> list[str]:
    """Create the pool where it is missing and put every deployment on it. Returns their names.

    Doing it again updates them. Raises WorkspaceError when the record is a file: several machines cannot share it.
    """
    if app.config.database.startswith("sqlite"):
        raise WorkspaceError(
            "several machines need the record on PostgreSQL; change database: in evenreach.yaml"
        )
    _ensure(pool)
    ensure_limits(app.config)
    return [_apply(deployment, pool) for deployment in deployments(app.config, app.workspace)]


def _ensure(pool: str) -> None:
    with get_client(sync_client=True) as client:
        try:
            client.read_work_pool(pool)
        except ObjectNotFound:
            client.create_work_pool(WorkPoolCreate(name=pool, type=KIND))


def _apply(deployment: RunnerDeployment, pool: str) -> str:
    deployment.entrypoint = module_entrypoint(str(deployment.entrypoint))
    deployment.work_pool_name = pool
    deployment.job_variables = {"command": COMMAND}
    deployment.apply()
    return deployment.full_name


def module_entrypoint(entrypoint: str) -> str:
    """``.../flows/schedules.py:keep_in_sync`` as ``flows.schedules.keep_in_sync``; a module's stays."""
    path, colon, function = entrypoint.partition(":")
    return f"flows.{Path(path).stem}.{function}" if colon else entrypoint
