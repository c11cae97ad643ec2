"""The plan that changes nothing, for days on which the data cannot be trusted."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from balancer.canon import inputs_hash
from balancer.memory import Memory
from balancer.sums import by_band
from balancer.types import BalancePlan, Policy, State, Status


def frozen(
    state: State,
    policy: Policy,
    memory: Memory,
    status: Status,
    *,
    mode: str,
    extra: Mapping[str, NDArray[np.generic]] | None = None,
) -> BalancePlan:
    """The same membership, the money as the last target had it, nothing absorbed, nothing learned.

    The unread reports stay unread: the caller offers them again once they are right.
    """
    k = memory.centre.size
    force = state.landed if (state.landed >= 0).any() else state.band
    share = by_band(force, memory.target + 1e-12, k)
    share = share if share.sum() > 0.0 else np.ones(k)
    return BalancePlan(
        day=state.day,
        mode=mode,
        accounts=state.accounts,
        target=memory.target,
        band=state.band.copy(),
        budgets=np.asarray(state.budget * share / share.sum()),
        moves=(),
        statuses=(status,),
        forecast={},
        memory={**(extra or {}), **memory.as_mapping()},
        inputs_hash=inputs_hash(state, policy),
    )
