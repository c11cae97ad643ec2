"""LinkedIn lists sent whole, as one CSV file: on the wire as published, and on the sandbox from first to last."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from audiences.model import AudienceSpec, AudienceState, AudienceStatus, Member, MemberKind, Op, RowStatus
from platforms.errors import Garbled, Gone, PlatformDown, Refused
from platforms.linkedin import CAPABILITIES, LinkedIn, LinkedInSettings
from tests.platforms.against_sandbox import Bench, open_bench
from tests.platforms.members import batch, company, mail, person
from tests.platforms.scripted import HandClock, Script
from tests.platforms.wire_examples import example

SPEC = AudienceSpec("linkedin/tier-1/company", "linkedin", "T", MemberKind.COMPANY)
FIRMS = tuple(company(("name", f"Firm {i}"), ("domain", f"f{i}.example")) for i in range(420))
ATTACH = "/rest/dmpSegments/11205/listUploads"
ADD = batch(Op.ADD, *FIRMS[:300], external_id="11205")


@pytest.fixture
def wire(scripted_client: httpx.Client, script: Script, hand_clock: HandClock, tmp_path: Path) -> LinkedIn:
    """The published answers in their places; the file goes to the address LinkedIn gives."""
    script.play(example("linkedin_segment_find_none"), example("linkedin_upload_file"))
    script.play(example("linkedin_upload_attach"))
    script.on("POST", "/rest/dmpSegments", example("linkedin_upload_url"))
    script.on("GET", "/rest/dmpSegments/11205", httpx.Response(200, json=segment("BUILDING")))
    wanted = LinkedInSettings(
        "516848833", base_url="http://platform.test/rest", upload_directory=tmp_path / "kept"
    )
    return LinkedIn(wanted, scripted_client, hand_clock, hand_clock.sleep)


def segment(status: str, **counts: int) -> dict[str, object]:
    """The published segment as one of an upload that LinkedIn is, or is not, done with."""
    known = example("linkedin_segment_get").answer
    place = {"destination": "LINKEDIN", "destinationSegmentId": "urn:li:adSegment:8000001", "status": status}
    return {**known, "id": 11205, "type": "COMPANY_LIST_UPLOAD", "destinations": [{**place, **counts}]}


def sent(wire: LinkedIn) -> list[RowStatus]:
    receipt = wire.push(ADD)
    assert {row.status for row in receipt.results} == {RowStatus.UNKNOWN}
    assert not receipt.settled
    return [row.status for row in wire.settle(ADD, receipt.request_id or "").results]


def test_the_list_is_made_as_an_upload_segment(wire: LinkedIn, script: Script) -> None:
    script.on("POST", "/rest/dmpSegments", httpx.Response(201, headers={"x-restli-id": "11205"}))

    assert wire.find_or_create(SPEC).external_id == "11205"
    (made,) = script.bodies("POST", "/rest/dmpSegments")
    assert (made["type"], made["sourcePlatform"]) == ("COMPANY_LIST_UPLOAD", "LIST_UPLOAD")


def test_the_file_is_sent_where_linkedin_says_and_attached(wire: LinkedIn, script: Script) -> None:
    assert set(sent(wire)) == {RowStatus.ACCEPTED}

    (file,) = script.sent("POST", "/ambry/")
    assert file.headers["Content-Type"] == "text/csv"
    lines = file.content.decode().splitlines()
    assert lines[0].startswith("companyname,companywebsite,companyemaildomain,linkedincompanypageurl")
    assert len(lines) == 301
    assert script.bodies("POST", ATTACH) == [example("linkedin_upload_attach").sent]
    assert script.bodies("POST", "/rest/dmpSegments") == [example("linkedin_upload_url").sent]


def test_a_file_that_could_not_be_attached_is_sent_again_with_the_next_question(
    wire: LinkedIn, script: Script
) -> None:
    down = httpx.Response(503, json={"status": 503})
    script.on("POST", ATTACH, down, down, down, down, example("linkedin_upload_attach"))
    with pytest.raises(PlatformDown):
        sent(wire)

    assert set(sent(wire)) == {RowStatus.ACCEPTED}
    assert len(script.sent("POST", "/ambry/")) == 2
    assert set(sent(wire)) == {RowStatus.ACCEPTED}
    assert len(script.sent("POST", "/ambry/")) == 2, "what was sent is not sent again"


def test_the_file_and_the_token_only_go_to_linkedins_own_host(wire: LinkedIn, script: Script) -> None:
    elsewhere = {"value": "https://www.linkedin.com.evil.example/ambry/?x=1"}
    script.on("POST", "/rest/dmpSegments", httpx.Response(200, json=elsewhere))

    with pytest.raises(Garbled):
        sent(wire)
    assert script.sent("POST", "/ambry/") == []


def test_a_list_too_short_for_linkedin_is_refused_with_both_numbers(wire: LinkedIn, script: Script) -> None:
    few = batch(Op.ADD, *FIRMS[:299], external_id="11205")
    wire.push(few)

    with pytest.raises(Refused, match=r"300 to 300,000 rows in 20 MB, this one 299") as caught:
        wire.settle(few, few.batch_id)
    assert caught.value.code == "list_size"
    assert script.sent("POST", "/ambry/") == []


def test_people_are_sent_by_their_hashes_and_kept_where_only_the_owner_reads(
    wire: LinkedIn, script: Script, tmp_path: Path
) -> None:
    people = [person(("email_sha256", mail(i)), ("country", "DE")) for i in range(300)]
    by_phone = person(("phone_sha256", mail(900)))  # the layout has no column for it
    many = batch(Op.ADD, *people, by_phone, kind=MemberKind.CONTACT, external_id="11205")
    receipt = wire.push(many)
    settled = wire.settle(many, receipt.request_id or "")

    lines = script.sent("POST", "/ambry/")[0].content.decode().splitlines()
    assert sorted(lines[1:])[0] == min(f"{mail(i)},,,,,DE," for i in range(300))
    assert settled.results[-1].reason == receipt.results[-1].reason == "no_usable_identifier"
    for path in (tmp_path / "kept").rglob("*.json"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_nobody_usable_and_nobody_at_all_touch_nothing(wire: LinkedIn, script: Script) -> None:
    nobody = batch(Op.ADD, company(("country", "US")), external_id="11205")
    assert wire.push(nobody).settled
    assert wire.push(batch(Op.ADD, external_id="11205")).results == ()
    assert script.requests == []


def test_the_capabilities_say_that_lists_settle_later(wire: LinkedIn, linkedin: LinkedIn) -> None:
    assert linkedin.capabilities == CAPABILITIES
    assert wire.capabilities.settles_later
    assert "300 to 300,000 rows" in wire.capabilities.notes[-1]


def test_a_list_whose_members_nobody_knows_any_more_is_not_replaced_by_a_few(
    wire: LinkedIn, script: Script
) -> None:
    filled = segment("READY", audienceSize=240_000)
    script.on("GET", "/rest/dmpSegments/11205", httpx.Response(200, json=filled))

    with pytest.raises(Refused) as caught:
        wire.push(ADD)
    assert caught.value.code == "membership_unknown"


# --- on the sandbox -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    opened = open_bench()
    yield opened
    opened.close()


@pytest.fixture
def uploading(bench: Bench, tmp_path: Path) -> LinkedIn:
    return bench.uploading(tmp_path)


def change(platform: LinkedIn, state: AudienceState, op: Op, *members: Member) -> None:
    wanted = batch(op, *members, external_id=state.external_id)
    receipt = platform.push(wanted)
    assert {row.status for row in platform.settle(wanted, receipt.request_id or "").results} == {
        RowStatus.ACCEPTED
    }


def listed(bench: Bench, state: AudienceState) -> set[str]:
    rows = bench.control.members(state.external_id)["members"]
    return {row["sent"]["companyWebsiteDomain"] for row in rows if row["acknowledged"]}


def domains(*members: Member) -> set[str]:
    return {dict(member.identifiers)["domain"] for member in members}


def test_a_list_by_file_follows_every_change_and_is_matched(bench: Bench, uploading: LinkedIn) -> None:
    state = uploading.find_or_create(SPEC)
    assert uploading.find_or_create(SPEC).external_id == state.external_id

    change(uploading, state, Op.ADD, *FIRMS[:310])
    assert listed(bench, state) == domains(*FIRMS[:310])
    change(uploading, state, Op.ADD, *FIRMS[310:])
    change(uploading, state, Op.REMOVE, *FIRMS[:20])
    assert listed(bench, state) == domains(*FIRMS[20:])

    bench.sleep(80 * 3600)
    after = uploading.state(SPEC.audience_id, state.external_id)
    assert after.status is AudienceStatus.READY
    assert after.audience_size
    change(uploading, state, Op.REMOVE, *FIRMS[20:30])
    with pytest.raises(Refused):
        change(uploading, state, Op.REMOVE, *FIRMS[30:130])
    assert listed(bench, state) == domains(*FIRMS[30:]), "what was refused left the list as it was"


def test_a_deleted_list_takes_no_more_changes(uploading: LinkedIn, tmp_path: Path) -> None:
    spec = AudienceSpec("linkedin/gone/company", "linkedin", "Gone", MemberKind.COMPANY)
    state = uploading.find_or_create(spec)
    change(uploading, state, Op.ADD, *FIRMS)
    uploading.delete(state.external_id)

    assert list(tmp_path.iterdir()) == []
    with pytest.raises(Gone):
        uploading.push(batch(Op.ADD, *FIRMS, external_id=state.external_id))
