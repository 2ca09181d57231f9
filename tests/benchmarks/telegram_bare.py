"""The sides of the Telegram figures: the smallest bot that python-telegram-bot's own guide leads to, as a program of its own.

``python -m tests.benchmarks.telegram_bare`` reads one line of JSON from its input: ``root``, ``does``, ``with`` and what that needs.
``reply`` answers each /video with a word: ``with`` the library's default transport (``library``), the same bot over Reelay's (``ours``), or
aiohttp alone, without the library (``raw``). ``upload`` sends ``clip`` to the last of ``chats``, says that it is there, waits for a line,
sends it to all the others at once, from open files as the library's guide does it, says when all are answered, and waits for another line.
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

from bot.platforms.telegram.transport import POLL_CONNECTIONS, AiohttpRequest

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
    start, room, tasks = f"{wish['root']}/bot{wish.get('token', TOKEN)}/", asyncio.Semaphore(AT_ONCE), set()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:

        async def one(chat: int) -> None:
            async with room, http.post(f"{start}sendMessage", data={"chat_id": str(chat), "text": "ok"}) as answer:
                json.loads(await answer.read())

        offset = 0
        while True:
            async with http.post(f"{start}getUpdates", data={"offset": str(offset), "timeout": "5"}) as answer:
                found = json.loads(await answer.read())["result"]
            for update in found:
                offset = update["update_id"] + 1
                task = asyncio.create_task(one(update["message"]["chat"]["id"]))
                tasks.add(task)
                task.add_done_callback(tasks.discard)


async def upload(wish: Json) -> None:
    """All at once, after one that only warms up."""
    clip = Path(wish["clip"])
    async with Bot(wish["token"], base_url=f"{wish['root']}/bot") as bot:

        async def send(chats: list[int]) -> None:
            with ExitStack() as stack:
                files = [stack.enter_context(clip.open("rb")) for _ in chats]  # noqa: ASYNC230 - as its guide does
                sent = (bot.send_video(chat, file) for chat, file in zip(chats, files, strict=True))
                await asyncio.gather(*sent)

        await send(wish["chats"][-1:])
        print(json.dumps({"there": True}), flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        await send(wish["chats"][:-1])
        print(json.dumps({"sent": True}), flush=True)
        await asyncio.to_thread(sys.stdin.readline)  # until whoever weighs has looked


if __name__ == "__main__":
    asked = json.loads(sys.stdin.readline())
    does = upload if asked["does"] == "upload" else raw if asked["with"] == "raw" else library
    asyncio.run(does(asked))
