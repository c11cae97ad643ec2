"""The registry: every platform Evenreach speaks to, as a dict to read. It must import none of them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from platforms.contract import Capabilities


@dataclass(frozen=True, slots=True)
class Entry:
    """Where an adapter lives; its module is imported when asked for."""

    module: str
    adapter: str
    settings: str

    def adapter_type(self) -> Any:
        return getattr(import_module(self.module), self.adapter)

    def settings_type(self) -> Any:
        return getattr(import_module(self.module), self.settings)

    def capabilities(self) -> Capabilities:
        """What the platform can do, without an account or a client."""
        record: Capabilities = import_module(self.module).CAPABILITIES
        return record

    def variants(self) -> dict[str, Capabilities]:
        """What it can do under other settings of ``evenreach.yaml``, by the setting; {} for most."""
        return dict(getattr(import_module(self.module), "VARIANTS", {}))


PLATFORMS: dict[str, Entry] = {
    "linkedin": Entry("platforms.linkedin", "LinkedIn", "LinkedInSettings"),
    "google": Entry("platforms.google", "Google", "GoogleSettings"),
    "files": Entry("platforms.files", "Files", "FilesSettings"),
}
