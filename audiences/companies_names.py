"""Company names compared: what is left of a name without legal form, country and decoration, and who is akin.

Must not decide a merge; it answers how alike two texts are and why.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

_LEGAL = (
    "inc incorporated corp corporation co company companies ltd limited llc llp lp plc pte pty pvt private public gmbh mbh ag kg kgaa "
    "se sa sas sasu sarl srl spa sl slu sau sab cv nv bv bvba cvba ab aktiebolag publ oyj oy as asa aps a/s ehf hf kk "
    "kabushiki kaisha bhd berhad sdn tbk pt ooo oao zao pao jsc pjsc ojsc ad doo dd sro zrt nyrt kft rt sp zoo zo o sca "
    "scrl ltda eireli eirl sac saic saica spv holding holdings group groupe gruppe grp the aktiengesellschaft societe anonyme "
    "sirketi anonim sti ao trust"
).split()  # fmt: skip
_LEGAL_PATTERN = r"\b(?:" + "|".join(re.escape(word) for word in _LEGAL) + r")\b"
_SHARE_CLASS = r"(?i)\b(?:common stock|ordinary shares?|class [a-c]\b.*|cl\.? [a-c]\b|registered shares?|sponsored adr|adr|unsponsored|units?|warrants?|rights?|depositary (?:shares?|receipts?)|dl ?-?,?[0-9]+.*|eo ?[0-9]*,[0-9]+.*|inh\.? ?o\.?n\.?|namens-aktien.*|nam\.? .*|-,[0-9]+)\s*$"


def name_keys(names: pl.Expr) -> pl.Expr:
    """A comparable form of a company name: ASCII letters and digits, no legal form, no ``(Country)``, no ``(member)``.

    ``"NVIDIA CORP.  DL-,001"``, ``"NVIDIA (United States)"`` and ``"Nvidia"`` all give ``"nvidia"``. A name that is
    nothing but legal words keeps them.
    """
    plain = (
        names.str.replace_all(r"\([^)]*\)|\[[^\]]*\]", " ")
        .str.replace(_SHARE_CLASS, " ")
        .str.replace(_SHARE_CLASS, " ")
    )
    plain = (
        plain.str.to_lowercase()
        .str.replace_all("ß", "ss")
        .str.normalize("NFKD")
        .str.replace_all(r"\p{M}+", "")
    )
    plain = (
        plain.str.replace_all("ø", "o")
        .str.replace_all("ł", "l")
        .str.replace_all("æ", "ae")
        .str.replace_all("&", " and ")
    )
    plain = plain.str.replace_all(r"['’`.]", "").str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars()
    bare = plain.str.replace_all(_LEGAL_PATTERN, " ").str.replace_all(r"^ *and | and *$", " ")
    bare = bare.str.replace_all(r"\s+", " ").str.strip_chars()
    chosen = pl.when(bare != "").then(bare).otherwise(plain)
    return pl.when(chosen != "").then(chosen)


@dataclass(frozen=True, slots=True)
class Likeness:
    """Whether two names speak of one company, and the sign that says so ("" for none)."""

    akin: bool
    sign: str


_WEAK = frozenset(
    "international global technologies technology systems services solutions bank financial capital energy industries "
    "resources partners china india japan american america united national first general new pharma pharmaceuticals "
    "medical health software digital media and of de la le du des the for software systems".split()
)


def akin(a: str, b: str) -> Likeness:
    """Two name keys of one domain: equal, one inside the other, same first telling word, or initials of the other."""
    if a == b:
        return Likeness(akin=True, sign="equal")
    words_a, words_b = a.split(), b.split()
    squashed_a, squashed_b = a.replace(" ", ""), b.replace(" ", "")
    if squashed_a == squashed_b:
        return Likeness(akin=True, sign="equal but for blanks")
    shared = {w for w in set(words_a) & set(words_b) if len(w) > 2 and w not in _WEAK}
    if shared:
        return Likeness(akin=True, sign="shared word")
    if _initials(words_a) == squashed_b or _initials(words_b) == squashed_a:
        return Likeness(akin=True, sign="initials")
    short, long = sorted((squashed_a, squashed_b), key=len)
    if len(short) >= 5 and long.startswith(short):
        return Likeness(akin=True, sign="prefix")
    return Likeness(akin=False, sign="")


def _initials(words: list[str]) -> str:
    return "".join(word[0] for word in words) if len(words) > 1 else ""


def speaks_of(key: str, label: str) -> bool:
    """Whether a domain's own label (``"weyerhaeuser"`` of weyerhaeuser.com) is made of this name.

    A label of one to three letters must be the whole name, its first word or its initials; inside a longer word
    it proves nothing ("rh" is in "weyerhaeuser").
    """
    words = [w for w in key.split() if w not in ("and", "of", "de", "the", "for")]
    squashed = "".join(words)
    label = re.sub(r"[^a-z0-9]", "", label.lower())
    if not label or not words:
        return False
    if label in (squashed, words[0], _initials(words), _initials(key.split())):
        return True
    if len(label) >= 4 and (
        squashed.startswith(label) or (label.startswith(squashed) and len(squashed) >= 3)
    ):
        return True
    return any(len(word) >= 4 and word not in _WEAK and word in label for word in words) or _blends(
        words, label
    )


def _blends(words: list[str], label: str) -> bool:
    """Labels built from the beginnings of the words in order: ``hzacquisition``, ``natbank``, ``dongbaoshengwu``."""
    at = 0
    for count, word in enumerate(words):
        size = next((n for n in range(len(word), 0, -1) if label.startswith(word[:n], at)), 0)
        if size == 0:
            return count >= 2 and at >= len(label)
        at += size
        if at == len(label):
            return True
    return False
