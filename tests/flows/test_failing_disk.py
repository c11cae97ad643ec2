"""A disk that fills, a record that is locked, removed or stopped: each command says what to do, and then heals."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.sandbox_link import START
from flows.wiring import open_app
from platforms.sandbox.server import start
from tests.flows.failing_nursery import Nursery
from tests.flows.failing_trials import UNREPEATED, Operation, calls

SPARE = (49_152,)  # bytes left on the disk: midway
NAMES = ("sync", "push", "collect", "balance", "apply")


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file system of 48 MB of its own; skipped where none may be mounted."""
    place = tmp_path_factory.mktemp("disk")
    mount = shutil.which("mount")
    done = subprocess.run([mount or "false", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(place)])
    if done.returncode:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def world(operation: Operation, disk: Path, room: Path) -> tuple[Path, int]:
    """A copy on the small disk, its sandbox on the large one; and how long the sandbox's journal is."""
    folder = disk / "world"
    shutil.rmtree(folder, ignore_errors=True)
    (disk / "filler").unlink(missing_ok=True)
    shutil.copytree(operation.world, folder, ignore=shutil.ignore_patterns("address", "lock", "sandbox"))
    shutil.copytree(operation.world / "sandbox", room / "sandbox", ignore=UNREPEATED)
    (folder / "sandbox").symlink_to(room / "sandbox")
    return folder, (room / "sandbox" / "journal.bin").stat().st_size


def fill(disk: Path, *, spare: int) -> None:
    """Leave ``spare`` bytes on the disk."""
    free = shutil.disk_usage(disk).free
    with (disk / "filler").open("wb") as file:
        file.write(b"\0" * max(free - spare, 0))


@pytest.mark.parametrize("name", NAMES)
def test_a_disk_full_midway_is_said_with_its_remedy_and_the_next_run_heals(
    operations: dict[str, tuple[Operation, ...]], name: str, nest: Nursery, disk: Path, tmp_path: Path
) -> None:
    operation = operations[name][0]
    stopped = 0
    for spare in SPARE:
        room = tmp_path / str(spare)
        folder, before = world(operation, disk, room)
        words, log = [*operation.words, "--workspace", str(folder), "--json"], room / "log"
        with start(port=0, clock="simulated", start_at=START, state_dir=room / "sandbox"):
            fill(disk, spare=spare)
            full = nest.run(words, log)
            if full.code:
                stopped += 1
                error = json.loads(log.read_text().splitlines()[-1])["error"]
                assert "Free space" in error["remedy"], error
            (disk / "filler").unlink()
            again = nest.run(words, log)
            assert again.code == 0, log.read_text()[-2000:]
            with open_app(folder) as app:
                operation.check(app, lambda f=folder, b=before: calls(f, after=b))  # type: ignore[misc]
    assert stopped, "the disk was never full"
