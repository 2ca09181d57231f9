"""The gateway: sessions that outlive their connections, and everything a shard can be told (events/gateway.mdx, opcodes)."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final
from uuid import uuid4

from aiohttp import WSMsgType, web

from tests.lab.discord.forms import Forms
from tests.lab.discord.journal import Journal
from tests.lab.discord.wires import Close, Session, Wire
from tests.lab.discord.world import Guild, World

Json = dict[str, Any]

DISPATCH, HEARTBEAT, IDENTIFY, PRESENCE, VOICE, RESUME, RECONNECT, MEMBERS, INVALID, HELLO, ACK = (
    0,
    1,
    2,
    3,
    4,
    6,
    7,
    8,
    9,
    10,
    11,
)
GUILDS, MEMBERS_INTENT, PRESENCES, GUILD_MESSAGES, DIRECT_MESSAGES, CONTENT = (
    1,
    1 << 1,
    1 << 8,
    1 << 9,
    1 << 12,
    1 << 15,
)
PRIVILEGED: Final = MEMBERS_INTENT | PRESENCES | CONTENT
ALL_INTENTS: Final = 0x0331FFFF
RESUMABLE: Final = frozenset({0, 1000, 1001, 4000, 4001, 4002, 4003, 4005, 4008})
"""After these from the gateway's side a session can be resumed; after the others a new one has to begin."""
SENDS, SEND_SECONDS, SEND_BYTES = 120, 60.0, 4096


