"""Prefect as it is pinned really runs flows and really schedules; its server leaves when its parent does."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.slow

PARENT = """
import sys, time
from pathlib import Path
import httpx
from flows.engine import prefect_server
from flows.settings import prefect_server_url

with prefect_server(Path(sys.argv[1])) as wait:
    wait()
    print(prefect_server_url(), flush=True)
    sys.stdin.read()
"""


def test_the_server_leaves_when_its_parent_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(textwrap.dedent(PARENT))
    parent = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path / "prefect")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent.parent,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent.parent)},
    )
    assert parent.stdout is not None
    url = parent.stdout.readline().strip()
    assert httpx.get(f"{url}/health", timeout=10).is_success
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert gone(url), "Prefect's server outlived its parent"
    parent.stdout.close()
    assert parent.stdin is not None
    parent.stdin.close()


def gone(url: str) -> bool:
    """Whether nobody answers any more, asked for up to twenty seconds."""
    for _ in range(200):
        try:
            httpx.get(f"{url}/health", timeout=1)
        except httpx.HTTPError:
            return True
        time.sleep(0.1)
    return False
