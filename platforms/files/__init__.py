"""Lists as CSV files in the upload layouts of LinkedIn and Google, for teams without API access.

The whole platform is this folder and one line in the registry. It must never write outside its directory.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import orjson

from audiences.model import (
    AudienceSpec,
    AudienceState,
    AudienceStatus,
    IdentifierKind,
    MemberKind,
    Op,
    PushBatch,
    Receipt,
    RowResult,
    RowStatus,
)
from platforms.contract import Capabilities
from platforms.errors import Gone, Refused
from platforms.member_journal import Journal
from platforms.upload_layouts import TEMPLATES, matchable, write_rows

__all__ = ["CAPABILITIES", "Files", "FilesSettings"]

CAPABILITIES = Capabilities(
    platform="files",
    member_kinds=(MemberKind.COMPANY, MemberKind.CONTACT),
    identifiers=(
        IdentifierKind.PAGE,
        IdentifierKind.DOMAIN,
        IdentifierKind.EMAIL_DOMAIN,
        IdentifierKind.NAME,
        IdentifierKind.COUNTRY,
        IdentifierKind.EMAIL,
        IdentifierKind.PHONE,
        IdentifierKind.GIVEN_NAME,
        IdentifierKind.FAMILY_NAME,
        IdentifierKind.POSTAL_CODE,
        IdentifierKind.REGION_CODE,
    ),
    batch_size=10_000,
    answers_per_row=True,
    settles_later=False,
    minimum_audience=300,
    maximum_lists=None,
    account_report=False,
    campaigns=False,
    needs_consent=True,  # the same list is written for Google too
    needs_first_party=True,
    membership_life=None,
    keep_alive=None,
    first_build=timedelta(0),
    update_latency=timedelta(0),
    report_latency=timedelta(0),
    poll_every=timedelta(0),
    notes=(
        "A person uploads the files; what the platform then matches is not known here.",
        "People are listed by Google's rules, since a file of each list is meant for Google.",
        "LinkedIn replaces a list by the uploaded file and wants at least 300 rows.",
        "Campaigns are not touched and no report is read: a person does both.",
    ),
)

ACCEPTED = RowResult(RowStatus.ACCEPTED)
NO_IDENTIFIER = RowResult(RowStatus.REJECTED, "no_usable_identifier")
_FOLDER = re.compile(r"[a-z0-9-]{1,60}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class FilesSettings:
    """Where the lists go. ``layouts``: which upload files are written; companies exist for LinkedIn only."""

    directory: Path
    layouts: tuple[str, ...] = ("google", "linkedin")

    def __post_init__(self) -> None:
        if not set(self.layouts) <= {"google", "linkedin"}:
            raise ValueError("layouts are google and linkedin")


class Files:
    """Implements AudiencePlatform: one folder per list, holding its changes and the file to upload."""

    def __init__(self, settings: FilesSettings, clock: Callable[[], datetime]) -> None:
        self._settings, self._clock = settings, clock

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    def check(self) -> tuple[str, ...]:
        """Findings in plain words; the directory is made if it can be."""
        try:
            self._settings.directory.mkdir(parents=True, exist_ok=True)
        except OSError:
            return ("The directory for list files cannot be made.",)
        return ()

    def find_or_create(self, spec: AudienceSpec) -> AudienceState:
        """The folder of this audience id; its name never changes, so the call is repeatable."""
        folder = self._settings.directory / folder_name(spec.audience_id)
        folder.mkdir(parents=True, exist_ok=True)
        about = {"audience_id": spec.audience_id, "name": spec.name, "kind": spec.kind.value}
        (folder / "list.json").write_bytes(orjson.dumps(about, option=orjson.OPT_INDENT_2))
        return self.state(spec.audience_id, folder.name)

    def state(self, audience_id: str, external_id: str) -> AudienceState:
        """Also brings the upload files up to date with every batch pushed so far."""
        folder = self._folder(external_id)
        if not (folder / "list.json").is_file():
            return AudienceState(audience_id, external_id, None, AudienceStatus.GONE)
        self._refresh(folder)
        return AudienceState(audience_id, external_id, None, AudienceStatus.READY)

    def push(self, batch: PushBatch) -> Receipt:
        """Note the change; the same batch twice is one change. Raises Gone when the folder was removed."""
        if len(batch.members) > CAPABILITIES.batch_size:
            raise Refused(f"a batch of {len(batch.members)} members is too large", code="batch_size")
        folder = self._folder(batch.external_id)
        if not (folder / "list.json").is_file():
            raise Gone("the folder of this list was removed", platform="files")
        usable = [matchable(batch.kind, member.identifiers) for member in batch.members]
        kept = [member for member, good in zip(batch.members, usable, strict=True) if good]
        if kept:
            Journal(folder).note(batch.batch_id, kept, add=batch.op is Op.ADD)
        return Receipt(batch.batch_id, tuple(ACCEPTED if good else NO_IDENTIFIER for good in usable))

    def settle(self, batch: PushBatch, request_id: str) -> Receipt:
        """A file is written or it is not: noting the same batch again changes nothing."""
        return self.push(batch)

    def delete(self, external_id: str) -> None:
        """Remove the folder; one that is gone already is a success."""
        folder = self._folder(external_id)
        if (folder / "list.json").is_file():
            shutil.rmtree(folder)

    def uploads(self, external_id: str) -> tuple[Path, ...]:
        """The files to upload, up to date."""
        folder = self._folder(external_id)
        self._refresh(folder)
        return tuple(sorted(folder.glob("upload-*.csv")))

    def _refresh(self, folder: Path) -> None:
        journal = Journal(folder)
        if journal.current():
            return
        kind = MemberKind(orjson.loads((folder / "list.json").read_bytes())["kind"])
        members = journal.members()
        for layout in self._settings.layouts:
            if (layout, kind) in TEMPLATES:
                _write(folder / f"upload-{layout}.csv", layout, kind, members)
        journal.mark_current()

    def _folder(self, external_id: str) -> Path:
        if not _FOLDER.fullmatch(external_id):
            raise Refused("not the id of a list", platform="files", code="external_id")
        return self._settings.directory / external_id


def _write(path: Path, layout: str, kind: MemberKind, members: dict[str, list[list[str]]]) -> None:
    """In one step, readable by its owner only."""
    draft = path.with_suffix(".draft")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
        write_rows(stream, layout, kind, members.values())
    os.replace(draft, path)


def folder_name(audience_id: str) -> str:
    """Readable and unique: words of the id, then twelve digits of its hash."""
    words = re.sub(r"[^a-z0-9]+", "-", audience_id.lower()).strip("-")[:60].strip("-") or "list"
    return f"{words}-{hashlib.sha256(audience_id.encode()).hexdigest()[:12]}"
