"""A simulator's home: one aiohttp application on 127.0.0.1, in a thread with a loop of its own.

The thread lets a simulator outlive the tests that use it and answer while a test waits without awaiting. Its state is plain Python
that the test reads and scripts directly; the interpreter's lock is enough for that.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, Self, TypeVar

from aiohttp import web

T = TypeVar("T")
START_SECONDS = 20.0


class Simulator:
    """Subclasses make their routes in ``routes``; ``with`` starts and stops the server."""

    def __init__(self) -> None:
        self.url = ""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._started = threading.Event()
        self._stop: asyncio.Event | None = None

    def routes(self, app: web.Application) -> None:
        """Add the routes to ``app``."""
        raise NotImplementedError

    async def interfere(self, request: web.Request) -> web.StreamResponse | None:
        """What a request is answered with before its route sees it; None: it goes its way."""
        del request
        return None

    @web.middleware
    async def _interference(self, request: web.Request, handler: Any) -> web.StreamResponse:
        found = await self.interfere(request)
        if found is not None:
            return found
        response: web.StreamResponse = await handler(request)
        return response

    def start(self, port: int = 0) -> Self:
        """Listen; returns when connections are taken. The same simulator may be started again on its old port."""
        self._started.clear()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(port)), name=type(self).__name__, daemon=True
        )
        self._thread.start()
        if not self._started.wait(START_SECONDS):
            raise TimeoutError(f"{type(self).__name__} did not start")
        return self

    async def _serve(self, port: int) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application(client_max_size=256 << 20, middlewares=[self._interference])
        self.routes(app)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.2)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port, reuse_address=True)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self._started.set()
        await self._stop.wait()
        await runner.cleanup()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rsplit(":", 1)[1])

    def stop(self) -> None:
        """Close; requests in flight are cut."""
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread is not None:
            self._thread.join(START_SECONDS)
        self._loop = self._thread = None

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the simulator's own loop."""
        if self._loop is None:
            raise RuntimeError("not started")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(START_SECONDS)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def cut(request: web.Request) -> None:
    """Close the caller's connection in the middle of whatever was being said."""
    if request.transport is not None:
        request.transport.abort()
