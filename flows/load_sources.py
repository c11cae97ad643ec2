"""Reads what the settings name: files of the workspace and queries. Cleans and stores nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from audiences.config import CompanySource, ContactSource, SignalSource, Source
from audiences.errors import SourceUnavailable
from audiences.sources import SourceFrame, read_source
from flows.wiring import App, database_url

S = TypeVar("S", bound=Source)


@dataclass(frozen=True, eq=False)
class Frames:
    """What every source gave, beside its settings. Raw: it must not outlive the load."""

    companies: tuple[Given[CompanySource], ...]
    contacts: tuple[Given[ContactSource], ...]
    signals: tuple[Given[SignalSource], ...]

    def everything(self) -> Iterator[SourceFrame]:
        """What each source gave, in the order of the settings."""
        yield from (given.frame for given in self.companies)
        yield from (given.frame for given in self.contacts)
        yield from (given.frame for given in self.signals)

    def heights(self) -> dict[str, int]:
        """Rows per source name."""
        return {one.source: one.frame.height for one in self.everything()}

    def unmapped(self) -> dict[str, tuple[str, ...]]:
        """Columns nothing is made of, per source that has some."""
        return {one.source: one.unmapped for one in self.everything() if one.unmapped}

    def notes(self) -> tuple[str, ...]:
        """How odd files were read, in words."""
        return tuple(f"{one.source}: {note}" for one in self.everything() for note in one.notes)


@dataclass(frozen=True, eq=False)
class Given(Generic[S]):
    """One source and what it gave."""

    source: S
    frame: SourceFrame


class Reader:
    """Reads each source once: what a query answered for the fingerprint is what is loaded."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._answers: dict[int, SourceFrame] = {}

    def fingerprint(self) -> str:
        """SHA-256 over the settings of the sources, every file they name, and every query's answer."""
        sources = self._app.config.sources
        digest = hashlib.sha256(sources.model_dump_json().encode())
        for kind, part in (
            ("companies", sources.companies),
            ("contacts", sources.contacts),
            ("signals", sources.signals),
        ):
            for source in part:
                digest.update(self._digest(source, kind))
        for extra in (sources.decisions, sources.suppressions):
            digest.update(_file_digest(self._app.workspace / extra) if extra else b"-")
        return digest.hexdigest()

    def frames(self) -> Frames:
        """Every source, read. Raises an error of ``audiences.errors`` naming file, line and column."""
        sources = self._app.config.sources
        return Frames(
            self._each(sources.companies, "companies"),
            self._each(sources.contacts, "contacts"),
            self._each(sources.signals, "signals"),
        )

    def _each(self, sources: Sequence[S], kind: str) -> tuple[Given[S], ...]:
        return tuple(Given(source, self._read(source, kind)) for source in sources)

    def _digest(self, source: Source, kind: str) -> bytes:
        if source.file is not None:
            return _file_digest(self._app.workspace / source.file)
        answer = hashlib.sha256()
        for part in self._read(source, kind).frame.iter_slices(100_000):
            answer.update(part.write_csv().encode())
        return answer.digest()

    def _read(self, source: Source, kind: str) -> SourceFrame:
        if source.sql is None:
            return self._fresh(source, kind)
        if id(source) not in self._answers:
            self._answers[id(source)] = self._fresh(source, kind)
        return self._answers[id(source)]

    def _fresh(self, source: Source, kind: str) -> SourceFrame:
        """Without a layout of its own a source is recognised by its columns."""
        layout = source.layout if "layout" in source.model_fields_set and source.layout != "auto" else ""
        if source.sql is None:
            return read_source(
                self._app.workspace / str(source.file),
                name=name_of(source),
                kind=kind,
                layout=layout,
                columns=source.columns,
                sheet=source.sheet or "",
            )
        from audiences.sources_sql import read_query

        return read_query(
            database_of(self._app, source),
            str(source.query),
            name=name_of(source),
            kind=kind,
            layout=layout,
            columns=source.columns,
        )


def name_of(source: Source) -> str:
    """What a source is called in every message and file."""
    return source.name or source.file or "query"


def database_of(app: App, source: Source) -> str:
    """The address of an SQL source; ``env:NAME`` is looked up. Raises SettingMissing.

    An SQLite path is relative to the workspace.
    """
    address = str(source.sql)
    if address.startswith("env:"):
        address = app.settings.named(address).get_secret_value()
    return database_url(address, app.workspace)


def _file_digest(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        raise SourceUnavailable(f"it cannot be opened ({error.strerror}).", file=path.name) from None
