"""Rest.li encoding, targeting as data, members as elements: pure functions and what always holds of them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from linkedin_api.clients.restli.utils.encoder import encode as official

from audiences.model import Member, MemberKind, Op, RowStatus
from platforms.errors import Garbled, Refused
from platforms.linkedin import members, restli, targeting
from tests.platforms.members import batch, company, mail, person
from tests.platforms.wire_examples import example

TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
VALUES = st.recursive(
    TEXT | st.integers() | st.booleans(),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3) | st.dictionaries(TEXT, inner, min_size=1, max_size=3)
    ),
    max_leaves=8,
)
SEGMENT = st.integers(1, 9).map(lambda n: f"urn:li:adSegment:{n}")
LISTS = st.lists(SEGMENT, max_size=4, unique=True)
LOCALE = "urn:li:locale:en_US"


@given(VALUES)
def test_values_are_encoded_as_linkedins_own_client_encodes_them(value: Any) -> None:
    assert restli.encode(by_name(value)) == official(value)


def by_name(value: Any) -> Any:
    """LinkedIn's client sorts fields; the order means nothing."""
    if isinstance(value, dict):
        return {name: by_name(value[name]) for name in sorted(value)}
    return [by_name(item) for item in value] if isinstance(value, list) else value


@given(VALUES)
def test_an_encoded_query_reaches_the_wire_untouched(value: Any) -> None:
    query = restli.query({"q": "analytics", "x": value, "gone": None})
    sent = httpx.Request("GET", f"http://platform.test/x?{query}").url.raw_path.decode()
    assert sent == f"/x?{query}"


def test_the_documented_question_is_written_letter_for_letter() -> None:
    wire = example("linkedin_audience_count")
    criteria = {
        "include": {"and": [{"or": {"urn:li:adTargetingFacet:locations": ["urn:li:geo:103644278"]}}]},
        "exclude": {"or": {"urn:li:adTargetingFacet:employers": ["urn:li:organization:1035"]}},
    }
    query = restli.query({"q": "targetingCriteriaV2", "targetingCriteria": criteria})
    assert wire.path == f"/rest/audienceCounts?{query}"


def test_what_has_no_form_is_a_mistake_not_a_guess() -> None:
    with pytest.raises(TypeError):
        restli.encode(None)


@given(TEXT)
def test_path_keys_keep_nothing_literal(text: str) -> None:
    assert not set("(),:/?#") & set(restli.key(text))
    assert unquote(restli.key(text)) == text


@st.composite
def criteria(draw: st.DrawFn) -> dict[str, Any]:
    """Targeting as marketers leave it: several clauses, several facets, lists of ours and of others."""
    facets = st.dictionaries(
        st.sampled_from([targeting.SEGMENTS, "urn:li:adTargetingFacet:seniorities", targeting.LOCALES]),
        st.lists(SEGMENT, min_size=1, max_size=3, unique=True),
        min_size=1,
    )
    built: dict[str, Any] = {"include": {"and": [{"or": one} for one in draw(st.lists(facets, max_size=3))]}}
    if draw(st.booleans()):
        built["exclude"] = {"or": draw(facets)}
    return built


def without_lists(value: dict[str, Any], gone: set[str]) -> list[Any]:
    """Everything the criteria say apart from these lists and an added locale clause: what must survive."""
    said = []
    for clause in [*value["include"]["and"], value.get("exclude", {"or": {}})]:
        left = {
            facet: [v for v in values if facet != targeting.SEGMENTS or v not in gone]
            for facet, values in clause["or"].items()
        }
        left = {facet: values for facet, values in left.items() if values}
        if left and left != {targeting.LOCALES: [LOCALE]}:
            said.append(left)
    return sorted(said, key=repr)


@given(before=criteria(), include=st.none() | LISTS, exclude=st.none() | LISTS, ours=LISTS)
def test_retargeting_changes_our_lists_and_nothing_else(
    before: dict[str, Any], include: list[str] | None, exclude: list[str] | None, ours: list[str]
) -> None:
    copy = json.loads(json.dumps(before))
    try:
        after = targeting.retarget(before, include=include, exclude=exclude, ours=ours, locale=LOCALE)
    except Refused:
        return
    finally:
        assert before == copy  # the input is never touched

    touched = set(ours) | set(include or ()) | set(exclude or ())
    assert without_lists(after, touched) == without_lists(before, touched)
    if include is not None:
        kept = set(targeting.included(before)) - set(ours)
        assert set(targeting.included(after)) == kept | set(include)
    if exclude is not None:
        kept = set(targeting.excluded(before)) - set(ours)
        assert set(targeting.excluded(after)) == kept | set(exclude)
    assert not set(targeting.included(after)) & set(targeting.excluded(after))
    assert any(targeting.LOCALES in clause["or"] for clause in after["include"]["and"])
    assert targeting.checked(after) is after


