"""Who a targeting tree reaches, from effective list membership. It must not read the wire's errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from platforms.sandbox import segments as life
from platforms.sandbox.directory import fraction

if TYPE_CHECKING:
    from platforms.sandbox.world import Campaign, World

FACET = "urn:li:adTargetingFacet:"
LISTS = FACET + "audienceMatchingSegments"
EMPLOYERS = frozenset({FACET + "employers", FACET + "employersAll"})
LOCATIONS, LOCALES = FACET + "locations", FACET + "interfaceLocales"
REMEMBERED = 256  # audiences kept, so that a day with unchanged lists costs no sets
EVERYBODY = 240_000_000  # members a bare location targets, before its own factor
# What a further clause leaves of an audience, by facet; LinkedIn publishes no such figures.
NARROWING = {
    "seniorities": 0.25,
    "jobFunctions": 0.2,
    "titles": 0.1,
    "industries": 0.3,
    "staffCountRanges": 0.4,
}


@dataclass(frozen=True, slots=True)
class Audience:
    """Companies reached, ``members`` of them and of contact lists; ``open`` = restricted by no list.

    ``orgs`` holds the companies on lists and the employers of the people on lists.
    """

    orgs: frozenset[int]
    members: int
    open: bool


def campaign_audience(world: World, campaign: Campaign) -> Audience:
    return audience_of(world, campaign.fields.get("targetingCriteria") or {})


def audience_of(world: World, targeting: dict[str, Any]) -> Audience:
    """The members a targeting tree reaches now. Exclusion wins over inclusion."""
    named = [world.ad_segments.get(n) for n in sorted(ad_segments_in(targeting))]
    states = tuple((s.ad_segment, s.version, life.status(world, s) in life.TARGETABLE) for s in named if s)
    key = (orjson.dumps(targeting), states, world.knobs)
    if key not in world.audiences:
        if len(world.audiences) >= REMEMBERED:
            world.audiences.clear()
        world.audiences[key] = _reached(world, targeting)
    return world.audiences[key]


def _reached(world: World, targeting: dict[str, Any]) -> Audience:
    clauses = (targeting.get("include") or {}).get("and") or []
    orgs: set[int] | None = None
    people: set[bytes | str] | None = None
    factor = 1.0
    for clause in clauses:
        facets: dict[str, list[str]] = clause.get("or") or {}
        listed = {f: v for f, v in facets.items() if f == LISTS or f in EMPLOYERS}
        if listed:
            found_orgs, found_people = _entities(world, listed)
            orgs = found_orgs if orgs is None else orgs & found_orgs
            people = found_people if people is None else people & found_people
        else:
            factor *= min(1.0, sum(_left(facet) for facet in facets))
    if orgs is None or people is None:
        where = fraction(world.seed, "where", sorted(str(c) for c in clauses))
        return Audience(frozenset(), round(EVERYBODY * factor * (0.02 + 0.98 * where**2)), open=True)
    out_orgs, out_people = _entities(world, (targeting.get("exclude") or {}).get("or") or {})
    orgs, people = orgs - out_orgs, people - out_people
    members = sum(life.org_reach(world, o) for o in orgs) + len(people)
    employers = {life.employer(world, k) for k in people}
    return Audience(frozenset(orgs | employers), round(members * factor), open=False)


def _left(facet: str) -> float:
    return NARROWING.get(facet.removeprefix(FACET), 1.0)


def _entities(world: World, facets: dict[str, list[str]]) -> tuple[set[int], set[bytes | str]]:
    """Companies and reachable people named by lists and employers of one ``or``."""
    orgs: set[int] = set()
    people: set[bytes | str] = set()
    for facet, values in facets.items():
        for value in values:
            tail = value.rsplit(":", 1)[-1]
            if not tail.isdigit():
                continue
            if facet in EMPLOYERS:
                orgs.add(int(tail))
            elif facet == LISTS:
                segment = world.ad_segments.get(int(tail))
                if segment is None or life.status(world, segment) not in life.TARGETABLE:
                    continue
                if segment.companies:
                    orgs.update(k for k in segment.effective if isinstance(k, int))
                else:
                    people.update(
                        k
                        for k in segment.effective
                        if not isinstance(k, int) and life.reach(world, segment, k)
                    )
    return orgs, people


def delivers(world: World, campaign: Campaign) -> bool:
    """ACTIVE, in an ACTIVE group, with an audience that may be served."""
    return not serving_holds(world, campaign)


def serving_holds(world: World, campaign: Campaign) -> list[str]:
    """LinkedIn's ``servingStatuses`` other than RUNNABLE."""
    holds = []
    if campaign.status != "ACTIVE":
        holds.append("STOPPED")
    group = world.groups.get(_group_id(campaign))
    if group is not None and group["fields"].get("status", "ACTIVE") != "ACTIVE":
        holds.append("CAMPAIGN_GROUP_STATUS_HOLD")
    audience = campaign_audience(world, campaign)
    if audience.members < world.knobs.minimum_audience:
        holds.append("CAMPAIGN_AUDIENCE_COUNT_HOLD")
    return holds


def _group_id(campaign: Campaign) -> int:
    tail = str(campaign.fields.get("campaignGroup", "")).rsplit(":", 1)[-1]
    return int(tail) if tail.isdigit() else -1


def ad_segments_in(targeting: dict[str, Any]) -> set[int]:
    """Numbers of the lists a targeting tree names, included or excluded."""
    clauses = [c.get("or") or {} for c in (targeting.get("include") or {}).get("and") or []]
    clauses.append((targeting.get("exclude") or {}).get("or") or {})
    tails = {v.rsplit(":", 1)[-1] for facets in clauses for v in facets.get(LISTS, [])}
    return {int(t) for t in tails if t.isdigit()}
