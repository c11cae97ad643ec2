"""What the members of a company are: the values a MEMBER_* pivot groups them by. It counts nothing.

The sandbox knows companies, not members, so a company's members are divided the same way on every day: by a
share per value for seniorities, functions and titles, as one for what belongs to the company. The ids are the
sandbox's own; their form is LinkedIn's (ads-reporting-schema, as of 2026-10).
"""

from __future__ import annotations

from collections.abc import Callable

from platforms.sandbox.directory import Organization, fraction
from platforms.sandbox.world import World

SIZES = (
    (1, "SIZE_1"), (10, "SIZE_2_TO_10"), (50, "SIZE_11_TO_50"), (200, "SIZE_51_TO_200"),
    (500, "SIZE_201_TO_500"), (1000, "SIZE_501_TO_1000"), (5000, "SIZE_1001_TO_5000"),
    (10_000, "SIZE_5001_TO_10000"),
)  # fmt: skip
LARGEST = "SIZE_10001_OR_MORE"
WHOLE = (1.0,)
SENIORITIES = (0.01, 0.02, 0.30, 0.33, 0.14, 0.09, 0.04, 0.03, 0.01, 0.03)  # unpaid, training, ... owner
FUNCTIONS = (0.30, 0.20, 0.17, 0.13, 0.12, 0.08)
TITLES = (0.20, 0.16, 0.14, 0.13, 0.11, 0.10, 0.09, 0.07)
MANY_FUNCTIONS, MANY_TITLES, MANY_INDUSTRIES, REGIONS, COUNTIES = 26, 300, 148, 12, 60

Values = Callable[[World, int, Organization | None], tuple[str, ...]]


def size_of(members: int) -> str:
    return next((name for most, name in SIZES if members <= most), LARGEST)


def _place(world: World, org: int, kind: str, count: int) -> int:
    return int(fraction(world.seed, kind, org) * count)


def _country(known: Organization | None) -> int:
    """A number per country, far from the regions below it."""
    code = known.country if known else "US"
    return 100_000_000 + int.from_bytes(code.encode()) * 1000


def _inside(kind: str, count: int) -> Values:
    def values(world: World, org: int, known: Organization | None) -> tuple[str, ...]:
        return (f"urn:li:geo:{_country(known) + 1 + _place(world, org, kind, count)}",)

    return values


def _several(kind: str, urn: str, shares: tuple[float, ...], count: int) -> Values:
    """As many neighbouring values as there are shares, beginning somewhere."""

    def values(world: World, org: int, known: Organization | None) -> tuple[str, ...]:
        first = _place(world, org, kind, count)
        return tuple(f"urn:li:{urn}:{(first + i) % count + 1}" for i in range(len(shares)))

    return values


# pivot -> (share of each value, the values of one company); the shares of a pivot add up to 1
PIVOTS: dict[str, tuple[tuple[float, ...], Values]] = {
    "MEMBER_COMPANY": (WHOLE, lambda world, org, known: (f"urn:li:organization:{org}",)),
    "MEMBER_COMPANY_SIZE": (WHOLE, lambda world, org, known: (size_of(known.members if known else 1),)),
    "MEMBER_INDUSTRY": (WHOLE, _several("industry", "industry", WHOLE, MANY_INDUSTRIES)),
    "MEMBER_COUNTRY_V2": (WHOLE, lambda world, org, known: (f"urn:li:geo:{_country(known)}",)),
    "MEMBER_REGION_V2": (WHOLE, _inside("region", REGIONS)),
    "MEMBER_COUNTY": (WHOLE, _inside("county", COUNTIES)),
    "MEMBER_SENIORITY": (
        SENIORITIES,
        lambda world, org, known: tuple(f"urn:li:seniority:{i + 1}" for i in range(len(SENIORITIES))),
    ),
    "MEMBER_JOB_FUNCTION": (FUNCTIONS, _several("function", "function", FUNCTIONS, MANY_FUNCTIONS)),
    "MEMBER_JOB_TITLE": (TITLES, _several("title", "title", TITLES, MANY_TITLES)),
}
