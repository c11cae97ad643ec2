"""The whole loop as a stranger runs it: killed twice on the way, finished, run again, and searched for people."""

import csv
import json
import sqlite3
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audiences.store.records import PlanStatus
from balancer.shares import concentration
from balancer.types import UNPLACED
from flows.bands import band_campaigns
from flows.demo.truth import matched_organizations, truth
from flows.exposure import share_table
from flows.plan_codec import decode_plan
from flows.wiring import open_app

pytestmark = pytest.mark.slow

SEGMENT = "tech-and-industry"

KILLED_WHEN = (  # the first state of the record at which a run is killed outright
    "SELECT count(*) >= 2 FROM push_batch WHERE status = 'settled'",
    "SELECT count(*) >= 4 FROM plan WHERE status = 'applied'",
)


def command(workspace: Path) -> list[str]:
    return [
        sys.executable,
        "-m",
        "flows.cli",
        "demo",
        "--workspace",
        str(workspace),
        "--weeks",
        "4",
        "--json",
    ]


def kill_when(workspace: Path, condition: str) -> None:
    """Start the demo and kill it, as with kill -9, at the first moment the record fulfils ``condition``."""
    with (workspace.parent / "progress.txt").open("ab") as progress:
        process = subprocess.Popen(command(workspace), stdout=progress, stderr=progress)
    while process.poll() is None and not fulfilled(workspace / "evenreach.db", condition):
        time.sleep(0.02)
    assert process.poll() is None, "the demo ended before it could be killed"
    process.kill()
    process.wait()


def fulfilled(database: Path, condition: str) -> bool:
    if not database.exists():
        return False
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5)
    try:
        return bool(connection.execute(condition).fetchone()[0])
    except sqlite3.OperationalError:  # the tables are not there yet
        return False
    finally:
        connection.close()


