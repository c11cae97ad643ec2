"""A workspace in one file, and back: settings, record, data, reports. Never overwrites, never leaves its folder.

Sign-ins stay out unless asked for; so do ``.env`` and Prefect's own folder. The
file holds hashes and whatever data files lie in the workspace: keep it as you
keep those.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any

from audiences.config import load
from audiences.store import backup as record_copy
from flows.record_mark import MARK
from flows.wiring import CONFIG, database_url

FORMAT, MANIFEST, RECORD = 1, "manifest.json", "record.db"
LEFT_OUT = {"prefect", ".env", MARK}  # the mark is made again from the record
SIDE_FILES = ("-wal", "-shm", ".part")
CHUNK = 1 << 20


class BackupError(Exception):
    """A copy was not made or not put back; nothing was half written."""

    retryable = False

    def __init__(self, message: str = "", *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy or "Read the message; nothing was changed."


@dataclass(frozen=True, slots=True)
class Copied:
    """What is in a copy. ``record`` False: the database is elsewhere and was not copied."""

    file: Path
    files: int
    bytes: int
    record: bool
    tokens: bool


def backup(
    workspace: Path, target: Path, *, at: datetime, with_tokens: bool = False, without_record: bool = False
) -> Copied:
    """Write the workspace to ``target`` (mode 0600), complete or not at all; others may go on working.

    ``without_record`` leaves out the database. Raises BackupError when ``target`` exists, ConfigError, or an
    error of the store.
    """
    if target.exists():
        raise BackupError(f"{target} exists already", remedy="Name a file that does not exist yet.")
    root = workspace.absolute()
    url = database_url(load(root / CONFIG).database, root)
    part, snapshot = target.with_name(f".{target.name}.part"), target.with_name(f".{target.name}.record")
    try:
        if not without_record:
            record_copy.backup(url, snapshot)
        found = {RECORD: snapshot} if snapshot.exists() else {}
        own = {part, target, snapshot}
        inside = {"workspace/" + name: path for name, path in _files(root, url, with_tokens, own)}
        listed = _pack(part, found | inside, at=at, record=bool(found))
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
        snapshot.unlink(missing_ok=True)
    total = sum(int(entry["bytes"]) for entry in listed.values())
    return Copied(target, len(listed), total, bool(found), with_tokens)


def _files(root: Path, url: str, with_tokens: bool, not_these: set[Path]) -> Iterator[tuple[str, Path]]:
    """Regular files by their path in the workspace; links are not followed."""
    database = url.removeprefix("sqlite:///") if url.startswith("sqlite:///") else ""
    barred = {path.absolute() for path in not_these} | {Path(database + tail) for tail in ("", *SIDE_FILES)}
    skipped = LEFT_OUT | (set() if with_tokens else {"tokens"})
    for path in sorted(root.rglob("*")):
        inside = path.relative_to(root)
        if inside.parts[0] in skipped or path.is_symlink() or not path.is_file() or path in barred:
            continue
        if inside.parts == ("sandbox", "address") or path.name.endswith(".lock"):
            continue  # they belong to a running sandbox
        yield inside.as_posix(), path


def _pack(part: Path, files: dict[str, Path], *, at: datetime, record: bool) -> dict[str, dict[str, Any]]:
    """The archive, its list of contents last: a file cut short has none. Returns that list."""
    listed: dict[str, dict[str, Any]] = {}
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as raw, tarfile.open(fileobj=raw, mode="w:gz", compresslevel=6) as archive:
        for name, path in files.items():
            content = path.read_bytes()  # read once, so that a file that grows meanwhile cannot tear
            listed[name] = {
                "sha256": hashlib.sha256(content).hexdigest(),
                "bytes": len(content),
                "mode": path.stat().st_mode & 0o700,
            }
            _add(archive, name, content, at)
        manifest = {"format": FORMAT, "at": at.isoformat(), "record": record, "files": listed}
        _add(archive, MANIFEST, json.dumps(manifest, indent=1).encode(), at)
        archive.close()
        raw.flush()
        os.fsync(raw.fileno())
    return listed


def _add(archive: tarfile.TarFile, name: str, content: bytes, at: datetime) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = len(content), 0o600, int(at.timestamp())
    archive.addfile(entry, io.BytesIO(content))


def restore(source: Path, workspace: Path, *, database: str = "") -> Copied:
    """Put a copy back as a new workspace. ``workspace`` must not exist, or be an empty folder.

    database   address of an empty database for the record, written into the settings; "" = the one they name

    Everything is unpacked and checked beside it first. Raises BackupError, or an error of the store when the
    record in it is damaged or of a newer program, or the database is not empty.
    """
    root = workspace.absolute()
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        remedy = "Name a folder that does not exist yet."
        raise BackupError(f"{workspace} is not empty; nothing is overwritten", remedy=remedy)
    part = root.with_name(f".{root.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir(parents=True, mode=0o700)
        manifest = _unpack(source, part)
        inside = part / "workspace"
        if not (inside / CONFIG).is_file():
            raise BackupError(f"{source.name} holds no {CONFIG}")
        if database:
            _name_database(inside / CONFIG, database)
        if manifest["record"]:
            _put_record(inside, root, part / RECORD)
        if root.exists():
            root.rmdir()
        os.replace(inside, root)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    sizes = [int(entry["bytes"]) for entry in manifest["files"].values()]
    tokens = any(name.startswith("workspace/tokens/") for name in manifest["files"])
    return Copied(root, len(sizes), sum(sizes), bool(manifest["record"]), tokens)


def _name_database(settings: Path, database: str) -> None:
    """The address in the settings, every other line left as it is."""
    lines = settings.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if not line.startswith("database:")]
    kept.append(f"database: {json.dumps(database)}")
    settings.write_text("\n".join(kept) + "\n", encoding="utf-8")


def _put_record(inside: Path, root: Path, snapshot: Path) -> None:
    """The record to where the settings say it lies: a server, or a file inside the workspace."""
    url = database_url(load(inside / CONFIG).database, inside)
    if not url.startswith("sqlite:"):
        record_copy.restore(url, snapshot)
        return
    target = Path(url.removeprefix("sqlite:///"))
    if not target.resolve().is_relative_to(inside.resolve()):
        remedy = f"Restore it by hand: the settings keep the record outside {root.name}."
        raise BackupError("the record would be put outside the workspace", remedy=remedy)
    target.parent.mkdir(parents=True, exist_ok=True)
    record_copy.restore(url, snapshot)


def _unpack(source: Path, part: Path) -> dict[str, Any]:
    """Every file of the archive under ``part``, as its list of contents says; anything else is refused."""
    found: dict[str, tuple[str, int]] = {}
    manifest: dict[str, Any] = {}
    try:
        with tarfile.open(source, "r:gz") as archive:
            for entry in archive:
                stream = archive.extractfile(entry) if entry.isreg() else None
                if stream is None or not _safe(entry.name) or entry.name in found:
                    raise BackupError(f"{source.name} holds something that is no plain file of a workspace")
                if entry.name == MANIFEST:
                    manifest = json.loads(stream.read())
                else:
                    found[entry.name] = _write(stream, part / entry.name)
    except (OSError, EOFError, tarfile.TarError, ValueError) as error:
        if isinstance(error, FileNotFoundError):
            raise BackupError(f"there is no file {source}") from None
        raise BackupError(f"{source.name} is damaged or is no backup ({type(error).__name__})") from None
    return _checked(manifest, found, source, part)


def _checked(
    manifest: dict[str, Any], found: dict[str, tuple[str, int]], source: Path, part: Path
) -> dict[str, Any]:
    if manifest.get("format") != FORMAT:
        raise BackupError(f"{source.name} is damaged, or a newer Evenreach wrote it")
    told = {name: (entry["sha256"], entry["bytes"]) for name, entry in manifest["files"].items()}
    if told != found:
        raise BackupError(f"{source.name} is damaged: what is in it is not what it lists")
    for name, entry in manifest["files"].items():
        (part / name).chmod(int(entry["mode"]) & 0o700 | 0o600)
    return manifest


def _safe(name: str) -> bool:
    """A relative path of the archive that stays inside it."""
    path = PurePosixPath(name)
    plain = not path.is_absolute() and ".." not in path.parts and "\\" not in name
    return plain and (name in (MANIFEST, RECORD) or path.parts[0] == "workspace")


def _write(stream: IO[bytes], target: Path) -> tuple[str, int]:
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, total = hashlib.sha256(), 0
    with target.open("xb") as file:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
            total += len(chunk)
            file.write(chunk)
    return digest.hexdigest(), total
