"""Google's user lists and who is on them. Rules and state; the wire is in ``google``.

A Google user is reachable by any of several hashes: the table from hash to user is made from the hashes
themselves, so the same seed matches the same people. Source for the fields: developers.google.com/
data-manager/api/devguides/audiences/google-ads/customer-match (2026-07).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import orjson

from platforms.sandbox.clock import DAY
from platforms.sandbox.directory import digest_part, fraction, squashed
from platforms.sandbox.google_delivery import Delivery
from platforms.sandbox.world import World

Identifier = bytes | str  # a digest, or an address or other id as text
Record = tuple[Identifier, ...]  # one person, all identifiers, sorted
MAX_LIFE = 540 * DAY


@dataclass(slots=True)
class UserList:
    """``records`` are people as sent, ``users`` those of them Google knows; values are the last add."""

    list_id: str
    account: str
    fields: dict[str, Any]
    created: int
    records: dict[Record, int] = field(default_factory=dict)
    users: dict[Identifier, int] = field(default_factory=dict)
    by_identifier: dict[Identifier, set[Record]] = field(default_factory=dict)

    @property
    def life(self) -> int:
        """Membership duration in ms."""
        return int(str(self.fields.get("membershipDuration", f"{MAX_LIFE // 1000}s")).rstrip("s")) * 1000

    @property
    def key_type(self) -> str:
        info: dict[str, Any] = self.fields.get("ingestedUserListInfo", {})
        return str((info.get("uploadKeyTypes") or ["CONTACT_ID"])[0])


@dataclass(slots=True)
class GoogleRequest:
    """One accepted request; ``outcomes`` per destination, None while processing."""

    request_id: str
    kind: str  # ingest | remove | removeAll
    destinations: list[dict[str, Any]]
    accepted: int
    due: int
    payload: dict[str, Any]
    outcomes: list[dict[str, Any]] | None = None


@dataclass(slots=True)
class Google:
    """All Google state of one world."""

    lists: dict[str, UserList] = field(default_factory=dict)
    requests: dict[str, GoogleRequest] = field(default_factory=dict)
    owner: dict[Identifier, Identifier] = field(default_factory=dict)  # identifier -> user
    closed_to: dict[str, set[str]] = field(default_factory=dict)  # account -> members without access
    managers: dict[str, str] = field(default_factory=dict)  # account -> the manager it is reached through
    undeclared: set[str] = field(default_factory=set)  # accounts without the EU political declaration
    delivery: Delivery = field(default_factory=Delivery)

    def through(self, account: str, login: str | None) -> bool:
        """Whether ``login`` (None: the account itself) is the way this account is reached."""
        manager = self.managers.get(account)
        return login in (None, account) if manager is None else login == manager

    def user_of(self, world: World, record: Record) -> Identifier | None:
        """The Google user behind a person's identifiers; identifiers seen together become one user."""
        known = next((self.owner[i] for i in record if i in self.owner), None)
        hits = [i for i in record if i in self.owner or google_knows(world, i)]
        if known is None and not hits:
            return None
        user = known if known is not None else hits[0]
        for identifier in hits:
            self.owner.setdefault(identifier, user)
        return user

    def add(self, world: World, target: UserList, records: Iterable[Record], now: int) -> int:
        """Put people on a list (or refresh them); how many Google knows."""
        matched = 0
        for record in records:
            if record not in target.records:
                for identifier in record:
                    target.by_identifier.setdefault(identifier, set()).add(record)
            target.records[record] = max(now, target.records.get(record, 0))
            user = self.user_of(world, record)
            if user is not None:
                matched += 1
                target.users[user] = max(now, target.users.get(user, 0))
        return matched

    def remove(self, world: World, target: UserList, records: Iterable[Record]) -> None:
        """Take people off by any identifier they were added with."""
        for record in records:
            for identifier in record:
                for found in sorted(target.by_identifier.get(identifier, ()), key=repr):
                    self._drop(target, found)
                user = self.owner.get(identifier)
                if user is not None:
                    target.users.pop(user, None)

    def remove_before(self, target: UserList, moment: int) -> None:
        """Everybody whose last add is earlier than ``moment`` (epoch ms)."""
        for record in [r for r, at in target.records.items() if at < moment]:
            self._drop(target, record)
        for user in [u for u, at in target.users.items() if at < moment]:
            del target.users[user]

    def _drop(self, target: UserList, record: Record) -> None:
        target.records.pop(record, None)
        for identifier in record:
            left = target.by_identifier.get(identifier)
            if left is not None:
                left.discard(record)
                if not left:
                    del target.by_identifier[identifier]

    def live_users(self, target: UserList, now: int) -> int:
        """Users whose membership has not run out."""
        return sum(at + target.life > now for at in target.users.values())

    def count(self) -> int:
        return len(self.lists)

    def members(self, name: str) -> dict[str, Any] | None:
        """Truth for one list: people as sent, and how many users."""
        target = self.lists.get(name.rsplit("/", 1)[-1])
        if target is None:
            return None
        shown = [[i.hex() if isinstance(i, bytes) else i for i in record] for record in target.records]
        return {"list": target.list_id, "users": len(target.users), "members": sorted(shown)}

    def fingerprint(self) -> bytes:
        digest = sha256()
        for number in sorted(self.lists):
            target = self.lists[number]
            digest.update(orjson.dumps([number, target.fields, self.members(number)]))
            digest.update(orjson.dumps(sorted(target.records.values())))
        digest.update(self.delivery.fingerprint())
        return digest.digest()

    def seed(self, world: World, body: dict[str, Any]) -> dict[str, Any]:
        return self.delivery.seed(world, body)


