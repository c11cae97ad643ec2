"""A real work pool: deployed, scheduled, run by a worker process; what the runs leave, and what they never hold."""

from __future__ import annotations

import asyncio
import io
import json
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from flows import activate, activate_plan
from flows.cli import main
from flows.pool import COMMAND
from flows.quota_runs import ensure_limits, quota_owner, within_quota
from flows.scheduled_runs import (
    collect_and_report,
    keep_in_sync,
    keep_up_all,
    plan_today,
    push_one_off,
)
from tests.audiences.databases import _run, _sibling, empty_postgresql, postgresql_server  # noqa: F401
from tests.flows.kept_workspace import in_ledger, truly_on
from tests.flows.pool_traces import answers_of_the_page, everything
from tests.flows.pool_world import COMPANIES, GUESTS, PEOPLE, POOL, SIGN_IN, World, marked, marks, pool

pytestmark = pytest.mark.slow  # Prefect's server, a worker, and a dozen runs: a minute on a quiet machine
LINKEDIN, GOOGLE, FAIR = (
    "linkedin/everyone/companies",
    "google/everyone/contacts",
    "google/one-off/fair/contact",
)


@pytest.fixture(scope="module")
def world(
    tmp_path_factory: pytest.TempPathFactory,
    postgresql_server: str,  # noqa: F811
    empty_postgresql: str,  # noqa: F811
) -> Iterator[World]:
    from prefect.context import SyncClientContext
    from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DO_NOT_TRACK", "1")
        _run(postgresql_server, f"CREATE DATABASE pooled TEMPLATE {empty_postgresql}")
        url = _sibling(postgresql_server, "pooled")
        with (
            pool(tmp_path_factory.mktemp("pool"), url) as running,
            temporary_settings({PREFECT_API_URL: running.server, PREFECT_API_AUTH_STRING: SIGN_IN}),
            SyncClientContext(),  # an asynchronous flow opens a client of its own otherwise, and leaves it open
        ):
            yield running


def test_every_parameter_of_every_deployment_says_what_it_is_and_begins_safe(world: World) -> None:
    found = {one["name"]: one for one in world.post("/deployments/filter", {})}
    assert set(found) == {"everyone-linkedin", "everyone-google", "everyone", "one-off", "all-lists"}
    for one in world.post("/deployments/filter", {}):
        schema = one["parameter_openapi_schema"]
        assert one["enforce_parameter_schema"]
        for name, field in schema["properties"].items():
            assert field["title"] != name, (one["name"], name)
            assert len(field["description"]) > 10
            assert "type" in field or "anyOf" in field
            if name in ("workspace", "segment") or (name == "platform" and one["name"] != "one-off"):
                assert field["readOnly"]
        mode = schema["properties"].get("mode")
        assert mode is None or mode["default"] == mode["enum"][0] in ("dry run", "shadow")
        assert "mode" not in one["parameters"]
        assert {"evenreach"} <= set(one["tags"])
    assert found["one-off"]["parameter_openapi_schema"]["properties"]["platform"]["enum"] == [
        "linkedin",
        "google",
    ]
    tags = {tuple(one["tags"]) for one in world.post("/deployments/filter", {})}
    assert ("evenreach", "everyone", "bands", "balance") in tags
    assert set(found["everyone-google"]["tags"]) == {"evenreach", "everyone", "google", "sandbox", "sync"}


def test_deploying_again_changes_no_deployment(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {one["id"] for one in world.post("/deployments/filter", {})}
    monkeypatch.setenv("PREFECT_API_URL", world.server)
    assert main(["deploy", "--pool", POOL, "--workspace", str(world.folder)]) == 0
    assert "evenreach worker" in capsys.readouterr().out
    assert {one["id"] for one in world.post("/deployments/filter", {})} == before
    assert {one["work_pool_name"] for one in world.post("/deployments/filter", {})} == {POOL}
    assert httpx.post(f"{world.server}/deployments/filter", json={}, timeout=30).status_code == 401


def test_a_form_filled_in_wrongly_is_refused_by_the_server(world: World) -> None:
    found = world.client.get("/deployments/name/push a list/one-off").json()
    for wrong in ({"file": "fair.csv", "platform": "telegraph"}, {"file": "fair.csv", "mode": "go"}, {}):
        answer = world.client.post(f"/deployments/{found['id']}/create_flow_run", json={"parameters": wrong})
        assert answer.status_code in (409, 422), answer.text


def test_a_cron_line_becomes_runs_that_are_scheduled_and_send(world: World) -> None:
    deployments = world.post("/deployments/filter", {})
    crons = {one["tags"][-1]: one["schedules"][0]["schedule"] for one in deployments if one["schedules"]}
    assert {tag: cron["cron"] for tag, cron in crons.items()} == {
        "sync": "30 3 * * *",
        "collect": "0 6 * * *",
        "balance": "0 7 * * 1-5",
        "upkeep": "40 4 * * *",
    }
    assert {cron["timezone"] for cron in crons.values()} == {"Europe/Berlin"}
    wanted = {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}, "limit": 200}
    kinds: dict[str, set[Any]] = {}
    for _ in range(240):  # the scheduler looks once a minute at the latest
        kinds = {}
        for run in world.post("/flow_runs/filter", wanted):
            kinds.setdefault(run["tags"][-1], set()).add(run["parameters"].get("mode"))
        if len(kinds) == 4:
            break
        time.sleep(0.5)
    assert kinds == {"sync": {"send"}, "collect": {None}, "balance": {"propose"}, "upkeep": {None}}


