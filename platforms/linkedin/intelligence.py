"""Company Intelligence: trailing windows over the whole list, for apps LinkedIn has approved. Off by default.

Source: learn.microsoft.com/en-us/linkedin/marketing/account-intel/account-intel-api, 2026-08 (private API).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from audiences.model import ImpressionReport, ReportRow
from platforms.errors import Garbled, NoPermission, Refused
from platforms.linkedin import restli
from platforms.linkedin.rest import Rest
from platforms.linkedin.settings import LinkedInSettings
from platforms.shapes import need_records, whole

WINDOWS = {f"LAST_{days}_DAYS": days for days in (7, 30, 60, 90, 180, 365)}
PAGE = 1000


class Intelligence:
    """Reports per company without a cut at the top hundred; no dates, no days."""

    def __init__(self, settings: LinkedInSettings, rest: Rest, clock: Callable[[], datetime]) -> None:
        self._settings, self._rest, self._clock = settings, rest, clock

    def intelligence_report(
        self, window: str, *, lists: Sequence[str] = (), campaign: str | None = None
    ) -> ImpressionReport:
        """Rows for ``LAST_7_DAYS`` and so on, ending yesterday, of lists (adSegment URNs) or a campaign.

        There is no total in this answer. Raises NoPermission when the switch is off, PlatformError.
        """
        if not self._settings.company_intelligence:
            raise NoPermission(
                "Company Intelligence is switched off in the settings (company_intelligence)",
                platform="linkedin",
            )
        if window not in WINDOWS:
            raise Refused(f"windows are {', '.join(WINDOWS)}", platform="linkedin", code="window")
        criteria: dict[str, object] = {"lookbackWindow": window}
        if lists:
            criteria["adSegments"] = list(lists)
        if campaign is not None:
            criteria["campaign"] = restli.urn("sponsoredCampaign", campaign)
        now = self._clock()
        end = now.date() - timedelta(days=1)
        return ImpressionReport(
            platform="linkedin",
            start=end - timedelta(days=WINDOWS[window] - 1),
            end=end,
            grain="all",
            rows=tuple(_row(element, campaign) for element in self._pages(criteria)),
            totals=(),
            fetched_at=now,
            scope=(restli.tail(campaign),) if campaign else tuple(lists) or (self._settings.ad_account,),
            list_depth=None,
            warnings=("no_total",),
        )

    def _pages(self, criteria: dict[str, object]) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        while True:
            page = self._rest.get(
                "/accountIntelligence",
                {
                    "q": "account",
                    "account": self._settings.account_urn,
                    "filterCriteria": criteria,
                    "start": len(rows),
                    "count": PAGE,
                },
            )
            elements = need_records(page, "elements")
            rows += elements
            if len(elements) < PAGE:
                return rows


def _row(element: dict[str, Any], campaign: str | None) -> ReportRow:
    """The page's number is the organization's; a page known by a vanity name is named by its company."""
    page = str(element.get("companyPageUrl", "")).rstrip("/").rsplit("/", 1)[-1]
    entity = restli.urn("organization", page) if page.isdigit() else str(element.get("companyName", ""))
    if not entity:
        raise Garbled("a report row names nothing", platform="linkedin")
    return ReportRow(
        day=None,
        entity=entity,
        impressions=whole(element.get("paidImpressions")),
        clicks=whole(element.get("paidClicks")),
        campaign_id=restli.tail(campaign) if campaign else None,
    )
