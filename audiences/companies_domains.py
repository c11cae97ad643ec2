"""Hosts to the domain a company owns: public suffixes, IDN, and hosts that belong to everybody.

Must not look at names; whether a shared domain is somebody's own is decided in ``companies``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import polars as pl

# Mail for anybody: an address here says nothing about an employer.
FREE_MAIL = frozenset(
    "gmail.com googlemail.com outlook.com hotmail.com hotmail.co.uk hotmail.fr hotmail.de hotmail.it hotmail.es live.com "
    "live.co.uk live.fr live.nl msn.com yahoo.com yahoo.co.uk yahoo.co.in yahoo.co.jp yahoo.fr yahoo.de yahoo.es yahoo.it "
    "yahoo.com.br yahoo.com.ar yahoo.ca ymail.com rocketmail.com aol.com aim.com icloud.com me.com mac.com proton.me "
    "protonmail.com pm.me gmx.de gmx.net gmx.com gmx.at gmx.ch web.de t-online.de freenet.de arcor.de 1und1.de mail.com "
    "mail.ru inbox.ru list.ru bk.ru yandex.ru yandex.com rambler.ru ukr.net qq.com 163.com 126.com sina.com sohu.com foxmail.com "
    "yeah.net aliyun.com naver.com daum.net hanmail.net nate.com rediffmail.com zoho.com fastmail.com hey.com tutanota.com "
    "tuta.io hushmail.com laposte.net orange.fr wanadoo.fr free.fr sfr.fr neuf.fr bbox.fr libero.it virgilio.it tiscali.it "
    "alice.it tin.it terra.com.br uol.com.br bol.com.br ig.com.br btinternet.com virginmedia.com ntlworld.com sky.com "
    "talktalk.net blueyonder.co.uk comcast.net verizon.net att.net sbcglobal.net bellsouth.net cox.net charter.net "
    "earthlink.net juno.com optonline.net shaw.ca rogers.com sympatico.ca telus.net bigpond.com optusnet.com.au xtra.co.nz "
    "ziggo.nl planet.nl kpnmail.nl hetnet.nl skynet.be telenet.be bluewin.ch seznam.cz centrum.cz wp.pl o2.pl onet.pl "
    "interia.pl mailinator.com yopmail.com".split()
)
# Pages and hosting for anybody, as found in "homepage" fields.
SHARED_HOSTS = frozenset(
    "linkedin.com facebook.com fb.com twitter.com x.com instagram.com youtube.com youtu.be tiktok.com pinterest.com vk.com "
    "weibo.com xing.com crunchbase.com angel.co wellfound.com wikipedia.org medium.com substack.com github.com gitlab.com "
    "bitbucket.org sourceforge.net linktr.ee bit.ly goo.gl t.co tinyurl.com about.me glassdoor.com indeed.com "
    "greenhouse.io lever.co workable.com bamboohr.com notion.so notion.site airtable.com typeform.com eventbrite.com "
    "meetup.com slack.com discord.gg discord.com telegram.me t.me whatsapp.com wa.me apple.co docs.google.com "
    "sites.google.com drive.google.com forms.gle amazonaws.com cloudfront.net azurewebsites.net herokuapp.com".split()
)


@cache
def _suffixes() -> Any:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()


def registrable(host: str) -> str | None:
    """The domain one party registered: ``"Shop.Example.CO.UK"`` gives ``example.co.uk``; IDN as punycode.

    None for addresses, bare suffixes ("co.uk") and names no registry would take. The list is the one bundled with
    publicsuffixlist, its private section included, so ``acme.github.io`` is a domain of its own.
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
    """``registrable`` for a column. Rules of one or two labels are applied by Polars, deeper ones and IDN one by one."""
    rules = _rules()
    host = pl.col("h")
    last = host.str.extract(r"([^.]+)$")
    two = host.str.extract(r"([^.]+\.[^.]+)$")
    three = host.str.extract(r"([^.]+\.[^.]+\.[^.]+)$")
    hard = two.is_in(rules.deep) | last.is_in(rules.wild) | host.str.contains(r"[^a-z0-9.\-_]|^\.|\.\.|\.$")
    easy = pl.when(two.is_in(rules.double)).then(three).otherwise(two)
    frame = hosts.alias("h").to_frame().lazy().select(easy.alias("easy"), hard.alias("hard")).collect(engine="streaming")
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
    return rule if rule.isascii() else ".".join(part if part.isascii() else _punycode(part) for part in rule.split("."))


def label(domain: str) -> str:
    """The part in front of the public suffix: ``example`` of ``example.co.uk``."""
    return domain.partition(".")[0]
