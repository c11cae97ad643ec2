"""What the sandbox's market really delivered, and how evenly. Only the demo and tests may ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from balancer.shares import concentration
from flows.sandbox_link import SandboxLink


@dataclass(frozen=True, eq=False)
class Truth:
    """Delivered impressions of one window. ``counts`` (n,) per organisation, 0 for those never served."""

    organizations: tuple[int, ...]
    counts: NDArray[np.float64]
    total: float
    spend: float

    def top_share(self, top: int = 100) -> float:
        return float(np.sort(self.counts)[::-1][:top].sum() / self.total)

    def gini(self) -> float:
        return concentration(self.counts, top=100).gini.point

    def coverage(self) -> float:
        """Fraction of accounts with at least a quarter of the even share."""
        return float((self.counts >= 0.25 * self.counts.sum() / self.counts.size).mean())


def truth(
    sandbox: SandboxLink, start: date, end: date, campaigns: Sequence[str], members: Sequence[int]
) -> Truth:
    """Exact delivery of some campaigns over the organisations ``members`` (matched on the segment's list)."""
    counts = dict.fromkeys(members, 0)
    total = spend = 0.0
    for campaign in campaigns:
        answer = sandbox.get(
            "/sandbox/truth/impressions", start=start.isoformat(), end=end.isoformat(), campaign=campaign
        )
        total += answer["total"]
        spend += answer["spend"]
        for row in answer["rows"]:
            if row["organization"] in counts:
                counts[row["organization"]] += row["impressions"]
    order = tuple(sorted(counts))
    return Truth(order, np.array([counts[o] for o in order], dtype=np.float64), total, spend)


def matched_organizations(sandbox: SandboxLink, external_id: str) -> list[int]:
    """Organisations the sandbox holds on one list."""
    answer = sandbox.get("/sandbox/truth/members", segment=external_id)
    rows = answer["members"]
    return sorted(int(row["organization"]) for row in rows if row["matched"] and row["organization"])


def moved(before: Truth, after: Truth) -> int:
    """Impressions that went to other accounts than before, at equal totals."""
    then = dict(zip(before.organizations, before.counts, strict=True))
    scale = float(after.counts.sum() / max(before.counts.sum(), 1.0))
    pairs = zip(after.organizations, after.counts.tolist(), strict=True)
    gained: float = sum(max(now - scale * float(then.get(o, 0.0)), 0.0) for o, now in pairs)
    return round(gained)
