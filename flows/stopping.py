"""Ends what serves when a signal, or the work itself, asks for it. Knows nothing of what is served.

Python raises the exception of a signal's handler wherever the program happens to be, and drops it when that is a
destructor or a weak reference (docs.python.org, signal, "Note on Signal Handlers and Exceptions", 2026-11-22): the
program then runs on for ever. Here a signal only leaves word, and the main thread waits for it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Any


class Stop:
    """Word that it is time to end.

    seconds  how long the end may take once asked for; then the process leaves with code 0, whatever a library still
             waits for (a server that is gone). Nothing is lost by it: everything is written as it happens.
    """

    def __init__(self, *, seconds: float | None = None) -> None:
        self._asked: SimpleQueue[None] = SimpleQueue()  # the one lock-free piece a handler may touch
        self._seconds = seconds

    def ask(self, *_: object) -> None:
        self._asked.put(None)

    def heed_signals(self) -> None:
        """From now on SIGINT and SIGTERM ask, and interrupt nothing; asked twice, it ends no sooner."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.ask)

    def wait(self) -> None:
        """Until somebody asks."""
        self._asked.get()
        if self._seconds is not None:
            timer = threading.Timer(self._seconds, os._exit, (0,))
            timer.daemon = True
            timer.start()

    def run(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run ``work`` in a thread of its own until it ends, with what it raises, or is cancelled because of a stop."""
        cancels: SimpleQueue[Callable[[], object]] = SimpleQueue()

        async def cancellable() -> None:
            task, loop = asyncio.current_task(), asyncio.get_running_loop()
            assert task is not None
            cancels.put(partial(loop.call_soon_threadsafe, task.cancel))
            await work()

        with ThreadPoolExecutor(1, thread_name_prefix="schedules") as thread:
            ended = thread.submit(asyncio.run, cancellable())
            ended.add_done_callback(self.ask)
            self.wait()
            with suppress(asyncio.CancelledError):
                if not ended.done():
                    with suppress(RuntimeError):  # it ended by itself meanwhile
                        cancels.get()()
                ended.result()
