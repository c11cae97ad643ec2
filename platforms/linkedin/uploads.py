"""Lists sent whole, as one CSV file, instead of streamed. It must not be mixed with streaming in one segment.

A file replaces the one before it. Source: learn.microsoft.com/en-us/linkedin/marketing/matched-audiences/
create-and-manage-list-uploads, 2026-08; limits from LinkedIn Help a1489764.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from audiences.model import (
    AudienceSpec,
    AudienceState,
    AudienceStatus,
    MemberKind,
    Op,
    PushBatch,
    Receipt,
    RowResult,
    RowStatus,
)
from platforms.errors import Garbled, Gone, Refused
from platforms.linkedin import restli
from platforms.linkedin.audiences import Segments
from platforms.linkedin.members import ACCEPTED, NO_IDENTIFIER
from platforms.linkedin.rest import Rest
from platforms.linkedin.settings import LinkedInSettings
from platforms.member_journal import Journal
from platforms.upload_layouts import Identifiers, fits, write_rows

UPLOADED = {MemberKind.COMPANY: "COMPANY_LIST_UPLOAD", MemberKind.CONTACT: "USER_LIST_UPLOAD"}
SOURCE = "LIST_UPLOAD"
FEWEST, MOST, BYTES = 300, 300_000, 20_000_000


NOTED = RowResult(RowStatus.UNKNOWN, "waits_for_the_upload", retryable=True)


class Uploads:
    """The lists of one ad account, by CSV. What is on each is kept in ``directory``: LinkedIn never tells.

    ``push`` notes a change, ``settle`` sends the list as it then is; several changes travel in one file.
    """

    def __init__(self, settings: LinkedInSettings, rest: Rest, segments: Segments, directory: Path) -> None:
        self._settings, self._rest, self._segments = settings, rest, segments
        self._directory = directory

    def find_or_create(self, spec: AudienceSpec) -> AudienceState:
        """The upload segment whose ``sourceSegmentId`` is the audience id, created once and empty."""
        kind = UPLOADED[spec.kind]
        found = self._segments.find(spec, kind, SOURCE)
        return self._segments.shown(
            spec.audience_id, found or self._segments.create(spec, kind=kind, source=SOURCE)
        )

    def state(self, audience_id: str, external_id: str) -> AudienceState:
        """See ``Segments.state``."""
        return self._segments.state(audience_id, external_id)

    def push(self, batch: PushBatch) -> Receipt:
        """Note the change; its rows stay unknown until ``settle``. The same batch twice is one change."""
        if len(batch.members) > self._settings.batch_size:
            raise Refused(f"a batch of {len(batch.members)} members is too large", code="batch_size")
        usable = _usable(batch)
        if not any(usable):
            return Receipt(batch.batch_id, (NO_IDENTIFIER,) * len(usable))
        self._check(batch)
        kept = [member for member, good in zip(batch.members, usable, strict=True) if good]
        self._journal(batch.external_id).note(batch.batch_id, kept, add=batch.op is Op.ADD)
        rows = tuple(NOTED if good else NO_IDENTIFIER for good in usable)
        return Receipt(batch.batch_id, rows, request_id=batch.batch_id, settled=False)

    def settle(self, batch: PushBatch, request_id: str) -> Receipt:
        """Send the whole list unless it was sent since the change was noted. Raises PlatformError.

        A list file holds 300 to 300,000 rows and at most 20 MB; a smaller list is refused and stays as it was.
        """
        journal = self._journal(batch.external_id)
        if not journal.current():
            members = journal.members().values()
            content = self._content(batch.kind, members)
            media = self._send(content)
            path = f"/dmpSegments/{restli.key(batch.external_id)}/listUploads"
            attach = {"inputFile": media}
            self._segments.when_ready(batch.external_id, lambda: self._rest.attach(path, attach))
            journal.mark_current()
        rows = tuple(ACCEPTED if good else NO_IDENTIFIER for good in _usable(batch))
        return Receipt(batch.batch_id, rows, request_id=request_id)

    def delete(self, external_id: str) -> None:
        """Remove the segment, and what was kept of it."""
        self._segments.delete(external_id)
        with suppress(FileNotFoundError):
            shutil.rmtree(self._folder(external_id))

    def _check(self, batch: PushBatch) -> None:
        """Raises Gone, or Refused where LinkedIn holds members nobody here knows: a file would drop them."""
        state = self._segments.state(batch.audience_id, batch.external_id)
        if state.status is AudienceStatus.GONE:
            raise Gone("the segment was deleted", platform="linkedin", status=404)
        if state.audience_size is not None and not self._journal(batch.external_id).begun():
            words = "what this list holds is not kept here; delete it on LinkedIn, then it is made and filled anew"
            raise Refused(words, platform="linkedin", code="membership_unknown")

    def _content(self, kind: MemberKind, members: Iterable[Identifiers]) -> bytes:
        stream = io.StringIO(newline="")
        rows = write_rows(stream, "linkedin", kind, members)
        content = stream.getvalue().encode()
        if not FEWEST <= rows <= MOST or len(content) > BYTES:
            words = (
                f"a list file holds {FEWEST} to {MOST:,} rows in {BYTES // 1_000_000} MB, this one {rows:,}"
            )
            words += "; to take everybody off it, delete the list on LinkedIn" if rows < FEWEST else ""
            raise Refused(words, platform="linkedin", code="list_size")
        return content

    def _send(self, content: bytes) -> str:
        reply = self._rest.action("/dmpSegments", "generateUploadUrl", {"owner": self._settings.account_urn})
        url = reply.get("value")
        host = urlsplit(url).hostname if isinstance(url, str) else None
        if not isinstance(url, str) or host not in self._settings.upload_hosts:
            raise Garbled("the upload address is not one of LinkedIn's", platform="linkedin")
        location = self._rest.upload(url, content)
        return location if location.startswith("urn:") else f"urn:li:media:{location}"

    def _journal(self, external_id: str) -> Journal:
        return Journal(self._folder(external_id))

    def _folder(self, external_id: str) -> Path:
        if not external_id.isdigit():
            raise Refused("not the id of a segment", platform="linkedin", code="external_id")
        return self._directory / f"segment-{external_id}"


def _usable(batch: PushBatch) -> list[bool]:
    return [fits("linkedin", batch.kind, member.identifiers) for member in batch.members]
