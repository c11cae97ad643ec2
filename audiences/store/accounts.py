"""Accounts, contacts and signals as last imported, and what was left out. Replaced whole; decides nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Row, delete, func, insert, select

from audiences.model import Account, Consent, Contact, Quarantined, Rejected, Signal
from audiences.store.bulk import CHUNK, insert_rows
from audiences.store.database import table_of
from audiences.store.part import Part
from audiences.store.records import ImportSummary
from audiences.tables import (
    AccountRow,
    ContactRow,
    ImportRow,
    OrganizationLinkRow,
    QuarantineRow,
    RejectRow,
    SignalRow,
)

ACCOUNT, CONTACT, SIGNAL = table_of(AccountRow), table_of(ContactRow), table_of(SignalRow)
IMPORT, REJECT, QUARANTINE = table_of(ImportRow), table_of(RejectRow), table_of(QuarantineRow)
LINK = table_of(OrganizationLinkRow)

_ACCOUNT = tuple(column.name for column in ACCOUNT.c)
_CONTACT = tuple(column.name for column in CONTACT.c)
_SIGNAL = ("account_id", "kind", "on", "topic", "strength", "person")


class Accounts(Part):
    def replace_accounts(self, accounts: Sequence[Account], source_fingerprint: str, at: datetime) -> None:
        """Make these the accounts, in one transaction; noted as an import of ``len(accounts)`` rows."""
        rows = (
            (*(getattr(a, name) for name in _ACCOUNT[:-1]), _json(a.attributes))
            for a in sorted(accounts, key=lambda account: account.account_id)
        )
        with self._db.write() as connection:
            connection.execute(delete(ACCOUNT))
            insert_rows(connection, ACCOUNT, _ACCOUNT, rows)
            note_fingerprint(connection, "accounts", source_fingerprint, len(accounts), at)

    def accounts(self) -> tuple[Account, ...]:
        """All accounts, by id."""
        with self._db.read() as connection:
            found = [_account(row) for row in connection.execute(select(ACCOUNT))]
        return tuple(sorted(found, key=lambda account: account.account_id))

    def account(self, account_id: str) -> Account | None:
        with self._db.read() as connection:
            row = connection.execute(select(ACCOUNT).where(ACCOUNT.c.account_id == account_id)).one_or_none()
        return None if row is None else _account(row)

    def account_names(self) -> list[tuple[str, str, str | None]]:
        """(account id, name, domain) of every account, by id."""
        wanted = select(ACCOUNT.c.account_id, ACCOUNT.c.name, ACCOUNT.c.domain).order_by(ACCOUNT.c.account_id)
        with self._db.read() as connection:
            return list(map(tuple, connection.execute(wanted)))

    def account_sizes(self) -> dict[str, float]:
        """Account id -> people to reach there: ``members`` where its source gives them, else its employees.

        Accounts of which neither is known are left out.
        """
        wanted = select(ACCOUNT.c.account_id, ACCOUNT.c.employees, ACCOUNT.c.attributes)
        sizes = {}
        with self._db.read() as connection:
            for account, employees, attributes in connection.execute(wanted):
                told = _number(orjson.loads(attributes).get("members")) if "members" in attributes else None
                size = told if told is not None else employees
                if size is not None and size > 0:
                    sizes[account] = float(size)
        return sizes

    def account_count(self) -> int:
        with self._db.read() as connection:
            return connection.execute(select(func.count()).select_from(ACCOUNT)).scalar_one()

    def replace_contacts(self, contacts: Iterable[Contact], source_fingerprint: str, at: datetime) -> int:
        """Make these the contacts (hashes only), in one transaction. Returns how many there are."""
        counted = _Counted(contacts)
        rows = ((*_contact_head(c), c.function, c.seniority) for c in counted)
        with self._db.write() as connection:
            connection.execute(delete(CONTACT))
            insert_rows(connection, CONTACT, _CONTACT, rows)
            note_fingerprint(connection, "contacts", source_fingerprint, counted.n, at)
        return counted.n

    def contacts(self, *, account_id: str | None = None) -> Iterator[Contact]:
        """Contacts by account and id, streamed; optionally of one account."""
        wanted = select(CONTACT).order_by(CONTACT.c.account_id, CONTACT.c.contact_id)
        if account_id is not None:
            wanted = wanted.where(CONTACT.c.account_id == account_id)
        with self._db.read() as connection:
            streamed = connection.execution_options(yield_per=CHUNK).execute(wanted)
            yield from (_contact(row) for row in streamed)

    def replace_signals(self, signals: Iterable[Signal], source_fingerprint: str, at: datetime) -> int:
        """Make these the signals, in one transaction. Returns how many there are."""
        counted = _Counted(signals)
        rows = ([getattr(s, name) for name in _SIGNAL] for s in counted)
        with self._db.write() as connection:
            connection.execute(delete(SIGNAL))
            insert_rows(connection, SIGNAL, _SIGNAL, rows)
            note_fingerprint(connection, "signals", source_fingerprint, counted.n, at)
        return counted.n

    def signals(self, *, since: date | None = None) -> Iterator[Signal]:
        """Signals in the order they were given, streamed; optionally from a day on."""
        wanted = select(*(SIGNAL.c[name] for name in _SIGNAL)).order_by(SIGNAL.c.number)
        if since is not None:
            wanted = wanted.where(SIGNAL.c.on >= since)
        with self._db.read() as connection:
            streamed = connection.execution_options(yield_per=CHUNK).execute(wanted)
            yield from (Signal(*row) for row in streamed)


class Imports(Part):
    def save_import(
        self,
        summary: ImportSummary,
        rejects: Iterable[Rejected] = (),
        quarantined: Iterable[Quarantined] = (),
    ) -> None:
        """Store what one reading came to; the reasons of the reading before it are dropped."""
        with self._db.write() as connection:
            connection.execute(delete(REJECT).where(REJECT.c.import_number.in_(_earlier(summary.what))))
            connection.execute(
                delete(QUARANTINE).where(QUARANTINE.c.import_number.in_(_earlier(summary.what)))
            )
            made = connection.execute(
                insert(IMPORT).values(**{name: getattr(summary, name) for name in _SUMMARY})
            )
            number = made.inserted_primary_key[0] if made.inserted_primary_key else None
            insert_rows(
                connection,
                REJECT,
                ("import_number", "source", "line", "column", "reason", "detail"),
                ((number, r.source, r.line, r.column, r.reason, r.detail) for r in rejects),
            )
            insert_rows(
                connection,
                QUARANTINE,
                ("import_number", "subject", "reason", "rows", "evidence"),
                ((number, q.subject, q.reason, _json(list(q.rows)), q.evidence) for q in quarantined),
            )

    def last_import(self, what: str) -> ImportSummary | None:
        """The latest reading of "accounts", "contacts" or "signals"."""
        wanted = select(IMPORT).where(IMPORT.c.what == what).order_by(IMPORT.c.number.desc()).limit(1)
        with self._db.read() as connection:
            row = connection.execute(wanted).one_or_none()
        return None if row is None else ImportSummary(**{name: getattr(row, name) for name in _SUMMARY})

    def rejects(self, what: str) -> tuple[Rejected, ...]:
        """What the latest reading left out, and why."""
        columns = [REJECT.c[name] for name in ("source", "line", "column", "reason", "detail")]
        wanted = select(*columns).join(IMPORT).where(IMPORT.c.what == what).order_by(REJECT.c.number)
        with self._db.read() as connection:
            return tuple(Rejected(*row) for row in connection.execute(wanted))

    def quarantined(self, what: str = "accounts") -> tuple[Quarantined, ...]:
        """What waits for a person's decision since the latest reading."""
        wanted = select(QUARANTINE).join(IMPORT).where(IMPORT.c.what == what).order_by(QUARANTINE.c.number)
        with self._db.read() as connection:
            return tuple(
                Quarantined(row.subject, row.reason, tuple(orjson.loads(row.rows)), row.evidence)
                for row in connection.execute(wanted)
            )


