"""Which column of a file means what: layouts, header folding, and the proposed mapping.

Works on names only; it must not look at a value, except to recognise the few
declared exports that come without a header line.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib import resources
from io import StringIO
from typing import Any

from ruamel.yaml import YAML

from audiences.errors import ConfigError

Names = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """One export: canonical column -> the header names it goes by, already folded."""

    name: str
    title: str
    kind: str  # "companies" | "contacts" | "signals"
    source: str
    priority: int
    columns: Mapping[str, Names]
    signature: tuple[frozenset[str], ...] = ()
    headerless: Names = ()
    looks_like: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    attributes: Names = ()


@dataclass(frozen=True, slots=True)
class Understood:
    """A header, understood: canonical column -> positions in the file, in file order."""

    layout: Layout
    positions: Mapping[str, tuple[int, ...]]
    unmapped: tuple[int, ...]


# Columns of which a second and third copy is a further value, not a repetition.
MANY = frozenset({"email", "phone", "postal_code", "more_domains"})
# What cleaning makes something of (``clean`` holds the types); any other column of a file is listed as not used.
CARRIED = {
    "companies": frozenset(
        "row_id name domain website more_domains linkedin_url organization_urn industry employees revenue_usd"
        " founded_year country region city parent status tags technologies".split()
    ),
    "contacts": frozenset(
        "row_id email phone given_name family_name country postal_code company domain company_row_id function"
        " seniority job_title consent first_party".split()
    ),
    "signals": frozenset("domain company country kind on topic strength person".split()),
}
REMAP = "Correct columns: of this source in evenreach.yaml, or write it anew: evenreach map FILE --write"
# At least one of these must be there, or nothing in the row says who it is about.
IDENTIFYING = {
    "companies": frozenset({"name", "domain", "website", "linkedin_url", "organization_urn"}),
    "contacts": frozenset({"email", "phone", "given_name", "family_name"}),
    "signals": frozenset({"domain", "company"}),
    "report": frozenset({"impressions"}),
}


@lru_cache(maxsize=4096)  # every spelling of every layout is folded for every file
def fold(header: str) -> str:
    """``"Pai\u0301s/regio\u0301n  "`` and ``"PAÍS / REGIÓN"`` are one name: ``"pais region"``.

    Accents arrive composed or decomposed, with trailing blanks and with any
    separator, depending on the portal and the spreadsheet in between.
    """
    plain = unicodedata.normalize("NFKD", header.lstrip("\ufeff"))
    plain = "".join(c for c in plain if not unicodedata.combining(c)).casefold()
    return " ".join(re.findall(r"[^\W_]+", plain))


@cache
def load_layouts() -> Mapping[str, Layout]:
    """Every layout shipped with the package, by name."""
    raw = {}
    for entry in resources.files("audiences").joinpath("layouts").iterdir():
        if entry.name.endswith(".yaml"):
            document = YAML(typ="safe", pure=True).load(StringIO(entry.read_text(encoding="utf-8")))
            if "layout" in document:
                raw[document["layout"]] = document
    return {name: _layout(document, raw) for name, document in sorted(raw.items())}


def _layout(document: Mapping[str, Any], known: Mapping[str, Any]) -> Layout:
    headerless = document.get("headerless", {})
    return Layout(
        name=document["layout"],
        title=document["title"],
        kind=document["kind"],
        source=document.get("source", document["layout"]),
        priority=document.get("priority", 0),
        columns=_synonyms(document, known),
        signature=tuple(frozenset(map(fold, group)) for group in document.get("signature", ())),
        headerless=tuple(headerless.get("columns", ())),
        looks_like=headerless.get("looks_like", {}),
        constants=document.get("constants", {}),
        values=document.get("values", {}),
        attributes=_attributes(document, known),
    )


def _attributes(document: Mapping[str, Any], known: Mapping[str, Any]) -> Names:
    """Own ones, then those of the layout it inherits."""
    above = _attributes(known[document["inherits"]], known) if "inherits" in document else ()
    return tuple(dict.fromkeys((*document.get("attributes", ()), *above)))


def _synonyms(document: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Names]:
    """Own names first, then those of the layout it inherits, so that the export's own word wins."""
    own = {column: tuple(map(fold, names)) for column, names in document.get("columns", {}).items()}
    if "inherits" not in document:
        return own
    taken = {name for names in own.values() for name in names}
    for column, names in _synonyms(known[document["inherits"]], known).items():
        rest = tuple(name for name in names if name not in taken)
        own[column] = own.get(column, ()) + rest
    return own


def recognise(header: Sequence[str], *, kind: str = "", layout: str = "") -> Understood | None:
    """The layout that fits this header best, or None when nothing in it says who a row is about.

    A layout with a signature fits when one of its header groups is present in
    full; among those the larger group wins, then the stated priority, then the
    number of columns understood.
    """
    folded = [fold(cell) for cell in header]
    if _every_name().isdisjoint(folded):
        return None
    best: tuple[tuple[int, int, int], Understood] | None = None
    for candidate in load_layouts().values():
        if (layout and candidate.name != layout) or (kind and candidate.kind not in (kind, "report")):
            continue
        rank = _rank(candidate, folded, chosen=bool(layout))
        if rank is None:
            continue
        found = assign(candidate, folded)
        score = (*rank, sum(map(len, found.positions.values())))
        if IDENTIFYING[candidate.kind] & found.positions.keys() and (best is None or score > best[0]):
            best = (score, found)
    return best[1] if best else None


