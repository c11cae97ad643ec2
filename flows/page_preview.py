"""Dropped files on the page: what they hold, how their columns are read, what pushing them would do. Sends nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from audiences.membership_delta import delta
from audiences.model import Rejected
from audiences.segments_reach import MATCH_RATES, best_identifiers, expected
from flows import push
from flows.page_part import in_page_words
from flows.page_runs import Runs
from flows.page_uploads import Upload, Uploads, read_upload
from flows.report.catalogue import say, table
from flows.report.code_words import left_out
from flows.web.errors import NotFound
from flows.web.views import ColumnChoice, PushForecast, PushPreview


@dataclass
class Previews(Runs):
    """Files that are being looked at."""

    uploads: Uploads = field(default_factory=Uploads)

    def push_preview(
        self, content: bytes, name: str, *, mapping: Mapping[str, str] | None, who: str
    ) -> PushPreview:
        """Read a file and say what pushing it would do; send nothing. Raises Invalid for one that is no table."""
        return self._preview(self.uploads.keep(self._read(name, content, mapping)))

    def push_shown(self, preview_id: str) -> PushPreview:
        return self._preview(preview_id)

    def push_remap(
        self, preview_id: str, mapping: Mapping[str, str], *, who: str, vouched: bool = False
    ) -> PushPreview:
        """The same file under a corrected mapping; ``vouched``: ``who`` says the people agreed."""
        held = self._upload(preview_id)
        if not held.content:
            raise NotFound(say("push.preview.confirmed"))
        read = self._read(held.file_name, held.content, mapping, vouched_by=who if vouched else "")
        return self._preview(self.uploads.keep(read))

    def push_rejects(self, preview_id: str) -> Sequence[Rejected]:
        return self._upload(preview_id).rejected()

    def _read(
        self, name: str, content: bytes, mapping: Mapping[str, str] | None, *, vouched_by: str = ""
    ) -> Upload:
        with in_page_words({"file": say("push.preview.no_table")}):
            return read_upload(self.app, name, content, mapping, vouched_by=vouched_by)

    def _upload(self, preview_id: str) -> Upload:
        found = self.uploads.get(preview_id)
        if found is None:
            raise NotFound(say("push.preview.gone"))
        return found

    def _preview(self, preview_id: str) -> PushPreview:
        upload = self._upload(preview_id)
        name = _title(upload.file_name)
        forecasts = tuple(self._forecast(upload, platform, name) for platform in upload.lists)
        known = table("push.field")
        others = (f for f in upload.mapping.values() if f and f not in known)
        fields = {**known, **{f: f.replace("_", " ").capitalize() for f in others}}
        found = upload.any_list
        problems = (upload.problem,) if upload.problem else ()
        if not problems and not upload.lists:
            problems = (say("push.preview.no_platform", kind=upload.kind),)
        reasons = Counter(one.reason for one in upload.rejected())
        return PushPreview(
            preview_id=preview_id,
            file_name=upload.file_name,
            kind=upload.kind,
            rows=upload.rows,
            usable=len(found.members) if found else 0,
            rejected=len({one.line for one in upload.rejected()}),
            reasons=dict(reasons.most_common()),
            columns=tuple(ColumnChoice(h, f, upload.filled.get(h)) for h, f in upload.mapping.items()),
            fields=tuple(fields.items()),
            forecasts=forecasts,
            suggested_name=name,
            unchanged=bool(forecasts) and all(self._unchanged(upload, f, name) for f in forecasts),
            problems=problems,
            vouched_by=upload.vouched_by,
        )

    def _forecast(self, upload: Upload, platform: str, name: str) -> PushForecast:
        found = upload.lists[platform]
        spec = push.one_off_spec(name, platform, found.kind, "")
        ledger = self.app.store.audience(spec.audience_id)
        adds, removes, note = len(found.members), 0, ""
        if ledger is not None:
            standing = self.app.store.ledger_keys(spec.audience_id)
            change = delta(
                spec.audience_id, found.members, ledger_keys=standing.keys, base_version=standing.version
            )
            adds, removes = len(change.adds), len(change.removes)
        if found.left_out:
            note = say("push.preview.left_out", whom=left_out(found.left_out))
        rates = MATCH_RATES.get(platform, {})
        low, high = expected(best_identifiers(found.members, rates), rates)
        total, minimum = len(found.members), int(self.app.platform(platform).capabilities.minimum_audience)
        people = upload.kind == "contact"
        return PushForecast(
            platform=platform,
            adds=adds,
            removes=removes,
            match_low=low / total if total else None,
            match_high=high / total if total else None,
            minimum=minimum,
            enough=(True if low >= minimum else False if high < minimum else None) if people else None,
            note=note,
        )

    def _unchanged(self, upload: Upload, forecast: PushForecast, name: str) -> bool:
        spec = push.one_off_spec(name, forecast.platform, upload.lists[forecast.platform].kind, "")
        known = self.app.store.audience(spec.audience_id) is not None
        return known and not forecast.adds and not forecast.removes


def _title(file_name: str) -> str:
    """``Leads Berlin 2026.csv`` as the name of a list."""
    return file_name.partition(".")[0].replace("_", " ").strip()[:120] or "List"
