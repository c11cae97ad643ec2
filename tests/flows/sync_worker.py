"""One of several workers on one workspace: bring every list in line, each list by one worker at a time.

Run as a program: ``python -m tests.flows.sync_worker WORKSPACE NUMBER``. Prints a line per list it finished.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

from audiences.model import AudienceSpec
from audiences.store.errors import StaleBase, StoreBusy
from flows import activate
from flows.assess import Assessment, assess
from flows.runs import Busy, leased
from flows.wiring import App, open_app


def main(workspace: Path, number: int) -> None:
    with open_app(workspace) as app:
        assessment = assess(app, record=False)
        specs = activate.wanted_lists(app)
        random.Random(number).shuffle(specs)  # so that the workers meet as seldom as they can
        print("ready", flush=True)
        while specs:
            specs = [spec for spec in specs if not finished(app, assessment, spec)]


def finished(app: App, assessment: Assessment, spec: AudienceSpec) -> bool:
    """Whether the list is as it should be now; False while another worker has it."""
    try:
        with leased(app, f"sync/{spec.audience_id}"):
            prepared = activate.patiently(app, lambda: activate.prepare(app, assessment, spec))
            if prepared.adds or prepared.removes or app.store.batches_to_send(spec.audience_id):
                activate.patiently(app, lambda: activate.send(app, spec.audience_id))
                print(spec.audience_id, flush=True)
    except (Busy, StaleBase, StoreBusy):
        return False
    return True


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
