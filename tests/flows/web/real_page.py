"""The page on a real workspace, with something in every room: reports, a plan, an upload, a push, a proposal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

from flows import balance, collect
from flows.page import Page, page_service
from flows.web.access import Access, Role, User
from flows.web.app import create_app
from flows.web.sessions import cookie_name, form_token, new_session, seal
from flows.web.views import PushOrder
from tests.flows.small_workspace import SEGMENT, Copies
from tests.flows.web.visits import ELSEWHERE, SECRET, TestClient, Visit

LIST = (
    "Firma;Mail\n"
    + "".join(f"Company {i:03} Works;Person{i}@company{i:03}-works.com\n" for i in range(40))
    + "Nobody;nonsense\n"
).encode()


_numbers = count()


@dataclass
class RealPage:
    """``names`` fills the addresses of ``test_roles.ROUTES`` with ids that exist."""

    page: Page
    names: dict[str, str]
    users: dict[str, User]

    def public_app(self) -> Any:
        access = Access(SECRET, public=True, users=self.users, secure=True, now=self.page.clock)
        return create_app(self.page, access=access)

    def local_app(self) -> Any:
        return create_app(self.page, access=Access(SECRET, now=self.page.clock))

    def signed_in(self, app: Any, name: str) -> Visit:
        access = app.state.desk.access
        session = new_session(access, name)
        client = TestClient(
            app, base_url="https://reach.example", client=ELSEWHERE, raise_server_exceptions=False
        )
        client.cookies.set(cookie_name(access), seal(access, session), domain="reach.example")
        return Visit(client, token=form_token(access, session.id))

    def standing(self) -> tuple[Any, ...]:
        """Everything a visitor could have changed."""
        store = self.page.app.store
        return (
            [line.number for line in store.audit_tail(1)],
            [(plan.plan_id, plan.status) for plan in store.plan_heads()],
            sorted(self.page.drafts),
            sorted(self.page.uploads.held),
            (self.page.app.workspace / "evenreach.yaml").read_text(),
        )


@contextmanager
def furnished(copies: Copies) -> Iterator[RealPage]:
    """A page on its own copy of the small workspace."""
    with copies.opened(f"furnished-{next(_numbers)}") as app:
        end = collect.newest_complete(app, "linkedin")
        collect.collect_window(app, SEGMENT, end - timedelta(days=13), end)
        plan = balance.propose(app, SEGMENT).record
        page = page_service(app, may_write=True, grace=3600.0)
        sent, preview = (
            page.push_preview(LIST, name, mapping={"Mail": "email", "Firma": ""}, who="setup")
            for name in ("sent.csv", "leads.csv")
        )
        order = PushOrder("Setup", "Maya", "", None, ("linkedin",))
        yaml = page.segment(SEGMENT).yaml.replace("at_least: 10", "at_least: 20")
        names = {
            "/segments/strike-dach": f"/segments/{SEGMENT}",
            "company-00004.example": plan.moves[0].account_id,
            "{plan}": plan.plan_id,
            "{done}": plan.plan_id,
            "{hash}": plan.inputs_hash,
            "{preview}": preview.preview_id,
            "{push}": page.push_confirm(sent.preview_id, order, who="setup"),
            "{proposal}": page.propose_edit(SEGMENT, yaml, who="setup").proposal_id,
            "{run}": next(run.run_id for run in page.runs(50) if run.kind == "sync"),
        }
        yield RealPage(page, names, {role.value: User(role.value, role) for role in Role})
        for stop in page.stops.values():
            stop.set()
        page.workers.wait()
