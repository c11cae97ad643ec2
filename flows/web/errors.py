"""What can keep the page from doing what was asked, by remedy. No error holds a person's value."""

from __future__ import annotations

from collections.abc import Mapping

from flows.report.catalogue import Said


class PageError(Exception):
    """Something the visitor can act on."""

    status = 400
    retryable = False
    remedy = Said("error.remedy.general")

    def __init__(self, message: str = "", *, fields: Mapping[str, str] | None = None):
        super().__init__(message)  # keywords have defaults: errors must unpickle
        self.fields = dict(fields or {})

    @property
    def message(self) -> str:
        return str(self.args[0]) if self.args else ""

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(kind: type[PageError], args: tuple[str, ...], state: dict[str, object]) -> PageError:
    error = kind(*args)
    error.__dict__.update(state)
    return error


class NotFound(PageError):
    """The segment, plan, push or run does not exist (any more)."""

    status = 404
    remedy = Said("error.remedy.not_found")


class NothingYet(NotFound):
    """The thing exists but has no data yet."""

    remedy = Said("error.remedy.nothing_yet")


class Invalid(PageError):
    """What was entered cannot be used; ``fields`` says which field and why."""

    status = 422
    remedy = Said("error.remedy.invalid")


class Moved(PageError):
    """What was shown is no longer what would be done. ``differences`` are sentences."""

    status = 409
    remedy = Said("error.remedy.moved")

    def __init__(self, message: str = "", *, differences: tuple[str, ...] = (), path: str = ""):
        super().__init__(message)
        self.differences = differences
        self.path = path  # where the newest version is shown


class TooLate(PageError):
    """The minute to cancel is over, the push was undone already, the plan was decided already."""

    status = 409
    remedy = Said("error.remedy.too_late")


class SignInFirst(PageError):
    status = 401
    remedy = Said("error.remedy.sign_in_first")


class NotAllowed(PageError):
    """The visitor's role may not do this."""

    status = 403
    remedy = Said("error.remedy.not_allowed")


class Forged(PageError):
    """The request did not come from a form this page gave to this visitor."""

    status = 403
    remedy = Said("error.remedy.forged")


class TooLarge(PageError):
    status = 413
    remedy = Said("error.remedy.too_large")


class TooOften(PageError):
    """Too many attempts; ``wait`` seconds until the next is looked at."""

    status = 429
    retryable = True
    remedy = Said("error.remedy.too_often")

    def __init__(self, message: str = "", *, wait: int = 60):
        super().__init__(message)
        self.wait = wait


class Busy(PageError):
    """Another run holds the list, or the platform asks to wait."""

    status = 503
    retryable = True
    remedy = Said("error.remedy.busy")
