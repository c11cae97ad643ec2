"""Which of our accounts is behind an entity of a report: by website, else by name, else by page name.

The entities come from campaigns that target our own lists, so each is most
likely one of our accounts, often under a website we do not have. A name counts
only where exactly one account of the workspace has it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from audiences.companies_domains import label, registrable
from audiences.companies_names import name_keys, plain_names
from audiences.model import Organization
from flows.wiring import App

OUTSIDER = ""  # an entity that was shown ads and is none of our accounts, as far as anybody can tell


@dataclass(frozen=True, eq=False)
class Index:
    """Our accounts by what a directory entry may show of them; only signs that mean one account."""

    by_domain: Mapping[str, str]
    by_name: Mapping[str, str]
    by_label: Mapping[str, str]


def link(app: App, platform: str, entities: Iterable[str]) -> None:
    """Look up entities that have not been seen before and keep what they are."""
    known = app.store.organization_links(platform)
    fresh = sorted(set(entities) - set(known))
    if fresh:
        found = app.platform(platform).organizations(fresh)
        links = dict.fromkeys(fresh, OUTSIDER) | identify(found, _index(app))
        app.store.link_organizations(platform, links, at=app.now())


def identify(organizations: Mapping[str, Organization], index: Index) -> dict[str, str]:
    """URN -> account id for those that are ours."""
    names = _keys(organization.name or "" for organization in organizations.values())
    links = {}
    for name, (urn, organization) in zip(names, organizations.items(), strict=True):
        site = registrable(organization.domain) if organization.domain else None
        account = index.by_domain.get(site or "") or index.by_name.get(name or "")
        if account is None and site is None:
            account = index.by_label.get(organization.vanity or "")
        if account is not None:
            links[urn] = account
    return links


def index_of(accounts: Sequence[tuple[str, str, str | None]]) -> Index:
    """``accounts``: (account id, name, domain)."""
    keys = _keys(name for _, name, _ in accounts)
    return Index(
        by_domain={domain: account for account, _, domain in accounts if domain},
        by_name=_unique((key, account) for key, (account, _, _) in zip(keys, accounts, strict=True)),
        by_label=_unique((label(domain), account) for account, _, domain in accounts if domain),
    )


def _index(app: App) -> Index:
    """The index of the accounts in the store, made once per import."""
    last = app.store.last_import("accounts")
    basis = last.fingerprint if last else ""
    known = app.remembered.get("entities")
    if known is None or known[0] != basis:
        known = app.remembered["entities"] = (basis, index_of(app.store.account_names()))
    found: Index = known[1]
    return found


def _keys(names: Iterable[str]) -> list[str | None]:
    texts = pl.DataFrame({"name": list(names)}, schema={"name": pl.String})
    keys: list[str | None] = texts.select(name_keys(plain_names(pl.col("name")))).to_series().to_list()
    return keys


def _unique(pairs: Iterable[tuple[str | None, str]]) -> dict[str, str]:
    """Only keys that mean one account."""
    found = [(key, account) for key, account in pairs if key]
    times = Counter(key for key, _ in found)
    return {key: account for key, account in found if times[key] == 1}