class Organizations(Part):
    def link_organizations(self, platform: str, links: Mapping[str, str], *, at: datetime) -> None:
        """Note which account (value) each organization URN (key) of a platform is. Later links win."""
        if not links:
            return
        with self._db.write() as connection:
            urns = list(links)
            for i in range(0, len(urns), 10_000):
                connection.execute(
                    delete(LINK).where(LINK.c.platform == platform, LINK.c.urn.in_(urns[i : i + 10_000]))
                )
            rows = ((platform, urn, account_id, at) for urn, account_id in sorted(links.items()))
            insert_rows(connection, LINK, ("platform", "urn", "account_id", "at"), rows)

    def organization_links(self, platform: str) -> dict[str, str]:
        """Organization URN -> account id."""
        wanted = select(LINK.c.urn, LINK.c.account_id).where(LINK.c.platform == platform)
        with self._db.read() as connection:
            return {row.urn: row.account_id for row in sorted(connection.execute(wanted))}


_SUMMARY = ("what", "fingerprint", "at", "rows_read", "resolved", "rejected", "quarantined")


class _Counted:
    """Counts what passes through, so that a stream need not be held to be counted."""

    def __init__(self, items: Iterable[Any]) -> None:
        self._items, self.n = items, 0

    def __iter__(self) -> Iterator[Any]:
        for item in self._items:
            self.n += 1
            yield item


def note_fingerprint(connection: Connection, what: str, fingerprint: str, n: int, at: datetime) -> None:
    """Leave a line that says which data is in place now."""
    connection.execute(
        insert(IMPORT).values(
            what=f"{what} in place",
            fingerprint=fingerprint,
            at=at,
            rows_read=n,
            resolved=n,
            rejected=0,
            quarantined=0,
        )
    )


def _earlier(what: str) -> Any:
    return select(IMPORT.c.number).where(IMPORT.c.what == what)


def _number(value: Any) -> float | None:
    """A number as a spreadsheet may write it; None where it is none."""
    try:
        number = float(str(value).replace(",", "").replace(" ", ""))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS).decode()


def _account(row: Row[Any]) -> Account:
    values = {name: getattr(row, name) for name in _ACCOUNT}
    return Account(**{**values, "attributes": orjson.loads(row.attributes)})


def _contact_head(c: Contact) -> tuple[Any, ...]:
    consent = None if c.consent is None else str(c.consent)
    return (c.contact_id, c.account_id, _json(c.identifiers), c.country, c.first_party, consent)


def _contact(row: Row[Any]) -> Contact:
    return Contact(
        contact_id=row.contact_id,
        account_id=row.account_id,
        identifiers=tuple((kind, value) for kind, value in orjson.loads(row.identifiers)),
        country=row.country,
        first_party=bool(row.first_party),
        consent=None if row.consent is None else Consent(row.consent),
        function=row.function,
        seniority=row.seniority,
    )
