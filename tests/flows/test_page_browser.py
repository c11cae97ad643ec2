"""A real browser on a real workspace: open, filter, approve, refuse a moved plan, push a messy file, undo."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from flows import balance, collect
from flows.exceptions import AccountException, keep_exception
from flows.page import Page, page_app, page_service
from tests.flows.small_workspace import SEGMENT, Copies, forward
from tests.flows.web.visits import served

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE = 180_000  # milliseconds; only a machine that does much else needs them
MESSY = (
    "Firma;Mail;Note\n"
    + "".join(f"Company {i:03} Works; Person{i}@Company{i:03}-works.com;x\n" for i in range(400))
    + "Nobody;nonsense;\nHalf\n"
).encode("utf-8-sig")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,  # a workspace with a market, and lists that are built while somebody watches
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (apt-get install chromium)"),
]


@pytest.fixture(scope="module")
def page(copies: Copies) -> Iterator[Page]:
    with copies.opened("page-browser") as app:
        end = collect.newest_complete(app, "linkedin")
        collect.collect_window(app, SEGMENT, end - timedelta(days=13), end)
        balance.propose(app, SEGMENT)
        made = page_service(app, may_write=True, grace=1.0)
        made.poll = 0.05
        yield made
        made.workers.wait()


@pytest.fixture(scope="module")
def server(page: Page) -> Iterator[str]:
    with served(page_app(page)) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield made
        made.close()


@pytest.fixture
def tab(browser: Any, server: str) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1366, "height": 900})
    found = context.new_page()
    found.set_default_timeout(PATIENCE)
    complaints: list[str] = []
    asked: list[str] = []
    found.on("pageerror", lambda error: complaints.append(str(error)))
    found.on("dialog", lambda dialog: dialog.accept())
    found.on("request", lambda request: asked.append(request.url))
    yield found
    context.close()
    assert complaints == []
    assert [url for url in asked if not url.startswith((server, "blob:", "data:"))] == []


def test_a_visitor_opens_the_report_and_finds_one_account(tab: Any, server: str) -> None:
    tab.goto(server)
    tab.wait_for_selector("text=1 thing waits for you")
    tab.click("table a:has-text('Everyone')")
    tab.wait_for_selector("#tools:not([hidden])")
    tab.fill("#q", "Company 399")
    tab.wait_for_selector("#rows tr:has-text('Company 399')")
    assert tab.locator("#rows tr").count() == 1


def test_an_exception_plans_again_and_the_moved_plan_is_refused(tab: Any, server: str, page: Page) -> None:
    tab.goto(f"{server}/segments/{SEGMENT}/plan")
    tab.fill("form.row input[name=account_id]", "company399-works.com")
    tab.select_option("select[name=kind]", "exclude")
    tab.click("text=Plan again")
    tab.wait_for_selector("td:has-text('never served')")
    forward(page.app, days=1)
    collect.collect(page.app, SEGMENT, days=3)
    keep_exception(page.app, SEGMENT, "company398-works.com", AccountException("pin"))
    tab.click("button:has-text('Approve')")
    tab.wait_for_selector("text=more day of reports")
    tab.click("text=Show the new one")
    tab.fill("input[name=reason]", "too soon")
    tab.click("button:has-text('Refuse')")
    tab.wait_for_selector(".chip.refused")
    assert next(plan.status for plan in page.app.store.plans(segment=SEGMENT)) == "refused"


def test_a_plan_is_approved_and_carried_out_while_the_visitor_watches(
    tab: Any, server: str, page: Page
) -> None:
    forward(page.app, days=1)
    balance.propose(page.app, SEGMENT)
    tab.goto(f"{server}/segments/{SEGMENT}/plan")
    tab.click("button:has-text('Approve')")
    tab.wait_for_selector(".chip.applied")
    assert page.app.store.audience(f"linkedin/{SEGMENT}/companies/band-1") is not None


def test_a_messy_file_is_mapped_pushed_to_ready_and_undone(tab: Any, server: str, page: Page) -> None:
    tab.goto(f"{server}/push")
    tab.set_input_files("input[type=file]", {"name": "leads.csv", "mimeType": "text/csv", "buffer": MESSY})
    tab.click("button:has-text('Read the file')")
    tab.get_by_label("Mail", exact=True).select_option("email")
    tab.click("button:has-text('Read the file again')")
    tab.wait_for_selector("h1:has-text('400 of')")
    with tab.expect_download() as download:
        tab.click("text=Rows and reasons as CSV")
    with open(download.value.path()) as file:
        assert "email_not_user_at_domain" in file.read()
    tab.fill("input[name=owner]", "Maya")
    tab.fill("input[name=ends_on]", "2027-12-31")
    tab.click("button:has-text('Send 400')")
    tab.wait_for_selector("h1:has-text('Ready')")
    tab.click("text=Undo this push")
    tab.wait_for_selector("h1:has-text('Undone')")
    assert page.app.store.ledger_counts("linkedin/one-off/leads/contact").accepted == 0


def test_a_change_of_a_segment_is_counted_before_it_is_written(tab: Any, server: str, page: Page) -> None:
    tab.goto(f"{server}/segments/{SEGMENT}")
    area = tab.locator("textarea[name=yaml]")
    area.fill(area.input_value().replace("at_least: 10", "at_least: 220"))
    tab.click("text=See what would change")
    tab.wait_for_selector("h1:has-text('390 accounts would become 200')")
    tab.click("text=Write it into the configuration")
    tab.wait_for_selector("h1:has-text('The change is written')")
    assert "at_least: 220" in (page.app.workspace / "evenreach.yaml").read_text()


@pytest.mark.parametrize("place", ["/", f"/segments/{SEGMENT}/plan", "/runs", "/audit", "/push"])
def test_no_page_of_a_real_workspace_scrolls_sideways_on_a_phone(
    browser: Any, server: str, place: str
) -> None:
    context = browser.new_context(viewport={"width": 375, "height": 800})
    phone = context.new_page()
    phone.set_default_timeout(PATIENCE)
    phone.goto(server + place)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 375
    context.close()
