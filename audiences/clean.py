"""Mapped text to typed rows: companies, contacts, signals; and what was refused, with line and reason.

Must never put the value of a cell into a reject: a line, a column and a code
are enough for whoever holds the file.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date

import polars as pl

from audiences.clean_countries import countries_of
from audiences.clean_titles import of_titles
from audiences.clean_values import amounts_of, dates_of, headcounts_of, hosts_of, years_of
from audiences.model import Rejected
from audiences.sources import SourceFrame

_TEXT = pl.String()
COMPANY_COLUMNS: dict[str, pl.DataType] = {
    **{"source": _TEXT, "line": pl.UInt32(), "row_id": _TEXT, "name": _TEXT, "host": _TEXT},
    **dict.fromkeys(("more_domains", "linkedin_url", "organization_urn", "industry"), _TEXT),
    **{"employees": pl.Int64(), "revenue_usd": pl.Float64(), "founded_year": pl.Int64()},
    **dict.fromkeys(("country", "region", "city", "parent", "status", "tags", "technologies"), _TEXT),
}
CONTACT_COLUMNS: dict[str, pl.DataType] = {
    **{"source": _TEXT, "line": pl.UInt32(), "row_id": _TEXT},
    **dict.fromkeys(("email", "phone", "given_name", "family_name", "country", "postal_code"), _TEXT),
    **dict.fromkeys(("company", "host", "company_row_id", "function", "seniority", "consent"), _TEXT),
    "first_party": pl.Boolean(),
}
SIGNAL_COLUMNS: dict[str, pl.DataType] = {
    **{"source": _TEXT, "line": pl.UInt32(), "host": _TEXT, "company": _TEXT, "country": _TEXT},
    **{"kind": _TEXT, "on": pl.Date(), "topic": _TEXT, "strength": pl.Float64(), "person": _TEXT},
}
_NO = frozenset(
    "no false 0 n denied nein non opted_out opt_out optout unsubscribed withdrawn revoked objected".split()
)
_YES = frozenset("yes true 1 y granted ja oui sí si opted_in opt_in optin subscribed given".split())


@dataclass(frozen=True, eq=False)
class Cleaned:
    """Typed rows of one source. ``frame`` has the columns of its kind, above, plus ``attribute:*``."""

    source: str
    kind: str
    frame: pl.DataFrame
    rejected: tuple[Rejected, ...]
    notes: tuple[str, ...] = ()


class _Cells:
    """The columns of one source while they turn into values, collecting refusals on the way."""

    def __init__(self, source: SourceFrame) -> None:
        self.name, self.frame = source.source, source.frame
        self.rejected: list[Rejected] = list(source.rejected)
        self._blank = pl.Series([None], dtype=pl.String).new_from_index(0, self.frame.height)

    def text(self, column: str) -> pl.Series:
        """As it was read; blank throughout where the source has no such column (they share one memory)."""
        return self.frame[column] if column in self.frame.columns else self._blank.alias(column)

    def keep(
        self, name: str, texts: pl.Series, values: pl.Series, reason: str, *, column: str = ""
    ) -> pl.Series:
        """``values``, noting every line where there was a text but no value could be made of it.

        column  what it is called where it comes from, unless ``name``
        """
        if values.null_count() > texts.null_count():
            for line in self.frame["line"].filter(texts.is_not_null() & values.is_null()):
                self.rejected.append(
                    Rejected(self.name, line, column or name, reason, "the cell is left blank")
                )
        return values.alias(name)

    def drop_rows(self, frame: pl.DataFrame, bad: pl.Series, reason: str, detail: str) -> pl.DataFrame:
        for line in frame["line"].filter(bad):
            self.rejected.append(Rejected(self.name, line, "", reason, detail))
        return frame.filter(~bad)


def clean_companies(source: SourceFrame) -> Cleaned:
    """Company rows: bare host, ISO country, numbers as numbers; a row needs a name, a host or a page."""
    cells = _Cells(source)
    read = {
        "employees": (headcounts_of, "headcount_unreadable"),
        "revenue_usd": (amounts_of, "amount_unreadable"),
        "country": (countries_of, "country_unknown"),
        "founded_year": (years_of, "year_unreadable"),
    }
    with ThreadPoolExecutor() as beside:  # Polars looks up one column on one processor
        hosts = beside.submit(_first_host, cells.text("domain"), cells.text("website"))
        found = [beside.submit(of, cells.text(column)) for column, (of, _) in read.items()]
    host, either = hosts.result()
    values = [
        cells.keep(column, cells.text(column), values.result(), why)
        for (column, (_, why)), values in zip(read.items(), found, strict=True)
    ]
    values.append(cells.keep("host", either, host, "domain_malformed", column="domain"))
    frame = _finish(cells, source, COMPANY_COLUMNS, values)
    nobody = frame["name"].is_null() & frame["host"].is_null() & frame["linkedin_url"].is_null()
    frame = cells.drop_rows(frame, nobody, "nothing_identifies_it", "neither name nor domain nor page")
    return Cleaned(source.source, "companies", frame, tuple(cells.rejected), source.notes)


def clean_contacts(source: SourceFrame, *, first_party: bool = False) -> Cleaned:
    """People rows, still raw: they must go on to ``identity.identify_contacts`` and nowhere else.

    ``first_party`` is what the source is declared to be; a column of that name
    decides per row. Consent is granted, denied or unknown; an odd word is unknown.
    Where function or seniority is blank, the job title decides if it is clear.
    """
    cells = _Cells(source)
    with ThreadPoolExecutor(1) as beside:  # Polars looks up one column on one processor
        roles = beside.submit(_roles, cells)
        codes = countries_of(cells.text("country"))
    values = [
        cells.keep("country", cells.text("country"), codes, "country_unknown"),
        hosts_of(cells.text("domain")).alias("host"),
        _consent(cells.text("consent")),
        _yes(cells.text("first_party"), default=first_party),
        *roles.result(),
    ]
    frame = _finish(cells, source, CONTACT_COLUMNS, values)
    extra = [c for c in source.frame.columns if c.rstrip("23456789_") in {"email", "phone", "postal_code"}]
    more = [c for c in extra if c not in frame.columns]
    frame = frame.hstack(source.frame.select(more)) if more else frame
    return Cleaned(source.source, "contacts", frame, tuple(cells.rejected), source.notes)


def clean_signals(source: SourceFrame, *, as_of: date | None = None, kind: str = "") -> Cleaned:
    """Events and scores. ``as_of`` dates a feed without days; ``kind`` names a table without one.

    Strength is a count for events; a score is divided by the full scale its
    layout states (100 for Bombora), so that it is 0..1.
    """
    cells, layout = _Cells(source), source.layout
    days, order = dates_of(cells.text("on"), order=layout.values.get("on", {}).get("order", "")
                           if isinstance(layout.values.get("on"), dict) else "")  # fmt: skip
    on = cells.keep("on", cells.text("on"), days, "date_unreadable")
    on = _filled(on, as_of)
    scale = float(layout.values.get("strength", {}).get("scale", 1))
    strength = cells.keep(
        "strength", cells.text("strength"), amounts_of(cells.text("strength")), "amount_unreadable"
    )
    kinds = cells.text("kind").str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]+", "_").str.strip_chars("_")
    named = layout.constants.get("kind") or kind or None
    values = [
        on, (strength.fill_null(scale) / scale).alias("strength"),
        countries_of(cells.text("country")).alias("country"),
        _filled(kinds, named).alias("kind"),
        hosts_of(cells.text("domain")).alias("host"),
    ]  # fmt: skip
    frame = _finish(cells, source, SIGNAL_COLUMNS, values)
    frame = cells.drop_rows(
        frame, frame["on"].is_null(), "no_day", "no day in the row and none given for the source"
    )
    frame = cells.drop_rows(
        frame, frame["kind"].is_null(), "no_kind", "neither the row nor the source names a kind"
    )
    nobody = frame["host"].is_null() & frame["company"].is_null()
    frame = cells.drop_rows(frame, nobody, "nothing_identifies_it", "neither domain nor company name")
    notes = source.notes + ((f"dates read as {order}",) if order else ())
    return Cleaned(source.source, "signals", frame, tuple(cells.rejected), notes)


def _first_host(domain: pl.Series, website: pl.Series) -> tuple[pl.Series, pl.Series]:
    """The host of the domain column, else of the website; and the text it was looked for in."""
    host = hosts_of(domain)
    missing = (host.is_null() & website.is_not_null()).arg_true()
    if not missing.is_empty():
        host = host.scatter(missing, hosts_of(website.gather(missing)))
    return host, pl.select(pl.coalesce(domain, website)).to_series()


def _finish(
    cells: _Cells, source: SourceFrame, schema: dict[str, pl.DataType], values: list[pl.Series]
) -> pl.DataFrame:
    """The columns of this kind in order: given values, else the text, else null; then ``attribute:*``."""
    ready = {value.name: value for value in values}
    ready["source"] = pl.Series("source", [source.source]).new_from_index(0, source.frame.height)
    ready["line"] = source.frame["line"]
    columns = [
        (ready[name] if name in ready else cells.text(name)).cast(dtype).alias(name)
        for name, dtype in schema.items()
    ]
    extra = [source.frame[c] for c in source.frame.columns if c.startswith("attribute:")]
    return pl.DataFrame(columns + extra)


def _roles(cells: _Cells) -> list[pl.Series]:
    """Function and seniority as the source has them; where it has none, what the job title says for sure."""
    titles = of_titles(cells.text("job_title"))
    return [
        pl.select(pl.coalesce(cells.text(name), titles[name])).to_series().alias(name)
        for name in ("function", "seniority")
    ]


def _consent(texts: pl.Series) -> pl.Series:
    if texts.null_count() == len(texts):
        return texts.alias("consent")
    low = texts.str.to_lowercase().str.replace_all(r"[\s-]+", "_")
    choice = pl.when(low.is_in(_YES)).then(pl.lit("granted")).when(low.is_in(_NO)).then(pl.lit("denied"))
    return pl.select(choice.when(low.is_not_null()).then(pl.lit("unknown")).alias("consent")).to_series()


def _yes(texts: pl.Series, *, default: bool) -> pl.Series:
    if texts.null_count() == len(texts):
        return pl.Series("first_party", [default]).new_from_index(0, len(texts))
    low = texts.str.to_lowercase().str.replace_all(r"[\s-]+", "_")
    choice = pl.when(low.is_in(_YES)).then(statement=True).when(low.is_in(_NO)).then(statement=False)
    return pl.select(choice.otherwise(default).alias("first_party")).to_series()


def _filled(values: pl.Series, otherwise: date | str | None) -> pl.Series:
    """Polars refuses to fill with nothing."""
    return values if otherwise is None else values.fill_null(otherwise)
