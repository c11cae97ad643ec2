"""Signed cookies and form tokens. It signs and checks; it stores nothing and knows no role."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass

from flows.web.access import Access

COOKIE = "evenreach_session"
SECURE_COOKIE = "__Host-evenreach_session"


@dataclass(frozen=True, slots=True)
class Session:
    """What a cookie carries.

    id     opaque; form tokens are bound to it        name   who signed in, "" = nobody
    ends   epoch seconds                              mark   of the password it was opened with
    """

    id: str
    name: str
    ends: int
    mark: str = ""


def cookie_name(access: Access) -> str:
    """``__Host-`` makes browsers insist on https, no domain and path "/"."""
    return SECURE_COOKIE if access.secure else COOKIE


def new_session(access: Access, name: str = "") -> Session:
    ends = int(access.now().timestamp()) + access.session_hours * 3600
    return Session(access.token(), name, ends, password_mark(access, name))


def password_mark(access: Access, name: str) -> str:
    """Changes with the password, so that a new password ends the sessions of the old one."""
    user = access.users.get(name)
    return _sign(access, "password", user.password_hash)[:12] if user is not None else ""


def seal(access: Access, session: Session) -> str:
    """The session as cookie text, signed."""
    body = json.dumps([session.id, session.name, session.ends, session.mark], separators=(",", ":")).encode()
    text = base64.urlsafe_b64encode(body).decode().rstrip("=")
    return f"{text}.{_sign(access, 'session', text)}"


def unseal(access: Access, cookie: str) -> Session | None:
    """The session of a cookie, or None if it is foreign, changed or over."""
    text, _, signature = cookie.partition(".")
    if not signature or not _same(signature, _sign(access, "session", text)):
        return None
    try:
        found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        session = Session(str(found[0]), str(found[1]), int(found[2]), str(found[3]))
    except (ValueError, TypeError, LookupError):
        return None
    return session if session.ends > access.now().timestamp() else None


def mark(access: Access, kind: str, text: str) -> str:
    """Tells texts of one kind apart without saying what they are, e.g. what was typed as a name."""
    return f"{kind}:{_sign(access, kind, text)[:16]}"


def form_token(access: Access, session_id: str) -> str:
    """The token a form of this session must send back."""
    return _sign(access, "form", session_id)


def token_fits(access: Access, session_id: str, token: str) -> bool:
    return bool(session_id) and _same(token, form_token(access, session_id))


def _sign(access: Access, purpose: str, text: str) -> str:
    digest = hmac.new(access.secret, f"{purpose}:{text}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), wanted.encode())
