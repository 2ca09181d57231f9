"""Results from addresses that a stranger may have written: what is asked, what is not, and that no key goes along."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from core.errors import Garbled, Unavailable
from providers import downloads
from providers.downloads import Downloads, PublicResolver, check_address, is_public
from tests.contracts.provider import Collector
from tests.lab.server import Simulator, cut

PRIVATE = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:a00:1::",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "fc00::1",
    "fd12::1",
    "fe80::1",
    "ff02::1",
    "2001:db8::1",
    "::7f00:1",
    "::8.8.8.8",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.216.34",
    "2606:4700:4700::1111",
    "64:ff9b::808:808",
    "2002:808:808::1",
    "::ffff:8.8.8.8",
]
BAD_ADDRESSES = [
    *(f"http://[{each}]/x" if ":" in each else f"https://{each}/x" for each in PRIVATE),
    "http://2130706433/x",
    "http://0x7f000001/x",
    "http://0x7f.1/x",
    "http://017700000001/x",
    "http://127.1/x",
    "http://127.0.0.1.:80/x",
    "http://[::ffff:7f00:1]/x",
    "http://[fe80::1%25eth0]/x",
    "http://127。0。0。1/x",
    "http://127．0．0．1/x",
    "http://127｡0｡0｡1/x",
    "http://１２７.0.0.1/x",
    "http://exam ple.org/x",
    "http://example.org\\x/x",
    "http://@example.org/x",
    "https://user@api.vendor.example/x",
    "https://example.org:8443/x",
    "http://example.org:22/x",
    "ftp://example.org/x",
    "file:///etc/passwd",
    "gopher://example.org/x",
    "data:video/mp4;base64,AAAA",
    "//example.org/x",
    "/x",
    "",
    "http:///x",
    "http://user:pass@example.org/x",
    "https://example.org:99999/x",
    "https://[::1/x",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_not_everybody_reaches_are_known(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_known(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("url", BAD_ADDRESSES)
async def test_an_address_that_must_not_be_asked_is_refused(url: str) -> None:
    fetching = Downloads("https://api.vendor.example", {"Authorization": "key"})
    try:
        with pytest.raises(Garbled, match="address"):
            await fetching.fetch(url, Collector())
    finally:
        await fetching.close()


@pytest.mark.parametrize("url", ["https://example.org/a", "http://example.org:80/a", "https://[2606:4700::1]/a"])
def test_ordinary_addresses_may_be_asked(url: str) -> None:
    check_address(urlsplit(url))


class Names(AbstractResolver):
    """A name server of the test; each look-up uses one answer up."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.looks = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        self.looks += 1
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            ResolveResult(hostname=host, host=each, port=port, family=socket.AF_INET, proto=0, flags=0)
            for each in found
        ]

    async def close(self) -> None:
        return


@pytest.mark.parametrize("found", [["127.0.0.1"], ["93.184.216.34", "10.0.0.1"], [], ["169.254.169.254"]])
async def test_a_name_with_one_private_address_is_refused_whole(found: list[str]) -> None:
    resolver = PublicResolver()
    resolver._system = Names(found)  # type: ignore[assignment] # the machine's own look-ups reach nothing here
    with pytest.raises(Garbled, match="address"):
        await resolver.resolve("rebound.example", 80)


async def test_a_name_is_looked_up_once_so_that_it_cannot_change_in_between() -> None:
    names = Names(["93.184.216.34"], ["127.0.0.1"])
    resolver = PublicResolver()
    resolver._system = names  # type: ignore[assignment] # as above
    assert [each["host"] for each in await resolver.resolve("rebound.example", 80)] == ["93.184.216.34"]
    assert names.looks == 1


