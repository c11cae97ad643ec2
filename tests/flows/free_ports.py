"""Ports for programs that are told where to listen. Where a program can choose by itself, let it."""

from __future__ import annotations

import random
import socket

BELOW_EPHEMERAL = range(20_000, 32_000)  # the system gives none of these to anybody who did not ask for it
_given: set[int] = set()


def free_port() -> int:
    """A port nobody listens on, another one at each call."""
    while True:
        port = random.SystemRandom().choice(BELOW_EPHEMERAL)
        if port in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port