def finish(workspace: Path) -> dict[str, Any]:
    done = subprocess.run(command(workspace), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    outcome: dict[str, Any] = json.loads(done.stdout)
    return outcome


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "workspace"


@pytest.fixture(scope="module")
def outcome(workspace: Path) -> dict[str, Any]:
    for condition in KILLED_WHEN:
        kill_when(workspace, condition)
    return finish(workspace)


@pytest.fixture(scope="module")
def again(workspace: Path, outcome: dict[str, Any]) -> dict[str, Any]:
    return finish(workspace)


def test_the_top_hundred_fall_from_the_field_s_share_and_the_budget_is_still_delivered(
    outcome: dict[str, Any],
) -> None:
    assert 0.36 <= outcome["top100_share_before"] <= 0.40
    assert outcome["top100_share_after"] <= 0.24
    assert outcome["delivery_ratio"] >= 0.98
    assert outcome["gini_after"] < outcome["gini_before"]
    assert outcome["coverage_after"] > outcome["coverage_before"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_the_market_s_truth_lies_inside_the_reported_bounds(outcome: dict[str, Any], when: str) -> None:
    bounds = outcome[f"reported_{when}"]
    assert bounds["low"] <= outcome[f"top100_share_{when}"] <= bounds["high"]
    assert bounds["low"] <= bounds["point"] <= bounds["high"]


def test_the_market_s_truth_lies_inside_the_bounds_of_every_other_figure(
    workspace: Path, outcome: dict[str, Any]
) -> None:
    with open_app(workspace) as app:
        campaigns, sandbox = band_campaigns(app, SEGMENT), app.sandbox
        record = app.store.audience(f"linkedin/{SEGMENT}/companies")
        assert sandbox is not None
        assert record is not None
        assert record.state is not None
        members = matched_organizations(sandbox, record.state.external_id)
        asked = app.store.report_windows("linkedin", date.min, date.max, grain="all", source="api")
        windows = {(one.first, one.last) for one in asked if (one.last - one.first).days == 27}
        assert len(windows) == 2
        for start, end in windows:
            served = {campaigns.delivering(start + timedelta(days=i)) for i in range(28)}
            seen = truth(sandbox, start, end, sorted(set().union(*served)), members).counts
            table = share_table(app, SEGMENT, start, end)
            counts = np.zeros(table.exposure.point.size)  # who is on no page of the market saw nothing
            counts[: seen.size] = seen
            real = concentration(counts, top=100, total=table.exposure.total)
            for name in ("top_decile", "gini", "hhi", "effective_accounts", "coverage_even", "under_served"):
                bounds, value = getattr(table, name), getattr(real, name).point
                assert bounds.low <= value + 1e-9, name
                assert value <= bounds.high + 1e-9, name
            for k, bounds in table.coverage.items():
                assert bounds.low <= real.coverage[k].point <= bounds.high, k


def test_every_page_that_was_matched_is_the_company_the_market_matched(
    workspace: Path, outcome: dict[str, Any]
) -> None:
    with open_app(workspace) as app:
        record, sandbox = app.store.audience(f"linkedin/{SEGMENT}/companies"), app.sandbox
        assert sandbox is not None
        assert record is not None
        assert record.state is not None
        held = sandbox.get("/sandbox/truth/members", segment=record.state.external_id)["members"]
        sent: dict[str, list[dict[str, str]]] = {}
        for row in held:
            if row["matched"] and row["organization"]:
                sent.setdefault(f"urn:li:organization:{row['organization']}", []).append(row["sent"])
        known = {account: (name, domain) for account, name, domain in app.store.account_names()}
        links = app.store.organization_links("linkedin")
        matched = {urn: known[account] for urn, account in links.items() if account}
        served = [urn for urn in links if urn in sent]
        for urn, (name, domain) in matched.items():
            told = [(row.get("companyName"), row.get("companyWebsiteDomain")) for row in sent[urn]]
            assert any(of == domain if domain else called == name for called, of in told), urn
        assert len(matched) >= 0.99 * len(served)


def sitting_out(workspace: Path) -> int:
    """How many companies the plan in force keeps off every band for a while."""
    with open_app(workspace) as app:
        record = app.store.latest_plan("tech-and-industry", statuses=[PlanStatus.APPLIED])
        assert record is not None
        plan = decode_plan(record.body, record.memory)
    return int((plan.band == UNPLACED).sum())


def test_every_list_is_ready_and_every_row_has_an_outcome_although_the_run_was_killed_twice(
    workspace: Path, outcome: dict[str, Any]
) -> None:
    lists = outcome["lists"]
    assert len(lists) >= 10
    assert {one["status"] for one in lists} <= {"ready", "updating"}
    assert all(one["accepted"] > 0 and one["unknown"] == 0 for one in lists)
    bands = sum(one["accepted"] for one in lists if "band" in one["list"])
    whole = next(one for one in lists if one["list"] == "linkedin/tech-and-industry/companies")
    out = sitting_out(workspace)
    assert 0 <= out < 0.04 * whole["accepted"]
    assert bands + out == whole["accepted"]


def test_the_messy_sources_are_counted(outcome: dict[str, Any]) -> None:
    companies = outcome["companies"]
    assert companies["read"] >= 14_161
    assert 0 < companies["resolved"] < companies["read"]
    assert companies["quarantined"] > 0


def test_a_second_run_changes_nothing_that_is_right(outcome: dict[str, Any], again: dict[str, Any]) -> None:
    assert [one["adds"] for one in again["lists"]] == [0] * len(again["lists"])
    same = [key for key in outcome if key not in {"lists", "seconds", "flow_runs"}]
    assert {key: again[key] for key in same} == {key: outcome[key] for key in same}
    standing = [{key: one[key] for key in one if key != "adds"} for one in outcome["lists"]]
    assert [{key: one[key] for key in one if key != "adds"} for one in again["lists"]] == standing


def test_the_report_is_one_file_that_asks_for_nothing(outcome: dict[str, Any]) -> None:
    text = Path(outcome["report"]).read_text(encoding="utf-8")
    assert "<svg" in text
    for reaching_out in ("http://", "https://", "src=", "@import", "url("):
        found = [line for line in text.splitlines() if reaching_out in line and "www.w3.org" not in line]
        assert not found, f"{reaching_out} in {found[0][:120]}"


def test_no_person_of_the_export_is_in_any_file_the_system_wrote(
    workspace: Path, again: dict[str, Any]
) -> None:
    with (workspace / "data" / "contacts.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    planted = {row["email"].strip().lower().encode() for row in rows if "@" in row["email"]}
    phones = {row["phone"].encode() for row in rows if row["phone"]}
    for path in sorted(workspace.rglob("*")):
        if path.is_file() and "data" not in path.relative_to(workspace).parts:
            content = path.read_bytes().lower()
            words = set(content.replace(b'"', b" ").replace(b"'", b" ").replace(b"\x00", b" ").split())
            assert not planted & words, f"an e-mail address is in {path.relative_to(workspace)}"
            assert not any(phone in content for phone in list(phones)[:200]), path.relative_to(workspace)
