"""A stop that is asked for is heard, whatever the program is doing at that moment."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from flows.stopping import Stop

ROOT = Path(__file__).parents[2]
# a signal that comes while an object is destroyed: an exception raised there would be dropped
IN_A_DESTRUCTOR = """
import asyncio, os, signal, sys
from flows.stopping import Stop
class Closing:
    def __del__(self):
        os.kill(os.getpid(), int(sys.argv[1]))
        for _ in range(1000):
            pass
stop = Stop()
stop.heed_signals()
Closing()
stop.run(lambda: asyncio.sleep(600))
print("ended")
"""
NEVER_ENDS = """
import threading
from flows.stopping import Stop
stop = Stop(seconds=0.1)
stop.ask()
stop.wait()
threading.Event().wait()
"""


def python(source: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", source, *words], cwd=ROOT, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_comes_in_a_destructor_is_heard(number: signal.Signals) -> None:
    ended = python(IN_A_DESTRUCTOR, str(int(number)))
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "ended\n", "")


def test_a_process_that_something_keeps_leaves_after_the_seconds_it_was_given() -> None:
    assert python(NEVER_ENDS).returncode == 0


def test_work_is_cancelled_once_somebody_asks_and_may_tidy_up() -> None:
    stop, seen = Stop(), []

    async def work() -> None:
        try:
            stop.ask()
            await asyncio.sleep(600)
        finally:
            await asyncio.sleep(0)
            seen.append(threading.current_thread() is threading.main_thread())

    stop.run(work)
    assert seen == [False]


def test_work_that_ends_by_itself_ends_the_wait_and_what_it_raises_is_raised() -> None:
    async def fails() -> None:
        raise ConnectionError("gone")

    Stop().run(lambda: asyncio.sleep(0))
    with pytest.raises(ConnectionError, match="gone"):
        Stop().run(fails)


def test_a_stop_asked_for_before_the_work_began_is_not_forgotten() -> None:
    stop = Stop()
    stop.ask()
    stop.run(lambda: asyncio.sleep(600))