def test_a_worker_runs_what_is_asked_for_and_the_lists_really_change(world: World) -> None:
    runs = world.completed(
        world.run("keep in sync/everyone-linkedin", mode="send"),
        world.run("push a list/one-off", file="fair.csv", platform="google", mode="send", owner="events",
                  first_party=True),
    )  # fmt: skip
    assert [run["name"] for run in runs] == ["sync-everyone-linkedin-send", "push-fair.csv-google-send"]
    asyncio.run(keep_in_sync(str(world.folder), "everyone", "google", mode="send"))
    world.forward(days=3)
    with world.opened() as app:
        assert truly_on(app, LINKEDIN) == in_ledger(app, LINKEDIN)
        assert len(in_ledger(app, LINKEDIN)) == COMPANIES
        for list_id, members in ((GOOGLE, PEOPLE), (FAIR, GUESTS)):
            activate.settle(app, list_id)
            assert len(in_ledger(app, list_id)) == members
            assert len(truly_on(app, list_id)) >= members  # by e-mail, most by phone too
        assert app.store.one_offs()[0].owner == "events"
    (row,) = table_of(world.artifact("sync-everyone-linkedin"))
    assert (row["list"], row["adds"], row["accepted"]) == (LINKEDIN, COMPANIES, COMPANIES)
    pushed = {row["what"]: row["value"] for row in table_of(world.artifact("push-google-fair"))}
    assert (pushed["adds"], pushed["members"]) == (str(GUESTS), str(GUESTS))
    assert world.artifact("progress-sync-everyone-linkedin")["data"] == 100.0


def table_of(artifact: dict[str, Any]) -> list[dict[str, Any]]:
    assert artifact["type"] == "table"
    rows: list[dict[str, Any]] = json.loads(artifact["data"])
    return rows


def test_reports_and_a_plan_are_left_to_be_read(world: World) -> None:
    with world.opened() as app:
        assert app.sandbox is not None
        app.sandbox.post("/sandbox/seed", {"impressions_per_28_days": 100_000, "price": 0.05, "creatives": 2})
        activate.follow(app, LINKEDIN)
        activate_plan.attach(app, "everyone")
    world.forward(days=16)
    asyncio.run(collect_and_report(str(world.folder), "everyone", days=14))
    rows = table_of(world.artifact("top-100-everyone"))
    assert [row["rank"] for row in rows] == list(range(1, 101))
    assert rows[0]["impressions"] >= rows[99]["impressions"]
    asyncio.run(plan_today(str(world.folder), "everyone", mode="propose"))
    named = world.post("/flow_runs/filter", {"flow_runs": {"name": {"any_": ["plan-everyone-propose"]}}})
    assert len(named) == 1
    words = world.artifact("plan-everyone")
    assert words["type"] == "markdown"
    with world.opened() as app:
        plan = app.store.latest_plan("everyone")
        assert plan is not None
        assert str(plan.status) == "proposed"
        assert plan.plan_id[:12] in words["data"]
        assert "It waits" in words["data"]


def test_what_begins_as_a_dry_run_or_in_shadow_changes_nothing(world: World) -> None:
    with world.opened() as app:
        before = {one.spec.audience_id: one.ledger_version for one in app.store.audiences()}
    folder = str(world.folder)
    looked = asyncio.run(keep_in_sync(folder, "everyone", "linkedin"))
    assert looked[LINKEDIN] == {"members": COMPANIES, "adds": 0, "removes": 0}
    assert asyncio.run(push_one_off(folder, "fair.csv", "google", name="Other", first_party=True))["dry_run"]
    assert asyncio.run(plan_today(folder, "everyone"))["moves"] is None
    with world.opened() as app:
        assert {one.spec.audience_id: one.ledger_version for one in app.store.audiences()} == before
    asyncio.run(keep_up_all(folder))
    assert {row["list"] for row in table_of(world.artifact("upkeep"))} == {LINKEDIN, GOOGLE, FAIR}


