"""Why a list would lose so many: signals that have stopped coming, and the sources to bring up to date."""

from __future__ import annotations

from collections.abc import Iterable

from audiences.brakes import Braked
from audiences.config import Config
from audiences.segments_staleness import Stale, stale_signals
from flows.assess import Assessment
from flows.load_sources import name_of

_LEAVING = frozenset({"too_many_leavers", "nobody_left", "falls_below_minimum"})


def with_reasons(error: Braked, config: Config, assessment: Assessment, segment: str) -> Braked:
    """The brake's words, and which sources are stale since when, if that is why members would leave."""
    codes = {brake.code for brake in error.brakes}
    stale = stale_signals(config, assessment.universe, segment)
    if not stale or not codes & _LEAVING or "rule_change" in codes:
        return error
    old = ", ".join(one.words for one in stale)
    words = (
        f"{error.args[0]} The signals behind {segment} are old: the newest {old}. Its rules look back from "
        "today, so companies leave as days pass although they did nothing."
    )
    remedy = f"Bring {_listed(sources_of(config, stale))} up to date and sync again. {error.remedy}"
    return Braked(words, brakes=error.brakes, remedy=remedy)


def sources_of(config: Config, stale: Iterable[Stale]) -> list[str]:
    """Sources that give these kinds, or that do not say which kinds they give."""
    kinds = {one.kind for one in stale}
    return [name_of(one) for one in config.sources.signals if not one.kind or one.kind in kinds]


def _listed(names: list[str]) -> str:
    return " and ".join(names) if names else "the sources of signals"
