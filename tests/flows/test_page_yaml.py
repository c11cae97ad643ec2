"""One segment's lines of the file, out and back in."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from flows.page_yaml import segment_text, with_segment

NAMES = st.lists(st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True), min_size=1, max_size=5, unique=True)
BODIES = st.sampled_from(
    [
        "{where: {tier: [1]}}",
        "\n    where: {field: employees, at_least: 10}  # why",
        "\n    title: Two words\n\n    # a remark of its own\n    where:\n      all:\n        - tier: [1]\n",
        "\n    purpose: |\n      several\n\n      lines\n    where: {tier: [2]}\n\n",
    ]
)
TAILS = st.sampled_from(["", "\n", "\npolicies:\n  even: {mode: bands}\n", "# the end\ndatabase: x\n"])


@st.composite
def files(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A settings file with some segments, and their names."""
    names = draw(NAMES)
    head = draw(st.sampled_from(["", "# mine\nworkspace: w\n", "timezone: UTC\n\n"]))
    body = "".join(
        f"  {name}: {draw(BODIES).rstrip()}\n" + draw(st.sampled_from(["", "\n"])) for name in names
    )
    tail = draw(TAILS)
    return f"{head}segments:\n{body}{tail}", names


@settings(max_examples=150, deadline=None)
@given(files())
def test_putting_a_segment_back_unchanged_leaves_the_file_as_it_is(made: tuple[str, list[str]]) -> None:
    text, names = made
    loaded = YAML(typ="safe", pure=True).load(text)
    for name in names:
        own = segment_text(text, name)
        assert YAML(typ="safe", pure=True).load(own) == {name: loaded["segments"][name]}
        again = with_segment(text, name, own)
        assert YAML(typ="safe", pure=True).load(again) == loaded
        assert again.rstrip("\n") == text.rstrip("\n")


@settings(max_examples=60, deadline=None)
@given(files(), st.integers(min_value=0))
def test_a_changed_segment_changes_no_other(made: tuple[str, list[str]], pick: int) -> None:
    text, names = made
    name = names[pick % len(names)]
    changed = with_segment(text, name, f"{name}:\n  where: {{tier: [4]}}\n")
    before, after = (YAML(typ="safe", pure=True).load(one) for one in (text, changed))
    assert after["segments"].pop(name) == {"where": {"tier": [4]}}
    before["segments"].pop(name)
    assert after == before


def test_a_segment_that_is_not_in_the_file_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        segment_text("segments:\n  a: {where: {tier: [1]}}\n", "b")