class Gateway:
    """Speaks with the program's shards. Faults are switches that a test turns."""

    def __init__(self, world: World, forms: Forms, journal: Journal) -> None:
        self.world, self.forms, self.journal = world, forms, journal
        self.url = ""
        self.shards = 1
        self.sharding_required = False
        self.privileged = 0
        """Privileged intents that the developer portal has switched on."""
        self.heartbeat_seconds = 41.25
        self.acknowledges = True
        """False: a zombie that hears and says nothing."""
        self.keep_seconds = 180.0
        """How long a session can be resumed after its connection was lost: "a few minutes"."""
        self.identify_budget, self.identify_seconds = 1000, 5.0
        self.max_concurrency = 1
        """So many shards may identify within ``identify_seconds``; which of them wait for each other: id modulo this."""
        self.replay_more = 0
        """RESUME also repeats so many events that were received already."""
        self.copies = 1
        """How often each event is dispatched."""
        self.identifies: list[float] = []
        self.resumes: list[str] = []
        self.closes: list[int] = []
        """Close codes that programs sent."""
        self.sessions: dict[str, Session] = {}
        self._last_identify: dict[int, float] = {}
        self._lock = asyncio.Lock()

    # ------------------------------------------------------------------------------------------------------------------ connection

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """One websocket, from HELLO to its end."""
        socket = web.WebSocketResponse(max_msg_size=1 << 20, timeout=5.0)
        await socket.prepare(request)
        wire = Wire(socket, request.query.get("compress") == "zlib-stream")
        self.journal.write("connect", path=request.path, query=dict(request.query))
        watch = asyncio.create_task(self._watch(wire))
        try:
            if request.query.get("v") != "10" or request.query.get("encoding") != "json":
                raise Close(4012)
            await wire.send(
                {"op": HELLO, "d": {"heartbeat_interval": int(self.heartbeat_seconds * 1000)}, "s": None, "t": None}
            )
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await self._hear(wire, message.data)
                elif message.type is not WSMsgType.BINARY:
                    break
                else:
                    raise Close(4002)
        except Close as close:
            self.journal.write("close", code=close.code, by="gateway")
            self._forget(wire, resumable=close.code in RESUMABLE)
            wire.heard_out.set()
            wire.end(close.code)
        finally:
            wire.heard_out.set()
            await wire.rest()
            watch.cancel()
            code = socket.close_code or 1006
            self.closes.append(code)
            self.journal.write("closed", code=code)
            self._forget(wire, resumable=code not in {1000, 1001})
        return socket

    async def _watch(self, wire: Wire) -> None:
        """Without a heartbeat within one and a half intervals the connection is over."""
        while True:
            wire.beat.clear()
            try:
                await asyncio.wait_for(wire.beat.wait(), self.heartbeat_seconds * 1.5)
            except TimeoutError:
                if not self.acknowledges:
                    continue
                self.journal.write("close", code=4009, by="gateway")
                self._forget(wire, resumable=False)
                wire.end(4009)
                return

    def _forget(self, wire: Wire, *, resumable: bool) -> None:
        session = wire.session
        if session is None:
            return
        if session.wire is wire:
            session.wire, session.left_at = None, self.world.clock()
        if not resumable:
            self.sessions.pop(session.id, None)
        wire.session = None

    # --------------------------------------------------------------------------------------------------------------------- hearing

    async def _hear(self, wire: Wire, text: str) -> None:
        if len(text.encode()) > SEND_BYTES:
            raise Close(4002)
        now = self.world.clock()
        wire.sends.append(now)
        while wire.sends and wire.sends[0] < now - SEND_SECONDS:
            wire.sends.popleft()
        if len(wire.sends) > SENDS:
            raise Close(4008)
        try:
            said = json.loads(text)
            op, data = said["op"], said.get("d")
        except (ValueError, KeyError, TypeError):
            raise Close(4002) from None
        if op != HEARTBEAT:
            self.journal.write("heard", op=op, d=_without_token(data))
        if op == HEARTBEAT:
            await self._heartbeat(wire, data)
        elif op == IDENTIFY:
            await self._identify(wire, data)
        elif op == RESUME:
            await self._resume(wire, data)
        elif wire.session is None:
            raise Close(4003)
        elif op not in {PRESENCE, VOICE, MEMBERS}:
            raise Close(4001)

    async def _heartbeat(self, wire: Wire, seq: Any) -> None:
        if seq is not None and (not isinstance(seq, int) or (wire.session is not None and seq > wire.session.seq)):
            raise Close(4007)
        wire.beat.set()
        if self.acknowledges:
            await wire.send({"op": ACK, "d": None, "s": None, "t": None})

    def _check_identify(self, data: Any) -> tuple[int, int]:
        if not isinstance(data, dict) or not isinstance(data.get("properties"), dict):
            raise Close(4002)
        self._check_token(data.get("token"))
        shard = data.get("shard") or [0, 1]
        if len(shard) != 2 or not 0 <= shard[0] < shard[1]:
            raise Close(4010)
        if shard[1] == 1 and self.sharding_required:
            raise Close(4011)
        intents = data.get("intents")
        if not isinstance(intents, int) or intents & ~ALL_INTENTS:
            raise Close(4013)
        if intents & PRIVILEGED & ~self.privileged:
            raise Close(4014)
        return int(shard[0]), int(shard[1])

    def _check_token(self, token: Any) -> None:
        """The real library sends it bare, or with ``Bot`` before it."""
        if token not in {self.world.token, f"Bot {self.world.token}"}:
            raise Close(4004)

    async def _identify(self, wire: Wire, data: Any) -> None:
        if wire.session is not None:
            raise Close(4005)
        shard = self._check_identify(data)
        now = self.world.clock()
        recent = [at for at in self.identifies if at > now - 86_400]
        self.identifies.append(now)
        if len(recent) >= self.identify_budget:
            self.world.token = f"reset-{uuid4().hex}"  # Discord terminates all sessions and resets the token
            raise Close(4004)
        queue = shard[0] % self.max_concurrency
        last = self._last_identify.get(queue, float("-inf"))
        self._last_identify[queue] = now
        if now - last < self.identify_seconds:
            await wire.send({"op": INVALID, "d": False, "s": None, "t": None})
            return
        session = Session(uuid4().hex, shard, data["intents"], wire=wire)
        self.sessions[session.id] = wire_session = session
        wire.session = wire_session
        await self._dispatch(session, "READY", self._ready(session))
        for guild in list(self.world.guilds.values()):
            if session.intents & GUILDS and self.world.bot.id in guild.members and _shard(guild, shard[1]) == shard[0]:
                await self._dispatch(session, "GUILD_CREATE", self.forms.guild_create(guild))

    def _ready(self, session: Session) -> Json:
        guilds = [g for g in self.world.guilds.values() if self.world.bot.id in g.members]
        return {
            "v": 10,
            "user": self.forms.me(),
            "guilds": [
                {"id": g.id, "unavailable": True} for g in guilds if _shard(g, session.shard[1]) == session.shard[0]
            ],
            "session_id": session.id,
            "resume_gateway_url": f"{self.url}/resume",
            "shard": list(session.shard),
            "application": {"id": self.world.application_id, "flags": 0},
            "private_channels": [],
            "relationships": [],
            "presences": [],
            "user_settings": {},
            "session_type": "normal",
            "_trace": ["lab"],
        }

    async def _resume(self, wire: Wire, data: Any) -> None:
        if not isinstance(data, dict):
            raise Close(4002)
        self._check_token(data.get("token"))
        session, seq = self.sessions.get(str(data.get("session_id"))), data.get("seq")
        kept = session is not None and (
            session.left_at is None or self.world.clock() - session.left_at < self.keep_seconds
        )
        if session is None or not kept:
            await wire.send({"op": INVALID, "d": False, "s": None, "t": None})
            return
        if not isinstance(seq, int) or seq > session.seq:
            raise Close(4007)
        self.resumes.append(session.id)
        async with self._lock:
            wire.session, session.wire, session.left_at = session, wire, None
            for payload in [each for each in session.sent if each["s"] > seq - self.replay_more]:
                await wire.send(payload)
        await self._dispatch(session, "RESUMED", {"_trace": ["lab"]})

    # ---------------------------------------------------------------------------------------------------------------------- saying

    async def _dispatch(self, session: Session, name: str, data: Json) -> None:
        async with self._lock:
            session.seq += 1
            payload = {"op": DISPATCH, "t": name, "s": session.seq, "d": data}
            session.sent.append(payload)
            if session.wire is not None:
                await session.wire.send(payload)
        self.journal.write("dispatch", t=name, s=session.seq, d=data, reached=session.wire is not None)

    async def tell(self, name: str, data: Json, guild: Guild | None, intents: int = 0) -> int:
        """Dispatch to the shard that is responsible; returns how many sessions there were to tell."""
        told = 0
        for session in list(self.sessions.values()):
            if _shard(guild, session.shard[1]) != session.shard[0] or (intents and not session.intents & intents):
                continue
            told += 1
            seen = data
            if name.startswith("MESSAGE_") and "content" in data and not session.intents & CONTENT:
                seen = self._hidden(data, guild)
            for _ in range(self.copies):
                await self._dispatch(session, name, seen)
        return told

    def _hidden(self, data: Json, guild: Guild | None) -> Json:
        """Without the privileged intent other people's messages in guilds are empty, unless they mention the bot."""
        me = self.world.bot.id
        mine = data["author"]["id"] == me or any(user["id"] == me for user in data["mentions"])
        empty: Json = {"content": "", "embeds": [], "attachments": [], "components": []}
        return data if guild is None or mine else data | empty

    async def op(self, code: int, data: Any = None) -> None:
        """Send a bare operation to every connection: 7 asks to reconnect, 9 ends the session (data: whether it can be resumed)."""
        for session in list(self.sessions.values()):
            if code == INVALID and not data:
                self.sessions.pop(session.id, None)
            if session.wire is not None:
                await session.wire.send({"op": code, "d": data, "s": None, "t": None})

    async def close(self, code: int) -> None:
        """Close every connection; 0 cuts them without a word."""
        for session in list(self.sessions.values()):
            wire = session.wire
            if wire is None:
                continue
            self._forget(wire, resumable=code in RESUMABLE)  # before the program's own code of closing is heard
            self.journal.write("close", code=code, by="test")
            if code:
                wire.end(code)
            else:
                wire.cut()

    async def raw(self, text: str) -> None:
        """Send exactly this to every connection, also what is no JSON."""
        for session in list(self.sessions.values()):
            if session.wire is not None:
                await session.wire.socket.send_str(text)

    @property
    def connected(self) -> int:
        """How many shards are there now."""
        return sum(session.wire is not None for session in list(self.sessions.values()))


def _shard(guild: Guild | None, count: int) -> int:
    return 0 if guild is None else (int(guild.id) >> 22) % count


def _without_token(data: Any) -> Any:
    return {name: "…" if name == "token" else value for name, value in data.items()} if isinstance(data, dict) else data
