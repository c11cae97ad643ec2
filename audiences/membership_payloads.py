"""What one platform may match each member by, as the payload of a list.

Works by column; a row that has several values of one kind or an escape is taken
by itself. It decides nothing about consent or membership.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

import orjson
import polars as pl

from audiences.model import IdentifierKind
from audiences.scoring_frames import canonical

EMAIL = IdentifierKind.EMAIL.value
# These help a match and can never make one.
SUPPORT = frozenset({IdentifierKind.COUNTRY, IdentifierKind.POSTAL_CODE, IdentifierKind.REGION_CODE})


def payloads_for(
    people: pl.DataFrame, platform: str, identifiers: Sequence[str], *, suppressed: pl.Series
) -> pl.DataFrame:
    """``payload`` (b"" for the e-mail digest alone, null for nothing to match by) and ``barred``.

    people      contact_id and payload as in CONTACT_SCHEMA
    suppressed  digests as hex; ``barred`` is True where one of the stored identifiers is among them
    """
    stored = pl.col("payload")
    plain = (stored == _mail_alone("contact_id").cast(pl.Binary)) | (stored == b"")
    simple = people.select(plain.fill_null(value=True).alias("simple"))["simple"]
    bare = b"" if EMAIL in identifiers else None
    payload = pl.Series("payload", [bare], dtype=pl.Binary).new_from_index(0, people.height)
    barred = pl.Series("barred", [False]).new_from_index(0, people.height)
    rest = (~simple).arg_true()
    if not rest.is_empty():
        found = _several(people.select("contact_id", "payload")[rest], platform, identifiers, suppressed)
        payload, barred = payload.scatter(rest, found["payload"]), barred.scatter(rest, found["barred"])
    return pl.DataFrame([payload, barred])


def company_payloads(values: pl.DataFrame) -> pl.Series:
    """One JSON object per row of the columns that are filled; columns are named by identifier kind."""
    pairs = [
        pl.when(pl.col(kind) != "").then(pl.concat_str(pl.lit(f'"{kind}":"'), kind, pl.lit('"')))
        for kind in sorted(values.columns)
    ]
    joined = pl.concat_str(pairs, separator=",", ignore_nulls=True)
    escaped = pl.any_horizontal(pl.col(kind).str.contains(r'["\\\x00-\x1f]') for kind in values.columns)
    found = values.select(
        pl.concat_str(pl.lit("{"), joined, pl.lit("}")).cast(pl.Binary).alias("payload"),
        escaped.fill_null(value=False).alias("escaped"),
    )
    odd = found["escaped"].arg_true()
    if odd.is_empty():
        return found["payload"]
    rows = ({k: v for k, v in row.items() if v} for row in values[odd].iter_rows(named=True))
    return found["payload"].scatter(odd, [orjson.dumps(row, option=orjson.OPT_SORT_KEYS) for row in rows])


def _mail_alone(contact_id: str) -> pl.Expr:
    return pl.concat_str(pl.lit(f'{{"{EMAIL}":"'), contact_id, pl.lit('"}'))


def _several(
    people: pl.DataFrame, platform: str, identifiers: Sequence[str], suppressed: pl.Series
) -> pl.DataFrame:
    texts = people["payload"].cast(pl.String)
    odd = texts.str.contains(r"[\[\\]")
    found = _by_column(people["contact_id"], texts.set(odd, "{}"), platform, identifiers, suppressed)
    if not odd.any():
        return found
    known = frozenset(suppressed)
    rows = people.filter(odd).iter_rows()
    each = [one_payload(i, p, platform=platform, identifiers=identifiers, suppressed=known) for i, p in rows]
    at = odd.arg_true()
    return pl.DataFrame(
        [
            found["payload"].scatter(at, pl.Series([one for one, _ in each], dtype=pl.Binary)),
            found["barred"].scatter(at, pl.Series([bad for _, bad in each], dtype=pl.Boolean)),
        ]
    )


def _by_column(
    ids: pl.Series, texts: pl.Series, platform: str, identifiers: Sequence[str], suppressed: pl.Series
) -> pl.DataFrame:
    """Every kind as a column, then the kinds this platform takes as JSON again, in order of their names."""
    names = texts.str.extract_all(r'"[a-z0-9_:]+":').explode().drop_nulls().unique().str.strip_chars('":')
    values = texts.str.json_decode(pl.Struct(dict.fromkeys(sorted(names), pl.String))).struct.unnest()
    values = values.with_columns(ids.alias(" id"))
    kept: dict[str, list[str]] = {}
    for name in sorted(names):
        if (kind := _bare(name, platform)) in identifiers:
            kept.setdefault(kind, []).append(name)
    pairs = [pl.concat_str(pl.lit(f'"{kind}":'), _value(kept[kind])) for kind in sorted(kept)]
    strong = [pl.col(name).is_not_null() for kind in kept if kind not in SUPPORT for name in kept[kind]]
    whole = pl.concat_str(
        [pl.lit("{"), pl.concat_str(pairs or [pl.lit("")], separator=",", ignore_nulls=True), pl.lit("}")]
    )
    digests = suppressed.implode()
    nothing = pl.repeat(value=False, n=pl.len())
    return values.select(
        pl.when(~pl.any_horizontal(nothing, *strong))
        .then(None)
        .when(whole == _mail_alone(" id"))
        .then(pl.lit(b""))
        .otherwise(whole.cast(pl.Binary))
        .alias("payload"),
        pl.any_horizontal(nothing, *(pl.col(name).is_in(pl.lit(digests)) for name in names))
        .fill_null(value=False)
        .alias("barred"),
    )


def _value(names: Sequence[str]) -> pl.Expr:
    """One value in quotes; the platform's own beside the common one as a sorted list, where they differ."""
    one = pl.col(names[0])
    if len(names) == 1:
        return pl.concat_str(pl.lit('"'), one, pl.lit('"'))
    two = pl.col(names[1])
    both = pl.concat_str(
        pl.lit('["'), pl.min_horizontal(one, two), pl.lit('","'), pl.max_horizontal(one, two), pl.lit('"]')
    )
    single = pl.concat_str(pl.lit('"'), pl.coalesce(one, two), pl.lit('"'))
    return pl.when((one != two).fill_null(value=False)).then(both).otherwise(single)


def one_payload(
    contact_id: str,
    payload: bytes,
    *,
    platform: str,
    identifiers: Sequence[str],
    suppressed: AbstractSet[str],
) -> tuple[bytes | None, bool]:
    """``payloads_for`` of one person."""
    stored: Mapping[str, str | list[str]] = orjson.loads(payload)
    pairs = [
        (kind, value)
        for kind, values in stored.items()
        for value in (values if isinstance(values, list) else [values])
    ]
    barred = any(value in suppressed for _, value in pairs)
    kept = [(bare, value) for kind, value in pairs if (bare := _bare(kind, platform)) in identifiers]
    if all(kind in SUPPORT for kind, _ in kept):
        return None, barred
    mail_alone = set(kept) == {(EMAIL, contact_id)}
    return (b"" if mail_alone else canonical(kept)), barred


def _bare(kind: str, platform: str) -> str:
    """``linkedin:email_sha256`` counts as an e-mail for LinkedIn and as nothing elsewhere."""
    owner, _, name = kind.rpartition(":")
    return name if owner in ("", platform) else ""
