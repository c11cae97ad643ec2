"""What an ad platform can do to us, sorted by what to do next. It never holds a body, token or member value.

PlatformError
 +-- the same call may be sent again
 |    +-- Throttled          slow down; ``wait`` seconds if the platform said so
 |    +-- PlatformDown       no answer, or 5xx; ``sent`` tells whether it may have been carried out
 |    +-- NotReady           just created, not propagated yet
 |    +-- Conflict           somebody else wrote at the same moment; read again first
 |    +-- Garbled            an answer that does not say what it must
 +-- the same call may be sent again, but not today
 |    +-- QuotaSpent         day quota; stop until ``reset_at``
 +-- a person has to act
 |    +-- SignInAgain        consent ended or was withdrawn
 |    +-- NoPermission       scope, product approval or role is missing
 |    +-- ListLimitReached   too many lists in the ad account; delete some
 |    +-- VersionSunset      the pinned API version is gone; change the setting
 +-- sending again will not help
      +-- Refused            the platform says the request is wrong; ``rows`` names elements if it did
      +-- NotFound           no such thing
      |    +-- Gone          it was there and was deleted
      +-- FileNotUnderstood  a downloaded file that is not what we know, with line and column
"""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict, Unpack


class Told(TypedDict, total=False):
    """What the platform said beside the fact itself."""

    platform: str
    request_id: str
    code: str
    status: int


class PlatformError(Exception):
    """An ad platform did not do what was asked. Carries ids, codes and counts, never bodies.

    ``code`` is the platform's own stable code, ``status`` the HTTP status (0 = none),
    ``request_id`` what the platform's support asks for. All keywords have defaults, so errors unpickle.
    """

    retryable = False
    remedy = "Read the code in the platform's documentation; sending again will not help."

    def __init__(self, message: str = "", **told: Unpack[Told]) -> None:
        super().__init__(message)
        self.platform, self.request_id = told.get("platform", ""), told.get("request_id", "")
        self.code, self.status = told.get("code", ""), told.get("status", 0)

    def __str__(self) -> str:
        where = f"{self.platform}: " if self.platform else ""
        facts = [
            f"{label} {value}"
            for label, value in (
                ("status", self.status),
                ("code", self.code),
                ("request", self.request_id),
            )
            if value
        ]
        told = f" ({', '.join(facts)})" if facts else ""
        return f"{where}{self.args[0]}{told}. {self.remedy}"


class Throttled(PlatformError):
    """Asked to slow down; the same request may be sent after ``wait`` seconds (0 = not said)."""

    retryable = True
    remedy = "Nothing to do; the same request is sent again after the wait."

    def __init__(self, message: str = "", *, wait: float = 0.0, **told: Unpack[Told]) -> None:
        super().__init__(message, **told)
        self.wait = wait


class PlatformDown(PlatformError):
    """No answer, or an error on the platform's side. ``sent``: the request may have been carried out."""

    retryable = True
    remedy = "Nothing to do; it is tried again. If it lasts, see the platform's status page."

    def __init__(self, message: str = "", *, sent: bool = True, **told: Unpack[Told]) -> None:
        super().__init__(message, **told)
        self.sent = sent


class NotReady(PlatformError):
    """The thing was created moments ago and has not spread through the platform yet."""

    retryable = True
    remedy = "Nothing to do; it is tried again in a minute or two."


class Conflict(PlatformError):
    """Two writers met. Read again, then write again."""

    retryable = True
    remedy = "Nothing to do; it is read and written again."


class Garbled(PlatformError):
    """The platform answered something that does not carry what it must."""

    retryable = True
    remedy = "It is asked again; if it lasts, the platform changed its answers and Evenreach needs an update."


class QuotaSpent(PlatformError):
    """The day's quota is used up. Nothing more is sent before ``reset_at``."""

    remedy = "Wait until the quota resets, or ask the platform for a larger one."

    def __init__(self, message: str = "", *, reset_at: datetime | None = None, **told: Unpack[Told]) -> None:
        super().__init__(message, **told)
        self.reset_at = reset_at


class SignInAgain(PlatformError):
    """The consent behind the token ended, or was withdrawn."""

    remedy = "A person with a role on the ad account has to sign in again: evenreach connect."


class NoPermission(PlatformError):
    """The token is valid but may not do this: scope, product approval, or role on the ad account."""

    remedy = "Check the scopes, the product approval and the member's role on the ad account."


class ListLimitReached(PlatformError):
    """The ad account holds as many lists as the platform allows."""

    remedy = "Delete lists that are no longer used; waiting does not help."


class VersionSunset(PlatformError):
    """The pinned API version is no longer served."""

    remedy = "Set a newer API version in the settings."


class Refused(PlatformError):
    """The platform says the request itself is wrong. ``rows`` are the element numbers it named, if any."""

    remedy = "Correct what the code names; sending the same again will not help."

    def __init__(self, message: str = "", *, rows: tuple[int, ...] = (), **told: Unpack[Told]) -> None:
        super().__init__(message, **told)
        self.rows = rows


class NotFound(PlatformError):
    """The platform knows no such thing, or does not show it to this member."""

    remedy = "Check the id and the member's role; it may have been deleted."


class Gone(NotFound):
    """It existed and was deleted on the platform."""

    remedy = "It is created anew with the next run, or remove it from the settings."


class FileNotUnderstood(PlatformError):
    """A file from the platform does not look as expected. Names file, line and column, never the cell."""

    remedy = "Download it again in English as CSV, or report the column names so they can be added."

    def __init__(
        self, message: str = "", *, file: str = "", line: int = 0, column: str = "", **told: Unpack[Told]
    ) -> None:
        super().__init__(message, **told)
        self.file, self.line, self.column = file, line, column

    def __str__(self) -> str:
        places = [
            self.file,
            f"line {self.line}" if self.line else "",
            f'column "{self.column}"' if self.column else "",
        ]
        return f"{', '.join(place for place in places if place)}: {self.args[0]}. {self.remedy}"
