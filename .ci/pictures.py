"""Takes the pictures of README and docs from demo workspaces, in Chromium. Run by hand: it changes docs/pictures alone.

    python .ci/pictures.py FINISHED [WAITING]

FINISHED is the workspace of a whole ``evenreach demo``; WAITING one that was stopped (kill) when the demo printed
its first report, after ``evenreach balance --workspace WAITING`` made its first plan. Without it plan.png stays.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
SEGMENT, PORT = "tech-and-industry", 8467
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SHOWN = {"report": (250, 1030), "plan": (0, 1170)}  # from which line, and how many: each about 200 kB at most


@contextmanager
def page_of(workspace: Path) -> Iterator[str]:
    """The page on a workspace, until it is no longer needed; its address."""
    command = [sys.executable, "-m", "flows.cli", "page", "--workspace", str(workspace), "--port", str(PORT)]
    address = f"http://127.0.0.1:{PORT}"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:  # noqa: S603 - our own command
        try:
            for _ in range(60):
                try:
                    urllib.request.urlopen(address, timeout=60).close()
                    break
                except OSError:
                    time.sleep(1.0)
            yield address
        finally:
            server.terminate()


def shoot(tab: Any, address: str, name: str) -> None:
    """The part of one page that is worth showing."""
    first, height = SHOWN[name]
    tab.set_viewport_size({"width": 1366, "height": height})
    tab.goto(f"{address}/segments/{SEGMENT}/{name}", wait_until="networkidle")
    tab.evaluate(f"window.scrollTo(0, {first})")
    tab.screenshot(path=PICTURES / f"{name}.png")


def main(finished: Path, waiting: Path | None) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        tab = browser.new_context(color_scheme="light").new_page()
        with page_of(finished) as address:
            shoot(tab, address, "report")
            for name, title in (("weekly", "week by week"), ("lorenz", "How evenly")):
                tab.locator(f".charts .card:has(h2:has-text('{title}'))").screenshot(
                    path=PICTURES / f"{name}.png"
                )
        if waiting is not None:
            with page_of(waiting) as address:
                tab.goto(
                    f"{address}/segments/{SEGMENT}/plan"
                )  # begins the rehearsal, which takes half a minute
                time.sleep(45)
                shoot(tab, address, "plan")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
