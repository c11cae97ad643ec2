"""Two hundred days on which things go wrong: in the end each list is exactly what was wanted, once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from audiences.model import AudienceSpec, Member, MemberKind, Op, RowStatus
from tests.platforms.against_sandbox import ACCOUNT, CUSTOMER, TOKEN, Bench, open_bench
from tests.platforms.fault_schedules import Day, kind_of
from tests.platforms.members import company, mail, person

SCHEDULES = 200


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    opened = open_bench()
    yield opened
    opened.close()


def firm(number: int) -> Member:
    return company(("domain", f"c{number}.example"))


def human(number: int) -> Member:
    return person(("email_sha256", mail(number)))


def on_the_list(bench: Bench, platform: str, kind: MemberKind, listed: str) -> set[str]:
    rows = bench.control.members(listed)["members"]
    if platform == "google":
        return {row[0] for row in rows}
    if kind is MemberKind.CONTACT:
        return {row["key"] for row in rows if row["acknowledged"]}
    return {row["sent"]["companyWebsiteDomain"] for row in rows if row["acknowledged"]}


def lists_with_our_key(bench: Bench, spec: AudienceSpec) -> int:
    headers = {"Authorization": f"Bearer {TOKEN}", "LinkedIn-Version": "202608"}
    headers["X-Restli-Protocol-Version"] = "2.0.0"
    with httpx.Client(base_url=bench.url, headers=headers, trust_env=False, timeout=60) as raw:
        if spec.platform == "google":
            path = f"/v1/accountTypes/GOOGLE_ADS/accounts/{CUSTOMER}/userLists?pageSize=1000"
            rows = raw.get(path).raise_for_status().json().get("userLists", [])
            return sum(row.get("integrationCode") == spec.audience_id for row in rows)
        owner = f"urn%3Ali%3AsponsoredAccount%3A{ACCOUNT}"
        rows = raw.get(f"/rest/dmpSegments?q=account&account={owner}&start=0&count=1000").json()["elements"]
        return sum(row.get("sourceSegmentId") == spec.audience_id for row in rows)


def sent_values(body: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(operation, identifier) of every member in a request body."""
    for element in body.get("elements", ()):
        for user in element.get("userIds", ()):
            yield element["action"], user["idValue"]
        if "companyWebsiteDomain" in element:
            yield element["action"], element["companyWebsiteDomain"]
    for member in body.get("audienceMembers", ()):
        op = "ADD" if "termsOfService" in body else "REMOVE"
        for identifier in member["compositeData"]["userData"]["userIdentifiers"]:
            yield op, identifier["emailAddress"]


@pytest.mark.slow  # two hundred schedules, tens of requests each
@pytest.mark.parametrize("block", range(10))
def test_whatever_goes_wrong_each_list_ends_as_it_was_wanted(bench: Bench, block: int) -> None:
    for seed in range(block * SCHEDULES // 10, (block + 1) * SCHEDULES // 10):
        platform, kind = kind_of(seed)
        make = firm if kind is MemberKind.COMPANY else human
        spec = AudienceSpec(f"{platform}/day-{seed}/{kind.value}", platform, f"Day {seed}", kind)
        adapter = bench.linkedin if platform == "linkedin" else bench.google
        day = Day(bench, adapter, spec, seed, make)
        mark = len(bench.recorder.sent)

        listed = day.run()

        values = {member.key: member.identifiers[0][1] for member in [*day.before, *day.wanted]}
        there = on_the_list(bench, platform, kind, listed)
        # A refusal on a repetition says nothing about the first try whose answer was lost.
        refused = {values[k] for (_, k), row in day.outcomes.items() if row.status is RowStatus.REJECTED}
        assert there - refused == {values[key] for key in day.expected()} - refused, f"seed {seed}"
        assert lists_with_our_key(bench, spec) == 1, f"seed {seed}"
        told = [row for row in day.outcomes.values() if row.status is RowStatus.UNKNOWN or row.retryable]
        assert told == [], f"seed {seed}"
        if all(row.status is RowStatus.ACCEPTED for row in day.outcomes.values()):
            assert there == {values[member.key] for member in day.wanted}, f"seed {seed}"
        first, last = {m.key for m in day.before}, {m.key for m in day.wanted}
        asked = {("ADD", values[key]) for key in first | last} | {
            ("REMOVE", values[key]) for key in first - last
        }
        sent = {one for _, _, body in bench.recorder.sent[mark:] if body for one in sent_values(body)}
        assert sent <= asked, f"seed {seed}"
        changes = {(op.value.upper(), values[key]) for op, key in day.outcomes}
        assert changes == {("ADD", values[key]) for key in last - first} | {
            (Op.REMOVE.value.upper(), values[key]) for key in first - last
        }, f"seed {seed}"
