"""Who is behind an organization URN. It must not decide which of our companies that is.

Source: learn.microsoft.com/en-us/linkedin/marketing/community-management/organizations/
organization-lookup-api, 2026-06. The page's website is often missing; then vanity name and id remain.
A page the look-up does not show may still have a name among what campaigns can target:
/linkedin/marketing/integrations/ads/advertising-targeting/ads-targeting, finder ``urns``, 2026-11.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from audiences.model import Organization
from platforms.errors import NoPermission, NotFound, Refused
from platforms.linkedin import restli
from platforms.linkedin.rest import Rest
from platforms.linkedin.settings import LinkedInSettings
from platforms.shapes import mapping, records


class Organizations:
    """Batched look-up, falling back to single look-ups where an app may not batch."""

    def __init__(self, settings: LinkedInSettings, rest: Rest) -> None:
        self._settings, self._rest = settings, rest
        self._single = False  # this app was refused the batched form

    def organizations(self, urns: Sequence[str]) -> dict[str, Organization]:
        """One entry per URN asked for; name and domain are None where LinkedIn does not say."""
        ids = list(dict.fromkeys(restli.tail(urn) for urn in urns))
        size = self._settings.organizations_per_call
        pages = self._look_up([ids[i : i + size] for i in range(0, len(ids), size)])
        missing = [one for one in ids if one not in pages]
        if missing and not self._single:
            pages |= self._look_up([missing[i : i + size] for i in range(0, len(missing), size)])
        missing = [one for one in missing if one not in pages]
        for i in range(0, len(missing), size):
            pages |= self._names(missing[i : i + size])
        return {urn: _organization(urn, pages.get(restli.tail(urn), {})) for urn in urns}

    def _look_up(self, chunks: Sequence[Sequence[str]]) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for chunk in chunks:
            found |= self._one_by_one(chunk) if self._single else self._batch(chunk)
        return found

    def _batch(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        numbers = [int(one) for one in ids if one.isdigit()]
        if not numbers:
            return {}
        try:
            reply = self._rest.get("/organizationsLookup", {"ids": numbers})
        except NoPermission:  # some app tiers may not batch
            self._single = True
            return self._one_by_one(ids)
        return {str(one): dict(mapping(page)) for one, page in mapping(reply.get("results")).items()}

    def _one_by_one(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        found = {}
        for one in ids:
            try:
                found[one] = self._rest.get(f"/organizations/{restli.key(one)}")
            except (NoPermission, NotFound):
                continue
        return found

    def _names(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Names alone, as the directory of employers has them; nothing where this app may not ask."""
        asked = {"q": "urns", "urns": [restli.urn("organization", one) for one in ids], "count": len(ids)}
        locale = {"locale": {"language": "en", "country": "US"}, "queryVersion": "QUERY_USES_URNS"}
        try:
            reply = self._rest.get("/adTargetingEntities", {**asked, **locale})
        except (NoPermission, NotFound, Refused):
            return {}
        named = ((str(one.get("urn", "")), one.get("name")) for one in records(reply.get("elements")))
        return {restli.tail(urn): {"localizedName": name} for urn, name in named if urn and name}


def _organization(urn: str, page: dict[str, Any]) -> Organization:
    name, website, vanity = (page.get(f) for f in ("localizedName", "localizedWebsite", "vanityName"))
    return Organization(
        urn=urn,
        name=str(name) if name else None,
        domain=host(str(website)) if website else None,
        vanity=str(vanity) if vanity else None,
    )


def host(website: str) -> str | None:
    """The bare lower-case host of a website as typed by its owner; None when there is none."""
    text = website.strip().lower()
    try:
        name = urlsplit(text if "://" in text else f"//{text}").hostname or ""
    except ValueError:
        return None
    name = name.removeprefix("www.").rstrip(".")
    return name if "." in name else None
