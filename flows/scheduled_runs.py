"""What Prefect runs by schedule and on request: sync, collect, plan, push, upkeep. When is not decided here.

The flows put those of ``deployments`` in order for a day, keep to the platform's
quota, and leave a summary to be read. Only a schedule, or a person who says so, sends.
A sync, a collection and a plan hold the workspace open, so that their tasks need not read it again.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from prefect import flow, task

from audiences.brakes import Braked
from flows import activate, artifacts, balance, forms
from flows.activate_each import SomeStopped
from flows.alerts_brakes import SOURCES, tell_brakes, words_of
from flows.approvers import accept_large_change
from flows.artifacts import Progress, named
from flows.assess import assess
from flows.bands import band_campaigns
from flows.collect import newest_complete
from flows.deployments import (
    PATIENCE,
    apply_approved,
    balance_flow,
    collect_report_window,
    collect_reports,
    load_flow,
    sync_flow,
    upkeep_flow,
)
from flows.exposure import NothingCollected
from flows.push_file import Order, in_inbox, push_file
from flows.quota_runs import within_quota
from flows.wiring import App, app_for

REPORT_DAYS, WEEK_DAYS = 28, 7
Changes = dict[str, dict[str, Any]]


@flow(name="keep in sync", flow_run_name="sync-{segment}-{platform}-{mode}")
async def keep_in_sync(
    workspace: forms.Workspace,
    segment: forms.Segment,
    platform: forms.Platform,
    mode: forms.Sending = "dry run",
    accept_shrink: forms.Shrink = 0,
    approved_by: forms.Approver = "",
    because: forms.Because = "",
) -> Changes:
    """Read the sources and bring one segment's lists on one platform in line with its rules."""
    with app_for(workspace) as app:
        if mode == forms.SEND:
            accept_large_change(app, segment, accept_shrink, who=approved_by, because=because)
        key, what = named("sync", segment, platform), f"{segment} on {platform}, {mode}"
        progress = await Progress.begin(key, what, parts=2)
        try:
            await load_flow(workspace, accept_shrink)
            await progress.step()
            if mode == forms.LOOK:
                changes: Changes = compare_lists(workspace, segment, platform, accept_shrink)
                await artifacts.table(key, f"{what}: nothing was sent", artifacts.compared_rows(changes))
            else:
                changes = await _sent(app, segment, platform, accept_shrink)
                tell_brakes(app, [SOURCES, *changes], {})
        except Braked as error:
            if mode == forms.SEND:  # a person must hear what waits for them, and that it no longer does
                tell_brakes(app, [SOURCES, *getattr(error, "changes", ())], words_of(error.brakes))
            raise
        await progress.step()
        return changes


@task(name="compare lists", task_run_name="compare-{segment}-{platform}")
def compare_lists(workspace: str, segment: str, platform: str, accept_shrink: int) -> Changes:
    """What a run would add and remove, list by list; a brake is told, not raised."""
    with app_for(workspace) as app:
        assessment, found = assess(app), Changes()
        for spec in activate.wanted_lists(app, segment, platform):
            try:
                one = activate.prepare(app, assessment, spec, accept_shrink=accept_shrink, dry_run=True)
            except Braked as error:
                found[spec.audience_id] = {"stopped": str(error)}
            else:
                found[spec.audience_id] = {"members": one.desired, "adds": one.adds, "removes": one.removes}
        return found


async def _sent(app: App, segment: str, platform: str, accept_shrink: int) -> Changes:
    """Within the quota; how the lists stand is left to be read even when a brake or the platform stopped it."""
    lists = [spec.audience_id for spec in activate.wanted_lists(app, segment, platform)]
    changes: Changes = {}
    try:
        async with within_quota(app.config, platform):
            sent = await sync_flow(str(app.workspace), segment, platform, accept_shrink=accept_shrink)
            changes = {name: dict(one) for name, one in sent.items()}
    except SomeStopped as error:
        changes = {name: dict(one) for name, one in error.changes.items()}
        raise
    finally:
        rows = artifacts.list_rows(app, lists, changes)
        await artifacts.table(named("sync", segment, platform), f"{segment} on {platform}, sent", rows)
    return changes


