"""A campaign's targetingCriteria as data: which lists it names, and the same with ours changed. No I/O.

``include`` is one ``and`` of clauses, each clause one ``or`` of facets; ``exclude`` is one ``or``. An update
replaces the whole object and must carry ``interfaceLocales``. Everything that is not ours is kept as it is.
Source: learn.microsoft.com/en-us/linkedin/shared/references/v2/ads/targeting-criteria, 2025-10.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from platforms.errors import Garbled, Refused

SEGMENTS = "urn:li:adTargetingFacet:audienceMatchingSegments"
LOCALES = "urn:li:adTargetingFacet:interfaceLocales"

Criteria = Mapping[str, Any]


def checked(criteria: object) -> Criteria:
    """The criteria, if they have the documented shape. Raises Garbled: they are never guessed at."""
    if not isinstance(criteria, dict):
        raise Garbled("a campaign has no targeting", platform="linkedin")
    include, exclude = criteria.get("include", {}), criteria.get("exclude", {})
    clauses = include.get("and", []) if isinstance(include, dict) else None
    every = clauses if isinstance(clauses, list) else ()
    facets = [clause.get("or") if isinstance(clause, dict) else None for clause in every]
    facets.append(exclude.get("or", {}) if isinstance(exclude, dict) else None)
    lists = [values for facet in facets if isinstance(facet, dict) for values in facet.values()]
    good = isinstance(clauses, list) and all(isinstance(facet, dict) for facet in facets)
    if not good or not all(isinstance(one, list) and all(isinstance(v, str) for v in one) for one in lists):
        raise Garbled("a campaign's targeting has another shape than documented", platform="linkedin")
    return criteria


def included(criteria: Criteria) -> tuple[str, ...]:
    """Lists in any include clause, in order of appearance."""
    return tuple(value for clause in _clauses(criteria) for value in _facet(clause, SEGMENTS))


def excluded(criteria: Criteria) -> tuple[str, ...]:
    return tuple(criteria.get("exclude", {}).get("or", {}).get(SEGMENTS, ()))


def retarget(
    criteria: Criteria,
    *,
    include: Sequence[str] | None,
    exclude: Sequence[str] | None,
    ours: Collection[str],
    locale: str,
) -> dict[str, Any]:
    """The criteria with our lists set to ``include`` and ``exclude`` (None: that side stays).

    Lists outside ``ours`` are never taken out. A new list goes where one of ours was, or into a clause of its
    own: whoever else narrows the campaign by a list keeps doing so. Raises Refused when a list would be on
    both sides, or when the last list would be taken out, which would open the campaign to everyone.
    """
    changed = copy.deepcopy(dict(criteria))
    if include is not None:
        _set_include(changed, list(dict.fromkeys(include)), frozenset(ours) | frozenset(include))
    if exclude is not None:
        _set_exclude(changed, list(dict.fromkeys(exclude)), frozenset(ours))
    _ensure_locale(changed, locale)
    both = set(included(changed)) & set(excluded(changed))
    if both:
        raise Refused(
            "a list cannot be included and excluded at once", platform="linkedin", code="both_sides"
        )
    if included(criteria) and not included(changed):
        raise Refused(
            "taking the last list out would open the campaign to everyone",
            platform="linkedin",
            code="last_list",
        )
    return changed


def with_lists(
    criteria: Criteria, *, include: Sequence[str], exclude: Sequence[str], locale: str
) -> dict[str, Any]:
    """The criteria with exactly these lists, whoever owned the others: for counting, not for writing."""
    changed = copy.deepcopy(dict(criteria))
    _set_include(changed, list(dict.fromkeys(include)), frozenset(included(criteria)) | frozenset(include))
    _set_exclude(changed, list(dict.fromkeys(exclude)), frozenset(excluded(criteria)))
    _ensure_locale(changed, locale)
    return changed


def _set_include(criteria: dict[str, Any], wanted: list[str], ours: frozenset[str]) -> None:
    clauses = _clauses(criteria)
    mine = [clause for clause in clauses if ours & set(_facet(clause, SEGMENTS))]
    missing = [value for value in wanted if value not in included(criteria)]
    for clause in mine:
        kept = [value for value in _facet(clause, SEGMENTS) if value not in ours or value in wanted]
        _put(clause["or"], SEGMENTS, kept)
    if missing:
        home = mine[0] if mine else {"or": {}}
        home["or"][SEGMENTS] = [*_facet(home, SEGMENTS), *missing]
        clauses = clauses if mine else [*clauses, home]
    criteria.setdefault("include", {})["and"] = [clause for clause in clauses if clause["or"]]


def _set_exclude(criteria: dict[str, Any], wanted: list[str], ours: frozenset[str]) -> None:
    facets = criteria.setdefault("exclude", {}).setdefault("or", {})
    kept = [value for value in facets.get(SEGMENTS, ()) if value not in ours or value in wanted]
    _put(facets, SEGMENTS, list(dict.fromkeys([*kept, *wanted])))
    if not facets:
        criteria.pop("exclude")


def _ensure_locale(criteria: dict[str, Any], locale: str) -> None:
    if not any(LOCALES in clause["or"] for clause in _clauses(criteria)):
        clauses = criteria.setdefault("include", {}).setdefault("and", [])
        clauses.append({"or": {LOCALES: [locale]}})


def _clauses(criteria: Criteria) -> list[dict[str, Any]]:
    clauses: list[dict[str, Any]] = criteria.get("include", {}).get("and", [])
    return clauses


def _facet(clause: Mapping[str, Any], facet: str) -> list[str]:
    return list(clause.get("or", {}).get(facet, ()))


def _put(facets: dict[str, Any], facet: str, values: list[str]) -> None:
    if values:
        facets[facet] = values
    else:
        facets.pop(facet, None)
