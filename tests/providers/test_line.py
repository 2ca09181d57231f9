"""A line to a vendor: what each failure says about whether the vendor can have heard us."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp import web

from core.errors import Garbled, InvalidRequest, NothingSent, ProviderError, RateLimited, Unavailable, Unclear
from providers.line import ANSWER_BYTES, Answer, Line, refused_or_unclear, retry_after
from providers.poured import POURED, Body, Inline, data_uri
from tests.lab.server import Simulator, cut

DATE = "Sun, 22 Nov 2026 10:00:00 GMT"
LATER = "Sun, 22 Nov 2026 10:00:07 GMT"


@pytest.mark.parametrize(
    "headers, seconds",
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": " 7.5 "}, 7.5),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": "-3"}, 0.0),
        ({"Retry-After": "999999999"}, 86_400.0),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": LATER, "Date": DATE}, 7.0),
        ({"Retry-After": DATE, "Date": LATER}, 0.0),
        ({"Retry-After": "Sun, 22 Nov 2026 10:00:07 -0000", "Date": DATE}, 7.0),
        ({"Retry-After": "Sun, 99 Nov 2026 10:00:07 GMT", "Date": DATE}, None),
    ],
)
def test_how_long_to_wait_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_a_date_without_the_answers_own_is_held_against_our_clock() -> None:
    found = retry_after({"Retry-After": "Sun, 22 Nov 2099 10:00:00 GMT"})
    assert found == 86_400.0
    assert retry_after({"Retry-After": "Sun, 22 Nov 2020 10:00:00 GMT"}) == 0.0


class Vendor(Simulator):
    """Answers as it is told, and counts."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.answer = web.Response

    def routes(self, app: web.Application) -> None:
        app.router.add_route("*", "/{how}", self._reply)

    async def _reply(self, request: web.Request) -> web.StreamResponse:
        self.count += 1
        self.key = request.headers.get("Authorization")
        match request.match_info["how"]:
            case "cut":
                cut(request)
                return web.Response()
            case "page":
                return web.Response(body=b"<html>", content_type="text/html")
            case "long":
                return web.Response(body=b"[" + b"1," * (ANSWER_BYTES // 2) + b"1]", content_type="application/json")
            case "away":
                return web.Response(status=307, headers={"Location": "/good"})
            case "empty":
                return web.Response(status=204)
            case "sent":
                self.sent = await request.read()
                return web.json_response({"type": request.content_type, "length": request.content_length})
            case "good":
                return web.json_response({"a": 1})
            case status:
                return web.json_response({"why": "x"}, status=int(status), headers={"Retry-After": "3"})


def read_error(answer: Answer, submitting: bool) -> ProviderError:
    kinds: dict[int, type[ProviderError]] = {422: InvalidRequest, 429: RateLimited}
    return refused_or_unclear(kinds.get(answer.status), answer, submitting=submitting)


@pytest.fixture(scope="module")
def vendor() -> Iterator[Vendor]:
    with Vendor() as found:
        yield found


@pytest.fixture
async def line(vendor: Vendor) -> AsyncIterator[Line]:
    vendor.count = 0
    found = Line(vendor.url, read_error, {"Authorization": "Bearer canary"})
    yield found
    await found.close()


SUBMITS = [
    ("cut", Unclear),
    ("page", Unclear),
    ("long", Unclear),
    ("empty", Unclear),
    ("away", InvalidRequest),
    ("303", Unavailable),
    *(
        (str(status), InvalidRequest)
        for status in (301, 302, 308, 405, 406, 410, 411, 413, 414, 415, 422, 431, 451, 501)
    ),
    *((str(status), Unclear) for status in (402, 408, 409, 418, 425, 499)),
    ("429", RateLimited),
    ("500", Unclear),
    ("503", Unclear),
    ("418", Unclear),
]
ASKS = [
    ("cut", Unavailable),
    ("page", Garbled),
    ("long", Garbled),
    ("away", Unavailable),
    ("422", InvalidRequest),
    ("429", RateLimited),
    ("500", Unavailable),
]


@pytest.mark.parametrize("how, kind", SUBMITS)
async def test_a_submit_is_asked_once_whatever_comes(
    vendor: Vendor, line: Line, how: str, kind: type[ProviderError]
) -> None:
    with pytest.raises(ProviderError) as found:
        await line.submit(f"/{how}", {"prompt": "x"})
    assert type(found.value) is kind
    assert vendor.count == 1
    if kind is RateLimited:
        assert found.value.retry_after == 3


@pytest.mark.parametrize("how, kind", ASKS)
async def test_a_question_learns_nothing_or_is_refused(
    vendor: Vendor, line: Line, how: str, kind: type[ProviderError]
) -> None:
    with pytest.raises(ProviderError) as found:
        await line.ask("POST", f"/{how}")
    assert type(found.value) is kind
    assert vendor.count == 1


@pytest.mark.parametrize("size", [0, 1, POURED - 1, POURED, POURED + 1, 5 * POURED + 2])
async def test_files_in_a_body_arrive_whole(vendor: Vendor, line: Line, size: int) -> None:
    first, second = bytes(range(256)) * (size // 256 + 1), b"second" * 1000
    body = {
        "a": "\u00fc\ud83d",
        "deep": [{"image": data_uri(first[:size], "image/png")}],
        "bare": Inline(second),
        "z": 1.5,
    }
    answer = await line.submit("/sent", body)
    assert answer.data == {"type": "application/json", "length": len(vendor.sent)}
    sent = json.loads(vendor.sent)
    assert sent["deep"][0]["image"] == f"data:image/png;base64,{b64encode(first[:size]).decode()}"
    assert (b64decode(sent["bare"]), sent["a"], sent["z"]) == (second, "\u00fc\ud83d", 1.5)
    assert "second" not in repr(body["bare"])


async def test_a_large_file_is_never_turned_into_text_as_a_whole() -> None:
    """In one piece it took the loop 0.6 s and 170 MB for 32 MB (November 2026, 2 cores)."""
    body, turns = Body({"video": Inline(bytes(4 << 20))}), 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    beside = asyncio.create_task(others())
    pieces = [len(piece) async for piece in body.pieces()]
    beside.cancel()
    assert sum(pieces) == body.size
    assert max(pieces) == POURED // 3 * 4
    assert turns >= len(pieces) - 3, "the loop had a turn behind each"


async def test_good_answers_are_read(vendor: Vendor, line: Line) -> None:
    assert (await line.submit("/good", {})).data == {"a": 1}
    assert (await line.ask("GET", "/good")).data == {"a": 1}
    assert (await line.ask("DELETE", "/empty")).status == 204
    assert (await line.ask("GET", "/404", passes=(404,))).status == 404
    assert vendor.key == "Bearer canary"
    assert "canary" not in repr(line)


async def test_without_a_connection_nothing_was_sent() -> None:
    with Vendor() as gone:
        url = gone.url
    line = Line(url, read_error)
    with pytest.raises(NothingSent):
        await line.submit("/good", {})
    with pytest.raises(Unavailable):
        await line.ask("GET", "/good")
    await line.close()
