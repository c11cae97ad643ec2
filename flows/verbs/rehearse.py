"""``evenreach rehearse``: what a policy would bring, on past impressions or a simulated world."""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from flows.verbs.outcome import DONE, show
from flows.verbs.workspace import opened

if TYPE_CHECKING:
    from balancer.types import Policy
    from flows.rehearsal_sources import Past


def run(arguments: argparse.Namespace) -> int:
    from flows.rehearsal_words import rehearsal_words

    past, policy = _past(arguments), _policy(arguments)
    if past is None:  # a world whose spare inventory is known, so nothing need be felt out slowly
        policy = replace(policy, ramp="fast")
    elif past.policy is not None:
        policy = replace(past.policy, impression_floor=arguments.floor)
    if arguments.compare:
        return _compare(arguments, past)
    data = rehearsed(arguments, past, policy)
    show(arguments, data, lambda: rehearsal_words(data))
    return DONE


def rehearsed(arguments: argparse.Namespace, past: Past | None, policy: Policy) -> dict[str, Any]:
    """One mode, as plain values. ``low`` and ``high`` are the 5th and 95th percentile of the seeds."""
    from balancer.rehearse import rehearse

    found = rehearse(
        arguments.world if past is None else past.counts,
        mode=arguments.mode or policy.mode,
        plant=arguments.plant,
        seed=arguments.seed,
        seeds=arguments.seeds,
        weeks=arguments.weeks,
        headroom=arguments.headroom,
        policy=policy,
        members=None if past is None else past.members,
    )
    data = {name: _plain(value) for name, value in asdict(found).items()} | {"realised": found.realised}
    data["assumed"] = [*(past.assumed if past else (f"ramp {policy.ramp}",)), *data["assumed"]]
    data["below_floor"] = (
        f"that is below your floor of {arguments.floor:.1%}; evening out would stop before it"
        if found.delivery < arguments.floor - 0.0005
        else ""
    )
    return data


def _past(arguments: argparse.Namespace) -> Past | None:
    """The file, else the segment's stored reports, else None for a simulated world."""
    from flows import rehearsal_sources

    if arguments.impressions is not None:
        return rehearsal_sources.from_file(arguments.impressions)
    if arguments.segment is None:
        return None
    with opened(arguments) as app:
        return rehearsal_sources.from_segment(app, arguments.segment)


def _policy(arguments: argparse.Namespace) -> Policy:
    from balancer.errors import BadNumbers
    from balancer.types import Policy

    if not 0.0 < arguments.floor <= 1.0:
        raise BadNumbers(f"The delivery floor is a fraction of today's impressions, not {arguments.floor:g}.")
    if not 1.0 <= arguments.headroom <= 1e6:
        raise BadNumbers("Headroom is a multiple of today's traffic, 1 or more.")
    if not 1 <= arguments.seeds <= 1000 or arguments.seed < 0:
        raise BadNumbers("Seeds are counted from 0 up; 1 to 1,000 of them can be run.")
    return Policy(impression_floor=arguments.floor)


def _compare(arguments: argparse.Namespace, past: Past | None) -> int:
    from flows.price_table import ELASTICITIES, price_table
    from flows.rehearsal_words import price_words

    measured = () if past is None or past.elasticity is None else (round(past.elasticity, 3),)
    found = price_table(
        arguments.world if past is None else past.counts,
        caps=caps(arguments.caps),
        plant=arguments.plant,
        seed=arguments.seed,
        seeds=max(3, arguments.seeds),
        weeks=arguments.weeks,
        floor=arguments.floor,
        headroom=arguments.headroom,
        modes=(arguments.mode,) if arguments.mode else None,
        elasticities=sorted({*ELASTICITIES, *measured}),
    )
    found = replace(found, assumed=(*(past.assumed if past else ()), *found.assumed))
    show(arguments, found.as_json(), lambda: price_words(found))
    return DONE


def caps(text: str) -> list[float | None]:
    """``none,3,2`` -> [None, 3.0, 2.0]. Raises BadNumbers for anything else."""
    from balancer.errors import BadNumbers

    found: list[float | None] = []
    for part in text.split(","):
        word = part.strip().lower()
        try:
            found.append(None if word == "none" else float(word))
        except ValueError:
            raise BadNumbers("Caps are numbers or the word none, with commas between.") from None
    return found


def _plain(value: Any) -> Any:
    """Arrays and tuples as lists, so that it prints as JSON."""
    return value.tolist() if hasattr(value, "tolist") else list(value) if isinstance(value, tuple) else value
