"""Lists sent as one CSV file instead of streamed. It must not be mixed with streaming in one segment.

A file replaces the one before it. Source: learn.microsoft.com/en-us/linkedin/marketing/matched-audiences/
create-and-manage-list-uploads, 2026-08; limits from LinkedIn Help a1489764.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from audiences.model import AudienceSpec, AudienceState, Member, MemberKind
from platforms.errors import Garbled, PlatformError, Refused
from platforms.linkedin import restli
from platforms.linkedin.audiences import Segments
from platforms.linkedin.rest import Rest
from platforms.linkedin.settings import LinkedInSettings
from platforms.shapes import need_id
from platforms.upload_layouts import write_rows

UPLOADED = {MemberKind.COMPANY: "COMPANY_LIST_UPLOAD", MemberKind.CONTACT: "USER_LIST_UPLOAD"}
SOURCE = "LIST_UPLOAD"
FEWEST, MOST, BYTES = 300, 300_000, 20_000_000


class Uploads:
    """The CSV route of one ad account."""

    def __init__(self, settings: LinkedInSettings, rest: Rest, segments: Segments) -> None:
        self._settings, self._rest, self._segments = settings, rest, segments

    def upload(self, spec: AudienceSpec, members: Sequence[Member]) -> AudienceState:
        """Make the list hold exactly these members. 300 to 300,000 rows, at most 20 MB. Raises PlatformError.

        A segment made here whose file cannot be attached is deleted again, since it would stay empty.
        """
        content = self._content(spec.kind, members)
        media = self._send(content)
        found = self._segments.find(spec, UPLOADED[spec.kind], SOURCE)
        segment = found if found is not None else self._create(spec)
        identifier = need_id(segment)
        path = f"/dmpSegments/{restli.key(identifier)}/listUploads"
        try:
            self._segments.when_ready(identifier, lambda: self._rest.attach(path, {"inputFile": media}))
        except PlatformError:
            if found is None:
                self._segments.delete(identifier)
            raise
        return self._segments.state(spec.audience_id, identifier)

    def _content(self, kind: MemberKind, members: Sequence[Member]) -> bytes:
        stream = io.StringIO(newline="")
        rows = write_rows(stream, "linkedin", kind, (member.identifiers for member in members))
        content = stream.getvalue().encode()
        if not FEWEST <= rows <= MOST or len(content) > BYTES:
            raise Refused(f"a list file holds {FEWEST} to {MOST} rows, this one {rows}", code="list_size")
        return content

    def _send(self, content: bytes) -> str:
        reply = self._rest.action("/dmpSegments", "generateUploadUrl", {"owner": self._settings.account_urn})
        url = reply.get("value")
        host = urlsplit(url).hostname if isinstance(url, str) else None
        if not isinstance(url, str) or host not in self._settings.upload_hosts:
            raise Garbled("the upload address is not one of LinkedIn's", platform="linkedin")
        location = self._rest.upload(url, content)
        return location if location.startswith("urn:") else f"urn:li:media:{location}"

    def _create(self, spec: AudienceSpec) -> dict[str, Any]:
        return self._segments.create(spec, kind=UPLOADED[spec.kind], source=SOURCE)
