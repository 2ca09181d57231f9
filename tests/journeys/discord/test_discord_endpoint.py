"""The second way in: interactions that Discord posts to ``/hooks/discord``, signed."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest
from discord_interactions import verify_key  # type: ignore[import-untyped] # Discord's own package has no types

from tests.journeys.discord.house import House
from tests.lab.waiting import until

pytestmark = pytest.mark.journey


def endpoint(home: House) -> str:
    """Where Discord posts to."""
    return f"{home.reelay.url}/hooks/discord"


def signed(home: House, body: bytes) -> dict[str, str]:
    """Discord's headers for a body."""
    return home.discord.signer.headers(str(int(home.discord.clock())), body)


def post(url: str, body: bytes, headers: dict[str, str]) -> int:
    """The status of a call."""
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return int(error.code)


def test_discord_accepts_the_endpoint_and_commands_come_through_it(home: House) -> None:
    url = endpoint(home)
    home.discord.use_endpoint(url)  # probes with good and bad signatures, as Discord does
    use = home.video("a fox")
    seen = home.clip_of(use)
    again = home.ada.press(seen, "Again")
    until(lambda: again.acknowledged)
    home.clip_of(again)
    assert home.jobs() == 2
    home.end()


@pytest.mark.parametrize("spoilt", ["signature", "body", "timestamp", "no headers", "not hexadecimal"])
def test_what_is_not_signed_is_turned_away(home: House, spoilt: str) -> None:
    url = endpoint(home)
    body = json.dumps({"type": 1}).encode()
    headers = signed(home, body)
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
        assert not verify_key(body, signature, stamp, home.discord.public_key), "the official package agrees"
    assert post(url, body, headers) == 401
    home.end()


def test_without_a_public_key_there_is_no_endpoint(house: House) -> None:
    house.reelay.environ.pop("DISCORD_PUBLIC_KEY")
    house.start()
    assert post(f"{house.reelay.url}/hooks/discord", b"{}", {}) in (404, 405)
    house.end()


def test_the_same_call_twice_is_one_job(home: House) -> None:
    url = endpoint(home)
    home.discord.use_endpoint(url)
    use = home.video("a fox")
    home.clip_of(use)
    payload = json.dumps(use.interaction.payload).encode()
    assert post(url, payload, signed(home, payload)) in (200, 202)
    home.reelay.wait_quiet()
    assert home.jobs() == 1
    home.end()
