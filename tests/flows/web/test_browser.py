"""A real browser on every path: read, filter, decide, push, undo; nothing leaves the machine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.report import html
from tests.flows.web.memory_service import Clock, MemoryService

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
LIST = "Company,Mail\n" + "".join(f"C{i},p{i}@c{i}.example\n" for i in range(600)) + "Bad,nonsense\nShort\n"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (apt-get install chromium)"),
]

# What a screen reader and weak eyes need; returns complaints.
AUDIT = Path(__file__).with_name("page_audit.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Tab:
    """A browser tab that remembers complaints and every address asked for."""

    def __init__(self, chromium: Any, **options: Any):
        options.setdefault("viewport", {"width": 1366, "height": 900})
        self.context = chromium.new_context(**options)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self.page.on(
            "console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None
        )
        self.page.on("pageerror", lambda e: self.complaints.append(str(e)))
        self.page.on("dialog", lambda dialog: dialog.accept())
        self.page.on("request", lambda r: self.asked.append(r.url))

    def visit(self, address: str) -> None:
        """Open a page and wait until its script has built the table, where it has one."""
        self.page.goto(address)
        if self.page.locator("#account-table").count():
            self.page.wait_for_selector("#tools:not([hidden])")

    def _said(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)


@pytest.fixture
def tab(chromium: Any, server: str) -> Iterator[Tab]:
    made = Tab(chromium)
    yield made
    made.context.close()
    assert made.complaints == []
    assert [url for url in made.asked if not url.startswith((server, "blob:", "data:"))] == []


def test_the_report_can_be_searched_filtered_sorted_and_grown(
    tab: Tab, server: str, service: MemoryService
) -> None:
    page, rows = tab.page, service.page.rows
    page.goto(f"{server}/segments/strike-dach/report")
    page.wait_for_selector("#tools:not([hidden])")
    assert page.locator("#rows tr").count() == 100
    page.click("#more")
    assert page.locator("#rows tr").count() == 200
    page.select_option("#tier", "2")
    page.wait_for_function("document.querySelector('#shown').textContent.includes(' of ')")
    wanted = [row for row in rows if row.tier == 2]
    assert page.locator("#rows tr").count() == min(100, len(wanted))
    page.click("th[data-key=members] button")
    assert page.get_attribute("th[data-key=members]", "aria-sort") == "descending"
    most = max(wanted, key=lambda row: row.members or 0)
    assert most.name in str(page.text_content("#rows tr:first-child th"))
    page.fill("#q", rows[7].domain)
    page.select_option("#tier", "")
    page.wait_for_function("document.querySelectorAll('#rows tr').length === 1")
    assert rows[7].name in str(page.text_content("#rows tr th"))
    page.fill("#q", "nobody is called this")
    page.wait_for_selector("text=No account matches")


def test_the_table_works_from_the_keyboard(tab: Tab, server: str) -> None:
    page = tab.page
    page.goto(f"{server}/segments/strike-dach/report")
    page.wait_for_selector("#tools:not([hidden])")
    page.focus("th[data-key=share] button")
    page.keyboard.press("Enter")
    assert page.get_attribute("th[data-key=share]", "aria-sort") == "descending"
    page.keyboard.press("Space")
    assert page.get_attribute("th[data-key=share]", "aria-sort") == "ascending"


def test_the_script_shows_the_same_rows_as_the_server(tab: Tab, server: str, chromium: Any) -> None:
    page = tab.page
    page.goto(f"{server}/segments/strike-dach/report")
    page.wait_for_selector("#tools:not([hidden])")
    plain = Tab(chromium, java_script_enabled=False)
    plain.page.goto(f"{server}/segments/strike-dach/report")
    read = [[" ".join(c.split()) for c in t.page.locator("#rows tr").all_inner_texts()] for t in (tab, plain)]
    plain.context.close()
    assert read[0] == read[1]


def test_a_plan_is_approved(tab: Tab, server: str, service: MemoryService) -> None:
    page = tab.page
    page.goto(server)
    page.click("text=A plan for Strike list DACH")
    page.click("button:has-text('Approve')")
    page.wait_for_selector(".chip.approved")
    assert service.newest.status == "approved"


def test_an_exception_plans_again_and_a_moved_plan_is_shown_anew_and_refused(
    tab: Tab, server: str, service: MemoryService
) -> None:
    page = tab.page
    page.goto(f"{server}/segments/strike-dach/plan")
    page.click("button[aria-label='Never limit Company 00004']")
    page.wait_for_selector("text=29\u00a0accounts would change place")
    service.inputs_move()
    page.click("button:has-text('Approve')")
    page.wait_for_selector("text=What changed meanwhile")
    assert service.newest.status == "proposed"
    page.click("text=Show the new one")
    page.fill("input[name=reason]", "too soon")
    page.click("button:has-text('Refuse')")
    page.wait_for_selector("text=Refused")
    assert service.log[-1].detail == "too soon"
    tab.complaints = [text for text in tab.complaints if "409" not in text]  # the browser reports the refusal


def test_a_messy_file_is_mapped_pushed_watched_and_undone(
    tab: Tab, server: str, service: MemoryService, clock: Clock
) -> None:
    page = tab.page
    page.goto(f"{server}/push")
    file = {"name": "leads.csv", "mimeType": "text/csv", "buffer": LIST.encode()}
    page.set_input_files("input[type=file]", file)
    page.click("button:has-text('Read the file')")
    page.select_option("select[name=column-1]", "email")
    page.click("button:has-text('Read the file again')")
    page.wait_for_selector("text=600 of 602\u00a0rows can be sent")
    with page.expect_download() as download:
        page.click("text=Rows and reasons as CSV")
    assert "email_malformed" in Path(download.value.path()).read_text()
    page.fill("input[name=owner]", "Maya")
    page.fill("input[name=ends_on]", "2026-12-31")
    page.click("button:has-text('Send 600')")
    page.wait_for_selector("button:has-text('Cancel')")
    clock.turn(seconds=130)
    page.wait_for_selector("h1:has-text('Ready')")
    page.click("text=Undo this push")
    page.wait_for_selector("h1:has-text('Undone')")
    assert [line.action for line in service.log] == ["push", "undo"]


def test_a_run_is_undone(tab: Tab, server: str, service: MemoryService) -> None:
    tab.page.goto(f"{server}/runs")
    tab.page.click("button:has-text('Undo')")
    tab.page.wait_for_selector(".chip.undone")
    assert service.log[-1].action == "undo"


S = "/segments/strike-dach"
PLACES = ["/", "/segments", S, f"{S}/report", f"{S}/plan", f"{S}/accounts", "/push", "/runs", "/audit"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_labelled_in_order_and_readable(
    scheme: str, chromium: Any, server: str, service: MemoryService
) -> None:
    made = Tab(chromium, color_scheme=scheme)
    preview = service.push_preview(LIST.encode(), "leads.csv", mapping=None, who="setup").preview_id
    for place in (*PLACES, f"/push/{preview}", "/nope"):
        made.visit(server + place)
        assert made.page.evaluate(AUDIT) == [], place
    made.context.close()


def test_no_page_and_no_table_of_the_report_scrolls_sideways_on_a_phone(chromium: Any, server: str) -> None:
    made = Tab(chromium, viewport={"width": 375, "height": 800})
    for place in PLACES:
        made.visit(server + place)
        assert made.page.evaluate("document.documentElement.scrollWidth") <= 375, place
        if place.endswith("/report"):
            made.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
            wide = (
                "[...document.querySelectorAll('.scroll')].filter((one) => one.scrollWidth > one.clientWidth)"
            )
            assert made.page.evaluate(f"{wide}.map((one) => one.getAttribute('aria-label'))") == []
    made.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_mailed_file_opens_alone_sorts_saves_and_sends_nothing(
    scheme: str, chromium: Any, worlds: Any, tmp_path: Any
) -> None:
    path = tmp_path / "report.html"
    path.write_text(html.render(worlds.report_page(400)), encoding="utf-8")
    made = Tab(chromium, color_scheme=scheme)
    made.page.goto(path.as_uri())
    made.page.click("th[data-key=share] button")
    assert made.page.locator("#rows tr").count() == 100
    with made.page.expect_download() as download:
        made.page.click("[data-save=csv]")
    assert len(Path(download.value.path()).read_text().splitlines()) == 401
    assert made.page.evaluate(AUDIT) == []
    assert made.complaints == []
    assert [url for url in made.asked if not url.startswith(("file:", "blob:"))] == []
    made.context.close()
