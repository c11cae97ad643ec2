"""Which company, and which person, an identifier stands for. It must not know what was pushed where.

There is no table: an organisation is a hash of its first-seen identifier, so the same seed always
gives the same world. The one thing remembered is which identifiers were seen together.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

MEDIAN_MEMBERS, MEMBERS_SPREAD, MOST_MEMBERS = 150.0, 1.6, 50_000
EMPLOYERS = 2000
PAGE = re.compile(r"^(?:https?://)?(?:[\w-]+\.)?linkedin\.com/(?:company|school|showcase)/([^/?#]+)", re.I)
URN = re.compile(r"^(?:urn:li:organization:)+(\d+)$", re.I)
COUNTRIES = ("US", "US", "US", "US", "GB", "DE", "FR", "CA", "NL", "AU")


@dataclass(slots=True)
class Organization:
    """One company as LinkedIn has it. ``members`` counts people, 1..50,000, heavy tailed."""

    org_id: int
    name: str
    domain: str
    vanity: str
    members: int
    country: str
    has_website: bool
    in_lookup: bool


def fraction(seed: int, *parts: object) -> float:
    """A number in [0, 1) that depends on its arguments alone."""
    text = "\x1f".join(map(str, (seed, *parts))).encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big") / 2**64


def _fractions(seed: int, *parts: object) -> list[float]:
    text = "\x1f".join(map(str, (seed, *parts))).encode()
    raw = blake2b(text, digest_size=56).digest()
    return [int.from_bytes(raw[i : i + 7], "big") / 2**56 for i in range(0, 56, 7)]


def bare_host(value: str) -> str:
    """Host of a domain or URL, without ``www.``, path and port, lower case."""
    host = re.sub(r"^[a-z][a-z0-9+.-]*://", "", value.strip().lower())
    return re.split(r"[/?#:]", host, maxsplit=1)[0].removeprefix("www.").rstrip(".")


def squashed(name: str) -> str:
    return " ".join(name.lower().split())


class Directory:
    """The companies of one seed.

    Matching order is LinkedIn's as far as it is known: organization URN, Page URL, domain, name.
    """

    def __init__(self, seed: int, *, exists: float, name_match: float) -> None:
        self._seed = seed
        self._exists = exists
        self._name_match = name_match
        self._orgs: dict[int, Organization] = {}
        self._by_domain: dict[str, int | None] = {}
        self._by_vanity: dict[str, int] = {}
        self._by_name: dict[str, int] = {}

    def resolve(self, element: dict[str, Any]) -> int | None:
        """Id of the company an element of a ``companies`` batch means, or None when nothing matches.

        Identifiers that came together are remembered as one company.
        """
        domain = bare_host(element.get("companyWebsiteDomain") or element.get("companyEmailDomain") or "")
        name = element.get("companyName") or ""
        found = self._from_urn(element.get("organizationUrn"), domain, name)
        if found is None:
            found = self._from_page(element.get("companyPageUrl"), domain, name)
        if found is None and domain:
            found = self._from_domain(domain, name)
        if found is None and name:
            found = self._from_name(name)
        if found is None:
            return None
        if domain:
            self._by_domain.setdefault(domain, found)
            if self._by_domain[domain] is None:
                self._by_domain[domain] = found
        if name:
            self._by_name.setdefault(squashed(name), found)
        return found

    def organization(self, org_id: int) -> Organization | None:
        """What a look-up by id knows. An id nobody pushed exists with the usual probability."""
        known = self._orgs.get(org_id)
        if known is not None:
            return known
        if fraction(self._seed, "org", org_id) >= self._exists:
            return None
        return self._facts(org_id, domain="", name="", vanity="")

    def employer(self, place: float) -> int:
        """Id of the company somebody works for; ``place`` in [0, 1) picks one of a fixed few thousand."""
        number = int(place * EMPLOYERS)
        org_id = 150_000_000 + number
        if org_id not in self._orgs:
            self._register(org_id, domain=f"employer{number}.example", name="")
        return org_id

    def known(self) -> dict[int, Organization]:
        return self._orgs

    def _from_urn(self, value: object, domain: str, name: str) -> int | None:
        match = URN.match(str(value or "").strip())
        if not match:
            return None
        org_id = int(match.group(1))
        if org_id in self._orgs:
            return org_id
        if fraction(self._seed, "org", org_id) >= self._exists:
            return None
        return self._register(org_id, domain=domain, name=name).org_id

    def _from_page(self, value: object, domain: str, name: str) -> int | None:
        match = PAGE.match(str(value or "").strip())
        if not match:
            return None
        slug = match.group(1).lower()
        if slug.isdigit():
            return self._from_urn(f"urn:li:organization:{slug}", domain, name)
        if slug in self._by_vanity:
            return self._by_vanity[slug]
        if domain and self._by_domain.get(domain) is not None:
            org_id = self._by_domain[domain]
            self._by_vanity[slug] = org_id  # type: ignore[assignment]
            return org_id
        if fraction(self._seed, "page", slug) >= self._exists:
            return None
        org_id = self._fresh_id("page", slug)
        self._by_vanity[slug] = org_id
        return self._register(org_id, domain=domain, name=name, vanity=slug).org_id

    def _from_domain(self, domain: str, name: str) -> int | None:
        if domain in self._by_domain:
            return self._by_domain[domain]
        if fraction(self._seed, "domain", domain) >= self._exists:
            self._by_domain[domain] = None
            return None
        return self._register(self._fresh_id("domain", domain), domain=domain, name=name).org_id

    def _from_name(self, name: str) -> int | None:
        key = squashed(name)
        if key in self._by_name:
            return self._by_name[key]
        if fraction(self._seed, "name", key) >= self._name_match:
            return None
        return self._register(self._fresh_id("name", key), domain="", name=name).org_id

    def _fresh_id(self, kind: str, value: str) -> int:
        org_id = 1_000_000 + int(fraction(self._seed, "id", kind, value) * 98_000_000)
        while org_id in self._orgs:
            org_id += 1
        return org_id

    def _register(self, org_id: int, *, domain: str, name: str, vanity: str = "") -> Organization:
        org = self._facts(org_id, domain=domain, name=name, vanity=vanity)
        self._orgs[org_id] = org
        self._by_domain[org.domain] = self._by_domain.get(org.domain) or org_id
        self._by_vanity.setdefault(org.vanity, org_id)
        self._by_name.setdefault(squashed(org.name), org_id)
        return org

    def _facts(self, org_id: int, *, domain: str, name: str, vanity: str) -> Organization:
        f = _fractions(self._seed, "facts", domain or org_id)
        normal = math.sqrt(-2.0 * math.log(1.0 - f[0])) * math.cos(2.0 * math.pi * f[1])
        members = min(MOST_MEMBERS, max(1, round(MEDIAN_MEMBERS * math.exp(MEMBERS_SPREAD * normal))))
        domain = domain or f"company-{org_id}.example"
        return Organization(
            org_id=org_id,
            name=name or domain.split(".")[0].replace("-", " ").title(),
            domain=domain,
            vanity=vanity or self._free_vanity(domain),
            members=members,
            country=COUNTRIES[int(f[2] * len(COUNTRIES))],
            has_website=f[3] >= 0.08,
            in_lookup=f[4] >= 0.01,
        )

    def _free_vanity(self, domain: str) -> str:
        label = domain.split(".")[0]
        return label if label not in self._by_vanity else domain.replace(".", "-")


def digest_part(digest: bytes, slot: int) -> float:
    """A number in [0, 1) from two bytes of a digest; slots keep the platforms' matches independent."""
    return int.from_bytes(digest[slot * 2 : slot * 2 + 2], "big") / 65536.0
