"""What a list holds, change by change: order, repetition, cut-offs, and nothing left of who was removed."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from platforms.member_journal import Journal
from tests.platforms.members import mail, person

PEOPLE = [person(("email_sha256", mail(i))) for i in range(6)]


def held(journal: Journal) -> set[str]:
    return {identifiers[0][1] for identifiers in journal.members().values()}


STEP = st.tuples(st.booleans(), st.sets(st.integers(0, 5)), st.booleans(), st.booleans())


@settings(max_examples=40, deadline=None)
@given(steps=st.lists(STEP, max_size=12))
def test_the_journal_holds_what_a_set_would_whenever_it_is_folded(
    steps: list[tuple[bool, set[int], bool, bool]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        follow(Journal(Path(folder)), steps)


def follow(journal: Journal, steps: list[tuple[bool, set[int], bool, bool]]) -> None:
    wanted = set[str]()
    for number, (add, chosen, fold, again) in enumerate(steps):
        members = [PEOPLE[i] for i in sorted(chosen)]
        for _ in range(1 + again):
            journal.note(f"batch {number}", members, add=add)
        names = {mail(i) for i in chosen}
        wanted = wanted | names if add else wanted - names
        if fold:
            journal.mark_current()
            assert journal.current()
        assert held(journal) == wanted


def test_a_batch_that_comes_again_after_folding_is_still_one_change(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.note("first", PEOPLE[:2], add=True)
    journal.note("second", PEOPLE[:1], add=False)
    journal.mark_current()
    journal.note("first", PEOPLE[:2], add=True)

    assert held(journal) == {mail(1)}
    assert journal.current()


def test_nothing_of_a_member_who_was_removed_stays_on_the_disk(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.note("first", PEOPLE, add=True)
    journal.note("second", PEOPLE[:1], add=False)
    journal.mark_current()

    everything = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert mail(0).encode() not in everything
    assert mail(1).encode() in everything


def test_a_fold_that_was_cut_off_is_finished_in_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.note("first", PEOPLE[:3], add=True)
    journal.note("second", PEOPLE[:1], add=False)
    journal.note("third", PEOPLE[:1], add=True)
    kept = {path: path.read_bytes() for path in sorted((tmp_path / "changes").glob("*.json"))}
    journal.mark_current()
    for path in list(kept)[1:]:  # only the first was taken away when the power went
        path.write_bytes(kept[path])
    journal.note("fourth", PEOPLE[:1], add=False)

    assert held(journal) == {mail(1), mail(2)}
    journal.mark_current()
    assert held(journal) == {mail(1), mail(2)}
