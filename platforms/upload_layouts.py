"""Members as rows of the platforms' upload templates. It must not change a header: they are refused then.

LinkedIn Help a1489764 and a423102, Google Ads Help 7659867, read 2026-09. E-mails, phones and names of people
are SHA-256 hex.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from typing import TextIO

from audiences.model import IdentifierKind as Kind
from audiences.model import MemberKind

Column = tuple[str, Kind | None]
Identifiers = Sequence[Sequence[str]]

LINKEDIN_COMPANY: tuple[Column, ...] = (
    ("companyname", Kind.NAME),
    ("companywebsite", Kind.DOMAIN),
    ("companyemaildomain", Kind.EMAIL_DOMAIN),
    ("linkedincompanypageurl", Kind.PAGE),
    ("stocksymbol", None),
    ("industry", None),
    ("city", None),
    ("state", None),
    ("companycountry", Kind.COUNTRY),
    ("zipcode", None),
)
LINKEDIN_CONTACT: tuple[Column, ...] = (
    ("email", Kind.EMAIL),
    ("firstname", None),  # wanted in clear, which we do not hold
    ("lastname", None),
    ("jobtitle", None),
    ("employeecompany", None),
    ("country", Kind.COUNTRY),
    ("googleaid", None),
)
GOOGLE_CONTACT: tuple[Column, ...] = (
    ("Email", Kind.EMAIL),
    ("Phone", Kind.PHONE),
    ("First Name", Kind.GIVEN_NAME),
    ("Last Name", Kind.FAMILY_NAME),
    ("Country", Kind.REGION_CODE),
    ("Zip", Kind.POSTAL_CODE),
)
TEMPLATES: dict[tuple[str, MemberKind], tuple[Column, ...]] = {
    ("linkedin", MemberKind.COMPANY): LINKEDIN_COMPANY,
    ("linkedin", MemberKind.CONTACT): LINKEDIN_CONTACT,
    ("google", MemberKind.CONTACT): GOOGLE_CONTACT,
}
# What makes a member worth a row.
MATCHABLE = {
    MemberKind.COMPANY: (Kind.NAME, Kind.DOMAIN, Kind.EMAIL_DOMAIN, Kind.PAGE, Kind.ORGANIZATION),
    MemberKind.CONTACT: (Kind.EMAIL, Kind.PHONE),
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_rows(stream: TextIO, layout: str, kind: MemberKind, members: Iterable[Identifiers]) -> int:
    """Header and one row per member that the layout can match; returns the number of members written."""
    columns = TEMPLATES[layout, kind]
    writer = csv.writer(stream)
    writer.writerow([title for title, _ in columns])
    written = 0
    for identifiers in members:
        row = _row(columns, kind, identifiers)
        if row:
            writer.writerow(row)
            written += 1
    return written


def matchable(kind: MemberKind, identifiers: Identifiers) -> bool:
    return any(name in MATCHABLE[kind] for name, _ in identifiers)


def fits(layout: str, kind: MemberKind, identifiers: Identifiers) -> bool:
    """Whether this layout has a column the member can be matched by."""
    return bool(_row(TEMPLATES[layout, kind], kind, identifiers))


def _row(columns: Sequence[Column], kind: MemberKind, identifiers: Identifiers) -> list[str]:
    """The first identifier of each kind, [] when no column can match it. Empty cells are filled where one
    identifier says the same as another: country and region code, page and organization, name and domain.
    """
    held: dict[str, str] = {}
    for name, value in identifiers:
        held.setdefault(name, value)
    if kind is MemberKind.COMPANY:
        organization = held.get(Kind.ORGANIZATION, "").rsplit(":", 1)[-1]
        if organization:
            held.setdefault(Kind.PAGE, f"https://www.linkedin.com/company/{organization}")
        if any(held.get(name) for name in MATCHABLE[kind]):
            held.setdefault(Kind.NAME, held.get(Kind.DOMAIN) or held.get(Kind.EMAIL_DOMAIN) or organization)
    held.setdefault(Kind.REGION_CODE, held.get(Kind.COUNTRY, ""))
    held.setdefault(Kind.COUNTRY, held.get(Kind.REGION_CODE, ""))
    row = [_harmless(held.get(name, "")) if name else "" for _, name in columns]
    good = any(cell for (_, name), cell in zip(columns, row, strict=True) if name in MATCHABLE[kind])
    return row if good else []


def _harmless(text: str) -> str:
    """A blank in front of what a spreadsheet would run as a formula; platforms trim it."""
    return f" {text}" if text.startswith(_FORMULA) else text
