"""Assembles the page: routes, gate, headers, error pages. ``create_app`` opens nothing."""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from flows.report.catalogue import say
from flows.web import routes_plans, routes_push, routes_report, routes_runs, routes_segments, routes_sign_in
from flows.web.access import Access
from flows.web.armour import Armour, complete
from flows.web.errors import Invalid, Moved, NotFound, PageError, SignInFirst, TooOften
from flows.web.gate import Desk, desk
from flows.web.limits import BodyLimit, SignInLimit
from flows.web.pages import STATIC, path_part, show, static_text, templates
from flows.web.service import PageService

UPLOAD_MOST = 64 * 1024 * 1024  # bytes of one request

log = logging.getLogger(__name__)


def create_app(service: PageService, *, access: Access, upload_most: int = UPLOAD_MOST) -> FastAPI:
    """The page over ``service``, for visitors as ``access`` allows.

    Serve it with uvicorn, ``proxy_headers=False``: forwarded addresses are judged here, not trusted blindly.
    """
    app = FastAPI(title="Evenreach", docs_url=None, redoc_url=None, openapi_url="/api.json")
    app.state.desk = Desk(service, access, SignInLimit(access.now, service), templates())
    for routes in (
        routes_report,
        routes_plans,
        routes_segments,
        routes_push,
        routes_runs,
        routes_sign_in,
    ):
        app.include_router(routes.router)
    app.add_api_route("/static/{mark}/{name}", _static, include_in_schema=False)
    app.add_api_route("/health", _health, include_in_schema=False)
    app.add_exception_handler(PageError, _page_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(Exception, _broken)
    app.add_middleware(BodyLimit, most=upload_most)
    app.add_middleware(Armour, access=access)
    return app


def _static(mark: str, name: str) -> Response:
    if name not in STATIC:
        raise NotFound(say("error.no_file"))
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(static_text(name), media_type=STATIC[name], headers=headers)


def _health() -> Response:
    return PlainTextResponse("ok")


def _page_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, PageError)
    if isinstance(error, SignInFirst) and request.method == "GET" and not _wants_data(request):
        return RedirectResponse(f"/sign-in?next={path_part(_local(request))}", status_code=303)
    return _answer(request, error)


def _local(request: Request) -> str:
    query = f"?{request.url.query}" if request.url.query else ""
    return request.url.path + query


def _answer(request: Request, error: PageError) -> Response:
    headers = {"Retry-After": str(error.wait)} if isinstance(error, TooOften) else {}
    if _wants_data(request):
        body = {"error": type(error).__name__, "message": error.message, "remedy": error.remedy}
        response: Response = JSONResponse(body, status_code=error.status, headers=headers)
    else:
        differences = error.differences if isinstance(error, Moved) else ()
        path = error.path if isinstance(error, Moved) else ""
        response = show(
            request,
            "error.html",
            status=error.status,
            message=error.message,
            remedy=error.remedy,
            fields=error.fields,
            differences=differences,
            path=path,
        )
        response.headers.update(headers)
    return response


def _wants_data(request: Request) -> bool:
    return request.url.path.endswith((".json", ".csv"))


def _http_error(request: Request, error: Exception) -> Response:
    """Starlette's own refusals (unknown address, wrong method, unreadable form) in the page's words."""
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return _answer(request, NotFound(say("error.no_page")))
    unreadable = error.status_code == 400
    found = PageError(say("error.unreadable") if unreadable else say("error.not_here"))
    found.status = error.status_code
    return _answer(request, found)


def _unreadable(request: Request, error: Exception) -> Response:
    return _answer(request, Invalid(say("error.address")))


def _broken(request: Request, error: Exception) -> Response:
    """Something failed on our side. The log gets the kind of error, the visitor a way on."""
    log.error("page failed: %s %s: %s", request.method, request.url.path, type(error).__name__)
    found = PageError(say("error.broken"))
    found.status, found.remedy = 500, say("error.remedy.broken")
    try:
        response = _answer(request, found)
    except Exception:  # what failed may be the very thing a page in full needs, such as the clock
        response = PlainTextResponse(f"{found.message} {found.remedy}", status_code=500)
    complete(response.headers, secure=desk(request).access.secure)  # outside the armour at this point
    return response
