"""What columns are called in Campaign Manager downloads. Data only: no file is read here.

English spellings are taken from public parsers of real files (read 2026-09 and earlier), and so are the German
ones of the performance report and the Portuguese of date and spend (2026-11). The other languages are what
Campaign Manager's own pages call these fields; a spelling that is missing shows up as an error that names the
column, and is added here. Keys are squashed: lower case, letters and digits only, accents dropped.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

ENGLISH = "en"

COLUMNS: dict[str, dict[str, str]] = {
    "start_date": {
        "startdateinutc": "en", "startdate": "en", "date": "en", "day": "en", "dateinutc": "en",
        "startdatuminutc": "de", "startdatum": "de", "datum": "de",
        "datededebutenutc": "fr", "datededebututc": "fr", "datededebut": "fr",
        "fechadeinicioenutc": "es", "fechadeinicioutc": "es", "fechadeinicio": "es", "fecha": "es",
        "datadeinicioemutc": "pt", "datadeinicio": "pt", "datadiiniziofusoutc": "it", "datadiinizio": "it",
        "begindatum": "nl", "begindatuminutc": "nl",
    },
    "campaign_id": {
        "campaignid": "en", "adsetid": "en", "kampagnenid": "de", "anzeigengruppenid": "de",
        "idcampagne": "fr", "identifiantdelacampagne": "fr", "iddelacampagne": "fr",
        "iddecampana": "es", "iddelacampana": "es", "identificadordelacampana": "es",
        "iddacampanha": "pt", "idcampagna": "it", "iddellacampagna": "it", "campagneid": "nl",
    },
    "creative_id": {
        "adid": "en", "creativeid": "en", "anzeigenid": "de", "idannonce": "fr", "iddelanuncio": "es",
    },
    "spend": {
        "totalspent": "en", "spend": "en", "amountspent": "en", "gesamtausgaben": "de", "ausgaben": "de",
        "totaldepense": "fr", "montantdepense": "fr", "depensestotales": "fr", "totalgastado": "es",
        "gastototal": "es", "importegastado": "es", "totalgasto": "pt", "valorgasto": "pt", "totalinvestido": "pt",
        "importospeso": "it", "totalespeso": "it", "totaalbesteed": "nl",
    },
    "impressions": {
        "impressions": "en", "paidimpressions": "en", "impressionen": "de", "impresiones": "es",
        "impressoes": "pt", "impressioni": "it", "weergaven": "nl", "bezahlteimpressions": "de",
    },
    "clicks": {
        "clicks": "en", "paidclicks": "en", "klicks": "de", "clics": "fr", "cliques": "pt", "clic": "it",
        "klikken": "nl",
    },
    "company": {
        "companyname": "en", "company": "en", "accountname": "en", "name": "en",
        "unternehmensname": "de", "unternehmen": "de", "nomdelentreprise": "fr", "entreprise": "fr",
        "nombredelaempresa": "es", "nombredeempresa": "es", "empresa": "es", "nomedaempresa": "pt",
        "nomeazienda": "it", "nomedellazienda": "it", "azienda": "it", "bedrijfsnaam": "nl",
    },
    "page_url": {
        "linkedinurl": "en", "companypageurl": "en", "companyurl": "en", "linkedinpage": "en",
        "linkedincompanypage": "en", "companylinkedinurl": "en", "pageurl": "en",
    },
    "members": {"memberstargeted": "en", "members": "en", "zielmitglieder": "de", "membrescibles": "fr"},
    "currency": {
        "currency": "en", "wahrung": "de", "devise": "fr", "moneda": "es", "moeda": "pt", "valuta": "it",
    },
}  # fmt: skip

# Understood and not needed.
UNUSED = frozenset(
    """accountname campaigngroupname campaigngroupid campaignname adsetname adname adheadline
    companywebsite website domain engagementlevel engagement engagementscore organicimpressions
    organicengagements paidengagements engagements adengagements totalengagements paidvideoviews
    paidconversions conversions paidleads leads paidqualifiedleads qualifiedleads costperqualifiedlead
    cpql costinlocalcurrencyperpaidqualifiedlead ofimpressions percentofimpressions ofclicks
    percentofclicks clickthroughrate averagectr ctr averagecpm cpm averagecpc cpc campaigntype
    campaignstatus campaignobjective adstatus reactions comments shares follows kontoname kampagnenname
    namederkampagne namederanzeigengruppe kontakte abschlusse kampagnengruppenname klickrate nomducompte
    nomdelacampagne nomdugroupedecampagnes tauxdeclics
    nombredelacuenta nombredelacampana nombredelgrupodecampanas""".split()
)
TOTALS = frozenset(
    "total grandtotal totals gesamt gesamtsumme summe totaux totalgeneral totale totaal".split()
)
SEGMENT = ("segment", "segmento", "segmentname")


def squash(text: str) -> str:
    """Lower-case letters and digits, accents dropped: ``"Total Spent"`` and ``total_spent`` are one name."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in plain if char.isalnum() and not unicodedata.combining(char))


def recognise(header: Sequence[str]) -> dict[str, int]:
    """Field -> column number, for the fields we read; the first of two columns of one meaning wins."""
    found: dict[str, int] = {}
    names = [squash(cell) for cell in header]
    for field, spellings in COLUMNS.items():
        for number, name in enumerate(names):
            if name in spellings and field not in found:
                found[field] = number
    if "company" in found and ("campaign_id" in found or "start_date" in found):
        del found["company"]  # there "Account Name" is the ad account
    return found


def language(header: Sequence[str]) -> str:
    """The language most recognised headers speak; English where they tie, since many words are shared."""
    names = [squash(cell) for cell in header]
    votes = [tongue for name in names for spellings in COLUMNS.values() if (tongue := spellings.get(name))]
    others = [vote for vote in votes if vote != ENGLISH]
    return max(sorted(set(others)), key=others.count) if len(others) * 2 > len(votes) else ENGLISH


def unknown(header: Sequence[str]) -> tuple[str, ...]:
    """Columns nobody knows, as written."""
    known = UNUSED.union(*(set(spellings) for spellings in COLUMNS.values()))
    return tuple(cell.strip() for cell in header if cell.strip() and squash(cell) not in known)


def segment_table(cell: str) -> str | None:
    """The dimension of a demographics table from its first header cell, squashed; None if it is not one."""
    name = squash(cell)
    for word in sorted(SEGMENT, key=len, reverse=True):
        if name.endswith(word) or name.startswith(word):
            return name.removesuffix(word).removeprefix(word)
    return None
