"""The sandbox without a port: an httpx transport that hands each request to an engine. For tests."""

from __future__ import annotations

import httpx

from platforms.sandbox.engine import Engine
from platforms.sandbox.server import headers_of


class InProcess(httpx.BaseTransport):
    """Use as ``httpx.Client(transport=InProcess(engine), base_url="http://sandbox.test")``.

    A reply that a fault loses after commit shows as ``httpx.ReadError``; slow replies are not slow.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path, _, query = request.url.raw_path.decode("ascii").partition("?")
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in request.headers.raw}
        reply = self.engine.call(request.method, path, query, headers, request.read())
        if reply.lost:
            raise httpx.ReadError("the reply is lost on purpose", request=request)
        found = headers_of(reply.answer, self.engine.world.now)
        return httpx.Response(reply.answer.status, headers=found, content=reply.answer.body, request=request)
