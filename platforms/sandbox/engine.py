"""One call in, one answer out: clock, gates, faults, handler, journal, in that order.

The engine is single-threaded and does no network I/O. A replay goes through ``_apply`` alone: gates,
quotas and faults decided once, when the call was live, and only what was committed is in the journal.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platforms.sandbox import control, google, linkedin, linkedin_lists, linkedin_members, oauth, segments
from platforms.sandbox import linkedin_errors as err
from platforms.sandbox.clock import SECOND, Clock
from platforms.sandbox.faults import BEFORE, LOST_AFTER, LOST_BEFORE, Fault, Faults, effects_of
from platforms.sandbox.journal import Entry, Journal
from platforms.sandbox.knobs import Knobs
from platforms.sandbox.linkedin_gate import Quotas
from platforms.sandbox.routes import Route, find
from platforms.sandbox.wire import Answer, Bad, Call, json_answer
from platforms.sandbox.world import World

KEPT_HEADERS = ("x-restli-method", "content-type", "content-length", "host", "login-account")
REDACT: tuple[tuple[re.Pattern[str], Callable[[bytes], bytes]], ...] = (
    (re.compile(r"^/(oauth/|token)"), oauth.redacted),
    (re.compile(r"^/ambry"), linkedin_lists.hashed),
    (re.compile(r"^/rest/dmpSegments/[^/]+/users$"), linkedin_members.without_names),
)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer and how to give it: ``delay`` real seconds first; ``lost``: close without a word."""

    answer: Answer
    delay: float = 0.0
    lost: bool = False


