"""Readers who take nothing are let go, in time, and only they."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest_asyncio
from aiohttp import ClientSession, web

from bot.platforms.web.sending import send

PIECE = bytes(1 << 20)
PIECES = 64
"""More than the buffers of two sockets hold."""

Place = tuple[int, "asyncio.Future[BaseException | None]"]


@pytest_asyncio.fixture
async def serve() -> AsyncIterator[Callable[[float], Awaitable[Place]]]:
    """A server whose answer is long: ``port, ended = await serve(patience)``."""
    runners: list[web.AppRunner] = []

    async def start(patience: float) -> Place:
        ended: asyncio.Future[BaseException | None] = asyncio.get_running_loop().create_future()

        async def answer(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            try:
                for _ in range(PIECES):
                    await send(request, response, PIECE, patience)
            except ConnectionResetError as error:
                ended.set_result(error)
                return response
            ended.set_result(None)
            return response

        app = web.Application()
        app.router.add_get("/", answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner.addresses[0][1], ended

    yield start
    for runner in runners:
        await runner.cleanup()


async def test_a_reader_who_takes_nothing_is_let_go(serve: Callable[[float], Awaitable[Place]]) -> None:
    port, ended = await serve(0.2)
    with socket.create_connection(("127.0.0.1", port)) as silent:
        silent.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert isinstance(await asyncio.wait_for(ended, 20), ConnectionResetError)
        silent.settimeout(20)

        def read_to_the_end() -> int:
            count = 0
            while got := silent.recv(1 << 20):
                count += len(got)
            return count

        assert await asyncio.to_thread(read_to_the_end) < PIECES * len(PIECE), (
            "the connection ends before the answer does"
        )


async def test_a_reader_who_takes_its_time_gets_everything(serve: Callable[[float], Awaitable[Place]]) -> None:
    port, ended = await serve(20.0)
    async with ClientSession() as session, session.get(f"http://127.0.0.1:{port}/") as response:
        count = 0
        async for piece in response.content.iter_chunked(1 << 20):
            count += len(piece)
    assert (count, await ended) == (PIECES * len(PIECE), None)
