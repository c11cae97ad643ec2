"""Accounts of the page and its secret, in two files of the workspace that only their owner may read."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

import orjson

from flows.files import write_atomically
from flows.web.access import Role, User, hash_password
from flows.wiring import WorkspaceError

USERS, SECRET = "page-users.json", "page-secret"  # file names
SHORTEST = 12  # characters of a password


def read_users(workspace: Path) -> dict[str, User]:
    """Name -> account; {} where nobody was added. Raises WorkspaceError for a file that is not ours."""
    path = workspace / USERS
    if not path.is_file():
        return {}
    try:
        kept: Mapping[str, Mapping[str, str]] = orjson.loads(path.read_bytes())
        return {name: User(name, Role(one["role"]), one["password"]) for name, one in kept.items()}
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise WorkspaceError(f"{USERS} cannot be read; add the accounts again") from error


class Accounts(Mapping[str, User]):
    """The accounts as the file has them now, so that who is added or removed need not wait for a restart."""

    def __init__(self, workspace: Path):
        self._workspace = workspace
        self._seen: tuple[int, int] | None = None
        self._users: dict[str, User] = {}

    def _now(self) -> dict[str, User]:
        path = self._workspace / USERS
        found = path.stat() if path.is_file() else None
        seen = (found.st_mtime_ns, found.st_ino) if found else None
        if seen != self._seen:
            self._seen, self._users = seen, read_users(self._workspace)
        return self._users

    def __getitem__(self, name: str) -> User:
        return self._now()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._now())

    def __len__(self) -> int:
        return len(self._now())


def add_user(workspace: Path, name: str, role: str, password: str) -> None:
    """Add an account or change its role and password. Raises WorkspaceError for a short password."""
    if len(password) < SHORTEST:
        raise WorkspaceError(f"the password needs at least {SHORTEST} characters")
    users = read_users(workspace) | {name: User(name, Role(role), hash_password(password))}
    kept = {n: {"role": u.role.value, "password": u.password_hash} for n, u in sorted(users.items())}
    write_atomically(workspace / USERS, orjson.dumps(kept, option=orjson.OPT_INDENT_2), mode=0o600)


def page_secret(workspace: Path) -> bytes:
    """The key of cookies and form tokens, made once; remove the file to sign everybody out."""
    path = workspace / SECRET
    if not path.is_file():
        write_atomically(path, secrets.token_bytes(48), mode=0o600)
    return path.read_bytes()
