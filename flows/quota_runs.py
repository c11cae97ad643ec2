"""How many runs of one ad account go on at once, and how fast they start: Prefect's global limits.

Single requests are paced elsewhere, by whoever owns the platform's quota (``flows.quota``, ``flows.quota_owners``).
Limits are made once and then belong to whoever looks after Prefect: a changed number stays.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prefect import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
from prefect.concurrency.asyncio import concurrency, rate_limit
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound

from audiences.config import Config

AT_ONCE = 4  # runs beyond this only wait for each other's requests
STARTS, STARTS_PER_SECOND = 30, 0.5  # after a standstill every run is due at once, and each reads the sources
LEASE_SECONDS = 60.0  # a killed run gives its place back after this long


def quota_owner(config: Config, platform: str) -> str:
    """Whose runs share the limits: ``evenreach-linkedin-live-500000001``."""
    settings = getattr(config.platforms, platform)
    account = getattr(settings, "ad_account", None) or getattr(settings, "customer", None) or config.workspace
    return f"evenreach-{platform}-{getattr(settings, 'mode', 'files')}-{_plain(str(account))}"


def ensure_limits(config: Config) -> list[str]:
    """Make the limits of every platform that is set up, where they are missing. Returns their names."""
    owners = [quota_owner(config, platform) for platform in config.platforms.names()]
    wanted = [
        GlobalConcurrencyLimitCreate(name=name, limit=limit, slot_decay_per_second=decay)
        for owner in owners
        for name, limit, decay in (
            (_at_once(owner), AT_ONCE, 0.0),
            (_starts(owner), STARTS, STARTS_PER_SECOND),
        )
    ]
    with get_client(sync_client=True) as client:
        for one in wanted:
            try:
                client.read_global_concurrency_limit_by_name(one.name)
            except ObjectNotFound:
                try:
                    client.create_global_concurrency_limit(one)
                except ObjectAlreadyExists:
                    continue  # another machine made it meanwhile
    return [one.name for one in wanted]


@asynccontextmanager
async def within_quota(config: Config, platform: str) -> AsyncIterator[None]:
    """Wait for a place among the runs of this quota, and hold it while the block lasts.

    Raises Prefect's error when the limits were never made: a limit that is not there must not be passed by.
    A run whose server goes away meanwhile goes on; the lease on its list still keeps others off it.
    """
    owner = quota_owner(config, platform)
    await rate_limit(_starts(owner), strict=True)
    async with concurrency(
        _at_once(owner), strict=True, lease_duration=LEASE_SECONDS, raise_on_lease_renewal_failure=False
    ):
        yield


def _at_once(owner: str) -> str:
    return f"{owner}-at-once"


def _starts(owner: str) -> str:
    return f"{owner}-starts"


def _plain(text: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in text)
