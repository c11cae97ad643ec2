"""A table of routes and how a path finds its row. It must know no platform."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from platforms.sandbox.wire import Answer, Call
from platforms.sandbox.world import World

Handler = Callable[[World, Call], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """``endpoint`` is whose quota a call counts against; ``scopes`` any one of which is enough.

    ``when`` looks at the raw query and the Rest.li method, where one path has several meanings.
    """

    method: str
    pattern: re.Pattern[str]
    handler: Handler
    endpoint: str
    scopes: tuple[str, ...] = ()
    writes: bool = False
    when: Callable[[Call], bool] | None = None


def route(
    method: str,
    path: str,
    handler: Handler,
    endpoint: str,
    *,
    scopes: tuple[str, ...] = (),
    writes: bool = False,
    when: Callable[[Call], bool] | None = None,
) -> Route:
    """``path`` with ``{name}`` for one segment of the path."""
    text = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)
    return Route(method, re.compile(f"^{text}$"), handler, endpoint, scopes, writes, when)


def find(routes: tuple[Route, ...], call: Call) -> tuple[Route | None, bool]:
    """The route of a call, and whether the path exists under some other method."""
    path_known = False
    for candidate in routes:
        match = candidate.pattern.match(call.path)
        if match is None:
            continue
        path_known = True
        if candidate.method == call.method and (candidate.when is None or candidate.when(call)):
            call.args = {name: unquote(text) for name, text in match.groupdict().items()}
            return candidate, True
    return None, path_known
