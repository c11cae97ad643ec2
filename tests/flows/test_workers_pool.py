"""Deployments for workers on other machines: every flow is found by its module, and a file record is refused."""

import importlib
import json
from pathlib import Path

import pytest
from prefect import Flow
from ruamel.yaml import YAML

from flows.cli import main
from flows.pool import module_entrypoint, register
from flows.schedules import deployments
from flows.wiring import WorkspaceError, open_app
from tests.flows.kept_workspace import write

ROOT = Path(__file__).parents[2]


def flow_at(entrypoint: str) -> object:
    module, _, name = entrypoint.rpartition(".")
    return getattr(importlib.import_module(module), name)


def test_every_deployment_names_a_flow_that_an_installed_package_holds(tmp_path: Path) -> None:
    write(tmp_path)
    with open_app(tmp_path) as app:
        found = deployments(app.config, app.workspace)
    assert {one.full_name for one in found} >= {"keep in sync/everyone-linkedin", "upkeep/all-lists"}
    for one in found:
        entrypoint = module_entrypoint(str(one.entrypoint))
        assert isinstance(flow_at(entrypoint), Flow)
        assert module_entrypoint(entrypoint) == entrypoint


def test_several_machines_need_a_record_they_can_share(tmp_path: Path) -> None:
    write(tmp_path)
    with open_app(tmp_path) as app, pytest.raises(WorkspaceError, match="PostgreSQL"):
        register(app, "pool")


def test_without_a_shared_prefect_server_the_command_says_what_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    write(tmp_path)
    assert main(["deploy", "--json", "--workspace", str(tmp_path)]) == 1
    assert "PREFECT_API_URL" in json.loads(capsys.readouterr().out)["error"]["message"]


def test_the_file_for_a_checkout_names_flows_that_exist_and_one_pool() -> None:
    settings = YAML(typ="safe").load((ROOT / "prefect.yaml").read_text())
    assert {one["work_pool"]["name"] for one in settings["deployments"]} == {"evenreach"}
    for one in settings["deployments"]:
        assert isinstance(flow_at(module_entrypoint(one["entrypoint"])), Flow)
        assert one["parameters"] == {"workspace": "{{ $EVENREACH_WORKSPACE }}"}
