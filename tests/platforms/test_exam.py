"""Every adapter takes the conformance exam; LinkedIn and Google on the sandbox, over real HTTP."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from audiences.model import Member, MemberKind
from platforms import PLATFORMS
from platforms.files import Files, FilesSettings
from tests.platforms.against_sandbox import Bench, open_bench
from tests.platforms.exam import QUESTIONS, Candidate, Question
from tests.platforms.members import company, mail, person

NOBODY = person(("country", "US"))


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    opened = open_bench()
    yield opened
    opened.close()


def firm(number: int) -> Member:
    return company(("domain", f"c{number}.example"), ("name", f"Company {number}"))


def human(number: int) -> Member:
    return person(("email_sha256", mail(number)))


def first_value(member: Member) -> str:
    return member.identifiers[0][1]


def linkedin_companies(bench: Bench) -> Candidate:
    def truth(external_id: str) -> set[str]:
        rows = bench.control.members(external_id)["members"]
        return {row["sent"]["companyWebsiteDomain"] for row in rows if row["acknowledged"]}

    return Candidate(
        "linkedin", bench.linkedin, MemberKind.COMPANY, firm, NOBODY, truth, first_value, lambda: None
    )


def linkedin_people(bench: Bench) -> Candidate:
    def truth(external_id: str) -> set[str]:
        rows = bench.control.members(external_id)["members"]
        return {row["key"] for row in rows if row["acknowledged"]}

    return Candidate(
        "linkedin", bench.linkedin, MemberKind.CONTACT, human, NOBODY, truth, first_value, lambda: None
    )


def google_people(bench: Bench) -> Candidate:
    def truth(external_id: str) -> set[str]:
        return {row[0] for row in bench.control.members(external_id)["members"]}

    def wait() -> None:
        bench.sleep(timedelta(minutes=31).total_seconds())

    return Candidate("google", bench.google, MemberKind.CONTACT, human, NOBODY, truth, first_value, wait)


def written_lists(kind: MemberKind, make: Callable[[int], Member], column: str) -> Callable[..., Candidate]:
    def candidate(bench: Bench, folder: Path) -> Candidate:
        files = Files(FilesSettings(folder), bench.now)

        def truth(external_id: str) -> set[str]:
            with files.uploads(external_id)[-1].open(encoding="utf-8", newline="") as stream:
                return {row[column] for row in csv.DictReader(stream)}

        return Candidate("files", files, kind, make, NOBODY, truth, first_value, lambda: None)

    return candidate


CANDIDATES: dict[str, Callable[..., Candidate]] = {
    "linkedin companies": lambda bench, _: linkedin_companies(bench),
    "linkedin people": lambda bench, _: linkedin_people(bench),
    "google people": lambda bench, _: google_people(bench),
    "files companies": written_lists(MemberKind.COMPANY, firm, "companywebsite"),
    "files people": written_lists(MemberKind.CONTACT, human, "email"),
}


@pytest.fixture(scope="module", params=CANDIDATES)
def candidate(
    request: pytest.FixtureRequest, bench: Bench, tmp_path_factory: pytest.TempPathFactory
) -> Candidate:
    return CANDIDATES[request.param](bench, tmp_path_factory.mktemp("lists"))


@pytest.mark.parametrize("asked", QUESTIONS, ids=lambda asked: asked.__name__)
def test_the_candidate_passes(candidate: Candidate, asked: Question) -> None:
    asked(candidate)


def test_every_registered_platform_sits_the_exam() -> None:
    assert {name.split()[0] for name in CANDIDATES} == set(PLATFORMS)