class Engine:
    """The whole sandbox behind one method, ``call``."""

    def __init__(self, *, mode: str, start: int, folder: Path | None, seed: int, knobs: Knobs | None) -> None:
        self.journal = Journal(folder)
        entries = list(self.journal.read())
        head = entries[0].head if entries else {}
        self.seed = int(head.get("seed", seed))
        self.mode = str(head.get("clock", mode))
        begun = entries[0].at if entries else start
        first = Knobs().changed(head["knobs"]) if head else (knobs or Knobs())
        self.world = World(seed=self.seed, knobs=first, now=begun)
        self.world.runners["land"] = segments.land
        google.install(self.world)
        oauth.install(self.world)
        self.faults = Faults(self.seed)
        self.quotas = Quotas()
        self._linkedin = linkedin.table(self.quotas)
        self._control = control.table(self)
        if not entries:
            record = {"seed": self.seed, "clock": self.mode, "knobs": first.as_record(), "format": 1}
            self.journal.append(Entry("start", begun, record))
        for entry in entries[1:]:
            self._replay(entry)
        last = max(self.world.now, entries[-1].at if entries else begun)
        self.clock = Clock(mode=self.mode, start=max(last, start) if self.mode == "real" else last)
        if entries and knobs is not None and knobs != self.world.knobs:
            self.call("POST", "/sandbox/knobs", "", {}, _json(knobs.as_record()))

    def call(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer one request. Header names in lower case; path and query undecoded."""
        if not path.startswith("/sandbox"):
            self.clock.move(round(self.world.knobs.request_seconds * SECOND))
        self._catch_up()
        call = Call(method, path, query, headers, body, self.world.now)
        try:
            reply = self._live(call)
        except Bad as bad:
            reply = Reply(bad.answer)
        if reply.answer.early:
            self.clock.move(round(self.world.knobs.early_wait_seconds * SECOND))
        return reply

    def _live(self, call: Call) -> Reply:
        if call.path.startswith("/sandbox"):
            return Reply(self._commit(call, self._control_route(call)))
        call = linkedin.untunnel(call)
        hit = self.faults.strike(call.method, call.path)
        for fault in hit:
            record = {"fault": fault.number, "asked": fault.asked, "fired": fault.fired}
            self.journal.append(Entry("fired", self.world.now, record))
        delay = sum(f.seconds for f in hit if f.kind == "slow")
        for fault in hit:
            if fault.kind in BEFORE and self._applies(fault, call):
                return Reply(_injected(fault, call), delay, lost=fault.kind == LOST_BEFORE)
        route = self._gated(call)
        call.effects = effects_of(hit)
        answer = self._commit(call, route)
        return Reply(answer, delay, lost=any(f.kind == LOST_AFTER for f in hit))

    def _applies(self, fault: Fault, call: Call) -> bool:
        """404 after create needs a young segment; the others always apply."""
        if fault.kind != "404_after_create":
            return True
        tail = [p for p in call.path.split("/") if p.isdigit()]
        segment = self.world.segments.get(int(tail[0])) if tail else None
        return segment is not None and self.world.now - segment.created < fault.seconds * SECOND

    def _gated(self, call: Call) -> Route:
        if google.owns(call.path):
            return google.gate(self.world, call, self.quotas)
        for prefix, routes in (
            ("/oauth", linkedin.SIGN_IN),
            ("/ambry", linkedin.UPLOAD),
            ("", self._linkedin),
        ):
            if call.path.startswith(prefix):
                return linkedin.gate(self.world, call, routes, self.quotas)
        raise err.plain(404, "No virtual resource found")

    def _control_route(self, call: Call) -> Route:
        found, _ = find(self._control, call)
        if found is None:
            raise Bad(json_answer(404, {"error": f"no such control call: {call.method} {call.path}"}))
        return found

    def _commit(self, call: Call, route: Route) -> Answer:
        """Run the handler; a write is in the journal before anybody hears of it, whatever it came to."""
        if not route.writes:
            return _run(route, self.world, call)
        for where, redact in REDACT:
            if where.search(call.path):
                call.body = redact(call.body)
        record = {
            "m": call.method,
            "p": call.path,
            "q": call.query,
            "h": {k: call.headers[k] for k in KEPT_HEADERS if k in call.headers},
            "w": call.who,
            "e": dict(call.effects),
        }
        entry = Entry("call", self.world.now, record, call.body)
        try:
            return _run(route, self.world, call)
        finally:
            self.journal.append(entry)

    def _replay(self, entry: Entry) -> None:
        if entry.kind == "fired":
            self.faults.restore(entry.head["fault"], entry.head["asked"], entry.head["fired"])
            return
        self.world.run_until(entry.at)
        head = entry.head
        call = Call(
            head["m"], head["p"], head["q"], head["h"], entry.body, entry.at, who=head["w"], effects=head["e"]
        )
        tables = (self._control, self._linkedin, linkedin.SIGN_IN, linkedin.UPLOAD, google.ROUTES)
        route = next(found for found in (find(table, call)[0] for table in tables) if found is not None)
        with contextlib.suppress(Bad):
            _run(route, self.world, call)

    def _catch_up(self) -> None:
        self.world.run_until(self.clock.now())

    def advance(self, to: int) -> None:
        """Move time forward to ``to``; everything due happens on the way."""
        self.world.run_until(to)
        if hasattr(self, "clock"):
            self.clock.settle(to)

    def close(self) -> None:
        self.journal.close()


def _run(route: Route, world: World, call: Call) -> Answer:
    """The handler's answer. A value of a shape no rule names is 400 at both platforms, never a crash."""
    try:
        return route.handler(world, call)
    except (TypeError, AttributeError, KeyError, IndexError, ValueError) as error:
        if google.owns(call.path):
            raise google.malformed() from error
        raise err.plain(400, "The request could not be understood") from error


def _injected(fault: Fault, call: Call) -> Answer:
    """The platform's own words for an injected failure; nobody hears those of a lost reply."""
    if fault.kind == LOST_BEFORE:
        return Answer(504)
    if google.owns(call.path):
        return google.injected(fault.kind, call)
    tail = next((p for p in call.path.split("/") if p.isdigit()), "0")
    made: dict[str, Callable[[], Bad]] = {
        "throttle_minute": lambda: err.throttled(),
        "throttle_day": lambda: err.throttled("APPLICATION DAY"),
        "500": lambda: err.refuse(500, {"code": "INTERNAL_ERROR", "message": "Internal server error"}),
        "503": lambda: err.refuse(503, {"code": "UNDER_MAINTENANCE", "message": "Service unavailable"}),
        "504": lambda: err.plain(504, "Gateway timeout"),
        "404_after_create": lambda: err.no_segment(tail, early=True),
        "409": err.conflict,
        "expired_token": lambda: err.bad_token("expired"),
        "revoked_token": lambda: err.bad_token("revoked"),
    }
    return made[fault.kind]().answer


def _json(value: Any) -> bytes:
    return json_answer(200, value).body
