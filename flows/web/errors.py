"""What can keep the page from doing what was asked, by remedy. No error holds a person's value."""

from __future__ import annotations

from collections.abc import Mapping


class PageError(Exception):
    """Something the visitor can act on."""

    status = 400
    retryable = False
    remedy = "Go back and check what you entered."

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
    remedy = "It may have been removed or renamed. Start again from the overview."


class NothingYet(NotFound):
    """The thing exists but has no data yet."""

    remedy = "Collect reports first; they arrive about a day after the impressions."


class Invalid(PageError):
    """What was entered cannot be used; ``fields`` says which field and why."""

    status = 422
    remedy = "Correct what is marked and send again."


class Moved(PageError):
    """What was shown is no longer what would be done. ``differences`` are sentences."""

    status = 409
    remedy = "Look at the new plan and decide again."

    def __init__(self, message: str = "", *, differences: tuple[str, ...] = (), path: str = ""):
        super().__init__(message)
        self.differences = differences
        self.path = path  # where the newest version is shown


class TooLate(PageError):
    """The minute to cancel is over, the push was undone already, the plan was decided already."""

    status = 409
    remedy = "Nothing was changed. Look at its state now."


class SignInFirst(PageError):
    status = 401
    remedy = "Sign in and try again."


class NotAllowed(PageError):
    """The visitor's role may not do this."""

    status = 403
    remedy = "Ask someone with the needed role, or have an administrator change yours."


class Forged(PageError):
    """The request did not come from a form this page gave to this visitor."""

    status = 403
    remedy = "Open the page again and repeat the step; the form was too old or came from another site."


class TooLarge(PageError):
    status = 413
    remedy = "Split the file, or use the command line for very large lists."


class TooOften(PageError):
    """Too many attempts; ``wait`` seconds until the next is looked at."""

    status = 429
    retryable = True
    remedy = "Wait a little and try again."

    def __init__(self, message: str = "", *, wait: int = 60):
        super().__init__(message)
        self.wait = wait


class Busy(PageError):
    """Another run holds the list, or the platform asks to wait."""

    status = 503
    retryable = True
    remedy = "Try again in a few minutes."
