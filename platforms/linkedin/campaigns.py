"""LinkedIn campaigns: read, re-target, budget, pause, copy. It must not decide what to change.

Source: learn.microsoft.com/en-us/linkedin/marketing/integrations/ads/account-structure/
create-and-manage-campaigns and create-and-manage-creatives, 2026-08.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from audiences.model import Campaign
from platforms.errors import Conflict, Garbled, NotFound, PlatformDown, Refused
from platforms.linkedin import restli, targeting
from platforms.linkedin.creatives import Creatives
from platforms.linkedin.rest import Rest
from platforms.linkedin.settings import LinkedInSettings
from platforms.linkedin.width import Width
from platforms.shapes import mapping, need_id

STATUSES = {"active": "ACTIVE", "paused": "PAUSED"}
HOLD = "CAMPAIGN_AUDIENCE_COUNT_HOLD"
PAGE = 1000
LIVING = ["ACTIVE", "PAUSED", "DRAFT", "ARCHIVED", "COMPLETED", "CANCELED"]
# What a copy takes over. Everything else is LinkedIn's own (ids, dates, versions, serving state).
COPIED = (
    "account",
    "associatedEntity",
    "campaignGroup",
    "connectedTelevisionOnly",
    "costType",
    "creativeSelection",
    "dailyBudget",
    "format",
    "locale",
    "objectiveType",
    "offsiteDeliveryEnabled",
    "offsitePreferences",
    "optimizationPreference",
    "optimizationTargetType",
    "pacingStrategy",
    "politicalIntent",
    "runSchedule",
    "targetingCriteria",
    "type",
    "unitCost",
)


class Campaigns:
    """The campaigns of one ad account."""

    def __init__(self, settings: LinkedInSettings, rest: Rest, clock: Callable[[], datetime]) -> None:
        self._settings, self._rest = settings, rest
        self._creatives, self._width = Creatives(settings, rest), Width(rest, clock)
        self._path = f"/adAccounts/{settings.ad_account}"

    def list_campaigns(self) -> tuple[Campaign, ...]:
        rows = self._rows()
        ads = self._creatives.by_campaign([need_id(row) for row in rows])
        return tuple(self._campaign(row, ads) for row in rows)

    def campaign(self, campaign_id: str) -> Campaign:
        row = self._read(campaign_id)
        return self._campaign(row, self._creatives.by_campaign([need_id(row)]))

    def set_targets(
        self,
        campaign_id: str,
        *,
        include: Sequence[str] | None = None,
        exclude: Sequence[str] | None = None,
        ours: Sequence[str] = (),
    ) -> Campaign:
        """Make the campaign include and exclude these lists (adSegment URNs); None leaves that side alone.

        Only lists in ``ours`` are ever taken out. LinkedIn replaces the whole object, so it is read and written.
        Refused ("audience_too_narrow") where a running campaign would no longer reach enough people.
        """

        def targets(row: dict[str, Any]) -> dict[str, Any]:
            before = targeting.checked(row.get("targetingCriteria", {}))
            after = targeting.retarget(
                before, include=include, exclude=exclude, ours=ours, locale=_locale(row)
            )
            return {} if after == before else {"targetingCriteria": after}

        return self._change(campaign_id, targets)

    def set_daily_budget(self, campaign_id: str, amount: Decimal) -> Campaign:
        """``amount`` in the campaign's currency, > 0, rounded to cents."""
        if amount <= 0:
            raise Refused("a daily budget must be above zero", platform="linkedin", code="budget")
        cents = amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)

        def spend(row: dict[str, Any]) -> dict[str, Any]:
            currency = mapping(row.get("dailyBudget")).get("currencyCode") or self._settings.currency
            changed = _money(row.get("dailyBudget")) != cents
            return {"dailyBudget": {"amount": str(cents), "currencyCode": currency}} if changed else {}

        return self._change(campaign_id, spend)

    def set_status(self, campaign_id: str, status: str) -> Campaign:
        """``active`` or ``paused``."""
        if status not in STATUSES:
            raise Refused(
                "a campaign can be set to active or paused only", platform="linkedin", code="status"
            )
        wanted = STATUSES[status]
        return self._change(
            campaign_id, lambda row: {} if row.get("status") == wanted else {"status": wanted}
        )

    def clone(self, campaign_id: str, name: str, *, reference: str) -> Campaign:
        """A draft copy with its creatives, called ``name [reference]``.

        The reference in the name makes the call repeatable: a copy that exists is completed, not made twice.
        Audience expansion is switched off in the copy, since it serves people outside the lists. Refused
        where budgets per copy would not hold (a total budget, or a group that shares one).
        """
        if not reference or "[" in reference or "]" in reference:
            raise Refused("a reference must be text without brackets", platform="linkedin", code="reference")
        source = self._read(campaign_id)
        self._may_be_split(source)
        copy = self._find_copy(reference)
        copy_id = need_id(copy) if copy is not None else self._create_copy(source, name, reference)
        self._creatives.copy(campaign_id, copy_id)
        return self.campaign(copy_id)

    def audience_count(
        self, campaign_id: str, *, include: Sequence[str], exclude: Sequence[str]
    ) -> int | None:
        """Members the campaign would reach with exactly these lists in place of its present ones.

        None when LinkedIn answers 0, which means "below 300", "nobody there" or "no such thing" alike.
        """
        row = self._read(campaign_id)
        criteria = targeting.with_lists(
            targeting.checked(row.get("targetingCriteria", {})),
            include=include,
            exclude=exclude,
            locale=_locale(row),
        )
        return self._width.count(criteria)

    def counts_lists(self, lists: Sequence[str]) -> bool:
        """Whether LinkedIn's count says something about these lists. See ``Width.knows``."""
        return self._width.knows(lists)

    def _change(self, campaign_id: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Campaign:
        """The one way a campaign is changed: read it, count whom it will reach, write what differs.

        Nothing is written when nothing changes; on a write conflict it is read, counted and written once more.
        """
        for last in (False, True):
            row = self._read(campaign_id)
            changes = change(row)
            if not changes:
                break
            self._width.allow(row, changes)
            try:
                self._write(campaign_id, changes)
                break
            except Conflict:
                if last:
                    raise
        return self.campaign(campaign_id)

    def _read(self, campaign_id: str) -> dict[str, Any]:
        try:
            return self._rest.get(f"{self._path}/adCampaigns/{restli.tail(campaign_id)}")
        except NotFound as error:  # which of several is missing is what a person has to correct
            error.args = (f"there is no campaign {restli.tail(campaign_id)} in this ad account",)
            raise

    def _write(self, campaign_id: str, changes: dict[str, Any]) -> None:
        self._rest.update(f"{self._path}/adCampaigns/{restli.tail(campaign_id)}", changes)

    def _rows(self) -> list[dict[str, Any]]:
        """The search wants a criterion; what was removed is of no use to anybody here."""
        asked = {"q": "search", "search": {"status": {"values": LIVING}}}
        return self._rest.pages(f"{self._path}/adCampaigns", asked, size=PAGE)

    def _find_copy(self, reference: str) -> dict[str, Any] | None:
        mark = f"[{reference}]"
        rows = self._rows()
        copies = [row for row in rows if str(row.get("name", "")).endswith(mark)]
        return min(copies, key=lambda row: (len(need_id(row)), need_id(row))) if copies else None

    def _may_be_split(self, source: dict[str, Any]) -> None:
        """Bands are steered by daily budgets of their own; any other purse would undo that."""
        if mapping(source.get("totalBudget")).get("amount") is not None:
            words = "a campaign with a total budget cannot be split: every copy would get it whole"
            raise Refused(words, platform="linkedin", code="total_budget")
        group = restli.tail(str(source.get("campaignGroup", "")))
        found = self._rest.get(f"{self._path}/adCampaignGroups/{group}") if group else {}
        if mapping(found.get("budgetOptimization")).get("budgetOptimizationStrategy") == "DYNAMIC":
            words = "the campaign group shares one budget among its campaigns, which would undo the bands"
            raise Refused(words, platform="linkedin", code="group_budget")

    def _create_copy(self, source: dict[str, Any], name: str, reference: str) -> str:
        body = {field: source[field] for field in COPIED if field in source}
        body |= {"name": f"{name} [{reference}]", "status": "DRAFT", "audienceExpansionEnabled": False}
        try:
            return restli.tail(self._rest.create(f"{self._path}/adCampaigns", body))
        except (PlatformDown, Garbled, Conflict):
            made = self._find_copy(reference)
            if made is None:
                raise
            return need_id(made)

    def _campaign(self, row: dict[str, Any], ads: dict[str, tuple[str, ...]]) -> Campaign:
        identifier, budget = need_id(row), mapping(row.get("dailyBudget"))
        criteria = targeting.checked(row.get("targetingCriteria", {}))
        return Campaign(
            campaign_id=identifier,
            name=str(row.get("name", "")),
            status=str(row.get("status", "")).lower(),
            daily_budget=_money(budget),
            currency=str(budget.get("currencyCode") or self._settings.currency),
            include=targeting.included(criteria),
            exclude=targeting.excluded(criteria),
            creatives=ads.get(identifier, ()),
            audience_expansion=_flag(row, "audienceExpansionEnabled"),
            offsite_delivery=_flag(row, "offsiteDeliveryEnabled"),
            version_tag=str(mapping(row.get("version")).get("versionTag", "")),
            hold="audience_count_hold" if _held(row) else None,
        )


def _money(budget: Any) -> Decimal | None:
    amount = mapping(budget).get("amount")
    try:
        return Decimal(str(amount)) if amount is not None else None
    except InvalidOperation:
        raise Garbled("a budget is not a number", platform="linkedin") from None


def _locale(row: dict[str, Any]) -> str:
    locale = mapping(row.get("locale"))
    return f"urn:li:locale:{locale.get('language', 'en')}_{locale.get('country', 'US')}"


def _held(row: dict[str, Any]) -> bool:
    statuses = row.get("servingStatuses")
    return isinstance(statuses, list) and HOLD in statuses


def _flag(row: dict[str, Any], name: str) -> bool | None:
    value = row.get(name)
    return value if isinstance(value, bool) else None
