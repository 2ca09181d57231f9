"""A server on loopback that notes each request to the byte and answers as it is told; and what holds a secret."""

from __future__ import annotations

import asyncio
import json
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from telegram import Bot
from telegram.request import BaseRequest, HTTPXRequest

from bot.platforms.telegram.transport import AiohttpRequest

TOKEN: Final = "5556667778:AAFakeFakeFakeFakeFakeFakeFakeFake-_1"
MESSAGE: Final = {"message_id": 1, "date": 1, "chat": {"id": 5, "type": "private"}}
Answer = bytes | Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def answer(status: str, body: bytes, *headers: str) -> bytes:
    head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers))
    return head.encode() + b"\r\n" + body


def ok(result: Any) -> bytes:
    return answer("200 OK", json.dumps({"ok": True, "result": result}).encode(), "Content-Type: application/json")


def refusal(status: str, description: str, **parameters: Any) -> bytes:
    said = {"ok": False, "error_code": int(status[:3]), "description": description}
    return answer(status, json.dumps(said | ({"parameters": parameters} if parameters else {})).encode())


@dataclass
class Request:
    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Loopback:
    port: int = 0
    answers: dict[str, Answer] = field(default_factory=dict)
    """By the last part of the path; anything else is answered ``true``."""
    requests: list[Request] = field(default_factory=list)
    connections: int = 0

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                line, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
                headers = {name.lower(): text.strip() for name, _, text in (each.partition(":") for each in lines)}
                said = self.answers.get(line.split(" ")[1].rpartition("/")[2], ok(True))
                body = (
                    await reader.readexactly(int(headers.get("content-length", "0")))
                    if isinstance(said, bytes)
                    else b""
                )
                self.requests.append(Request(line, headers, body))
                if isinstance(said, bytes):
                    writer.write(said)
                    await writer.drain()
                else:
                    await said(reader, writer)
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def loopback(**answers: Answer) -> AsyncIterator[Loopback]:
    found = Loopback(answers=dict(answers))
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.close()


def bot(root: str, request: BaseRequest) -> Bot:
    return Bot(TOKEN, base_url=f"{root}/bot", request=request, get_updates_request=request)


@asynccontextmanager
async def both(root: str, **timeouts: float) -> AsyncIterator[tuple[Bot, Bot]]:
    """(ours, the library's)."""
    theirs = HTTPXRequest(
        connection_pool_size=2,
        httpx_kwargs={"trust_env": False},
        **{f"{name}_timeout": seconds for name, seconds in timeouts.items()},  # type: ignore[arg-type]
    )
    mine = AiohttpRequest(2, **{f"{name}_seconds": seconds for name, seconds in timeouts.items()})  # type: ignore[arg-type]
    async with mine, theirs:
        yield bot(root, mine), bot(root, theirs)


async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take what comes, and hang up."""
    await reader.read(64)
    writer.transport.abort()


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take what comes, and say nothing until the other side goes."""
    while await reader.read(1 << 20):
        pass


def tells(error: BaseException, secret: str = TOKEN) -> str | None:
    """Where an exception, or one that it hangs on, would show the secret; None: nowhere."""
    seen: list[BaseException | None] = [error]
    while seen:
        one = seen.pop()
        if one is None:
            continue
        for where, text in {
            "str": str(one),
            "repr": repr(one),
            "args": repr(one.args),
            "dict": repr(vars(one)),
            "traceback": "".join(traceback.format_exception(one)),
        }.items():
            if any(each in text for each in (secret, secret.replace(":", "%3A"), secret.rpartition(":")[2])):
                return f"{where} of {type(one).__name__}: {text}"
        seen += [one.__cause__, one.__context__]
    return None
