"""Tell when a brake stops a list (or a source), and when it goes ahead again. Releases no brake."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from audiences.brakes import Brake
from flows.alerts import OK, Condition, tell
from flows.wiring import App

SOURCES = "sources"


def words_of(brakes: Iterable[Brake]) -> dict[str, str]:
    """List id (or SOURCES) -> what stopped it, and the way on."""
    said: dict[str, str] = {}
    for brake in brakes:
        name = brake.audience_id or SOURCES
        way = f" If it is meant: {brake.override}." if brake.override else ""
        said[name] = f"{said[name]} {brake.words}" if name in said else f"{brake.words}{way}"
    return said


def tell_brakes(app: App, names: Iterable[str], stopped: Mapping[str, str]) -> tuple[str, ...]:
    """One message for what was stopped now and was not before, or goes ahead again. Returns what was told.

    names   lists (and SOURCES) the run had to do with;  stopped   those a brake stopped, with its words
    """
    found = []
    for name in dict.fromkeys([*names, *stopped]):
        words = stopped.get(name)
        said = f"{name} waits for a person: {words}" if words else f"{name} goes ahead again."
        found.append(Condition(f"brake/{name}", "stopped" if words else OK, said))
    return tell(app, found)
