"""Reads what the settings name: files of the workspace and queries. Cleans and stores nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from audiences.config import CompanySource, ContactSource, SignalSource, Source
from audiences.errors import SourceUnavailable
from audiences.sources import SourceFrame, read_source
from flows.wiring import App, database_url

S = TypeVar("S", bound=Source)


@dataclass(frozen=True, slots=True)
class Seen:
    """What is left of the sources once their rows are gone, in the order they were read."""

    heights: dict[str, int] = field(default_factory=dict)  # rows per source name
    unmapped: dict[str, tuple[str, ...]] = field(default_factory=dict)  # columns nothing is made of
    notes: list[str] = field(default_factory=list)  # how odd files were read, in words

    def count(self, one: SourceFrame) -> None:
        """Note a source that was read."""
        self.heights[one.source] = one.frame.height
        if one.unmapped:
            self.unmapped[one.source] = one.unmapped
        self.notes.extend(f"{one.source}: {note}" for note in one.notes)


@dataclass(frozen=True, eq=False)
class Given(Generic[S]):
    """One source and what it gave."""

    source: S
    frame: SourceFrame


class Reader:
    """Reads each source once: what a query answered for the fingerprint is what is loaded.

    Hands out one source at a time and keeps none, so that only one need be in memory. ``seen`` grows with it.
    Reading raises an error of ``audiences.errors`` naming file, line and column.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._answers: dict[int, SourceFrame] = {}
        self.seen = Seen()

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

    def companies(self) -> Iterator[Given[CompanySource]]:
        """Sources of companies, in the order of the settings."""
        return self._each(self._app.config.sources.companies, "companies")

    def contacts(self) -> Iterator[Given[ContactSource]]:
        """Sources of people, in the order of the settings."""
        return self._each(self._app.config.sources.contacts, "contacts")

    def signals(self) -> Iterator[Given[SignalSource]]:
        """Sources of signals, in the order of the settings."""
        return self._each(self._app.config.sources.signals, "signals")

    def _each(self, sources: Sequence[S], kind: str) -> Iterator[Given[S]]:
        for source in sources:
            yield self._given(source, kind)  # and no name for it here: whoever takes it may let it go

    def _given(self, source: S, kind: str) -> Given[S]:
        frame = self._answers.pop(id(source), None) or self._fresh(source, kind)
        self.seen.count(frame)
        return Given(source, frame)

    def _digest(self, source: Source, kind: str) -> bytes:
        if source.file is not None:
            return _file_digest(self._app.workspace / source.file)
        answer = hashlib.sha256()
        self._answers[id(source)] = self._fresh(source, kind)
        for part in self._answers[id(source)].frame.iter_slices(100_000):
            answer.update(part.write_csv().encode())
        return answer.digest()

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
