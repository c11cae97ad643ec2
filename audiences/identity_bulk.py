"""The same hashes as ``identity``, for millions of rows at once.

Polars decides the common case; each text it does not settle goes through
``identity.normalise``, so that there is one rule. Must not return a raw value.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
import polars_hash as plh

from audiences.identity import HEX64, SPACE, Reject, hash_one, normalise

_MAILBOX = r"^[^@\s\x1c-\x1f]+@[^@\s\x1c-\x1f]+$"
_GMAIL = r"@(?:gmail|googlemail)\.com$"


def hash_many(
    platform: str, kind: str, values: pl.Series, *, default_country: str | None = None
) -> pl.Series:
    """Lower-case hex digests, null where ``hash_one`` would answer ``!reason``. Same order and length."""
    if kind == "email":
        return _settle(platform, values, _emails(platform, values))
    distinct = values.drop_nulls().unique()
    found = [hash_one(platform, kind, text, default_country=default_country) for text in distinct]
    digests = pl.Series([None if text.startswith("!") else text for text in found], dtype=pl.String)
    if distinct.is_empty():
        return pl.Series(values.name, [None], dtype=pl.String).new_from_index(0, len(values))
    return values.replace_strict(distinct, digests, default=None, return_dtype=pl.String)


def reasons_of(
    platform: str, kind: str, values: pl.Series, digests: pl.Series, *, default_country: str | None = None
) -> Iterator[tuple[int, str]]:
    """(row index, reason) for every text that gave no digest."""
    lost = (values.is_not_null() & digests.is_null()).arg_true()
    for index in lost:
        result = normalise(platform, kind, values[index], default_country=default_country)
        yield index, result.reason if isinstance(result, Reject) else "unexplained"


def _emails(platform: str, values: pl.Series) -> pl.Series:
    text = pl.col("v")
    clean = text.str.replace_all(SPACE, "") if platform == "linkedin" else _strip(text)
    frame = values.alias("v").to_frame().lazy().select(clean.str.to_lowercase().alias("v"))
    plain = text.str.contains(_MAILBOX)
    if platform == "linkedin":
        plain = plain & text.str.contains(r"@[^@]*\.")
        rule = text
    else:
        user = text.str.replace(_GMAIL, "").str.replace(r"\+.*$", "").str.replace_all(".", "", literal=True)
        gmail = user + text.str.extract(f"({_GMAIL})")
        rule = pl.when(text.str.contains(_GMAIL)).then(pl.when(user != "").then(gmail)).otherwise(text)
    hashed = pl.when(plain).then(plh.col("n").chash.sha2_256()).when(text.str.contains(HEX64)).then(text)
    out = frame.with_columns(pl.when(plain).then(rule).alias("n")).select(hashed.alias(values.name))
    return out.collect(engine="streaming").to_series()


def _settle(platform: str, values: pl.Series, digests: pl.Series) -> pl.Series:
    """Ask the one rule about each text the fast path refused; it may be a digest in another spelling."""
    lost = (values.is_not_null() & digests.is_null()).arg_true()
    again = {i: hash_one(platform, "email", values[i]) for i in lost}
    found = {i: digest for i, digest in again.items() if not digest.startswith("!")}
    return digests.scatter(list(found), list(found.values())) if found else digests


def _strip(text: pl.Expr) -> pl.Expr:
    return text.str.replace(f"^{SPACE}+", "").str.replace(f"{SPACE}+$", "")
