"""The ledger as plain dicts and loops: slow, obvious, and the judge of the fast one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from audiences.model import Op, RowStatus
from audiences.store.records import LedgerState

AFTER_ADD = {
    RowStatus.ACCEPTED: dict.fromkeys([None, *LedgerState], LedgerState.ACCEPTED),
    RowStatus.UNKNOWN: dict.fromkeys([None, *LedgerState], LedgerState.UNKNOWN)
    | {LedgerState.ACCEPTED: LedgerState.ACCEPTED},
    RowStatus.REJECTED: dict.fromkeys([None, *LedgerState], LedgerState.REJECTED)
    | {LedgerState.ACCEPTED: LedgerState.ACCEPTED, LedgerState.LEAVING: LedgerState.UNKNOWN},
}


@dataclass
class TwinBatch:
    batch_id: str
    version: int
    op: Op
    keys: tuple[bytes, ...]
    settled: bool = False


@dataclass
class LedgerTwin:
    version: int = 0
    state: dict[bytes, LedgerState] = field(default_factory=dict)
    dead: dict[bytes, tuple[Op, int]] = field(default_factory=dict)  # key -> operation, tries
    batches: list[TwinBatch] = field(default_factory=list)
    history: list[frozenset[bytes]] = field(default_factory=lambda: [frozenset()])

    def waiting(self) -> dict[bytes, Op]:
        """Members whose last word is not answered yet, and that word."""
        last: dict[bytes, TwinBatch] = {}
        for batch in self.batches:
            for key in batch.keys:
                last[key] = batch
        return {key: batch.op for key, batch in last.items() if not batch.settled}

    def asked(self) -> frozenset[bytes]:
        return frozenset(self.states())

    def states(self) -> dict[bytes, LedgerState]:
        """State of every member asked for; PENDING where the last word is an add without an answer."""
        held = {key: state for key, state in self.state.items() if state != LedgerState.LEAVING}
        for key, op in self.waiting().items():
            if op is Op.ADD:
                held[key] = LedgerState.PENDING
            else:
                held.pop(key, None)
        return held

    def record(self, batches: Sequence[TwinBatch]) -> None:
        if batches:
            self.version += 1
            self.batches += batches
            self.history.append(self.asked())

    def settle(self, batch: TwinBatch, statuses: Sequence[RowStatus]) -> None:
        later = [b for b in self.batches if b.settled and b.version > batch.version]
        for key, status in zip(batch.keys, statuses, strict=True):
            if not any(key in other.keys for other in later):
                self._answer(batch.op, key, status)
        batch.settled = True

    def _answer(self, op: Op, key: bytes, status: RowStatus) -> None:
        if status is RowStatus.ACCEPTED:
            self.dead.pop(key, None)
        else:
            before, tries = self.dead.get(key, (op, 0))
            self.dead[key] = (op, tries + 1 if before is op else 1)
        if op is Op.ADD:
            self.state[key] = AFTER_ADD[status][self.state.get(key)]
        elif status is RowStatus.ACCEPTED:
            self.state.pop(key, None)
        else:
            self.state[key] = LedgerState.LEAVING
