"""Every adapter takes the conformance exam; LinkedIn and Google on the sandbox, over real HTTP."""

from __future__ import annotations

import csv
import functools
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from audiences.model import AudienceSpec, Member, MemberKind, Op
from platforms import PLATFORMS
from platforms.contract import CampaignPlatform, ReportingPlatform
from platforms.files import Files, FilesSettings
from tests.platforms.against_sandbox import ACCOUNT, Bench, open_bench
from tests.platforms.campaign_exam import QUESTIONS as STEERING
from tests.platforms.campaign_exam import Question as SteeringQuestion
from tests.platforms.campaign_exam import Steering
from tests.platforms.exam import QUESTIONS, Candidate, Question, batch_of
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


def acknowledged(bench: Bench, kind: MemberKind) -> Callable[[str], set[str]]:
    """Whom LinkedIn took on a list: companies by the domain that was sent, people by the hash."""

    def held(external_id: str) -> set[str]:
        rows = [row for row in bench.control.members(external_id)["members"] if row["acknowledged"]]
        if kind is MemberKind.COMPANY:
            return {row["sent"]["companyWebsiteDomain"] for row in rows}
        return {row["key"] for row in rows}

    return held


def streamed(kind: MemberKind, make: Callable[[int], Member]) -> Callable[..., Candidate]:
    def candidate(bench: Bench, _: Path) -> Candidate:
        held = acknowledged(bench, kind)
        return Candidate("linkedin", bench.linkedin, kind, make, NOBODY, held, first_value, lambda: None)

    return candidate


def uploaded(kind: MemberKind, make: Callable[[int], Member]) -> Callable[..., Candidate]:
    """LinkedIn under ``lists: csv``: the same platform, every list sent whole."""

    def candidate(bench: Bench, folder: Path) -> Candidate:
        platform, held = bench.uploading(folder), acknowledged(bench, kind)
        return Candidate(
            "linkedin", platform, kind, make, NOBODY, held, first_value, lambda: None, setting="lists: csv"
        )

    return candidate


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
    "linkedin companies": streamed(MemberKind.COMPANY, firm),
    "linkedin people": streamed(MemberKind.CONTACT, human),
    "linkedin companies by file": uploaded(MemberKind.COMPANY, firm),
    "linkedin people by file": uploaded(MemberKind.CONTACT, human),
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


def test_every_variant_of_a_record_sits_the_exam(bench: Bench, tmp_path: Path) -> None:
    sitting = {(one.name, one.setting) for make in CANDIDATES.values() for one in [make(bench, tmp_path)]}
    entries = PLATFORMS.items()
    assert sitting == {(name, setting) for name, entry in entries for setting in ("", *entry.variants())}


# --- campaigns and reports ----------------------------------------------------------------


def ready_list(bench: Bench, name: str, companies: range) -> str:
    """A LinkedIn list of these companies that has been matched."""
    spec = AudienceSpec(f"linkedin/{name}/company", "linkedin", name, MemberKind.COMPANY)
    state = bench.linkedin.find_or_create(spec)
    bench.linkedin.push(batch_of(state, Op.ADD, MemberKind.COMPANY, *map(firm, companies)))
    bench.sleep(timedelta(hours=60).total_seconds())
    ready = bench.linkedin.state(spec.audience_id, state.external_id)
    assert ready.target_id is not None
    return ready.target_id


def tiny_list(bench: Bench) -> str:
    """A list of one company with fewer people than LinkedIn serves."""
    ones = {
        number: ready_list(bench, f"one {number}", range(number, number + 1)) for number in range(500, 506)
    }
    by_size = {row["id"]: row["approximateMemberCount"] for row in _ad_segments(bench)}
    return next(urn for urn in ones.values() if by_size[int(urn.rsplit(":", 1)[1])] == 0)


def _ad_segments(bench: Bench) -> list[dict[str, int]]:
    asked = {"q": "accounts", "accounts": [f"urn:li:sponsoredAccount:{ACCOUNT}"], "start": 0, "count": 100}
    found: list[dict[str, int]] = bench.linkedin._rest.get("/adSegments", asked)["elements"]
    return found


@pytest.fixture(scope="module")
def linkedin_steering() -> Iterator[Steering]:
    bench = open_bench()
    sizes = (range(40), range(120), range(300))
    lists = [ready_list(bench, f"list {len(one)}", one) for one in sizes]
    tiny = tiny_list(bench)

    def campaign() -> str:
        made = bench.control.seed(account=ACCOUNT, creatives=2, campaign_name="Exam", daily_budget=100)
        return str(made["campaign"])

    @functools.cache
    def reported() -> tuple[str, date, date]:
        number = campaign()
        bench.linkedin.set_targets(number, include=[lists[2]])
        start = bench.now().date() + timedelta(1)
        bench.sleep(timedelta(days=7).total_seconds())
        return number, start, start + timedelta(3)

    yield Steering("linkedin", bench.linkedin, tuple(lists), tiny, campaign, reported)  # type: ignore[arg-type]
    bench.close()


@pytest.mark.parametrize("asked", STEERING, ids=lambda asked: asked.__name__)
def test_linkedin_passes_the_campaign_half(linkedin_steering: Steering, asked: SteeringQuestion) -> None:
    asked(linkedin_steering)


STEERED = {"linkedin"}
OFFERED = (CampaignPlatform, ReportingPlatform)


@pytest.mark.parametrize("name", sorted(set(PLATFORMS) - STEERED))
def test_what_a_platform_cannot_do_is_not_there_and_its_record_says_so_in_words(name: str) -> None:
    """Nothing half-done: no method of either half, two plain "no" in the record, and who does it instead."""
    adapter, record = PLATFORMS[name].adapter_type(), PLATFORMS[name].capabilities()
    assert (record.campaigns, record.account_report) == (False, False)
    for offered in OFFERED:
        names = {n for n in vars(offered) if not n.startswith("_")}
        assert not [n for n in names if hasattr(adapter, n)]
    assert any("a person" in note for note in record.notes)


def test_every_platform_that_steers_sits_the_campaign_half() -> None:
    assert {name for name, entry in PLATFORMS.items() if entry.capabilities().campaigns} == STEERED
