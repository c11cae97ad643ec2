"""Erase a person: off every list that ever held them, out of the record, never to come back.

Works on digests; no raw value comes in here and none goes out. Run it again to
go on where a platform had not answered.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from audiences.membership_keys import from_digests
from audiences.model import Delta, MemberTable
from audiences.store.records import BatchStatus, ErasureStep
from flows.activate import send, settle
from flows.load import ERASED
from flows.runs import audit, patiently
from flows.wiring import App


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one erasure came to. ``number`` is made from the digest and tells nobody who it was."""

    number: str
    steps: tuple[ErasureStep, ...]
    records: int  # rows of the record that were deleted or blanked this time
    troubles: tuple[str, ...] = ()  # lists a platform did not let us reach, by the error's name

    @property
    def done(self) -> bool:
        return not self.troubles and all(step.done_at for step in self.steps)


def erase(app: App, digests: Iterable[bytes]) -> Receipt:
    """Erase the person known by any of ``digests`` (32 bytes each).

    They are suppressed first, so that no run adds them again while this one works.
    """
    known = {key for digest in digests for key in (digest, *app.store.keys_known_by(digest))}
    keys = sorted(known)
    app.store.suppress(keys, reason=ERASED, at=app.now())
    troubles = [trouble for key in keys for trouble in _off_every_list(app, key)]
    records = sum(app.store.forget_person(key) for key in keys)
    steps = tuple(step for key in keys for step in app.store.erasure(key))
    receipt = Receipt(_number(keys), steps, records, tuple(troubles))
    audit(app, "person erased", receipt.number, {"lists": len(steps), "done": receipt.done})
    return receipt


def go_on(app: App) -> int:
    """Take up every erasure that a list has not confirmed yet. Returns how many people are off every list now.

    A platform that does not answer is not waited for: the next run takes it up.
    """
    done = 0
    for key in app.store.open_erasures():
        troubles = _off_every_list(app, key, attempts=1)
        app.store.forget_person(key)
        if not troubles and all(step.done_at for step in app.store.erasure(key)):
            audit(app, "person erased", _number([key]), {"lists": len(app.store.erasure(key)), "done": True})
            done += 1
    return done


def _number(keys: list[bytes]) -> str:
    return hashlib.sha256(b"evenreach/erasure/" + keys[0]).hexdigest()[:16]


def _off_every_list(app: App, key: bytes, *, attempts: int = 5) -> list[str]:
    """Ask every list for a removal, and note what was confirmed. One list's trouble never stops the others."""
    troubles = []
    for step in app.store.ask_erasure(key, at=app.now()):
        if step.done_at is not None:
            continue
        try:
            _off_one_list(app, key, step, attempts=attempts)
        except Exception as error:
            if getattr(error, "remedy", None) is None:
                raise
            troubles.append(f"{step.audience_id}: {type(error).__name__}")
    return troubles


def _off_one_list(app: App, key: bytes, step: ErasureStep, *, attempts: int) -> None:
    batch_id = step.batch_id or _removal(app, key, step.audience_id)
    app.store.note_erasure(key, step.audience_id, batch_id=batch_id, done_at=None)
    settle(app, step.audience_id)  # additions that are still open hold the removal back
    patiently(app, lambda: send(app, step.audience_id), attempts=attempts)
    settle(app, step.audience_id)
    done = _confirmed_at(app, batch_id)
    app.store.note_erasure(key, step.audience_id, batch_id=batch_id, done_at=done)


def _removal(app: App, key: bytes, audience_id: str) -> str:
    """Asked for even where the record says they left: an answer may have been lost."""
    record = app.store.audience(audience_id)
    assert record is not None
    keys = from_digests(key)
    nobody = MemberTable(np.zeros((0, 32), dtype=np.uint8), [], [])
    removal = Delta(
        audience_id, app.store.ledger_keys(audience_id).version, nobody, MemberTable(keys, [b""], [""])
    )
    size = app.platform(record.spec.platform).capabilities.batch_size
    return str(app.store.record_delta(removal, batch_size=size, at=app.now())[0])


def _confirmed_at(app: App, batch_id: str) -> datetime | None:
    info = app.store.batch_info(batch_id)
    answered = info.status is BatchStatus.SETTLED and info.unknown == 0
    return info.settled_at if answered else None
