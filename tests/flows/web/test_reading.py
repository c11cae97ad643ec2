"""What a visitor reads: every link works, empty places say what to do, every answer carries its armour."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from flows.web.access import Access
from flows.web.app import create_app
from tests.flows.web.memory_service import Clock, MemoryService
from tests.flows.web.visits import SECRET, TestClient, Visit

HOSTILE = "<script>alert(1)</script>"


class Links(HTMLParser):
    """Addresses a page refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        for name in ("href", "src", "data-src", "data-progress"):
            if values.get(name):
                self.found.append(str(values[name]))
        if tag == "form" and values.get("method", "get") == "get" and values.get("action"):
            self.found.append(str(values["action"]))


def crawl(visit: Visit, start: str) -> dict[str, int]:
    """Follow every link of this site from ``start``; address -> status."""
    seen: dict[str, int] = {}
    ahead = [start]
    while ahead:
        address = ahead.pop()
        if address in seen:
            continue
        answer = visit.get(address)
        seen[address] = answer.status_code
        if answer.headers.get("content-type", "").startswith("text/html") and "attachment" not in str(
            answer.headers.get("content-disposition")
        ):
            links = Links()
            links.feed(answer.text)
            for link in links.found:
                whole = urlsplit(urljoin(address, link))
                if not whole.netloc and not link.startswith("#"):
                    ahead.append(whole.path + (f"?{whole.query}" if whole.query else ""))
    return seen


def test_every_link_from_the_overview_works(local: Visit, service: MemoryService) -> None:
    service.propose_edit("strike-dach", "name: y\n", who="setup")
    seen = crawl(local, "/")
    assert {address: status for address, status in seen.items() if status != 200} == {}
    assert len(seen) >= 25


def test_the_overview_leads_with_what_waits(local: Visit, service: MemoryService) -> None:
    text = local.get("/").text
    assert "1\u00a0thing waits for you" in text
    assert f"/plans/{service.newest.plan_id}" in text
    assert "Sandbox: nothing here reaches a real ad account" in text
    for line in service.segments():
        assert line.title in text


def test_the_report_page_says_the_sentence_first(local: Visit, service: MemoryService) -> None:
    text = local.get("/segments/strike-dach/report").text
    assert text.index(service.page.sentence) < text.index("<svg")
    assert "How sure is this?" in text


def test_windows_can_be_chosen_and_an_unknown_one_is_not_found(local: Visit, service: MemoryService) -> None:
    before = local.get("/segments/strike-dach/report?window=before")
    assert service.alone.sentence in before.text
    assert local.get("/segments/strike-dach/report?window=never").status_code == 404


def test_a_segment_without_reports_says_what_to_do_next(local: Visit) -> None:
    answer = local.get("/segments/intent%2030/d/report")
    assert answer.status_code == 200
    assert "evenreach collect" in answer.text
    assert local.get("/segments/intent%2030/d/report/rows.json").status_code == 404


def test_a_segment_name_with_a_slash_and_a_blank_is_reachable_everywhere(local: Visit) -> None:
    for end in ("", "/plan", "/accounts", "/accounts.csv", "/report"):
        assert local.get(f"/segments/intent%2030%2Fd{end}").status_code == 200


def test_an_empty_workspace_says_how_to_begin(local: Visit, service: MemoryService) -> None:
    service.lines.clear()
    service.plans.clear()
    service.run_lines.clear()
    assert "evenreach.yaml" in local.get("/").text
    assert "evenreach init" in local.get("/segments").text
    assert "dry-run" in local.get("/runs").text
    assert "Nothing has been done yet" in local.get("/audit").text


def test_downloads_carry_every_account_and_a_safe_name(local: Visit, service: MemoryService) -> None:
    base = "/segments/strike-dach/report"
    answer = local.get(f"{base}/accounts.csv")
    assert len(list(csv.reader(io.StringIO(answer.text)))) == len(service.page.rows) + 1
    assert 'filename="strike-dach-accounts.csv"' in answer.headers["content-disposition"]
    assert len(local.get(f"{base}/accounts.json").json()) == len(service.page.rows)
    columns = local.get(f"{base}/rows.json").json()
    assert {len(column) for column in columns.values()} == {len(service.page.rows)}
    figures = local.get(f"{base}/figures.json").json()
    assert figures["sentence"] == service.page.sentence
    assert local.get(f"{base}/file").text.startswith("<!doctype html>")


