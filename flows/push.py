"""A one-off list: file -> members -> the same deltas, brakes and batches as a segment. Stores no raw value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import orjson

from audiences.clean import clean_companies, clean_contacts
from audiences.companies import resolve
from audiences.errors import SourceError
from audiences.identity_contacts import identifiers_for, identify_contacts
from audiences.membership_keys import Keys, byte_order, company_keys
from audiences.model import (
    Account,
    AudienceSpec,
    Consent,
    Contact,
    IdentifierKind,
    MemberKind,
    MemberTable,
    Quarantined,
    Rejected,
)
from audiences.scoring_frames import canonical
from audiences.segments_words import platform_in_words
from audiences.sources import read_source
from audiences.sources_mapping import Columns
from audiences.store.records import OneOff
from flows.activate import send
from flows.activate_delta import Grounds, Prepared, plan_change
from flows.activate_lists import list_rules
from flows.load import with_consent
from flows.report.tables import to_csv
from flows.runs import audit, patiently
from flows.wiring import App, WorkspaceError

COMPANY_FIELDS = (
    (IdentifierKind.NAME, "name"),
    (IdentifierKind.DOMAIN, "domain"),
    (IdentifierKind.ORGANIZATION, "organization_urn"),
    (IdentifierKind.PAGE, "linkedin_url"),
    (IdentifierKind.COUNTRY, "country"),
)
DOUBTFUL_ADDRESSES = ("shared_host", "ambiguous_merge")  # of many companies, or of one or several
FIRST_PARTY, CONSENTED = "gave their details themselves", "agreed to be reached by ads"
SUPPORT = (IdentifierKind.COUNTRY, IdentifierKind.POSTAL_CODE, IdentifierKind.REGION_CODE)
KINDS = {"companies": MemberKind.COMPANY, "contacts": MemberKind.CONTACT}
WHO = {"companies": "companies", "contacts": "people"}
Row = tuple[bytes, str, tuple[tuple[str, str], ...]]  # key, account id, identifiers


@dataclass(frozen=True, eq=False)
class OneOffList:
    """What a file came to. ``left_out`` counts people and companies by reason."""

    kind: MemberKind
    rows: int
    members: MemberTable
    rejected: tuple[Rejected, ...]
    left_out: dict[str, int]
    mapping: dict[str, tuple[str, ...]]
    unmapped: tuple[str, ...]
    declared: tuple[str, ...] = ()  # what somebody said of all these people, in words for the audit log


def read_list(
    app: App,
    file: Path,
    platform: str,
    *,
    layout: str = "",
    kind: str = "",
    columns: Columns | None = None,
    first_party: bool = False,
    consented: bool = False,
) -> OneOffList:
    """Read a file as a list for one platform. Raises an error of ``audiences.errors``.

    ``layout``, ``kind`` and ``columns`` (ours -> header) narrow or override what is recognised.
    ``first_party`` and ``consented`` hold for the people of whom the file does not say; its own word goes first.
    """
    source = read_source(file, layout=layout, kind=kind, columns=columns)
    _check_kind(app, platform, source.kind, file.name)
    if source.kind == "companies":
        cleaned = clean_companies(source)
        found = resolve(cleaned.frame)
        rows, refused = _companies(app, platform, found.account_list())
        rejected = (*cleaned.rejected, *_by_name_alone(found.quarantined))
    else:
        cleaned = clean_contacts(source, first_party=first_party)
        people = identify_contacts(with_consent(cleaned.frame, "granted" if consented else "unknown"))
        rows, refused = _people(app, platform, people.contacts())
        rejected = (*cleaned.rejected, *people.rejected)
    members = KINDS[source.kind]
    said = ((FIRST_PARTY, first_party), (CONSENTED, consented)) if members is MemberKind.CONTACT else ()
    table, barred = without_suppressed(app.store.suppressed(), _table(rows))
    refused["suppressed"] = refused.get("suppressed", 0) + barred
    return OneOffList(
        members, source.frame.height, table, tuple(rejected), {reason: n for reason, n in refused.items() if n},
        dict(source.mapping), source.unmapped, tuple(word for word, true in said if true),
    )  # fmt: skip


def takes(app: App, platform: str) -> tuple[MemberKind, ...]:
    """What a platform has lists of."""
    kinds: tuple[MemberKind, ...] = app.platform(platform).capabilities.member_kinds
    return kinds


def _check_kind(app: App, platform: str, kind: str, file: str) -> None:
    if kind not in KINDS:
        words = f"this is a file of {kind}, not of companies or people."
        remedy = f"Name it under sources: {kind}: in evenreach.yaml instead: evenreach map {file} --write"
        raise SourceError(words, file=file, remedy=remedy)
    if KINDS[kind] not in takes(app, platform):
        able = [name for name in app.config.platforms.names() if KINDS[kind] in takes(app, name)]
        other = f"Push it to another: --platform {able[0]}" if able else "Set up a platform that does."
        words = f"this is a list of {WHO[kind]}, and {platform_in_words(platform)} takes none of those."
        raise SourceError(words, file=file, remedy=other)


def one_off_spec(name: str, platform: str, kind: MemberKind, note: str) -> AudienceSpec:
    """The list of a one-off push; the same name is the same list."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "list"
    return AudienceSpec(f"{platform}/one-off/{slug}/{kind}", platform, name, kind, description=note[:200])