@cache
def _every_name() -> frozenset[str]:
    """All header names of all layouts: a row without any of them is no header."""
    layouts = load_layouts().values()
    return frozenset(name for layout in layouts for names in layout.columns.values() for name in names)


def _rank(layout: Layout, folded: Sequence[str], *, chosen: bool) -> tuple[int, int] | None:
    if layout.headerless:
        return None
    present = set(folded)
    hits = [len(group) for group in layout.signature if group <= present]
    if layout.signature and not hits and not chosen:
        return None
    if layout.signature:
        return (layout.priority, max(hits, default=0))
    return (0, _kind_evidence(layout, folded))


def _kind_evidence(layout: Layout, folded: Sequence[str]) -> int:
    """How strongly a table without a signature speaks for people, events or companies."""
    positions = assign(layout, folded).positions
    if layout.kind == "contacts":
        personal = {"email", "given_name", "family_name", "phone"} & positions.keys()
        sure = "email" in personal or {"given_name", "family_name"} <= personal
        return 3 * len(personal) if sure or not _tells_of_companies(folded) else 0
    if layout.kind == "signals":
        telling = {"kind", "topic", "person", "strength"} & positions.keys()
        return 2 * len(telling) + 2 if telling and "on" in positions else 0
    return 1


def _tells_of_companies(folded: Sequence[str]) -> bool:
    """Companies have telephones too, and a column "Nom" or "Nombre" is as often theirs."""
    told = assign(load_layouts()["companies"], folded).positions.keys()
    return bool({"website", "industry", "employees", "revenue_usd", "founded_year", "parent"} & told)


def assign(layout: Layout, folded: Sequence[str]) -> Understood:
    """Give every header the canonical column it is a synonym of; the earlier synonym is the better one."""
    positions: dict[str, tuple[int, ...]] = {}
    for column, names in layout.columns.items():
        ranked = sorted((names.index(h), i) for i, h in enumerate(folded) if h in names)
        if ranked:
            positions[column] = tuple(i for _, i in ranked)
    used = {i for found in positions.values() for i in found}
    return Understood(layout, positions, tuple(i for i in range(len(folded)) if i not in used))


def assign_explicit(
    header: Sequence[str], columns: Mapping[str, str | Sequence[str]], *, base: Understood, file: str
) -> Understood:
    """Put the user's own ``canonical: header`` pairs over what was recognised; of several, the first filled counts.

    Raises ConfigError for a column nobody knows, or one that is not in the file.
    """
    folded = [fold(cell) for cell in header]
    positions = dict(base.positions)
    known = CARRIED[base.layout.kind] | set(base.layout.attributes)
    for canonical, wanted in columns.items():
        if canonical not in known and not canonical.startswith("attribute:"):
            words = (
                f"there is no such column; there are {', '.join(sorted(known))}, and attribute:<any name>."
            )
            raise ConfigError(words, file=file, field=f"columns.{canonical}", remedy=REMAP)
        names = [wanted] if isinstance(wanted, str) else list(wanted)
        missing = [name for name in names if fold(name) not in folded]
        if missing or not names:
            words = (
                f'the mapped column "{missing[0]}" is not in the file.' if missing else "it names no column."
            )
            raise ConfigError(words, file=file, field=f"columns.{canonical}", remedy=REMAP)
        hits = tuple(i for name in names for i, h in enumerate(folded) if h == fold(name))
        positions = {k: tuple(i for i in v if i not in hits) for k, v in positions.items()}
        positions[canonical] = hits
    positions = {k: v for k, v in positions.items() if v}
    used = {i for found in positions.values() for i in found}
    return Understood(base.layout, positions, tuple(i for i in range(len(folded)) if i not in used))


_DOMAIN = re.compile(r"(?:[\w-]+\.)+[A-Za-z]{2,}")
_SCORE = re.compile(r"\d{1,3}")
_LOOKS = {"domain": _DOMAIN, "score": _SCORE}


def recognise_headerless(rows: Sequence[Sequence[str]], *, layout: str = "") -> Understood | None:
    """A declared export without a header line: right width, and the telling columns look as they must."""
    for candidate in load_layouts().values():
        width = len(candidate.headerless)
        if not width or (layout and candidate.name != layout):
            continue
        whole = [row for row in rows if len(row) == width]
        if not whole or len(whole) < 0.9 * len(rows):
            continue
        if all(_column_looks(whole, candidate, c, want) for c, want in candidate.looks_like.items()):
            named = dict(enumerate(candidate.headerless))
            places = {column: (i,) for i, column in named.items() if column in CARRIED[candidate.kind]}
            return Understood(candidate, places, tuple(i for i in named if (i,) not in places.values()))
    return None


def _column_looks(rows: Sequence[Sequence[str]], layout: Layout, column: str, want: str) -> bool:
    at = layout.headerless.index(column)
    values = [row[at].strip() for row in rows if row[at].strip()]
    fits = sum(1 for value in values if _LOOKS[want].fullmatch(value))
    return bool(values) and fits >= 0.9 * len(values)
