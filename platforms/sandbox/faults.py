"""What can go wrong on purpose, and when. It decides; the engine acts.

A fault is asked once per matching request. Whether it strikes depends only on the world's seed, the
fault's number and how often it was asked, so a schedule of faults can be run again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from platforms.sandbox.directory import fraction

LOST_BEFORE, LOST_AFTER = "lost_reply_before_commit", "lost_reply_after_commit"
BEFORE = {"throttle_minute", "throttle_day", "500", "503", "504", "404_after_create", "409", "expired_token",
          "revoked_token", LOST_BEFORE}  # fmt: skip
EFFECTS = {
    "rows_refused": "refuse",
    "silent_drop": "drop",
    "answers_truncated": "truncate",
    "matching_error": "break",  # a LinkedIn push is answered as ever, and its segment then shows ERROR
}
KINDS = frozenset({*BEFORE, LOST_AFTER, *EFFECTS, "slow"})


@dataclass(slots=True)
class Fault:
    """``times`` None = until deleted. ``share`` is of the rows (or of the answers kept, for truncation)."""

    number: int
    kind: str
    match: str = ".*"  # searched in "METHOD /path"
    times: int | None = 1
    probability: float = 1.0
    share: float = 0.1
    seconds: float = 0.5  # slow: real seconds; 404_after_create: age of the segment
    asked: int = 0
    fired: int = 0
    pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        self.pattern = re.compile(self.match)

    @property
    def spent(self) -> bool:
        return self.times is not None and self.fired >= self.times

    def as_record(self) -> dict[str, Any]:
        names = ("number", "kind", "match", "times", "probability", "share", "seconds", "asked", "fired")
        return {name: getattr(self, name) for name in names}


@dataclass(slots=True)
class Faults:
    """The faults in force."""

    seed: int
    active: dict[int, Fault] = field(default_factory=dict)
    count: int = 0

    def add(self, record: dict[str, Any]) -> Fault:
        """Raises ValueError on an unknown kind, a bad pattern or an unknown setting."""
        wanted = dict(record)
        kind = str(wanted.pop("kind", ""))
        if kind not in KINDS:
            raise ValueError(f"no such fault: {kind!r}; there are {', '.join(sorted(KINDS))}")
        allowed = {"match", "times", "probability", "share", "seconds"}
        unknown = sorted(set(wanted) - allowed)
        if unknown:
            raise ValueError(f"no such setting: {', '.join(unknown)}; there are {', '.join(sorted(allowed))}")
        if not isinstance(wanted.get("times", 1), int | None) or not isinstance(wanted.get("match", ""), str):
            raise ValueError("times is a whole number or null, match a text")
        for name in {"probability", "share", "seconds"} & set(wanted):
            wanted[name] = float(wanted[name])
        if kind == "404_after_create":
            wanted.setdefault("seconds", 90.0)
        try:
            fault = Fault(number=self.count + 1, kind=kind, **wanted)
        except re.error as error:
            raise ValueError(f"match is not a regular expression: {error}") from None
        self.count += 1
        self.active[fault.number] = fault
        return fault

    def clear(self, number: int | None = None) -> int:
        """Remove one fault or all; how many went."""
        gone = [n for n in self.active if number is None or n == number]
        for n in gone:
            del self.active[n]
        return len(gone)

    def strike(self, method: str, path: str) -> list[Fault]:
        """The faults that hit this request, oldest first; each one is counted."""
        hit = []
        for fault in self.active.values():
            if fault.spent or not fault.pattern.search(f"{method} {path}"):
                continue
            fault.asked += 1
            if fraction(self.seed, "fault", fault.number, fault.asked) < fault.probability:
                fault.fired += 1
                hit.append(fault)
        return hit

    def restore(self, number: int, asked: int, fired: int) -> None:
        """Counts as they stood when a fault last struck, for a replay."""
        fault = self.active.get(number)
        if fault is not None:
            fault.asked, fault.fired = asked, fired


def effects_of(hit: list[Fault]) -> dict[str, Any]:
    """What row faults do to one request; goes into the journal with it."""
    found: dict[str, Any] = {}
    for fault in hit:
        effect = EFFECTS.get(fault.kind)
        if effect is not None:
            found[effect] = fault.share
            found["salt"] = f"{fault.number}.{fault.asked}"
    return found
