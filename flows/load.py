"""Sources to the store: read, clean, resolve, hash. Nothing is stored unless every source could be read.

Raw personal data lives only inside ``load``: what is stored of a person is a digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import polars as pl

from audiences.clean import Cleaned, clean_companies, clean_contacts, clean_signals
from audiences.companies import Resolution, resolve
from audiences.companies_attach import attach
from audiences.config import CompanySource, ContactSource, SignalSource, Source
from audiences.identity_contacts import identify_contacts
from audiences.model import Contact, Rejected, Signal
from audiences.sources import SourceFrame, read_source
from audiences.store.records import ImportSummary
from flows.wiring import App


@dataclass(frozen=True, slots=True)
class Counted:
    """What one kind of source came to: rows read, kept, rejected (rows or cells), set aside."""

    read: int = 0
    resolved: int = 0
    rejected: int = 0
    quarantined: int = 0
    reasons: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Loaded:
    """The outcome of one load. ``changed`` False: the sources are those of the last load."""

    changed: bool
    companies: Counted
    contacts: Counted
    signals: Counted
    unmapped: dict[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def load(app: App, *, again: bool = False) -> Loaded:
    """Bring accounts, contacts and signals in the store in line with the sources.

    Raises an error of ``audiences.errors`` naming file, line and column; the store then stays as it was.
    """
    fingerprint = sources_fingerprint(app)
    if not again and _known(app, fingerprint):
        return _as_stored(app)
    sources = app.config.sources
    companies = [_companies(app, source) for source in sources.companies]
    resolution = _resolve(companies)
    contacts, contact_rejects, people = _contacts(app, sources.contacts, resolution)
    signals, signal_rejects, seen = _signals(app, sources.signals, resolution)
    rejects = [r for cleaned, _ in companies for r in cleaned.rejected]
    read = sum(source.frame.height for _, source in companies)
    counted = Counted(
        read, resolution.accounts.height, len(rejects), len(resolution.quarantined), _tally(rejects)
    )
    loaded = Loaded(
        True,
        counted,
        Counted(people, len(contacts), len(contact_rejects), 0, _tally(contact_rejects)),
        Counted(seen, len(signals), len(signal_rejects), 0, _tally(signal_rejects)),
        {source.source: source.unmapped for _, source in companies if source.unmapped},
    )
    at, store = app.now(), app.store
    store.replace_accounts(list(resolution.account_list()), fingerprint, at)
    store.replace_contacts(contacts, fingerprint, at)
    store.replace_signals(signals, fingerprint, at)
    parts = (("contacts", loaded.contacts, contact_rejects), ("signals", loaded.signals, signal_rejects))
    for what, part, refused in parts:
        store.save_import(_summary(what, fingerprint, part, app), refused)
    store.save_import(_summary("accounts", fingerprint, counted, app), rejects, resolution.quarantined)
    return loaded


def sources_fingerprint(app: App) -> str:
    """SHA-256 over the settings of the sources and the bytes of every file they name."""
    digest = hashlib.sha256(app.config.sources.model_dump_json().encode())
    for source in _all_sources(app):
        if source.file is not None:
            digest.update(
                hashlib.sha256(_path(app, source).read_bytes()).digest()
                if _path(app, source).is_file()
                else b"-"
            )
        else:
            digest.update(app.now().isoformat().encode())  # a query's answer is only known by asking
    return digest.hexdigest()


def _all_sources(app: App) -> Iterator[Source]:
    sources = app.config.sources
    yield from (*sources.companies, *sources.contacts, *sources.signals)


def _path(app: App, source: Source) -> Path:
    return app.workspace / str(source.file)


def _known(app: App, fingerprint: str) -> bool:
    last = app.store.last_import("accounts")
    return last is not None and last.fingerprint == fingerprint


def _as_stored(app: App) -> Loaded:
    def counted(what: str) -> Counted:
        last = app.store.last_import(what)
        if last is None:
            return Counted()
        reasons = _tally(app.store.rejects(what))
        return Counted(last.rows_read, last.resolved, last.rejected, last.quarantined, reasons)

    return Loaded(False, counted("accounts"), counted("contacts"), counted("signals"))


def _read(app: App, source: Source, kind: str) -> SourceFrame:
    name = source.name or str(source.file)
    layout = "" if source.layout == "auto" else source.layout
    return read_source(_path(app, source), name=name, kind=kind, layout=layout, columns=source.columns)


def _companies(app: App, source: CompanySource) -> tuple[Cleaned, SourceFrame]:
    frame = _read(app, source, "companies")
    return clean_companies(frame), frame


def _resolve(companies: list[tuple[Cleaned, SourceFrame]]) -> Resolution:
    return resolve(pl.concat([cleaned.frame for cleaned, _ in companies], how="diagonal_relaxed"))


def _contacts(
    app: App, sources: Iterable[ContactSource], resolution: Resolution
) -> tuple[list[Contact], list[Rejected], int]:
    contacts: dict[str, Contact] = {}
    rejected: list[Rejected] = []
    read = 0
    for source in sources:
        frame = _read(app, source, "contacts")
        cleaned = clean_contacts(frame, first_party=source.first_party)
        rows = _with_defaults(attach(cleaned.frame, resolution), source)
        people = identify_contacts(rows)
        rejected += [*cleaned.rejected, *people.rejected]
        read += frame.frame.height
        for contact in people.contacts():
            contacts.setdefault(contact.contact_id, contact)
    return list(contacts.values()), rejected, read


def _with_defaults(frame: pl.DataFrame, source: ContactSource) -> pl.DataFrame:
    if source.default_country is not None:
        frame = frame.with_columns(pl.col("country").fill_null(source.default_country))
    if source.consent != "unknown":
        unknown = pl.col("consent").is_null() | (pl.col("consent") == "unknown")
        frame = frame.with_columns(
            pl.when(unknown).then(pl.lit(source.consent)).otherwise("consent").alias("consent")
        )
    return frame


def _signals(
    app: App, sources: Iterable[SignalSource], resolution: Resolution
) -> tuple[list[Signal], list[Rejected], int]:
    signals: list[Signal] = []
    rejected: list[Rejected] = []
    read = 0
    for source in sources:
        frame = _read(app, source, "signals")
        cleaned = clean_signals(frame, as_of=source.as_of, kind=source.kind or "")
        rows = attach(cleaned.frame, resolution)
        lost = rows.filter(pl.col("account_id").is_null())
        rejected += cleaned.rejected
        rejected += [Rejected(cleaned.source, line, "", "account_unknown") for line in lost["line"]]
        known = rows.filter(pl.col("account_id").is_not_null())
        columns = ("account_id", "kind", "on", "topic", "strength", "person")
        signals += [Signal(*row) for row in known.select(columns).iter_rows()]
        read += frame.frame.height
    return signals, rejected, read


def _tally(rejects: Iterable[Rejected]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for reject in rejects:
        counts[reject.reason] = counts.get(reject.reason, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def _summary(what: str, fingerprint: str, counted: Counted, app: App) -> ImportSummary:
    return ImportSummary(
        what=what,
        fingerprint=fingerprint,
        at=app.now(),
        rows_read=counted.read,
        resolved=counted.resolved,
        rejected=counted.rejected,
        quarantined=counted.quarantined,
    )


def as_json(loaded: Loaded) -> dict[str, object]:
    """The outcome as plain data."""
    data: dict[str, object] = orjson.loads(orjson.dumps(loaded))
    return data
