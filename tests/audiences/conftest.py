"""Fixtures of this folder; each stands in the module that is named after it."""

from tests.audiences.databases import (  # noqa: F401
    bare_url,
    empty_postgresql,
    empty_sqlite,
    own_url,
    postgresql_server,
    shared_postgresql,
    store,
    url,
)
