"""``evenreach sandbox``: LinkedIn and Google on this machine, for trying and testing."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from flows.verbs.outcome import DONE


def run(arguments: argparse.Namespace) -> int:
    from platforms.sandbox.server import serve

    def ready(url: str) -> None:
        print(
            f"SANDBOX at {url} (token: sandbox-token, control: {url}/sandbox/clock). Stop with Ctrl-C.",
            flush=True,
        )

    serve(
        port=arguments.port,
        clock=arguments.clock,
        start_at=datetime.now(UTC),
        state_dir=arguments.state,
        ready=ready,
    )
    return DONE
