"""``targetingCriteria``: what LinkedIn refuses in it, and ``audienceCounts``. It changes nothing.

Source: learn.microsoft.com/en-us/linkedin/shared/references/v2/ads/targeting-criteria (2025-10),
/marketing/error-responses (2026-08).
"""

from __future__ import annotations

from typing import Any

from platforms.sandbox import linkedin_errors as err
from platforms.sandbox import segments as life
from platforms.sandbox.audience import EMPLOYERS, FACET, LISTS, LOCALES, LOCATIONS, audience_of
from platforms.sandbox.linkedin_gate import query_of
from platforms.sandbox.wire import Answer, Call, json_answer
from platforms.sandbox.world import Segment, World

INCLUDE_ONLY = {FACET + name for name in ("ageRanges", "genders", "groups", "interfaceLocales")}
DYNAMIC = FACET + "dynamicSegments"
AD_SEGMENT = "urn:li:adSegment:"


def check(world: World, targeting: Any, *, updating: bool, status: str, campaign: str = "") -> list[Segment]:
    """The segments a targeting tree names, all fit to be used.

    Raises 400 with the code of the error registry, or 422 where the shape is wrong.
    """
    include, exclude = _shape(targeting)
    names = {facet for clause in include for facet in clause}
    if LOCATIONS not in names:
        raise err.detailed(400, "MISSING_FIELD", "locations is required", field="targetingCriteria")
    if updating and LOCALES not in names:
        raise err.detailed(400, "MISSING_FIELD", "interfaceLocales is required", field="targetingCriteria")
    for facet in exclude:
        if facet in INCLUDE_ONLY:
            raise err.detailed(400, "INCOMPATIBLE_TARGETING_COMBINATION", f"{facet} cannot be excluded")
    _check_combination(include)
    included = {(f, v) for clause in include for f, values in clause.items() for v in values}
    excluded = {(f, v) for f, values in exclude.items() for v in values}
    if included & excluded:
        code = "FIELD_CANNOT_BE_BOTH_IN_INCLUDED_AND_EXCLUDED_TARGETING"
        raise err.detailed(400, code, "A value is both included and excluded", field="targetingCriteria")
    for facet in EMPLOYERS:
        if len(exclude.get(facet, [])) > world.knobs.employers_limit:
            raise err.detailed(400, "FIELD_VALUE_TOO_LONG", f"Too many values for {facet}", field=facet)
    return _segments(world, included | excluded, status=status, campaign=campaign)


def _shape(targeting: Any) -> tuple[list[dict[str, list[str]]], dict[str, list[str]]]:
    if not isinstance(targeting, dict) or not set(targeting) <= {"include", "exclude"}:
        raise err.schema("targetingCriteria", err.UNRECOGNIZED)
    clauses = (targeting.get("include") or {}).get("and")
    if not isinstance(clauses, list):
        raise err.schema("targetingCriteria/include/and", err.REQUIRED)
    include = [_facets(clause, "targetingCriteria/include/and") for clause in clauses]
    exclude: dict[str, list[str]] = {}
    if targeting.get("exclude"):
        exclude = _facets(targeting["exclude"], "targetingCriteria/exclude")
    return include, exclude


def _facets(clause: Any, path: str) -> dict[str, list[str]]:
    if not isinstance(clause, dict) or set(clause) != {"or"} or not isinstance(clause["or"], dict):
        raise err.schema(path, err.UNRECOGNIZED)
    facets: dict[str, list[str]] = clause["or"]
    for facet, values in facets.items():
        if not facet.startswith(FACET) or not isinstance(values, list):
            raise err.detailed(400, "FIELD_VALUE_DOES_NOT_EXIST", "No such facet", field=path)
        if len(set(values)) != len(values):
            raise err.detailed(400, "INVALID_VALUE_DUPLICATE_EXIST", "Duplicate value", field=facet)
    return facets


def _check_combination(include: list[dict[str, list[str]]]) -> None:
    """Facets that may not be AND-ed."""
    names = {facet.removeprefix(FACET) for clause in include for facet in clause}
    employers = names & {"employers", "employersAll"}
    if (names & {"industries", "staffCountRanges"} and employers) or (
        "titles" in names and names & {"jobFunctions", "seniorities"}
    ):
        message = "These facets cannot be combined"
        raise err.detailed(400, "INCOMPATIBLE_TARGETING_COMBINATION", message, field="targetingCriteria")


def _segments(world: World, values: set[tuple[str, str]], *, status: str, campaign: str) -> list[Segment]:
    found = []
    for facet, value in sorted(values):
        if facet not in (LISTS, DYNAMIC):
            continue
        if not value.startswith(AD_SEGMENT) or not value.removeprefix(AD_SEGMENT).isdigit():
            raise err.detailed(400, "FIELD_VALUE_DOES_NOT_EXIST", "Not an adSegment URN", field=facet)
        segment = world.ad_segments.get(int(value.removeprefix(AD_SEGMENT)))
        if segment is None:
            raise err.detailed(400, "FIELD_VALUE_DOES_NOT_EXIST", "No such adSegment", field=facet)
        if facet == DYNAMIC:
            code = "INVALID_SEGMENT_ID_AND_FACET_COMBINATION_PROVIDED"
            raise err.detailed(400, code, "A list belongs into audienceMatchingSegments", field=facet)
        life.bury(world, segment)
        state = life.status(world, segment)
        if state not in life.TARGETABLE:
            raise err.detailed(
                400,
                "FIELD_VALUE_NOT_ALLOWED_FOR_SEGMENT_STATUS",
                f"adSegment {segment.ad_segment} with status {state} is not allowed in campaign {campaign}",
                field=facet,
            )
        found.append(segment)
    return found


def check_size(world: World, targeting: dict[str, Any], used: list[Segment]) -> None:
    """400 AUDIENCE_SIZE_TOO_SMALL, where the knob says LinkedIn refuses instead of holding."""
    if not world.knobs.refuse_small_audience:
        return
    if any(life.status(world, s) != "READY" for s in used):
        return
    least = world.knobs.minimum_audience
    if audience_of(world, targeting).members < least:
        message = f"The audience is too small. A minimum audience size of {least} is needed"
        raise err.detailed(400, "AUDIENCE_SIZE_TOO_SMALL", message, field="targetingCriteria")


def audience_counts(world: World, call: Call) -> Answer:
    """``q=targetingCriteriaV2``: 0 below 300, rounded above. 0 is never a measurement."""
    query = query_of(world, call)
    if query.get("q") != "targetingCriteriaV2":
        raise err.plain(400, "Finder is targetingCriteriaV2")
    for name in query:
        if name not in {"q", "targetingCriteria"}:
            raise err.bad_param(name, "QUERY_PARAM_NOT_ALLOWED")
    targeting = query.get("targetingCriteria")
    if not isinstance(targeting, dict):
        raise err.bad_param("targetingCriteria", "PARAM_INVALID")
    include, exclude = _shape(targeting)
    for facets in [*include, exclude]:
        for values in facets.values():
            if any(not v.startswith("urn:li:") for v in values):
                raise err.plain(400, "TargetingPartialComputationException: invalid URN")
    blind = not world.knobs.counts_know_lists and any(LISTS in facets for facets in include)
    people = 0 if blind else audience_of(world, targeting).members
    total = life.shown(people, minimum=world.knobs.minimum_audience)
    paging = {"start": 0, "count": 10, "links": []}
    return json_answer(200, {"elements": [{"active": 0, "total": total}], "paging": paging})
