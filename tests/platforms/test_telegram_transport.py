"""Calls to Telegram: the library's errors, what is known after each, the times of each kind, and no token anywhere."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import logging
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from telegram.error import NetworkError, RetryAfter, TelegramError, TimedOut
from telegram.request import BaseRequest

from bot.logs import configure
from bot.platforms.telegram import transport
from bot.platforms.telegram.client import Client
from bot.platforms.telegram.transport import AiohttpRequest, Late, NoAnswer, TooFast, was_done
from bot.platforms.telegram.uploads import DiskFile, OnDisk
from core.errors import Gone, WasDone
from tests.lab.waiting import until_async
from tests.platforms.telegram_loopback import (
    MESSAGE,
    TOKEN,
    Loopback,
    answer,
    bot,
    both,
    cut,
    loopback,
    ok,
    refusal,
    silence,
    tells,
)

HTML = f"<html><h1>502 Bad Gateway</h1>while fetching http://api/bot{TOKEN}/sendMessage</html>".encode()
NO, UNKNOWN = WasDone.NO, WasDone.UNKNOWN


REFUSALS = {
    "400": (refusal("400 Bad Request", "Bad Request: message is not modified: same"), NO),
    "401": (refusal("401 Unauthorized", "Unauthorized"), NO),
    "403": (refusal("403 Forbidden", "Forbidden: bot was blocked by the user"), NO),
    "404": (refusal("404 Not Found", "Not Found"), NO),
    "409": (refusal("409 Conflict", "Conflict: terminated by other getUpdates request"), NO),
    "413": (answer("413 Request Entity Too Large", b"<html>too large</html>"), NO),
    "413 told": (refusal("413 Request Entity Too Large", "Request Entity Too Large"), NO),
    "429": (refusal("429 Too Many Requests", "Too Many Requests: retry after 7", retry_after=7), NO),
    "429 of somebody else": (answer("429 Too Many Requests", b"slow down"), NO),
    "moved": (refusal("400 Bad Request", "Bad Request: group chat was upgraded", migrate_to_chat_id=-100777), NO),
    "500": (refusal("500 Internal Server Error", "Internal Server Error"), UNKNOWN),
    "502": (answer("502 Bad Gateway", HTML, "Content-Type: text/html"), UNKNOWN),
    "504": (answer("504 Gateway Time-out", HTML), UNKNOWN),
    "403 in HTML": (answer("403 Forbidden", HTML), NO),
    "404 in HTML": (answer("404 Not Found", HTML), NO),
    "a redirection": (answer("302 Found", b"", f"Location: http://127.0.0.1:9/bot{TOKEN}/x"), UNKNOWN),
    "a number of nobody": (answer("599 ?", b""), UNKNOWN),
    "200 in HTML": (answer("200 OK", HTML), UNKNOWN),
    "cut off in the body": (answer("200 OK", b'{"ok":true,"result":true}')[:-5], UNKNOWN),
    "no HTTP": (b"\x16\x03\x01 what?\r\n\r\n", UNKNOWN),
    "half of a gzip": (answer("200 OK", gzip.compress(b'{"ok":true}')[:12], "Content-Encoding: gzip"), UNKNOWN),
}


async def raised(call: Awaitable[Any]) -> TelegramError:
    with pytest.raises(TelegramError) as found:
        await call
    return found.value


def closing(said: bytes) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(said)
        await writer.drain()
        writer.close()

    return serve


@pytest.mark.filterwarnings("ignore:.*retry_after:DeprecationWarning")
@pytest.mark.parametrize("name", REFUSALS)
async def test_each_answer_is_the_error_that_the_library_makes_of_it(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    said, known = REFUSALS[name]
    async with loopback(sendMessage=closing(said)) as server, both(server.root) as (ours, theirs):
        other = await raised(theirs.send_message(5, "a fox"))
        caplog.clear()
        error = await raised(ours.send_message(5, "a fox"))
    assert isinstance(error, type(other))
    own_words = {"HTML", "body", "HTTP", "gzip", "413", "redirection", "number", "429 of somebody else", "502", "504"}
    if not any(word in name for word in own_words):
        assert str(error) == str(other)
    assert was_done(error) is known
    assert tells(error) is None
    assert not caplog.records, "an answer that cannot be read is not for the log"
    assert len(server.requests) == 2, "nobody tried twice"


async def test_the_seconds_of_a_429_are_kept_and_said_without_a_warning() -> None:
    async with loopback(sendMessage=REFUSALS["429"][0]) as server, both(server.root) as (ours, _):
        error = await raised(ours.send_message(5, "a fox"))
    assert isinstance(error, TooFast)
    assert isinstance(error, RetryAfter)
    assert (error.seconds, error.retry_after, error._retry_after.total_seconds()) == (7.0, 7, 7.0)


async def test_parameters_that_mean_nothing_break_nothing() -> None:
    nothing: tuple[dict[str, Any], ...] = ({"retry_after": "soon"}, {"retry_after": -1}, {"migrate_to_chat_id": []})
    for parameters in nothing:
        async with (
            loopback(sendMessage=refusal("400 Bad Request", "Bad Request: x", **parameters)) as server,
            both(server.root) as (ours, _),
        ):
            assert was_done(await raised(ours.send_message(5, "a"))) is NO


def _tarpit() -> tuple[socket.socket, int]:
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(8)
    return listening, listening.getsockname()[1]


@pytest.mark.parametrize(
    "kind, late, known",
    [
        ("refused", False, NO),
        ("cut", False, UNKNOWN),
        ("silent", True, UNKNOWN),
        ("no TLS", False, NO),
        ("silent before TLS", True, NO),
        ("invalid", False, NO),
        ("another scheme", False, UNKNOWN),
    ],
)
async def test_each_failure_is_the_librarys_error_and_tells_what_is_known(
    kind: str, late: bool, known: WasDone
) -> None:
    listening, port = _tarpit()
    deaf = await asyncio.start_server(closing(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "127.0.0.1", 0)
    async with deaf, loopback(sendMessage=cut if kind == "cut" else silence) as server:
        roots = {
            "silent before TLS": f"https://127.0.0.1:{port}",
            "no TLS": f"https://127.0.0.1:{deaf.sockets[0].getsockname()[1]}",
            "invalid": "http://[::1",
            "another scheme": "ftp://127.0.0.1:1",
        }
        root = roots.get(kind, server.root)
        if kind == "refused":
            listening.close()
            root = f"http://127.0.0.1:{port}"
        async with both(root, read=0.3, connect=0.3) as (ours, theirs):
            other = await raised(theirs.send_message(5, "a fox"))
            error = await raised(ours.send_message(5, "a fox"))
    listening.close()
    assert isinstance(error, type(other))
    assert isinstance(error, TimedOut) is late
    assert type(error) is (Late if late else NoAnswer)
    assert was_done(error) is known
    assert error.__context__ is None
    assert tells(error) is None
    assert tells(NetworkError(f"x {TOKEN}")), "the test sees what it looks for"


def served(server: Loopback, calls: int) -> bool:
    return len(server.requests) == calls


async def test_a_full_pool_says_that_nothing_was_sent_and_lets_in_again() -> None:
    async with loopback(sendMessage=silence) as server, both(server.root, pool=0.2, read=1.0) as (ours, theirs):
        for one in (ours, theirs):
            held = [asyncio.create_task(raised(one.send_message(5, "held"))) for _ in range(2)]
            before = 0 if one is ours else 2
            await until_async(partial(served, server, before + 2))
            error = await raised(one.send_message(5, "no room"))
            assert isinstance(error, TimedOut)
            assert str(error) == transport.POOL_TEXT
            assert len(server.requests) == before + 2
            if one is ours:
                assert was_done(error) is NO
                assert error.__context__ is None
            for task in held:
                assert isinstance(await task, TimedOut)
        server.answers["sendMessage"] = ok(MESSAGE)
        await asyncio.gather(*(ours.send_message(5, "room") for _ in range(6)))


async def test_whoever_waits_for_room_and_is_cancelled_takes_none() -> None:
    async with loopback(sendMessage=silence) as server, both(server.root, read=30.0) as (ours, _):
        tasks = [asyncio.create_task(ours.send_message(5, "x")) for _ in range(4)]
        await until_async(lambda: len(server.requests) == 2)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        server.answers["sendMessage"] = ok(MESSAGE)
        await asyncio.gather(*(ours.send_message(5, "room") for _ in range(4)))
        assert server.connections == 4, "two that were dropped in the middle of a call, and two that are kept"


async def test_files_get_time_for_their_bytes_and_a_poll_for_its_wait(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    request = AiohttpRequest()
    default = BaseRequest.DEFAULT_NONE
    usual = request._timeout(default, default, default, 0)
    assert (usual.total, usual.sock_read, usual.connect) == (40.0, 20.0, 10.0)
    film = request._timeout(default, default, default, 50_000_000)
    assert (film.total, film.sock_read) == (10.0 + 250.0 + 60.0 + 10.0, 60.0)
    poll = request._timeout(50 + request.read_timeout, default, default, 0)
    assert (poll.total, poll.sock_read) == (90.0, 70.0)
    assert request._timeout(None, default, default, 0).total is None

    monkeypatch.setattr(transport, "UPLOAD_BYTES_PER_SECOND", 50_000_000)
    big = tmp_path / "big"
    big.write_bytes(bytes(20_000_000))

    over = asyncio.Event()

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()

    async with loopback(sendVideo=deaf) as server, both(server.root, write=0.1, read=0.1, connect=0.1) as (ours, _):
        monkeypatch.setattr(transport, "MEDIA_READ_SECONDS", 0.1)
        error = await raised(ours.send_video(5, DiskFile(big, "b.mp4")))
        over.set()
    assert isinstance(error, Late)
    assert was_done(error) is NO, "its end was never sent"


@pytest.mark.parametrize("what", ["gone", "a folder", "no file at all", "half a letter"])
async def test_what_cannot_be_sent_is_never_begun(what: str, tmp_path: Path) -> None:
    file: Any = DiskFile(tmp_path / ("" if what == "a folder" else "gone"), "a.mp4")
    if what == "no file at all":
        file.input_file_content = 17
    async with loopback() as server, both(server.root) as (ours, _):
        if what == "half a letter":
            error = await raised(ours.send_message(5, "\ud83e"))
        else:
            error = await raised(ours.send_video(5, file))
        assert isinstance(error, NoAnswer)
        assert was_done(error) is NO
        assert str(tmp_path) not in str(error)
        assert server.connections == 0


async def test_a_file_that_becomes_shorter_while_it_is_sent_is_no_call(tmp_path: Path) -> None:
    clip = tmp_path / "clip"
    clip.write_bytes(bytes(8_000_000))

    async def shorten(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with clip.open("r+b") as file:
            file.truncate(4_000_000)
        await silence(reader, writer)

    async with loopback(sendVideo=shorten) as server, both(server.root) as (ours, _):
        error = await raised(ours.send_video(5, DiskFile(clip, "a.mp4")))
    assert isinstance(error, NoAnswer)
    assert was_done(error) is NO
    assert tells(error) is None


async def test_an_upload_that_is_cut_off_was_certainly_not_done_until_its_last_byte_is_out(tmp_path: Path) -> None:
    clip = tmp_path / "clip"
    clip.write_bytes(bytes(30_000_000))

    async def take(missing: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        left = int(server.requests[-1].headers["content-length"]) - missing
        while left:
            left -= len(await reader.read(min(left, 1 << 20)))
        writer.transport.abort()

    async with loopback() as server, both(server.root) as (ours, _):
        for missing, known in ((20_000_000, NO), (0, UNKNOWN)):
            server.answers["sendVideo"] = partial(take, missing)
            error = await raised(ours.send_video(5, DiskFile(clip, "a.mp4")))
            assert isinstance(error, NoAnswer)
            assert was_done(error) is known


async def test_a_refusal_that_comes_in_the_middle_of_an_upload_is_heard(tmp_path: Path) -> None:
    clip = tmp_path / "clip"
    clip.write_bytes(bytes(30_000_000))

    async def too_large(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(REFUSALS["413"][0])
        await silence(reader, writer)

    async with loopback(sendVideo=too_large) as server, both(server.root) as (ours, _):
        error = await raised(ours.send_video(5, DiskFile(clip, "a.mp4")))
    assert isinstance(error, NoAnswer)
    assert (error.status, was_done(error)) == (413, NO)


async def test_a_packed_answer_is_unpacked_and_one_without_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = answer(
        "200 OK", gzip.compress(json.dumps({"ok": True, "result": MESSAGE}).encode()), "Content-Encoding: gzip"
    )
    bomb = answer("200 OK", gzip.compress(bytes(5_000_000)), "Content-Encoding: gzip")
    monkeypatch.setattr(transport, "ANSWER_BYTES", 1_000_000)
    async with loopback(sendMessage=packed, sendVideo=bomb) as server, both(server.root) as (ours, _):
        assert (await ours.send_message(5, "a")).message_id == 1
        assert was_done(await raised(ours.send_video(5, "file_id"))) is UNKNOWN


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_gets_its_login_and_nobody_else_learns_it(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    refused = answer("407 Proxy Authentication Required", b"who are you?")
    async with loopback(sendMessage=ok(MESSAGE), **{"127.0.0.1:1": refused}) as server:
        proxy = f"http://us%40er:canary-4711@127.0.0.1:{server.port}"
        async with AiohttpRequest(proxy=proxy) as request:
            one = bot(f"{scheme}://127.0.0.1:1", request)
            assert "canary" not in repr(request)
            if scheme == "http":
                await one.send_message(5, "a fox")
                assert server.requests[0].line == f"POST http://127.0.0.1:1/bot{TOKEN}/sendMessage HTTP/1.1"
            else:
                error = await raised(one.send_message(5, "a fox"))
                assert server.requests[0].line.startswith("CONNECT 127.0.0.1:1 ")
                assert was_done(error) is NO
                assert tells(error) is None
                assert tells(error, "canary-4711") is None
            assert server.requests[0].headers["proxy-authorization"] == "Basic dXNAZXI6Y2FuYXJ5LTQ3MTE="
    async with AiohttpRequest(proxy="http://u:canary-4711@127.0.0.1:1") as request:
        error = await raised(bot("http://127.0.0.1:2", request).send_message(5, "a"))
        assert was_done(error) is NO
        assert tells(error, "canary-4711") is None


async def test_closed_and_never_opened_say_that_nothing_was_sent() -> None:
    request = AiohttpRequest()
    one = bot("http://127.0.0.1:1", request)
    for _ in range(2):
        assert was_done(await raised(one.send_message(5, "a"))) is NO
        await request.initialize()
        await request.initialize()
        await request.shutdown()
        await request.shutdown()


async def test_two_pools_and_a_client_that_does_not_show_its_token() -> None:
    me = {"id": 5556667778, "is_bot": True, "first_name": "R", "username": "reelay_bot"}
    async with loopback(
        getMe=ok(me), getUpdates=silence, getFile=ok({"file_id": "f", "file_path": "photos/1.jpg"})
    ) as server:
        client = Client(TOKEN, server.root)
        await client.initialize()
        poll = asyncio.create_task(client.get_updates(timeout=50))
        await until_async(lambda: len(server.requests) == 2)
        assert await client.path_of("f") == "photos/1.jpg"
        poll.cancel()
        server.answers["getFile"] = ok({"file_id": "f"})
        with pytest.raises(Gone):
            await client.path_of("f")
        await client.shutdown()
    told = [
        repr(client),
        str(client),
        repr(client.calls),
        repr(client.request),
        f"{client._request}",
        repr(OnDisk(Path("x"))),
    ]
    assert repr(client) == "Client(5556667778)"
    assert not [each for each in told if TOKEN.partition(":")[2] in each]


@pytest.mark.parametrize("level", [logging.INFO, logging.WARNING])
async def test_no_line_of_the_log_holds_the_token(level: int) -> None:
    stream = io.StringIO()
    logs = await asyncio.to_thread(configure, "text", (), level=level, stream=stream)
    try:
        async with (
            loopback(sendMessage=ok(MESSAGE), sendVideo=answer("502 Bad Gateway", HTML)) as server,
            both(server.root) as bots,
        ):
            for one in bots:
                await one.send_message(5, "a fox")
            error = await raised(bots[0].send_video(5, "file_id"))
            logging.getLogger("reelay.telegram").error("it failed: %r", error, exc_info=error)
        await asyncio.to_thread(logs.flush)
    finally:
        await asyncio.to_thread(logs.close)
    assert "it failed" in stream.getvalue()
    assert TOKEN.partition(":")[2] not in stream.getvalue()
    assert "[redacted]" not in stream.getvalue(), "there was nothing to hide"


async def test_many_calls_use_no_more_connections_than_they_may() -> None:
    async with loopback(sendMessage=ok(MESSAGE)) as server, both(server.root) as (ours, _):
        await asyncio.gather(*(ours.send_message(5, str(number)) for number in range(40)))
        assert server.connections == 2
        assert len(server.requests) == 40
