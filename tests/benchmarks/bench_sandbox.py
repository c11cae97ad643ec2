"""How fast the sandbox is: a batch of people, a market day, a quarter of a year replayed.

Run by hand: ``python tests/benchmarks/bench_sandbox.py``. Prints CPU time beside wall time, because the
two part on a busy machine.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import orjson

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.platforms.sandbox.calls import Sandbox, companies, people

HEADERS = {
    "authorization": "Bearer sandbox-token",
    "linkedin-version": "202608",
    "x-restli-method": "BATCH_CREATE",
}


def measure(name: str, action: Callable[[], object], *, times: int = 1) -> None:
    """One line: name, wall and CPU milliseconds per run."""
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(times):
        action()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{name:45s} {1000 * wall / times:9.1f} ms wall {1000 * cpu / times:9.1f} ms CPU")


def main() -> None:
    folder = Path(tempfile.mkdtemp())
    sandbox = Sandbox(state_dir=folder)
    made = sandbox.seed(campaigns=5, creatives=5)
    for i, campaign in enumerate(made["campaigns"]):
        segment = sandbox.ready_segment()
        sandbox.push(segment, companies(640, first=640 * i))
        sandbox.target(campaign["campaign"], [sandbox.destination(segment)["destinationSegmentId"]])
    segment = sandbox.ready_segment("USER")
    bodies = iter([orjson.dumps({"elements": people(5000, first=5000 * i)}) for i in range(10)])
    path = f"/rest/dmpSegments/{segment}/users"
    measure(
        "5,000 people, no network",
        lambda: sandbox.engine.call("POST", path, "", HEADERS, next(bodies)),
        times=10,
    )
    sandbox.pass_time(days=2)
    measure("market day, 3,000 companies x 5 x 5", lambda: sandbox.pass_time(days=1), times=82)
    sandbox.engine.close()
    measure("replay of all that", lambda: Sandbox(state_dir=folder).engine.close())


if __name__ == "__main__":
    main()
