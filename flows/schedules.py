"""Deployments with schedules from ``evenreach.yaml``: one per segment and platform, per balanced segment, upkeep.

Says when and with which words; what is done is in ``scheduled_runs``. Whatever a
person starts by hand begins as a dry run; the schedules say ``send``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from prefect import Flow
from prefect.deployments.runner import RunnerDeployment
from prefect.schedules import Cron
from prefect.utilities.annotations import freeze

from audiences.config import Config
from flows import forms
from flows.scheduled_runs import collect_and_report, keep_in_sync, keep_up_all, plan_today, push_one_off

UPKEEP = "40 4 * * *"  # daily; a list needs to be touched only every few weeks
NOTHING: Mapping[str, str] = {}


def deployments(config: Config, workspace: Path) -> list[RunnerDeployment]:
    """Everything that runs by itself, and on request where no schedule is set. Names say segment and platform."""
    return list(_deployments(config, str(workspace.absolute())))


def _deployments(config: Config, workspace: str) -> Iterator[RunnerDeployment]:
    def made(
        what: Flow[..., Any],
        name: str,
        cron: str | None,
        *tags: str,
        given: Mapping[str, str] = NOTHING,
        scheduled: Mapping[str, str] = NOTHING,
    ) -> RunnerDeployment:
        fixed = {key: freeze(value) for key, value in {"workspace": workspace, **given}.items()}
        deployment = what.to_deployment(
            name,
            parameters=fixed,
            schedule=Cron(cron, timezone=config.timezone, parameters=dict(scheduled)) if cron else None,
            tags=["evenreach", *tags],
            concurrency_limit=1,  # two runs never work on the same lists
        )
        return cast(RunnerDeployment, deployment)  # a coroutine only inside a running event loop

    when, send, propose = config.sync, {"mode": forms.SEND}, {"mode": forms.PROPOSE}
    for segment, wanted in config.segments.items():
        of = {"segment": segment}
        for platform in wanted.sync:
            mode = getattr(getattr(config.platforms, platform), "mode", "export")
            yield made(
                keep_in_sync, f"{segment}-{platform}", when.schedule, segment, platform, mode, "sync",
                given=of | {"platform": platform}, scheduled=send,
            )  # fmt: skip
        if wanted.balance is not None:
            mode = str(config.policies[wanted.balance.policy].get("mode", "bands"))
            yield made(collect_and_report, segment, when.collect, segment, "collect", given=of)
            yield made(
                plan_today, segment, when.balance, segment, mode, "balance", given=of, scheduled=propose
            )
    if config.platforms.names():
        yield _choosing(made(push_one_off, "one-off", None, "push"), config.platforms.names())
    yield made(keep_up_all, "all-lists", UPKEEP, "upkeep")


def _choosing(deployment: RunnerDeployment, platforms: tuple[str, ...]) -> RunnerDeployment:
    """Only what is set up may be chosen in the form."""
    choice = deployment._parameter_openapi_schema.properties["platform"]
    choice |= {"enum": list(platforms), "default": platforms[0]}
    deployment.parameters["platform"] = platforms[0]
    return deployment
