"""Sources to the store: read, clean, resolve, hash. Nothing is stored unless every source could be read.

Raw personal data lives only inside ``load``: what is stored of a person is a digest.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import orjson
import polars as pl

from audiences.brakes import check_sources
from audiences.clean import clean_companies, clean_contacts, clean_signals
from audiences.companies import Resolution, resolve
from audiences.companies_attach import Directory, attach_by
from audiences.companies_decisions import read_decisions
from audiences.config import ContactSource
from audiences.errors import ConfigError
from audiences.identity_parts import PART, People, Settled
from audiences.model import Quarantined, Rejected
from audiences.scoring_frames import SIGNAL_SCHEMA
from audiences.segments_words import many
from audiences.sources import SourceFrame
from audiences.store.records import ImportSummary
from flows.load_rejects import write_rejects
from flows.load_sources import Reader, Seen
from flows.suppress import read_suppressions
from flows.wiring import CONFIG, App

FILES, HEIGHTS = "rejects/files", "sources/rows"
ERASED = "erased"  # the reason an erasure suppresses with


@dataclass(frozen=True, slots=True)
class Counted:
    """What one kind of source came to: rows read, kept, rejected (rows or cells), set aside."""

    read: int = 0
    resolved: int = 0
    rejected: int = 0
    quarantined: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    def words(self, what: str) -> str:
        """``1,204 rows read, 1,190 companies kept, 14 rows or cells rejected (9 ...)``; zeros go unsaid.

        ``what`` is the plural of what the rows become: many rows may be one company.
        """
        why = ", ".join(f"{n:,} {code.replace('_', ' ')}" for code, n in list(self.reasons.items())[:3])
        told = [many(self.read, "row") + " read", f"{self.resolved:,} {what} kept"]
        if self.rejected:
            told.append(
                many(self.rejected, "row or cell", "rows or cells") + " rejected" + f" ({why})" * bool(why)
            )
        if self.quarantined:
            told.append(f"{self.quarantined:,} set aside for a person to decide")
        return ", ".join(told)


@dataclass(frozen=True, slots=True)
class Loaded:
    """The outcome of one load. ``changed`` False: the sources are those of the last load."""

    changed: bool
    companies: Counted
    contacts: Counted
    signals: Counted
    unmapped: dict[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()  # what was left out and why, to be worked through


@dataclass(frozen=True, eq=False)
class _Part:
    """One kind of source, ready to be stored, and what it lost on the way."""

    what: str  # "accounts" | "contacts" | "signals"
    read: int
    kept: int
    rejected: tuple[Rejected, ...]
    table: pl.DataFrame = field(default_factory=pl.DataFrame)
    quarantined: tuple[Quarantined, ...] = ()

    def counted(self) -> Counted:
        reasons = _tally(self.rejected)
        return Counted(self.read, self.kept, len(self.rejected), len(self.quarantined), reasons)


@dataclass(frozen=True, eq=False)
class _Found:
    """All that is to be stored."""

    companies: _Part
    contacts: _Part
    signals: _Part
    resolution: Resolution
    people: Settled


def load(app: App, *, again: bool = False, accept_shrink: int = 0) -> Loaded:
    """Bring accounts, contacts and signals in the store in line with the sources.

    Raises an error of ``audiences.errors`` naming file, line and column, or Braked when a source lost so many
    rows that it looks half-written; the store then stays as it was.
    """
    reader = Reader(app)
    fingerprint = reader.fingerprint()
    if not again and _known(app, fingerprint):
        return _as_stored(app)
    companies, resolution = _companies(app, reader)
    known = Directory(resolution)
    contacts, people = _contacts(app, reader, known)
    signals = _signals(reader, known)
    del known  # its tables are large, and storing needs room
    before = app.store.get(HEIGHTS, {})
    check_sources(app.config.brakes, before, reader.seen.heights, accept_shrink=accept_shrink)
    return _stored(app, _Found(companies, contacts, signals, resolution, people), reader.seen, fingerprint)


def _stored(app: App, found: _Found, seen: Seen, fingerprint: str) -> Loaded:
    """Everything could be read: put it in the place of what was there."""
    resolution = found.resolution
    never = read_suppressions(app, resolution)
    at, store = app.now(), app.store
    store.suppress(never.digests, reason="suppression file", at=at)
    store.replace_account_table(resolution.account_table(), fingerprint, at)
    store.replace_contact_table(found.people.tables(), fingerprint, at)
    store.replace_signal_frame(found.signals.table, fingerprint, at)
    store.put(HEIGHTS, seen.heights, at=at)
    parts = (
        found.contacts,
        found.signals,
        found.companies,
    )  # accounts last: their line says that everything is in place
    refused = [reject for part in parts for reject in part.rejected]
    files = write_rejects(app.workspace, [*refused, *never.rejected], resolution.quarantined)
    _keep_files(app, [str(file) for file in files])
    for part in parts:
        store.save_import(_summary(app, part, fingerprint), part.rejected, part.quarantined)
    return Loaded(
        True,
        found.companies.counted(),
        found.contacts.counted(),
        found.signals.counted(),
        seen.unmapped,
        tuple(seen.notes),
        tuple(str(file) for file in files),
    )


def _keep_files(app: App, files: list[str]) -> None:
    """Files of an earlier load that nothing was written to now would only mislead."""
    for name in set(app.store.get(FILES, [])) - set(files):
        (app.workspace / name).unlink(missing_ok=True)
    app.store.put(FILES, files, at=app.now())


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

    files = tuple(app.store.get(FILES, []))
    return Loaded(False, counted("accounts"), counted("contacts"), counted("signals"), files=files)


# -- companies, people, signals --------------------------------------------------


def _companies(app: App, reader: Reader) -> tuple[_Part, Resolution]:
    frames: list[pl.DataFrame] = []
    read, rejected = 0, list[Rejected]()
    for given in reader.companies():
        read += given.frame.frame.height
        cleaned = clean_companies(given.frame)
        frames.append(cleaned.frame)
        rejected += cleaned.rejected
        del given
    if not frames:
        raise ConfigError(
            "there is no source of companies.",
            file=CONFIG,
            field="sources.companies",
            remedy="Add a file there; evenreach map FILE --write does it.",
        )
    decided = app.config.sources.decisions
    resolution = resolve(
        pl.concat(frames, how="diagonal_relaxed"),
        decisions=read_decisions(app.workspace / decided) if decided else None,
    )
    kept, doubts = resolution.accounts.height, resolution.quarantined
    return _Part("accounts", read, kept, tuple(rejected), quarantined=doubts), resolution


def _contacts(app: App, reader: Reader, known: Directory) -> tuple[_Part, Settled]:
    """All files into one, so that a refusal of consent in one file holds for a person of another.

    A source may still name a person who was erased; the record does not take them back.
    """
    people = People()
    read, rejected = 0, list[Rejected]()
    for given in reader.contacts():
        source, pieces = given.source, _pieces(given.frame)
        read += given.frame.frame.height
        del given  # so that its rows go piece by piece
        for piece in pieces:
            cleaned = clean_contacts(piece, first_party=source.first_party)
            people.add(_with_defaults(attach_by(cleaned.frame, known), source))
            rejected += cleaned.rejected
            del cleaned, piece
    gone = [row.tobytes() for row in app.store.suppressed(reason=ERASED)]
    settled = people.settle(without=gone)
    return _Part("contacts", read, settled.height, (*rejected, *people.rejected())), settled


def _pieces(source: SourceFrame) -> Iterator[SourceFrame]:
    """A source in parts that may be cleaned one after the other; what reading refused goes with the first.

    It holds only what is still to come: the memory of the rows is free once nobody else has them.
    """
    refused, bare = source.rejected, replace(source, frame=source.frame.clear(), rejected=())
    rest = deque(source.frame.iter_slices(PART))
    del source
    while rest:
        yield replace(bare, frame=rest.popleft(), rejected=refused)
        refused = ()


def _with_defaults(frame: pl.DataFrame, source: ContactSource) -> pl.DataFrame:
    if source.default_country is not None:
        frame = frame.with_columns(pl.col("country").fill_null(source.default_country))
    return with_consent(frame, source.consent)


def with_consent(frame: pl.DataFrame, consent: str) -> pl.DataFrame:
    """``consent`` for the people of whom the file does not say; a refusal in the file holds."""
    if consent == "unknown":
        return frame
    unsaid = pl.col("consent").is_null() | (pl.col("consent") == "unknown")
    return frame.with_columns(pl.when(unsaid).then(pl.lit(consent)).otherwise("consent").alias("consent"))


def _signals(reader: Reader, known: Directory) -> _Part:
    rows = [pl.DataFrame(schema=SIGNAL_SCHEMA)]
    read, rejected = 0, list[Rejected]()
    for given in reader.signals():
        read += given.frame.frame.height
        cleaned = clean_signals(given.frame, as_of=given.source.as_of, kind=given.source.kind or "")
        attached = attach_by(cleaned.frame, known)
        lost = attached.filter(pl.col("account_id").is_null())["line"]
        rejected += cleaned.rejected
        rejected += [Rejected(cleaned.source, line, "", "account_unknown") for line in lost]
        rows.append(attached.filter(pl.col("account_id").is_not_null()).select(list(SIGNAL_SCHEMA)))
    table = pl.concat(rows)
    return _Part("signals", read, table.height, tuple(rejected), table)


def _tally(rejects: Iterable[Rejected]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for reject in rejects:
        counts[reject.reason] = counts.get(reject.reason, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def _summary(app: App, part: _Part, fingerprint: str) -> ImportSummary:
    return ImportSummary(
        what=part.what,
        fingerprint=fingerprint,
        at=app.now(),
        rows_read=part.read,
        resolved=part.kept,
        rejected=len(part.rejected),
        quarantined=len(part.quarantined),
    )


def as_json(loaded: Loaded) -> dict[str, object]:
    """The outcome as plain data."""
    data: dict[str, object] = orjson.loads(orjson.dumps(loaded))
    return data
