"""International phone numbers to E.164, a whole column at once, from the tables of ``phonenumbers``.

Settles only what it can prove the library would answer the same; every other
text is left to ``identity.phone_number``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import polars as pl

# What may stand between digits without meaning anything.
_FILLING = r"[ ().\-/\u00a0]"


@dataclass(frozen=True, slots=True)
class _Table:
    shape: str  # +, calling code, the rest
    lengths: list[str]  # "44:10": possible lengths of the rest, per calling code
    prefixes: str  # "44:0": a rest that begins so may be read differently


def settle_international(texts: pl.Series) -> pl.Series:
    """E.164 for texts such as ``"+44 113 496-0987"``, null for every text that needs the library itself."""
    table = _table()
    bare = pl.col("t").str.strip_chars().str.replace_all(_FILLING, "")
    parts = (
        texts.alias("t")
        .to_frame()
        .lazy()
        .select(bare.alias("e164"))
        .with_columns(pl.col("e164").str.extract(table.shape, 1).alias("code"))
        .with_columns(pl.col("e164").str.slice(pl.col("code").str.len_bytes() + 1).alias("rest"))
    )
    length = pl.concat_str("code", pl.lit(":"), pl.col("rest").str.len_bytes().cast(pl.String))
    begins = pl.concat_str("code", pl.lit(":"), "rest").str.contains(table.prefixes)
    sure = length.is_in(table.lengths) & ~begins
    settled = parts.select(pl.when(sure).then("e164").alias(texts.name))
    return settled.collect(engine="streaming").to_series()


@cache
def _table() -> _Table:
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

    lengths: list[str] = []
    prefixes: list[str] = []
    for code, regions in COUNTRY_CODE_TO_REGION_CODE.items():
        metadata = PhoneMetadata.metadata_for_region_or_calling_code(code, regions[0])
        if metadata is None or metadata.general_desc is None:
            continue
        lengths += [f"{code}:{n}" for n in metadata.general_desc.possible_length if n > 0]
        if metadata.national_prefix_for_parsing:
            prefixes.append(f"{code}:(?:{metadata.national_prefix_for_parsing})")
    codes = "|".join(map(str, sorted(COUNTRY_CODE_TO_REGION_CODE)))
    return _Table(rf"^\+({codes})\d+$", lengths, rf"^(?:{'|'.join(prefixes)})")
