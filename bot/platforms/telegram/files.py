"""Pictures and songs that people sent: streamed from Telegram's file server, or read from the folder of a local one."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from io import FileIO
from pathlib import Path
from typing import Final
from urllib.parse import quote

import aiohttp
from telegram.error import BadRequest, TelegramError
from yarl import URL

from bot.platforms.telegram.client import Client
from bot.platforms.telegram.refusals import as_error
from bot.platforms.telegram.transport import AiohttpRequest
from core.attachments import Attachment
from core.errors import Forbidden, Gone, TooLarge, Unreachable
from core.media import PICTURE_BYTES, SONG_BYTES

FETCH_SECONDS: Final = 60.0
CHUNK: Final = 64 << 10


class Files:
    """Opens files by the path that ``getFile`` told. No error holds that path, or an address: the token may stand in both."""

    def __init__(self, request: AiohttpRequest, root: str, token: str, local_folder: Path | None = None) -> None:
        """``local_folder``: where a local Bot API server keeps its files. Without it nothing is ever read from this disk."""
        self._request, self._start = request, f"{root}/file/bot{quote(token, safe=':')}/"
        self._folder = local_folder

    async def open(self, path: str, most: int = PICTURE_BYTES) -> AsyncIterator[bytes]:
        """Pieces of the file. Raises Gone (ask for its path anew), TooLarge above ``most`` bytes, Unreachable, Forbidden."""
        if path.startswith("/"):
            async for chunk in self._read(path, most):
                yield chunk
            return
        if "\\" in path or not all(part.strip(".") for part in path.split("/")):
            raise Forbidden("a path that leads out of the bot's files", message_id="error.picture_gone")
        async for chunk in self._fetch(URL(self._start + quote(path), encoded=True), most):
            yield chunk

    async def _fetch(self, url: URL, most: int) -> AsyncIterator[bytes]:
        total, failed = 0, ""
        try:
            async with asyncio.timeout(FETCH_SECONDS), self._request.download(url) as answer:
                _look_at(answer, most)
                async for chunk in answer.content.iter_chunked(CHUNK):
                    total += len(chunk)
                    if total > most:
                        raise TooLarge("more than a picture may have", limit=most)
                    yield chunk
        except (aiohttp.ClientError, TelegramError, TimeoutError, OSError) as error:
            failed = type(error).__name__
        if failed:
            raise Unreachable(failed)  # out here, where it has no context: aiohttp's exceptions hold the address

    async def _read(self, path: str, most: int) -> AsyncIterator[bytes]:
        """A path of this disk, which only a server that is told to share its folder may name."""
        if self._folder is None:
            raise Forbidden("a path of this machine, but no local server's folder", message_id="error.picture_gone")
        file, failed, total = None, "", 0
        try:
            file = await asyncio.to_thread(_opened, self._folder, path)
        except OSError as error:
            failed = type(error).__name__
        if file is None:  # out here, as above: a local server names its folders after tokens
            raise Gone(failed, message_id="error.picture_gone")
        try:
            while chunk := await asyncio.to_thread(file.read, CHUNK):
                total += len(chunk)
                if total > most:
                    raise TooLarge("more than a picture may have", limit=most)
                yield chunk
        finally:
            file.close()


class Attachments:
    """What came along with orders, by the name that Telegram gave it."""

    def __init__(self, client: Client, files: Files) -> None:
        """``client`` is asked where a file lies."""
        self._client, self._files = client, files

    async def open(self, attachment: Attachment) -> AsyncIterator[bytes]:
        """Stream a picture or a song. Raises Gone, TooLarge, Unreachable, Forbidden."""
        is_picture = attachment.mime.startswith("image/")
        file_id = str((attachment.reference or {}).get("file_id") or "")
        try:
            async for chunk in self._pieces(file_id, PICTURE_BYTES if is_picture else SONG_BYTES):
                yield chunk
        except Gone as error:
            if is_picture:
                raise
            raise Gone(str(error), message_id="error.upload_gone") from error

    async def _pieces(self, file_id: str, most: int) -> AsyncIterator[bytes]:
        for is_last in (False, True):
            path = await self._path(file_id)
            try:
                async for chunk in self._files.open(path, most):
                    yield chunk
                return
            except Gone:
                # A path lives for an hour at least, and nobody knows since when; nothing of the file has come then.
                if is_last:
                    raise

    async def _path(self, file_id: str) -> str:
        try:
            return await self._client.path_of(file_id)
        except TelegramError as error:
            found = as_error(error)
            if isinstance(error, BadRequest) and not isinstance(found, TooLarge):
                raise Gone(error.message, message_id="error.picture_gone") from error
            raise found from error


def _look_at(answer: aiohttp.ClientResponse, most: int) -> None:
    if answer.status in (400, 404, 410):
        raise Gone("the path has expired", message_id="error.picture_gone")
    if answer.status != 200:
        raise Unreachable(f"status {answer.status}")
    if (answer.content_length or 0) > most:
        raise TooLarge("more than a picture may have", limit=most)


def _opened(folder: Path, path: str) -> FileIO:
    """The file, when it really lies below ``folder``, wherever links lead, and is one. Raises Forbidden, OSError."""
    real = Path(path).resolve()
    if not real.is_relative_to(folder.resolve()):
        raise Forbidden("a path outside the local server's folder", message_id="error.picture_gone")
    descriptor = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Forbidden("no file", message_id="error.picture_gone")
    return FileIO(descriptor, "rb")
