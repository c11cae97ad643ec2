"""Whatever the bytes are: a typed error, or rows each of which can be explained. Never another exception."""

from __future__ import annotations

import csv
import gzip
import io
import pickle
import random
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audiences.clean import Cleaned, clean_companies, clean_contacts, clean_signals
from audiences.companies import resolve
from audiences.companies_attach import attach
from audiences.errors import AudienceError
from audiences.identity_contacts import identify_contacts
from audiences.sources import SourceFrame, propose_mapping, read_source
from audiences.sources_rows import _ends_oddly, _read_careful, _read_fast
from audiences.sources_text import Text, as_utf8, find_head

DATA = Path(__file__).parent / "data"
FILES = sorted(path.name for path in DATA.glob("*.csv") if path.stat().st_size < 5_000)
MUTATIONS = 60
JUNK = [
    b'"',
    b'""',
    b"''",
    b"\n",
    b"\r",
    b",",
    b";",
    b"\t",
    b"\0",
    b"\x1a",
    b"\xff",
    b"\xc3",
    b"\xef\xbb\xbf",
]
MAGIC = [b"PK\x03\x04", b"PAR1", b"\x1f\x8b", b"%PDF", b"\xff\xfe"]
quiet = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _import(path: Path) -> SourceFrame | None:
    """The whole path a file takes; None when it was refused with one of our errors."""
    try:
        source = read_source(path)
        cleaned = _clean(source)
    except AudienceError as error:
        return _refused(error)
    if source.kind == "companies":
        resolve(cleaned.frame)
    if source.kind == "contacts":
        identify_contacts(cleaned.frame)
    return source


def _refused(error: AudienceError) -> None:
    """A refusal must say what to do, and survive a process boundary."""
    again = pickle.loads(pickle.dumps(error))
    assert error.remedy
    assert str(again) == str(error)


def _clean(source: SourceFrame) -> Cleaned:
    if source.kind == "companies":
        return clean_companies(source)
    if source.kind == "contacts":
        return clean_contacts(source)
    return clean_signals(source, as_of=date(2026, 1, 1))


def _mutated(data: bytes, rng: random.Random) -> bytes:
    """One to four small accidents: bytes lost, doubled, swapped or strewn in, lines cut, another encoding."""
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data) + 1)
        to = min(len(data), at + rng.choice([1, 1, 5, 60]))
        junk = rng.choice(JUNK)
        kind = rng.randrange(7)
        if kind == 0:
            data = data[:at] + data[to:]
        elif kind == 1:
            data = data[:at] + data[at:to] + data[at:]
        elif kind == 2:
            data = data[:at] + junk + data[at:]
        elif kind == 3:
            data = data[:at]
        elif kind == 4:
            data = data.replace(b",", rng.choice([b";", b"\t", b"|"]))
        elif kind == 5:
            data = data.decode("latin-1").encode(
                rng.choice(["utf-8", "utf-16", "utf-32", "cp1252"]), "ignore"
            )
        else:
            data = data.replace(b"\r\n", b"\n").replace(b"\n", rng.choice([b"\r", b"\r\n", b"\n\n"]))
    return data


@pytest.mark.parametrize("file", FILES)
def test_a_damaged_export_is_refused_with_our_own_error_or_understood(file: str, tmp_path: Path) -> None:
    rng = random.Random(f"mutate-{file}")
    whole = (DATA / file).read_bytes()
    read = 0
    for number in range(MUTATIONS):
        path = tmp_path / f"{number}.csv"
        path.write_bytes(_mutated(whole, rng))
        source = _import(path)
        if source is not None:
            read += 1
            _every_row_is_explained(path, source)

    print(f"\n{file}: {read} of {MUTATIONS} damaged files still understood")


def _every_row_is_explained(path: Path, source: SourceFrame) -> None:
    """Lines rise, are in the file, and are accepted or rejected but never both."""
    data = path.read_bytes()
    lines = source.frame["line"].to_list()
    refused = [reject.line for reject in source.rejected]
    last = data.count(b"\n") + data.count(b"\r") + 1

    assert lines == sorted(set(lines))
    assert not set(lines) & set(refused)
    assert all(1 <= line <= last for line in [*lines, *refused])
    assert all(reject.reason for reject in source.rejected)


