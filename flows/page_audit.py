"""The audit log as the page shows it: titles instead of ids, and which run of the engine did what. Reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from audiences.store.records import AuditLine as Stored
from flows.page_segments import Segments
from flows.web.views import AuditLine

LOOKED_AT = 5_000  # newest lines in which runs are looked for
_IDS = ("batch", "plan", "proposal")  # what a detail may name, by the first letters of its id


class Audits(Segments):
    """Who did what, in order."""

    def audit(self, limit: int) -> Sequence[AuditLine]:
        """Newest first."""
        names = self._list_names()
        return [self._told(line, names) for line in self.app.store.audit_tail(limit)]

    def _told(self, line: Stored, names: Mapping[str, str]) -> AuditLine:
        said_by = str(line.detail.get("by", ""))
        facts = {k: str(v) for k, v in line.detail.items() if k not in ("run", "by") and v is not None}
        return AuditLine(
            at=line.at,
            who=said_by or line.who,
            action=line.what,
            subject=names.get(line.subject) or self._title(line.subject),
            detail=", ".join(f"{key.replace('_', ' ')} {_short(value)}" for key, value in facts.items()),
            facts=facts,
            link=self.run_link(str(line.detail.get("run", ""))),
        )

    def _list_names(self) -> dict[str, str]:
        """List id -> its name, with its band where it has one."""
        records = self.app.store.audiences()
        return {record.spec.audience_id: record.spec.name for record in records}

    # -- runs of the engine ---------------------------------------------------------

    def run_link(self, run: str) -> str:
        """Where Prefect shows one run; "" without its UI."""
        return f"{self.prefect_ui}/runs/flow-run/{run}" if self.prefect_ui and run else ""

    def _engine_runs(self) -> dict[str, str]:
        """First letters of a batch's or plan's id -> the run that carried it out, of the newest lines."""
        if not self.prefect_ui:
            return {}
        found: dict[str, str] = {}
        for line in self.app.store.audit_tail(LOOKED_AT):
            run = line.detail.get("run")
            found |= {str(line.detail[name]): str(run) for name in _IDS if run and name in line.detail}
        return found

    def _collections(self) -> Sequence[Stored]:
        """Lines of collected reports, newest first."""
        return [line for line in self.app.store.audit_tail(LOOKED_AT) if line.what == "reports collected"]


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."
