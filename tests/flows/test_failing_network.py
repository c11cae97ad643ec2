"""The network is cut in the middle of every request, or of every answer: nothing is doubled, nothing is lost."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina

from flows import activate
from flows.assess import assess
from flows.load import load
from flows.sandbox_link import START
from flows.wiring import open_app
from platforms.sandbox.server import start
from tests.flows import failing_balance, failing_lists
from tests.flows.failing_network import cutting
from tests.flows.failing_trials import UNREPEATED, Operation, calls


@pytest.fixture(autouse=True)
def without_waits() -> Iterator[None]:
    with stamina.set_testing(True, attempts=4, cap=True):
        yield


@pytest.mark.parametrize("where", ["request", "answer"])
def test_a_sync_whose_every_write_is_cut_off_once_ends_right_on_both_platforms(
    operations: dict[str, tuple[Operation, ...]], tmp_path: Path, where: str
) -> None:
    folder = tmp_path / "w"
    shutil.copytree(operations["sync"][0].world, folder, ignore=UNREPEATED)
    before = (folder / "sandbox" / "journal.bin").stat().st_size
    with start(port=0, clock="simulated", start_at=START, state_dir=folder / "sandbox") as sandbox:
        with cutting(folder / "sandbox", sandbox.url, where) as network, open_app(folder) as app:
            load(app, accept_shrink=1000)
            assessment = assess(app)
            for spec in activate.wanted_lists(app):
                activate.patiently(
                    app,
                    lambda s=spec: activate.prepare(app, assessment, s, accept_shrink=1000),  # type: ignore[misc]
                )
                activate.patiently(app, lambda s=spec: activate.send(app, s.audience_id))  # type: ignore[misc]
        told = b" ".join(network.cut)
        assert b"/rest/dmpSegments" in told
        assert b"/v1/audienceMembers" in told
        assert b"/userLists" in told
        with open_app(folder) as app:
            failing_lists.check(
                app, lambda: calls(folder, after=before), failing_lists.SYNCED, cut=int(where == "answer")
            )


@pytest.mark.parametrize("where", ["request", "answer"])
def test_a_plan_whose_every_write_is_cut_off_once_is_carried_out_whole_and_once(
    operations: dict[str, tuple[Operation, ...]], tmp_path: Path, where: str
) -> None:
    from flows.activate_plan import apply_plan
    from flows.balance import approve_as_seen

    operation = operations["apply"][0]
    folder = tmp_path / "w"
    shutil.copytree(operation.world, folder, ignore=UNREPEATED)
    before = (folder / "sandbox" / "journal.bin").stat().st_size
    with start(port=0, clock="simulated", start_at=START, state_dir=folder / "sandbox") as sandbox:
        with cutting(folder / "sandbox", sandbox.url, where) as network, open_app(folder) as app:
            approve_as_seen(app, operation.words[2], who="tester")
            apply_plan(app, operation.words[2])
        assert sum(network.cut.values()) > 10
        with open_app(folder) as app:
            failing_balance.check_apply(operation.words[2], cut=int(where == "answer"))(
                app, lambda: calls(folder, after=before)
            )