@quiet
@given(data=st.binary(max_size=400))
def test_any_bytes_are_refused_or_read(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "any.csv"
    path.write_bytes(data)

    _import(path)


@quiet
@given(data=st.binary(max_size=200), magic=st.sampled_from(MAGIC))
def test_a_file_that_pretends_to_be_something_is_refused_or_read(
    data: bytes, magic: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "any.xlsx"
    path.write_bytes(magic + data)

    _import(path)


cell = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\0\ufffd\ufeff"), max_size=12),
    st.sampled_from(
        ["", "a,b", 'say "hi"', "two\nlines", "x\r\ny", " outer ", "=SUM(A1)", "9001000000000001"]
    ),
)


@quiet
@given(
    rows=st.lists(st.tuples(st.from_regex(r"\Ac[0-9]{1,4}\Z"), cell, cell), min_size=1, max_size=12),
    end=st.sampled_from(["\n", "\r\n"]),
    delimiter=st.sampled_from([",", ";", "\t"]),
    packed=st.booleans(),
)
def test_every_value_written_is_read_back_with_its_line(
    rows: list[tuple[str, str, str]], end: str, delimiter: str, packed: bool, tmp_path: Path
) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator=end, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerow(["Company Name", "Industry", "City"])
    starts = []
    for row in rows:
        starts.append(_physical_lines(out.getvalue()) + 1)
        writer.writerow(row)
    path = tmp_path / ("t.csv.gz" if packed else "t.csv")
    data = out.getvalue().encode()
    path.write_bytes(gzip.compress(data) if packed else data)

    source = read_source(path)

    assert source.frame["line"].to_list() == starts
    for column, at in (("name", 0), ("industry", 1), ("city", 2)):
        assert [value or "" for value in source.frame[column]] == [_trim(row[at]) for row in rows]


@pytest.mark.parametrize("file", FILES)
def test_the_fast_reader_gives_the_answer_of_the_careful_one_wherever_it_gives_any(file: str) -> None:
    rng = random.Random(f"twin-{file}")
    whole = (DATA / file).read_bytes()
    compared = 0
    for data in [whole, *(_mutated(whole, rng) for _ in range(MUTATIONS))]:
        try:
            text = as_utf8(Text(data), file)
            head = find_head(text, len, file)
        except AudienceError:
            continue
        fast = _read_fast(text, head, range(head.width)) if head and not _ends_oddly(text, head) else None
        if head and fast:
            careful = _read_careful(as_utf8(text, file, whole=True), head, range(head.width), file)
            assert fast.frame.equals(careful.frame)
            assert not careful.rejected
            compared += 1

    print(f"\n{file}: {compared} compared")


def _physical_lines(text: str) -> int:
    return len(io.StringIO(text, newline="").readlines())


def _trim(text: str) -> str:
    return text.strip("".join(WHITE))


# Unicode's White_Space, which is what is trimmed; Python's strip() takes the information separators too.
WHITE = [
    chr(c) for c in (*range(9, 14), 32, 133, 160, 5760, *range(8192, 8203), 8232, 8233, 8239, 8287, 12288)
]


@pytest.mark.parametrize("file", FILES)
def test_map_never_fails_on_a_readable_file(file: str) -> None:
    try:
        proposal = propose_mapping(DATA / file)
    except AudienceError as error:
        _refused(error)
    else:
        assert proposal.columns or proposal.notes


def test_a_contact_row_stays_out_of_every_reject(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("Email,Phone,First Name,Country\nsecret.person@@x.example,secret,Secretname,Secretland\n")

    cleaned = clean_contacts(read_source(path))
    people = identify_contacts(cleaned.frame)

    assert people.frame.height == 0
    assert "ecret" not in repr([*cleaned.rejected, *people.rejected])


def test_no_raw_value_of_a_person_is_in_the_identified_frame() -> None:
    companies = resolve(clean_companies(read_source(DATA / "hubspot_companies_export.csv")).frame)
    contacts = attach(clean_contacts(read_source(DATA / "hubspot_contacts_export.csv")).frame, companies)

    shown = repr(identify_contacts(contacts).frame.rows()).lower()

    assert not any(word in shown for word in ("ada", "sample@", "zoë", "muster", "496 0000"))
