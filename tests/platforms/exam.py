"""The conformance exam: what every audience platform must do, whoever it speaks to.

A candidate brings the adapter, a way to make members and lists, and a view of what is really on a list. Where its
record says that small lists are not sent, every list begins with a crowd of that many, which ``truth`` leaves out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from audiences.model import (
    AudienceSpec,
    AudienceState,
    AudienceStatus,
    Member,
    MemberKind,
    Op,
    PushBatch,
    Receipt,
    RowStatus,
)
from platforms import PLATFORMS
from platforms.contract import (
    AudiencePlatform,
    CampaignPlatform,
    Capabilities,
    ReplacingPlatform,
    ReportingPlatform,
)
from platforms.errors import PlatformError


@dataclass
class Candidate:
    """One adapter with one kind of member. ``held`` gives what the list holds, as ``marks`` of members.

    ``setting`` names the variant of the platform's record that is in force, "" = the registered one.
    """

    name: str
    platform: AudiencePlatform
    kind: MemberKind
    member: Callable[[int], Member]
    unmatchable: Member
    held: Callable[[str], set[str]]
    mark: Callable[[Member], str]
    wait: Callable[[], None]
    setting: str = ""
    lists: int = 0

    @property
    def record(self) -> Capabilities:
        """What is promised."""
        entry = PLATFORMS[self.name]
        return entry.variants()[self.setting] if self.setting else entry.capabilities()

    @property
    def crowd(self) -> tuple[Member, ...]:
        """As many as a list needs to be sent at all, and nobody a question asks about."""
        return tuple(self.member(900_000 + i) for i in range(self.record.fewest_members))

    def truth(self, external_id: str) -> set[str]:
        """Who is on the list, beside the crowd; nobody at all before it was sent."""
        found, crowd = self.held(external_id), {self.mark(member) for member in self.crowd}
        assert crowd <= found or not found, "a list is sent whole"
        return found - crowd

    def spec(self) -> AudienceSpec:
        """A list nobody has used before."""
        self.lists += 1
        name = f"exam {self.name} {self.lists}"
        return AudienceSpec(f"{self.name}/exam-{self.lists}/{self.kind.value}", self.name, name, self.kind)

    def listed(self) -> AudienceState:
        return self.filled(self.platform.find_or_create(self.spec()))

    def filled(self, state: AudienceState) -> AudienceState:
        """With its crowd, where it needs one."""
        if self.crowd:
            self.push(state, Op.ADD, *self.crowd)
        return state

    def push(self, state: AudienceState, op: Op, *members: Member) -> Receipt:
        """Push and wait until the platform has said all it will say."""
        batch = batch_of(state, op, self.kind, *members)
        receipt = self.platform.push(batch)
        for _ in range(100):
            if receipt.settled:
                return receipt
            self.wait()
            receipt = self.platform.settle(batch, receipt.request_id or "")
        raise AssertionError("the batch never settled")


def batch_of(state: AudienceState, op: Op, kind: MemberKind, *members: Member) -> PushBatch:
    return PushBatch(
        f"{op}-{len(members)}-{state.external_id}-{hash(members)}",
        state.audience_id,
        state.external_id,
        op,
        kind,
        members,
    )


Question = Callable[[Candidate], None]
QUESTIONS: list[Question] = []


def question(asked: Question) -> Question:
    QUESTIONS.append(asked)
    return asked


@question
def its_capabilities_are_the_registered_ones(candidate: Candidate) -> None:
    record = candidate.platform.capabilities
    assert record == candidate.record
    assert record.platform == candidate.name
    assert record.batch_size > 0
    assert candidate.kind in record.member_kinds


@question
def it_offers_exactly_what_its_capabilities_promise(candidate: Candidate) -> None:
    record = candidate.platform.capabilities
    assert isinstance(candidate.platform, AudiencePlatform)
    assert isinstance(candidate.platform, CampaignPlatform) is record.campaigns
    assert isinstance(candidate.platform, ReportingPlatform) is record.account_report
    assert isinstance(candidate.platform, ReplacingPlatform) is record.replaces


@question
def its_check_reads_something_and_has_nothing_to_complain_about(candidate: Candidate) -> None:
    assert candidate.platform.check() == ()


@question
def the_same_list_is_found_again_and_another_is_not_mixed_up(candidate: Candidate) -> None:
    spec, other = candidate.spec(), candidate.spec()
    first = candidate.platform.find_or_create(spec)
    again = candidate.platform.find_or_create(replace(spec, name="renamed meanwhile"))
    assert again.external_id == first.external_id
    assert first.audience_id == spec.audience_id
    assert candidate.platform.find_or_create(other).external_id != first.external_id


@question
def an_empty_batch_is_settled_and_changes_nothing(candidate: Candidate) -> None:
    state = candidate.listed()
    receipt = candidate.platform.push(batch_of(state, Op.ADD, candidate.kind))
    assert receipt.results == ()
    assert receipt.settled


@question
def every_row_has_its_own_answer_in_the_order_sent(candidate: Candidate) -> None:
    state = candidate.listed()
    members = (candidate.member(1), candidate.unmatchable, candidate.member(2))
    receipt = candidate.push(state, Op.ADD, *members)
    assert [row.status for row in receipt.results] == [
        RowStatus.ACCEPTED,
        RowStatus.REJECTED,
        RowStatus.ACCEPTED,
    ]
    assert receipt.results[1].reason
    assert not receipt.results[1].retryable


@question
def adds_and_removes_arrive_and_nobody_else_does(candidate: Candidate) -> None:
    state = candidate.listed()
    first, second, third = (candidate.member(i) for i in (11, 12, 13))
    candidate.push(state, Op.ADD, first, second)
    candidate.push(state, Op.REMOVE, first)
    candidate.push(state, Op.ADD, third)
    assert candidate.truth(state.external_id) == {candidate.mark(second), candidate.mark(third)}


@question
def the_same_batch_twice_is_one_change(candidate: Candidate) -> None:
    state = candidate.listed()
    member = candidate.member(21)
    for _ in range(2):
        receipt = candidate.push(state, Op.ADD, member)
        assert receipt.results[0].status is RowStatus.ACCEPTED
    assert candidate.truth(state.external_id) == {candidate.mark(member)}


@question
def removing_somebody_who_was_never_there_is_harmless(candidate: Candidate) -> None:
    state = candidate.listed()
    candidate.push(state, Op.REMOVE, candidate.member(31))
    assert candidate.truth(state.external_id) == set()


@question
def a_batch_larger_than_promised_is_refused_before_it_is_sent(candidate: Candidate) -> None:
    state = candidate.listed()
    many = (candidate.member(1),) * (candidate.platform.capabilities.batch_size + 1)
    with pytest.raises(PlatformError) as caught:
        candidate.platform.push(batch_of(state, Op.ADD, candidate.kind, *many))
    assert not caught.value.retryable
    assert candidate.truth(state.external_id) == set()


@question
def a_full_batch_is_taken(candidate: Candidate) -> None:
    state = candidate.listed()
    size = candidate.platform.capabilities.batch_size
    receipt = candidate.push(state, Op.ADD, *(candidate.member(100 + i) for i in range(size)))
    assert len(receipt.results) == size
    assert {row.status for row in receipt.results} == {RowStatus.ACCEPTED}


@question
def the_smallest_list_its_record_allows_is_sent_and_a_smaller_one_is_refused(candidate: Candidate) -> None:
    fewest = max(1, candidate.record.fewest_members)
    state = candidate.platform.find_or_create(candidate.spec())
    members = [candidate.member(200_000 + i) for i in range(fewest)]
    if candidate.record.fewest_members:
        with pytest.raises(PlatformError) as caught:
            candidate.push(state, Op.ADD, *members[:-1])
        assert not caught.value.retryable
        assert str(fewest) in str(caught.value)
        assert candidate.held(state.external_id) == set()
    receipt = candidate.push(state, Op.ADD, *members)
    assert {row.status for row in receipt.results} == {RowStatus.ACCEPTED}
    assert candidate.held(state.external_id) == {candidate.mark(member) for member in members}


@question
def a_list_is_deleted_once_and_stays_deleted(candidate: Candidate) -> None:
    state = candidate.listed()
    candidate.platform.delete(state.external_id)
    candidate.platform.delete(state.external_id)
    candidate.wait()
    assert candidate.platform.state(state.audience_id, state.external_id).status is AudienceStatus.GONE


@question
def pushing_to_a_deleted_list_is_an_error_nobody_repeats(candidate: Candidate) -> None:
    state = candidate.listed()
    candidate.platform.delete(state.external_id)
    candidate.wait()
    with pytest.raises(PlatformError) as caught:
        candidate.push(state, Op.ADD, candidate.member(41))
    assert not caught.value.retryable


@question
def a_deleted_list_is_made_anew_under_the_same_name(candidate: Candidate) -> None:
    spec = candidate.spec()
    first = candidate.platform.find_or_create(spec)
    candidate.platform.delete(first.external_id)
    candidate.wait()
    second = candidate.filled(candidate.platform.find_or_create(spec))
    candidate.push(second, Op.ADD, candidate.member(51))
    assert candidate.truth(second.external_id) == {candidate.mark(candidate.member(51))}


@question
def a_receipt_can_be_asked_for_again(candidate: Candidate) -> None:
    state = candidate.listed()
    batch = batch_of(state, Op.ADD, candidate.kind, candidate.member(61), candidate.unmatchable)
    request = candidate.platform.push(batch).request_id or ""
    candidate.wait()
    answer = candidate.platform.settle(batch, request)
    assert answer.batch_id == batch.batch_id
    assert len(answer.results) == 2
