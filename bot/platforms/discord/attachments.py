"""Pictures and songs from Discord's own hosts, and from no other: streamed, capped, asked for anew when a signed link has expired."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp

from bot.platforms.discord.api import DiscordApi, NoAnswer, Refusal
from core.attachments import Attachment
from core.errors import Forbidden, Gone, TooLarge, Unreachable
from core.media import PICTURE_BYTES, SONG_BYTES

HOSTS: Final = frozenset(
    {"cdn.discordapp.com", "media.discordapp.net", "images-ext-1.discordapp.net", "images-ext-2.discordapp.net"}
)
"""Discord's CDN, its media proxy, and the proxy through which it shows other people's pictures."""
AVATARS: Final = "https://cdn.discordapp.com/"
NEAR: Final = frozenset({"127.0.0.1", "::1", "localhost"})
"""A REST root on this machine may be a lab, which has its pictures there; a proxy elsewhere passes on calls, but no pictures."""
FETCH_SECONDS: Final = 60.0
CHUNK: Final = 64 << 10


class Attachments:
    """Opens pictures by the reference that their command carried."""

    def __init__(self, http: aiohttp.ClientSession, api: DiscordApi, api_url: str, proxy: str | None) -> None:
        """The origin of ``api_url`` is trusted like the CDN: a lab or a proxy serves files there."""
        self._http, self._api, self._proxy = http, api, proxy
        parts = urlsplit(api_url)
        self._own = f"{parts.scheme}://{parts.netloc}"
        self._cdn = f"{self._own}/" if parts.hostname in NEAR else AVATARS

    def allowed(self, url: str) -> bool:
        """Whether we may fetch from there."""
        parts = urlsplit(url)
        if f"{parts.scheme}://{parts.netloc}" == self._own:
            return True
        return parts.scheme == "https" and parts.hostname in HOSTS and parts.port in (None, 443)

    def address(self, path_or_url: str) -> str:
        """The whole address of an avatar's path; anything else as it is."""
        if "://" in path_or_url:
            return path_or_url
        return self._cdn + path_or_url

    async def open(self, attachment: Attachment) -> AsyncIterator[bytes]:
        """Pieces of the file. Raises Gone, TooLarge, Unreachable, and Forbidden for a host that is not Discord's."""
        reference = attachment.reference or {}
        url = str(reference.get("url") or "")
        most = PICTURE_BYTES if attachment.mime.startswith("image/") else SONG_BYTES
        try:
            async for chunk in self._stream(url, most):
                yield chunk
            return
        except Gone:
            fresh = await self._anew(reference, url)
        async for chunk in self._stream(fresh, most):
            yield chunk

    async def _stream(self, url: str, most: int) -> AsyncIterator[bytes]:
        url = self.address(url)
        if not self.allowed(url):
            raise Forbidden("a picture from a host that is not Discord's", message_id="error.picture_gone")
        total = 0
        try:
            async with (
                asyncio.timeout(FETCH_SECONDS),
                self._http.get(url, proxy=self._proxy, allow_redirects=False) as answer,
            ):
                if answer.status in (403, 404, 410):
                    raise Gone("the link has expired", message_id="error.picture_gone")
                if answer.status != 200:
                    raise Unreachable(f"status {answer.status}")
                if (answer.content_length or 0) > most:
                    raise TooLarge("more than such a file may have", limit=most)
                async for chunk in answer.content.iter_chunked(CHUNK):
                    total += len(chunk)
                    if total > most:
                        raise TooLarge("more than such a file may have", limit=most)
                    yield chunk
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unreachable(type(error).__name__) from error

    async def _anew(self, reference: Any, expired: str) -> str:
        """Read the message again: its attachments come with fresh links. Raises Gone."""
        channel, message = reference.get("channel"), reference.get("message")
        gone = Gone("the picture is not there any more", message_id="error.picture_gone")
        if not channel or not message:
            raise gone
        try:
            found = await self._api.call("GET", f"/channels/{channel}/messages/{message}")
        except (Refusal, NoAnswer) as error:
            raise gone from error
        name = urlsplit(expired).path
        for each in found.get("attachments") or ():
            if urlsplit(str(each.get("url"))).path == name:
                return str(each["url"])
        raise gone


def reference(url: str, channel: str | None, message: str | None) -> dict[str, Collection[str]]:
    """What is stored of a picture until it is fetched."""
    return {name: value for name, value in (("url", url), ("channel", channel), ("message", message)) if value}
