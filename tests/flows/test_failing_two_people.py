"""Two people at once: one wins, the other is told plainly, and what stands in the end is right."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from audiences.store.records import PlanMove, PlanStatus
from flows import activate_plan, balance
from flows.activate_plan import NotApproved, apply_plan
from flows.bands import band_campaigns
from flows.exceptions import AccountException, keep_exception
from flows.plan_begun import PlanBegun, begun, plan_lease
from flows.plan_codec import decode_plan
from flows.runs import Busy
from flows.sandbox_link import START
from flows.wiring import App, open_app
from platforms.sandbox.server import start
from tests.flows import failing_balance, failing_lists, small_workspace
from tests.flows.failing_nursery import Ended, Nursery, nursery
from tests.flows.failing_trials import UNREPEATED, Operation, calls
from tests.flows.small_workspace import SEGMENT

TOLD = ("Busy", "StaleBase", "StoreBusy", "Conflict", "NotApproved", "PlanBegun", "PlanMoved")
Change = Callable[[Path, str, Nursery, Path], None]
Operations = dict[str, tuple[Operation, ...]]


@pytest.fixture(scope="module")
def nests(nest: Nursery) -> Iterator[tuple[Nursery, Nursery]]:
    with nursery() as other:
        yield nest, other


def at_once(
    nests: tuple[Nursery, Nursery], folder: Path, first: list[str], second: list[str]
) -> list[tuple[Ended, str]]:
    """Two commands in two processes; how each ended and what it printed last."""
    ends: dict[int, Ended] = {}
    logs = [folder.parent / f"{folder.name}-{n}.log" for n in range(2)]

    def go(n: int, words: list[str]) -> None:
        ends[n] = nests[n].run([*words, "--workspace", str(folder), "--json"], logs[n])

    threads = [threading.Thread(target=go, args=(n, words)) for n, words in enumerate((first, second))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [(ends[n], logs[n].read_text().splitlines()[-1]) for n in range(2)]


def in_order(ended: list[tuple[Ended, str]]) -> None:
    """At least one got through; who did not was told why, in words and not in a traceback."""
    assert any(end.code == 0 for end, _ in ended), ended
    for end, said in ended:
        if end.code:
            error = json.loads(said)["error"]
            assert error["error"] in TOLD
            assert error["remedy"]


@pytest.mark.parametrize("name", ["sync", "push"])
def test_the_same_lists_changed_by_2_processes_at_once_end_right_and_each_row_goes_out_once(
    operations: Operations, nests: tuple[Nursery, Nursery], tmp_path: Path, name: str
) -> None:
    operation = operations[name][0]
    shutil.copytree(operation.world, tmp_path / "w", ignore=UNREPEATED)
    words = list(operation.words)
    before = (tmp_path / "w" / "sandbox" / "journal.bin").stat().st_size
    with start(port=0, clock="simulated", start_at=START, state_dir=tmp_path / "w" / "sandbox"):
        in_order(at_once(nests, tmp_path / "w", words, words))
        assert (
            nests[0].run([*words, "--workspace", str(tmp_path / "w"), "--json"], tmp_path / "log").code == 0
        )
        with open_app(tmp_path / "w") as app:
            operation.check(app, lambda: calls(tmp_path / "w", after=before))


def test_an_undo_while_a_sync_runs_leaves_platform_and_ledger_the_same(
    operations: Operations, nests: tuple[Nursery, Nursery], tmp_path: Path
) -> None:
    shutil.copytree(operations["sync"][0].world, tmp_path / "w", ignore=UNREPEATED)
    name, sync = "linkedin/everyone/companies", ["sync", "--accept-shrink", "1000"]
    with start(port=0, clock="simulated", start_at=START, state_dir=tmp_path / "w" / "sandbox"):
        assert nests[0].run([*sync, "--workspace", str(tmp_path / "w")], tmp_path / "log").code == 0
        undo = ["undo", name, "--accept-shrink", "1000"]
        in_order(at_once(nests, tmp_path / "w", undo, sync))
        with open_app(tmp_path / "w") as app:
            failing_lists.forward(app, days=3)
            failing_lists.finish(app)
            found = failing_lists.truly_on(app, name)
            assert found == failing_lists.in_ledger(app, name)
            wanted = failing_lists.SYNCED[name]
            assert found in (wanted.before, wanted.after)  # never a mixture
            failing_lists.on_record(app)


def test_a_plan_approved_and_refused_at_once_is_either_whole_or_not_begun(
    operations: Operations, nests: tuple[Nursery, Nursery], tmp_path: Path
) -> None:
    operation = operations["apply"][1]
    plan = operation.words[2]
    shutil.copytree(operation.world, tmp_path / "w", ignore=UNREPEATED)
    before = (tmp_path / "w" / "sandbox" / "journal.bin").stat().st_size
    with start(port=0, clock="simulated", start_at=START, state_dir=tmp_path / "w" / "sandbox"):
        in_order(at_once(nests, tmp_path / "w", list(operation.words), ["balance", "--refuse", plan]))
        with open_app(tmp_path / "w") as app:
            if app.store.plan(plan).status is PlanStatus.APPLIED:
                operation.check(app, lambda: calls(tmp_path / "w", after=before))
            else:
                assert app.store.plan(plan).status is PlanStatus.REFUSED
                assert calls(tmp_path / "w", after=before) == []


def exclude_somebody(folder: Path, plan: str, nest: Nursery, log: Path) -> None:
    with open_app(folder) as app:
        account = decode_plan(app.store.plan(plan).body).accounts[0]
        keep_exception(app, SEGMENT, account, AccountException("exclude", None, "other"))


def read_reports(folder: Path, plan: str, nest: Nursery, log: Path) -> None:
    assert nest.run(["collect", "--days", "10", "--workspace", str(folder)], log).code == 0


def shrink_segment(folder: Path, plan: str, nest: Nursery, log: Path) -> None:
    file = folder / "evenreach.yaml"
    file.write_text(file.read_text().replace("at_least: 10}", "at_least: 200}"))
    nest.run(["sync", "--accept-shrink", "1000", "--workspace", str(folder)], log)


@pytest.mark.parametrize(
    ("change", "late"),
    [(exclude_somebody, 0.0), (exclude_somebody, 0.4), (read_reports, 0.1), (shrink_segment, 0.2)],
)
def test_a_plan_approved_while_its_inputs_move_is_carried_out_as_seen_or_not_at_all(
    operations: Operations, nests: tuple[Nursery, Nursery], tmp_path: Path, change: Change, late: float
) -> None:
    operation, folder = operations["apply"][0], tmp_path / "w"
    plan = operation.words[2]
    shutil.copytree(operation.world, folder, ignore=UNREPEATED)
    with start(port=0, clock="simulated", start_at=START, state_dir=folder / "sandbox"):
        words, log = [*operation.words, "--workspace", str(folder), "--json"], tmp_path / "log"
        ends: list[Ended] = []
        approving = threading.Thread(target=lambda: ends.append(nests[0].run(words, log)))
        approving.start()
        time.sleep(late)
        change(folder, plan, nests[1], tmp_path / "other.log")
        approving.join()
        if ends[0].code:
            assert json.loads(log.read_text().splitlines()[-1])["error"]["error"] in TOLD
        with open_app(folder) as app:
            small_workspace.forward(app, days=3)
            failing_lists.finish(app)
            record, bands = app.store.plan(plan), band_campaigns(app, SEGMENT).campaigns
            if record.status is not PlanStatus.APPLIED:
                assert bands == ()
                assert app.store.band_states(SEGMENT) == ()
                return
            seen = decode_plan(record.body)
            for b in range(len(bands)):
                found = failing_lists.truly_on(app, f"linkedin/{SEGMENT}/companies/band-{b + 1}")
                planned = {a for a, band in zip(seen.accounts, seen.band, strict=True) if band == b}
                assert found == planned or (change is shrink_segment and found < planned)  # who left, left


def test_a_plan_is_not_decided_while_somebody_carries_one_out(copies: small_workspace.Copies) -> None:
    with copies.opened("deciding", banded=True) as app:
        plan = balance.propose(app, SEGMENT).record
        balance.approve(app, plan.plan_id, seen=plan.inputs_hash, who="one")
        app.store.take_lease(
            plan_lease(SEGMENT), "elsewhere:1:1", now=app.now(), until=app.now().replace(year=2030)
        )
        with pytest.raises(Busy, match="another run"):
            balance.refuse(app, plan.plan_id, who="other")
        with pytest.raises(Busy):
            apply_plan(app, plan.plan_id)


def test_a_plan_that_was_cut_off_cannot_be_refused_and_the_next_one_makes_it_good(
    copies: small_workspace.Copies, monkeypatch: pytest.MonkeyPatch
) -> None:
    with copies.opened("cut-off", banded=True) as app:
        small_workspace.forward(app, days=1)
        first = balance.propose(app, SEGMENT).record
        balance.approve(app, first.plan_id, seen=first.inputs_hash, who="one")
        with monkeypatch.context() as patch:
            patch.setattr(activate_plan, "_go_live", _cut)
            with pytest.raises(KeyboardInterrupt):
                apply_plan(app, first.plan_id)
        assert begun(app, SEGMENT) == first.plan_id
        with pytest.raises(PlanBegun, match="in part"):
            balance.refuse(app, first.plan_id, who="other")
        small_workspace.forward(app, days=1)
        small_workspace.balanced_day(app)
        assert begun(app, SEGMENT) is None
        assert app.store.plan(first.plan_id).status is PlanStatus.LAPSED
        with pytest.raises(NotApproved, match="lapsed"):
            apply_plan(app, first.plan_id)
        last = app.store.latest_plan(SEGMENT, statuses=(PlanStatus.APPLIED,))
        assert last is not None
        small_workspace.forward(app, days=3)
        failing_lists.finish(app)
        failing_balance.members_as_planned(app, last)


def test_a_plan_cut_off_between_two_bands_is_made_good_by_one_that_moves_nobody(
    copies: small_workspace.Copies, monkeypatch: pytest.MonkeyPatch
) -> None:
    with copies.opened("between-bands") as app:
        stands = small_workspace.balanced_day(app).record
        plan = decode_plan(app.store.plan(stands.plan_id).body)
        one, other = (int(np.flatnonzero(plan.band == b)[0]) for b in (0, 1))
        band = plan.band.copy()
        band[[one, other]] = 1, 0
        moves = tuple(
            PlanMove(plan.accounts[i], int(plan.band[i]), int(band[i]), "test", {}, None)
            for i in (one, other)
        )
        sent: list[str] = []
        send = activate_plan.send

        def once(app: App, list_id: str) -> object:
            sent.append(list_id)
            return send(app, list_id) if len(sent) == 1 else _cut()

        with monkeypatch.context() as patch:
            patch.setattr(activate_plan, "send", once)
            with pytest.raises(KeyboardInterrupt):
                activate_plan.carry_out(
                    app, replace(stands, plan_id="1" * 64, moves=moves), replace(plan, band=band)
                )
        activate_plan.carry_out(app, replace(stands, plan_id="2" * 64, moves=()), plan)
        small_workspace.forward(app, days=3)
        failing_lists.finish(app)
        failing_balance.members_as_planned(app, app.store.plan(stands.plan_id))


def _cut(*_: object) -> None:
    raise KeyboardInterrupt
