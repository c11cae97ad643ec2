"""Who may let a plan or a large change through, and the line in the audit log that says who did, and why.

Decides no change: a plan is approved by its hash, a large change by the number of leavers that was shown.
"""

from __future__ import annotations

from collections.abc import Callable

from audiences.brakes import Braked
from flows.runs import audit
from flows.wiring import App, WorkspaceError


class NotAnApprover(WorkspaceError):
    """``approvals: approvers`` names others."""

    remedy = "Ask one of the approvers named in evenreach.yaml under approvals."


class NobodyNamed(WorkspaceError):
    """A large change was to go through without anybody's name."""

    remedy = "Fill in who agreed to it; the name goes into the audit log."


def require_approver(app: App, who: str) -> None:
    """Raises NotAnApprover when the settings name approvers and ``who`` is none of them."""
    named = app.config.approvals.approvers
    if named and who not in named:
        raise NotAnApprover(f'"{who}" may not approve')


def accept_if_large(app: App, subject: str, trial: Callable[[int], object], *, because: str = "") -> int:
    """The leavers a change needs accepted, agreed to by whoever acts; 0 when no brake would stop it.

    ``trial`` tries the change with that many leavers accepted and sends nothing. Raises NotAnApprover, or Braked
    when the change would be stopped all the same.
    """
    try:
        trial(0)
    except Braked as error:
        leavers = max(brake.number for brake in error.brakes)
        trial(leavers)
        accept_large_change(app, subject, leavers, who=app.who, because=because)
        return leavers
    return 0


def accept_large_change(app: App, subject: str, leavers: int, *, who: str, because: str = "") -> None:
    """Note that ``who`` lets up to ``leavers`` members leave at once; 0 leavers need nobody.

    Raises NobodyNamed or NotAnApprover. The change itself is held to that number by the brakes: if the
    inputs move and more would leave, it stops again.
    """
    if not leavers:
        return
    if not who:
        raise NobodyNamed(f"{leavers:,} members of {subject} would leave, and nobody is named who agreed")
    require_approver(app, who)
    audit(app, "large change accepted", subject, {"leavers": leavers, "by": who, "because": because})
