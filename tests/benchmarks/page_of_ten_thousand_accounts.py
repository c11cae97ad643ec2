"""How long the report takes for 10,000 accounts. A script, run by hand; it prints and asserts nothing.

Prints milliseconds of CPU time and bytes; a bar of 3 MB holds for the file.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from flows.report import html, tables
from tests.flows.report import share_worlds

ACCOUNTS = 10_000


def timed(name: str, work: Callable[[], object]) -> None:
    """Best of three, so that a busy machine counts less."""
    spent = []
    for _ in range(3):
        start = time.process_time()
        work()
        spent.append(time.process_time() - start)
    print(f"{name:<28}{min(spent) * 1000:8.0f} ms")


def main() -> None:
    page = share_worlds.report_page(ACCOUNTS)
    timed("page model (with its world)", lambda: share_worlds.report_page(ACCOUNTS))
    timed("file", lambda: html.render(page))
    timed("rows for the script", lambda: tables.columns_json(page))
    timed("CSV", lambda: tables.accounts_csv(page))
    size = len(html.render(page).encode())
    print(f"{'size of the file':<28}{size / 1e6:8.2f} MB ({size / 3e6:.0%} of the bar)")


if __name__ == "__main__":
    main()