@flow(name="collect reports", flow_run_name="collect-{segment}")
async def collect_and_report(workspace: forms.Workspace, segment: forms.Segment, days: forms.Days = 7) -> int:
    """Read the newest days of one balanced segment, and the windows its share report is made of."""
    progress = await Progress.begin(named("collect", segment), f"reports of {segment}", parts=3)
    with app_for(workspace) as app:
        platform = band_campaigns(app, segment).platform
        end = newest_complete(app, platform)
        async with within_quota(app.config, platform):
            rows = collect_reports(workspace, segment, days)
            await progress.step()
            for length in (REPORT_DAYS, WEEK_DAYS):
                collect_report_window(workspace, segment, end - timedelta(days=length - 1), end)
                await progress.step()
        await _leave_top(app, segment, (end - timedelta(days=REPORT_DAYS - 1), end))
    return rows


async def _leave_top(app: App, segment: str, window: tuple[date, date]) -> None:
    try:
        rows = artifacts.top_rows(app, segment, window)
    except NothingCollected:
        return
    what = f"{segment}: the accounts with most impressions, {window[0]} to {window[1]}"
    await artifacts.table(named("top-100", segment), what, rows)


@flow(name="daily plan", flow_run_name="plan-{segment}-{mode}")
async def plan_today(
    workspace: forms.Workspace,
    segment: forms.Segment,
    mode: forms.Planning = "shadow",
    days: forms.Days = 3,
) -> dict[str, object]:
    """Collect the newest days of one balanced segment and plan. The plan waits for a person, unless it is
    smaller than approvals: auto_below in evenreach.yaml; a shadow plan is never carried out.
    """
    with app_for(workspace) as app:
        today = app.today
        async with within_quota(app.config, band_campaigns(app, segment).platform):
            if mode == forms.SHADOW:
                collect_reports(workspace, segment, days)
                plan_id, moves = plan_shadow(workspace, segment), None
            else:
                plan_id = str((await balance_flow(workspace, segment, today, days=days))["plan"])
                moves = _applied_if_small(workspace, plan_id)
        record = app.store.plan(plan_id)
    await artifacts.text(
        named("plan", segment), f"{segment}: plan of {record.day}", artifacts.plan_text(record)
    )
    return {"plan": plan_id, "moves": moves}


@task(name="shadow plan", task_run_name="shadow-{segment}")
def plan_shadow(workspace: str, segment: str) -> str:
    with app_for(workspace) as app:
        return balance.propose(app, segment, shadow=True).record.plan_id


def _applied_if_small(workspace: str, plan_id: str) -> int | None:
    """How many moves were carried out without a person; None where the plan waits for one."""
    with app_for(workspace) as app:
        if not balance.approve_if_small(app, plan_id):
            return None
    return apply_approved(workspace, plan_id)


@flow(name="push a list", flow_run_name="push-{file}-{platform}-{mode}")
async def push_one_off(
    workspace: forms.Workspace,
    file: forms.File,
    platform: forms.Platform = "linkedin",
    mode: forms.Sending = "dry run",
    name: forms.ListName = "",
    owner: forms.Owner = "",
    note: forms.Note = "",
    until: forms.Until = None,
    first_party: forms.FirstParty = False,
    consented: forms.Consented = False,
    accept_shrink: forms.Shrink = 0,
    approved_by: forms.Approver = "",
    because: forms.Because = "",
) -> dict[str, Any]:
    """Push a one-off list from a file in the folder inbox of the workspace; the same file again changes nothing."""
    order = Order(
        in_inbox(Path(workspace), file),
        platform,
        name=name,
        owner=owner,
        note=note,
        until=until,
        first_party=first_party,
        consented=consented,
        accept_shrink=accept_shrink,
        accepted_by=approved_by,
        because=because,
        dry_run=mode == forms.LOOK,
    )
    with app_for(workspace) as app:
        async with within_quota(app.config, platform):
            done = push_order(workspace, order)
    said = "nothing was sent" if order.dry_run else "sent"
    rows = [{"what": key.replace("_", " "), "value": str(value)} for key, value in done.items()]
    await artifacts.table(
        named("push", platform, name or Path(file).stem), f"{file} to {platform}: {said}", rows
    )
    return done


@task(name="push file", task_run_name="push-{order.platform}", **PATIENCE)
def push_order(workspace: str, order: Order) -> dict[str, Any]:
    with app_for(workspace) as app:
        return push_file(app, order)


@flow(name="upkeep", flow_run_name="upkeep")
async def keep_up_all(workspace: forms.Workspace) -> int:
    """Settle, retry and keep alive every list. Returns how many batches still wait for an answer."""
    try:
        return await upkeep_flow(workspace)
    finally:
        with app_for(workspace) as app:
            rows = artifacts.list_rows(app, [one.spec.audience_id for one in app.store.audiences()], {})
        await artifacts.table("upkeep", "how every list stands after upkeep", rows)
