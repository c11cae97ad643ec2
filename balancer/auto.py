"""Mode "auto": bands where the list can be split, turns where it cannot.

Chooses a controller and sticks to it; it plans nothing itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from balancer.allocate_limits import known_members
from balancer.bands import Bands
from balancer.duty import Duty
from balancer.types import BalancePlan, Policy, State

SPLITTABLE = 3.0  # audiences of the minimum size that must fit into the segment
FEWEST = 30  # accounts; fewer make no useful bands
BANDS, DUTY = 0, 1


@dataclass(frozen=True, slots=True)
class Auto:
    """``propose(state, policy) -> BalancePlan`` for mode "auto".

    In rehearsal bands were as even as turns or better at every headroom from 1.5 to 10, at a tenth of
    the list changes, and about a point behind in one of two worlds at 1.1; so headroom alone never asks
    for turns. What does is an audience too small to split: every funded band needs ``minimum_members``.
    The choice is made once and kept in the memory.
    """

    def propose(self, state: State, policy: Policy) -> BalancePlan:
        """The plan of the chosen mode; ``plan.mode`` names it."""
        choice = chosen(state, policy)
        plan = (Bands() if choice == BANDS else Duty()).propose(state, policy)
        memory = {**plan.memory, "auto": np.array([choice], dtype=np.int8)}
        return replace(plan, memory=memory)


def chosen(state: State, policy: Policy) -> int:
    """BANDS or DUTY. Unknown members (all 0) count as enough."""
    if "auto" in state.memory:
        return int(state.memory["auto"][0])
    unknown = not state.members.any()
    splittable = unknown or float(known_members(state.members).sum()) >= SPLITTABLE * policy.minimum_members
    return BANDS if splittable and len(state.accounts) >= FEWEST else DUTY