@given(before=criteria(), include=LISTS, exclude=LISTS, ours=LISTS)
def test_retargeting_twice_is_retargeting_once(
    before: dict[str, Any], include: list[str], exclude: list[str], ours: list[str]
) -> None:
    def apply(value: dict[str, Any]) -> dict[str, Any]:
        return targeting.retarget(value, include=include, exclude=exclude, ours=ours, locale=LOCALE)

    try:
        once = apply(before)
    except Refused:
        return
    assert apply(once) == once


@given(before=criteria(), include=LISTS, exclude=LISTS)
def test_a_count_asks_for_exactly_the_proposed_lists(
    before: dict[str, Any], include: list[str], exclude: list[str]
) -> None:
    asked = targeting.with_lists(before, include=include, exclude=exclude, locale=LOCALE)
    assert set(targeting.included(asked)) == set(include)
    assert set(targeting.excluded(asked)) == set(exclude)


@pytest.mark.parametrize("shape", [None, [], {"include": 5}, {"include": {"and": [{"or": {"f": [1]}}]}}])
def test_targeting_of_an_unknown_shape_is_never_rewritten(shape: object) -> None:
    with pytest.raises(Garbled):
        targeting.checked(shape)


# --- members ------------------------------------------------------------------------------

KINDS = ("name", "domain", "email_domain", "organization_urn", "page_url", "country", "email_sha256")
FIRM = st.dictionaries(st.sampled_from(KINDS), TEXT, max_size=5).map(lambda d: company(*d.items()))
HUMAN = st.lists(
    st.tuples(
        st.sampled_from(["email_sha256", "country", "phone_sha256"]), st.sampled_from([mail(1), "US", "x"])
    ),
    min_size=1,
    max_size=4,
).map(lambda pairs: person(*pairs))
ALLOWED = {
    "action", "companyName", "companyWebsiteDomain", "companyEmailDomain", "organizationUrn",
    "companyPageUrl", "country", "userIds",
}  # fmt: skip


@given(st.lists(FIRM, max_size=5), st.sampled_from(Op))
def test_elements_of_companies_are_json_with_documented_fields_only(firms: list[Member], op: Op) -> None:
    parts = members.elements(batch(op, *firms))
    assert len(parts) == len(firms)
    for part in parts:
        if part is None:
            continue
        element = json.loads(part)
        assert set(element) <= ALLOWED
        assert element.pop("action") == op.upper()
        assert set(element) - {"country"}  # a country alone matches nobody
    sent = [part for part in parts if part is not None]
    assert json.loads(members.body(sent)) == {"elements": [json.loads(part) for part in sent]}


def slow_user(member: Member, action: str) -> dict[str, Any] | None:
    """The obvious twin of the byte template."""
    mails = [v for k, v in member.identifiers if k == "email_sha256" and len(v) == 64]
    if not mails:
        return None
    element: dict[str, Any] = {
        "action": action,
        "userIds": [{"idType": "SHA256_EMAIL", "idValue": value} for value in mails],
    }
    countries = [v for k, v in member.identifiers if k == "country" and v == "US"]
    return element | ({"country": countries[-1]} if countries else {})


@given(st.lists(HUMAN, max_size=5), st.sampled_from(Op))
def test_the_byte_template_of_people_equals_its_slow_twin(people: list[Member], op: Op) -> None:
    parts = members.elements(batch(op, *people, kind=MemberKind.CONTACT))
    assert [json.loads(part) if part else None for part in parts] == [
        slow_user(p, op.upper()) for p in people
    ]


@pytest.mark.parametrize(
    ("kind", "value", "sent"),
    [
        ("organization_urn", "1035", "urn:li:organization:1035"),
        ("organization_urn", "urn:li:company:1035", "urn:li:organization:1035"),
        ("organization_urn", "urn:li:organizationUrn:1035", None),
        ("page_url", "https://www.linkedin.com/company/" + "x" * 90, None),
        ("email_sha256", mail(1), None),
    ],
)
def test_a_value_linkedin_would_refuse_is_left_out(kind: str, value: str, sent: str | None) -> None:
    (part,) = members.elements(batch(Op.ADD, company((kind, value))))
    assert (json.loads(part)["organizationUrn"] if part else None) == sent


ANSWERS = st.lists(
    st.sampled_from([{"status": 201}, {"status": 400}, {"status": 503}, {}, None, {"status": "201"}, 5]),
    max_size=7,
)


@given(sendable=st.lists(st.booleans(), max_size=6), answers=ANSWERS)
def test_every_row_gets_one_result_and_only_a_2xx_is_accepted(
    sendable: list[bool], answers: list[Any]
) -> None:
    parts = [b"{}" if good else None for good in sendable]
    results = members.row_results(parts, answers)

    assert len(results) == len(parts)
    sent = [row for row, good in zip(results, sendable, strict=True) if good]
    for position, row in enumerate(sent):
        answer = answers[position] if position < len(answers) <= len(sent) else None
        good = isinstance(answer, dict) and answer.get("status") == 201
        assert (row.status is RowStatus.ACCEPTED) is good
    assert all(row.reason for row in results if row.status is not RowStatus.ACCEPTED)
