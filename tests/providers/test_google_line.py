"""The door through which Google's SDK sends: a paid submit goes out once, small, and what became of it is known."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from aiohttp import web

from core.errors import InvalidRequest, NothingSent, ProviderError, Unavailable, Unclear
from core.ports import EncodedPicture
from providers import gemini
from providers.google_line import Door, Order, certificates, lost, ordering, speaking_through
from tests.contracts.provider import attempt_for
from tests.contracts.vendor_faults import Pictures, world
from tests.lab.gemini import GeminiVendor
from tests.lab.omni import OmniVendor
from tests.lab.server import Simulator
from tests.lab.veo import Veo as Vertex
from tests.providers import veo_desk
from tests.providers.test_gemini import connected
from tests.providers.test_omni import omni, order

MEGABYTE = 1 << 20


class Listener(Simulator):
    """Answers with ``body``, and keeps what it was sent."""

    body = b"{}"
    status = 200

    def __init__(self) -> None:
        super().__init__()
        self.got: list[bytes] = []

    def routes(self, app: web.Application) -> None:
        app.router.add_route("*", "/{path:.*}", self._any)

    async def _any(self, request: web.Request) -> web.StreamResponse:
        self.got.append(await request.read())
        return web.Response(status=self.status, body=self.body, content_type="application/json")


@pytest.fixture(scope="module", autouse=True)
def trust() -> None:
    """Read as by ``connect``, in a thread: it reads files."""
    certificates()


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with speaking_through(Door(1000)) as found:
        yield found


async def test_a_submit_goes_out_once_whoever_sends_it_again(client: httpx2.AsyncClient) -> None:
    with Listener() as listener:
        with ordering() as sent:
            await client.post(listener.url, json={})
            with pytest.raises(RuntimeError, match="once"):
                await client.post(listener.url, json={})
        assert len(listener.got) == 1
        assert type(lost(RuntimeError(), sent)) is Unclear
        for _ in range(2):  # what is no submit may be asked again
            await client.get(listener.url)
        assert len(listener.got) == 3


async def test_orders_side_by_side_know_their_own_files_and_leave_none_behind(client: httpx2.AsyncClient) -> None:
    with Listener() as listener:

        async def send(number: int) -> None:
            with ordering({"a": b"file %d" % number}) as sent:
                (text,) = sent.texts
                await asyncio.sleep(0)
                await client.post(listener.url, json={"number": number, "file": text.decode()})

        await asyncio.gather(*(send(number) for number in range(4)))
    said = {b'{"number":0,"file":"ZmlsZSAw"}', b'{"number":1,"file":"ZmlsZSAx"}'}
    assert said < set(listener.got)
    assert len(listener.got) == 4


@pytest.mark.parametrize(
    "error, times, kind",
    [
        (httpx2.ConnectError("x"), 1, NothingSent),
        (httpx2.ConnectTimeout("x"), 1, NothingSent),
        (httpx2.PoolTimeout("x"), 1, NothingSent),
        (httpx2.ConnectError("x"), 2, Unclear),
        (httpx2.ReadError("x"), 1, Unclear),
        (httpx2.ReadTimeout("x"), 1, Unclear),
        (httpx2.WriteError("x"), 1, Unclear),
        (httpx2.RemoteProtocolError("x"), 1, Unclear),
        (TimeoutError(), 1, Unclear),
        (ConnectionResetError(), 1, Unclear),
        (ValueError("x"), 1, Unclear),
        (TimeoutError(), 0, NothingSent),
        (ConnectionResetError(), 0, NothingSent),
        (ValueError("x"), 0, InvalidRequest),
        (TypeError("x"), 0, InvalidRequest),
        (UnicodeEncodeError("utf-8", "x", 0, 1, "x"), 0, InvalidRequest),
    ],
)
def test_what_a_submit_without_an_answer_means(error: Exception, times: int, kind: type[ProviderError]) -> None:
    found = lost(error, Order({}, {}, times))
    assert type(found) is kind
    assert "x" not in str(found).split(": ")[1:]
    assert type(lost(error)) is Unavailable


@pytest.mark.parametrize("status, size, whole", [(200, 1000, True), (200, 1001, False), (400, 1001, True)])
async def test_an_answer_is_read_within_its_bound(
    client: httpx2.AsyncClient, status: int, size: int, whole: bool
) -> None:
    with Listener() as listener:
        listener.status, listener.body = status, b"x" * size
        if whole:
            assert len((await client.get(listener.url)).content) == size
        else:
            with pytest.raises(httpx2.ReadError):
                await client.get(listener.url)


async def test_a_refusal_has_a_bound_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providers.google_line.REFUSAL_BYTES", 500)
    with Listener() as listener:
        async with speaking_through(Door(None)) as client:
            listener.body = b"x" * MEGABYTE
            assert len((await client.get(listener.url)).content) == MEGABYTE
            listener.status = 400
            with pytest.raises(httpx2.ReadError):
                await client.get(listener.url)


async def test_no_answer_is_asked_for_packed(client: httpx2.AsyncClient) -> None:
    """A bound on packed bytes would bound nothing."""
    seen: list[str] = []

    class Packing(Listener):
        async def _any(self, request: web.Request) -> web.StreamResponse:
            seen.append(request.headers["Accept-Encoding"])
            return await super()._any(request)

    with Packing() as listener:
        await client.get(listener.url)
    assert seen == ["identity"]


class Large(Pictures):
    """Pictures and clips as large as the sheets let them be."""

    async def encoded(self, key: str, limits: Any) -> EncodedPicture:
        return EncodedPicture(b"\x89PNG" + key.encode() + bytes(2 * MEGABYTE), "image/png", 64, 36)


class Slow(Pictures):
    async def encoded(self, key: str, limits: Any) -> EncodedPicture:
        await asyncio.sleep(60)
        raise AssertionError


class Lost(Pictures):
    async def encoded(self, key: str, limits: Any) -> EncodedPicture:
        raise OSError("the disk")


@pytest.fixture
def bodies(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How long the bodies are that the SDK makes, on the event loop."""
    found: list[int] = []
    send = Door.handle_async_request

    async def measured(self: Door, request: httpx2.Request) -> httpx2.Response:
        found.append(len(request.content))
        return await send(self, request)

    monkeypatch.setattr(Door, "handle_async_request", measured)
    return found


