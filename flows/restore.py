"""Bring a list back to an earlier version of the record. Whoever was suppressed since stays off."""

from __future__ import annotations

from dataclasses import replace

from audiences.model import AudienceSpec
from flows.activate import send, settle
from flows.activate_delta import Grounds, Prepared, plan_change
from flows.push import without_suppressed
from flows.runs import audit, patiently
from flows.wiring import App


def restore(
    app: App, spec: AudienceSpec, version: int, *, accept_shrink: int = 0, dry_run: bool = False
) -> Prepared:
    """The delta from what is asked for today to what was asked for at ``version``, sent unless ``dry_run``.

    Raises NotFound for a version that never was or is no longer kept, Braked when too many would leave.
    """
    members, barred = without_suppressed(
        app.store.suppressed(), app.store.ledger_at(spec.audience_id, version)
    )
    grounds = Grounds(source_rows=max(len(members), app.config.brakes.minimum_rows, 1))
    prepared = plan_change(app, spec, members, grounds, accept_shrink=accept_shrink, dry_run=dry_run)
    if not dry_run:
        patiently(app, lambda: send(app, spec.audience_id))
        settle(app, spec.audience_id)
        audit(app, "list restored", spec.audience_id, {"version": version, "members": len(members)})
    return replace(prepared, left_out={"suppressed": barred} if barred else {})
