"""Band lists are judged by their segment as a whole: moving is not leaving."""

from __future__ import annotations

import pytest

from audiences.brakes import Braked
from flows import activate
from flows.assess import Assessment, assess
from flows.load import load
from flows.wiring import App
from tests.flows.list_workspace import Lists

BANDS = 2


def _apply(app: App, assessment: Assessment, bands: dict[str, int]) -> int:
    """Prepare and send every band list; the members removed."""
    removed = 0
    for band in range(BANDS):
        spec = activate.list_spec(app, "everyone", "linkedin", "companies", band)
        removed += activate.prepare(app, assessment, spec, bands=bands).removes
        activate.patiently(app, lambda spec=spec: activate.send(app, spec.audience_id))
    return removed


def _assessed(app: App) -> Assessment:
    load(app)
    return assess(app)


def test_moving_between_bands_is_no_reason_to_brake_and_leaving_unseen_is(lists: Lists) -> None:
    with lists.opened() as app:
        assessment = _assessed(app)
        everyone = assessment.segments["everyone"].version.account_ids
        halves = {account: i % 2 for i, account in enumerate(everyone)}
        assert _apply(app, assessment, halves) == 0
        swapped = {account: 1 - band for account, band in halves.items()}
        assert _apply(app, assessment, swapped) == 180

        for row in lists.companies[100:]:
            row["employees"] = "3"
        lists.write()
        assessment = _assessed(app)
        with pytest.raises(Braked, match="100 of 180") as stopped:
            _apply(app, assessment, swapped)
        assert "evenreach sync everyone --accept-shrink 100" in stopped.value.remedy


def test_who_left_through_the_brake_of_the_segments_own_list_leaves_the_bands_too(lists: Lists) -> None:
    lists.sync("everyone", "--platform", "linkedin")
    with lists.opened() as app:
        assessment = _assessed(app)
        halves = {a: i % 2 for i, a in enumerate(assessment.segments["everyone"].version.account_ids)}
        _apply(app, assessment, halves)
    for row in lists.companies[100:]:
        row["employees"] = "3"
    lists.write()
    lists.sync("everyone", "--platform", "linkedin", code=3)
    with lists.opened() as app, pytest.raises(Braked):
        _apply(app, assess(app), halves)
    lists.sync("everyone", "--platform", "linkedin", "--accept-shrink", "200")
    with lists.opened() as app:
        assert _apply(app, assess(app), halves) == 100
