"""python-telegram-bot as it comes, pointed at the simulator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

from telegram import Bot, Update
from telegram.ext import Application
from telegram.request import HTTPXRequest

from tests.lab.telegram import Telegram
from tests.lab.waiting import until_async

App = Application[Any, Any, Any, Any, Any, Any]


def request(**more: Any) -> HTTPXRequest:
    """Without certificates, which nobody asks for here and which take a while to load."""
    return HTTPXRequest(httpx_kwargs={"trust_env": False, "verify": False}, **more)


def client(telegram: Telegram, token: str = "", **more: Any) -> Bot:
    """A bot without polling."""
    return Bot(
        token or telegram.token,
        base_url=f"{telegram.api_url}/bot",
        base_file_url=f"{telegram.api_url}/file/bot",
        request=request(**more),
        get_updates_request=request(),
        local_mode=telegram.shelf.local,
    )


@asynccontextmanager
async def running(telegram: Telegram, *handlers: Any, wanted: Any = Update.ALL_TYPES) -> AsyncIterator[App]:
    """An application that polls."""
    builder = Application.builder().bot(client(telegram)).concurrent_updates(True).job_queue(None)
    app = cast("App", builder.build())
    app.add_handlers(list(handlers))
    async with app:
        await app.start()
        assert app.updater is not None
        await app.updater.start_polling(timeout=5, allowed_updates=wanted)
        await until_async(lambda: telegram.queue.polls == 1)
        try:
            yield app
        finally:
            await app.updater.stop()
            await app.stop()