@pytest.mark.parametrize("found", ["127.0.0.1", "::1", "fe80::1%lo", "::ffff:10.0.0.1"])
async def test_no_connection_leads_to_a_private_address_whoever_found_it(
    found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last door: aiohttp asks no resolver about what it takes for an address."""
    monkeypatch.setattr(downloads, "check_address", lambda _parts: None)
    monkeypatch.setattr(downloads, "PublicResolver", lambda: Names([found]))
    fetching = Downloads("https://api.vendor.example")
    for url in ("http://rebound.example/x", "http://127.0.0.1/x", "http://127。0。0。1/x"):
        with pytest.raises(Garbled, match="not public"):
            await fetching.fetch(url, Collector())
    await fetching.close()


class Host(Simulator):
    """Serves results, and notes who came with which headers."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, str | None]] = []
        self.onward = ""

    def routes(self, app: web.Application) -> None:
        app.router.add_get("/{name}", self._serve_one)

    async def _serve_one(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        self.seen.append((name, request.headers.get("Authorization")))
        match name:
            case "clip":
                return web.Response(body=b"clip" * 1000, content_type="video/mp4")
            case "page" | "json":
                kind = "text/html" if name == "page" else "application/json"
                return web.Response(body=b"<html>", content_type=kind)
            case "nothing" | "packed":
                packed = {"Content-Encoding": "gzip"} if name == "packed" else {}
                body = gzip.compress(b"clip") if packed else b""
                return web.Response(body=body, content_type="video/mp4", headers=packed)
            case "onward":
                return web.Response(status=302, headers={"Location": self.onward})
            case "round":
                return web.Response(status=307, headers={"Location": "/round"})
            case "nowhere" | "astray":
                return web.Response(status=302, headers={"Location": "http://[::1/x"} if name == "astray" else {})
            case "asked":
                asked = request.headers.get("Accept-Encoding", "")
                return web.Response(body=asked.encode(), content_type="video/mp4")
            case "cut":
                response = web.StreamResponse(headers={"Content-Length": "4000", "Content-Type": "video/mp4"})
                await response.prepare(request)
                await response.write(b"clip")
                cut(request)
                return response
            case "crawl":
                response = web.StreamResponse(headers={"Content-Type": "video/mp4"})
                await response.prepare(request)
                for _ in range(200):
                    await response.write(b"x")
                    await asyncio.sleep(0.02)
                return response
            case _:
                return web.Response(status=int(name))


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with Host() as found:
        yield found


@pytest.fixture
async def fetching(host: Host) -> AsyncIterator[Downloads]:
    host.seen.clear()
    found = Downloads(host.url, {"Authorization": "Bearer canary"})
    yield found
    await found.close()


async def test_the_configured_root_is_trusted_and_gets_the_key(host: Host, fetching: Downloads) -> None:
    sink = Collector()
    await fetching.fetch(f"{host.url}/clip", sink)
    assert bytes(sink.data) == b"clip" * 1000
    assert host.seen == [("clip", "Bearer canary")]


async def test_a_clip_is_asked_for_as_it_is(host: Host, fetching: Downloads) -> None:
    sink = Collector()
    await fetching.fetch(f"{host.url}/asked", sink)
    assert bytes(sink.data) == b"identity"


async def test_another_host_on_this_machine_is_not_asked(host: Host) -> None:
    host.seen.clear()
    elsewhere = Downloads("https://api.vendor.example", {"Authorization": "Bearer canary"})
    with pytest.raises(Garbled, match="address"):
        await elsewhere.fetch(f"{host.url}/clip", Collector())
    await elsewhere.close()
    assert not host.seen


async def test_a_redirect_to_another_host_gets_no_key(host: Host, fetching: Downloads) -> None:
    with Host() as foreign:
        fetching._guarded = fetching._session(
            trusted=True
        )  # as if the foreign host were public: only the key is in question
        check, downloads.check_address = downloads.check_address, lambda parts: None
        host.onward = f"{foreign.url}/clip"
        try:
            await fetching.fetch(f"{host.url}/onward", Collector())
        finally:
            downloads.check_address = check
        assert host.seen == [("onward", "Bearer canary")]
        assert foreign.seen == [("clip", None)]


@pytest.mark.parametrize("to", ["http://127.0.0.1:1/clip", "http://10.0.0.1/clip", "file:///etc/passwd"])
async def test_a_redirect_to_where_nobody_may_look_is_refused(host: Host, fetching: Downloads, to: str) -> None:
    host.onward = to
    with pytest.raises(Garbled, match="address"):
        await fetching.fetch(f"{host.url}/onward", Collector())


@pytest.mark.parametrize(
    "name", ["page", "json", "nothing", "round", "nowhere", "astray", "packed", "403", "404", "410", "206"]
)
async def test_what_is_no_clip_is_garbled(host: Host, fetching: Downloads, name: str) -> None:
    with pytest.raises(Garbled):
        await fetching.fetch(f"{host.url}/{name}", Collector())
    assert len(host.seen) <= downloads.REDIRECTS + 1


@pytest.mark.parametrize("name", ["cut", "429", "500", "502", "503", "504"])
async def test_what_may_come_later_is_unavailable(host: Host, fetching: Downloads, name: str) -> None:
    with pytest.raises(Unavailable):
        await fetching.fetch(f"{host.url}/{name}", Collector())


async def test_who_only_holds_the_connection_is_left(
    host: Host, fetching: Downloads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "SLOW_SECONDS", 0.2)
    with pytest.raises(Unavailable):
        await fetching.fetch(f"{host.url}/crawl", Collector())
