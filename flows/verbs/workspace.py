"""Which workspace a command works on, and an App on it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager

from flows.settings import Settings
from flows.wiring import App, open_app


@contextmanager
def opened(arguments: argparse.Namespace) -> Iterator[App]:
    """The App of ``--workspace``, else of the environment, else of the current folder."""
    settings = Settings()
    with open_app(arguments.workspace or settings.workspace, settings=settings) as app:
        yield app
