"""The same hashes as ``identity``, for millions of rows at once.

Polars decides the common case; each text it does not settle goes through
``identity.normalise``, so that there is one rule. Must not return a raw value.
"""

from __future__ import annotations

import polars as pl
import polars_hash as plh

from audiences.identity import hash_one
from audiences.identity_phones import settle_international

# One @, printable ASCII on either side. Anything else is rare, and is left to the one rule.
_MAILBOX = {"google": r"^[!-?A-~]+@[!-?A-~]+$", "linkedin": r"^[!-?A-~]+@[!-?A-~]*\.[!-?A-~]*$"}


def hash_many(
    platform: str, kind: str, values: pl.Series, *, default_country: str | None = None
) -> pl.Series:
    """Lower-case hex digests, null where ``hash_one`` would answer ``!reason``. Same order and length.

    ``platform``, ``kind`` and ``default_country`` as in ``identity.normalise``;
    postal and region codes come back plain, as there.
    """
    if kind == "email":
        fast = _emails(platform, values)
    elif kind == "phone" and platform == "google":
        fast = _sha256(settle_international(values))
    else:
        fast = pl.Series(values.name, [None], dtype=pl.String).new_from_index(0, len(values))
    return _settle(platform, kind, values, fast, default_country)


def _emails(platform: str, values: pl.Series) -> pl.Series:
    """Digests of addresses in plain ASCII without inner blanks; null for every other text."""
    text = pl.col("v")
    rows = values.alias("v").to_frame().lazy().select(text.str.strip_chars().str.to_lowercase())
    plain = pl.when(text.str.contains(_MAILBOX[platform])).then("v").alias("n")
    if platform == "linkedin":
        return _hashed(rows.select(plain), values.name)
    gmail = text.str.ends_with("@gmail.com") | text.str.ends_with("@googlemail.com")
    frame = rows.select(plain, gmail=gmail).collect(engine="streaming")
    at = frame["gmail"].fill_null(value=False).arg_true()
    plain_texts = frame["n"].scatter(at, _as_gmail_reads(frame["n"].gather(at)))
    return _hashed(plain_texts.to_frame().lazy(), values.name)


def _as_gmail_reads(addresses: pl.Series) -> pl.Series:
    """The mailbox Gmail delivers to: no dots, nothing from the first plus; null when nothing is left."""
    parts = addresses.str.split_exact("@", 1).struct.unnest()
    user = parts.to_series(0).str.replace(r"\+.*$", "").str.replace_all(".", "", literal=True)
    whole = pl.concat_str(user.alias("u"), pl.lit("@"), parts.to_series(1).alias("d"))
    return pl.select(pl.when(user != "").then(whole)).to_series()


def _hashed(texts: pl.LazyFrame, name: str) -> pl.Series:
    return texts.select(plh.col("n").chash.sha2_256()).collect(engine="streaming").to_series().alias(name)


def _settle(
    platform: str, kind: str, values: pl.Series, fast: pl.Series, default_country: str | None
) -> pl.Series:
    """Ask the one rule, once per text, about what the fast path left open; often a digest or a mistake."""
    open_rows = (values.is_not_null() & fast.is_null()).arg_true()
    if open_rows.is_empty():
        return fast.alias(values.name)
    texts = values.gather(open_rows)
    distinct = texts.unique()
    found = [hash_one(platform, kind, text, default_country=default_country) for text in distinct]
    digests = pl.Series([None if text.startswith("!") else text for text in found], dtype=pl.String)
    late = texts.replace_strict(distinct, digests, default=None, return_dtype=pl.String)
    return fast.scatter(open_rows, late).alias(values.name)


def _sha256(texts: pl.Series) -> pl.Series:
    return _hashed(texts.alias("n").to_frame().lazy(), texts.name)
