"""A day on which things go wrong: a wanted list, a seeded schedule of faults, a plain loop that keeps trying.

Everything is drawn from one seed. The loop knows nothing but ``error.retryable`` and the waits errors carry.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from audiences.model import (
    AudienceSpec,
    Member,
    MemberKind,
    Op,
    PushBatch,
    Receipt,
    RowResult,
    RowStatus,
)
from platforms.contract import AudiencePlatform
from platforms.errors import PlatformError, QuotaSpent, SignInAgain, Throttled
from tests.platforms.against_sandbox import Bench

T = TypeVar("T")
TRIES = 60
EVERYWHERE = (
    "throttle_minute",
    "500",
    "503",
    "504",
    "409",
    "lost_reply_before_commit",
    "lost_reply_after_commit",
    "expired_token",
    "slow",
)
LINKEDIN_ONLY = ("throttle_day", "revoked_token", "404_after_create", "rows_refused", "answers_truncated")
PLACES = (
    ".*",
    "^POST",
    "^GET",
    "^POST .*(companies|users|ingest|remove)$",
    "^POST .*(dmpSegments|userLists)$",
)


@dataclass
class Day:
    """One schedule against one platform and one fresh list."""

    bench: Bench
    platform: AudiencePlatform
    spec: AudienceSpec
    seed: int
    make: Callable[[int], Member]
    outcomes: dict[tuple[Op, bytes], RowResult] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)
        people = [self.make(self.seed * 1000 + i) for i in range(self.draw.randint(4, 40))]
        cut = self.draw.randint(1, len(people) - 1)
        self.made_today = self.draw.random() < 0.5
        self.before = [] if self.made_today else people[: self.draw.randint(cut, len(people))]
        self.wanted = people[self.draw.randint(0, cut) :]

    def run(self) -> str:
        """Bring the list to what is wanted while faults strike: a new one, or one filled on a quiet day."""
        if not self.made_today:
            listed = self.insist(lambda: self.platform.find_or_create(self.spec)).external_id
            self.push_all(listed, Op.ADD, self.before)
            self.outcomes.clear()
        self.schedule()
        listed = self.insist(lambda: self.platform.find_or_create(self.spec)).external_id
        here, there = {m.key for m in self.before}, {m.key for m in self.wanted}
        self.push_all(listed, Op.REMOVE, [m for m in self.before if m.key not in there])
        self.push_all(listed, Op.ADD, [m for m in self.wanted if m.key not in here])
        self.bench.control.clear_faults()
        return listed

    def schedule(self) -> None:
        """One to four faults with their places, numbers and odds."""
        kinds = EVERYWHERE + (LINKEDIN_ONLY if self.spec.platform == "linkedin" else ())
        for _ in range(self.draw.randint(1, 4)):
            kind = self.draw.choice(kinds)
            self.bench.control.fault(
                kind,
                match=self.draw.choice(PLACES),
                times=self.draw.randint(1, 3),
                probability=self.draw.choice([1.0, 0.6, 0.3]),
                share=self.draw.choice([0.1, 0.5]),
                seconds=0.001 if kind == "slow" else 90.0,
            )

    def push_all(self, listed: str, op: Op, members: list[Member]) -> None:
        """In batches; rows that may be sent again are, until each has an outcome."""
        size = self.draw.randint(1, 15)
        for start in range(0, len(members), size):
            rest = members[start : start + size]
            for round_ in range(TRIES):
                if not rest:
                    break
                receipt = self.insist(lambda: self.deliver(self.batch(listed, op, rest, round_)))  # noqa: B023
                for member, row in zip(rest, receipt.results, strict=True):
                    self.outcomes[op, member.key] = row
                rest = [m for m, row in zip(rest, receipt.results, strict=True) if row.retryable]
            assert not rest, "rows without an outcome"

    def batch(self, listed: str, op: Op, members: list[Member], round_: int) -> PushBatch:
        name = f"{self.seed}-{op}-{round_}-{members[0].key.hex()[:8]}"
        return PushBatch(name, self.spec.audience_id, listed, op, self.spec.kind, tuple(members))

    def deliver(self, batch: PushBatch) -> Receipt:
        receipt = self.insist(lambda: self.platform.push(batch))
        while not receipt.settled:
            self.bench.sleep(timedelta(minutes=31).total_seconds())
            request = receipt.request_id or ""
            receipt = self.insist(lambda: self.platform.settle(batch, request))  # noqa: B023
        return receipt

    def insist(self, act: Callable[[], T]) -> T:
        """The plain loop: again while an error says it may be, after the wait it asks for."""
        for _ in range(TRIES):
            try:
                return act()
            except QuotaSpent as error:
                self.bench.control.advance(error.reset_at or timedelta(days=1))
            except SignInAgain:
                self.bench.sign_in()
            except PlatformError as error:
                if not error.retryable:
                    raise
                self.bench.sleep(max(5.0, error.wait if isinstance(error, Throttled) else 0.0))
        raise AssertionError("it never went through")

    def expected(self) -> set[bytes]:
        """Keys that must be on the list: what was there, changed by what was accepted."""
        there = {member.key for member in self.before}
        for (op, key), row in self.outcomes.items():
            if row.status is RowStatus.ACCEPTED:
                there = there | {key} if op is Op.ADD else there - {key}
        return there


def kind_of(seed: int) -> tuple[str, MemberKind]:
    """Platforms and kinds in turn."""
    turns = (
        ("linkedin", MemberKind.COMPANY),
        ("linkedin", MemberKind.CONTACT),
        ("google", MemberKind.CONTACT),
    )
    return turns[seed % len(turns)]