async def test_the_sdk_of_omni_never_holds_a_picture_or_a_clip(bodies: list[int], tmp_path: Path) -> None:
    """With six references in its hands it held the loop for 60 to 80 ms, with a clip for 200 (November 2026, 2 cores)."""
    with OmniVendor() as vendor:
        generator = omni(vendor, world(tmp_path))
        clip = bytes(range(256)) * 4000
        generator.pictures = Large({"clip": clip})
        for wish in (order(references=tuple("abcdef")), order(extends="clip")):
            await generator.submit(wish, attempt_for(wish))
        await generator.close()
        drawn, extended = vendor.jobs.values()
        assert [len(each) for each in drawn.references] == [2 * MEGABYTE + 5] * 6
        assert [each[4:5] for each in drawn.references] == [b"a", b"b", b"c", b"d", b"e", b"f"]
        assert len(extended.wish["input"][0]["content"][0]["data"]) == (len(clip) + 2) // 3 * 4
    assert max(bodies) < 4000


async def test_the_sdk_of_gemini_never_holds_a_picture(bodies: list[int], tmp_path: Path) -> None:
    with GeminiVendor() as vendor:
        painter = connected(gemini.characters, vendor, tmp_path)
        seen = [EncodedPicture(b"\x89PNG" + bytes(MEGABYTE), "image/png", 64, 36)] * 2
        await painter.paint("an old keeper", seen)
        await painter.close()
    assert max(bodies) < 4000


async def test_an_order_that_cannot_be_put_into_words_is_no_doubt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person would be asked for a day whether to pay for what was never sent."""
    with OmniVendor() as vendor, monkeypatch.context() as patched:
        patched.setattr("providers.omni.payload", lambda *_, **__: {"model": "m", "input": object()})
        generator = omni(vendor, world(tmp_path))
        wish = order(prompt="a letter")
        with pytest.raises(InvalidRequest) as found:
            await generator.submit(wish, attempt_for(wish))
        assert "letter" not in str(found.value)
        assert found.value.__cause__ is None
        await generator.close()
        assert not vendor.journal
    with Vertex() as vertex:
        veo = veo_desk.veo(vertex, world(tmp_path))
        for wish in (veo_desk.order(seed="many"), veo_desk.order(prompt=7)):
            with pytest.raises(InvalidRequest):
                await veo.submit(wish, attempt_for(wish))
        await veo.close()
        assert not vertex.journal


@pytest.mark.parametrize("pictures", [Slow(), Lost()])
async def test_pictures_that_are_not_ready_in_time_leave_no_doubt(
    pictures: Pictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("providers.line.PREPARE_SECONDS", 0.05)
    with OmniVendor() as vendor, Vertex() as vertex:
        generator, veo = omni(vendor, world(tmp_path)), veo_desk.veo(vertex, world(tmp_path))
        generator.pictures = veo._pictures = pictures
        for maker, wish in ((generator, order(picture="a")), (veo, veo_desk.order(picture="a"))):
            with pytest.raises(NothingSent):
                await maker.submit(wish, attempt_for(wish))
            await maker.close()
        assert not vendor.journal
        assert not vertex.journal
