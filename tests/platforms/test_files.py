"""The file platform: one folder per list, templates unchanged, the answers of a real platform."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiences.model import AudienceSpec, AudienceStatus, Member, MemberKind, Op, PushBatch, RowStatus
from platforms import PLATFORMS
from platforms.errors import Gone, Refused
from platforms.files import Files, FilesSettings, folder_name
from tests.platforms.members import batch, company, mail, person

LAYOUTS = Path(__file__).parent / "layouts"
COMPANIES = AudienceSpec("files/tier-1/company", "files", "Tier 1", MemberKind.COMPANY)
PEOPLE = AudienceSpec("files/tier-1/contact", "files", "Tier 1 people", MemberKind.CONTACT)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(FilesSettings(tmp_path / "lists"), lambda: datetime(2026, 9, 1, tzinfo=UTC))


def rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))


def pushed(external_id: str, op: Op, *members: Member, kind: MemberKind = MemberKind.COMPANY) -> PushBatch:
    return batch(op, *members, kind=kind, external_id=external_id)


@pytest.mark.parametrize(
    ("spec", "upload", "sample"),
    [
        (COMPANIES, "upload-linkedin.csv", "linkedin_company_list.csv"),
        (PEOPLE, "upload-linkedin.csv", "linkedin_contact_list.csv"),
        (PEOPLE, "upload-google.csv", "google_customer_match_hashed.csv"),
    ],
)
def test_the_headers_are_the_platforms_own(
    files: Files, spec: AudienceSpec, upload: str, sample: str
) -> None:
    state = files.find_or_create(spec)

    written = {path.name: path for path in files.uploads(state.external_id)}
    assert rows(written[upload])[0] == rows(LAYOUTS / sample)[0]


def test_adds_and_removes_fold_into_the_file_of_today(files: Files) -> None:
    listed = files.find_or_create(COMPANIES).external_id
    acme, beta = company(("name", "Acme"), ("domain", "acme.example")), company(("name", "@beta"))
    files.push(pushed(listed, Op.ADD, acme, beta))
    files.push(pushed(listed, Op.REMOVE, acme))

    (upload,) = files.uploads(listed)
    assert [row[0] for row in rows(upload)[1:]] == [" @beta"]  # never a formula for a spreadsheet
    assert upload.stat().st_mode & 0o077 == 0


def test_the_same_batch_twice_is_one_change(files: Files) -> None:
    listed = files.find_or_create(COMPANIES).external_id
    acme = company(("name", "Acme"))
    added = pushed(listed, Op.ADD, acme)
    files.push(added)
    files.push(pushed(listed, Op.REMOVE, acme))

    receipt = files.push(added)  # a crashed run, run again

    assert receipt.results[0].status is RowStatus.ACCEPTED
    assert len(rows(files.uploads(listed)[0])) == 1


def test_a_person_without_anything_to_match_by_is_refused(files: Files) -> None:
    listed = files.find_or_create(PEOPLE).external_id
    receipt = files.push(
        pushed(
            listed,
            Op.ADD,
            person(("country", "DE")),
            person(("email_sha256", mail(1))),
            kind=MemberKind.CONTACT,
        )
    )

    assert [row.status for row in receipt.results] == [RowStatus.REJECTED, RowStatus.ACCEPTED]
    google, linkedin = files.uploads(listed)
    assert rows(google)[1:] == [[mail(1), "", "", "", "", ""]]
    assert rows(linkedin)[1:] == [[mail(1), "", "", "", "", "", ""]]


def test_whoever_may_not_go_to_google_is_in_no_file_meant_for_google() -> None:
    files, google = (PLATFORMS[name].capabilities() for name in ("files", "google"))
    assert google.needs_consent <= files.needs_consent
    assert google.needs_first_party <= files.needs_first_party


def test_a_removed_folder_is_gone_and_can_be_made_again(files: Files) -> None:
    state = files.find_or_create(COMPANIES)
    files.delete(state.external_id)
    files.delete(state.external_id)

    assert files.state(COMPANIES.audience_id, state.external_id).status is AudienceStatus.GONE
    with pytest.raises(Gone):
        files.push(pushed(state.external_id, Op.ADD, company(("name", "Acme"))))
    assert files.find_or_create(COMPANIES).external_id == state.external_id


@pytest.mark.parametrize("external_id", ["../etc", "/tmp/x", "a/b-0123456789ab", ""])
def test_nothing_outside_the_directory_can_be_named(files: Files, external_id: str) -> None:
    with pytest.raises(Refused):
        files.delete(external_id)


@given(st.text(max_size=80), st.text(max_size=80))
def test_different_lists_have_different_folders(one: str, other: str) -> None:
    assert (folder_name(one) == folder_name(other)) == (one == other)


@settings(max_examples=25, deadline=None)
@given(changes=st.lists(st.tuples(st.booleans(), st.sets(st.integers(0, 6))), max_size=8))
def test_the_file_always_holds_exactly_who_was_added_and_not_removed(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[bool, set[int]]]
) -> None:
    files = Files(FilesSettings(tmp_path_factory.mktemp("f")), lambda: datetime(2026, 9, 1, tzinfo=UTC))
    listed = files.find_or_create(PEOPLE).external_id
    wanted: set[str] = set()
    for number, (add, who) in enumerate(changes):
        members = tuple(person(("email_sha256", mail(one))) for one in sorted(who))
        op = Op.ADD if add else Op.REMOVE
        files.push(PushBatch(f"b{number}", PEOPLE.audience_id, listed, op, MemberKind.CONTACT, members))
        wanted = wanted | {mail(one) for one in who} if add else wanted - {mail(one) for one in who}

    assert {row[0] for row in rows(files.uploads(listed)[0])[1:]} == wanted
