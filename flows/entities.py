"""Which of our accounts is behind an entity of a report: by website, else by name, else by page name.

A wrong link would break the hard bounds of every figure, a missing one only
widens them, so a sign counts only where it means one account: a website or a
name that no other account of the workspace has, or one that no other account on
the segment's own lists has, for its campaigns serve nobody else on purpose.

What stays assumed: that the page of a stranger whom the platform served all the
same does not bear the very name of one of our accounts, and that a page matched
to an account off the lists is really that one's, for it then counts as outside. A
page that says nothing of itself, or nothing we know, is left open and looked at
again when the accounts or the lists have changed. Never guesses from impressions.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from audiences.companies_domains import label, registrable
from audiences.companies_names import name_keys, plain_names
from audiences.model import MemberKind, Organization
from flows.wiring import App

OUTSIDER = ""  # an entity that was shown ads and is none of our accounts, as far as anybody can tell


@dataclass(frozen=True, eq=False)
class Index:
    """Our accounts by what a directory entry may show of them; only signs that mean one account."""

    by_domain: Mapping[str, str]
    by_name: Mapping[str, str]
    by_label: Mapping[str, str]
    accounts: Mapping[str, str | None]  # account id -> domain


def link(app: App, platform: str, entities: Collection[str], *, segment: str) -> None:
    """Look up entities nobody has been found behind yet, and keep what they are.

    An entity is asked about once, and again when the accounts or who is on the segment's lists have changed.
    """
    known, index = app.store.organization_links(platform), _index(app)
    opened = {one for one in entities if known.get(one, OUTSIDER) not in index.accounts}
    served = _served(app, segment) if opened else frozenset[str]()
    basis, mark = _basis(app, served), f"identified/{platform}/{segment}"
    before: dict[str, Any] = app.store.get(mark, {})
    tried = set(before["entities"]) if before.get("basis") == basis else set()
    fresh = sorted(opened - tried)
    if not fresh:
        return
    found = app.platform(platform).organizations(fresh)
    own = [one for one in app.store.account_names() if one[0] in served]
    links = dict.fromkeys(fresh, OUTSIDER) | identify(found, index, index_of(own))
    app.store.link_organizations(platform, links, at=app.now())
    app.store.put(mark, {"basis": basis, "entities": sorted(tried | set(fresh))}, at=app.now())


def identify(
    organizations: Mapping[str, Organization], index: Index, served: Index | None = None
) -> dict[str, str]:
    """URN -> account id for those that are ours.

    index   every account of the workspace    served  those on the lists of the segment that was reported
    """
    names = _keys(organization.name or "" for organization in organizations.values())
    links = {}
    for name, (urn, organization) in zip(names, organizations.items(), strict=True):
        site = registrable(organization.domain) if organization.domain else None
        label_of = organization.vanity if site is None else None
        account = index.by_domain.get(site or "") or index.by_name.get(name or "")
        account = account or _among(served, name, site) or index.by_label.get(label_of or "")
        if account is None and served is not None:
            account = served.by_label.get(label_of or "")
        if account is not None:
            links[urn] = account
    return links


def _among(served: Index | None, name: str | None, site: str | None) -> str | None:
    """Who alone on the lists has this name; nobody where page and account each have another website."""
    account = served.by_name.get(name or "") if served is not None else None
    if served is None or account is None:
        return None
    return account if site is None or served.accounts[account] is None else None


def index_of(accounts: Sequence[tuple[str, str, str | None]]) -> Index:
    """``accounts``: (account id, name, domain)."""
    keys = _keys(name for _, name, _ in accounts)
    return Index(
        by_domain={domain: account for account, _, domain in accounts if domain},
        by_name=_unique((key, account) for key, (account, _, _) in zip(keys, accounts, strict=True)),
        by_label=_unique((label(domain), account) for account, _, domain in accounts if domain),
        accounts={account: domain for account, _, domain in accounts},
    )


def _index(app: App) -> Index:
    """The index of the accounts in the store, made once per import."""
    basis = _import(app)
    known = app.remembered.get("entities")
    if known is None or known[0] != basis:
        known = app.remembered["entities"] = (basis, index_of(app.store.account_names()))
    found: Index = known[1]
    return found


def _import(app: App) -> str:
    """Which reading the accounts now in the store are from."""
    last = app.store.last_import("accounts in place")
    return last.fingerprint if last else ""


def _served(app: App, segment: str) -> frozenset[str]:
    """Accounts that are to be on the segment's lists of companies, or that a platform has on them."""
    version = app.store.segment_version(segment)
    found = set(version.account_ids) if version else set()
    for record in app.store.audiences(segment=segment):
        if record.spec.kind == MemberKind.COMPANY:
            for table in app.store.confirmed(record.spec.audience_id):
                found.update(table.account_ids)
    return frozenset(found - {""})


def _basis(app: App, served: frozenset[str]) -> str:
    """Changes with the accounts known and with those on the lists."""
    return hashlib.sha256("\n".join([_import(app), *sorted(served)]).encode()).hexdigest()


def _keys(names: Iterable[str]) -> list[str | None]:
    texts = pl.DataFrame({"name": list(names)}, schema={"name": pl.String})
    keys: list[str | None] = texts.select(name_keys(plain_names(pl.col("name")))).to_series().to_list()
    return keys


def _unique(pairs: Iterable[tuple[str | None, str]]) -> dict[str, str]:
    """Only keys that mean one account."""
    found = [(key, account) for key, account in pairs if key]
    times = Counter(key for key, _ in found)
    return {key: account for key, account in found if times[key] == 1}
