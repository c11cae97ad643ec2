"""Normalise and hash one e-mail, phone or name by a platform's own rule.

Past ``identity`` no raw e-mail, phone or personal name exists. Must never put a
value into a reason, a message or a repr; a reject is a code.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from functools import cache

PLATFORMS = ("linkedin", "google")
KINDS = ("email", "phone", "given_name", "family_name", "region_code", "postal_code")
HASHED_KINDS = ("email", "phone", "given_name", "family_name")


@dataclass(frozen=True, slots=True)
class Reject:
    """No identifier comes out of this text, and why: a stable code."""

    reason: str


# Python's own idea of white space; Rust's ``\s`` lacks the four separators, so both engines get them spelled
# out.
SPACE = r"[\s\x1c-\x1f]"
HEX64 = r"^[0-9a-fA-F]{64}$"
_SPACES = re.compile(SPACE)
_BASE64 = re.compile(r"^[A-Za-z0-9+/]{43}=$")
# MD5, SHA-1, SHA-512: hashed, but not in a way the platforms read as SHA-256.
OTHER_HASH = r"^(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{128})$"
_PREFIX = re.compile(r"^(?:mr|mrs|ms|dr)\.(?:\s+|$)")
_SUFFIX = re.compile(r"(?:,\s*|\s+)(?:jr\.?|sr\.?|2nd|3rd|ii|iii|iv|v|vi|cpa|dc|dds|vm|jd|md|phd)\s*$")


def already_hashed(value: str) -> str | None:
    """The lower-case hex digest, when the text is a SHA-256 in hex or Base64; it is never hashed again."""
    bare = value.strip()
    if re.match(HEX64, bare):
        return bare.lower()
    if _BASE64.match(bare):
        return base64.b64decode(bare).hex()
    return None


def normalise(
    platform: str, kind: str, value: str | None, *, default_country: str | None = None
) -> str | Reject:
    """The text the platform wants hashed (or, for region and postal code, wants plain).

    platform         "linkedin" or "google"
    kind             one of ``KINDS``
    default_country  ISO alpha-2, for phone numbers written without a country code

    A SHA-256 digest is returned as it is, in lower-case hex; see ``already_hashed``.
    LinkedIn: e-mail only (Matched Audiences, "Data Normalization", 2026): lower case, all
    white space removed, dots and ``+tags`` kept. Google: Data Manager API,
    "Format user data", mid-2026. Raises ValueError for an unknown platform or kind.
    """
    if platform not in PLATFORMS or kind not in KINDS:
        raise ValueError(f"no rule for platform {platform!r} and kind {kind!r}")
    if value is None or not value.strip():
        return Reject("blank")
    if platform == "linkedin" and kind not in ("email", "region_code"):
        return Reject("platform_does_not_hash_this")
    if kind in HASHED_KINDS:
        digest = already_hashed(value)
        if digest is not None:
            return digest
        if re.match(OTHER_HASH, value.strip()):
            return Reject("other_hash")
    if kind == "email":
        return _linkedin_email(value) if platform == "linkedin" else _google_email(value)
    if kind == "phone":
        return phone_number(value, default_country)
    if kind == "postal_code":
        return value.strip()
    rules = {"given_name": _given_name, "family_name": _family_name, "region_code": _region_code}
    return rules[kind](value)


def hash_one(platform: str, kind: str, value: str, *, default_country: str | None = None) -> str:
    """Lower-case hex SHA-256 of the normalised text, or ``!reason``. A digest passes through, never hashed
    twice.
    """
    result = normalise(platform, kind, value, default_country=default_country)
    if isinstance(result, Reject):
        return f"!{result.reason}"
    if kind not in HASHED_KINDS or result == already_hashed(value):
        return result
    return hashlib.sha256(result.encode("utf-8", errors="surrogatepass")).hexdigest()


def _mailbox(text: str) -> tuple[str, str] | Reject:
    user, at, domain = text.partition("@")
    if not at or "@" in domain:
        return Reject("not_user_at_domain")
    if not user:
        return Reject("empty_user")
    return (user, domain) if domain else Reject("empty_domain")


def _google_email(value: str) -> str | Reject:
    """One ``@``, no inner white space, lower case; Gmail loses dots and everything from the first ``+``."""
    bare = value.strip()
    if _SPACES.search(bare):
        return Reject("inner_space")
    parts = _mailbox(bare.lower())
    if isinstance(parts, Reject):
        return parts
    user, domain = parts
    if domain in ("gmail.com", "googlemail.com"):
        user = user.partition("+")[0].replace(".", "")
        if not user:
            return Reject("empty_user")
    return f"{user}@{domain}"


def _linkedin_email(value: str) -> str | Reject:
    """All white space removed, lower case. A domain without a dot is refused: no member has one."""
    parts = _mailbox(_SPACES.sub("", value).lower())
    if isinstance(parts, Reject):
        return parts
    return "@".join(parts) if "." in parts[1] else Reject("domain_without_dot")


def phone_number(value: str, default_country: str | None = None) -> str | Reject:
    """E.164 with ``+``. Only numbers that are possible in their country; an extension is dropped.

    Without a country code the number is read in ``default_country``; without
    that, its digits must themselves be a possible international number, as
    Google's formatter assumes ("1 800 555 0100" is +18005550100).
    """
    import phonenumbers as pn

    text = value.strip()
    if not any(c.isdigit() for c in text):
        return Reject("no_digits")
    attempts = [(text, default_country)] if default_country or re.match(r"^(tel:)?\W*\+", text) else []
    attempts.append(("+" + re.sub(r"^\D*(?:00)?", "", text), None))
    for candidate, country in attempts:
        try:
            number = pn.parse(candidate, country.upper() if country else None)
        except pn.NumberParseException:
            continue
        if pn.is_possible_number_with_reason(number) == pn.ValidationResult.IS_POSSIBLE:
            return pn.format_number(number, pn.PhoneNumberFormat.E164)
    return Reject("implausible_number")


def _given_name(value: str) -> str | Reject:
    """Trim, lower case, one title (mr. mrs. ms. dr.) off the front; the rule of Google's Node library."""
    return _PREFIX.sub("", value.strip().lower()).strip() or Reject("empty_name")


def _family_name(value: str) -> str | Reject:
    """Trim, lower case, suffixes (jr, sr, iii, phd ...) off the end, as many as there are; Google's Node
    rule.

    It costs a few real surnames their last word ("Le Vi"); Google's own list does the same.
    """
    name = value.strip().lower()
    while (shorter := _SUFFIX.sub("", name)) != name:
        name = shorter
    return name or Reject("empty_name")


def _region_code(value: str) -> str | Reject:
    code = value.strip().upper()
    return code if code in _iso_regions() else Reject("not_iso_3166")


@cache
def _iso_regions() -> frozenset[str]:
    from audiences.clean_countries import iso_country_codes

    return iso_country_codes()
