"""The outer layer of every request: our own host name only, security headers on every answer. Pure ASGI."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flows.report.catalogue import say
from flows.web.access import Access
from flows.web.pages import HEADERS


class Armour:
    """Refuses foreign host names and completes the headers of what the page answers."""

    def __init__(self, app: ASGIApp, *, access: Access):
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def armoured(message: Message) -> None:
            if message["type"] == "http.response.start":
                complete(MutableHeaders(scope=message), secure=self._access.secure)
            await send(message)

        client = scope["client"][0] if scope.get("client") else ""
        host = Headers(scope=scope).get("host", "")
        app = self._app if self._access.answers_to(host, client) else _unknown()
        await app(scope, receive, armoured)


def _unknown() -> Response:
    return PlainTextResponse(say("error.other_name"), status_code=421)


def complete(headers: MutableHeaders, *, secure: bool) -> None:
    """Add every security header the answer does not set by itself."""
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    if secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
