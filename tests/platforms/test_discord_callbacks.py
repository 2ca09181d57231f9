"""First answers over connections of their own: what is read, what is refused to be read, and how connections are kept."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot.platforms.discord import callbacks
from bot.platforms.discord.callbacks import Callbacks, NotSent, Unreadable, read_answer

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
GOOD = HEAD + b"Content-Length: 7\r\n\r\n" + b'{"a":1}'
CHUNKED = HEAD + b'Transfer-Encoding: chunked\r\n\r\n3\r\n{"a\r\n4;x=y\r\n":1}\r\n0\r\n\r\n'
TRAILED = HEAD + b'Transfer-Encoding: chunked\r\n\r\n7\r\n{"a":1}\r\n0\r\nX-Late: yes\r\n\r\n'
INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + GOOD
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter, int], object]


@pytest.mark.parametrize("said", [GOOD, CHUNKED, TRAILED, INTERIM])
def test_an_answer_is_whole_at_its_last_byte_and_not_before(said: bytes) -> None:
    for length in range(len(said)):
        assert read_answer(said[:length], at_end=False) is None, length
    found = read_answer(said, at_end=False)
    assert found is not None
    assert (found.status, found.text, found.keeps) == (200, b'{"a":1}', True)
    assert found.headers["content-type"] == "application/json"
    more = read_answer(said + b"HTTP", at_end=False)
    assert more is not None
    assert not more.keeps, "nobody asked for what came after it"


def test_an_answer_without_length_ends_with_the_connection() -> None:
    said = HEAD + b'\r\n{"a":1}'
    assert read_answer(said, at_end=False) is None
    found = read_answer(said, at_end=True)
    assert found is not None
    assert (found.text, found.keeps) == (b'{"a":1}', False)
    assert read_answer(GOOD[:-1], at_end=True) is None, "cut off"


def test_an_answer_without_body_and_one_that_ends_the_connection() -> None:
    empty = read_answer(b"HTTP/1.1 204 No Content\r\nVia: 1.1 google\r\n\r\n", at_end=False)
    assert empty is not None
    assert (empty.status, empty.text, empty.keeps) == (204, b"", True)
    for said in (GOOD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), GOOD.replace(b"1.1 200", b"1.0 200")):
        found = read_answer(said, at_end=False)
        assert found is not None
        assert not found.keeps


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-server\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 2x0 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno header\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nName : x\r\n\r\n",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: 1e3\r\n\r\n",
        HEAD + b"Transfer-Encoding: gzip\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nabcd",
    ],
)
def test_what_is_no_http_is_not_guessed_at(said: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        read_answer(said, at_end=False)


# ---- with a server


class Server:
    """Counts connections; ``handle`` gets each with its number."""

    def __init__(self, handle: Handler) -> None:
        self.handle, self.connections, self.asked = handle, 0, list[bytes]()

    async def met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            found = self.handle(reader, writer, self.connections)
            if asyncio.iscoroutine(found):
                await found
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def question(self, reader: asyncio.StreamReader) -> bytes:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        self.asked.append(head + await reader.readexactly(length))
        return self.asked[-1]


@asynccontextmanager
async def at(server: Server, tls: ssl.SSLContext | None = None, most: int = 8) -> AsyncIterator[Callbacks]:
    there = await asyncio.start_server(server.met, "127.0.0.1", 0, ssl=tls)
    port = there.sockets[0].getsockname()[1]
    there_callbacks = Callbacks(f"{'https' if tls else 'http'}://127.0.0.1:{port}/api/v10", most, "Agent (x, 1)")
    try:
        yield there_callbacks
    finally:
        there_callbacks.close()
        there.close()


async def test_the_question_is_whole_and_its_connection_is_used_again() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        while True:
            await server.question(reader)
            writer.write(GOOD)

    server = Server(handle)
    async with at(server) as them:
        for _ in range(3):
            assert (await them.post("/interactions/1/t/callback?with_response=true", b'{"type":5}')).status == 200
    assert server.connections == 1
    head, _, body = server.asked[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /api/v10/interactions/1/t/callback?with_response=true HTTP/1.1"
    assert "User-Agent: Agent (x, 1)" in lines
    assert "Content-Type: application/json" in lines
    assert any(line.startswith("Host: 127.0.0.1:") for line in lines)
    assert body == b'{"type":5}'


async def test_no_more_connections_than_allowed_and_nobody_is_forgotten() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        while True:
            await server.question(reader)
            await asyncio.sleep(0.001)
            writer.write(CHUNKED)

    server = Server(handle)
    async with at(server, most=4) as them:
        found = await asyncio.gather(*(them.post(f"/interactions/{n}/t/callback", b"{}") for n in range(100)))
    assert {each.text for each in found} == {b'{"a":1}'}
    assert len(server.asked) == 100
    assert server.connections == 4


async def test_a_kept_connection_that_was_closed_meanwhile_is_made_anew() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        await server.question(reader)
        writer.write(GOOD)
        if number == 1:  # answers once, takes the next question, and is gone
            await server.question(reader)

    server = Server(handle)
    async with at(server) as them:
        assert (await them.post("/interactions/1/t/callback", b"{}")).status == 200
        assert (await them.post("/interactions/2/t/callback", b"{}")).status == 200
    assert server.connections == 2
    assert len(server.asked) == 3


async def test_a_connection_that_was_idle_for_long_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        while True:
            await server.question(reader)
            writer.write(GOOD)

    server = Server(handle)
    monkeypatch.setattr(callbacks, "IDLE_SECONDS", 0.0)
    async with at(server) as them:
        await them.post("/interactions/1/t/callback", b"{}")
        await them.post("/interactions/2/t/callback", b"{}")
    assert server.connections == 2


@pytest.mark.parametrize("said", [b"", GOOD[:-2], b"SSH-2.0-x\r\n\r\n"])
async def test_no_answer_and_half_an_answer_are_errors(said: bytes) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        await server.question(reader)
        writer.write(said)

    server = Server(handle)
    async with at(server) as them:
        with pytest.raises(Unreadable):
            await them.post("/interactions/1/t/callback", b"{}")
    assert len(server.asked) == 1, "on a new connection nothing is tried twice"


async def test_an_answer_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        await server.question(reader)
        writer.write(HEAD + b"\r\n")
        while True:
            writer.write(bytes(1000))
            await writer.drain()

    server = Server(handle)
    monkeypatch.setattr(callbacks, "MOST_BYTES", 100_000)
    async with at(server) as them:
        with pytest.raises(Unreadable):
            await them.post("/interactions/1/t/callback", b"{}")


async def test_whoever_is_cancelled_leaves_no_half_read_connection_behind() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        await server.question(reader)
        if number == 1:
            asked.set()
            await reader.read()
        writer.write(GOOD)

    server, asked = Server(handle), asyncio.Event()
    async with at(server, most=1) as them:
        waits = asyncio.create_task(them.post("/interactions/1/t/callback", b"{}"))
        await asked.wait()
        waits.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waits
        assert (await them.post("/interactions/2/t/callback", b"{}")).status == 200
    assert server.connections == 2


async def test_nobody_there_and_an_address_that_is_none() -> None:
    async with at(Server(lambda *_: None)) as them:
        port = them._port
        with pytest.raises(NotSent):
            await them.post("/interactions/1/t x/callback", b"{}")
        with pytest.raises(NotSent):
            await them.post("/interactions/1/t\r\nHost: evil/callback", b"{}")
    with pytest.raises(NotSent):
        await Callbacks(f"http://127.0.0.1:{port}/api/v10", 1, "x").post("/interactions/1/t/callback", b"{}")


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path, secret = folder / "cert.pem", folder / "key.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, secret)
    return path, context


@pytest.mark.blocks("a certificate is written and read")
async def test_https_is_spoken_and_a_stranger_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        await server.question(reader)
        writer.write(GOOD)

    server = Server(handle)
    path, context = certificate(tmp_path)
    async with at(server, context) as them:
        with pytest.raises(NotSent):
            await them.post("/interactions/1/t/callback", b"{}")
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    async with at(server, context) as them:
        assert (await them.post("/interactions/1/t/callback", b"{}")).text == b'{"a":1}'
    assert len(server.asked) == 1
