"""``evenreach check``: looks at folder, settings, record, data, sign-ins, lists and campaigns, and says what to do.

Each fault has a stable code and a remedy. It repairs nothing and changes nothing on a platform.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from flows.settings import Settings


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. ``remedy`` is empty when it is well; ``code`` never changes."""

    code: str
    what: str
    well: bool
    words: str
    remedy: str = ""


Look = Callable[[], Iterable[Finding]]


def examine(workspace: Path, *, settings: Settings, offline: bool = False) -> list[Finding]:
    """Everything found, in the order things depend on each other; stops where nothing further can be read."""
    from flows.doctor_place import place, record, settings_file

    found = [*place(workspace, settings)]
    config, said = settings_file(workspace)
    found += said
    if config is None:
        return found
    found += record(workspace, config)
    if any(not one.well for one in found if one.code.startswith("database")):
        return found
    return found + list(_inside(workspace, settings, offline=offline))


def _inside(workspace: Path, settings: Settings, *, offline: bool) -> Iterator[Finding]:
    """What needs the workspace open."""
    from flows import doctor_campaigns, doctor_data, doctor_platforms, doctor_running
    from flows.wiring import open_app

    with open_app(workspace, settings=settings) as app:
        yield from looked(lambda: doctor_data.sources(app), "sources")
        yield from looked(lambda: doctor_data.signals(app), "signals")
        yield from looked(lambda: doctor_data.segments(app), "segments")
        yield from looked(lambda: doctor_data.consent(app), "consent")
        yield from looked(lambda: doctor_running.setting_up(app), "set-up")
        yield from looked(lambda: doctor_running.running(app), "running")
        yield from looked(lambda: doctor_platforms.lists(app), "lists")
        if offline:
            return
        for name in app.config.platforms.names():
            reached = list(looked(lambda n=name: doctor_platforms.platform(app, n), name))  # type: ignore[misc]
            yield from reached
            if all(one.well for one in reached) and app.platform(name).capabilities.campaigns:
                yield from looked(lambda n=name: doctor_campaigns.campaigns(app, n), name)  # type: ignore[misc]


CODES = {
    "SignInAgain": "sign_in",
    "NoPermission": "role",
    "VersionSunset": "version_sunset",
    "ListLimitReached": "list_limit",
    "QuotaSpent": "quota",
    "Throttled": "quota",
    "PlatformDown": "no_answer",
    "NotFound": "not_found",
    "Gone": "not_found",
    "UnknownColumns": "column",
    "SourceError": "source",
    "ConfigError": "settings",
    "ConfigProblems": "settings",
    "Braked": "brake",
}


def looked(look: Look, what: str) -> Iterator[Finding]:
    """The findings, or the error that came instead, as one."""
    try:
        yield from look()
    except Exception as error:
        remedy = getattr(error, "remedy", None)
        if remedy is None:
            raise
        words = str(error)
        kinds = [kind.__name__ for kind in type(error).__mro__]
        code = next((CODES[kind] for kind in kinds if kind in CODES), "error")
        yield Finding(code, what, False, words, "" if str(remedy) in words else str(remedy))
