"""The creatives of LinkedIn campaigns: which there are, and the same ones in a copy. It must not judge them.

Source: learn.microsoft.com/en-us/linkedin/marketing/integrations/ads/account-structure/
create-and-manage-creatives, 2026-02: pages of at most 100, a finder that names its method.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from platforms.linkedin import restli
from platforms.linkedin.rest import Rest
from platforms.linkedin.settings import LinkedInSettings
from platforms.shapes import mapping, need_id

PAGE = 100  # the most LinkedIn gives of creatives
CAMPAIGNS_PER_CALL = 50
LIVING = ("ACTIVE", "PAUSED", "DRAFT")  # the others are kept for their numbers only
COPIED = ("content", "intendedStatus", "leadgenCallToAction", "name")


class Creatives:
    """Reads and copies; a creative's id is its whole URN, a campaign's a number."""

    def __init__(self, settings: LinkedInSettings, rest: Rest) -> None:
        self._rest, self._path = rest, f"/adAccounts/{settings.ad_account}/creatives"

    def by_campaign(self, campaign_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Creative ids per campaign id, sorted."""
        found: dict[str, list[str]] = {}
        for row in self._rows(campaign_ids):
            found.setdefault(restli.tail(str(row.get("campaign"))), []).append(restli.tail(need_id(row)))
        return {campaign: tuple(sorted(ids)) for campaign, ids in found.items()}

    def copy(self, source_id: str, copy_id: str) -> None:
        """Creatives are recognised by what they show, so a copy that was interrupted is completed."""
        present = [_shown(row) for row in self._rows([copy_id])]
        for row in self._rows([source_id]):
            if row.get("intendedStatus", "ACTIVE") not in LIVING:
                continue
            if _shown(row) in present:
                present.remove(_shown(row))
                continue
            body = {field: row[field] for field in COPIED if field in row}
            self._rest.create(self._path, {**body, "campaign": restli.urn("sponsoredCampaign", copy_id)})

    def _rows(self, campaign_ids: Sequence[str]) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        urns = [restli.urn("sponsoredCampaign", campaign) for campaign in campaign_ids]
        for first in range(0, len(urns), CAMPAIGNS_PER_CALL):
            asked = {"q": "criteria", "campaigns": urns[first : first + CAMPAIGNS_PER_CALL]}
            rows += self._rest.pages(self._path, asked, size=PAGE)
        return rows


def _shown(row: dict[str, Any]) -> str:
    """What a member sees: the content, and for lead forms what the button opens."""
    parts = (mapping(row.get("content")), mapping(row.get("leadgenCallToAction")))
    return repr([sorted(part.items()) for part in parts])
