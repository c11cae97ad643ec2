"""What each tier of a segment took, with bounds, for the report. Measures only; it words and draws nothing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from balancer.shares import per_member_by_tier, share_by_tier
from balancer.types import Exposure
from flows.report.pieces import AccountFacts, TierLine

NONE = 0  # stands for accounts without a tier


def tier_lines(
    now: Exposure, before: Exposure | None, facts: Mapping[str, AccountFacts]
) -> tuple[TierLine, ...]:
    """One line per tier, first tier first, accounts without one last; () where nobody has a tier.

    before  the window compared with, None while there is none
    """
    tier = _tiers(now, facts)
    if not tier.any():
        return ()
    members = np.array([_fact(facts, account).members or 0.0 for account in now.accounts])
    shares, rates = share_by_tier(now, tier), per_member_by_tier(now, tier, members)
    then = share_by_tier(before, _tiers(before, facts)) if before else {}
    return tuple(
        TierLine(
            tier=None if name == NONE else name,
            accounts=int((tier == name).sum()),
            share=shares[name],
            before=then.get(name),
            per_member=rates.get(name),
        )
        for name in sorted(shares, key=lambda name: (name == NONE, name))
    )


def _tiers(exposure: Exposure, facts: Mapping[str, AccountFacts]) -> NDArray[np.int8]:
    return np.array([_fact(facts, account).tier or NONE for account in exposure.accounts], dtype=np.int8)


def _fact(facts: Mapping[str, AccountFacts], account: str) -> AccountFacts:
    return facts.get(account, _UNKNOWN)


_UNKNOWN = AccountFacts()
