"""How python-telegram-bot's calls reach Telegram: aiohttp at the seam that the library has for it, ``telegram.request.BaseRequest``.

Not the library's own transport, for reasons measured in 2026-11 (docs/why/telegram-transport.md): with many calls at once it is ten times
slower, it cannot say whether a call that failed was sent, and its errors and logs carry the address, in which the token stands.

What is raised is what the library's own transport raises, in classes of ours where there is more to tell (``was_done``, ``status``).
No text here is made of what aiohttp, a proxy or a page in between said: each of them may repeat the address.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

import aiohttp
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from telegram.request import BaseRequest, RequestData
from yarl import URL

from bot.platforms.telegram.uploads import Multipart, body_of
from core.errors import WasDone

API_CONNECTIONS: Final = 256
"""As many as the library's own pool has; each upload holds one."""
POLL_CONNECTIONS: Final = 2
"""One waits for updates, and the poll that confirms them at the end may come beside it."""
CONNECT_SECONDS: Final = 10.0
POOL_SECONDS: Final = 10.0
WRITE_SECONDS: Final = 10.0
READ_SECONDS: Final = 20.0
MEDIA_READ_SECONDS: Final = 60.0
"""Telegram looks at an uploaded file before it answers; a time-out there leaves a clip that nobody may send again."""
UPLOAD_BYTES_PER_SECOND: Final = 200_000
"""Sending may take ``WRITE_SECONDS`` and a second for each so many bytes of files."""
ANSWER_BYTES: Final = 32 << 20
"""A hundred updates have far less; a picture has 20 MB at most."""
POOL_TEXT: Final = (
    "Pool timeout: All connections in the connection pool are occupied. Request was *not* sent to Telegram. "
    "Consider adjusting the connection pool size or the pool timeout."
)
KEPT_STATUSES: Final = frozenset({400, 401, 403, 404, 409})
"""Refusals for which the library has a class of its own."""
BEFORE_THE_FIRST_BYTE: Final = (
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientConnectorError,
    aiohttp.ClientHttpProxyError,
    aiohttp.InvalidURL,
)
NO_DECISION: Final = b'{"ok":false}'

Seconds = Any
"""A number, None, or ``BaseRequest.DEFAULT_NONE``, whose type is inside the library."""


class NoAnswer(NetworkError):
    """No answer that decides the call. ``status`` is the answer's, when there was one."""

    def __init__(self, message: str, was_done: WasDone, status: int | None = None) -> None:
        """``message``: the kind of failure, or Telegram's own words."""
        super().__init__(message)
        self.was_done, self.status = was_done, status


class Late(TimedOut):
    """It took too long."""

    def __init__(self, was_done: WasDone, message: str | None = None) -> None:
        """``message``: the library's, unless given."""
        super().__init__(message)
        self.was_done = was_done


class TooFast(RetryAfter):
    """Telegram asks us to wait ``seconds``."""

    def __init__(self, seconds: float) -> None:
        """Not by the library's own constructor, which warns of its own future each time (22.8)."""
        TelegramError.__init__(self, f"Flood control exceeded. Retry in {seconds:g} seconds")
        self._retry_after = timedelta(seconds=seconds)
        self.seconds = float(seconds)

    @property
    def retry_after(self) -> int | timedelta:
        """As the library has it, without the warning."""
        return int(self.seconds) if self.seconds.is_integer() else self._retry_after


def was_done(error: TelegramError) -> WasDone:
    """Whether the call may have had its effect: of refusals certainly not, else what is known of the sending."""
    if isinstance(error, NoAnswer | Late):
        return error.was_done
    if isinstance(error, BadRequest | ChatMigrated | Conflict | Forbidden | InvalidToken | RetryAfter):
        return WasDone.NO
    return WasDone.UNKNOWN


