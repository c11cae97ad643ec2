"""A workspace whose lists must change, the commands that change them, and what must hold however often they die.

What should be on a list is worked out here from the numbers of the invented companies alone.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from flows import activate
from flows.wiring import App, open_app
from tests.flows import kept_workspace
from tests.flows.failing_trials import Operation, Since
from tests.flows.kept_workspace import forward, in_ledger, truly_on

COMPANIES, PEOPLE, GONE = 60, 2, 12  # the first GONE companies leave, as many join
LARGE = 50  # head-count from which on a company is on the list that is made while killed
SQLITE = "sqlite:///evenreach.db"
CONFIG = kept_workspace.CONFIG.replace("{linkedin: [companies]", "{linkedin: [companies, contacts]")
NEW_SEGMENT = """\
  large:
    title: Large
    where: {field: employees, at_least: 50}
    sync: {linkedin: [companies], google: [contacts]}
"""
BEFORE, AFTER = range(COMPANIES), range(GONE, GONE + COMPANIES)


def domain(i: int) -> str:
    return f"company{i:04}-works.com"


def digests(numbers: range) -> set[str]:
    """What a platform gets to know of the people at these companies."""
    mails = (f"person{i}.{j}@{domain(i)}" for i in numbers for j in range(PEOPLE))
    return {hashlib.sha256(mail.encode()).hexdigest() for mail in mails}


def make(folder: Path, *, database: str = SQLITE) -> None:
    """Lists in line, everything settled; then the files change and a segment is added."""
    kept_workspace.write(folder, companies=COMPANIES, people=PEOPLE)
    settings = CONFIG.replace(SQLITE, f'"{database}"')
    (folder / "evenreach.yaml").write_text(settings)
    with open_app(folder) as app:
        kept_workspace.sync(app)
        forward(app, days=3)
        finish(app)
    kept_workspace.write(folder, first=GONE, companies=COMPANIES, people=PEOPLE)
    (folder / "evenreach.yaml").write_text(settings + NEW_SEGMENT)


def make_one_off(folder: Path) -> None:
    """The same, and a one-off list of companies and one of people pushed before their files change."""
    from flows.cli import main

    make(folder)
    with open_app(folder):
        for first in (BEFORE[0], AFTER[0]):
            _event_files(folder, first)
            for words in PUSHES if first == BEFORE[0] else ():
                assert main([*_at(folder, words), "--workspace", str(folder)]) == 0
    with open_app(folder) as app:
        forward(app, days=3)
        finish(app)


PUSHES = (
    ("push", "event-companies.csv", "--platform", "linkedin", "--name", "event", "--accept-shrink", "1000"),
    (
        "push",
        "event-people.csv",
        "--platform",
        "google",
        "--name",
        "event",
        "--first-party",
        "--accept-shrink",
        "1000",
    ),
)


def pushes(folder: Path) -> list[list[str]]:
    """The commands that bring both one-off lists in line with their files."""
    return [_at(folder, words) for words in PUSHES]


def _at(folder: Path, words: tuple[str, ...]) -> list[str]:
    return [words[0], str(folder / words[1]), *words[2:]]


def _event_files(folder: Path, first: int) -> None:
    numbers = range(first, first + COMPANIES)
    lines = [f"Company {i:04} Works,{domain(i)},US" for i in numbers]
    (folder / "event-companies.csv").write_text("\n".join(["name,domain,country", *lines]) + "\n")
    rows = [f"person{i}.{j}@{domain(i)},{domain(i)},granted" for i in numbers for j in range(PEOPLE)]
    (folder / "event-people.csv").write_text("\n".join(["email,domain,consent", *rows]) + "\n")


def operations(room: Path) -> dict[str, tuple[Operation, ...]]:
    """The worlds are made here; each takes a second or two."""
    make(room / "lists")
    make_one_off(room / "one-off")
    sync = ("sync", "--accept-shrink", "1000")
    operations = tuple(
        Operation("push", room / "one-off", tuple(words), check_push) for words in pushes(room / "one-off")
    )
    return {"sync": (Operation("sync", room / "lists", sync, check_sync),), "push": operations}


# -- what must hold ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wanted:
    """One list: who was on it, who must be on it now."""

    before: set[str]
    after: set[str]


def _everyone(people: bool) -> Wanted:
    if people:
        return Wanted(digests(BEFORE), digests(AFTER))
    return Wanted({domain(i) for i in BEFORE}, {domain(i) for i in AFTER})


def _large(people: bool) -> Wanted:
    numbers = range(LARGE - 20, AFTER.stop)  # company i has 20 + i employees
    return Wanted(set(), digests(numbers) if people else {domain(i) for i in numbers})


SYNCED = {
    "linkedin/everyone/companies": _everyone(people=False),
    "linkedin/everyone/contacts": _everyone(people=True),
    "google/everyone/contacts": _everyone(people=True),
    "linkedin/large/companies": _large(people=False),
    "google/large/contacts": _large(people=True),
}
ONE_OFF = {
    "linkedin/one-off/event/company": _everyone(people=False),
    "google/one-off/event/contact": _everyone(people=True),
}


def check_sync(app: App, since: Since) -> None:
    check(app, since, SYNCED)


def check_push(app: App, since: Since) -> None:
    google = any(call["p"].startswith("/v1/") for call in since())
    check(app, since, {one: ONE_OFF[one] for one in ONE_OFF if one.startswith("google") == google})
    assert {one.audience_id for one in app.store.one_offs()} == set(ONE_OFF)


def check(app: App, since: Since, wanted: dict[str, Wanted], *, cut: int = 0) -> None:
    """Platform, ledger and wish agree; every row was asked for, and sent again only where a batch was.

    cut   how often the network cut each request off
    """
    forward(app, days=3)
    finish(app)
    asked = since()
    sent = rows_sent(app, asked)
    for list_id, members in wanted.items():
        assert truly_on(app, list_id) == in_ledger(app, list_id) == members.after, list_id
        allowed = times_allowed(app, list_id, asked) + cut
        rows = {"ADD": members.after - members.before, "REMOVE": members.before - members.after}
        for action, some in rows.items():
            assert set(sent[list_id, action]) == some, f"{list_id}: {action} of other rows than asked for"
            assert max(sent[list_id, action].values(), default=1) <= allowed, f"{list_id}: {action} too often"
    assert all(not rows for (list_id, _), rows in sent.items() if list_id not in wanted)
    _one_list_each(app)
    on_record(app)


def _one_list_each(app: App) -> None:
    assert app.sandbox is not None
    state = app.sandbox.get("/sandbox/truth/state")
    lists = [record.spec.platform for record in app.store.audiences()]
    assert (state["segments"], state["google_lists"]) == (lists.count("linkedin"), lists.count("google"))


def on_record(app: App) -> None:
    """Each batch has its outcome and one line in the audit log; each list was created once."""
    for record in app.store.audiences():
        list_id = record.spec.audience_id
        assert app.store.lease(list_id) is None
        lines = app.store.audit_log(subject=list_id, limit=100_000)
        assert [line.what for line in lines].count("list created") == 1
        told = Counter(line.detail["batch"] for line in lines if line.what.startswith("batch "))
        log = app.store.batch_log(list_id)
        assert told == Counter(batch.batch_id[:12] for batch in log), list_id
        for batch in log:
            assert batch.status == "settled"
            assert batch.accepted + batch.rejected + batch.unknown == batch.n
            assert (batch.rejected, batch.unknown) == (0, 0)


def rows_sent(app: App, calls: list[dict[str, Any]]) -> dict[tuple[str, str], Counter[str]]:
    """(list, ADD or REMOVE) -> how often each row was sent."""
    names = {r.state.external_id.rsplit(":", 1)[-1].rsplit("/", 1)[-1]: r.spec.audience_id
             for r in app.store.audiences() if r.state}  # fmt: skip
    found = {(name, action): Counter[str]() for name in names.values() for action in ("ADD", "REMOVE")}
    for call in calls:
        body = orjson.loads(call["body"]) if call["body"] else {}
        if call["p"].endswith(("/companies", "/users")):
            name = names[call["p"].split("/")[-2]]
            for row in body["elements"]:
                found[name, row["action"]][
                    row.get("companyWebsiteDomain") or row["userIds"][0]["idValue"]
                ] += 1
        elif "/audienceMembers:" in call["p"]:
            action = "ADD" if call["p"].endswith("ingest") else "REMOVE"
            name = names[body["destinations"][0]["productDestinationId"]]
            found[name, action].update(_mails(body))
    return found


def times_allowed(app: App, list_id: str, calls: list[dict[str, Any]]) -> int:
    """How often a row may have gone out: once more where the killed run had its batch in hand, and once more
    where LinkedIn did not know the list yet, because it was made a moment before.
    """
    again = sum(max(batch.attempts - 1, 0) for batch in app.store.batch_log(list_id))
    assert again <= 1, f"{list_id}: more than what was in hand went out again"
    made = any(f'"{list_id}"'.encode() in call["body"] for call in calls if call["p"] == "/rest/dmpSegments")
    return 1 + again + made


def _mails(body: dict[str, Any]) -> list[str]:
    people = [next(iter(member.values()))["userData"] if "compositeData" in member else member["userData"]
              for member in body["audienceMembers"]]  # fmt: skip
    return [
        one["emailAddress"] for person in people for one in person["userIdentifiers"] if "emailAddress" in one
    ]


def finish(app: App) -> None:
    """What upkeep does next: send what waits, ask what became of what was sent."""
    for record in app.store.audiences():
        for _ in range(3):
            activate.patiently(app, lambda r=record: activate.send(app, r.spec.audience_id))  # type: ignore[misc]
            forward(app, days=1)
            activate.settle(app, record.spec.audience_id)
