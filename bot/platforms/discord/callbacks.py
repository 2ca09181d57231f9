"""First answers, over connections of their own that speak as much HTTP/1.1 as this one call needs.

Discord gives three seconds, and thousands may ask at the same moment. A call by aiohttp takes 0.4 ms of processor time, more than all that
is done for a command until then; this takes a quarter of it (tests/benchmarks/discord_burst.py, 2026-11). What is not understood is an
error, never a guess. Where a proxy is configured, aiohttp makes these calls as well.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from dataclasses import dataclass
from typing import Final, cast
from urllib.parse import urlsplit

from multidict import CIMultiDict

MOST_BYTES: Final = 1 << 20
"""Of an answer with its head."""
IDLE_SECONDS: Final = 15.0
"""A connection that was not used for so long is not trusted to be there still."""
NAME_SECONDS: Final = 30.0
"""How long a server's addresses are believed."""
ADDRESSES: Final = 3
CONNECT_SECONDS: Final = 3.0
"""For each of so many addresses."""
WITHOUT_BODY: Final = frozenset({204, 304})


class NotSent(OSError):
    """No connection could be had, so nothing was sent."""


class Unreadable(OSError):
    """What came, or did not come, is no answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Of one call. ``keeps``: whether the connection may be used again."""

    status: int
    headers: CIMultiDict[str]
    text: bytes
    keeps: bool


