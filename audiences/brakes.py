"""Refuse a change that looks like a mistake before anything is sent.

Looks only at counts. It decides nothing about members and sends no alert; a
person may go on knowingly by naming the number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from audiences import config
from audiences.errors import AudienceError
from audiences.segments_words import many, percent


@dataclass(frozen=True, slots=True)
class Change:
    """The counts of one planned list change."""

    audience_id: str
    source_rows: int  # rows the sources gave this time
    desired: int  # members the list should have
    ledger: int  # members the platform has confirmed
    leavers: int  # confirmed members that would be removed
    minimum_audience: int = 0  # members below which the platform serves nothing
    previous_qualifying: int | None = None  # by the rules of the last version ...
    qualifying: int | None = None  # ... and by today's
    rules_changed: bool = False


@dataclass(frozen=True, slots=True)
class Brake:
    """One reason not to go on. ``override`` is what to type to go on all the same; "" when nothing will."""

    code: str  # "empty_source" | "nobody_left" | "too_many_leavers" | "rule_change" | "source_shrank"
    # | "below_minimum" (told) | "falls_below_minimum" (stops)
    audience_id: str
    number: int  # leavers, rows or members, by code
    limit: float
    words: str
    override: str = ""


class Braked(AudienceError):
    """A change was stopped before anything was sent."""

    exit_code = 3  # of a command: stopped on purpose, not failed
    remedy: str = "Look at the numbers; nothing was sent."

    def __init__(self, message: str = "", *, brakes: Sequence[Brake] = (), remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.brakes = tuple(brakes)


def brakes(settings: config.Brakes, change: Change) -> tuple[Brake, ...]:
    """Every brake that this change trips, whatever anybody has accepted."""
    found = (
        _empty_source(settings, change),
        _nobody_left(change),
        _too_many_leavers(settings, change),
        _rule_change(settings, change),
        _below_minimum(change),
    )
    return tuple(brake for brake in found if brake is not None)


def check(settings: config.Brakes, change: Change, *, accept_shrink: int = 0) -> tuple[Brake, ...]:
    """The brakes that stay tripped are raised; those that were accepted or only warn are returned.

    ``accept_shrink`` is the number of leavers somebody has agreed to: it releases the brakes on
    shrinking when it is at least that number, and never the one on an empty source.
    A list that would fall from above the platform's minimum to below it stops, for it would stop serving; one
    that is still being filled is only told so: pushing it does no harm.
    """
    found = brakes(settings, change)
    tripped = [b for b in found if b.code in _HARD or (b.code in _SHRINK and accept_shrink < b.number)]
    if tripped:
        stuck = any(not b.override for b in tripped)
        remedy = (
            "" if stuck else f"If this is meant, run again with {_accept(max(b.number for b in tripped))}."
        )
        raise Braked(" ".join(b.words for b in tripped), brakes=tripped, remedy=remedy)
    return found


def check_sources(
    settings: config.Brakes, before: Mapping[str, int], now: Mapping[str, int], *, accept_shrink: int = 0
) -> None:
    """Compare the rows of each source with those of the last load: source name -> rows.

    Raises Braked when one lost a larger share than ``max_source_drop``, unless that many are accepted: half a
    file of customers empties no list, but puts every missing customer on the others.
    """
    found = [
        _source_shrank(settings, name, before[name], rows) for name, rows in now.items() if name in before
    ]
    tripped = [brake for brake in found if brake is not None and accept_shrink < brake.number]
    if tripped:
        words = f"evenreach sync {_accept(max(brake.number for brake in tripped))}"
        raise Braked(
            " ".join(brake.words for brake in tripped),
            brakes=tripped,
            remedy=f"If this is meant, run {words}.",
        )


def _source_shrank(settings: config.Brakes, name: str, before: int, now: int) -> Brake | None:
    lost = before - now
    if lost < max(settings.minimum_leavers, 1) or lost <= settings.max_source_drop * before:
        return None
    words = f"{name} has {many(now, 'row')}, {lost:,} ({percent(round(lost / before, 2))}) fewer than at the last load."
    return Brake("source_shrank", "", lost, settings.max_source_drop, words, _accept(lost))


_HARD = frozenset({"empty_source"})
_SHRINK = frozenset({"nobody_left", "too_many_leavers", "rule_change", "falls_below_minimum"})


def _empty_source(settings: config.Brakes, change: Change) -> Brake | None:
    if change.source_rows >= max(settings.minimum_rows, 1):
        return None
    words = (
        f"The sources gave {many(change.source_rows, 'row')}, fewer than {max(settings.minimum_rows, 1):,}."
    )
    return Brake("empty_source", change.audience_id, change.source_rows, settings.minimum_rows, words)


def _nobody_left(change: Change) -> Brake | None:
    if change.desired or not change.ledger:
        return None
    words = f"All {many(change.leavers, 'member')} would leave the list and nobody would stay."
    return Brake("nobody_left", change.audience_id, change.leavers, 0.0, words, _accept(change.leavers))


def _too_many_leavers(settings: config.Brakes, change: Change) -> Brake | None:
    if change.leavers < max(settings.minimum_leavers, 1) or change.ledger == 0:
        return None
    share = change.leavers / change.ledger
    if share <= settings.max_leavers:
        return None
    words = (
        f"{change.leavers:,} of {many(change.ledger, 'member')} ({percent(round(share, 2))}) would leave, "
        f"more than {percent(settings.max_leavers)}."
    )
    return Brake(
        "too_many_leavers",
        change.audience_id,
        change.leavers,
        settings.max_leavers,
        words,
        _accept(change.leavers),
    )


def _rule_change(settings: config.Brakes, change: Change) -> Brake | None:
    before, after = change.previous_qualifying, change.qualifying
    if not change.rules_changed or not before or after is None:
        return None
    drop = 1.0 - after / before
    if drop < settings.max_rule_drop:
        return None
    kept = many(after, "company", "companies")
    words = (
        f"The new rules keep {kept}, {before - after:,} ({percent(round(drop, 2))}) fewer than the old ones."
    )
    lost = max(before - after, change.leavers)
    return Brake("rule_change", change.audience_id, lost, settings.max_rule_drop, words, _accept(lost))


def _below_minimum(change: Change) -> Brake | None:
    if change.desired == 0 or change.desired >= change.minimum_audience:
        return None
    words = (
        f"The list would have {many(change.desired, 'member')}; the platform serves none below "
        f"{change.minimum_audience:,} matched members."
    )
    if change.ledger < change.minimum_audience or not change.leavers:
        return Brake("below_minimum", change.audience_id, change.desired, change.minimum_audience, words)
    words = f"{change.leavers:,} of {many(change.ledger, 'member')} would leave. {words}"
    return Brake(
        "falls_below_minimum",
        change.audience_id,
        change.leavers,
        change.minimum_audience,
        words,
        _accept(change.leavers),
    )


def _accept(number: int) -> str:
    return f"--accept-shrink {number}"
