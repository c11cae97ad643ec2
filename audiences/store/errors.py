"""What can go wrong with the record, sorted by what to do next. Ids, codes and counts only, never a value."""

from __future__ import annotations

from audiences.errors import AudienceError


class StoreError(AudienceError):
    """The record could not be read or written."""

    remedy = "Read the message; trying again will not help."


class StoreBusy(StoreError):
    """Another process holds the lock, or two transactions crossed."""

    retryable = True
    remedy = (
        "The step is tried again; a command that ended with this may be run again when the other is done."
    )


class StoreGone(StoreError):
    """The database cannot be reached."""

    retryable = True
    remedy = "Check that the database runs, that its address is right, and that its folder can be written to."


class StoreFull(StoreError):
    """The disk or a quota of the database is full."""

    remedy = "Free space on the database's disk, then run the same command again; nothing was half written."


class StoreBroken(StoreError):
    """The file is damaged or is not a database."""

    remedy = "Restore the last backup of the workspace."


class StoreMissing(StoreError):
    """There is no database there yet."""

    remedy = "Any command on the workspace makes it, `evenreach upkeep` for one."


class StoreBehind(StoreError):
    """The database waits for migrations of this program."""

    remedy = "Run `evenreach init` once; it brings the database up to date and keeps the data."


class StoreAhead(StoreError):
    """A newer program has already changed this database."""

    remedy = "Upgrade Evenreach on this machine to the version that wrote the database."


class StaleBase(StoreError):
    """Somebody else changed this list since it was read; nothing was written."""

    retryable = True
    remedy = "Compute the changes again from the list as it stands now."

    def __init__(
        self, message: str = "", *, audience_id: str = "", base: int = 0, current: int = 0, remedy: str = ""
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.audience_id, self.base, self.current = audience_id, base, current

    def where(self) -> str:
        return f"{self.audience_id} (based on version {self.base}, now at {self.current})"


class NotFound(StoreError):
    """No such audience, batch, plan or version."""

    remedy = "Check the id; `evenreach segments list` and the page show what exists."


class Conflict(StoreError):
    """The request contradicts what is already stored."""

    remedy = "Read the current state and decide again."
