"""Webhooks of vendors: bounded, believed in nothing, and silent about what exists."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Mapping

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.hooks import BODY_MOST, VendorHooks
from tests.lab.generator import InstantGenerator, LabSettings

ATTEMPT = "0123456789abcdef" * 2
Client = TestClient[web.Request, web.Application]


class Listener(InstantGenerator):
    hook = "lab"

    def __init__(self) -> None:
        super().__init__(LabSettings(name="listener"))
        self.said: list[tuple[str, str | None, bytes]] = []

    async def heard(self, attempt_id: str, headers: Mapping[str, str], body: bytes) -> bool:
        self.said.append((attempt_id, headers.get("X-Sign"), body))
        return headers.get("x-sign") == "good"


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
async def client(listener: Listener) -> AsyncIterator[Client]:
    app = web.Application()
    VendorHooks([InstantGenerator(LabSettings(name="deaf")), listener]).add_to(app)
    async with TestClient(TestServer(app, host="127.0.0.1")) as found:
        yield found


async def test_what_the_vendor_says_reaches_its_generator(client: Client, listener: Listener) -> None:
    answer = await client.post(f"/hooks/lab/{ATTEMPT}", data=b"{}", headers={"X-Sign": "good"})
    assert (answer.status, await answer.read()) == (204, b"")
    assert listener.said == [(ATTEMPT, "good", b"{}")]


async def test_what_is_forged_is_refused(client: Client) -> None:
    assert (await client.post(f"/hooks/lab/{ATTEMPT}", data=b"{}")).status == 401


@pytest.mark.parametrize("attempt", ["x", ATTEMPT[:-1], ATTEMPT + "0", ATTEMPT.upper(), "..%2f" + ATTEMPT, "٣" * 32])
async def test_what_is_no_attempt_is_not_even_looked_at(client: Client, listener: Listener, attempt: str) -> None:
    answer = await client.post(f"/hooks/lab/{attempt}", data=b"{}", headers={"X-Sign": "good"})
    assert answer.status == 401
    assert not listener.said


async def test_a_body_has_its_bounds(client: Client, listener: Listener) -> None:
    fits = await client.post(f"/hooks/lab/{ATTEMPT}", data=io.BytesIO(bytes(BODY_MOST)), headers={"X-Sign": "good"})
    over = await client.post(f"/hooks/lab/{ATTEMPT}", data=io.BytesIO(bytes(BODY_MOST + 1)), headers={"X-Sign": "good"})
    assert (fits.status, over.status) == (204, 413)
    assert len(listener.said) == 1


async def test_only_vendors_that_are_configured_have_an_address(client: Client) -> None:
    assert (await client.post(f"/hooks/replicate/{ATTEMPT}", data=b"{}")).status == 404
    assert (await client.get(f"/hooks/lab/{ATTEMPT}")).status == 405
