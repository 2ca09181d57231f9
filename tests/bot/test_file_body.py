"""A file on its way through a real request."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from io import FileIO
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from bot import file_body
from bot.file_body import PIECE, FileBody

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def served(handler: Handler) -> AsyncIterator[str]:
    """The address of a server with one route."""
    app = web.Application(client_max_size=1 << 30)
    app.router.add_post("/", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


def form(body: FileBody) -> aiohttp.MultipartWriter:
    writer = aiohttp.MultipartWriter("form-data")
    writer.append(body).set_content_disposition("form-data", name="files[0]", filename="clip.mp4")
    return writer


def open_files(path: Path) -> int:
    """How many descriptors of this process are this file."""
    found = 0
    for each in Path("/proc/self/fd").iterdir():
        try:
            found += each.readlink() == path
        except OSError:
            continue
    return found


async def closed(path: Path) -> None:
    async with asyncio.timeout(10):
        while open_files(path):  # noqa: ASYNC110 - a thread closes it
            await asyncio.sleep(0.01)


async def echo(request: web.Request) -> web.Response:
    reader = await request.multipart()
    part = await reader.next()
    assert isinstance(part, aiohttp.BodyPartReader)
    assert part.headers["Content-Type"] == "video/mp4"
    return web.Response(body=bytes(await part.read()), headers={"X-Length": str(request.content_length)})


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 7])
async def test_every_byte_arrives_and_the_length_is_told_before(tmp_path: Path, size: int) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(os.urandom(size))
    async with served(echo) as url, aiohttp.ClientSession() as http:
        for _ in range(2):
            async with http.post(url, data=form(FileBody(path, size, "video/mp4"))) as answer:
                assert await answer.read() == path.read_bytes()
                assert int(answer.headers["X-Length"]) > size
    await closed(path)


async def test_a_file_that_became_shorter_breaks_the_request_off(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(bytes(PIECE))
    async with served(echo) as url, aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.ClientError):
            await http.post(url, data=form(FileBody(path, PIECE + 1, "video/mp4")))
    await closed(path)


async def test_a_file_that_grew_is_sent_as_long_as_was_said(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(bytes(PIECE + 9))
    body = form(FileBody(path, PIECE + 5, "video/mp4"))
    async with served(echo) as url, aiohttp.ClientSession() as http, http.post(url, data=body) as answer:
        assert len(await answer.read()) == PIECE + 5
    await closed(path)


async def test_whoever_gives_up_leaves_no_open_file(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(bytes(40 * PIECE))
    begun, over = asyncio.Event(), asyncio.Event()

    async def deaf(request: web.Request) -> web.Response:
        begun.set()
        await asyncio.wait_for(over.wait(), 30)
        return web.Response()

    async with served(deaf) as url, aiohttp.ClientSession() as http:
        task = asyncio.create_task(http.post(url, data=form(FileBody(path, 40 * PIECE, "video/mp4"))))
        await asyncio.wait_for(begun.wait(), 10)
        async with asyncio.timeout(10):
            while not open_files(path):  # noqa: ASYNC110 - a thread opens it
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait({task})
        await closed(path)
        over.set()


async def test_it_is_read_no_further_than_a_piece_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, read = tmp_path / "clip.mp4", 0
    path.write_bytes(bytes(10 * PIECE))
    really = file_body._read

    def counted(file: FileIO) -> asyncio.Future[bytes]:
        nonlocal read
        read += 1
        return really(file)

    monkeypatch.setattr(file_body, "_read", counted)
    written = 0

    class Slow:
        async def write(self, piece: bytes) -> None:
            nonlocal written
            written += 1
            assert read <= written + 1

    await FileBody(path, 10 * PIECE, "video/mp4").write(Slow())  # type: ignore[arg-type]
    assert written == 10


def test_it_is_never_text() -> None:
    with pytest.raises(TypeError):
        FileBody(Path("clip.mp4"), 1, "video/mp4").decode()
