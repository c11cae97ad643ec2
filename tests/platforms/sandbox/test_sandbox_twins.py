"""Fast paths of the sandbox against slow and obvious ones, on random histories."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from platforms.sandbox.audience import _reached, audience_of
from platforms.sandbox.linkedin_creatives import add_creative
from platforms.sandbox.market import CreativeDay
from platforms.sandbox.report_cells import member_cells
from platforms.sandbox.segments import reach
from tests.platforms.sandbox.calls import STILL, Sandbox, companies, people, targeting

FIRST = date(2026, 11, 2)


def slow_member_counts(days: dict[int, list[CreativeDay]], *, depth: int, floor: int) -> dict[str, int]:
    """Per creative and day the largest values, ties by id; then summed; then small sums dropped."""
    sums: dict[int, int] = defaultdict(int)
    for listed in days.values():
        for day in listed:
            rows = sorted(
                zip(day.org.tolist(), day.impressions.tolist(), strict=True), key=lambda r: (-r[1], r[0])
            )
            for org, count in rows[:depth]:
                sums[org] += count
    return {f"urn:li:organization:{org}": count for org, count in sums.items() if count >= floor}


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    creatives=st.integers(1, 4),
    days=st.integers(1, 4),
    orgs=st.integers(1, 30),
    depth=st.integers(1, 35),
    floor=st.integers(1, 6),
)
def test_company_rows_equal_the_obvious_truncation(seed, creatives, days, orgs, depth, floor):
    sandbox = Sandbox(STILL.changed({"list_depth": depth, "count_floor": floor, "noise": 0}))
    rng = np.random.default_rng(seed)
    made = sandbox.seed(creatives=0)
    delivered: dict[int, list[CreativeDay]] = {}
    for _ in range(creatives):
        number = add_creative(sandbox.world, made["account"], made["campaign"], {}, "ACTIVE", None)
        for d in range(days):
            counts = rng.poisson(2.0, orgs)
            shown = np.flatnonzero(counts)
            order = shown[np.lexsort((shown, -counts[shown]))]
            zero = np.zeros(order.size, np.int64)
            day = CreativeDay((FIRST + timedelta(days=d)).toordinal(), order, counts[order], zero, 1.0)
            delivered.setdefault(number, []).append(day)
    sandbox.world.market.delivered = delivered
    sandbox.pass_time(days=days + 3)
    cells = member_cells(
        sandbox.world,
        list(sandbox.world.creatives.values()),
        "MEMBER_COMPANY",
        FIRST,
        FIRST + timedelta(days=days),
        (),
    )

    assert {v: c.impressions for v, c in cells.items()} == slow_member_counts(
        delivered, depth=depth, floor=floor
    )


change = st.tuples(
    st.sampled_from(["ADD", "REMOVE"]),
    st.integers(0, 30),
    st.integers(1, 15),
    st.floats(0.0, 30.0),
    st.booleans(),
)


@settings(max_examples=60, deadline=None)
@given(
    changes=st.lists(change, min_size=1, max_size=20),
    add_hours=st.integers(0, 60),
    remove_hours=st.integers(0, 60),
    build_hours=st.integers(0, 60),
)
def test_in_the_end_the_list_in_force_is_the_last_word_about_everybody(
    changes, add_hours, remove_hours, build_hours
):
    knobs = {"add_hours": add_hours, "remove_hours": remove_hours, "build_hours": build_hours}
    sandbox = Sandbox(STILL.changed(knobs))
    lists = {"companies": sandbox.create_segment("COMPANY"), "users": sandbox.create_segment("USER")}
    sandbox.pass_time(seconds=5)
    wanted: dict[str, set[int]] = {"companies": set(), "users": set()}
    for action, first, count, hours, on_companies in changes:
        path = "companies" if on_companies else "users"
        rows = companies(count, action, first) if on_companies else people(count, action, first)
        assert sandbox.push(lists[path], rows, path).status_code == 200
        numbers = set(range(first, first + count))
        wanted[path] = wanted[path] | numbers if action == "ADD" else wanted[path] - numbers
        sandbox.pass_time(hours=hours)
    sandbox.pass_time(days=8)

    for path, segment in lists.items():
        members = sandbox.members(segment)
        assert all(m["acknowledged"] and m["effective"] for m in members)
        assert len(members) == len(wanted[path])
        assert sandbox.world.segments[int(segment)].pending == 0
        target = sandbox.world.segments[int(segment)]
        assert target.size == sum(reach(sandbox.world, target, k) for k in target.effective)


@settings(max_examples=30, deadline=None)
@given(changes=st.lists(change, min_size=1, max_size=12))
def test_a_remembered_audience_is_the_audience(changes):
    sandbox = Sandbox(STILL.changed({"add_hours": 6, "remove_hours": 3, "build_hours": 1}))
    one, two = sandbox.create_segment(), sandbox.create_segment()
    sandbox.pass_time(seconds=5)
    urns = [sandbox.destination(s)["destinationSegmentId"] for s in (one, two)]
    trees = [targeting(urns[:1]), targeting(urns[:1], urns[1:]), targeting(urns)]
    for action, first, count, hours, on_first in changes:
        sandbox.push(one if on_first else two, companies(count, action, first))
        sandbox.pass_time(hours=hours)
        for tree in trees:
            assert audience_of(sandbox.world, tree) == _reached(sandbox.world, tree)
