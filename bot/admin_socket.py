"""How ``reelay admin`` reaches the running process: a Unix socket in the data folder, for its owner only.

One connection, one line of JSON asked, one line answered::

    {"verb": "grant", "args": {"who": "web:local", "credits": 100}}
    {"ok": true, "result": {…}}      or      {"ok": false, "code": "NOT_FOUND", "text": "there is no job abc"}

Who may open the socket may do everything, as with the database beside it: the rights of the file (0600) are the only check.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Self

from core.errors import ReelayError, StorageError

SOCKET_NAME: Final = "admin.sock"
MOST_ASKED: Final = 64 << 10
MOST_ANSWERED: Final = 16 << 20
READ_SECONDS: Final = 10.0
CONNECT_SECONDS: Final = 3.0
DEADLINE_SECONDS: Final = 60.0
DEADLINES: Final[Mapping[str, float]] = {"backup": 6 * 3600.0, "probe": 300.0, "ledger": 300.0}
"""Seconds a verb may take; all others ``DEADLINE_SECONDS``."""
MOST_AT_ONCE: Final = 16
LONGEST_PATH: Final = 100
"""Bytes of a socket's path that every system takes (Linux 107, macOS 103: sys/un.h)."""

log = logging.getLogger("reelay.admin")
Answer = Callable[[str, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]


class NobodyAnswers(Exception):
    """No process listens on the folder's socket."""


class FellSilent(Exception):
    """It listens, but did not answer, or not to the end: nobody knows whether the command had its effect."""


class Refused(Exception):
    """The process answered that it cannot; ``code`` is the error's stable code, the text is for the operator."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class AdminSocket:
    """The server's end. Made by ``open``."""

    def __init__(self, folder: Path, answer: Answer) -> None:
        """Use ``open``."""
        self._path, self._answer = folder / SOCKET_NAME, answer
        self._server: asyncio.Server | None = None
        self._calls: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(cls, folder: Path, answer: Answer) -> Self:
        """Listen; the caller holds the folder's instance lock, so a socket that is there already is a dead one's.

        Raises OSError where the file system has no sockets.
        """
        door = cls(folder, answer)
        listening = await asyncio.to_thread(_listen, door._path)
        try:
            door._server = await asyncio.start_unix_server(door._called, sock=listening, limit=MOST_ASKED)
        except BaseException:
            listening.close()
            raise
        return door

    async def close(self) -> None:
        """Answer nobody any more. Twice is fine."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        for call in self._calls:
            call.cancel()
        if self._calls:
            await asyncio.wait(self._calls, timeout=5)
        await asyncio.to_thread(self._path.unlink, missing_ok=True)

    async def _called(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._calls.add(task)
            task.add_done_callback(self._calls.discard)
        try:
            if len(self._calls) > MOST_AT_ONCE:
                answer = _no("BUSY", "too many admin commands at once; try again")
            else:
                answer = await self._heard(reader)
            writer.write(json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
            async with asyncio.timeout(READ_SECONDS):
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            log.info("an admin command was given up by its caller")
        finally:
            writer.close()

    async def _heard(self, reader: asyncio.StreamReader) -> dict[str, Any]:
        try:
            async with asyncio.timeout(READ_SECONDS):
                line = await reader.readuntil(b"\n")
            asked = json.loads(line)
            verb, args = asked["verb"], asked["args"]
            if not isinstance(verb, str) or not isinstance(args, dict):
                raise TypeError
        except asyncio.LimitOverrunError:
            return _no("INVALID_REQUEST", f"an admin command has at most {MOST_ASKED} bytes")
        except (ValueError, KeyError, TypeError):
            return _no("INVALID_REQUEST", "an admin command is one line of JSON with verb and args")
        seconds = DEADLINES.get(verb, DEADLINE_SECONDS)
        try:
            async with asyncio.timeout(seconds):
                return {"ok": True, "result": await self._answer(verb, args)}
        except ReelayError as error:
            return _no(error.code, str(error))
        except TimeoutError:
            return _no("TIMEOUT", f"it took longer than {seconds:g} s and was given up")
        except Exception:
            log.exception("an admin command broke", extra={"verb": verb[:40]})
            return _no("INTERNAL", "Reelay has a fault here; its log says more")


def _no(code: str, text: str) -> dict[str, Any]:
    return {"ok": False, "code": code, "text": text}


def _listen(path: Path) -> socket.socket:
    """A listening socket under ``path``. It is made in a private folder and moved, so that nobody else can open it in between."""
    private = Path(tempfile.mkdtemp(prefix=".admin-", dir=path.parent))
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _reachable(private / "s") as short:
            listening.bind(short)
        (private / "s").chmod(0o600)
        listening.listen(MOST_AT_ONCE)
        listening.setblocking(False)
        (private / "s").replace(path)
    except BaseException:
        listening.close()
        raise
    finally:
        shutil.rmtree(private, ignore_errors=True)
    return listening


@contextlib.contextmanager
def _reachable(path: Path) -> Iterator[str]:
    """A name of ``path`` that is short enough for a socket: a folder of a long name is reached by a link to it."""
    full = str(path.absolute())
    if len(os.fsencode(full)) <= LONGEST_PATH:
        yield full
        return
    with tempfile.TemporaryDirectory(prefix="reelay-") as links:
        link = Path(links) / "d"
        link.symlink_to(path.parent.absolute(), target_is_directory=True)
        yield str(link / path.name)


def ask(folder: Path, verb: str, args: Mapping[str, Any]) -> dict[str, Any]:
    """Ask the process that runs on ``folder``; blocks. For the command line.

    Raises NobodyAnswers when none listens, Refused with its reason, FellSilent, and StorageError when the socket may not be used.
    """
    line = json.dumps({"verb": verb, "args": dict(args)}, ensure_ascii=False).encode() + b"\n"
    until = time.monotonic() + DEADLINES.get(verb, DEADLINE_SECONDS) + READ_SECONDS
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line_to:
        line_to.settimeout(CONNECT_SECONDS)
        try:
            with _reachable(folder / SOCKET_NAME) as short:
                line_to.connect(short)
        except (FileNotFoundError, ConnectionRefusedError, TimeoutError) as error:
            raise NobodyAnswers("nobody listens on its admin socket") from error
        except OSError as error:
            raise StorageError(f"cannot reach {folder / SOCKET_NAME}: {error.strerror}") from error
        try:
            line_to.settimeout(READ_SECONDS)
            with contextlib.suppress(BrokenPipeError):  # while too many ask it answers before it reads
                line_to.sendall(line)
            heard = bytearray()
            while not heard.endswith(b"\n"):
                line_to.settimeout(max(0.01, until - time.monotonic()))
                piece = line_to.recv(1 << 16)
                if not piece or len(heard) > MOST_ANSWERED:
                    break
                heard += piece
        except OSError as error:
            raise FellSilent(f"Reelay did not answer ({error.strerror or error}); see its log") from error
    return _understood(bytes(heard))


def _understood(heard: bytes) -> dict[str, Any]:
    if not heard.endswith(b"\n"):
        raise FellSilent("Reelay ended before it answered; look whether the command had its effect")
    try:
        answer = json.loads(heard)
        if answer["ok"]:
            result: dict[str, Any] = answer["result"]
            return result
        raise Refused(str(answer["code"]), str(answer["text"]))
    except (ValueError, KeyError, TypeError) as error:
        raise FellSilent("what listens on the admin socket is no Reelay") from error
