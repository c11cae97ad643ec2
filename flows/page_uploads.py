"""Dropped files: read, mapped, checked, forgotten. Their content stays in memory, for a while, and is never stored."""

from __future__ import annotations

import hashlib
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from audiences.errors import UnknownColumns
from audiences.model import MemberKind, Rejected
from audiences.sources import propose_mapping, read_source
from audiences.sources_layout import IDENTIFYING
from audiences.sources_mapping import SourceFrame
from flows.push import KINDS, OneOffList, read_list, takes
from flows.report.catalogue import say
from flows.wiring import App

KEPT_SECONDS = 30 * 60.0
KEPT_FILES = 20
UNUSED = "attribute:unused"  # where columns go that nobody reads


@dataclass(frozen=True)
class Upload:
    """One dropped file under one mapping, and what it came to per platform."""

    file_name: str
    content: bytes = field(repr=False)
    at: float
    headers: tuple[str, ...] = ()
    mapping: Mapping[str, str] = field(default_factory=dict)  # header -> field, "" = not used
    filled: Mapping[str, float] = field(default_factory=dict)  # header -> part of the rows with a value
    lists: Mapping[str, OneOffList] = field(default_factory=dict)  # platform -> who would be on its list
    unread: tuple[Rejected, ...] = ()  # rows the file's own faults keep out
    problem: str = ""
    kind: str = "contact"
    rows: int = 0
    vouched_by: str = ""  # who said that all these people gave their details themselves, and agreed to ads

    @property
    def digest(self) -> str:
        """Hex SHA-256 of who would be on the lists: the same file under the same mapping gives the same."""
        digest = hashlib.sha256()
        for platform, one in sorted(self.lists.items()):
            digest.update(platform.encode() + b"\n" + one.members.keys.tobytes())
        return digest.hexdigest()

    @property
    def any_list(self) -> OneOffList | None:
        """The list that carries the most; platforms differ in whom they take."""
        return max(self.lists.values(), key=lambda one: len(one.members), default=None)

    def rejected(self) -> tuple[Rejected, ...]:
        """Rows and cells that were not taken over, without their values."""
        return self.any_list.rejected if self.any_list else self.unread


@dataclass
class Uploads:
    """The files that are being looked at, newest last."""

    held: dict[str, Upload] = field(default_factory=dict)
    guard: threading.Lock = field(default_factory=threading.Lock)

    def keep(self, upload: Upload) -> str:
        """Hold a file and return its id, the same for the same content under the same name."""
        key = hashlib.sha256(upload.file_name.encode() + b"\n" + upload.content).hexdigest()[:16]
        with self.guard:
            self.held.pop(key, None)
            self.held[key] = upload
            fresh = [k for k, one in self.held.items() if time.monotonic() - one.at < KEPT_SECONDS]
            self.held = {k: self.held[k] for k in fresh[-KEPT_FILES:]}
        return key

    def get(self, key: str) -> Upload | None:
        found = self.held.get(key)
        return found if found and time.monotonic() - found.at < KEPT_SECONDS else None

    def forget_content(self, key: str) -> None:
        """Let go of the raw rows; what was made of them stays to be looked at."""
        if key in self.held:
            self.held[key] = replace(self.held[key], content=b"")


def read_upload(
    app: App, name: str, content: bytes, mapping: Mapping[str, str] | None, *, vouched_by: str = ""
) -> Upload:
    """Read a file for every platform that takes its kind. Raises an error of ``audiences.errors``.

    mapping     header -> field; None lets the layouts recognise the columns
    vouched_by  who says that the people gave their details themselves and agreed to ads, "" for nobody
    A file none of whose columns identify anybody comes back with ``problem`` set, to be mapped by hand.
    """
    upload = Upload(name, content, time.monotonic(), vouched_by=vouched_by)
    said = bool(vouched_by)
    with tempfile.TemporaryDirectory(prefix="evenreach-") as room:  # mode 0700, gone when the block ends
        path = Path(room) / _plain(name)
        path.write_bytes(content)
        kind = "" if mapping is None else _kind(mapping)
        columns = None if mapping is None else _columns(mapping, kind)
        try:
            source = read_source(path, name=name, kind=kind, columns=columns)
        except UnknownColumns:
            headers = propose_mapping(path).unmapped
            known = dict.fromkeys(headers, "") | {h: f for h, f in (mapping or {}).items() if h in headers}
            return replace(upload, headers=headers, mapping=known, problem=say("push.preview.nobody"))
        upload = _described(upload, source, mapping)
        if source.kind not in KINDS:
            return replace(upload, problem=say("push.preview.neither"))
        if not IDENTIFYING[source.kind] & source.mapping.keys():
            return replace(upload, problem=say("push.preview.nobody"))
        takers = [p for p in app.config.platforms.names() if KINDS[source.kind] in takes(app, p)]
        lists = {
            p: read_list(app, path, p, kind=kind, columns=columns, first_party=said, consented=said)
            for p in takers
        }
    return replace(upload, lists=lists)


def _described(upload: Upload, source: SourceFrame, mapping: Mapping[str, str] | None) -> Upload:
    """What the columns were taken for, and how full they are."""
    rows = max(source.frame.height, 1)
    taken: dict[str, str] = {}
    filled: dict[str, float] = {}
    for column, headers in source.mapping.items():
        for header in headers:
            taken[header] = "" if column == UNUSED else _field(column)
            if column in source.frame.columns and column != UNUSED:
                filled[header] = 1.0 - source.frame[column].null_count() / rows
    named = {*taken, *source.unmapped, *(mapping or ())}
    headers = tuple(dict.fromkeys(header for header in source.header if header in named))
    chosen = {header: taken.get(header, "") for header in headers}
    kind = KINDS.get(source.kind, MemberKind.CONTACT)
    rejected = tuple(source.rejected)
    return replace(
        upload, headers=headers, mapping=chosen, filled=filled, kind=str(kind), rows=source.frame.height,
        unread=rejected,
    )  # fmt: skip


def _field(column: str) -> str:
    """A canonical column as the page's field; a column the page does not offer is used all the same."""
    return {"name": "company_name", "company": "company_name", "website": "domain"}.get(column, column)


def _kind(mapping: Mapping[str, str]) -> str:
    personal = {"email", "phone", "given_name", "family_name"}
    return "contacts" if personal & set(mapping.values()) else "companies"


def _columns(mapping: Mapping[str, str], kind: str) -> dict[str, list[str]]:
    """Canonical column -> headers; what is not used goes into a column that nobody reads."""
    name = "name" if kind == "companies" else "company"
    columns: dict[str, list[str]] = {}
    for header, field_name in mapping.items():
        column = UNUSED if not field_name else name if field_name == "company_name" else field_name
        columns.setdefault(column, []).append(header)
    return columns


def _plain(name: str) -> str:
    """A file name that is safe in a folder of ours; the ending is kept, it says what the file is."""
    ending = "".join(Path(name).suffixes[-2:])
    return "list" + "".join(c for c in ending if c.isalnum() or c == ".")[:20]