class AiohttpRequest(BaseRequest):
    """Makes calls, each of them once: no POST is repeated (aiohttp repeats only what is idempotent), no redirection followed.

    A call waits for a connection, connects, sends and is answered within times of their own, and all of it has an end. As with the
    library, None for any of them means that nobody looks at the clock.
    """

    __slots__ = ("_bound", "_http", "_proxy", "_room", "_seconds")

    def __init__(
        self,
        connections: int = API_CONNECTIONS,
        *,
        proxy: str | None = None,
        read_seconds: float = READ_SECONDS,
        write_seconds: float = WRITE_SECONDS,
        connect_seconds: float = CONNECT_SECONDS,
        pool_seconds: float = POOL_SECONDS,
    ) -> None:
        """``proxy``: an http or https address, with a login if it needs one; the environment's are not looked at."""
        self._bound, self._proxy = connections, proxy
        self._seconds = {
            "read": read_seconds,
            "write": write_seconds,
            "connect": connect_seconds,
            "pool": pool_seconds,
        }
        self._http: aiohttp.ClientSession | None = None
        self._room = asyncio.Semaphore(connections)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._bound} connections{', by a proxy' if self._proxy else ''})"

    @property
    def read_timeout(self) -> float:
        """Seconds for an answer; the library adds a long poll's own to them."""
        return self._seconds["read"]

    async def initialize(self) -> None:
        """Open the pool; more than once is harmless."""
        if self._http is None:
            self._room = asyncio.Semaphore(self._bound)
            self._http = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=300),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": self.USER_AGENT},
            )

    async def shutdown(self) -> None:
        """Close the pool; calls under way end with an error."""
        http, self._http = self._http, None
        if http is not None:
            await http.close()

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Seconds = BaseRequest.DEFAULT_NONE,
        write_timeout: Seconds = BaseRequest.DEFAULT_NONE,
        connect_timeout: Seconds = BaseRequest.DEFAULT_NONE,
        pool_timeout: Seconds = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """One call: the answer's status and body. Raises NoAnswer, Late, TooFast."""
        http = self._http
        if http is None:
            raise NoAnswer("not initialized", WasDone.NO)
        failure: NetworkError
        try:
            body, file_bytes, kind = await body_of(request_data)
        except (OSError, TypeError, ValueError) as error:  # a file that is gone; half of a surrogate pair in a text
            failure = NoAnswer(type(error).__name__, WasDone.NO)
        else:
            timeout = self._timeout(read_timeout, write_timeout, connect_timeout, file_bytes)
            room = self._room
            await _enter(room, _chosen(pool_timeout, self._seconds["pool"]))
            try:
                async with http.request(
                    method,
                    url,
                    data=body,
                    headers={"Content-Type": kind} if kind else None,
                    skip_auto_headers=None if kind else ("Content-Type",),
                    proxy=self._proxy,
                    allow_redirects=False,
                    timeout=timeout,
                ) as answer:
                    return _judged(answer.status, await _read(answer))
            except TelegramError:
                raise
            except Exception as error:  # noqa: BLE001  # whatever else comes would be quoted by BaseRequest, with the address
                failure = _failure(error, may_be_whole=not isinstance(body, Multipart) or body.is_whole)
            finally:
                room.release()
        raise failure  # out here, where it has no context: aiohttp's exceptions hold the address

    @asynccontextmanager
    async def download(self, url: URL) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer to a GET, over the same pool and proxy; nothing looks at the clock after the connection stands.

        Raises TelegramError where there is no room, and whatever aiohttp raises, which holds the address.
        """
        http, room = self._http, self._room
        if http is None:
            raise NoAnswer("not initialized", WasDone.NO)
        await _enter(room, self._seconds["pool"])
        timeout = aiohttp.ClientTimeout(total=None, connect=self._seconds["connect"])
        try:
            async with http.get(url, proxy=self._proxy, allow_redirects=False, timeout=timeout) as answer:
                yield answer
        finally:
            room.release()

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """Read an answer. Raises TelegramError; unlike the library's, writes nothing of what it could not read to the log."""
        found = _json(payload)
        if found is None or ("result" not in found and found.get("ok") is not False):
            raise TelegramError("Invalid server response")
        return found

    def _timeout(self, read: Seconds, write: Seconds, connect: Seconds, file_bytes: int) -> aiohttp.ClientTimeout:
        usual = self._seconds
        read = _chosen(read, max(usual["read"], MEDIA_READ_SECONDS) if file_bytes else usual["read"])
        write = _chosen(write, usual["write"] + file_bytes / UPLOAD_BYTES_PER_SECOND)
        connect = _chosen(connect, usual["connect"])
        total = None if read is None or write is None or connect is None else read + write + connect
        return aiohttp.ClientTimeout(total=total, connect=connect, sock_read=read)


def _chosen(asked: Seconds, usual: float) -> float | None:
    return usual if asked is BaseRequest.DEFAULT_NONE else asked


async def _enter(room: asyncio.Semaphore, seconds: float | None) -> None:
    if not room.locked():
        await room.acquire()  # without waiting
        return
    late = False
    try:
        async with asyncio.timeout(seconds):
            await room.acquire()
    except TimeoutError:
        late = True
    if late:
        raise Late(WasDone.NO, POOL_TEXT)


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    pieces, size = [], 0
    while piece := await answer.content.readany():
        size += len(piece)
        if size > ANSWER_BYTES:
            raise NoAnswer("an answer without end", WasDone.UNKNOWN, answer.status)
        pieces.append(piece)
    return b"".join(pieces)


def _judged(status: int, text: bytes) -> tuple[int, bytes]:
    """Hand on what the library decides the same way; raise what it would only give a text, and what needs no parsing twice."""
    if 200 <= status <= 299:
        return status, text
    said = _json(text)
    parameters = (said or {}).get("parameters")
    if isinstance(parameters, Mapping):
        seconds = parameters.get("retry_after")
        if isinstance(seconds, int | float) and seconds > 0:
            raise TooFast(seconds)
        if isinstance(parameters.get("migrate_to_chat_id"), int):
            return status, text
    if status in KEPT_STATUSES:
        return status, NO_DECISION if said is None or parameters else text
    phrase = f"{_phrase(status)} ({status})"
    description = (said or {}).get("description")
    raise NoAnswer(
        description if isinstance(description, str) and description else phrase,
        WasDone.NO if 400 <= status <= 499 else WasDone.UNKNOWN,
        status,
    )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown HTTPError"


def _json(text: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(text.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _failure(error: Exception, *, may_be_whole: bool) -> NetworkError:
    """What a failed sending is to the library, and what is known of it."""
    known = WasDone.UNKNOWN if may_be_whole and not isinstance(error, BEFORE_THE_FIRST_BYTE) else WasDone.NO
    if isinstance(error, TimeoutError):
        return Late(known)
    return NoAnswer(f"aiohttp.{type(error).__name__}", known)
