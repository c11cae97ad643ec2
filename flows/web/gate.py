"""The gate every request passes: host, session, role, form token. It lets through or raises."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from jinja2 import Environment
from starlette.datastructures import FormData, UploadFile

from flows.report.catalogue import say
from flows.web.access import Access, Role, Visitor
from flows.web.errors import Forged, Invalid, NotAllowed, SignInFirst
from flows.web.limits import SignInLimit
from flows.web.service import PageService
from flows.web.sessions import Session, cookie_name, new_session, password_mark, token_fits, unseal

TEXT_MOST = 4_000  # characters of one ordinary form field


@dataclass(frozen=True)
class Desk:
    """What a request works with; one per application."""

    service: PageService
    access: Access
    limit: SignInLimit
    templates: Environment


def desk(request: Request) -> Desk:
    found: Desk = request.app.state.desk
    return found


def client_of(request: Request) -> str:
    return request.client.host if request.client else ""


def session_of(request: Request) -> Session:
    """The visitor's session; a new, nameless one is begun when there is none."""
    if not hasattr(request.state, "session"):
        access = desk(request).access
        held = unseal(access, request.cookies.get(cookie_name(access), ""))
        request.state.session = held or new_session(access)
        request.state.fresh = held is None
    session: Session = request.state.session
    return session


def visitor_of(request: Request) -> Visitor | None:
    """Who asks, or None: by session, by a trusted proxy's word, or by being on loopback."""
    access, session = desk(request).access, session_of(request)
    user = access.users.get(session.name) if session.name else None
    if user is not None and session.mark == password_mark(access, user.name):
        return Visitor(user.name, user.role, "password", session.id)
    named = access.named_by_proxy(client_of(request), request.headers)
    if named is not None:
        return Visitor(named.name, named.role, "proxy", session.id)
    if access.open_here(client_of(request), request.headers.get("host", ""), request.headers):
        return Visitor(access.loopback_name, Role.APPROVER, "loopback", session.id)
    return None


def needs(role: Role) -> Callable[[Request], Visitor]:
    """A dependency that lets in who has ``role`` or more."""

    def check(request: Request) -> Visitor:
        visitor = visitor_of(request)
        if visitor is None:
            raise SignInFirst(say("error.sign_in_first"))
        if not visitor.role.covers(role):
            raise NotAllowed(say("error.role", needed=role, role=visitor.role))
        return visitor

    return check


@dataclass(frozen=True, slots=True)
class Posted:
    """A form that passed the check of its origin."""

    fields: Mapping[str, str]
    lists: Mapping[str, tuple[str, ...]]
    file: UploadFile | None

    def text(self, name: str, *, most: int = TEXT_MOST, label: str = "") -> str:
        """A field without outer blanks, "" when absent. Raises Invalid when longer than ``most``."""
        value = self.fields.get(name, "").strip()
        if len(value) > most:
            told = say("error.at_most", field=label or name, n=most)
            raise Invalid(say("error.too_long"), fields={name: told})
        return value


async def posted(request: Request) -> AsyncIterator[Posted]:
    """Read the form and make sure it is one this page gave to this very visitor, then close its uploads."""
    _same_origin(request)
    async with request.form(max_files=1, max_fields=1_000, max_part_size=2_000_000) as form:
        found = _collected(form)
        if not token_fits(desk(request).access, _held_session(request), found.fields.get("token", "")):
            raise Forged(say("error.form"))
        yield found


def _collected(form: FormData) -> Posted:
    fields: dict[str, str] = {}
    lists: dict[str, tuple[str, ...]] = {}
    file: UploadFile | None = None
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            file = value
        else:
            fields[name] = value
            lists[name] = (*lists.get(name, ()), value)
    return Posted(fields, lists, file)


def _held_session(request: Request) -> str:
    """The session the browser brought along; a nameless one begun just now proves nothing."""
    session = session_of(request)
    return "" if request.state.fresh else session.id


def _same_origin(request: Request) -> None:
    """Refuse what another site makes the visitor's browser send."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        if site not in ("same-origin", "none"):
            raise Forged(say("error.other_site"))
        return
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host", ""):
        raise Forged(say("error.other_site"))


Viewer = Annotated[Visitor, Depends(needs(Role.VIEWER))]
Operator = Annotated[Visitor, Depends(needs(Role.OPERATOR))]
Approver = Annotated[Visitor, Depends(needs(Role.APPROVER))]
Sent = Annotated[Posted, Depends(posted)]
