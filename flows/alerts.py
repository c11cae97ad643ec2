"""One message per change of state, to whoever ``evenreach.yaml`` names. It decides no state; it only tells.

A state that stays is not told again. When no channel takes the message the old
state is put back, so that the next run tries once more.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flows.wiring import App

if TYPE_CHECKING:
    from flows.alerts_channels import Message, Send

OK = "ok"
LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Condition:
    """How one subject stands. ``state`` "ok" is well; ``words`` is what a person reads, "" = not worth a word.

    Ids, codes and counts only, never a person's value.
    """

    subject: str  # "list/linkedin/tier-1/companies", "token/linkedin", ...
    state: str
    words: str = ""


def tell(app: App, conditions: Iterable[Condition]) -> tuple[str, ...]:
    """Tell every change of state once, all of this call in one message. Returns what was told.

    The first sight of a subject that is well is no change. Never raises for a channel that fails.
    """
    changed: list[tuple[Condition, tuple[str, str] | None]] = []
    before = app.store.alert_states()
    for one in conditions:
        if app.store.alert_changed(one.subject, one.state, at=app.now(), detail=one.words):
            was = before.get(one.subject)
            changed.append((one, (was[0], was[2]) if was else None))
    worth = [one for one, _ in changed if one.words]
    if not worth:
        return ()
    if deliver(app, worth):
        return tuple(one.words for one in worth)
    for one, known in changed:
        state, detail = known or (OK, "")
        app.store.alert_changed(one.subject, state, at=app.now(), detail=detail)
    return ()


def deliver(app: App, worth: Sequence[Condition], *, title: str = "") -> bool:
    """Send one message with these lines over every channel.

    True when a channel took it, or when there is none to ask. What fails is logged, without the address.
    """
    from flows.alerts_channels import Message, channels

    if not title:
        bad = sum(one.state != OK for one in worth)
        title = f"{bad} to look at" if bad else "well again"
    message = Message(app.config.workspace, title, tuple(worth), app.now())
    taken = [_sent(send, name, message) for name, send in channels(app.settings, app.config.alerts)]
    return any(taken) or not taken


def _sent(send: Send, name: str, message: Message) -> bool:
    from flows.alerts_channels import NotSent

    try:
        send(message)
    except NotSent as error:
        LOG.warning("an alert was not sent by %s: %s", name, error)
        return False
    return True
