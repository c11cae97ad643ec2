"""Invent people and site visits at real domains, from a seed. Writes files; never used outside the demo.

The dirt is deliberate: capitals, blanks, plus tags, malformed addresses, people
without consent or from bought lists. Somebody's real export looks like this.
"""

from __future__ import annotations

import csv
import gzip
import random
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

from flows.files import write_atomically

GIVEN = (
    "Ada Amir Ana Ben Bo Carla Chen Dana Dev Elif Emeka Eva Femi Finn Grace Hana Hugo Ines Ivan Jana Jonas "
    "Kai Kim Lara Leo Lin Luca Maja Marek Mina Nadia Noor Olga Omar Pia Priya Ravi Rosa Sam Sana Sofia "
    "Tariq Tom Uma Vera Wen Yara Yuki Zoë"
).split()
FAMILY = (
    "Abe Adler Bauer Becker Brandt Castro Cohen Costa Dahl Diaz Evans Fischer Garcia Haas Hansen Ito Jensen "
    "Kaya Keller Khan Kim Koch Lang Lindqvist Lopez Mehta Meyer Moreau Mori Nagy Novak Okafor Olsen "
    "Ortiz Park Patel Quinn Rao Rossi Santos Sato Schmidt Silva Singh Suzuki Tanaka Torres Vogel Wagner "
    "Weber Wong Yilmaz Zhang"
).split()
FUNCTIONS = ("Marketing", "Sales", "Engineering", "IT", "Operations", "Finance", "Product")
SENIORITIES = ("entry", "senior", "manager", "director", "vp", "cxo")
COUNTRIES = ("US", "US", "US", "US", "GB", "GB", "DE", "FR", "CA", "AU")
PHONES = {
    "US": "+1 415 555 {:04d}",
    "CA": "+1 613 555 {:04d}",
    "GB": "+44 113 496 {:04d}",
    "DE": "+49 30 2312 {:04d}",
    "FR": "+33 1 9900 {:04d}",
    "AU": "+61 2 5550 {:04d}",
}
PAGES = (
    "blog",
    "product",
    "product",
    "docs",
    "pricing_page",
    "comparison",
    "download",
    "webinar",
    "demo_request",
)
CONTACT_COLUMNS = (
    "email,first_name,last_name,phone,country,postal_code,job_title,function,seniority,company_domain,consent,first_party"
).split(",")
CRM_COLUMNS = "Record ID,Company name,Company Domain Name,Country/Region,Lifecycle Stage".split(",")
VISIT_COLUMNS = "date,company_domain,visitor_id,page_kind,visits".split(",")


def company_domains(path: Path) -> list[str]:
    """Distinct web hosts of the bundled companies, sorted, ``www.`` off."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        hosts = {row["domain"].strip().lower().removeprefix("www.") for row in csv.DictReader(file)}
    return sorted(host for host in hosts if host and "." in host and "/" not in host)


def keen_domains(domains: Sequence[str], *, seed: int) -> list[str]:
    """The twelfth of the companies that visit the site often, and whose people we know best."""
    return random.Random(f"keen-{seed}").sample(domains, k=max(1, len(domains) // 12))


def write_contacts(path: Path, domains: Sequence[str], *, seed: int, people: int) -> None:
    """Write ``people`` rows; three in five work for a keen company."""
    rng = random.Random(f"contacts-{seed}")
    keen = keen_domains(domains, seed=seed)
    rows = (_person(rng, rng.choice(keen if rng.random() < 0.6 else domains)) for _ in range(people))
    write_atomically(path, _csv(CONTACT_COLUMNS, rows))


def write_visits(path: Path, domains: Sequence[str], *, seed: int, start: date, visits: int) -> None:
    """Write ``visits`` rows, half in the 90 days before ``start`` and half in the 90 after; keen ones lead.

    A visit of a later day counts only when the clock gets there.
    """
    rng = random.Random(f"visits-{seed}")
    keen = keen_domains(domains, seed=seed)

    def rows() -> Iterator[list[str]]:
        for _ in range(visits):
            host = rng.choice(keen if rng.random() < 0.7 else domains)
            before = -min(89, int(rng.expovariate(1 / 18)))
            on = start + timedelta(days=rng.choice((before, rng.randrange(1, 91))))
            page = rng.choice(PAGES)
            yield [
                on.isoformat(),
                host,
                f"v{rng.randrange(4)}-{host}",
                page,
                str(1 + int(rng.expovariate(1.2))),
            ]

    write_atomically(path, _csv(VISIT_COLUMNS, rows()))


def write_crm(path: Path, companies: Path, *, seed: int, rows: int) -> None:
    """Write a CRM export of ``rows`` companies, spelled as a CRM spells them, with life-cycle stages."""
    rng = random.Random(f"crm-{seed}")
    with gzip.open(companies, "rt", encoding="utf-8", newline="") as file:
        known = [row for row in csv.DictReader(file) if row["domain"] and row["name"] and row["industry"]]
    chosen = rng.sample(known, k=min(rows, len(known)))
    stages = rng.choices(("Customer", "Opportunity", "Lead"), weights=(30, 15, 55), k=len(chosen))

    def lines() -> Iterator[list[str]]:
        for number, (row, stage) in enumerate(zip(chosen, stages, strict=True)):
            name = row["name"].strip().replace('"', "").title()
            site = rng.choice((row["domain"], row["website"] or row["domain"], row["domain"].upper()))
            yield [str(9_001_000_000 + number), name, site, row["country"], stage]

    write_atomically(path, _csv(CRM_COLUMNS, lines()))


def _person(rng: random.Random, host: str) -> list[str]:
    given, family, country = rng.choice(GIVEN), rng.choice(FAMILY), rng.choice(COUNTRIES)
    number = rng.randrange(10_000)
    local = f"{given}.{family}".lower().replace("ë", "e")
    email = f"{local}{number % 97}@{host}"
    dirt = rng.random()
    if dirt < 0.03:
        email = email.replace("@", rng.choice((" at ", "@@", "")))
    elif dirt < 0.10:
        email = f"  {email.upper()} "
    elif dirt < 0.16:
        email = f"{given}.{family}+news{number}@gmail.com"
    phone = PHONES[country].format(number) if rng.random() < 0.4 else ""
    consent = rng.choices(("yes", "no", ""), weights=(86, 4, 10))[0]
    first_party = "yes" if rng.random() < 0.85 else "no"
    title = f"{rng.choice(SENIORITIES)} {rng.choice(FUNCTIONS)}"
    seniority, function = title.split(" ", 1)
    postal = f"{10_000 + number}" if country in {"US", "DE", "FR"} else ""
    return [
        email,
        given,
        family,
        phone,
        country,
        postal,
        title,
        function,
        seniority,
        host,
        consent,
        first_party,
    ]


def _csv(header: Sequence[str], rows: Iterator[list[str]]) -> str:
    lines = [",".join(header)]
    lines.extend(",".join(f'"{cell}"' if "," in cell else cell for cell in row) for row in rows)
    return "\n".join(lines) + "\n"
