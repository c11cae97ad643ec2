"""Sources to the store: read, clean, resolve, hash. Nothing is stored unless every source could be read.

Raw personal data lives only inside ``load``: what is stored of a person is a digest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import orjson
import polars as pl

from audiences.brakes import check_sources
from audiences.clean import clean_companies, clean_contacts, clean_signals
from audiences.companies import Resolution, resolve
from audiences.companies_attach import attach
from audiences.companies_decisions import read_decisions
from audiences.config import ContactSource
from audiences.errors import ConfigError
from audiences.identity_contacts import identify_contacts
from audiences.model import Quarantined, Rejected
from audiences.scoring_frames import SIGNAL_SCHEMA
from audiences.sources import SourceFrame
from audiences.store.records import ImportSummary
from flows.load_rejects import write_rejects
from flows.load_sources import Frames, Given, Reader
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


def load(app: App, *, again: bool = False, accept_shrink: int = 0) -> Loaded:
    """Bring accounts, contacts and signals in the store in line with the sources.

    Raises an error of ``audiences.errors`` naming file, line and column, or Braked when a source lost so many
    rows that it looks half-written; the store then stays as it was.
    """
    reader = Reader(app)
    fingerprint = reader.fingerprint()
    if not again and _known(app, fingerprint):
        return _as_stored(app)
    frames = reader.frames()
    before = app.store.get(HEIGHTS, {})
    check_sources(app.config.brakes, before, frames.heights(), accept_shrink=accept_shrink)
    return _renewed(app, frames, fingerprint)


def _renewed(app: App, frames: Frames, fingerprint: str) -> Loaded:
    companies, resolution = _companies(app, frames)
    contacts = _without_erased(app, _contacts(frames.contacts, resolution))
    signals = _signals(frames, resolution)
    never = read_suppressions(app, resolution)
    at, store = app.now(), app.store
    store.suppress(never.digests, reason="suppression file", at=at)
    store.replace_account_table(resolution.account_table(), fingerprint, at)
    store.replace_contact_table(contacts.table, fingerprint, at)
    store.replace_signal_frame(signals.table, fingerprint, at)
    store.put(HEIGHTS, frames.heights(), at=at)
    parts = (contacts, signals, companies)  # accounts last: their line says that everything is in place
    refused = [reject for part in parts for reject in part.rejected]
    files = write_rejects(app.workspace, [*refused, *never.rejected], resolution.quarantined)
    _keep_files(app, [str(file) for file in files])
    for part in parts:
        store.save_import(_summary(app, part, fingerprint), part.rejected, part.quarantined)
    return Loaded(
        True,
        companies.counted(),
        contacts.counted(),
        signals.counted(),
        frames.unmapped(),
        frames.notes(),
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


def _companies(app: App, frames: Frames) -> tuple[_Part, Resolution]:
    if not frames.companies:
        raise ConfigError(
            "there is no source of companies.",
            file=CONFIG,
            field="sources.companies",
            remedy="Add a file there; evenreach map FILE --write does it.",
        )
    cleaned = [clean_companies(given.frame) for given in frames.companies]
    decided = app.config.sources.decisions
    resolution = resolve(
        pl.concat([one.frame for one in cleaned], how="diagonal_relaxed"),
        decisions=read_decisions(app.workspace / decided) if decided else None,
    )
    rejected = tuple(reject for one in cleaned for reject in one.rejected)
    kept = resolution.accounts.height
    return (
        _Part(
            "accounts",
            _rows(one.frame for one in frames.companies),
            kept,
            rejected,
            quarantined=resolution.quarantined,
        ),
        resolution,
    )


def _contacts(given: Sequence[Given[ContactSource]], resolution: Resolution) -> _Part:
    """All files at once, so that a refusal of consent in one file holds for a person of another."""
    rows: list[pl.DataFrame] = []
    rejected: list[Rejected] = []
    for one in given:
        cleaned = clean_contacts(one.frame, first_party=one.source.first_party)
        rows.append(_with_defaults(attach(cleaned.frame, resolution), one.source))
        rejected += cleaned.rejected
    if not rows:
        return _Part("contacts", 0, 0, (), NO_CONTACTS)
    people = identify_contacts(pl.concat(rows, how="diagonal_relaxed"))
    rows.clear()
    table = people.table()
    return _Part(
        "contacts", _rows(one.frame for one in given), table.height, (*rejected, *people.rejected), table
    )


def _without_erased(app: App, part: _Part) -> _Part:
    """A source may still name a person who was erased; the record does not take them back."""
    gone = [row.tobytes().hex() for row in app.store.suppressed(reason=ERASED)]
    table = part.table.filter(~pl.col("contact_id").is_in(gone)) if gone else part.table
    return replace(part, table=table, kept=table.height)


NO_CONTACTS = pl.DataFrame(
    schema={
        **dict.fromkeys(("contact_id", "account_id", "identifiers", "country"), pl.String),
        "first_party": pl.Boolean,
        **dict.fromkeys(("consent", "function", "seniority"), pl.String),
    }
)


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


def _signals(frames: Frames, resolution: Resolution) -> _Part:
    rows = [pl.DataFrame(schema=SIGNAL_SCHEMA)]
    rejected: list[Rejected] = []
    for given in frames.signals:
        cleaned = clean_signals(given.frame, as_of=given.source.as_of, kind=given.source.kind or "")
        attached = attach(cleaned.frame, resolution)
        lost = attached.filter(pl.col("account_id").is_null())["line"]
        rejected += cleaned.rejected
        rejected += [Rejected(cleaned.source, line, "", "account_unknown") for line in lost]
        rows.append(attached.filter(pl.col("account_id").is_not_null()).select(list(SIGNAL_SCHEMA)))
    table = pl.concat(rows)
    return _Part("signals", _rows(one.frame for one in frames.signals), table.height, tuple(rejected), table)


def _rows(frames: Iterable[SourceFrame]) -> int:
    return sum(source.frame.height for source in frames)


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
