"""Schedules of evenreach.yaml become runs that Prefect really plans. Needs Prefect's own server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from audiences.config import load
from flows.engine import prefect_server
from flows.settings import prefect_server_url
from tests.flows.small_workspace import CONFIG

SYNC = 'sync: {schedule: "*/5 * * * *", collect: "0 6 * * *", balance: "0 7 * * 1-5"}\n'


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "evenreach.yaml").write_text(
        CONFIG.replace("MODE", "bands").replace("timezone: UTC", "timezone: Europe/Berlin") + SYNC
    )
    return tmp_path


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("PREFECT_API_URL", "PREFECT_API_SSL_CERT_FILE", "PREFECT_HOME"):
        monkeypatch.delenv(name, raising=False)
    with prefect_server(tmp_path / "prefect", ui=True) as wait:
        wait()
        yield prefect_server_url()


@pytest.mark.slow  # Prefect's server takes ten to twenty seconds to come up
def test_a_cron_line_becomes_deployments_whose_runs_are_scheduled(server: str, workspace: Path) -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    from flows.schedules import deployments

    with temporary_settings({PREFECT_API_URL: server}):
        made = deployments(load(workspace / "evenreach.yaml"), workspace)
        for one in made:
            one.apply()
    assert [(one.flow_name, one.name) for one in made] == [
        ("keep in sync", "everyone-linkedin"),
        ("collect reports", "everyone"),
        ("daily plan", "everyone"),
        ("upkeep", "all-lists"),
    ]
    assert all(one.parameters == {"workspace": str(workspace), **_named(one.name)} for one in made[:1])
    with httpx.Client(base_url=server, timeout=30, trust_env=False) as client:
        found = client.post("/deployments/filter", json={}).raise_for_status().json()
        crons = {(one["tags"][-1]): one["schedules"][0]["schedule"] for one in found}
        assert {tag: cron["cron"] for tag, cron in crons.items()} == {
            "sync": "*/5 * * * *",
            "collect": "0 6 * * *",
            "balance": "0 7 * * 1-5",
            "upkeep": "40 4 * * *",
        }
        assert {cron["timezone"] for cron in crons.values()} == {"Europe/Berlin"}
        assert _scheduled(client) >= 4


def _named(name: str) -> dict[str, str]:
    segment, _, platform = name.partition("-")
    return {"segment": segment, "platform": platform}


def _scheduled(client: httpx.Client) -> int:
    """Runs Prefect's scheduler has planned; it looks once a minute at the latest."""
    wanted = {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}}
    for _ in range(240):
        count = int(client.post("/flow_runs/count", json=wanted).raise_for_status().json())
        if count >= 4:
            return count
        time.sleep(0.5)
    return 0
