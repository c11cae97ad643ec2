"""Mode "auto": bands where the list can be split and there is room, turns where not.

Chooses a controller, at most twice; it plans nothing itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from balancer.allocate_limits import known_members
from balancer.bands import Bands
from balancer.checks import check_inputs
from balancer.duty import Duty
from balancer.memory import ABSORBED, FIRST, recall
from balancer.outlook import top_size
from balancer.study import current_rates, learned_headroom
from balancer.types import BalancePlan, Policy, State

SPLITTABLE = 3.0  # audiences of the minimum size that must fit into the segment
FEWEST = 30  # accounts; fewer make no useful bands
CROWD = 0.75  # of the number of accounts the headline figure counts
BANDS, DUTY = 0, 1
LEARNED = 20  # days of bands before their headroom is believed
TIGHT = 1.3  # times its natural delivery that the segment can take at all
HELD_BACK = 0.9  # of its natural delivery: an account planned below is held back


@dataclass(frozen=True, slots=True)
class Auto:
    """``propose(state, policy) -> BalancePlan`` for mode "auto".

    It begins with bands, unless the audience is too small to split (every funded band needs
    ``minimum_members``). After three weeks the bands have learned the headroom; where that is tight and a crowd of
    accounts is held back, turns are about a point better and take over (see ``turns_are_better``). It is
    judged once and kept in the memory: nobody's campaigns change back and forth.
    """

    def propose(self, state: State, policy: Policy) -> BalancePlan:
        """The plan of the chosen mode; ``plan.mode`` names it. Raises as ``Bands`` does."""
        check_inputs(state, policy)
        choice = chosen(state, policy)
        plan = (Bands() if choice == BANDS else Duty()).propose(state, policy)
        judged = choice == DUTY or bool(state.memory.get("auto_judged", np.zeros(1))[0])
        if not judged and _learned_enough(state, policy, plan):
            choice, judged = DUTY if turns_are_better(state, policy, plan) else BANDS, True
        kept = {"auto": np.array([choice], dtype=np.int8), "auto_judged": np.array([judged])}
        return replace(plan, memory={**plan.memory, **kept})


def chosen(state: State, policy: Policy) -> int:
    """BANDS or DUTY for today. Unknown members (all 0) count as enough."""
    if "auto" in state.memory:
        return int(state.memory["auto"][0])
    unknown = not state.members.any()
    splittable = unknown or float(known_members(state.members).sum()) >= SPLITTABLE * policy.minimum_members
    return BANDS if splittable and len(state.accounts) >= FEWEST else DUTY


def turns_are_better(state: State, policy: Policy, plan: BalancePlan) -> bool:
    """Whether tomorrow should go on with turns, by what the bands have learned.

    With little room elsewhere all that can be done is to hold the loud accounts alike. If there are about
    as many of them as the headline figure counts, chance decides who leads; turns watch each of them alone,
    bands only as a group. With fewer of them, or with room, bands are as even at a tenth of the changes.
    """
    memory = recall(replace(state, memory=plan.memory), policy, plan.budgets.size)
    rate = current_rates(state, memory)
    held_back = int((plan.target < HELD_BACK * rate).sum())
    return learned_headroom(memory, rate) < TIGHT and held_back > CROWD * top_size(rate.size)


def _learned_enough(state: State, policy: Policy, plan: BalancePlan) -> bool:
    memory = recall(replace(state, memory=plan.memory), policy, plan.budgets.size)
    return memory.at(ABSORBED) - memory.at(FIRST) >= LEARNED and plan.statuses[0].code != "frozen"
