"""The demo's workspace on disk: settings, real companies, invented people and visits. Written once."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path

from flows.demo.people import company_domains, write_contacts, write_crm, write_visits
from flows.files import write_atomically
from flows.sandbox_link import START
from flows.wiring import CONFIG, WorkspaceError

PEOPLE, VISITS, CRM_ROWS = 18_000, 40_000, 600
SEED_FILE = "demo-seed.txt"


def make_workspace(folder: Path, *, seed: int) -> bool:
    """Write what is missing. True when the workspace is new.

    Raises WorkspaceError when the folder is somebody's own workspace, or was made with another seed.
    """
    made = folder / SEED_FILE
    if made.is_file():
        earlier = made.read_text().strip()
        if earlier != str(seed):
            raise WorkspaceError(
                f"{folder} was made with seed {earlier}; name another folder with --workspace"
            )
        if (folder / CONFIG).is_file():
            return False
    elif (folder / CONFIG).exists():
        raise WorkspaceError(f"{folder} holds a workspace that is not the demo's; name another folder")
    write_atomically(made, f"{seed}\n")
    for name in ("companies.csv.gz", "surge.csv.gz", "ATTRIBUTION.md"):
        write_atomically(folder / "data" / name, _bundled(f"data/{name}"))
    companies = folder / "data" / "companies.csv.gz"
    domains = company_domains(companies)
    write_contacts(folder / "data" / "contacts.csv", domains, seed=seed, people=PEOPLE)
    write_visits(folder / "data" / "visits.csv", domains, seed=seed, start=START.date(), visits=VISITS)
    write_crm(folder / "data" / "crm.csv", companies, seed=seed, rows=CRM_ROWS)
    write_atomically(folder / CONFIG, _bundled(CONFIG))  # last: it makes the folder a workspace
    return True


def _bundled(name: str) -> bytes:
    with as_file(files("flows.demo").joinpath(name)) as path:
        return path.read_bytes()
