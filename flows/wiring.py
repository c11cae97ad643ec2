"""Settings to a running App: store, platforms, clock. The only place that picks real or sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from audiences.config import Config, load
from audiences.store import Store
from flows.record_mark import check_record
from flows.sandbox_link import SandboxLink, link_sandbox
from flows.settings import Settings

CONFIG = "evenreach.yaml"


class WorkspaceError(Exception):
    """The folder is not a workspace, or the workspace lacks what the command needs; ``remedy`` may add what to do."""

    retryable = False
    remedy = ""

    def __init__(self, message: str = "", *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy or type(self).remedy


@dataclass
class App:
    """Everything a flow works with. Close it by leaving ``open_app``."""

    workspace: Path
    config: Config
    settings: Settings
    store: Store
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    sandbox: SandboxLink | None = None
    remembered: dict[str, Any] = field(default_factory=dict)  # what is costly to compute, by what it rests on
    closing: list[Callable[[], None]] = field(default_factory=list)  # with it: adapters' clients
    _platforms: dict[str, Any] = field(default_factory=dict)

    @property
    def today(self) -> date:
        """The date in the workspace's time zone."""
        return self.now().astimezone(self.config.zone).date()

    @property
    def who(self) -> str:
        return self.settings.person()

    def platform(self, name: str) -> Any:
        """The adapter of a configured platform, built at first use and kept.

        Raises WorkspaceError for a platform that is not in ``evenreach.yaml``.
        """
        if name not in self._platforms:
            if name not in self.config.platforms.names():
                remedy = f"Set up are: {', '.join(self.config.platforms.names())}."
                raise WorkspaceError(f'platform "{name}" is not set up in {CONFIG}', remedy=remedy)
            from flows.adapters import build

            self._platforms[name] = build(self, name)
        return self._platforms[name]

    def platforms(self) -> dict[str, Any]:
        return {name: self.platform(name) for name in self.config.platforms.names()}


@contextmanager
def open_app(workspace: Path, *, settings: Settings | None = None, create: bool = True) -> Iterator[App]:
    """Open a workspace: configuration, database (migrated when ``create``), clock, sandbox if wanted.

    Raises WorkspaceError, ConfigError, RecordLost, or an error of the store.
    """
    root = workspace.absolute()
    if not (root / CONFIG).is_file():
        raise WorkspaceError(
            f"there is no {CONFIG} in {workspace.absolute()}",
            remedy="Run evenreach init to start one here, or name the folder with --workspace.",
        )
    config = load(root / CONFIG)
    url = database_url(config.database, root)
    store = Store.create(url) if create else Store.open(url)
    link: SandboxLink | None = None
    closing: list[Callable[[], None]] = []
    try:
        check_record(root, store)
        if uses_sandbox(config):
            link = link_sandbox(root / "sandbox", config.sandbox.starts)
        now, sleep = (link.now, link.sleep) if link else (_wall_clock, _wall_sleep)
        app = App(root, config, settings or Settings(), store, now, sleep, link, closing=closing)
        _OPEN[root] = app
        yield app
    finally:
        _OPEN.pop(root, None)
        for close in closing:
            close()
        if link:
            link.close()
        store.close()


@contextmanager
def app_for(workspace: str) -> Iterator[App]:
    """The App this process has open on a workspace, else a new one for as long as it is needed."""
    root = Path(workspace).absolute()
    if root in _OPEN:
        yield _OPEN[root]
        return
    with open_app(root) as app:
        yield app


_OPEN: dict[Path, App] = {}


def list_names(app: App) -> str:
    """Every list of the record by name, for a message to somebody who named another."""
    return ", ".join(sorted(one.spec.audience_id for one in app.store.audiences())) or "none yet"


def uses_sandbox(config: Config) -> bool:
    modes = [getattr(getattr(config.platforms, name), "mode", None) for name in config.platforms.names()]
    return "sandbox" in modes


def database_url(url: str, root: Path) -> str:
    """SQLite paths are relative to the workspace; everything else is as written."""
    prefix = "sqlite:///"
    if url.startswith(prefix) and not url.startswith(prefix + "/"):
        return f"{prefix}{root / url.removeprefix(prefix)}"
    return url


def _wall_clock() -> datetime:
    return datetime.now(UTC)


def _wall_sleep(seconds: float) -> None:
    import time

    time.sleep(seconds)
