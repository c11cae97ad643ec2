"""Members made a field at a time equal those made one by one."""

from __future__ import annotations

import pickle

from hypothesis import given
from hypothesis import strategies as st

from audiences.membership_keys import from_digests
from audiences.model import Member, MemberTable
from audiences.store.payloads import identifiers_of, nouns_of, payload_of

KEYS = st.binary(min_size=32, max_size=32)
PAYLOADS = st.sampled_from(
    [b"", payload_of((("domain", "a.example"),)), payload_of((("email_sha256", "x"), ("email_sha256", "y")))]
)


@given(st.lists(st.tuples(KEYS, PAYLOADS, st.sampled_from(["", "a.example"])), max_size=8), st.booleans())
def test_members_by_column_equal_members_by_row(rows: list[tuple[bytes, bytes, str]], bare: bool) -> None:
    loads = [b"" if bare else payload for _, payload, _ in rows]
    accounts = [account for _, _, account in rows]
    made = nouns_of(MemberTable(from_digests(b"".join(key for key, _, _ in rows)), loads, accounts))
    plain = [
        Member(key, account, identifiers_of(key, load))
        for (key, _, account), load in zip(rows, loads, strict=True)
    ]
    assert list(made) == plain
    assert pickle.loads(pickle.dumps(made)) == made
    assert [hash(member) for member in made] == [hash(member) for member in plain]
