"""A million people pushed to the sandbox: the adapter against a bare httpx loop posting the same bodies.

    python tests/benchmarks/bench_push.py [members] [linkedin|google]

Prints the ratio of rates (wanted: >= 0.7) and the pushing process's peak memory (wanted: < 500 MB). Each side
runs in its own process against its own fresh sandbox, with quotas lifted.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from typing import Any

import httpx
import numpy as np
from pydantic import SecretStr

from audiences.model import AudienceSpec, IdentifierKind, Member, MemberKind, Op, PushBatch
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
        digests = [key.tobytes() for key in keys[first : first + SIZES[platform]]]
        people = tuple(Member(d, "", ((IdentifierKind.EMAIL.value, d.hex()),)) for d in digests)
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


def open_list(url: str, platform: str) -> tuple[Any, str]:
    """A list that is old enough to take members."""
    speaking = adapter(url, platform)
    spec = AudienceSpec(f"{platform}/bench/contact", platform, "Bench", MemberKind.CONTACT)
    listed = speaking.find_or_create(spec).external_id
    httpx.post(f"{url}/sandbox/clock/advance", json={"seconds": 60}, trust_env=False).raise_for_status()
    return speaking, listed


def by_adapter(url: str, platform: str, members: int) -> tuple[float, int]:
    speaking, listed = open_list(url, platform)
    start, good = time.perf_counter(), 0
    for batch in batches(members, platform, listed):
        receipt = speaking.push(batch)
        good += sum(row.status != "rejected" for row in receipt.results)
    return time.perf_counter() - start, good


def by_hand(url: str, platform: str, members: int) -> tuple[float, int]:
    """Bodies made beforehand, posted one after the other, answers read and forgotten."""
    _, listed = open_list(url, platform)
    digests = [[m.key.hex() for m in b.members] for b in batches(members, platform, listed)]
    headers = {"Authorization": "Bearer sandbox-token", "Content-Type": "application/json"}
    if platform == "linkedin":
        path = f"/rest/dmpSegments/{listed}/users"
        headers |= {"LinkedIn-Version": "202608", "X-RestLi-Method": "BATCH_CREATE"}
        headers |= {"X-Restli-Protocol-Version": "2.0.0"}
        bodies = [json.dumps({"elements": [linkedin_element(d) for d in some]}).encode() for some in digests]
    else:
        path = "/v1/audienceMembers:ingest"
        bodies = [json.dumps(google_body(listed, some)).encode() for some in digests]
    with httpx.Client(base_url=url, headers=headers, timeout=120, trust_env=False) as client:
        start = time.perf_counter()
        for body in bodies:
            client.post(path, content=body).raise_for_status()
        return time.perf_counter() - start, members


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


def measure(way: str, platform: str, members: int) -> dict[str, float]:
    """Run one side in a process of its own against a fresh sandbox."""
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=sandbox, args=(theirs,), daemon=True)
    server.start()
    if not ours.poll(120):
        raise SystemExit("the sandbox did not start")
    url = ours.recv()
    try:
        command = [sys.executable, __file__, "--side", way, url, platform, str(members)]
        told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=900).stdout
    finally:
        server.terminate()
        server.join()
    found: dict[str, float] = json.loads(told)
    return found


def side(way: str, url: str, platform: str, members: int) -> None:
    seconds, good = (by_adapter if way == "adapter" else by_hand)(url, platform, members)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "good": good, "megabytes": peak}))


def main() -> None:
    members = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    platform = sys.argv[2] if len(sys.argv) > 2 else "linkedin"
    bare, ours = measure("bare", platform, members), measure("adapter", platform, members)
    ratio = bare["seconds"] / ours["seconds"]
    print(f"{platform}, {members:,} people")
    print(f"bare httpx loop  {members / bare['seconds']:>12,.0f} people/s")
    print(
        f"adapter          {members / ours['seconds']:>12,.0f} people/s   ({ours['good']:,.0f} rows answered)"
    )
    print(f"ratio            {ratio:>12.2f}              (wanted >= 0.70)")
    print(f"peak memory      {ours['megabytes']:>9,.0f} MB              (wanted < 500)")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--side"]:
        side(sys.argv[2], sys.argv[3], sys.argv[4], int(sys.argv[5]))
    else:
        main()
