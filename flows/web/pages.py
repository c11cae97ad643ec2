"""Turns a template and its facts into a response with the page's headers. It knows no route and no rule."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FunctionLoader, StrictUndefined

from flows.report import html, tables
from flows.web import page_words
from flows.web.gate import desk, session_of, visitor_of
from flows.web.sessions import cookie_name, form_token, seal

STATIC = {
    "report.css": "text/css; charset=utf-8",
    "report.js": "text/javascript; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # with "no-referrer" browsers would send "Origin: null" along with our own forms
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "X-Frame-Options": "DENY",
}


def static_text(name: str) -> str:
    """A bundled style sheet, script or icon."""
    if name.startswith("report."):
        return html.asset(name)
    return files("flows.web").joinpath("static", name).read_text(encoding="utf-8")


@cache
def static_path(name: str) -> str:
    """The file's address with a mark of its content, so browsers may keep it for good."""
    mark = hashlib.sha256(static_text(name).encode()).hexdigest()[:12]
    return f"/static/{mark}/{name}"


def _source(name: str) -> str | None:
    own = files("flows.web").joinpath("templates", name)
    if own.is_file():
        return own.read_text(encoding="utf-8")
    try:
        return html.asset(name)
    except FileNotFoundError:
        return None


def path_part(text: object) -> str:
    """Text as one safe part of an address."""
    return quote(str(text), safe="")


@cache
def templates() -> Environment:
    """The page's templates, those of the report among them."""
    env = Environment(
        loader=FunctionLoader(_source),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    env.globals.update(html.SPOKEN, page_words=page_words, static=static_path)
    env.filters["part"] = path_part
    return env


def show(request: Request, name: str, *, status: int = 200, here: str = "", **facts: Any) -> Response:
    """A template as a page. ``here`` is the menu entry that is current."""
    at = desk(request)
    session = session_of(request)
    text = at.templates.get_template(name).render(
        visitor=visitor_of(request),
        token=form_token(at.access, session.id),
        here=here,
        **facts,
    )
    response = HTMLResponse(text, status_code=status, headers={"Cache-Control": "no-store"})
    if request.state.fresh:
        remember(request, response)
    return response


def remember(request: Request, response: Response) -> None:
    """Give the browser the session it needs to send our forms back."""
    access, session = desk(request).access, session_of(request)
    response.set_cookie(
        cookie_name(access),
        seal(access, session),
        max_age=access.session_hours * 3600,
        path="/",
        httponly=True,
        secure=access.secure,
        samesite="lax",
    )


def go(path: str) -> Response:
    """After an act: look at the result (so that reloading repeats nothing)."""
    return RedirectResponse(path, status_code=303, headers={"Cache-Control": "no-store"})


def download(text: str, name: str, kind: str) -> Response:
    """A file to keep. ``name`` may hold any text; it is made safe for a header."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "-" for c in name)
    headers = {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
        "Cache-Control": "no-store",
    }
    return Response(text, media_type=kind, headers=headers)


def table_file(
    request: Request, stem: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> Response:
    """A table to keep, in the form the address ends in: ``.csv`` or ``.json``."""
    if request.url.path.endswith(".json"):
        return download(tables.to_json(columns, rows), f"{stem}.json", JSON)
    return download(tables.to_csv(columns, rows), f"{stem}.csv", CSV)


CSV, JSON, HTML, YAML = (
    "text/csv; charset=utf-8",
    "application/json",
    "text/html; charset=utf-8",
    "application/yaml; charset=utf-8",
)
