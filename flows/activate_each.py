"""Several lists in one run, each on its own: what stops one does not stop the next. Decides nothing about a list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from audiences.brakes import Braked

Changes = dict[str, dict[str, int]]


class SomeStopped(Braked):
    """Some lists of a run were stopped by a brake; ``changes`` is what was sent of the others."""

    changes: Mapping[str, Mapping[str, int]]


def each_list(
    lists: Iterable[str], prepare: Callable[[str], object], send: Callable[[str], dict[str, int]]
) -> Changes:
    """Prepare and send one list after the other; list id -> what was sent.

    Raises, once every list had its turn: an error of a platform if there was one, else SomeStopped naming
    every list that a brake stopped.
    """
    sent, braked, broken = Changes(), dict[str, Braked](), list[Exception]()
    for list_id in lists:
        try:
            prepare(list_id)
            sent[list_id] = send(list_id)
        except Braked as error:
            braked[list_id] = error
        except Exception as error:
            broken.append(error)
    if broken:
        raise broken[0]
    if braked:
        raise _together(braked, sent)
    return sent


def _together(braked: Mapping[str, Braked], sent: Changes) -> SomeStopped:
    words = " ".join(f"{name} was stopped: {error.args[0]}" for name, error in braked.items())
    remedy = " ".join(dict.fromkeys(error.remedy for error in braked.values()))
    found = SomeStopped(words, brakes=[b for e in braked.values() for b in e.brakes], remedy=remedy)
    found.changes = sent
    return found
