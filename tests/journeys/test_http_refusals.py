"""What cannot be taken is refused with the field's name and its legal values, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import base64
import importlib.util
import json
import select
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from tests.journeys.conftest import Shared
from tests.lab.api import Answer, Api, File, multipart
from tests.lab.waiting import until
from tests.media.hostile import gif_of, not_pictures, photo, png, text_bomb, webp_canvas

pytestmark = pytest.mark.journey

WRONG: dict[str, list[Any]] = {
    "prompt": ["", "   ", None, 7, ["a"], {"a": 1}, "x" * 4001, "x" * 100_000, True],
    "negative_prompt": ["x" * 1001, 7, ["a"]],
    "aspect_ratio": ["1:1", "16:10", "16/9", 16, ["16:9"], "16:9 "],
    "resolution": ["480p", "4k", 720, ["720p"], "720P"],
    "duration": ["5", 5, 0, -4, "8s", 8.5, "eight", True, [8], 1e9, "٨", "8.00", {"s": 8}, 10**40],
    "seed": [-1, 2**32, 1.5, "x", True, [1], "-0", 10**30],
    "generate_audio": ["yes", 1, 0, "on", [], "1"],
    "person_generation": ["everybody", 1, "ALLOW_ALL"],
    "provider": ["veo", "nobody", 7, ["local"], "Instant"],
    "model": ["veo-9", 7, "x" * 201],
    "session_id": ["x" * 129, 7, "a\nb", ["s"], {"s": 1}],
    "idempotency_key": ["x" * 129, 7, "a\x00b", [1]],
    "parent_id": ["x" * 129, 7],
    "reuse_image_of": ["x" * 129, 7],
}
NOT_GIVEN = {
    "negative_prompt": "",
    "seed": None,
    "session_id": "",
    "idempotency_key": None,
    "aspect_ratio": None,
    "duration": "",
}


@pytest.fixture
def nothing_left(shared: Shared) -> Iterator[None]:
    """No job, hold or upload comes of whatever the test does."""

    def count() -> tuple[int, int, list[str]]:
        jobs, holds = (
            shared.reelay.value(f"SELECT COUNT(*) FROM {table}") for table in ("jobs", "ledger WHERE kind = 'hold'")
        )
        uploads = [path.name for path in (shared.reelay.data / "clips").rglob("*.upload")]
        return int(jobs), int(holds), sorted(uploads)

    before = count()
    yield
    assert count() == before


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("name", WRONG)
def test_a_field_out_of_range_is_named_with_its_legal_values(shared: Shared, name: str) -> None:
    for value in WRONG[name]:
        fields = {"prompt": "a lighthouse", "provider": "instant", name: value}
        answer = shared.api("frank").post("/api/video_chat/generate", fields)
        assert answer.status == 400, f"{name}={str(value)[:40]!r} gave {answer.status} {answer.body[:200]!r}"
        assert answer["error_code"] == "INVALID_REQUEST"
        assert answer["details"].startswith(f"{name}: "), answer.json
        assert name in answer["message"]
        assert len(answer.body) < 2000, "what was wrong is not sent back whole"


def test_an_empty_field_is_one_that_was_not_given(shared: Shared) -> None:
    answer = shared.api("frank").post("/api/video_chat/generate", {"prompt": "x", "provider": "instant", **NOT_GIVEN})
    assert answer.status == 202
    assert answer["applied"]["aspect_ratio"] == "16:9"


@pytest.mark.parametrize("name", [name for name in WRONG if name != "prompt"])
def test_the_same_fields_are_refused_in_a_form(shared: Shared, name: str) -> None:
    wrong = next(
        value for value in WRONG[name] if isinstance(value, str) and value and "\n" not in value and "\0" not in value
    )
    fields: dict[str, Any] = {"prompt": "x", "provider": "instant", name: wrong}
    answer = shared.api("frank").generate_with_image(photo(), **fields)
    assert (answer.status, answer["details"].split(":")[0]) == (400, name)
    assert list((shared.reelay.data / "clips").rglob("*.upload")) == [], "a refused command leaves no upload"


@pytest.mark.usefixtures("nothing_left")
def test_a_prompt_of_100000_characters_is_refused_and_named(shared: Shared) -> None:
    for text in ("x" * 100_000, "🎬" * 100_000, "\u202e" * 100_000):
        body = json.dumps({"prompt": text, "provider": "instant"}, ensure_ascii=False).encode()
        answer = shared.api("frank").request(
            "POST", "/api/video_chat/generate", body=body, headers={"Content-Type": "application/json"}
        )
        assert (answer.status, answer["details"].split(":")[0]) == (400, "prompt")


def test_a_prompt_at_the_limit_is_taken_as_it_is(shared: Shared) -> None:
    prompt = "é" * 3999 + "."
    job = shared.api("frank").ordered(prompt, provider="instant")
    assert shared.api("frank").status(job)["prompt"] == prompt


def deep(depth: int) -> bytes:
    return b'{"prompt":' + b"[" * depth + b"]" * depth + b"}"


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize(
    "body",
    [b"{", b"nonsense", b"[]", b'"text"', b"null", b"1", b"{'prompt': 'x'}", b'{"prompt": "x"', b"\xff\xfe", b'{"prompt": "\xff"}',
     b"\x00" * 100, deep(10_000), deep(200_000), b'{"a":' * 50_000, b'{"prompt": "x", "seed": NaN}', b'{"prompt": "x", "seed": 1e999}', b'{"prompt": "x", "a": {"b": [-Infinity]}}',  # noqa: E501
     b'{"prompt": "a \\ud800 b", "provider": "instant"}', b'{"prompt": "x", "\\udfff": 1}', b'{"prompt": "x"} {"prompt": "y"}'],
    ids=lambda body: repr(body[:16]),
)  # fmt: skip
def test_broken_json_is_refused(shared: Shared, body: bytes) -> None:
    answer = shared.api("frank").request(
        "POST", "/api/video_chat/generate", body=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status in {400, 413}, answer.body
    assert answer["error_code"] in {"INVALID_REQUEST", "TOO_LARGE"}


@pytest.mark.usefixtures("nothing_left")
def test_a_body_that_cannot_be_unpacked_is_refused(shared: Shared) -> None:
    for path, mime in (("generate", "application/json"), ("generate_with_image", "multipart/form-data; boundary=B")):
        headers = {"Content-Type": mime, "Content-Encoding": "gzip"}
        answer = shared.api("frank").request("POST", f"/api/video_chat/{path}", body=b"not gzip", headers=headers)
        assert (answer.status, answer["error_code"]) == (400, "INVALID_REQUEST"), path


def test_control_characters_are_left_out_of_a_prompt(shared: Shared) -> None:
    job = shared.api("frank").ordered("a\u0000b\u202ec\u0007 🎬", provider="instant")
    assert shared.api("frank").status(job)["prompt"] == "a bc 🎬"


@pytest.mark.usefixtures("nothing_left")
def test_the_wrong_kind_of_body_is_415(shared: Shared) -> None:
    for mime in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "image/png"):
        answer = shared.api("frank").request(
            "POST", "/api/video_chat/generate", body=b'{"prompt": "x"}', headers={"Content-Type": mime}
        )
        assert answer.status == 415, mime


# ------------------------------------------------------------------------------------------------------------------------- forms


def form(shared: Shared, body: bytes, mime: str = "multipart/form-data; boundary=B") -> Answer:
    return shared.api("frank").request(
        "POST", "/api/video_chat/generate_with_image", body=body, headers={"Content-Type": mime}
    )


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--B--\r\n",
        b"--B\r\n",
        b"--B\r\nContent-Disposition: form-data\r\n\r\nx\r\n--B--\r\n",
        b'--B\r\nContent-Disposition: form-data; name="prompt"\r\n\r\nx',
        b'--B\r\nContent-Disposition: form-data; name="prompt"\r\n\r\nno picture\r\n--B--\r\n',
        b'--B\r\nContent-Disposition: form-data; name="prompt"\r\n\r\n\xff\xfe\r\n--B--\r\n',
        b'--B\r\nContent-Type: multipart/mixed; boundary=C\r\nContent-Disposition: form-data; name="image_file"\r\n\r\n--C\r\n\r\nx\r\n--C--\r\n--B--\r\n',  # noqa: E501
        b'--B\r\nContent-Disposition: form-data; name="image_file"; filename="a.png"\r\nContent-Encoding: gzip\r\n\r\nnot gzip\r\n--B--\r\n',  # noqa: E501
        b'--B\r\nContent-Disposition: form-data; name="other"; filename="a.png"\r\n\r\nx\r\n--B--\r\n',
        b"\x00" * 1000,
        b"--X\r\n\r\n--X--\r\n",
        b'--B\r\nContent-Disposition: form-data; name="prompt"\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!\r\n--B--\r\n',
    ],
    ids=range(13),
)
def test_odd_forms_are_refused(shared: Shared, body: bytes) -> None:
    answer = form(shared, body)
    assert 400 <= answer.status < 500, answer.body
    assert answer["error_code"]


@pytest.mark.usefixtures("nothing_left")
def test_forms_beyond_their_bounds_are_refused(shared: Shared) -> None:
    mime, body = multipart({f"field{n}": "x" for n in range(100)})
    assert form(shared, body, mime).status == 400
    mime, body = multipart({"prompt": "x" * 300_000, "image_file": File(photo())})
    assert form(shared, body, mime)["details"].startswith("prompt: ")
    answer = form(shared, *multipart_of("no boundary at all"))
    assert answer.status == 400
    assert form(shared, b"{}", "application/json").status == 400


def multipart_of(text: str) -> tuple[bytes, str]:
    return text.encode(), "multipart/form-data"


def test_a_form_without_end_is_cut(shared: Shared) -> None:
    """Refused as soon as it is too much, not when it ends; nothing of it stays on the disk."""
    place = urlsplit(shared.reelay.url)
    head = (
        f"POST /api/video_chat/generate_with_image HTTP/1.1\r\nHost: {place.netloc}\r\n"
        "Content-Type: multipart/form-data; boundary=B\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    part = b'--B\r\nContent-Disposition: form-data; name="image_file"; filename="a.png"\r\n\r\n\x89PNG\r\n\x1a\n'
    piece = b"100000\r\n" + bytes(1 << 20) + b"\r\n"
    incoming = shared.reelay.data / "clips" / "incoming"
    sent = 0
    with socket.create_connection((place.hostname, place.port), timeout=20) as connection:
        connection.sendall(head.encode() + f"{len(part):x}\r\n".encode() + part + b"\r\n")
        while sent < 64 and not select.select([connection], [], [], 0)[0]:
            connection.sendall(piece)
            sent += 1
        assert connection.recv(12) == b"HTTP/1.1 413"
    assert sent >= 20
    until(lambda: not list(incoming.glob("*")), what="the half upload to be removed")


# ------------------------------------------------------------------------------------------------------------------------ pictures


@pytest.mark.usefixtures("nothing_left")
def test_what_is_no_picture_is_415_at_once(shared: Shared, tmp_path: Path) -> None:
    things = not_pictures(tmp_path / "canary")
    if importlib.util.find_spec("pillow_heif") is not None:
        things.pop("heic.jpg", None)  # with the extra installed it is opened, and found to be damaged, while preparing
    for name, (data, found) in things.items():
        answer = shared.api("erin").generate_with_image(File(data, name), prompt="x", provider="instant")
        assert answer.status == 415, f"{name} gave {answer.status} {answer.body!r}"
        assert answer["error_code"] == "UNSUPPORTED_MEDIA", name
        assert "PNG, JPEG and WebP work" in answer["message"], (name, found)


@pytest.mark.usefixtures("nothing_left")
def test_a_picture_of_more_than_20_mb_is_413(shared: Shared) -> None:
    answer = shared.api("erin").generate_with_image(photo() + bytes(21 << 20), prompt="x", provider="instant")
    assert (answer.status, answer["error"]) == (413, "TooLarge")
    assert "20 MB" in answer["message"]


BOMBS: dict[str, Any] = {
    "50000x50000 png": lambda: png(50_000, 50_000, pixels=False),
    "png that unfolds": lambda: png(16_000, 16_000),
    "comment of 200 MB": text_bomb,
    "gif of 30000 frames": lambda: gif_of(30_000),
    "webp that claims 16383": lambda: webp_canvas(16_383, 16_383),
    "png cut short": lambda: png(640, 480)[:-30],
    "jpeg cut short": lambda: photo((800, 600))[:400],
    "one pixel": lambda: png(1, 1),
}


def test_bombs_and_damaged_pictures_end_in_words_and_cost_nothing(shared: Shared) -> None:
    """Past the first look the job is accepted; it fails while preparing, or is drawn from what could be read."""
    api = shared.api("erin")
    jobs = {name: api.generate_with_image(make(), prompt="x", provider="instant") for name, make in BOMBS.items()}
    for name, answer in jobs.items():
        if answer.status != 202:
            assert answer.status in {413, 415}, name
            continue
        shared.reelay.wait_state(answer["operation_id"], seconds=60)
        status = api.status(answer["operation_id"])
        assert status["status"] in {"error", "completed"}, name
        if status["status"] == "error":
            assert status["error"].startswith(
                ("That picture is too large", "I can't read that picture", "I can't use that")
            ), (name, status["error"])
            assert (status["charged"], status["error_code"]) == (0, "INVALID_REQUEST")
    failed = {
        name for name, a in jobs.items() if a.status == 202 and api.status(a["operation_id"])["status"] == "error"
    }
    assert failed >= {"50000x50000 png", "png that unfolds", "webp that claims 16383", "one pixel"}
    assert list((shared.reelay.data / "clips").rglob("*.upload")) == []
    assert shared.reelay.http("/readyz")[0] == 200


@pytest.mark.usefixtures("nothing_left")
def test_pictures_in_base64_are_held_to_the_same(shared: Shared) -> None:
    api = shared.api("erin")

    def ask(picture: Any) -> Answer:
        return api.post(
            "/api/mv/generate_video",
            {"prompt": "x", "backend": "instant", "reference_image_base64": picture},
            headers={"Prefer": "respond-async"},
        )

    assert ask("%%%").status == 400
    assert ask(7)["details"].startswith("reference_image_base64")
    assert ask(["x"]).status == 400
    assert ask(base64.b64encode(b"just words").decode()).status == 415
    assert ask(base64.b64encode(photo() + bytes(20 << 20)).decode()).status == 413
    for field, value in (
        ("video_rules_template", 7),
        ("video_rules_template", "x" * 2001),
        ("backend", "nobody"),
        ("duration", 5),
    ):
        answer = api.post("/api/mv/generate_video", {"prompt": "x", field: value})
        assert answer.status == 400, field


# ------------------------------------------------------------------------------------------------------------------------- settings


def test_settings_are_checked_kept_and_used(shared: Shared) -> None:
    api = shared.api("erin")

    def change(settings: Any) -> Answer:
        return api.request("PATCH", "/api/me", data={"settings": settings})

    wrong: Any
    for wrong in (None, [], {}, "x", {"nobody": 1}, {"duration": "8"}, {"duration": 5}, {"notify": "yes"}, {"notify": 1}, {"language": "xx"},  # noqa: E501
                  {"provider": "veo"}, {"aspect_ratio": ["9:16"]}, {"notify": False, "duration": 7}):  # fmt: skip
        answer = change(wrong)
        assert answer.status == 400, wrong
        assert answer["details"]
    assert api.me()["settings"]["notify"] is True, "a change with a mistake in it changes nothing"
    answer = change({"aspect_ratio": "9:16", "duration": 4, "provider": "instant"})
    assert answer.status == 200
    assert answer["settings"] | {"aspect_ratio": "9:16", "duration": 4, "provider": "instant"} == answer["settings"]
    made = api.generate("in my own way")
    assert made["applied"] | {"aspect_ratio": "9:16", "duration": 4, "provider": "instant"} == made["applied"]
    assert api.generate("not this time", duration=8)["applied"]["duration"] == 8
    cleared = change({"aspect_ratio": None, "duration": None, "provider": None})
    assert cleared["settings"]["duration"] is None


# ----------------------------------------------------------------------------------------------------------------------- bad callers


def test_http_that_is_not_http_does_no_harm(shared: Shared) -> None:
    place = urlsplit(shared.reelay.url)
    for said in (b"\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00", b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", b"POST /api/me HTTP/1.1\r\nContent-Length: -1\r\n\r\n",  # noqa: E501
                 b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n"):  # fmt: skip
        with socket.create_connection((place.hostname, place.port), timeout=10) as connection:
            connection.sendall(said)
            connection.shutdown(socket.SHUT_WR)
            assert not connection.recv(65536).startswith(b"HTTP/1.1 5")
    assert Api(shared.reelay.url).get("/healthz").json == {"status": "alive"}


def test_addresses_out_of_the_page_are_not_found(shared: Shared) -> None:
    for path in (
        "/page/../server.py",
        "/page/..%2f..%2fserver.py",
        "/page/%2e%2e/x",
        "/page//etc/passwd",
        "/page/app.py",
        "/api",
        "/api/nobody",
        "/.env",
    ):
        answer = Api(shared.reelay.url).get(path)
        assert answer.status == 404, path
        assert b"import" not in answer.body


def test_one_caller_who_asks_too_fast_is_told_when_to_come_back(shared: Shared) -> None:
    """Six hundred at once are taken, and twenty more for each second that they take; the next waits. Others do not notice."""

    async def rush() -> list[tuple[int, str | None]]:
        connector = aiohttp.TCPConnector(local_addr=("127.0.0.99", 0))
        async with aiohttp.ClientSession(headers={"Authorization": "Bearer reelay_x"}, connector=connector) as session:

            async def ask() -> tuple[int, str | None]:
                async with session.get(f"{shared.reelay.url}/api/me") as response:
                    return response.status, response.headers.get("Retry-After")

            answers = list[tuple[int, str | None]]()
            while 429 not in {status for status, _ in answers} and len(answers) < 4000:
                answers += await asyncio.gather(*(ask() for _ in range(800)))
            return answers

    began = time.monotonic()
    answers = asyncio.run(rush())
    took = time.monotonic() - began
    statuses = [status for status, _ in answers]
    assert set(statuses) == {401, 429}
    assert 600 <= statuses.count(401) <= 600 + 20 * took
    assert {after for status, after in answers if status == 429} <= {"1"}
    assert shared.api("alice").get("/api/me").status == 200


def test_the_json_of_the_api_is_utf8(shared: Shared) -> None:
    job = shared.api("frank").ordered("Düne 🎬 雪", provider="instant")
    answer = shared.api("frank").post("/api/video_chat/status", {"operation_id": job})
    assert json.loads(answer.body.decode())["prompt"] == "Düne 🎬 雪"
    assert "🎬".encode() in answer.body
