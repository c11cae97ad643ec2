"""Who may let a large change through on the page: whom the settings name, whatever else their role lets them do."""

from __future__ import annotations

import pytest

from tests.flows.small_workspace import Copies
from tests.flows.web.real_page import furnished


@pytest.mark.parametrize(
    ("named", "may"),
    [
        ((), {"operator", "approver"}),
        (("approver",), {"approver"}),
        (("operator",), {"operator"}),
        (("somebody else",), set()),
    ],
    ids=["nobody named", "an approver named", "an operator named", "somebody else named"],
)
@pytest.mark.parametrize("rank", ["viewer", "operator", "approver"])
def test_everybody_of_a_list_is_taken_off_by_named_approvers_alone(
    copies: Copies, named: tuple[str, ...], may: set[str], rank: str
) -> None:
    with furnished(copies) as real:
        page = real.page
        approvals = page.app.config.approvals.model_copy(update={"approvers": named})
        page.app.config = page.app.config.model_copy(update={"approvals": approvals})
        before = real.standing()
        answer = real.signed_in(real.public_app(), rank).post(f"/runs/{real.names['{run}']}/undo", {})
        assert answer.status_code == (303 if rank in may else 403)
        if rank not in may:
            assert real.standing() == before
            return
        lines = {line.what: line.detail for line in page.app.store.audit_tail(10)}
        assert lines["large change accepted"]["by"] == rank
