"""A million people pushed to the sandbox: the adapter against a bare httpx loop posting the same bodies.

    python tests/benchmarks/bench_push.py [members] [linkedin|google]

Prints the ratio of rates (wanted: >= 0.7) and the pushing process's peak memory (wanted: < 500 MB). Both take
turns request by request on one sandbox with quotas lifted, each with a list of its own, so that whatever else
the machine does hits both alike. Timed is, per request of 5,000 or 10,000 people:

bare      ``httpx.Client.post`` of a body that was ready before, and reading the answer's status
adapter   ``push`` of a ready ``PushBatch``: making the body, pacing, the same post, a result per row
nouns     making the ``PushBatch`` from digests with the store's own function; counted in the second ratio only

Not timed: making the bare loop's bodies, opening the lists, starting the server. No database is read or written.
"""

from __future__ import annotations

import gc
import json
import multiprocessing
import resource
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from typing import Any

import httpx
import numpy as np
from pydantic import SecretStr

from audiences.model import AudienceSpec, MemberKind, MemberTable, Op, PushBatch
from audiences.store.payloads import nouns_of
from platforms.google import Google, GoogleSettings
from platforms.http import make_client
from platforms.linkedin import LinkedIn, LinkedInSettings
from platforms.oauth import OAuth, Token, TokenMemory

ACCOUNT = "1234567890"
LIFTED = {"users_per_minute": 10**9, "google_ingest_per_minute": 10**9, "google_ingest_per_day": 10**9}
BEGIN = datetime(2026, 8, 24, 6, 0, tzinfo=UTC)
SIZES = {"linkedin": 5_000, "google": 10_000}


def sandbox(pipe: Connection) -> None:
    """Child process: serve until killed; tells its address."""
    from platforms.sandbox.knobs import Knobs
    from platforms.sandbox.server import serve

    serve(port=0, clock="simulated", start_at=BEGIN, knobs=Knobs().changed(LIFTED), ready=pipe.send)


def batches(members: int, platform: str, external_id: str) -> Iterator[PushBatch]:
    """Digests as the ledger holds them, made into nouns one request at a time."""
    keys = np.random.default_rng(7).integers(0, 256, (members, 32), dtype=np.uint8)
    for number, first in enumerate(range(0, members, SIZES[platform])):
        part = keys[first : first + SIZES[platform]]
        people = nouns_of(MemberTable(part, [b""] * len(part), [""] * len(part)))
        name = f"{platform}/bench/contact"
        yield PushBatch(f"batch-{number}", name, external_id, Op.ADD, MemberKind.CONTACT, people)


def adapter(url: str, platform: str) -> Any:
    def now() -> datetime:
        return BEGIN

    token = TokenMemory(Token(SecretStr("sandbox-token")))
    client = make_client(url, OAuth(token, None, "", clock=now, sleep=time.sleep))
    if platform == "linkedin":
        fast = LinkedInSettings(ACCOUNT, base_url=f"{url}/rest", users_per_minute=1e9, minimum_age=0.0)
        return LinkedIn(fast, client, now, time.sleep)
    unlimited = GoogleSettings(
        ACCOUNT, base_url=f"{url}/v1", ads_base_url=url, terms_accepted=True, requests_per_minute=1e9
    )
    return Google(unlimited, client, now, time.sleep)


def open_list(url: str, platform: str, name: str) -> tuple[Any, str]:
    """A list that is old enough to take members."""
    speaking = adapter(url, platform)
    spec = AudienceSpec(f"{platform}/{name}/contact", platform, name, MemberKind.CONTACT)
    listed = speaking.find_or_create(spec).external_id
    httpx.post(f"{url}/sandbox/clock/advance", json={"seconds": 60}, trust_env=False).raise_for_status()
    return speaking, listed


def by_hand(listed: str, platform: str, members: int) -> Iterator[tuple[str, bytes]]:
    """Path and ready body of every request."""
    for batch in batches(members, platform, listed):
        digests = [member.key.hex() for member in batch.members]
        if platform == "linkedin":
            elements = [linkedin_element(digest) for digest in digests]
            body = json.dumps({"elements": elements}, separators=(",", ":"))
            yield f"/rest/dmpSegments/{listed}/users", body.encode()
        else:
            body = json.dumps(google_body(listed, digests), separators=(",", ":"))
            yield "/v1/audienceMembers:ingest", body.encode()


def linkedin_element(digest: str) -> dict[str, object]:
    return {"action": "ADD", "userIds": [{"idType": "SHA256_EMAIL", "idValue": digest}]}


def google_body(listed: str, digests: list[str]) -> dict[str, object]:
    account = {"accountType": "GOOGLE_ADS", "accountId": ACCOUNT}
    consent = {"adUserData": "CONSENT_GRANTED", "adPersonalization": "CONSENT_GRANTED"}
    return {
        "destinations": [{"operatingAccount": account, "productDestinationId": listed}],
        "audienceMembers": [
            {"compositeData": {"userData": {"userIdentifiers": [{"emailAddress": d}]}}} for d in digests
        ],
        "encoding": "HEX",
        "consent": consent,
        "termsOfService": {"customerMatchTermsOfServiceStatus": "ACCEPTED"},
    }


def race(url: str, platform: str, members: int) -> tuple[float, float, float, int]:
    """Seconds of the bare loop, of the adapter, of making nouns; rows the adapter got an answer for."""
    speaking, ours = open_list(url, platform, "adapter")
    _, theirs = open_list(url, platform, "bare")
    headers = {"Authorization": "Bearer sandbox-token", "Content-Type": "application/json"}
    headers |= {"LinkedIn-Version": "202608", "X-RestLi-Method": "BATCH_CREATE"}
    headers |= {"X-Restli-Protocol-Version": "2.0.0"}
    pushing, bare, pushed, nouns, good = batches(members, platform, ours), 0.0, 0.0, 0.0, 0
    with httpx.Client(base_url=url, headers=headers, timeout=120, trust_env=False) as client:
        for path, body in by_hand(theirs, platform, members):
            start = time.perf_counter()
            client.post(path, content=body).raise_for_status()
            middle = time.perf_counter()
            batch = next(pushing)
            made = time.perf_counter()
            receipt = speaking.push(batch)
            bare, nouns, pushed = (
                bare + middle - start,
                nouns + made - middle,
                pushed + time.perf_counter() - made,
            )
            good += sum(row.status != "rejected" for row in receipt.results)
    return bare, pushed, nouns, good


def main() -> None:
    members = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    platform = sys.argv[2] if len(sys.argv) > 2 else "linkedin"
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=sandbox, args=(theirs,), daemon=True)
    server.start()
    if not ours.poll(120):
        raise SystemExit("the sandbox did not start")
    # what was imported stays for good; scanning all of it takes 50 ms, and would be booked to whoever's turn it is
    gc.collect()
    gc.freeze()
    bare, pushed, nouns, good = race(ours.recv(), platform, members)
    server.terminate()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{platform}, {members:,} people")
    print(f"bare httpx loop  {members / bare:>12,.0f} people/s")
    print(f"adapter          {members / pushed:>12,.0f} people/s   ({good:,} rows answered)")
    print(f"ratio            {bare / pushed:>12.2f}            (wanted >= 0.70)")
    print(f"with nouns       {bare / (pushed + nouns):>12.2f}")
    print(f"peak memory      {peak:>9,.0f} MB            (wanted < 500)")


if __name__ == "__main__":
    main()
