"""Two people at once: one wins, the other is told plainly, and what stands in the end is right."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from audiences.store.records import PlanMove, PlanStatus
from flows import activate_plan, balance
from flows.activate_plan import NotApproved, apply_plan
from flows.plan_begun import PlanBegun, begun, plan_lease
from flows.plan_codec import decode_plan
from flows.runs import Busy
from flows.sandbox_link import START
from flows.wiring import App, open_app
from platforms.sandbox.server import start
from tests.flows import failing_balance, failing_lists, small_workspace
from tests.flows.failing_nursery import Ended, Nursery, nursery
from tests.flows.failing_trials import UNREPEATED, calls
from tests.flows.small_workspace import SEGMENT

TOLD = ("Busy", "StaleBase", "StoreBusy", "Conflict", "NotApproved", "PlanBegun")


@pytest.fixture(scope="module")
def nests() -> Iterator[tuple[Nursery, Nursery]]:
    with nursery() as one, nursery() as other:
        yield one, other


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


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    room = tmp_path_factory.mktemp("two")
    failing_lists.operations(room)
    return room


@pytest.mark.parametrize("name", ["sync", "push"])
def test_the_same_lists_changed_by_2_processes_at_once_end_right_and_each_row_goes_out_once(
    worlds: Path, nests: tuple[Nursery, Nursery], tmp_path: Path, name: str
) -> None:
    world = {"sync": "lists", "push": "one-off"}[name]
    shutil.copytree(worlds / world, tmp_path / "w", ignore=UNREPEATED)
    words = ["sync", "--accept-shrink", "1000"] if name == "sync" else failing_lists.pushes(worlds / world)[0]
    before = (tmp_path / "w" / "sandbox" / "journal.bin").stat().st_size
    with start(port=0, clock="simulated", start_at=START, state_dir=tmp_path / "w" / "sandbox"):
        in_order(at_once(nests, tmp_path / "w", words, words))
        assert (
            nests[0].run([*words, "--workspace", str(tmp_path / "w"), "--json"], tmp_path / "log").code == 0
        )
        with open_app(tmp_path / "w") as app:
            check = failing_lists.check_sync if name == "sync" else failing_lists.check_push
            check(app, lambda: calls(tmp_path / "w", after=before))


def test_an_undo_while_a_sync_runs_leaves_platform_and_ledger_the_same(
    worlds: Path, nests: tuple[Nursery, Nursery], tmp_path: Path
) -> None:
    shutil.copytree(worlds / "lists", tmp_path / "w", ignore=UNREPEATED)
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
    copies: small_workspace.Copies, nests: tuple[Nursery, Nursery], tmp_path: Path
) -> None:
    operation = failing_balance.operations(copies, tmp_path)["apply"][1]
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
