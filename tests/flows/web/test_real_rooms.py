"""Every room of the page on a real workspace in Chromium: no serious fault, no dead link, no request elsewhere."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from tests.flows.small_workspace import SEGMENT
from tests.flows.web.real_page import RealPage
from tests.flows.web.visits import TestClient, served

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
AXE = (Path(__file__).with_name("axe") / "axe.min.js").read_text(encoding="utf-8")
SERIOUS = """async (rules) => {
  const only = rules ? { runOnly: { type: "rule", values: rules } } : {};
  const found = await axe.run(document, { resultTypes: ["violations"], ...only });
  return found.violations.filter((v) => ["serious", "critical"].includes(v.impact))
    .map((v) => v.id + ": " + v.nodes.map((n) => n.html.slice(0, 160)).slice(0, 3).join(" | "));
}"""
FEW_ROWS = """() => document.querySelectorAll("tbody").forEach(
  (body) => [...body.rows].slice(12).forEach((row) => row.remove()))"""  # the others look the same
ROOMS = (
    "/", "/segments", f"/segments/{SEGMENT}/report", f"/segments/{SEGMENT}/plan", f"/segments/{SEGMENT}",
    f"/segments/{SEGMENT}/accounts", "/push", "/push/{preview}", "/pushes/{push}", "/proposals/{proposal}",
    "/runs", "/audit", "/segments/customers", "/segments/customers/report", "/no-such-page",
)  # fmt: skip


@pytest.fixture(scope="module")
def address(real: RealPage) -> Iterator[str]:
    with served(real.local_app()) as found:
        yield found


@pytest.fixture(scope="module")
def tab(address: str) -> Iterator[Any]:
    """One tab; whatever it asks another address for is a fault."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        found = browser.new_page(viewport={"width": 1366, "height": 900})
        asked: list[str] = []
        found.on("request", lambda request: asked.append(request.url))
        yield found
        browser.close()
    assert asked
    assert [url for url in asked if not url.startswith((address, "blob:", "data:"))] == []


@pytest.mark.browser
@pytest.mark.slow  # axe looks at every element of fifteen rooms
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (apt-get install chromium)")
@pytest.mark.parametrize("room", ROOMS)
def test_axe_finds_no_serious_fault_by_day_or_by_night(
    real: RealPage, tab: Any, address: str, room: str
) -> None:
    place = re.sub(r"\{\w+\}", lambda key: real.names[key.group()], room)
    tab.goto(address + place)
    for part in tab.locator("details").all():
        part.evaluate("(e) => { e.open = true; }")
    tab.evaluate(FEW_ROWS)
    tab.evaluate(AXE + "; 0")
    assert tab.evaluate(SERIOUS, None) == []
    tab.emulate_media(color_scheme="dark")
    assert tab.evaluate(SERIOUS, ["color-contrast"]) == []
    tab.emulate_media(color_scheme="light")
    tab.set_viewport_size({"width": 390, "height": 844})
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    tab.set_viewport_size({"width": 1366, "height": 900})


def test_every_link_of_every_room_leads_somewhere(real: RealPage) -> None:
    client = TestClient(real.local_app(), base_url="http://localhost", client=("127.0.0.1", 1))
    start = [re.sub(r"\{\w+\}", lambda key: real.names[key.group()], room) for room in ROOMS[:-1]]
    waiting, seen = list(start), set(start)
    while waiting:
        place = waiting.pop()
        answer = client.get(place)
        assert answer.status_code == 200, place
        if not answer.headers["content-type"].startswith("text/html") or "attachment" in answer.headers.get(
            "content-disposition", ""
        ):
            continue
        found = re.findall(r'(?:href|src|data-src|data-progress)="([^"#]+)"', answer.text)
        for link in (urljoin(f"http://localhost{place}", text.replace("&amp;", "&")) for text in found):
            parts = urlsplit(link)
            assert parts.netloc == "localhost", f"{place} leads out to {link}"
            local = parts.path + (f"?{parts.query}" if parts.query else "")
            if local not in seen:
                seen.add(local)
                waiting.append(local)
    assert len(seen) > 40


def test_no_answer_lets_a_script_of_the_page_itself_run(real: RealPage) -> None:
    client = TestClient(real.local_app(), base_url="http://localhost", client=("127.0.0.1", 1))
    for room in ROOMS:
        place = re.sub(r"\{\w+\}", lambda key: real.names[key.group()], room)
        answer = client.get(place)
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert not re.search(r"<script(?![^>]* src=)|\son\w+=|style=", answer.text), place