def google_knows(world: World, identifier: Identifier) -> bool:
    """Whether a single hash leads to a Google user."""
    if isinstance(identifier, bytes):
        return digest_part(identifier, 1) < world.knobs.google_match
    return fraction(world.seed, "google", identifier) < world.knobs.google_match


def in_eea(world: World, record: Record) -> bool:
    """Whether a person counts as living in the EEA; decided by the first digest."""
    first = record[0]
    place = digest_part(first, 3) if isinstance(first, bytes) else fraction(world.seed, "eea", first)
    return place < world.knobs.google_eea_share


def sizes(world: World, target: UserList) -> dict[str, str]:
    """The four network sizes as strings; absent below the minimum."""
    users = world.google.live_users(target, world.now)
    if users < world.knobs.google_minimum_size:
        return {}
    text = str(users)
    return {
        "displayNetworkMembersCount": text,
        "searchNetworkMembersCount": text,
        "youtubeMembersCount": text,
        "gmailMembersCount": text,
    }


def list_json(world: World, target: UserList) -> dict[str, Any]:
    """The UserList resource as Google shows it; empty fields are left out."""
    users = world.google.live_users(target, world.now)
    eligible = users >= world.knobs.google_minimum_size
    info = {
        k: dict(v) if isinstance(v, dict) else v for k, v in target.fields["ingestedUserListInfo"].items()
    }
    if target.records and "contactIdInfo" in info:
        info["contactIdInfo"]["matchRatePercentage"] = round(100 * len(target.users) / len(target.records))
    shown = {
        "name": f"accountTypes/GOOGLE_ADS/accounts/{target.account}/userLists/{target.list_id}",
        "id": target.list_id,
        "membershipStatus": "OPEN",
        "accessReason": "OWNED",
        "accountAccessStatus": "ENABLED",
        "sizeInfo": sizes(world, target),
        "targetNetworkInfo": {
            **({"eligibleForDisplay": True} if eligible else {}),
            "eligibleForSearch": bool(
                (target.fields.get("targetNetworkInfo") or {}).get("eligibleForSearch", True)
            ),
        },
        "membershipDuration": f"{MAX_LIFE // 1000}s",
        **{k: v for k, v in target.fields.items() if k != "targetNetworkInfo"},
    }
    return {**shown, "ingestedUserListInfo": info}


def same_name(world: World, account: str, name: str, *, but: str = "") -> bool:
    wanted = squashed(name)
    return any(
        t.account == account and t.list_id != but and squashed(str(t.fields["displayName"])) == wanted
        for t in world.google.lists.values()
    )
