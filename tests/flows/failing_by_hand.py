"""The long form of the kill tests: ``python -m tests.flows.failing_by_hand --trials 100 [--only sync ...]``.

``--only prefect --trials 5`` kills Prefect's server under a sync, instead of the sync; two minutes each.
Prints one line per operation: how often it was killed and where. Ends with an error at the first that did not heal.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import tempfile
import time
from pathlib import Path

from tests.flows import failing_balance, failing_lists, failing_prefect, small_workspace
from tests.flows.failing_nursery import nursery
from tests.flows.failing_trials import trials

NAMES = ("sync", "push", "collect", "balance", "apply")
PREFECT = "prefect"


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--trials", type=int, default=100, help="kills per operation")
    words.add_argument("--only", nargs="+", choices=(*NAMES, PREFECT), default=NAMES)
    words.add_argument("--seed", type=int, default=1)
    given = words.parse_args()
    with tempfile.TemporaryDirectory(prefix="evenreach-kills-") as folder, nursery() as nest:
        room = Path(folder)
        operations = {}
        with contextlib.redirect_stdout(io.StringIO()):
            if {"sync", "push", PREFECT} & set(given.only):
                operations |= failing_lists.operations(room)
            if {"collect", "balance", "apply"} & set(given.only):
                small_workspace.make(room / "fresh")
                operations |= failing_balance.operations(small_workspace.Copies(room / "fresh", room), room)
        if PREFECT in given.only:
            with contextlib.redirect_stdout(io.StringIO()):
                told = failing_prefect.trials(
                    operations["sync"][0], room, kills=given.trials, seed=given.seed
                )
            print(f"{PREFECT}: {told}; every next sync healed", flush=True)
        for name in (one for one in given.only if one != PREFECT):
            ways = operations[name]
            for number, way in enumerate(ways):
                began, kills = (
                    time.monotonic(),
                    given.trials // len(ways) + (number < given.trials % len(ways)),
                )
                told = trials(way, nest, room, kills=kills, seed=given.seed + number)
                each = (time.monotonic() - began) / max(kills, 1)
                print(
                    f"{name} ({number + 1} of {len(ways)}): {told}; every rerun healed; {each:.1f} s each",
                    flush=True,
                )


if __name__ == "__main__":
    main()