def push_list(
    app: App,
    wanted: OneOffList,
    spec: AudienceSpec,
    *,
    owner: str,
    note: str = "",
    until: date | None = None,
    accept_shrink: int = 0,
    dry_run: bool = False,
    declared_by: str = "",
) -> Prepared:
    """Bring the one-off list to the file's members. The same file twice changes nothing.

    Raises Braked, or WorkspaceError for a last day (``until``) that is over.
    What was declared of the people is in the audit log, by ``declared_by`` (default: who acts), before any is sent.
    """
    if until is not None and until < app.today:
        raise WorkspaceError(
            f"the list would have ended on {until}, which is over: it is {app.today} in the workspace's time zone",
            remedy="Give a day that is still to come, or none.",
        )
    grounds = Grounds(source_rows=wanted.rows)
    prepared = plan_change(app, spec, wanted.members, grounds, accept_shrink=accept_shrink, dry_run=dry_run)
    if not dry_run:
        if wanted.declared:
            said = {"by": declared_by or app.who, "said": " and ".join(wanted.declared)}
            audit(app, "people vouched for", spec.audience_id, said | {"members": len(wanted.members)})
        app.store.save_one_off(OneOff(spec.audience_id, owner, note, until, app.now()))
        patiently(app, lambda: send(app, spec.audience_id))
        detail = {"adds": prepared.adds, "removes": prepared.removes, "owner": owner}
        audit(app, "one-off list pushed", spec.audience_id, detail)
    return prepared


def _companies(app: App, platform: str, accounts: Iterable[Account]) -> tuple[list[Row], dict[str, int]]:
    known = set(list_rules(app, platform).identifiers)
    rows: list[Row] = []
    refused = {"no_identifier": 0}
    for account in accounts:
        found = tuple(
            (str(kind), str(value))
            for kind, name in COMPANY_FIELDS
            if kind in known and (value := getattr(account, name))
        )
        if all(kind in SUPPORT for kind, _ in found):
            refused["no_identifier"] += 1
            continue
        rows.append((company_keys([account.account_id])[0].tobytes(), account.account_id, found))
    return rows, refused


def _by_name_alone(doubts: Iterable[Quarantined]) -> Iterator[Rejected]:
    """The rows whose web address names nobody in particular: the company stays on the list, by its name."""
    for doubt in doubts:
        for ref in doubt.rows if doubt.reason in DOUBTFUL_ADDRESSES else ():
            source, _, line = ref.rpartition(":")
            yield Rejected(source, int(line), "domain", doubt.reason, "the company goes by its name alone")


def _people(app: App, platform: str, contacts: Iterable[Contact]) -> tuple[list[Row], dict[str, int]]:
    rules = list_rules(app, platform)
    known = set(rules.identifiers)
    rows: list[Row] = []
    barred = frozenset(row.tobytes().hex() for row in app.store.suppressed())
    reasons = ("suppressed", "no_identifier", "consent_denied", "consent_unknown", "not_first_party")
    refused = dict.fromkeys(reasons, 0)
    for contact in contacts:
        if barred and (contact.contact_id in barred or any(v in barred for _, v in contact.identifiers)):
            refused["suppressed"] += 1
            continue
        found = tuple((k, v) for k, v in identifiers_for(contact.identifiers, platform) if k in known)
        reason = _refusal(contact, found, consent=rules.needs_consent, first_party=rules.needs_first_party)
        if reason:
            refused[reason] += 1
        else:
            rows.append((bytes.fromhex(contact.contact_id), contact.account_id or "", found))
    return rows, refused


def _refusal(
    contact: Contact, found: tuple[tuple[str, str], ...], *, consent: bool, first_party: bool
) -> str:
    if contact.consent == Consent.DENIED:
        return "consent_denied"
    if consent and contact.consent != Consent.GRANTED:
        return "consent_unknown"
    if first_party and not contact.first_party:
        return "not_first_party"
    return "no_identifier" if all(kind in SUPPORT for kind, _ in found) else ""


def _table(rows: Iterable[Row]) -> MemberTable:
    unique = {key: (account, found) for key, account, found in rows}
    keys = np.frombuffer(b"".join(unique), dtype=np.uint8).reshape(-1, 32)
    order = byte_order(keys).tolist()
    values = list(unique.values())
    return MemberTable(keys[order], [canonical(values[i][1]) for i in order], [values[i][0] for i in order])


def without_suppressed(suppressed: Keys, table: MemberTable) -> tuple[MemberTable, int]:
    """The members that are not barred, by their key or by any digest they are known by; and how many were."""
    if not len(suppressed):
        return table, 0
    barred = frozenset(row.tobytes().hex() for row in suppressed)
    keep = [
        i
        for i, (row, payload) in enumerate(zip(table.keys, table.payloads, strict=True))
        if row.tobytes().hex() not in barred and not (_values(payload) & barred)
    ]
    kept = MemberTable(
        table.keys[keep], [table.payloads[i] for i in keep], [table.account_ids[i] for i in keep]
    )
    return kept, len(table) - len(keep)


def _values(payload: bytes) -> set[str]:
    if not payload:
        return set()
    values = orjson.loads(payload).values()
    return {text for one in values for text in (one if isinstance(one, list) else [one])}


def rejects_csv(rejected: Iterable[Rejected]) -> str:
    """A file that says which rows were left out and why; no value is in it."""
    rows = ((one.line, one.column, one.reason, one.detail) for one in rejected)
    return to_csv(("line", "column", "reason", "detail"), rows)
