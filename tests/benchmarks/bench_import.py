"""Import and clean 1 million company rows and 5 million contacts, against merely reading the same files.

Run by hand: ``python tests/benchmarks/bench_import.py [--scale 1.0] [--steps import load]``. Each step
runs in a process of its own, so that its peak memory is its own. The bar: import (read and clean) reaches at
least 0.5 x the speed of Polars reading both files and nothing else, under 3 GB. Load is what a command does with
them: import, one company from many rows, every person hashed for both platforms, and all of it stored; it has no
bar but the memory. Reading is measured before and after, each step twice in turn with it; the best of each counts.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMPANIES, CONTACTS = 1_000_000, 5_000_000
COUNTRIES = [
    "United States",
    "Germany",
    "U.S.",
    "France",
    "Brasil",
    "United Kingdom (Great Britain)",
    "",
    "Japan",
    "NL",
]


WORKSPACE = """
workspace: Import
database: sqlite:///evenreach.db
timezone: UTC
sources:
  companies: [{file: companies.csv, layout: companies}]
  contacts: [{file: contacts.csv, first_party: true, consent: granted, default_country: US}]
"""


def write_companies(path: Path, rows: int, seed: int = 7) -> None:
    rng = random.Random(seed)
    with path.open("w", encoding="utf-8", newline="") as out:
        out.write("company_id,name,domain,website,industry,employees,revenue_usd,country,region,city,founded_year,"
                  "status,tags,linkedin_url,source,source_licence\n")  # fmt: skip
        for i in range(rows):
            site = f"company{i // 2 if i % 7 == 0 else i}.example"
            name = f'"Company {i}, Inc."' if i % 3 == 0 else f"Company {i} GmbH"
            size = ("", "120", '"1,200"', "51-200", "10000")[i % 5]
            place, year = rng.choice(COUNTRIES), "" if i % 4 else 1990 + i % 30
            out.write(f"crm-{i},{name},www.{site},http://www.{site}/about,Software,{size},,{place},,Leeds,")
            out.write(f"{year},active,tech:go;sector:IT,,crm,internal\n")


def write_contacts(path: Path, rows: int, companies: int, seed: int = 8) -> None:
    rng = random.Random(seed)
    with path.open("w", encoding="utf-8", newline="") as out:
        out.write("Contact ID,Email,First Name,Last Name,Phone,Country,Company,Job Title\n")
        for i in range(rows):
            at = rng.randrange(companies)
            phone = f"+1415555{i % 10000:04d}" if i % 3 == 0 else ""
            out.write(f"{i},Person.{i}@company{at}.example,Given{i % 5000},Family{i % 90000},{phone},"
                      f"{rng.choice(COUNTRIES)},Company {at} GmbH,Engineer\n")  # fmt: skip


def step(name: str, folder: Path) -> tuple[float, float]:
    """Seconds on the wall and on the processor of one step, in this process; imports are not part of them."""
    import polars as pl

    from audiences.clean import clean_companies, clean_contacts
    from audiences.clean_countries import country_code
    from audiences.clean_titles import title_words
    from audiences.sources import read_source
    from audiences.sources_layout import load_layouts
    from flows.load import load
    from flows.wiring import open_app

    load_layouts(), country_code("Brasil"), title_words()
    start = time.perf_counter(), time.process_time()
    if name == "read":
        for file in ("companies.csv", "contacts.csv"):
            assert pl.read_csv(folder / file, infer_schema=False).height
    elif name == "import":
        assert clean_companies(read_source(folder / "companies.csv")).frame.height
        assert clean_contacts(read_source(folder / "contacts.csv")).frame.height
    else:
        (folder / "evenreach.db").unlink(missing_ok=True)
        with open_app(folder) as app:
            assert load(app).contacts.resolved
    return time.perf_counter() - start[0], time.process_time() - start[1]


def measure(name: str, folder: Path) -> dict[str, float]:
    code = [sys.executable, __file__, "--step", name, "--folder", str(folder)]
    return json.loads(subprocess.run(code, check=True, capture_output=True, text=True, cwd=ROOT).stdout)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--steps", nargs="+", choices=("import", "load"), default=["import", "load"])
    parser.add_argument("--step", choices=("read", "import", "load"))
    parser.add_argument("--folder", type=Path)
    args = parser.parse_args()
    if args.step:
        seconds, cpu = step(args.step, args.folder)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(json.dumps({"seconds": seconds, "cpu": cpu, "gb": peak}))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        companies, contacts = int(COMPANIES * args.scale), int(CONTACTS * args.scale)
        write_companies(folder / "companies.csv", companies)
        write_contacts(folder / "contacts.csv", contacts, companies)
        (folder / "evenreach.yaml").write_text(WORKSPACE)
        for what in args.steps:
            race(what, folder)


def race(what: str, folder: Path) -> None:
    """The step between two readings, twice, so that both meet the machine in the same mood."""
    order = ["read", what, "read", what, "read"]
    runs = [(name, measure(name, folder)) for name in order]
    read, got = (
        min((m for name, m in runs if name == side), key=lambda m: m["seconds"]) for side in ("read", what)
    )
    ratio, cpu = read["seconds"] / got["seconds"], read["cpu"] / got["cpu"]
    print(f"{what}: {got['seconds']:.2f} s, {got['gb']:.2f} GB; speed ratio {ratio:.2f}, by CPU {cpu:.2f}")
    print(f"  merely reading: {read['seconds']:.2f} s, {read['gb']:.2f} GB")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
