"""The sides of the Telegram figures: the smallest bot that python-telegram-bot's own guide leads to, as a program of its own.

``python -m tests.benchmarks.telegram_bare`` reads one line of JSON from its input: ``root``, ``does``, ``with`` and what that needs.
``reply`` answers each /video with a word: ``with`` the library's default transport (``library``), the same bot over Reelay's (``ours``), or
aiohttp alone, without the library (``raw``). ``upload`` says that it is there, waits for a line, sends ``clip`` to ``at_once`` chats at
once and says when all are answered: from a handle, as the library's guide does it, or by Reelay's ``DiskFile``.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import aiohttp
from telegram import Bot, Update
from telegram.ext import Application, ApplicationBuilder, CommandHandler, ContextTypes
from telegram.request import BaseRequest, HTTPXRequest

from bot.platforms.telegram.transport import POLL_CONNECTIONS, AiohttpRequest
from bot.platforms.telegram.uploads import DiskFile

TOKEN: Final = "5556667778:AAFakeFakeFakeFakeFakeFakeFakeFake-_1"
AT_ONCE: Final = 256
Json = dict[str, Any]


async def reply(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    """The handler of both."""
    del context
    assert update.message is not None
    await update.message.reply_text("ok")


async def library(wish: Json) -> None:
    """The library's bot, with its own transport or Reelay's; everything else is the same."""
    builder = (
        ApplicationBuilder().token(TOKEN).base_url(f"{wish['root']}/bot").concurrent_updates(AT_ONCE).job_queue(None)
    )
    if wish["with"] == "ours":
        builder = builder.request(AiohttpRequest(AT_ONCE)).get_updates_request(AiohttpRequest(POLL_CONNECTIONS))
    application: Application[Any, Any, Any, Any, Any, Any] = builder.build()
    application.add_handler(CommandHandler("video", reply))
    await application.initialize()
    await application.start()
    assert application.updater is not None
    await application.updater.start_polling()
    await asyncio.Event().wait()


async def raw(wish: Json) -> None:
    """What aiohttp can do when nothing stands on it."""
    start, room, tasks = f"{wish['root']}/bot{TOKEN}/", asyncio.Semaphore(AT_ONCE), set()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:

        async def one(chat: int) -> None:
            async with room, http.post(f"{start}sendMessage", data={"chat_id": str(chat), "text": "ok"}) as answer:
                json.loads(await answer.read())

        offset = 0
        while True:
            async with http.post(f"{start}getUpdates", data={"offset": str(offset)}) as answer:
                found = json.loads(await answer.read())["result"]
            for update in found:
                offset = update["update_id"] + 1
                task = asyncio.create_task(one(update["message"]["chat"]["id"]))
                tasks.add(task)
                task.add_done_callback(tasks.discard)


async def upload(wish: Json) -> None:
    """All at once, after one that only warms up."""
    request: BaseRequest = AiohttpRequest() if wish["with"] == "ours" else HTTPXRequest()
    clip = Path(wish["clip"])
    async with request:
        bot = Bot(TOKEN, base_url=f"{wish['root']}/bot", request=request)

        async def send(count: int) -> None:
            with ExitStack() as stack:
                files: list[Any] = [DiskFile(clip, "clip.mp4")] * count
                if wish["with"] == "library":
                    files = [stack.enter_context(clip.open("rb")) for _ in range(count)]  # noqa: ASYNC230 - as its guide does
                await asyncio.gather(*(bot.send_video(5, file, filename="clip.mp4") for file in files))

        await send(1)
        print(json.dumps({"there": True}), flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        await send(wish["at_once"])
        print(json.dumps({"sent": True}), flush=True)
        await asyncio.to_thread(sys.stdin.readline)  # until whoever weighs has looked


if __name__ == "__main__":
    asked = json.loads(sys.stdin.readline())
    does = upload if asked["does"] == "upload" else raw if asked["with"] == "raw" else library
    asyncio.run(does(asked))
