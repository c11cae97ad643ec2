"""The service in memory is one the page could really be given."""

from __future__ import annotations

import inspect
import pickle

import pytest

from flows.web import errors
from flows.web.service import PageService
from tests.flows.web.memory_service import MemoryService

METHODS = sorted(name for name, _ in inspect.getmembers(PageService, inspect.isfunction) if name[0] != "_")


@pytest.mark.parametrize("name", METHODS)
def test_every_method_has_the_parameters_the_page_uses(name: str) -> None:
    wanted = inspect.signature(getattr(PageService, name)).parameters
    given = inspect.signature(getattr(MemoryService, name)).parameters
    assert [(p.name, p.kind) for p in given.values()] == [(p.name, p.kind) for p in wanted.values()]


KINDS = [
    kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.PageError)
]


@pytest.mark.parametrize("kind", KINDS, ids=[kind.__name__ for kind in KINDS])
def test_an_error_of_the_page_survives_pickling_with_its_remedy(kind: type[errors.PageError]) -> None:
    again = pickle.loads(pickle.dumps(kind("what happened")))
    assert type(again) is kind
    assert (again.message, again.remedy) == ("what happened", kind.remedy)
    assert 400 <= kind.status < 600


def test_differences_and_fields_survive_pickling() -> None:
    moved = pickle.loads(pickle.dumps(errors.Moved("x", differences=("a",), path="/plans/1")))
    assert (moved.differences, moved.path) == (("a",), "/plans/1")
    invalid = pickle.loads(pickle.dumps(errors.Invalid("x", fields={"name": "missing"})))
    assert invalid.fields == {"name": "missing"}
