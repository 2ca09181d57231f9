"""The Bot API for the Telegram figures, with as little work for each call as can be, as a program of its own.

``python -m tests.benchmarks.telegram_server`` reads one line of JSON from its input: ``updates``, ``warm`` (how many of them come before
the clock starts) and ``latency`` (seconds until a message is answered). It prints ``{"port": …}``, and what it saw for ``GET /figures``.
The messages that are not warm are handed out when all warm ones are answered.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any, Final

BATCH: Final = 100
LENGTH: Final = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
ME: Final = {"id": 5556667778, "is_bot": True, "first_name": "Bare", "username": "bare_bot"}
MESSAGE: Final = {"message_id": 7, "date": 1, "chat": {"id": 5, "type": "private"}, "text": "ok"}
EMPTY_POLL_SECONDS: Final = 0.5


@dataclass
class Seen:
    """What has happened; times are ``time.monotonic()``."""

    given: int = 0
    answered: int = 0
    began: float = 0.0
    ended: float = 0.0
    connections: int = 0


class Api(asyncio.Protocol):
    """One connection; its client sends nothing before it was answered."""

    def __init__(self, wish: dict[str, Any], seen: Seen) -> None:
        self.wish, self.seen = wish, seen
        self.loop = asyncio.get_running_loop()
        self.transport: asyncio.Transport
        self.text = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.seen.connections += 1

    def data_received(self, data: bytes) -> None:
        self.text += data
        end = self.text.find(b"\r\n\r\n")
        if end < 0:
            return
        found = LENGTH.search(self.text, 0, end + 2)
        body = int(found[1]) if found else 0
        if len(self.text) - end - 4 >= body:
            path, self.text = self.text.split(b" ", 2)[1], b""
            self._answer(path.rpartition(b"/")[2].partition(b"?")[0].decode())

    def _answer(self, method: str) -> None:
        if method == "sendMessage":
            self.loop.call_later(self.wish["latency"], self._message)
        elif method == "getUpdates":
            self._updates()
        elif method == "figures":
            self._say(asdict(self.seen))
        else:
            self._say(ME if method == "getMe" else True)

    def _message(self) -> None:
        self.seen.answered += 1
        self.seen.ended = time.monotonic()
        self._say(MESSAGE)

    def _updates(self) -> None:
        seen, warm = self.seen, self.wish["warm"]
        most = warm if seen.answered < warm else self.wish["updates"]
        batch = [update(number) for number in range(seen.given, min(most, seen.given + BATCH))]
        if batch:
            if seen.given == warm:
                seen.began = time.monotonic()
            seen.given += len(batch)
            self._say(batch)
        else:
            pause = EMPTY_POLL_SECONDS if seen.given >= self.wish["updates"] else 0.01
            self.loop.call_later(pause, self._say, [])

    def _say(self, result: Any) -> None:
        body = json.dumps({"ok": True, "result": result}).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self.transport.write(head.encode() + body)


def update(number: int) -> dict[str, Any]:
    """A command of a person of their own."""
    person = {"id": 1000 + number, "is_bot": False, "first_name": "P"}
    message = {
        "message_id": 1,
        "date": 1,
        "chat": {"id": 1000 + number, "type": "private"},
        "from": person,
        "text": "/video a fox",
        "entities": [{"type": "bot_command", "offset": 0, "length": 6}],
    }
    return {"update_id": 10_000 + number, "message": message}


async def serve(wish: dict[str, Any]) -> None:
    """Until killed."""
    seen = Seen()
    server = await asyncio.get_running_loop().create_server(lambda: Api(wish, seen), "127.0.0.1", 0, backlog=1024)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(json.loads(sys.stdin.readline())))