@pytest.mark.parametrize("table", ["accounts", "weeks", "starved", "moved", "lists"])
def test_every_table_of_the_report_downloads_as_csv_and_json(table: str, local: Visit) -> None:
    base = f"/segments/strike-dach/report/{table}"
    window = "?window=before" if table == "starved" else ""
    lines = list(csv.DictReader(io.StringIO(local.get(f"{base}.csv{window}").text)))
    found = local.get(f"{base}.json{window}").json()
    assert len(lines) == len(found) > 0
    assert list(lines[0]) == list(found[0])


def test_a_table_the_report_does_not_have_is_not_found(local: Visit) -> None:
    assert local.get("/segments/strike-dach/report/salaries.csv").status_code == 404


def test_runs_and_audit_download_as_csv_and_json(local: Visit, service: MemoryService) -> None:
    service.undo("run-2", who="maya")
    assert [run["run_id"] for run in local.get("/runs.json").json()] == ["run-2", "run-1"]
    assert len(local.get("/runs.csv").text.splitlines()) == 3
    assert local.get("/audit.json").json()[0]["who"] == "maya"
    assert "undo" in local.get("/audit.csv").text


def test_names_from_data_are_shown_as_text(local: Visit, service: MemoryService) -> None:
    service.log.append(service.log[0] if service.log else service._note(HOSTILE, HOSTILE, HOSTILE, HOSTILE))  # type: ignore[arg-type]
    service.log = [line for line in service.log if line]
    assert HOSTILE not in local.get("/audit").text
    assert "&lt;script&gt;" in local.get("/audit").text


ADDRESSES = [
    "/",
    "/nope",
    "/segments/strike-dach/report",
    "/runs.json",
    "/audit.csv",
    "/static/x/page.css",
    "/health",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_answer_has_the_security_headers(address: str, local: Visit) -> None:
    headers = local.get(address).headers
    policy = headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


def test_pages_with_data_are_never_cached_and_files_of_the_page_are(local: Visit) -> None:
    assert local.get("/").headers["cache-control"] == "no-store"
    assert local.get("/runs.json").headers["cache-control"] == "no-store"
    assert "immutable" in local.get("/static/x/page.js").headers["cache-control"]


def test_only_bundled_files_are_served(local: Visit) -> None:
    for name in ("report.html", "..%2Fapp.py", "%2e%2e/app.py", "secret"):
        assert local.get(f"/static/x/{name}").status_code == 404


def test_a_public_page_asks_for_https_from_then_on(stranger: Callable[[], Visit]) -> None:
    assert "max-age" in stranger().get("/sign-in").headers["strict-transport-security"]


def test_a_failure_on_our_side_shows_no_detail_and_keeps_the_headers(
    service: MemoryService, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(limit: int) -> Any:
        raise RuntimeError("secret detail of maya@corp.example")

    monkeypatch.setattr(service, "runs", fail)
    app = create_app(service, access=Access(SECRET, now=clock))
    client = TestClient(
        app, base_url="http://localhost", client=("127.0.0.1", 1), raise_server_exceptions=False
    )
    answer = client.get("/runs")
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert "content-security-policy" in answer.headers
    assert json.loads(client.get("/runs.json").text)["error"] == "PageError"


def test_a_body_above_the_limit_is_refused(service: MemoryService, clock: Clock) -> None:
    app = create_app(service, access=Access(SECRET, now=clock), upload_most=10_000)
    visit = Visit(TestClient(app, base_url="http://localhost", client=("127.0.0.1", 1)))
    big = {"file": ("list.csv", b"x" * 20_000, "text/csv")}
    assert visit.post("/push/file", files=big).status_code == 413


def test_a_body_of_unannounced_length_is_refused_too(service: MemoryService, clock: Clock) -> None:
    app = create_app(service, access=Access(SECRET, now=clock), upload_most=10_000)
    client = TestClient(app, base_url="http://localhost", client=("127.0.0.1", 1))
    kind = {"content-type": "application/x-www-form-urlencoded"}
    answer = client.post("/runs/run-2/undo", content=(b"a" * 1_000 for _ in range(30)), headers=kind)
    assert answer.status_code == 413
