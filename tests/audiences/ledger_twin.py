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

    def asked(self) -> frozenset[bytes]:
        held = {key for key, state in self.state.items() if state != LedgerState.LEAVING}
        for batch in self.batches:
            if not batch.settled:
                held = held | set(batch.keys) if batch.op is Op.ADD else held - set(batch.keys)
        return frozenset(held)

    def states(self) -> dict[bytes, LedgerState]:
        """State of every member asked for; PENDING where an open batch adds it."""
        pending: set[bytes] = set()
        for batch in self.batches:
            if not batch.settled:
                pending = pending | set(batch.keys) if batch.op is Op.ADD else pending - set(batch.keys)
        return {key: LedgerState.PENDING if key in pending else self.state[key] for key in self.asked()}

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
