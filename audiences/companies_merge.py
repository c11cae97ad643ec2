"""Rows of one company into one account: which row each field is taken from, and that it is on record.

Must not decide which rows belong together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from audiences.clean_values import tags_to_dict
from audiences.model import Account

FIELDS = (
    "name", "country", "region", "city", "industry", "employees", "revenue_usd", "founded_year",
    "linkedin_url",
    "organization_urn", "status", "parent",
)  # fmt: skip
_JOINED = ("tags", "technologies", "more_domains")


def merge_rows(rows: pl.DataFrame, *, trust: Sequence[str] = ()) -> pl.DataFrame:
    """One row per ``account_id``. Each field is the first one present, by trust, then completeness, then
    order.

    Besides the fields: ``domain``, ``tags`` and ``technologies`` of all rows
    joined, ``rows`` (references of all rows, ``"<source>:<line>"``) and
    ``taken_from`` (struct field -> reference), the provenance.
    """
    extra = [c for c in rows.columns if c.startswith("attribute:")]
    filled = pl.sum_horizontal(pl.col(c).is_not_null() for c in FIELDS)
    rank = (
        pl.col("source").replace_strict(list(trust), list(range(len(trust))), default=len(trust))
        if trust
        else pl.lit(0)
    )
    ordered = rows.with_columns(_rank=rank, _filled=filled).sort(
        "account_id", "_rank", "_filled", descending=[False, False, True], maintain_order=True
    )
    alone = pl.len().over("account_id") == 1
    ordered = ordered.with_columns(_alone=alone)
    fields = [*FIELDS, *extra]
    single = ordered.filter("_alone").select(
        "account_id", "domain", *fields, *_JOINED, pl.concat_list("ref").alias("rows"),
        pl.struct(pl.when(pl.col(f).is_not_null()).then("ref").alias(f) for f in fields).alias("taken_from"),
    )  # fmt: skip
    several = ordered.filter(~pl.col("_alone")).group_by("account_id", maintain_order=True).agg(
        pl.col("domain").drop_nulls().first(),
        *(pl.col(f).drop_nulls().first() for f in fields),
        *(pl.col(f).drop_nulls().str.join(";").replace("", None) for f in _JOINED),
        pl.col("ref").alias("rows"),
        pl.struct(pl.col("ref").filter(pl.col(f).is_not_null()).first().alias(f) for f in
        fields).alias("taken_from"),
    )  # fmt: skip
    return pl.concat([single, several], how="vertical").sort("account_id")


def accounts_of(accounts: pl.DataFrame) -> Iterator[Account]:
    """Rows of ``merge_rows`` as Accounts. Attributes: lists from tags, ``technologies``, CRM columns,
    provenance.
    """
    extra = [c for c in accounts.columns if c.startswith("attribute:")]
    for row in accounts.iter_rows(named=True):
        yield Account(
            account_id=row["account_id"], name=row["name"] or row["domain"] or row["account_id"],
            domain=row["domain"],
            country=row["country"], region=row["region"], city=row["city"], industry=row["industry"],
            employees=row["employees"], revenue_usd=row["revenue_usd"], founded_year=row["founded_year"],
            linkedin_url=row["linkedin_url"], organization_urn=row["organization_urn"],
            attributes=_attributes(row, extra),
        )  # fmt: skip


def _attributes(row: dict[str, object], extra: Sequence[str]) -> dict[str, object]:
    found: dict[str, object] = {
        key: sorted(set(values)) for key, values in tags_to_dict(_text(row["tags"])).items()
    }
    technologies = {t.strip() for t in (_text(row["technologies"]) or "").split(";") if t.strip()}
    technologies |= set(tags_to_dict(_text(row["tags"])).get("tech", []))
    if technologies:
        found["technologies"] = sorted(technologies)
    for name in ("status", "parent"):
        if row[name] is not None:
            found.setdefault(name, row[name])
    found.update({name.partition(":")[2]: row[name] for name in extra if row[name] is not None})
    taken = row["taken_from"]
    found["provenance"] = {f: ref for f, ref in taken.items() if ref} if isinstance(taken, dict) else {}
    found["rows"] = row["rows"]
    return found


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