@pytest.mark.parametrize("file", ["../contacts.csv", "/etc/passwd", "nothing.csv", "..", "link.csv"])
def test_a_push_takes_no_file_from_outside_the_inbox(world: World, file: str) -> None:
    from audiences.errors import SourceError

    link = world.folder / "inbox" / "link.csv"
    if not link.is_symlink():
        link.symlink_to(world.folder / "contacts.csv")
    with pytest.raises(SourceError, match="inbox"):
        asyncio.run(push_one_off(str(world.folder), file, "google", mode="send"))


def test_a_large_change_asked_for_in_a_form_needs_a_name(world: World) -> None:
    from flows.approvers import NobodyNamed

    folder = str(world.folder)
    with pytest.raises(NobodyNamed, match="30 members"):
        asyncio.run(keep_in_sync(folder, "everyone", "linkedin", mode="send", accept_shrink=30))
    asyncio.run(
        keep_in_sync(
            folder,
            "everyone",
            "linkedin",
            mode="send",
            accept_shrink=30,
            approved_by="maya",
            because="why not",
        )
    )
    with world.opened() as app:
        (line,) = app.store.audit_log(what="large change accepted")
        assert (line.subject, line.detail["by"], line.detail["because"]) == ("everyone", "maya", "why not")


def test_two_runs_of_one_quota_are_never_both_inside_and_a_missing_limit_is_an_error(world: World) -> None:
    with world.opened() as app:
        config = app.config
    limit = f"{quota_owner(config, 'linkedin')}-at-once"
    world.client.patch(f"/v2/concurrency_limits/{limit}", json={"limit": 1}).raise_for_status()
    ensure_limits(config)  # a number somebody changed stays
    inside, most, ends = 0, 0, []

    async def one() -> None:
        nonlocal inside, most
        async with within_quota(config, "linkedin"):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.2)
            inside -= 1
            ends.append(time.monotonic())

    async def both() -> None:
        await asyncio.gather(one(), one(), one())

    asyncio.run(both())
    assert (most, len(ends)) == (1, 3)
    world.client.delete(f"/v2/concurrency_limits/{limit}").raise_for_status()
    with pytest.raises(Exception, match=limit):
        asyncio.run(one())
    ensure_limits(config)


def test_no_marked_person_is_in_anything_that_is_kept(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    where = ("--workspace", str(world.folder))
    for verb, person in (("suppress", marked(1)), ("erase", marked(2))):
        monkeypatch.setattr(sys, "stdin", io.StringIO(person["email"] + "\n"))
        main([verb, *where])
    monkeypatch.setattr(sys, "stdin", io.StringIO("zyxbroken@@nowhere\n"))
    main(["erase", *where])
    assert main(["sync", *where]) == 0
    assert main(["check", *where]) in (0, 1)
    assert main(["audit", *where]) == 0
    assert main(["segments", "export", "everyone", "--out", str(tmp_path / "out.csv"), *where]) == 0
    assert main(["backup", str(tmp_path / "copy.tar.gz"), "--without-record", *where]) == 0
    said = capsys.readouterr()
    kept = {"printed": said.out.encode(), "errors": said.err.encode()} | dict(everything(world, tmp_path))
    kept |= answers_of_the_page(world)
    assert len(kept) > 40
    for name in ("server.log", "prefect.db", "worker.log", "table audit", "out.csv", "page /"):
        assert any(name in one for one in kept), name
    found = {
        (name, mark) for name, content in kept.items() for mark in marks() if mark.encode() in content.lower()
    }
    assert found == set()


def environment_of(world: World) -> dict[str, str]:
    lines = Path(f"/proc/{world.worker.pid}/environ").read_text().split("\0")
    return dict(line.split("=", 1) for line in lines if "=" in line)


def test_the_worker_and_its_runs_tell_nobody_outside(world: World) -> None:
    found = environment_of(world)
    assert (found["DO_NOT_TRACK"], found["PREFECT_SERVER_ANALYTICS_ENABLED"]) == ("1", "false")


def test_a_run_is_one_process_of_the_workers_own_python(world: World) -> None:
    variables = [one["job_variables"] for one in world.post("/deployments/filter", {})]
    assert variables == [{"command": COMMAND}] * 6
    python, module, name = COMMAND.split()
    found = shutil.which(python, path=environment_of(world)["PATH"])
    assert found == str(Path(sys.executable).with_name(python))
    assert (module, name) == ("-m", "prefect.engine")
