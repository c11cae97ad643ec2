"""The page's service on a copy of the small workspace, and what tests of it do again and again."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from flows import balance, collect
from flows.page import Page, page_service
from flows.web.views import PushOrder
from tests.flows.small_workspace import SEGMENT, Copies


@pytest.fixture
def page(copies: Copies, request: pytest.FixtureRequest) -> Iterator[Page]:
    name = hashlib.sha256(request.node.name.encode()).hexdigest()[:12]
    with copies.opened(f"page-{name}") as app:
        made = page_service(app, grace=0.0)
        made.poll = 0.01
        yield made
        made.workers.wait()


def waiting(page: Page) -> str:
    """The id of a plan that waits."""
    return balance.propose(page.app, SEGMENT).record.plan_id


def report_two_weeks(page: Page) -> None:
    end = collect.newest_complete(page.app, "linkedin")
    collect.collect_window(page.app, SEGMENT, end - timedelta(days=13), end)


def order(name: str = "Leads", **changed: str) -> PushOrder:
    return PushOrder(name, changed.get("owner", "maya"), "", None, ("linkedin",))


def until(page: Page, push_id: str, *stages: str) -> str:
    """The stage, once it is one of ``stages``."""
    limit = time.monotonic() + 240
    while (stage := page.push_progress(push_id).stage) not in stages and time.monotonic() < limit:
        time.sleep(0.05)
    return stage
