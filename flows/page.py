"""The page's service on one workspace, and the page as an application. Opens no port and no file of its own.

Each theme is a part: reports, plans, segments, runs, pushes; together they are ``flows.web.service.PageService``.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flows.page_part import PageClock, Workers
from flows.page_push import Pushes
from flows.web.access import Access
from flows.wiring import App

if TYPE_CHECKING:
    from flows.web.service import PageService


class Page(Pushes):
    """Everything the page reads or does, on one open App. Methods may be called from several threads."""


def page_service(
    app: App,
    *,
    clock: Callable[[], datetime] | None = None,
    may_write: bool = False,
    prefect_ui: str = "",
    grace: float = 60.0,
) -> Page:
    """The service of one workspace.

    may_write   a proposed change of a segment may be written into ``evenreach.yaml``, not only downloaded
    prefect_ui  address of Prefect's UI, linked from the runs; "" = none
    grace       seconds in which a confirmed push can be cancelled
    """
    page = Page(
        app=app,
        clock=clock or PageClock(app),
        workers=Workers(),
        may_write=may_write,
        prefect_ui=prefect_ui,
        grace=grace,
    )
    fits: PageService = page
    assert fits is page
    return page


def page_app(page: Page, *, access: Access | None = None) -> Any:
    """The page as an ASGI application, and its reports computed beside it. Loopback alone without ``access``."""
    from flows.web.app import create_app

    page.workers.start("warm", page.warm)
    here = Access(secrets.token_bytes(32), now=page.clock, zone=page.app.config.zone)
    return create_app(page, access=access or here)
