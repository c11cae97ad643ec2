"""Make a list hold exactly what the record asks for, where whoever else is on it is known to nobody.

A record that was lost, a file uploaded by hand or older rules of hashing leave members on a list that no removal
can name. Everybody who belongs there is sent once more; when the platform has taken them all, whoever was added
before that moment is taken off. The list is never empty meanwhile. Every step is stored before it is done, so that
upkeep goes on where a run was cut off.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from audiences.model import Receipt, RowResult, RowStatus
from flows.activate import send
from flows.activate_renew import again
from flows.runs import audit, leased, patiently
from flows.wiring import App, WorkspaceError
from platforms.contract import ReplacingPlatform
from platforms.errors import Refused


def begin(app: App, list_id: str) -> int:
    """Note the moment and send everybody who belongs on the list. Returns how many; ``go_on`` does the rest.

    Raises WorkspaceError where the platform cannot do it, or nobody belongs on the list; or a platform's error.
    """
    record = app.store.audience(list_id)
    if record is None or record.state is None:
        raise WorkspaceError(f"there is no list {list_id}")
    platform = app.platform(record.spec.platform)
    if not platform.capabilities.replaces:
        raise WorkspaceError(
            f"{record.spec.platform} cannot take off members nobody can name",
            remedy="Delete the list on the platform; upkeep makes it anew and fills it.",
        )
    if app.store.batches_to_settle(list_id):  # sent before the moment, so they would be taken for others
        raise WorkspaceError(
            f"{record.spec.platform} still works on what was sent to {list_id}",
            remedy="Run evenreach upkeep until nothing is open, then try again.",
        )
    if not belonging(app, list_id):
        raise WorkspaceError(f"nobody belongs on {list_id} by the record; sync it first")
    with leased(app, list_id):
        if not replacing(app, list_id):
            started = patiently(app, platform.begin_replace)
            app.store.put(_name(list_id), {"started": started.isoformat()}, at=app.now())
        members = _planned(app, list_id)
    patiently(app, lambda: send(app, list_id))
    return members


def belonging(app: App, list_id: str) -> int:
    """How many the record has on a list, or on the way to it."""
    counts = app.store.ledger_counts(list_id)
    return int(counts.accepted + counts.unknown + counts.pending_adds)


def replacing(app: App, list_id: str) -> bool:
    """Whether a replacement was begun and has not ended."""
    return app.store.get(_name(list_id)) is not None


def go_on(app: App, list_id: str) -> str:
    """The next step of a replacement once the platform has settled everything; words, "" where none was begun.

    Raises Refused where the platform took nobody or could not take the others off, or its other errors.
    """
    mark = app.store.get(_name(list_id))
    if mark is None:
        return ""
    record = app.store.audience(list_id)
    assert record is not None
    assert record.state is not None
    platform: ReplacingPlatform = app.platform(record.spec.platform)
    if "members" not in mark:
        _planned(app, list_id)
    if _open(app, list_id):
        return "being replaced; waits until everybody who belongs there is on it"
    if "request" in mark:
        return _done(app, list_id, mark, platform)
    started, accepted = datetime.fromisoformat(mark["started"]), app.store.ledger_counts(list_id).accepted
    settled = Receipt("replace", (RowResult(RowStatus.ACCEPTED),) * bool(accepted))
    request = platform.finish_replace(record.state.external_id, started, [settled])
    app.store.put(_name(list_id), mark | {"request": request}, at=app.now())
    audit(app, "others taken off", list_id, {"added_before": mark["started"], "members": accepted})
    return "being replaced; the others are leaving"


def _planned(app: App, list_id: str) -> int:
    """How many are sent again; planned once."""
    mark = app.store.get(_name(list_id))
    if "members" not in mark:
        members = again(app, list_id)
        app.store.put(_name(list_id), mark | {"members": members}, at=app.now())
        audit(app, "list replacement begun", list_id, {"members": members})
        return members
    return int(mark["members"])


def _open(app: App, list_id: str) -> bool:
    """Whether anybody's fate is open: taken off now, they would be lost."""
    counts = app.store.ledger_counts(list_id)
    return bool(
        counts.unknown
        or app.store.batches_to_send(list_id)
        or app.store.batches_to_settle(list_id)
        or any(letter.next_try is not None for letter in app.store.dead_letters(list_id))
    )


def _done(app: App, list_id: str, mark: Mapping[str, object], platform: ReplacingPlatform) -> str:
    try:
        done = platform.replace_done(str(mark["request"]))
    except Refused:  # asked for again by the next run
        undone = {name: value for name, value in mark.items() if name != "request"}
        app.store.put(_name(list_id), undone, at=app.now())
        raise
    if not done:
        return "being replaced; the others are leaving"
    app.store.put(_name(list_id), None, at=app.now())
    audit(app, "list replaced", list_id, {"started": mark["started"]})
    return "replaced: it holds what the record asks for and nobody else"


def _name(list_id: str) -> str:
    return f"replace/{list_id}"
