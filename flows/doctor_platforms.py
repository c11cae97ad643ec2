"""Checks of one platform: sign-in, role, version, clock, and how our lists stand there. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from email.utils import parsedate_to_datetime

import httpx

from flows.doctor import Finding
from flows.wiring import App

VERSION_MONTHS = (
    12  # LinkedIn serves a version for a year (learn.microsoft.com/linkedin/marketing/versioning, 2026-08)
)
CLOCK_OFF = 60.0  # seconds; a signed sign-in is refused beyond a few minutes
DEAD = {
    "archived": "Send to it (evenreach upkeep) or use it in a campaign.",
    "expired": "Run evenreach upkeep: it is made anew and filled from the ledger.",
    "failed": "Run evenreach upkeep: it is made anew and filled from the ledger.",
    "gone": "Run evenreach upkeep: it is made anew and filled from the ledger.",
}


def platform(app: App, name: str) -> Iterator[Finding]:
    """Signs in and reads something small. Raises the platform's error where that fails."""
    yield from version(app, name)
    said = app.platform(name).check()
    for words in said:
        yield Finding("platform", name, False, words, "See the ad account's settings.")
    if not said:
        yield Finding("sign_in", name, True, "signed in, answers")
    settings = getattr(app.config.platforms, name)
    if getattr(settings, "mode", "live") == "live" and name != "files":
        url = str(getattr(app.platform(name), "_settings").base_url)  # noqa: B009
        yield from clock(name, url, app.now())


def version(app: App, name: str) -> Iterator[Finding]:
    """A pinned API version near the end of its year."""
    pinned = getattr(getattr(app.config.platforms, name), "api_version", None)
    if pinned is None:
        return
    age = months_between(date(int(pinned[:4]), int(pinned[4:]), 1), app.today)
    if age >= VERSION_MONTHS - 2:
        words = f"API version {pinned} is {age} months old and is served for about {VERSION_MONTHS}."
        yield Finding(
            "version_old", name, False, words, "Set a newer api_version under platforms: and run check."
        )


def months_between(first: date, second: date) -> int:
    """Whole calendar months from the first to the second."""
    return (second.year - first.year) * 12 + second.month - first.month


def clock(name: str, url: str, now: datetime) -> Iterator[Finding]:
    """This machine's clock against the platform's, by the Date of an answer to an unsigned request."""
    try:
        with httpx.Client(timeout=10.0) as client:
            told = parsedate_to_datetime(client.head(url).headers["date"])
    except (httpx.HTTPError, httpx.InvalidURL, KeyError, ValueError):
        return
    off = abs((now - told).total_seconds())
    if off > CLOCK_OFF:
        words = f"this machine's clock is {off:,.0f} s away from {name}'s."
        yield Finding("clock", name, False, words, "Set the clock by NTP, e.g. timedatectl set-ntp true.")


def lists(app: App) -> Iterator[Finding]:
    """Lists that died, and lists that took members and show nobody."""
    from flows.upkeep_truth import not_there

    ended = {one.audience_id for one in app.store.one_offs() if one.ended_at is not None}
    for record in app.store.audiences():
        list_id, state = record.spec.audience_id, record.state
        if state is None or list_id in ended or record.spec.platform not in app.config.platforms.names():
            continue
        if str(state.status) in DEAD:
            words = f"is {state.status} on {record.spec.platform}."
            yield Finding("list_dead", list_id, False, words, DEAD[str(state.status)])
        empty = not_there(app, list_id)
        if empty:
            yield Finding(
                "list_empty",
                list_id,
                False,
                empty,
                "Compare with its match rate; evenreach upkeep sends again.",
            )
