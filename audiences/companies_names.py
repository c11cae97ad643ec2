"""Company names compared: what is left without legal form, country and decoration, and who is akin to whom.

Must not decide a merge; it answers whether two texts are alike, and by which sign.
"""

from __future__ import annotations

import re

import polars as pl

_LEGAL = (
    "inc incorporated corp corporation co company companies ltd limited llc llp lp plc pte pty pvt "
    "private public gmbh mbh ag kg kgaa se sa sas sasu sarl srl spa sl slu sau sab cv nv bv bvba cvba ab "
    "aktiebolag publ oyj oy as asa aps ehf hf kk kabushiki kaisha bhd berhad sdn tbk pt ooo oao zao pao "
    "jsc pjsc ojsc ad doo dd sro zrt nyrt kft rt sp zoo o sca scrl ltda eireli sac saic holding holdings "
    "group groupe gruppe grp the aktiengesellschaft societe anonyme sirketi anonim sti ao trust"
).split()
_LEGAL_WORDS = r"\b(?:" + "|".join(_LEGAL) + r")\b"
# What exchanges append to a name: the kind of paper, its nominal value, its currency.
_PAPER = (
    r"(?i)\b(?:common stock|ordinary shares?|class [a-c]\b.*|cl\.? [a-c]\b|registered shares?|"
    r"sponsored adr|adr|unsponsored|units?|warrants?|rights?|depositary (?:shares?|receipts?)|"
    r"dl ?-?,?[0-9]+.*|eo ?[0-9]*,[0-9]+.*|inh\.? ?o\.?n\.?|o\.n\.?|namens-aktien.*|-,[0-9]+)\s*$"
)
_WEAK = frozenset(
    "international global technologies technology systems services solutions bank financial capital "
    "energy industries resources partners china india japan american america united national first "
    "general new pharma pharmaceuticals medical health software digital media and of de la le du "
    "des for".split()
)
_SMALL = frozenset("and of de la le du des the for".split())


def plain_names(names: pl.Expr) -> pl.Expr:
    """Lower case, no accents, no ``(...)``, no paper kinds, words parted by one blank; legal forms stay."""
    plain = names.str.replace_all(r"\([^)]*\)|\[[^\]]*\]", " ")
    plain = plain.str.replace(_PAPER, " ").str.replace(_PAPER, " ").str.to_lowercase()
    plain = plain.str.normalize("NFKD").str.replace_all(r"\p{M}+", "")
    plain = plain.str.replace_many(["ß", "ø", "ł", "æ", "ı", "&"], ["ss", "o", "l", "ae", "i", " and "])
    plain = plain.str.replace_all(r"['’`.]", "").str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars()
    return pl.when(plain != "").then(plain)


def name_keys(plain: pl.Expr) -> pl.Expr:
    """A comparable form of a plain name: without its legal form, unless nothing else would be left.

    ``"NVIDIA CORP.  DL-,001"``, ``"NVIDIA (United States)"`` and ``"Nvidia"`` all give ``"nvidia"``.
    """
    bare = plain.str.replace_all(_LEGAL_WORDS, " ").str.replace_all(r"\s+", " ").str.strip_chars()
    bare = bare.str.replace_all(r"^and | and$", "").str.strip_chars()
    return pl.when(bare != "").then(bare).otherwise(plain)


def akin(a: str, b: str, *, weak: frozenset[str] = frozenset()) -> str:
    """The sign that two name keys of one domain are one company, "" for none.

    Equal, equal but for blanks, a telling word in common, one is the initials
    of the other, one begins with the other. ``weak`` words (the city they are
    all in) tell nothing, as the common words of trade do not.
    """
    words_a, words_b = a.split(), b.split()
    squashed_a, squashed_b = "".join(words_a), "".join(words_b)
    if squashed_a == squashed_b:
        return "equal"
    if any(len(w) > 2 and w not in _WEAK and w not in weak for w in set(words_a) & set(words_b)):
        return "shared word"
    if squashed_b in initials(a) or squashed_a in initials(b):
        return "initials"
    short, long = sorted((squashed_a, squashed_b), key=len)
    return "beginning" if len(short) >= 5 and long.startswith(short) else ""


def initials(name: str) -> frozenset[str]:
    """First letters of a name, with and without small words and trailing legal forms; three at least."""
    words = name.split()
    made = set()
    while words:
        made |= {"".join(w[0] for w in words), "".join(w[0] for w in words if w not in _SMALL)}
        if words[-1] not in _LEGAL:
            break
        words = words[:-1]
    return frozenset(letters for letters in made if len(letters) >= 3)


def speaks_of(name: str, label: str) -> bool:
    """Whether a domain's own label (``"weyerhaeuser"`` of weyerhaeuser.com) is made of this name.

    A label of one to three letters must be the whole name, its first word or
    its initials; inside a longer word it proves nothing ("rh" in "weyerhaeuser").
    """
    words = [w for w in name.split() if w not in _SMALL]
    squashed = "".join(words)
    label = re.sub(r"[^a-z0-9]", "", label.lower())
    if not label or not words:
        return False
    if label in (squashed, words[0]) or label in initials(name):
        return True
    if len(label) >= 4 and (
        squashed.startswith(label) or (label.startswith(squashed) and len(squashed) >= 3)
    ):
        return True
    inside = any(len(w) >= 4 and w not in _WEAK and w not in _LEGAL and w in label for w in words)
    return inside or is_blend(name, label)


def lies_inside_a_word(label: str, name: str) -> bool:
    """Whether the label occurs in a word of the name but not at its beginning: the mark of a sub-string
    mix-up.

    "flex" in "enerflex", "cts" in "products", "rh" in "weyerhaeuser": such a
    domain was found by searching text, not by knowing the company.
    """
    return len(label) >= 2 and any(label in word[1:] and not word.startswith(label) for word in name.split())


def is_blend(name: str, label: str) -> bool:
    """Labels of four letters and more made from beginnings of at least two words, in order: ``natbank``,
    ``sabic``.
    """
    at = 0
    for count, word in enumerate((w for w in name.split() if w not in _SMALL), 1):
        size = next((n for n in range(len(word), 0, -1) if label.startswith(word[:n], at)), 0)
        at += size
        if size == 0 or at == len(label):
            return at == len(label) >= 4 and count >= 2
    return False
