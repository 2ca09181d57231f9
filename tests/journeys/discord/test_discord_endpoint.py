"""The second way in: interactions that Discord posts to ``/hooks/discord``, signed."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest
from discord_interactions import verify_key  # type: ignore[import-untyped] # Discord's own package has no types

from tests.journeys.discord.conftest import House
from tests.lab.waiting import until

pytestmark = pytest.mark.journey


def started(house: House) -> str:
    """Reelay with the application's public key; the address of its endpoint."""
    house.start(environ={"DISCORD_PUBLIC_KEY": house.discord.public_key})
    return f"{house.reelay.url}/hooks/discord"


def signed(house: House, body: bytes) -> dict[str, str]:
    """Discord's headers for a body."""
    return house.discord.signer.headers(str(int(house.discord.clock())), body)


def post(url: str, body: bytes, headers: dict[str, str]) -> int:
    """The status of a call."""
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return int(error.code)


def test_discord_accepts_the_endpoint_and_commands_come_through_it(house: House) -> None:
    url = started(house)
    house.discord.use_endpoint(url)  # probes with good and bad signatures, as Discord does
    use = house.video("a fox")
    seen = house.clip_of(use)
    again = house.ada.press(seen, "Again")
    until(lambda: again.acknowledged)
    house.clip_of(again)
    assert house.jobs() == 2
    house.end()


@pytest.mark.parametrize("spoilt", ["signature", "body", "timestamp", "no headers", "not hexadecimal"])
def test_what_is_not_signed_is_turned_away(house: House, spoilt: str) -> None:
    url = started(house)
    body = json.dumps({"type": 1}).encode()
    headers = signed(house, body)
    assert post(url, body, headers) == 200
    match spoilt:
        case "signature":
            headers["X-Signature-Ed25519"] = "00" * 64
        case "body":
            body += b" "
        case "timestamp":
            headers["X-Signature-Timestamp"] = str(int(headers["X-Signature-Timestamp"]) + 1)
        case "no headers":
            headers = {}
        case _:
            headers["X-Signature-Ed25519"] = "zz"
    signature, stamp = headers.get("X-Signature-Ed25519", ""), headers.get("X-Signature-Timestamp", "")
    if len(signature) == 128:
        assert not verify_key(body, signature, stamp, house.discord.public_key), "the official package agrees"
    assert post(url, body, headers) == 401
    house.end()


def test_without_a_public_key_there_is_no_endpoint(house: House) -> None:
    house.start()
    assert post(f"{house.reelay.url}/hooks/discord", b"{}", {}) in (404, 405)
    house.end()


def test_the_same_call_twice_is_one_job(house: House) -> None:
    url = started(house)
    house.discord.use_endpoint(url)
    use = house.video("a fox")
    house.clip_of(use)
    payload = json.dumps(use.interaction.payload).encode()
    assert post(url, payload, signed(house, payload)) in (200, 202)
    house.reelay.wait_quiet()
    assert house.jobs() == 1
    house.end()