class Callbacks:
    """Posts JSON to one server over at most ``most`` connections; whoever finds them all taken waits in line."""

    def __init__(self, root: str, most: int, agent: str) -> None:
        """``root``: with ``/api/v10``, without a slash at the end."""
        where = urlsplit(root)
        self._host, self._prefix = where.hostname or "", where.path
        self._tls = ssl.create_default_context() if where.scheme == "https" else None
        self._port = where.port or (443 if self._tls else 80)
        self._head = (
            f"Host: {where.netloc.rpartition('@')[2]}\r\nUser-Agent: {agent}\r\nAccept: application/json\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        )
        self._turns = asyncio.Semaphore(most)
        self._idle: list[_Wire] = []
        self._addresses: list[str] = []
        self._asked_at, self._asking = 0.0, asyncio.Lock()

    async def post(self, target: str, body: bytes) -> Answer:
        """One call. Raises NotSent, Unreadable. ``target``: path and query, all of it fit for a request line.

        A connection that turns out to be closed before a word came is tried again once, on a new one: to answer an interaction twice
        has no effect (Discord, error 40060).
        """
        if not target.isascii() or any(c.isspace() for c in target):
            raise NotSent("an address that is none")
        data = f"POST {self._prefix}{target} HTTP/1.1\r\n{self._head}{len(body)}\r\n\r\n".encode() + body
        async with self._turns:
            wire = self._used()
            if wire is not None:
                try:
                    return self._back(wire, await wire.ask(data))
                except Unreadable:
                    if wire.heard:
                        raise
            wire = await self._connected()
            return self._back(wire, await wire.ask(data))

    def _used(self) -> _Wire | None:
        """A connection that was used before and seems to be there still; the last one first, so that the others may grow old."""
        while self._idle:
            wire = self._idle.pop()
            if wire.is_fresh:
                return wire
            wire.close()
        return None

    async def _connected(self) -> _Wire:
        loop, tls = asyncio.get_running_loop(), self._tls
        name = self._host if tls else None
        for address in (await self._known())[:ADDRESSES]:
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    _, wire = await loop.create_connection(
                        lambda: _Wire(loop), address, self._port, ssl=tls, server_hostname=name
                    )
            except OSError:
                self._addresses.sort(key=address.__eq__)  # the others first from now on
            else:
                return wire
        raise NotSent("no connection")

    async def _known(self) -> list[str]:
        """Where the server is; asked once for all who want to know at the same time."""
        loop = asyncio.get_running_loop()
        async with self._asking:
            if not self._addresses or loop.time() > self._asked_at + NAME_SECONDS:
                try:
                    found = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
                except OSError as error:
                    raise NotSent("no address") from error
                self._addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
                self._asked_at = loop.time()
        return list(self._addresses)

    def _back(self, wire: _Wire, answer: Answer) -> Answer:
        if answer.keeps:
            self._idle.append(wire)
        else:
            wire.close()
        return answer

    def close(self) -> None:
        """Close what is idle; what is in use is closed by whoever waits for it."""
        while self._idle:
            self._idle.pop().close()


class _Wire(asyncio.Protocol):
    """One connection: one question at a time."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Answer] | None = None
        self._came = b""
        self._idle_since = 0.0
        self.heard = False
        """Whether anything came since the last question."""

    @property
    def is_fresh(self) -> bool:
        """Whether it may be used again."""
        there = self._transport is not None and not self._transport.is_closing()
        return there and self._loop.time() - self._idle_since < IDLE_SECONDS

    async def ask(self, data: bytes) -> Answer:
        """Send ``data`` and wait for the answer; whatever goes wrong ends the connection."""
        if self._transport is None or self._transport.is_closing():
            raise Unreadable("closed")
        self._came, self.heard, self._answer = b"", False, self._loop.create_future()
        self._transport.write(data)
        try:
            return await self._answer
        except BaseException:
            self.close()
            raise
        finally:
            self._answer, self._idle_since = None, self._loop.time()

    def close(self) -> None:
        """At once."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.heard = True
        self._came += data
        self._read(at_end=False)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._read(at_end=exc is None)
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(Unreadable("ended" if exc is None else type(exc).__name__))

    def _read(self, *, at_end: bool) -> None:
        if self._answer is None or self._answer.done():
            if self._came and not at_end:
                self.close()  # nobody asked
            return
        try:
            found = read_answer(self._came, at_end=at_end)
        except (ValueError, IndexError):
            self._answer.set_exception(Unreadable("no HTTP"))
            return
        if found is not None:
            self._answer.set_result(found)
        elif len(self._came) > MOST_BYTES:
            self._answer.set_exception(Unreadable("too long"))


def read_answer(came: bytes, *, at_end: bool) -> Answer | None:
    """The answer that stands at the beginning of ``came``; None while it is not whole. Raises ValueError for what is no HTTP/1.

    ``at_end``: nothing will come any more (RFC 9112, 6.3: without a length the end of the connection is the end of the body).
    """
    while True:  # ends: each round is an interim answer shorter
        head, gap, rest = came.partition(b"\r\n\r\n")
        if not gap:
            if not b"HTTP/1.".startswith(came[:7]):
                raise ValueError("no status line")
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        version, code, *_ = first.split(" ")
        if version not in {"HTTP/1.1", "HTTP/1.0"} or len(code) != 3 or not code.isdecimal():
            raise ValueError("no status line")
        if not code.startswith("1"):
            break
        came = rest
    headers: CIMultiDict[str] = CIMultiDict()
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise ValueError("no header")
        headers.add(name, value.strip())
    text, used, is_whole = _body(int(code), headers, rest, at_end=at_end)
    if not is_whole:
        return None
    keeps = not at_end and version == "HTTP/1.1" and headers.get("Connection", "").lower() != "close"
    return Answer(int(code), headers, text, keeps and used == len(rest))


def _body(status: int, headers: CIMultiDict[str], rest: bytes, *, at_end: bool) -> tuple[bytes, int, bool]:
    """(body, bytes used of ``rest``, whether it is whole)."""
    if status in WITHOUT_BODY:
        return b"", 0, True
    if "Transfer-Encoding" in headers:
        if headers["Transfer-Encoding"].lower() != "chunked":
            raise ValueError("a coding that nobody asked for")
        return _chunks(rest)
    if "Content-Length" in headers:
        said = headers["Content-Length"]
        if not said.isdecimal():
            raise ValueError("a length that is none")
        length = int(said)
        return rest[:length], length, len(rest) >= length
    return rest, len(rest), at_end


def _chunks(rest: bytes) -> tuple[bytes, int, bool]:
    found, at = [], 0
    while True:  # ends: ``at`` only rises
        end = rest.find(b"\r\n", at)
        if end < 0:
            return b"", 0, False
        size = int(rest[at:end].partition(b";")[0], 16)
        if size < 0:
            raise ValueError("a size that is none")
        begin = end + 2
        if size == 0:
            break
        if len(rest) < begin + size + 2:
            return b"", 0, False
        if rest[begin + size : begin + size + 2] != b"\r\n":
            raise ValueError("a piece without an end")
        found.append(rest[begin : begin + size])
        at = begin + size + 2
    if rest.startswith(b"\r\n", begin):
        return b"".join(found), begin + 2, True
    end = rest.find(b"\r\n\r\n", begin)  # trailers, which say nothing to us
    return b"".join(found), end + 4, end >= 0
