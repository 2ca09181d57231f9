"""A rush: thousands of people act at the same moment, and only the first answers matter.

A ``Discord`` whose callback route is a shortcut. A deferral is read off the socket without a framework, so that on two cores the
simulator takes a fraction of what the program under test takes; everything else goes the ordinary way, and what a shortcut answer
looks like to people is drawn when somebody asks for it. ``python -m tests.lab.discord`` runs one in a process of its own.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import re
import time
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from tests.lab.discord.interactions import ANSWER_SECONDS, DEFER, Interaction
from tests.lab.discord.refusal import Refusal
from tests.lab.discord.server import Discord
from tests.lab.discord.world import EPHEMERAL, Message

Json = dict[str, Any]
CALLBACK: Final = b"POST /api/v10/interactions/"
LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
BATCH: Final = 32
"""So many events go out before the answers that have come are looked at."""
BACKLOG: Final = 4096
QUIET: Final = logging.getLogger("tests.lab.discord.rush")
"""Never switched on: aiohttp asks before it writes a line for each request."""
WORDS: Final = {200: "OK", 204: "No Content", 400: "Bad Request", 404: "Not Found"}


@dataclass(slots=True)
class Burst:
    """What was sent at once and what came back."""

    waiting: deque[tuple[Interaction, str]] = field(default_factory=deque)
    """Prepared: the interaction and its JSON."""
    sent: list[Interaction] = field(default_factory=list)
    late: dict[str, float] = field(default_factory=dict)
    """Seconds after which an answer came that was refused for that."""
    began: float = 0.0
    send_seconds: float = 0.0
    last_answer: float = 0.0
    cpu_from: float = 0.0
    cpu_to: float = 0.0


class Fast(RequestHandler):
    """aiohttp's connection, which hands deferrals over before aiohttp reads them."""

    def __init__(self, server: web.Server, rush: Rush, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(server, loop=loop, access_log=QUIET, read_bufsize=1 << 18)
        self._rush, self._begun, self.acknowledges = rush, b"", False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._rush.connections += 1
        self._rush.most_connections = max(self._rush.most_connections, self._rush.connections)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._rush.connections -= 1
        if self.acknowledges:
            self._rush.acknowledging -= 1
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        idle = self._current_request is None and not self._messages and not self._upgraded
        if not self._begun and not (idle and data.startswith(CALLBACK)):
            super().data_received(data)
            return
        self._begun += data
        head, gap, body = self._begun.partition(b"\r\n\r\n")
        length = LENGTH.search(head + b"\r\n")
        if gap and length is not None and len(body) < int(length[1]):
            return
        if not gap and len(self._begun) < 8000:
            return
        whole, self._begun = self._begun, b""
        if length is None or not self._rush.takes(self, head, body):
            super().data_received(whole)


class Rush(Discord):
    """See above. ``latency``: seconds between the arrival of any request and its effect."""

    def __init__(self, *, latency: float = 0.0, validate: bool = False, **more: Any) -> None:
        super().__init__(validate=validate, **more)
        self.latency = self.door.latency["*"] = latency
        self.burst = Burst()
        self.connections = self.most_connections = 0
        self.acknowledging = self.most_acknowledging = self.ever_acknowledging = 0
        """Connections over which a first answer came."""
        self._unseen: dict[str, Message] = {}
        self._firing: Future[None] | None = None
        known = self.desk.by_token

        def by_token(application_id: str, token: str) -> Interaction:
            self._draw(token)
            return known(application_id, token)

        self.desk.by_token = by_token  # type: ignore[method-assign]

    async def _serve(self, port: int) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application(client_max_size=256 << 20)
        self.routes(app)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.2)
        await runner.setup()
        inner, loop = runner.server, self._loop
        assert inner is not None
        server = await loop.create_server(lambda: Fast(inner, self, loop), "127.0.0.1", port, backlog=BACKLOG)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._started.set()
        await self._stop.wait()
        server.close()
        await runner.cleanup()

    # -------------------------------------------------------------------------------------------------------------------- answers

    def takes(self, wire: Fast, head: bytes, body: bytes) -> bool:
        """Answer a deferral; False for anything else, which goes the ordinary way."""
        target = head[5 : head.index(b" ", 5)].decode()
        path, _, query = target.partition("?")
        try:
            said = json.loads(body)
            *_, interaction_id, token, last = path.split("/")
        except ValueError:
            return False
        data = said.get("data") if isinstance(said, dict) else None
        flags = (data or {}).get("flags") or 0
        if last != "callback" or said.get("type") != DEFER or set(data or {}) - {"flags"} or flags & ~EPHEMERAL:
            return False
        if not wire.acknowledges:
            wire.acknowledges = True
            self.acknowledging += 1
            self.ever_acknowledging += 1
            self.most_acknowledging = max(self.most_acknowledging, self.acknowledging)
        assert self._loop is not None
        wants = "with_response=1" in query or "with_response=true" in query
        work = (wire, interaction_id, token, bool(flags), wants)
        if self.latency:
            self._loop.call_later(self.latency, self._acknowledge, *work)
        else:
            self._acknowledge(*work)
        return True

    def _acknowledge(self, wire: Fast, interaction_id: str, token: str, ephemeral: bool, wants: bool) -> None:
        answer: Any = None
        now = self.clock()
        try:
            found = self.desk.due(interaction_id, token)
            message = self.desk.thinking(found, ephemeral=ephemeral)
            self.world.messages[message.id] = self._unseen[token] = message
            found.answer, found.answered_at = DEFER, now
            status, answer = (200, self.desk.told(found)) if wants else (204, None)
        except Refusal as refusal:
            status, answer = refusal.status, refusal.body()
            late = self.desk.known.get(interaction_id)
            if refusal.code == 10062 and late is not None:
                self.burst.late.setdefault(interaction_id, now - late.born)
        self.burst.last_answer = time.monotonic()
        self.burst.cpu_to = time.process_time()
        if wire.transport is not None:
            wire.transport.write(_response(status, answer))

    def _draw(self, token: str) -> None:
        """Show people an answer that came by the shortcut."""
        message = self._unseen.pop(token, None)
        if message is not None:
            self.world.seen("created", message)

    # ------------------------------------------------------------------------------------------------------------------ the crowd

    def prepare(self, count: int, command: str = "video", guilds: int = 1, tier: int = 0, **options: Any) -> None:
        """``count`` people, each with a command typed and the finger on Enter; ``{n}`` in an option is the person's number."""
        self.burst = Burst()
        rooms = [self.add_channel(self.add_guild(f"Cinema {n}", tier=tier)) for n in range(guilds)]
        typed: list[Interaction] = []
        deliver, self.desk.deliver = self.desk.deliver, typed.append
        try:
            for number in range(count):
                room = rooms[number % guilds]
                assert room.guild is not None
                person = self.add_person(f"person-{number}", room.guild)
                words = {k: v.replace("{n}", str(number)) if isinstance(v, str) else v for k, v in options.items()}
                person.slash(command, room, **words)
        finally:
            self.desk.deliver = deliver
        self.burst.waiting = deque((found, json.dumps(found.payload)) for found in typed)

    def begin(self, rate: float | None = None) -> int:
        """``fire`` from another thread, without waiting; returns how many are on their way."""
        assert self._loop is not None
        count = len(self.burst.waiting)
        self._firing = asyncio.run_coroutine_threadsafe(self.fire(rate), self._loop)
        return count

    async def fire(self, rate: float | None = None) -> None:
        """Send all that was prepared, at once or ``rate`` a second; ids and clocks begin when each is sent."""
        burst = self.burst
        gc.collect()
        gc.freeze()
        burst.began, burst.cpu_from = time.monotonic(), time.process_time()
        for number in range(len(burst.waiting)):
            if rate is not None:
                await asyncio.sleep(max(0.0, burst.began + number / rate - time.monotonic()))
            elif number % BATCH == 0:
                await asyncio.sleep(0)
            await self._send(*burst.waiting.popleft())
        burst.send_seconds = time.monotonic() - burst.began

    async def _send(self, found: Interaction, text: str) -> None:
        old, found.id = found.id, self.world.ids()
        found.born = self.clock()
        self.desk.known[found.id] = self.desk.known.pop(old)
        found.payload["id"] = found.metadata["id"] = found.id
        guild = found.channel.guild
        for session in list(self.gateway.sessions.values()):
            if guild is not None and (int(guild.id) >> 22) % session.shard[1] != session.shard[0]:
                continue
            session.seq += 1
            session.sent.append({"op": 0, "t": "INTERACTION_CREATE", "s": session.seq, "d": found.payload})
            if session.wire is not None:
                said = text.replace(old, found.id, 1)
                await session.wire.send_text(f'{{"op":0,"t":"INTERACTION_CREATE","s":{session.seq},"d":{said}}}')
        self.burst.sent.append(found)

    # -------------------------------------------------------------------------------------------------------------------- figures

    def figures(self) -> Json:
        """Of the last burst, in seconds; times run from the moment in which each interaction was sent."""
        burst = self.burst
        good = [f.answered_at - f.born for f in burst.sent if f.answered_at is not None]
        late = list(burst.late.values())
        times = sorted([*good, *late])
        return {
            "sent": len(burst.sent),
            "acknowledged": len(good),
            "in_time": sum(each <= ANSWER_SECONDS for each in good),
            "late": len(late),
            "never": len(burst.sent) - len(times),
            "p50": _rank(times, 0.5),
            "p90": _rank(times, 0.9),
            "p99": _rank(times, 0.99),
            "max": _rank(times, 1.0),
            "send_seconds": round(burst.send_seconds, 3),
            "total_seconds": round(max(0.0, burst.last_answer - burst.began), 3),
            "connections": {
                "acknowledging_most": self.most_acknowledging,
                "acknowledging_ever": self.ever_acknowledging,
                "all_most": self.most_connections,
            },
            "simulator_cpu_seconds": round(max(0.0, burst.cpu_to - burst.cpu_from), 3),
        }


def _rank(times: list[float], share: float) -> float | None:
    return round(times[min(len(times) - 1, int(share * len(times)))], 4) if times else None


def _response(status: int, answer: Any) -> bytes:
    body = b"" if answer is None else json.dumps(answer).encode()
    head = f"HTTP/1.1 {status} {WORDS[status]}\r\nVia: 1.1 google\r\nX-RateLimit-Limit: 50\r\nX-RateLimit-Remaining: 49\r\n"
    if status != 204:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body
