"""Adapters on a scripted wire. Waits between retries are cut to nothing; everything else is real."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
import stamina

from platforms.google import Google, GoogleSettings
from platforms.http import make_client
from platforms.linkedin import LinkedIn, LinkedInSettings
from tests.platforms.scripted import HandClock, Script


@pytest.fixture(autouse=True)
def quick_retries() -> Iterator[None]:
    with stamina.set_testing(True, attempts=4, cap=True):
        yield


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def hand_clock() -> HandClock:
    return HandClock()


@pytest.fixture
def scripted_client(script: Script) -> Iterator[httpx.Client]:
    with make_client("http://platform.test", transport=httpx.MockTransport(script)) as client:
        yield client


@pytest.fixture
def linkedin(scripted_client: httpx.Client, hand_clock: HandClock) -> LinkedIn:
    settings = LinkedInSettings(ad_account="516848833", base_url="http://platform.test/rest")
    return LinkedIn(settings, scripted_client, hand_clock, hand_clock.sleep)


@pytest.fixture
def google(scripted_client: httpx.Client, hand_clock: HandClock) -> Google:
    settings = GoogleSettings(
        customer_id="1234567890",
        base_url="http://platform.test/v1",
        ads_base_url="http://platform.test",
        terms_accepted=True,
    )
    return Google(settings, scripted_client, hand_clock, hand_clock.sleep)
