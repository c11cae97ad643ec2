"""Checks before anything is opened: folder, disk, secrets' files, settings file, database. Opens no workspace."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from audiences.config import Config, load
from audiences.errors import AudienceError
from audiences.store import Store
from audiences.store.errors import StoreAhead, StoreBehind, StoreBroken, StoreError, StoreMissing
from flows.doctor import Finding
from flows.settings import Settings
from flows.wiring import CONFIG, database_url

LEAST_DISK = 500_000_000  # bytes: the record, its backup and a report fit
BEHIND = (
    "Make a backup (evenreach backup FILE); the next command that opens the workspace brings it up to date."
)


def place(workspace: Path, settings: Settings) -> Iterator[Finding]:
    """Folder, disk space, and who may read the secrets."""
    if not (workspace / CONFIG).is_file():
        words = f"there is no {CONFIG} in {workspace.absolute()}."
        yield Finding(
            "workspace", "workspace", False, words, "Run evenreach init, or name it with --workspace."
        )
        return
    yield from _writable(workspace)
    free = shutil.disk_usage(workspace).free
    if free < LEAST_DISK:
        words = f"only {free / 1e6:,.0f} MB are free on its disk."
        yield Finding("disk", "workspace", False, words, "Free at least 500 MB.")
    secrets = [*sorted((workspace / "tokens").glob("*.json")), workspace / ".env"]
    secrets += [settings.google_credentials_file] if settings.google_credentials_file else []
    for file in secrets:
        if file.is_file() and file.stat().st_mode & 0o077:
            words = f"{file.name} can be read by other users of this machine."
            yield Finding("secret_readable", "secrets", False, words, f"Run: chmod 600 {file}")


def _writable(workspace: Path) -> Iterator[Finding]:
    for folder in (workspace, workspace / "tokens", workspace / "reports", workspace / "rejects"):
        if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
            words = f"{folder} cannot be written to."
            yield Finding(
                "unwritable", "workspace", False, words, f"Run: chmod u+rwx {folder}, or change its owner."
            )


def settings_file(workspace: Path) -> tuple[Config | None, list[Finding]]:
    """The settings, and what is wrong with them."""
    if not (workspace / CONFIG).is_file():
        return None, []
    try:
        config = load(workspace / CONFIG)
    except AudienceError as error:
        return None, [Finding("settings", CONFIG, False, str(error), error.remedy)]
    words = f"{len(config.segments)} segments, read without fault"
    return config, [Finding("settings", CONFIG, True, words)]


def record(workspace: Path, config: Config) -> Iterator[Finding]:
    """Whether this program and the database fit, without changing it."""
    try:
        Store.open(database_url(config.database, workspace.absolute())).close()
    except StoreMissing:
        yield Finding("database", "database", True, "none yet; the first command makes it")
    except StoreBehind as error:
        yield Finding("database_behind", "database", False, str(error.args[0]), BEHIND)
    except StoreAhead as error:
        yield Finding("database_ahead", "database", False, str(error.args[0]), error.remedy)
    except StoreBroken as error:
        yield Finding("database_broken", "database", False, str(error.args[0]), error.remedy)
    except StoreError as error:
        yield Finding("database_gone", "database", False, str(error.args[0]), error.remedy)
    else:
        yield Finding("database", "database", True, "fits this program")
