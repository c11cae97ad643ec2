"""Hosts to the domain a company owns: public suffixes, IDN, and hosts that belong to everybody.

Must not look at names; whether a shared domain is somebody's own is decided in ``companies``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from io import StringIO
from typing import Any

import polars as pl
from ruamel.yaml import YAML


@cache
def everybodys_hosts() -> Mapping[str, frozenset[str]]:
    """``free_mail`` and ``shared``: hosts that never identify a company, from the file beside the layouts."""
    path = resources.files("audiences").joinpath("layouts", "hosts_of_everybody.yaml")
    lists = YAML(typ="safe", pure=True).load(StringIO(path.read_text(encoding="utf-8")))
    return {kind: frozenset(words.split()) for kind, words in lists.items()}


def is_everybodys(site: pl.Expr) -> pl.Expr:
    """Whether a site (as ``sites_of`` gives it) is free mail or a host for anybody."""
    return site.is_in(sorted(frozenset().union(*everybodys_hosts().values())))


def sites_of(hosts: pl.Series) -> pl.Series:
    """What a host stands for: its registrable domain, or the host itself where it alone is everybody's."""
    if hosts.null_count() == len(hosts):
        return hosts.alias("site")
    own = pl.col("h").is_in(sorted(everybodys_hosts()["shared"]))
    frame = pl.DataFrame([hosts.alias("h"), registrables(hosts).alias("r")])
    return frame.select(pl.when(own).then("h").otherwise("r").alias("site")).to_series()


@cache
def _suffixes() -> Any:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()


def registrable(host: str) -> str | None:
    """The domain one party registered: ``"Shop.Example.CO.UK"`` gives ``example.co.uk``; IDN as punycode.

    None for addresses, bare suffixes ("co.uk") and names no registry would take.
    The list is the one bundled with publicsuffixlist, its private section
    included, so ``acme.github.io`` is a domain of its own.
    """
    name = host.strip().strip(".").lower()
    if not name.isascii():
        name = _punycode(name)
    if not name or "." not in name:
        return None
    found = _suffixes().privatesuffix(name)
    return str(found) if found else None


def _punycode(name: str) -> str:
    import idna

    try:
        return idna.encode(name, uts46=True, transitional=False).decode()
    except idna.IDNAError:
        return ""


def registrables(hosts: pl.Series) -> pl.Series:
    """``registrable`` for a column; deep rules and IDN are looked up one by one, the rest by Polars."""
    rules = _rules()
    host = pl.col("h")
    last = host.str.extract(r"([^.]+)$")
    two = host.str.extract(r"([^.]+\.[^.]+)$")
    three = host.str.extract(r"([^.]+\.[^.]+\.[^.]+)$")
    hard = two.is_in(rules.deep) | last.is_in(rules.wild) | host.str.contains(r"[^a-z0-9.\-_]|^\.|\.\.|\.$")
    easy = pl.when(two.is_in(rules.double)).then(three).otherwise(two)
    frame = (
        hosts.alias("h")
        .to_frame()
        .lazy()
        .select(easy.alias("easy"), hard.alias("hard"))
        .collect(engine="streaming")
    )
    at = frame["hard"].fill_null(value=False).arg_true()
    found = frame["easy"].alias(hosts.name)
    return found if at.is_empty() else found.scatter(at, _one_by_one(hosts.gather(at)))


def _one_by_one(hosts: pl.Series) -> pl.Series:
    distinct = hosts.unique()
    found = pl.Series([registrable(host) for host in distinct], dtype=pl.String)
    return hosts.replace_strict(distinct, found, default=None, return_dtype=pl.String)


@dataclass(frozen=True, slots=True)
class _Rules:
    double: list[str]  # public suffixes of two labels, "co.uk"
    deep: list[str]  # last two labels under which there are rules of three and more
    wild: list[str]  # top-level domains with a wildcard rule, "ck"


@cache
def _rules() -> _Rules:
    """The same bundled list, sorted by how many labels a host needs to be decided."""
    text = resources.files("publicsuffixlist").joinpath("public_suffix_list.dat").read_text(encoding="utf-8")
    lines = [line.split(" ")[0].strip().lower() for line in text.splitlines()]
    names = [_punycode_rule(line) for line in lines if line and not line.startswith("//")]
    parts = [name.lstrip("!").split(".") for name in names]
    return _Rules(
        double=sorted({".".join(p) for p in parts if len(p) == 2 and p[0] != "*"}),
        deep=sorted({".".join(p[-2:]) for p in parts if len(p) > 2}),
        wild=sorted({p[1] for p in parts if len(p) == 2 and p[0] == "*"}),
    )


def _punycode_rule(rule: str) -> str:
    return (
        rule
        if rule.isascii()
        else ".".join(part if part.isascii() else _punycode(part) for part in rule.split("."))
    )


def label(domain: str) -> str:
    """The part in front of the public suffix: ``example`` of ``example.co.uk``."""
    return domain.partition(".")[0]
