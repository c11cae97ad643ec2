"""The page's overview and share reports, from stored reports. Computed once per state of the data; reads only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from audiences.store.records import AudienceRecord, PlanStatus
from audiences.store.report_records import ReportWindow
from balancer.types import Bounded
from flows import reporting
from flows.bands import band_campaigns
from flows.exposure import share_table
from flows.page_part import PagePart, in_page_words
from flows.report import formats
from flows.report.catalogue import say
from flows.report.model import ReportPage
from flows.report.pieces import ListLine
from flows.web.errors import NotFound, NothingYet
from flows.web.views import Overview, SegmentLine, Waiting

SHORTEST = timedelta(days=13)  # a window of two weeks or more is a report; shorter ones are its weekly points
MOST_WEEKS = 16  # a quarter, and the weeks before it that say how much the share wavers by itself
KEPT = 8  # reports held in memory; each carries every account


@dataclass(frozen=True, slots=True)
class Span:
    """One collected window of a balanced segment, and when it was last read."""

    start: date
    end: date
    fetched_at: datetime

    @property
    def key(self) -> str:
        return f"{self.start}..{self.end}"

    @property
    def days(self) -> tuple[date, date]:
        return self.start, self.end


class Reports(PagePart):
    """Overview, segments' lines, windows and reports."""

    def overview(self) -> Overview:
        """Segments with their standing, and what waits for a person."""
        waiting = [
            Waiting(
                say("overview.plan", segment=self._title(record.segment)),
                f"/plans/{record.plan_id}",
                record.created_at,
            )
            for record in self.app.store.plans(status=PlanStatus.PROPOSED)
        ]
        return Overview(tuple(self.segments()), tuple(waiting), sandbox=self.app.sandbox is not None)

    def segments(self) -> Sequence[SegmentLine]:
        return tuple(self.segment_line(name) for name in self.app.config.segments)

    def segment_line(self, name: str) -> SegmentLine:
        """One segment as the tables show it. The share comes from the newest report."""
        segment = self.app.config.segments[self.known(name)]
        version = self.app.store.segment_version(name)
        records = self.app.store.audiences(segment=name)
        share, coverage = self._headline(name)
        touched = [record.touched_at for record in records if record.touched_at]
        sizes = [self.app.store.ledger_counts(r.spec.audience_id) for r in records if r.spec.band is None]
        return SegmentLine(
            name=name,
            title=segment.title or name,
            accounts=len(version.account_ids) if version else None,
            members=sum(counts.accepted + counts.unknown for counts in sizes) if sizes else None,
            lists=tuple(self._list_line(record) for record in records if record.spec.band is None),
            last_sync=max(touched, default=None),
            top_share=share,
            coverage=coverage,
            waiting=len(self.app.store.plans(segment=name, status=PlanStatus.PROPOSED)),
            negative=segment.kind == "negative",
            held_out=len(version.holdout_ids) if version else 0,
        )

    def _list_line(self, record: AudienceRecord) -> ListLine:
        counts = self.app.store.ledger_counts(record.spec.audience_id)
        return ListLine(
            name=record.spec.name,
            platform=record.spec.platform,
            kind=str(record.spec.kind),
            accepted=counts.accepted,
            rejected=counts.rejected,
            unknown=counts.unknown + counts.pending_adds,
            status=str(record.state.status) if record.state else "",
            audience_size=record.state.audience_size if record.state else None,
        )

    def _title(self, name: str) -> str:
        segment = self.app.config.segments.get(name)
        return segment.title or name if segment else name

    def _headline(self, name: str) -> tuple[Bounded | None, Bounded | None]:
        spans = self._spans(name)
        if not spans:
            return None, None
        table = self._table(name, spans[0])
        return table.top_share, table.coverage_even

    # -- windows ----------------------------------------------------------------

    def windows(self, segment: str) -> Sequence[tuple[str, str]]:
        """(key, label) of the windows that were collected whole, newest first."""
        spans = self._spans(self.known(segment))
        return [
            (
                "latest" if i == 0 else span.key,
                say("segment.report.days", days=(span.end - span.start).days + 1, end=formats.day(span.end)),
            )
            for i, span in enumerate(spans)
        ]

    def report(self, segment: str, window: str) -> ReportPage:
        """The page model of one window, compared with the one before balancing. Raises NothingYet."""
        spans = self._spans(self.known(segment))
        if not spans:
            raise NothingYet(say("error.no_report"))
        named = {span.key: span for span in spans} | {"latest": spans[0]}
        if window not in named:
            raise NotFound(say("error.no_window"))
        chosen = named[window]
        earlier = self._before_balancing(segment, chosen, spans)
        weeks = self._weeks(segment, chosen.end - timedelta(weeks=MOST_WEEKS), chosen.end)
        plan = self.app.store.latest_plan(segment)
        rests_on = (chosen, earlier, weeks, plan.plan_id if plan else "", plan.status if plan else "")
        found: ReportPage = self.once(
            ("report", segment, *rests_on), lambda: self._page(segment, *rests_on[:3])
        )
        return found

    def _page(self, segment: str, chosen: Span, earlier: Span | None, weeks: tuple[Span, ...]) -> ReportPage:
        with in_page_words():
            return reporting.report(
                self.app,
                segment,
                chosen.days,
                earlier=earlier.days if earlier else None,
                weeks=[week.days for week in weeks],
            ).page

    def _spans(self, segment: str) -> tuple[Span, ...]:
        """Windows of two weeks and more, newest end first."""
        return tuple(span for span in self._collected(segment) if span.end - span.start >= SHORTEST)

    def _weeks(self, segment: str, first: date, last: date) -> tuple[Span, ...]:
        """The collected weeks inside [first, last], oldest first, at most the newest ``MOST_WEEKS``."""
        week = timedelta(days=6)
        inside = [s for s in self._collected(segment) if s.end - s.start == week and first <= s.start]
        return tuple(sorted((s for s in inside if s.end <= last), key=lambda s: s.start))[-MOST_WEEKS:]

    def _collected(self, segment: str) -> list[Span]:
        if self.app.config.segments[segment].balance is None:
            return []
        campaigns = band_campaigns(self.app, segment)
        found: dict[tuple[date, date], Span] = {}
        for window in self._stored(campaigns.platform):
            days = [window.first + timedelta(i) for i in range((window.last - window.first).days + 1)]
            if set(window.scope) == {c for day in days for c in campaigns.delivering(day)}:
                found[window.first, window.last] = Span(window.first, window.last, window.fetched_at)
        return sorted(found.values(), key=lambda span: (span.end, span.start), reverse=True)

    def _stored(self, platform: str) -> Sequence[ReportWindow]:
        today = self.app.today
        start = today - timedelta(days=self.app.config.retention.reports_days)
        return self.app.store.report_windows(platform, start, today, grain="all", source="api")

    def _before_balancing(self, segment: str, chosen: Span, spans: Sequence[Span]) -> Span | None:
        """The newest window of the same length that ended before the bands went live."""
        live = band_campaigns(self.app, segment).live_since
        if live is None or chosen.end < live:
            return None
        length = chosen.end - chosen.start
        earlier = [s for s in spans if s.end < min(live, chosen.start) and s.end - s.start == length]
        return earlier[0] if earlier else None

    def _table(self, segment: str, span: Span) -> Any:
        def compute() -> Any:
            with in_page_words():
                return share_table(self.app, segment, *span.days)

        return self.once(("table", segment, span), compute)

    # -- keeping ----------------------------------------------------------------

    def once(self, key: tuple[Any, ...], compute: Callable[[], Any]) -> Any:
        """``compute()``, kept by what it rests on; the oldest is forgotten first."""
        kept: dict[tuple[Any, ...], Any] = self.app.remembered.setdefault("page", {})
        if key in kept:
            return kept[key]
        with self.guard:
            if key not in kept:
                kept[key] = compute()
                same = [k for k in kept if k[:1] == key[:1]]
                for old in same[:-KEPT]:
                    del kept[old]
            return kept[key]

    def warm(self) -> None:
        """Compute the newest reports before anybody asks."""
        for name in self.app.config.segments:
            if self._spans(name):
                self.report(name, "latest")
