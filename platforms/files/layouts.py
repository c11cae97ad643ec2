"""Members as rows of the platforms' upload templates. It must not change a header: they are refused then.

LinkedIn Help a1489764 and Google Ads Help 7659867, read 2026-09. E-mails, phones and names are SHA-256 hex.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from audiences.model import IdentifierKind as Kind
from audiences.model import MemberKind

LINKEDIN_COMPANY = (
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
LINKEDIN_CONTACT = (
    ("email", Kind.EMAIL),
    ("firstname", None),  # wanted in clear, which we do not hold
    ("lastname", None),
    ("jobtitle", None),
    ("employeecompany", None),
    ("country", Kind.COUNTRY),
    ("googleaid", None),
)
GOOGLE_CONTACT = (
    ("Email", Kind.EMAIL),
    ("Phone", Kind.PHONE),
    ("First Name", Kind.GIVEN_NAME),
    ("Last Name", Kind.FAMILY_NAME),
    ("Country", Kind.REGION_CODE),
    ("Zip", Kind.POSTAL_CODE),
)
# What makes a member worth a row.
LAYOUTS = {
    MemberKind.COMPANY: (Kind.NAME, Kind.DOMAIN, Kind.EMAIL_DOMAIN, Kind.PAGE),
    MemberKind.CONTACT: (Kind.EMAIL, Kind.PHONE),
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_upload(
    path: Path, kind: MemberKind, layout: str, members: Iterable[Sequence[Sequence[str]]]
) -> None:
    """One row per member, replacing the file in one step, readable by its owner only."""
    columns = LINKEDIN_COMPANY if kind is MemberKind.COMPANY else _contact(layout)
    draft = path.with_suffix(".draft")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([title for title, _ in columns])
        for identifiers in members:
            row = _row(columns, identifiers)
            if any(row):
                writer.writerow(row)
    os.replace(draft, path)


def _contact(layout: str) -> Sequence[tuple[str, Kind | None]]:
    return GOOGLE_CONTACT if layout == "google" else LINKEDIN_CONTACT


def _row(columns: Sequence[tuple[str, Kind | None]], identifiers: Sequence[Sequence[str]]) -> list[str]:
    """The first identifier of each kind; a country stands in for a region code and the other way round."""
    held: dict[str, str] = {}
    for kind, value in identifiers:
        held.setdefault(kind, value)
    held.setdefault(Kind.REGION_CODE, held.get(Kind.COUNTRY, ""))
    held.setdefault(Kind.COUNTRY, held.get(Kind.REGION_CODE, ""))
    row = [_harmless(held.get(kind, "")) if kind else "" for _, kind in columns]
    matchable = [
        cell for (_, kind), cell in zip(columns, row, strict=True) if kind not in (None, Kind.COUNTRY)
    ]
    return row if any(matchable) else []


def _harmless(text: str) -> str:
    """A blank in front of what a spreadsheet would run as a formula; platforms trim it."""
    return f" {text}" if text.startswith(_FORMULA) else text
