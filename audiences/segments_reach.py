"""How many a segment would put on each platform's lists, and how many of those would be found there.

Predictions are ranges from published practice until measured rates are given.
It pushes nothing and asks no platform.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from audiences.membership import ListRules, desired
from audiences.membership_keys import NO_KEYS, Keys
from audiences.model import AudienceSpec, IdentifierKind, MemberKind, MemberTable
from audiences.segments import Evaluation

Range = tuple[float, float]
Rates = Mapping[str, Mapping[str, Range]]

# Share of members a platform finds by each identifier, low and high. Business e-mail on Google 10-30 %,
# personal 40-70 % (agencies' figures, 2024-2026); LinkedIn finds companies best by page, worst by name.
MATCH_RATES: Rates = {
    "linkedin": {
        IdentifierKind.ORGANIZATION: (0.95, 1.0),
        IdentifierKind.PAGE: (0.9, 1.0),
        IdentifierKind.DOMAIN: (0.75, 0.95),
        IdentifierKind.EMAIL_DOMAIN: (0.7, 0.95),
        IdentifierKind.NAME: (0.5, 0.85),
        IdentifierKind.EMAIL: (0.3, 0.6),
    },
    "google": {
        IdentifierKind.EMAIL: (0.1, 0.3),
        IdentifierKind.PHONE: (0.2, 0.5),
        IdentifierKind.FAMILY_NAME: (0.2, 0.4),
    },
}
UNKNOWN_RATE: Range = (0.1, 0.9)


@dataclass(frozen=True, slots=True)
class ListReach:
    """One list as it would be pushed today."""

    platform: str
    kind: MemberKind
    qualifying: int  # companies, or people of qualifying companies
    members: int  # would be pushed
    left_out: Mapping[str, int]
    by_identifier: Mapping[str, int]  # members per best identifier
    matched: Range  # predicted members the platform finds, low and high
    people: Range | None  # predicted people reachable; None where head-counts are unknown
    minimum: int  # the platform serves nothing below this many people

    @property
    def serves(self) -> bool | None:
        """Whether even the high guess (False) or already the low guess (True) decides; None in between."""
        if self.people is None:
            return None
        return True if self.people[0] >= self.minimum else (False if self.people[1] < self.minimum else None)


def reach(
    evaluation: Evaluation,
    *,
    rules: Mapping[str, ListRules],
    minimums: Mapping[str, int],
    contacts: pl.DataFrame | None = None,
    suppressed: Keys = NO_KEYS,
    rates: Rates = MATCH_RATES,
) -> tuple[ListReach, ...]:
    """Every list the segment syncs to. People lists need ``contacts`` and are left out without them."""
    found = []
    for spec in _lists(evaluation):
        if spec.platform not in rules or (spec.kind == MemberKind.CONTACT and contacts is None):
            continue
        wanted = desired(
            spec, evaluation, rules=rules[spec.platform], contacts=contacts, suppressed=suppressed
        )
        members = wanted.membership.members
        best = best_identifiers(members, rates.get(spec.platform, {}))
        matched = expected(best, rates.get(spec.platform, {}))
        people = matched if spec.kind == MemberKind.CONTACT else _people(evaluation, members, matched)
        found.append(
            ListReach(
                spec.platform, spec.kind, wanted.considered, len(members), wanted.left_out, best,
                matched, people, minimums.get(spec.platform, 0),
            )
        )  # fmt: skip
    return tuple(found)


_KINDS = {"companies": MemberKind.COMPANY, "contacts": MemberKind.CONTACT}


def _lists(evaluation: Evaluation) -> Iterator[AudienceSpec]:
    """The lists as if the segment were not balanced: bands split them, they do not change who is reached."""
    for platform, kinds in evaluation.segment.sync.items():
        for kind in kinds:
            yield AudienceSpec(
                f"{platform}/{evaluation.name}/{kind}", platform, evaluation.name, _KINDS[kind]
            )


_VALUE = (
    r':(?:"(?:[^"\\]|\\.)*"|\[(?:"(?:[^"\\]|\\.)*",?)*\])'  # of a JSON object: a text, or a list of texts
)


def best_identifiers(members: MemberTable, rates: Mapping[str, Range]) -> dict[str, int]:
    """Members per identifier the platform is most likely to find them by."""
    counts: Counter[str] = Counter()
    shapes = pl.Series("shape", members.payloads, dtype=pl.Binary).cast(pl.String).str.replace_all(_VALUE, "")
    for shape, n in shapes.value_counts().iter_rows():
        kinds = shape.strip("{}").replace('"', "").split(",") if shape else [IdentifierKind.EMAIL.value]
        counts[max(kinds, key=lambda kind: (rates.get(kind, (0.0, 0.0)), kind))] += n
    return dict(counts.most_common())


def expected(best: Mapping[str, int], rates: Mapping[str, Range]) -> Range:
    """Predicted members found, low and high."""
    low = sum(count * rates.get(kind, UNKNOWN_RATE)[0] for kind, count in best.items())
    high = sum(count * rates.get(kind, UNKNOWN_RATE)[1] for kind, count in best.items())
    return low, high


# Of all employees 20 to 80 % have a profile there and can be reached.
STAFF_ON_PLATFORM: Range = (0.2, 0.8)


def _people(evaluation: Evaluation, members: MemberTable, matched: Range) -> Range | None:
    """Staff of the matched companies. Unknown head-counts count nothing in the low figure and the median of the
    known ones in the high one.
    """
    if not len(members):
        return 0.0, 0.0
    staff = evaluation.universe.accounts.filter(pl.col("account_id").is_in(list(members.account_ids)))[
        "employees"
    ]
    known = staff.drop_nulls().cast(pl.Float64)
    if known.is_empty():
        return None
    low, share = float(known.sum()), (matched[0] / len(members), matched[1] / len(members))
    high = low + float(np.median(known.to_numpy())) * staff.null_count()
    return low * share[0] * STAFF_ON_PLATFORM[0], high * share[1] * STAFF_ON_PLATFORM[1]
