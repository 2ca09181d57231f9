"""Fetching results: streamed to a sink, from hosts that a stranger may have named.

An address comes from a vendor's answer, so it is treated as hostile: only http(s) on the usual ports, only public addresses, the name
looked up once and the connection made to what was found, redirects looked at one by one. The vendor's key goes to the configured root
and nowhere else. That root is trusted, also on a private address: the operator named it.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import AsyncIterator, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from core.errors import Garbled, Unavailable
from core.ports import Sink

REDIRECTS: Final = 3
PIECE: Final = 128 << 10
CONNECT_SECONDS: Final = 10.0
STILL_SECONDS: Final = 30.0
"""Without a single byte."""
SLOW_SECONDS: Final = 60.0
SLOWEST: Final = 8 << 10
"""Bytes per second, measured over ``SLOW_SECONDS``: whoever sends less only holds the connection."""
PORTS: Final[Mapping[str, int]] = {"http": 80, "https": 443}
HOST: Final = re.compile(r"[0-9a-z_-]+(?:\.[0-9a-z_-]+)*\.?|[0-9a-f:.]+", re.ASCII)
"""A name or an address in plain letters. What reads others makes plain ones of them: ``127。0。0。1`` is an address to aiohttp."""
NAT64: Final = ip_network("64:ff9b::/96")
LOCAL_NAT64: Final = ip_network("64:ff9b:1::/48")
"""A network's own translation prefix, RFC 8215."""
COMPATIBLE: Final = ip_network("::/96")
"""IPv4 addresses as IPv6 once had them; nobody is reached there."""


class NotPublic(OSError):
    """The address that a connection is about to be made to is not public."""


class Downloads:
    """Streams results. Opened at the first call; ``close`` frees the connections."""

    def __init__(self, root: str | None = None, headers: Mapping[str, str] | None = None) -> None:
        """``root``: the vendor's configured address; ``headers``, such as the key, go only there."""
        self._root = None if root is None else urlsplit(root)
        self._headers = dict(headers or {})
        self._guarded: aiohttp.ClientSession | None = None
        self._trusted: aiohttp.ClientSession | None = None

    async def fetch(self, url: str, sink: Sink, *, headers: Mapping[str, str] | None = None) -> None:
        """Write what ``url`` brings into ``sink``. ``headers``: more of them for the root alone.

        Raises Garbled for an address that must not be asked and for an answer that is no clip (a page, nothing, a refusal), and
        Unavailable when the connection broke, stalled or crawled; then it may be tried again from the start.
        """
        try:
            for _ in range(REDIRECTS + 1):
                onward = await self._once(url, sink, headers or {})
                if onward is None:
                    return
                url = onward
        except (aiohttp.ClientError, TimeoutError, ConnectionError, socket.gaierror) as error:
            if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, NotPublic):
                raise Garbled("the result's host has an address that is not public") from error
            raise Unavailable(f"the download broke: {type(error).__name__}") from error
        raise Garbled("the result is redirected again and again")

    async def _once(self, url: str, sink: Sink, headers: Mapping[str, str]) -> str | None:
        """Fetch, or return the address to which it is redirected."""
        parts = _split(url)
        is_ours = self._root is not None and _origin(parts) == _origin(self._root)
        if not is_ours:
            check_address(parts)
        session = self._session(trusted=is_ours)
        sent = {"Accept-Encoding": "identity"} | ({**self._headers, **headers} if is_ours else {})
        async with session.get(parts.geturl(), headers=sent, allow_redirects=False) as response:
            if response.status in (301, 302, 303, 307, 308):
                return _joined(url, response.headers.get("Location", ""))
            if response.status in (429, 500, 502, 503, 504):
                raise Unavailable("the result cannot be had now", status=response.status)
            if response.status != 200:
                raise Garbled("the result is not there", status=response.status)
            if response.content_type.startswith("text/") or response.content_type == "application/json":
                raise Garbled("the result is no clip", found=response.content_type)
            if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                raise Garbled("the result comes packed")
            await _pour(response, sink)
        return None

    def _session(self, *, trusted: bool) -> aiohttp.ClientSession:
        found = self._trusted if trusted else self._guarded
        if found is None:
            resolver, sockets = (None, None) if trusted else (PublicResolver(), public_socket)
            found = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=16, resolver=resolver, use_dns_cache=False, socket_factory=sockets
                ),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=STILL_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
            if trusted:
                self._trusted = found
            else:
                self._guarded = found
        return found

    async def close(self) -> None:
        """Free the connections."""
        for session in (self._trusted, self._guarded):
            if session is not None:
                await session.close()
        self._trusted = self._guarded = None


async def _pour(response: aiohttp.ClientResponse, sink: Sink) -> None:
    taken = 0
    async for piece in paced(response):
        await sink.write(piece)
        taken += len(piece)
    if not taken:
        raise Garbled("the result is empty")


async def paced(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """The pieces of a result. Raises Unavailable from whoever sends so slowly that the connection is only held."""
    since, began = 0, time.monotonic()
    async for piece in response.content.iter_chunked(PIECE):
        yield piece
        since += len(piece)
        seconds = time.monotonic() - began
        if seconds >= SLOW_SECONDS:
            if since < SLOWEST * seconds:
                raise Unavailable("the result comes too slowly")
            since, began = 0, time.monotonic()


class PublicResolver(AbstractResolver):
    """Looks a name up once. A single address that is not public refuses the whole name; the connection is made to what was found."""

    def __init__(self) -> None:
        self._system = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses. Raises Garbled when one of them is not public."""
        found = await self._system.resolve(host, port, family)
        if not found or not all(is_public(ip_address(each["host"].partition("%")[0])) for each in found):
            raise Garbled("the result's host has an address that is not public")
        return found

    async def close(self) -> None:
        """Nothing is held."""
        await self._system.close()


def public_socket(address: aiohttp.AddrInfoType) -> socket.socket:
    """A socket for a connection to ``address``, whoever found it. Raises NotPublic."""
    family, kind, protocol, _, whither = address
    if not is_public(ip_address(str(whither[0]).partition("%")[0])):
        raise NotPublic("not public")
    return socket.socket(family=family, type=kind, proto=protocol)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether everybody reaches the same host there; looks through the ways in which IPv6 carries an IPv4 address."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address.teredo is not None or address in LOCAL_NAT64 or address in COMPATIBLE:
            return False
        if inner is None and address in NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast


def check_address(parts: SplitResult) -> None:
    """Raise Garbled unless a stranger's address may be asked: http(s), its usual port, no address that is not public."""
    if parts.scheme not in PORTS or not parts.hostname:
        raise Garbled("the result's address is not http")
    if (parts.port or PORTS[parts.scheme]) not in PORTS.values():
        raise Garbled("the result's address has a strange port")
    host = parts.hostname
    if not HOST.fullmatch(host):
        raise Garbled("the result's address names no plain host")
    try:
        literal = ip_address(host)
    except ValueError:
        if _is_number(host):  # 2130706433, 0x7f.1 and the like: resolvers read them as addresses
            raise Garbled("the result's address is a number") from None
        return
    if not is_public(literal):
        raise Garbled("the result's address is not public")


def _is_number(host: str) -> bool:
    last = host.rstrip(".").rpartition(".")[2]
    return last.isdigit() or last.lower().startswith("0x")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - reading it is the check
    except ValueError:
        raise Garbled("the result's address cannot be read") from None
    if parts.username is not None or parts.password is not None:
        raise Garbled("the result's address carries a login")
    return parts


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        raise Garbled("the result's address cannot be read") from None


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or PORTS.get(parts.scheme)
