"""What upkeep saw, as states that alerts are raised on: one subject per list, token and source. No I/O but reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from audiences.store.records import PlanStatus
from flows.alerts import OK, Condition
from flows.tokens import token_conditions
from flows.wiring import App

if TYPE_CHECKING:
    from flows.upkeep import Kept

SILENCE = timedelta(hours=26)  # a daily run may miss once before anybody is told
DEAD_WORDS = {
    "archived": "is archived on the platform; it wakes when members are sent or a campaign uses it.",
    "expired": "has expired on the platform and was not made anew.",
    "failed": "has failed on the platform.",
    "gone": "was deleted on the platform.",
}


def conditions(app: App, lists: Sequence[Kept]) -> tuple[Condition, ...]:
    """Everything a person may want to hear about when it changes."""
    return (
        *(one for kept in lists if not _passing(app, kept) for one in _list(kept)),
        *token_conditions(app),
        *_plans(app),
    )


def _passing(app: App, kept: Kept) -> bool:
    """Whether it is too early for a word: another run is at it, or the platform was well within a day."""
    record = app.store.audience(kept.audience_id)
    fresh = record is not None and record.checked_at is not None and app.now() - record.checked_at < SILENCE
    return kept.busy or (bool(kept.trouble) and kept.retryable and fresh)


def _list(kept: Kept) -> Iterator[Condition]:
    name = kept.audience_id
    if kept.trouble:
        yield Condition(f"upkeep/{name}", "trouble", f"{name}: {kept.trouble}")
        return
    yield Condition(f"upkeep/{name}", OK, f"{name} is kept up again.")
    dead = DEAD_WORDS.get(kept.status, "") if "ended" not in kept.notes else ""
    yield Condition(
        f"list/{name}", kept.status if dead else OK, f"{name} {dead}" if dead else f"{name} is well again."
    )
    if kept.renewed:
        yield Condition(
            f"renewed/{name}", kept.notes[0], f"{name} had died on its platform: {kept.notes[0]}."
        )
    else:
        yield Condition(f"renewed/{name}", OK)
    yield Condition(f"empty/{name}", "empty" if kept.empty else OK, kept.empty or f"{name} reaches people.")
    words = f"{name}: {kept.parked:,} members were refused and are not tried again; the page says why."
    yield Condition(f"parked/{name}", "parked" if kept.parked else OK, words if kept.parked else "")


def _plans(app: App) -> Iterator[Condition]:
    """Plans that wait for a person longer than a day."""
    for name, segment in app.config.segments.items():
        if segment.balance is None:
            continue
        waiting = app.store.plans(segment=name, status=PlanStatus.PROPOSED, limit=1)
        old = [plan for plan in waiting if (app.now() - plan.created_at).days >= 1]
        state = "waiting" if old else OK
        words = f"A plan for {name} waits for approval since {old[0].day}." if old else ""
        yield Condition(f"plan/{name}", state, words)
