"""One-off lists on the page: preview, confirm, a minute to cancel, progress, undo. Sends through ``push`` alone.

What is remembered of a push are names, counts and ledger versions; the file is forgotten when it is confirmed.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from audiences.model import AudienceSpec, AudienceStatus
from flows import activate, push
from flows.approvers import accept_if_large
from flows.page_part import in_page_words, told
from flows.page_preview import Previews
from flows.page_runs import way_back
from flows.push_records import amend, push_ids, remember, remembered
from flows.report.catalogue import say
from flows.report.pieces import ListLine
from flows.web.errors import Invalid, NotFound, TooLate
from flows.web.views import PushOrder, PushProgress

log = logging.getLogger(__name__)
FOLLOWED_HOURS = 60  # a list that is not ready by then is left to upkeep


@dataclass(frozen=True)
class Confirmed:
    """One confirmed push. ``agreed`` are the removals per platform that whoever confirmed it may let through."""

    push_id: str
    lists: Mapping[str, push.OneOffList]
    order: PushOrder
    who: str
    agreed: Mapping[str, int]
    vouched_by: str = ""

    def spec(self, platform: str) -> AudienceSpec:
        return push.one_off_spec(self.order.list_name, platform, self.lists[platform].kind, self.order.note)


@dataclass
class Pushes(Previews):
    """From a dropped file to a list on the platforms, and back."""

    stops: dict[str, threading.Event] = field(default_factory=dict)
    grace: float = 60.0  # seconds in which a push can be cancelled
    poll: float = 5.0  # seconds between two looks at a list that is being built

    # -- confirm --------------------------------------------------------------------

    def push_confirm(self, preview_id: str, order: PushOrder, *, who: str) -> str:
        """Begin the minute after which it is sent. The same file under the same name is the same push."""
        upload = self._upload(preview_id)
        chosen = {p: one for p, one in upload.lists.items() if p in order.platforms and len(one.members)}
        if upload.problem or not chosen:
            wrong = upload.problem or say("push.order.empty")
            raise Invalid(say("push.order.unsendable"), fields={"file": wrong})
        push_id = hashlib.sha256(
            f"{upload.digest}\n{order.list_name}\n{sorted(chosen)}".encode()
        ).hexdigest()[:16]
        known = remembered(self.app, push_id)
        if known is not None and known["stage"] not in ("cancelled", "failed", "undone"):
            return push_id
        agreed = self._agreed(preview_id, chosen, order, who)
        going = Confirmed(push_id, chosen, order, who, agreed, upload.vouched_by)
        kept = {
            "name": order.list_name, "owner": order.owner, "note": order.note,
            "ends_on": order.ends_on.isoformat() if order.ends_on else None,
            "lists": {p: going.spec(p).audience_id for p in chosen},
            "versions": {}, "total": sum(len(one.members) for one in chosen.values()),
            "stage": "waiting", "message": "", "confirmed": self.clock().isoformat(), "who": who,
        }  # fmt: skip
        remember(self.app, push_id, kept)
        self.note(who, "push", order.list_name, owner=order.owner, rows=kept["total"])
        self.stops[push_id] = stop = threading.Event()
        self.workers.start(f"push {push_id}", lambda: self._send(going, stop))
        self.uploads.forget_content(preview_id)
        return push_id

    def _agreed(
        self, preview_id: str, chosen: Mapping[str, push.OneOffList], order: PushOrder, who: str
    ) -> dict[str, int]:
        """The removals that were shown, per platform; where a brake would stop them, only an approver agrees to them.

        Raises NotAllowed. Under another name than was shown nobody has seen any number: the brakes hold.
        """
        shown = self._preview(preview_id)
        if order.list_name != shown.suggested_name:
            return {}
        trying = Confirmed("", chosen, order, who, {})
        with in_page_words():
            return {platform: self._accepted(trying, platform) for platform in chosen}

    def _accepted(self, trying: Confirmed, platform: str) -> int:
        spec, wanted, owner = trying.spec(platform), trying.lists[platform], trying.order.owner

        def trial(leavers: int) -> object:
            return push.push_list(self.app, wanted, spec, owner=owner, accept_shrink=leavers, dry_run=True)

        return accept_if_large(self.acting(trying.who), spec.audience_id, trial, because=trying.order.note)

    def _send(self, going: Confirmed, stop: threading.Event) -> None:
        """After the minute, send to one platform after the other, and watch the lists until they are ready."""
        if stop.wait(self.grace):
            return
        self._change(going.push_id, stage="sending")
        try:
            for platform in going.lists:
                self._send_to(going, platform)
            self._change(going.push_id, stage="settling")
        except Exception as error:
            log.warning("a push stopped: %s", type(error).__name__)
            known = getattr(error, "remedy", None) is not None
            message = told(error) if known else say("push.progress.log")
            self._change(going.push_id, stage="failed", message=message)
            return
        self._follow(going.push_id)

    def _send_to(self, going: Confirmed, platform: str) -> None:
        """Send one list, and keep its versions before and after: undoing goes by them."""
        spec, order = going.spec(platform), going.order
        known = self.app.store.audience(spec.audience_id)
        versions = self._remembered(going.push_id)["versions"]
        versions |= {platform: [known.ledger_version if known else 0, -1]}
        self._change(going.push_id, versions=versions)
        push.push_list(
            self.acting(going.who),
            going.lists[platform],
            spec,
            owner=order.owner,
            note=order.note,
            until=order.ends_on,
            accept_shrink=going.agreed.get(platform, 0),
            declared_by=going.vouched_by,
        )
        versions[platform][1] = self.app.store.ledger_keys(spec.audience_id).version
        self._change(going.push_id, versions=versions)

    def _follow(self, push_id: str) -> None:
        """Look now and then until every list is ready; on a simulated clock waiting lets it run."""
        lists = list(self._remembered(push_id)["lists"].values())
        until = self.app.now() + timedelta(hours=FOLLOWED_HOURS)
        while self.app.now() < until:
            try:
                for list_id in lists:
                    if self.app.store.batches_to_send(list_id):
                        activate.send(self.app, list_id)
                    activate.settle(self.app, list_id)
                    activate.follow(self.app, list_id)
            except Exception as error:
                if not getattr(error, "retryable", False):
                    self._change(push_id, message=told(error))
                    return
            if self._remembered(push_id)["stage"] != "settling" or self._ready(lists):
                return
            time.sleep(self.poll if self.app.sandbox is None else min(self.poll, 0.5))
            if self.app.sandbox is not None:
                self.app.sleep(3600.0)

    def _ready(self, lists: Sequence[str]) -> bool:
        records = [self.app.store.audience(list_id) for list_id in lists]
        states = [record.state.status for record in records if record and record.state]
        done = len(states) == len(lists) and all(s is AudienceStatus.READY for s in states)
        return done and not any(self.app.store.batches_to_settle(list_id) for list_id in lists)

    # -- progress ---------------------------------------------------------------------

    def push_progress(self, push_id: str) -> PushProgress:
        kept = self._remembered(push_id)
        stage, message = self._stage(push_id, kept)
        lines = [self._one_off_line(list_id) for list_id in kept["lists"].values()]
        sent = stage in ("settling", "ready", "undone")
        began = datetime.fromisoformat(kept["confirmed"])
        return PushProgress(
            push_id=push_id,
            list_name=kept["name"],
            stage=stage,
            done=kept["total"] if sent else 0,
            total=kept["total"],
            lists=tuple(line for line in lines if line is not None and (sent or stage == "sending")),
            cancel_until=began + timedelta(seconds=self.grace),
            may_undo=stage in ("settling", "ready") and self._newest(kept),
            owner=kept["owner"],
            note=kept["note"],
            ends_on=date.fromisoformat(kept["ends_on"]) if kept["ends_on"] else None,
            message=message,
        )

    def _stage(self, push_id: str, kept: Mapping[str, Any]) -> tuple[str, str]:
        stage, message = str(kept["stage"]), str(kept["message"])
        if stage in ("waiting", "sending") and not self.workers.busy(f"push {push_id}"):
            return "failed", say("push.progress.stopped")
        if stage == "settling" and self._ready(list(kept["lists"].values())):
            return "ready", message
        return stage, message

    def _one_off_line(self, list_id: str) -> ListLine | None:
        record = self.app.store.audience(list_id)
        return self._list_line(record) if record else None

    def pushes(self, limit: int) -> Sequence[PushProgress]:
        """Newest first."""
        return [self.push_progress(push_id) for push_id in push_ids(self.app)[::-1][:limit]]

    def push_cancel(self, push_id: str, *, who: str) -> PushProgress:
        """Stop a push within its first minute. Raises TooLate afterwards."""
        found = self.push_progress(push_id)
        stop = self.stops.get(push_id)
        if found.stage != "waiting" or stop is None or stop.is_set():
            raise TooLate(say("push.progress.too_late"))
        stop.set()
        self._change(push_id, stage="cancelled")
        self.note(who, "cancel", found.list_name)
        return self.push_progress(push_id)

    def push_undo(self, push_id: str, *, who: str) -> PushProgress:
        """Bring the lists back to what they were before this push. Raises TooLate when they changed since."""
        found = self.push_progress(push_id)
        if not found.may_undo:
            raise TooLate(say("push.progress.not_undone"))
        kept = self._remembered(push_id)
        before = {platform: int(versions[0]) for platform, versions in kept["versions"].items()}
        with in_page_words():
            ways = [way_back(self.acting(who), kept["lists"][p], version) for p, version in before.items()]
            self._change(push_id, stage="undone")
            for way in ways:
                way()
            for platform, list_id in kept["lists"].items():
                self._remember_undone(list_id, int(kept["versions"][platform][1]))
        self.note(who, "undo", found.list_name)
        return self.push_progress(push_id)

    def _newest(self, kept: Mapping[str, Any]) -> bool:
        """Whether the lists stand as this push left them, and it changed anything."""
        versions: Mapping[str, list[int]] = kept["versions"]
        standing = {p: self.app.store.audience(list_id) for p, list_id in kept["lists"].items()}
        same = all(one and versions.get(p, [0, -1])[1] == one.ledger_version for p, one in standing.items())
        return same and any(before != after for before, after in versions.values())

    # -- remembering --------------------------------------------------------------------

    def _remembered(self, push_id: str) -> Mapping[str, Any]:
        kept = remembered(self.app, push_id)
        if kept is None:
            raise NotFound(say("error.no_push"))
        return kept

    def _change(self, push_id: str, **fields: Any) -> None:
        amend(self.app, push_id, **fields)
