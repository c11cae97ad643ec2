"""Signing in and out. It never says whether a name exists, and it slows down who keeps guessing."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from flows.report.catalogue import say
from flows.web.errors import TooOften
from flows.web.gate import Sent, client_of, desk, visitor_of
from flows.web.pages import go, remember, show
from flows.web.sessions import cookie_name, mark, new_session

router = APIRouter(include_in_schema=False)

PASSWORD_MOST = 1_000  # characters; longer ones only cost time


@router.get("/sign-in")
def form(request: Request, next: str = "/") -> Response:
    if visitor_of(request) is not None:
        return go(local_path(next))
    return show(request, "sign_in.html", onward=local_path(next), wrong="")


@router.post("/sign-in")
def sign_in(request: Request, form: Sent) -> Response:
    at = desk(request)
    name, password = form.text("name", most=200), form.fields.get("password", "")[:PASSWORD_MOST]
    address = client_of(request)
    keys = (mark(at.access, "name", name), mark(at.access, "from", address))
    wait = at.limit.wait(*keys)
    if wait:
        raise TooOften(say("error.attempts"), wait=wait)
    with at.limit.turn:
        user = at.access.check_password(name, password)
    if user is None:
        count = at.limit.failed(*keys)
        known = name if name in at.access.users else ""  # people type passwords into the wrong field
        what = "sign_in_locked" if at.limit.wait(*keys) else "sign_in_failed"
        at.service.note_sign_in(what, known, address=address, failures=count)
        wrong = say("sign_in.wrong")
        return show(request, "sign_in.html", status=401, onward=local_path(form.text("next")), wrong=wrong)
    at.limit.succeeded(keys[0])
    at.service.note_sign_in("sign_in", user.name, address=address)
    request.state.session = new_session(at.access, user.name)
    response = go(local_path(form.text("next")))
    remember(request, response)
    return response


@router.post("/sign-out")
def sign_out(request: Request, form: Sent) -> Response:
    response = go("/sign-in")
    access, visitor = desk(request).access, visitor_of(request)
    if visitor is not None and visitor.by == "password":
        desk(request).service.note_sign_in("sign_out", visitor.name, address=client_of(request))
    response.delete_cookie(cookie_name(access), path="/", secure=access.secure, httponly=True, samesite="lax")
    return response


def local_path(wanted: str) -> str:
    """Only a path of this page is followed after signing in, never an address elsewhere."""
    plain = wanted.isprintable() and "\\" not in wanted
    return wanted if plain and wanted.startswith("/") and not wanted.startswith("//") else "/"
