"""Interactions by HTTP: our signatures are the ones that Discord's own library takes, and the other way round."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from discord_interactions import verify_key  # type: ignore[import-untyped]
from nacl.signing import SigningKey

from tests.lab.discord import Channel, Discord, Person
from tests.lab.discord.hooks import Signer
from tests.lab.discord_raw import Bot, seen
from tests.lab.waiting import until

Json = dict[str, Any]


class Program(ThreadingHTTPServer):
    """An endpoint that verifies with discord-interactions and answers what it is told to."""

    def __init__(self, public_key: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.public_key, self.heard, self.verifies = public_key, list[Json](), True
        self.answer: tuple[int, Any] = (200, {"type": 5})
        self.url = f"http://127.0.0.1:{self.server_address[1]}/hooks/discord"


class Handler(BaseHTTPRequestHandler):
    server: Program

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        signature, timestamp = self.headers["X-Signature-Ed25519"], self.headers["X-Signature-Timestamp"]
        if self.server.verifies and not verify_key(body, signature, timestamp, self.server.public_key):
            self._say(401, None)
            return
        said = json.loads(body)
        self.server.heard.append(said)
        self._say(*((200, {"type": 1}) if said["type"] == 1 else self.server.answer))

    def _say(self, status: int, data: Any) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        if data is not None:
            self.wfile.write(json.dumps(data).encode())

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def discord() -> Iterator[Discord]:
    with Discord() as found:
        yield found


@pytest.fixture
def program(discord: Discord) -> Iterator[Program]:
    found = Program(discord.public_key)
    thread = threading.Thread(target=found.serve_forever, args=(0.02,))
    thread.start()
    yield found
    found.shutdown()
    found.server_close()
    thread.join(10)


@pytest.fixture
def ada(discord: Discord) -> Person:
    Bot(discord).sync()
    return discord.add_person("ada", discord.add_guild())


@pytest.fixture
def room(discord: Discord, ada: Person) -> Channel:
    return discord.add_channel(next(iter(discord.world.guilds.values())))


def test_discords_library_takes_our_signatures_and_no_changed_ones() -> None:
    signer, body = Signer(), b'{"type":1}'
    headers = signer.headers("1795262400", body)
    signature = headers["X-Signature-Ed25519"]
    assert verify_key(body, signature, "1795262400", signer.public)
    assert not verify_key(body + b" ", signature, "1795262400", signer.public)
    assert not verify_key(body, signature, "1795262401", signer.public)
    assert not verify_key(body, signature, "1795262400", Signer().public)


def test_a_foreign_key_signs_as_we_do() -> None:
    key = SigningKey.generate()
    body = b'{"type":2}'
    signature = key.sign(b"7" + body).signature.hex()
    assert verify_key(body, signature, "7", key.verify_key.encode().hex())
    assert key.sign(b"7" + body).signature.hex() == signature, "Ed25519 is deterministic, so both must agree"


def test_an_endpoint_is_probed_before_it_is_taken(discord: Discord, program: Program) -> None:
    discord.use_endpoint(program.url)
    assert discord.endpoint.url == program.url
    program.verifies = False
    with pytest.raises(ValueError, match="a bad signature was answered 200"):
        discord.use_endpoint(program.url)


def test_an_interaction_goes_there_and_its_answer_comes_back(
    discord: Discord, program: Program, ada: Person, room: Channel
) -> None:
    discord.use_endpoint(program.url)
    use = ada.slash("video", room, prompt="x")
    until(lambda: use.acknowledged)
    assert program.heard[-1]["id"] == use.interaction.id
    assert use.message is not None
    assert use.message.thinking
    assert Bot(discord).edit(use, {"content": "done"}).status == 200
    program.answer = (202, None)
    use = ada.slash("video", room, prompt="x")
    seen(discord, "hook", 2)
    assert not use.acknowledged, "202 promises an answer by the API"
    assert Bot(discord).answer(use, 5).status == 204
    discord.endpoint.copies = 2
    program.answer = (200, {"type": 5})
    use = ada.slash("video", room, prompt="x")
    seen(discord, "hook", 4)
    assert [each["id"] for each in program.heard].count(use.interaction.id) == 2
    assert use.failed is None


def test_a_spoilt_signature_and_a_wrong_answer_fail(
    discord: Discord, program: Program, ada: Person, room: Channel
) -> None:
    discord.use_endpoint(program.url)
    discord.endpoint.spoil = lambda headers, body: (headers, body + b" ")
    use = ada.slash("video", room)
    assert seen(discord, "hook")[0]["status"] == 401
    discord.clock.advance(4)
    assert use.failed == "The application did not respond"
    discord.endpoint.spoil = lambda headers, body: (headers, body)
    program.answer = (200, {"type": 5, "data": {"flags": 32768}})
    use = ada.slash("video", room)
    until(lambda: use.failed)
    assert "wrong" in str(use.failed)
