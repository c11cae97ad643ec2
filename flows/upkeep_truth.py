"""Whether a platform holds what it accepted: "success but empty" found and said. Reads only; sends nothing."""

from __future__ import annotations

from datetime import timedelta

from audiences.model import AudienceStatus
from flows.wiring import App

PATIENCE = timedelta(days=7)  # a list may build (or be refused quietly) for this long before it is doubted


def not_there(app: App, list_id: str) -> str:
    """A sentence when the platform took members and shows nobody; "" while that is as it should be.

    Platforms show no size below their minimum, so a short list says the same as an empty one.
    """
    record = app.store.audience(list_id)
    if record is None or record.state is None or record.state.audience_size:
        return ""
    counts = app.store.ledger_counts(list_id)
    if not counts.accepted or counts.pending_adds:
        return ""
    able, state = app.platform(record.spec.platform).capabilities, record.state
    versions = app.store.ledger_versions(list_id)
    since = min([at for _, at, _, _ in versions], default=record.created_at)
    built = able.first_build + able.update_latency
    wait = built if state.status is AudienceStatus.READY else PATIENCE
    if app.now() - since < wait or app.now() - record.created_at < wait:
        return ""
    return (
        f"{record.spec.platform} accepted {counts.accepted:,} members and shows nobody: "
        f"too few match (it shows no list below {able.minimum_audience}), or they were dropped silently."
    )
