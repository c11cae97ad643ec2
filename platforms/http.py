"""One paced, retried, classified way over HTTP. It must not know any platform's codes.

This is the short retry layer (seconds). Minutes belong to the scheduler, so anything that would take longer
than ``Retry.longest_wait`` is raised at once with the wait inside.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
import orjson
import stamina

from platforms.errors import Garbled, PlatformDown, PlatformError, QuotaSpent, Throttled
from platforms.pacing import Pacer, Rate

T = TypeVar("T")
TIMEOUT = httpx.Timeout(30.0, connect=5.0, pool=10.0)
LIMITS = httpx.Limits(max_connections=16, max_keepalive_connections=8)


class _HideQueries(logging.Filter):
    """httpx logs whole addresses; queries may carry upload tickets and names, so they are cut off."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                str(part.copy_with(query=None)) if isinstance(part, httpx.URL) else part
                for part in record.args
            )
        return True


class _SayWhy(logging.Filter):
    """stamina logs a bare "retry_scheduled"; what went wrong and the wait stand beside it."""

    def filter(self, record: logging.LogRecord) -> bool:
        error, wait = getattr(record, "stamina.caused_by", ""), getattr(record, "stamina.wait_for", "")
        if error:  # the repr of one of our errors: its class, and a sentence that quotes nothing
            record.msg, record.args = (
                "%s; asked again in %s s",
                (error.partition("(")[2][1:-2] or error, wait),
            )
        return True


_HIDE, _SAY = _HideQueries(), _SayWhy()


def make_client(
    base_url: str, auth: httpx.Auth | None = None, transport: httpx.BaseTransport | None = None
) -> httpx.Client:
    """A client to keep for the life of the process, one per base address: a new one costs 20 ms.

    Redirects are not followed: a token must not travel to another host.
    """
    logging.getLogger("httpx").addFilter(_HIDE)  # adding the same filter twice has no effect
    logging.getLogger("stamina").addFilter(_SAY)
    return httpx.Client(
        base_url=base_url,
        auth=auth,
        transport=transport,
        timeout=TIMEOUT,
        limits=LIMITS,
        follow_redirects=False,
        trust_env=False,
        headers={"User-Agent": "evenreach"},
    )


@dataclass(frozen=True, slots=True)
class Retry:
    """Bounds of the short layer: attempts, seconds in all, and the longest single wait it obeys."""

    attempts: int = 4
    seconds: float = 45.0
    longest_wait: float = 20.0
    first_wait: float = 0.5


@dataclass(frozen=True, slots=True)
class Lane:
    """A quota's endpoint name and its rate; None where only its day quota is known to exist."""

    endpoint: str
    rate: Rate | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One request. ``repeatable`` False: only sent again when it surely was not carried out."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes = b""
    repeatable: bool = True
    lane: Lane | None = None

    def __repr__(self) -> str:
        return f"Call({self.method}, {len(self.content)} bytes)"


def retry_after(response: httpx.Response) -> float:
    """Seconds from a Retry-After header in its number form; 0.0 when absent or a date."""
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() else 0.0


def json_object(response: httpx.Response) -> dict[str, Any]:
    """The body as a JSON object. Raises Garbled without quoting it."""
    value: object = None
    with suppress(orjson.JSONDecodeError):  # its message would quote the body
        value = orjson.loads(response.content)
    if not isinstance(value, dict):
        raise Garbled("the answer is not a JSON object", status=response.status_code)
    return value


class Wire:
    """Sends calls of one platform and raises what its ``classify`` makes of any answer that is not 2xx."""

    def __init__(
        self,
        platform: str,
        client: httpx.Client,
        classify: Callable[[httpx.Response], PlatformError],
        *,
        pacer: Pacer,
        retry: Retry | None = None,
    ) -> None:
        self._platform, self._client, self._classify = platform, client, classify
        self._pacer, self._retry = pacer, retry if retry is not None else Retry()

    def send(self, call: Call) -> httpx.Response:
        """The 2xx answer. Raises PlatformError."""
        return self.fetch(call, lambda response: response)

    def json(self, call: Call) -> dict[str, Any]:
        """The 2xx answer's JSON object. Raises PlatformError; Garbled when it is none."""
        return self.fetch(call, json_object)

    def fetch(self, call: Call, read: Callable[[httpx.Response], T]) -> T:
        """What ``read`` makes of the 2xx answer; its Garbled is retried like no answer at all."""
        attempts = stamina.retry_context(
            on=lambda error: self._again(error, call),
            attempts=self._retry.attempts,
            timeout=self._retry.seconds,
            wait_initial=self._retry.first_wait,
            wait_max=self._retry.longest_wait,
        )
        for attempt in attempts:
            with attempt:
                return read(self._once(call))
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _again(self, error: Exception, call: Call) -> bool | float:
        """Try again within seconds? No, after the usual back-off (True), or after a stated wait."""
        if isinstance(error, Throttled):
            return error.wait <= self._retry.longest_wait and (error.wait or True)
        if isinstance(error, PlatformDown):
            return call.repeatable or not error.sent
        return isinstance(error, Garbled) and call.repeatable

    def _once(self, call: Call) -> httpx.Response:
        if call.lane is not None:
            self._pacer.turn(call.lane.endpoint, call.lane.rate)
        response = self._exchange(call)
        if isinstance(response, PlatformError):
            raise response
        if response.is_success:
            return response
        error = self._classify(response)
        error.platform = error.platform or self._platform
        if isinstance(error, QuotaSpent) and error.reset_at is not None and call.lane is not None:
            self._pacer.close(call.lane.endpoint, error.reset_at)
        raise error

    def _exchange(self, call: Call) -> httpx.Response | PlatformError:
        """The error is returned, not raised: httpx's exceptions hold the request, body and token included."""
        try:
            return self._client.request(
                call.method, call.url, content=call.content or None, headers=dict(call.headers)
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            return self._down(error, sent=False)
        except httpx.TransportError as error:
            return self._down(error, sent=True)
        except httpx.RequestError as error:
            return Garbled(f"the answer could not be read: {type(error).__name__}", platform=self._platform)

    def _down(self, error: Exception, *, sent: bool) -> PlatformDown:
        return PlatformDown(f"no answer: {type(error).__name__}", sent=sent, platform=self._platform)
