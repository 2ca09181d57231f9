"""The clip calls of docs/reference/http.md against the real process: ranges, links, and the waiting ``generate_video``."""

from __future__ import annotations

import base64
import hashlib
import threading
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.journeys.conftest import Shared
from tests.lab.api import Answer, Api
from tests.lab.clips import clip_bytes
from tests.lab.vendor import Script
from tests.lab.waiting import until
from tests.media.hostile import photo

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def clip(shared: Shared) -> dict[str, Any]:
    """A finished clip of alice's."""
    return shared.made("alice")


def test_the_whole_clip_is_the_file_that_the_generator_gave(shared: Shared, clip: dict[str, Any]) -> None:
    answer = shared.api().get(clip["video_url"])
    assert answer.status == 200
    assert answer.body == clip_bytes()
    assert answer.headers["Content-Type"] == "video/mp4"
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert int(answer.headers["Content-Length"]) == len(answer.body) == clip["file_size_bytes"]
    assert answer.headers["ETag"].strip('"') == hashlib.sha256(answer.body).hexdigest()[:32]


def test_head_tells_without_a_body(shared: Shared, clip: dict[str, Any]) -> None:
    for path in (clip["video_url"], clip["thumbnail_url"]):
        whole, head = shared.api().get(path), shared.api().request("HEAD", path)
        assert (head.status, head.body) == (200, b"")
        for name in ("Content-Length", "Content-Type", "ETag", "Accept-Ranges"):
            assert head.headers[name] == whole.headers[name]
    part = shared.api().request("HEAD", clip["video_url"], headers={"Range": "bytes=0-9"})
    assert (part.status, part.headers["Content-Length"], part.body) == (206, "10", b"")


@pytest.mark.parametrize(
    "wanted, start, length",
    [("bytes=0-0", 0, 1), ("bytes=5-14", 5, 10), ("bytes=100-", 100, None), ("bytes=-7", -7, 7), ("bytes=0-99999999", 0, None),
     ("bytes=-99999999", 0, None), ("Bytes = 1 - 2", 1, 2)],
)  # fmt: skip
def test_a_range_gives_these_bytes(
    shared: Shared, clip: dict[str, Any], wanted: str, start: int, length: int | None
) -> None:
    whole = clip_bytes()
    start = start if start >= 0 else len(whole) + start
    expected = whole[start:] if length is None else whole[start : start + length]
    answer = shared.api().get(clip["video_url"], headers={"Range": wanted})
    assert answer.status == 206
    assert answer.body == expected
    assert answer.headers["Content-Range"] == f"bytes {start}-{start + len(expected) - 1}/{len(whole)}"


@pytest.mark.parametrize(
    "wanted", ["bytes=0-1,5-6", "bytes=5-2", "items=0-1", "bytes=", "bytes=a-b", "bytes=-", "0-5", "bytes=1-2-3"]
)
def test_what_is_not_one_range_means_the_whole(shared: Shared, clip: dict[str, Any], wanted: str) -> None:
    answer = shared.api().get(clip["video_url"], headers={"Range": wanted})
    assert (answer.status, len(answer.body)) == (200, len(clip_bytes()))


@pytest.mark.parametrize("wanted", ["bytes={size}-", "bytes=99999999-", "bytes=-0", "bytes={size}-{size}"])
def test_a_range_behind_the_end_is_416(shared: Shared, clip: dict[str, Any], wanted: str) -> None:
    size = len(clip_bytes())
    answer = shared.api().get(clip["video_url"], headers={"Range": wanted.format(size=size)})
    assert answer.status == 416
    assert answer.headers["Content-Range"] == f"bytes */{size}"
    assert answer["error_code"] == "INVALID_REQUEST"


@settings(max_examples=40)
@given(first=st.integers(0, 40_000), last=st.integers(0, 40_000))
def test_any_range_is_a_slice(shared: Shared, clip: dict[str, Any], first: int, last: int) -> None:
    whole = clip_bytes()
    answer = shared.api("frank").get(clip_link(shared, clip), headers={"Range": f"bytes={first}-{last}"})
    if last < first:
        assert (answer.status, answer.body) == (200, whole)
    elif first >= len(whole):
        assert answer.status == 416
    else:
        assert (answer.status, answer.body) == (206, whole[first : last + 1])


_links: dict[str, str] = {}


def clip_link(shared: Shared, clip: dict[str, Any]) -> str:
    """A signed link to the clip, asked for once."""
    if clip["video_id"] not in _links:
        answer = shared.api().post(f"{clip['video_url']}/link")
        assert answer.status == 200
        found = urlsplit(answer["url"])
        _links[clip["video_id"]] = f"{found.path}?{found.query}"
    return _links[clip["video_id"]]


def test_a_known_tag_needs_no_bytes_and_a_changed_one_no_range(shared: Shared, clip: dict[str, Any]) -> None:
    api = shared.api()
    tag = api.get(clip["video_url"]).headers["ETag"]
    known = api.get(clip["video_url"], headers={"If-None-Match": tag})
    assert (known.status, known.body, known.headers["ETag"]) == (304, b"", tag)
    part = api.get(clip["video_url"], headers={"Range": "bytes=0-4", "If-Range": tag})
    assert (part.status, part.body) == (206, clip_bytes()[:5])
    other = api.get(clip["video_url"], headers={"Range": "bytes=0-4", "If-Range": '"other"'})
    assert (other.status, len(other.body)) == (200, len(clip_bytes()))


def test_a_browser_that_hangs_up_harms_nobody(shared: Shared, clip: dict[str, Any]) -> None:
    for _ in range(5):
        connection = shared.api().connect()
        connection.request("GET", clip["video_url"], headers=shared.api().headers)
        connection.getresponse().read(100)
        connection.close()
    assert shared.api().get(clip["video_url"]).status == 200


def test_info(shared: Shared, clip: dict[str, Any]) -> None:
    api = shared.api()
    info = api.get(f"{clip['video_url']}/info").json
    assert info == {
        "video_id": clip["video_id"],
        "exists": True,
        "file_size_bytes": len(clip_bytes()),
        "created_at": info["created_at"],
    }
    for unknown in ("0" * 32, "nonsense", "../x"):
        answer = api.get(f"/api/mv/get_video/{unknown.replace('/', '%2F')}/info")
        assert answer.status == 200
        assert answer.json == {
            "video_id": unknown,
            "exists": False,
            "file_size_bytes": None,
            "created_at": None,
        }
    assert shared.api("bob").get(f"{clip['video_url']}/info")["exists"] is False


def test_a_download_has_a_name(shared: Shared, clip: dict[str, Any]) -> None:
    answer = shared.api().get(clip["download_url"])
    assert answer.headers["Content-Disposition"] == f'attachment; filename="reelay-{clip["video_id"][:8]}.mp4"'


def test_a_signed_link_needs_no_account_and_nothing_in_it_may_change(shared: Shared, clip: dict[str, Any]) -> None:
    link = clip_link(shared, clip)
    nobody = Api(shared.reelay.url, headers={"Host": "elsewhere.example"})
    assert nobody.get(clip["video_url"]).status == 401
    assert nobody.get(link).body == clip_bytes()
    assert nobody.get(link, headers={"Range": "bytes=3-5"}).body == clip_bytes()[3:6]
    path, _, query = link.partition("?")
    said = {name: values[0] for name, values in parse_qs(query).items()}
    other = shared.made("alice")["video_url"]
    changed = {
        "another clip": f"{other}?{query}",
        "no signature": f"{path}?{urlencode({**said, 'sig': ''})}",
        "another expiry": f"{path}?{urlencode({**said, 'exp': str(int(said['exp']) + 1)})}",
        "expiry in another spelling": f"{path}?{urlencode({**said, 'exp': '0' + said['exp']})}",
        "another key": f"{path}?{urlencode({**said, 'kid': 'x'})}",
        "upper case": f"{path}?{urlencode({**said, 'sig': said['sig'].upper()})}",
        "expired": f"{path}?{urlencode({**said, 'exp': '1000'})}",
    }
    for name, address in changed.items():
        answer = nobody.get(address)
        assert answer.status == 404, name
        assert answer["error"] == "NotFound"
    for position in range(0, 64, 3):
        flipped = said["sig"][:position] + ("0" if said["sig"][position] != "0" else "1") + said["sig"][position + 1 :]
        assert nobody.get(f"{path}?{urlencode({**said, 'sig': flipped})}").status == 404


def test_a_link_ends_with_its_clip(shared: Shared) -> None:
    clip = shared.made("alice")
    link = clip_link(shared, clip)
    assert shared.api(None).get(link).status == 200
    assert shared.api().delete(clip["operation_id"]).status == 204
    assert shared.api(None).get(link).status == 404


def test_generate_video_waits_for_the_clip(shared: Shared) -> None:
    data = {
        "prompt": "a harbour at night",
        "negative_prompt": "people",
        "aspect_ratio": "9:16",
        "duration": 6,
        "generate_audio": True,
        "seed": 11,
        "reference_image_base64": base64.b64encode(photo()).decode(),
        "video_rules_template": "Always slow.",
        "backend": "instant",
    }
    answer = shared.api("bob").post("/api/mv/generate_video", data, seconds=60)
    assert answer.status == 200, answer.body
    body = answer.json
    assert set(body) == {"video_id", "video_path", "video_url", "metadata"}
    assert body["video_url"] == f"/api/mv/get_video/{body['video_id']}"
    assert (shared.reelay.data / body["video_path"]).read_bytes() == clip_bytes()
    metadata = body["metadata"]
    assert set(metadata) == {
        "prompt",
        "backend_used",
        "model_used",
        "parameters_used",
        "generation_timestamp",
        "processing_time_seconds",
    }
    assert metadata["backend_used"] == "instant"
    assert metadata["parameters_used"] == {"aspect_ratio": "9:16", "duration": 6, "generate_audio": True, "seed": 11}
    assert metadata["prompt"].startswith("a harbour at night")
    assert metadata["processing_time_seconds"] >= 0


def test_generate_video_answers_at_once_when_asked_to(shared: Shared) -> None:
    answer = shared.api("bob").post(
        "/api/mv/generate_video", {"prompt": "x", "backend": "instant"}, headers={"Prefer": "respond-async"}
    )
    assert answer.status == 202
    assert set(answer.json) == {"operation_id", "status"}
    assert shared.reelay.wait_state(answer["operation_id"]) == "done"


def test_generate_video_tells_why_there_is_no_clip(shared: Shared) -> None:
    shared.vendor.on("declined", Script(fails="content"))
    answer = shared.api("bob").post("/api/mv/generate_video", {"prompt": "declined", "backend": "lab"})
    assert (answer.status, answer["error"], answer["error_code"]) == (
        422,
        "VideoGenerationError",
        "CONTENT_POLICY_VIOLATION",
    )
    assert answer["backend_used"] == "lab"
    assert "Lab lab declined this prompt" in answer["message"]


def test_a_caller_who_hangs_up_cancels_nothing(shared: Shared) -> None:
    shared.vendor.on("hung-up", Script(seconds=None))
    api = shared.api("carol")
    connection = api.connect()
    body = b'{"prompt": "hung-up", "backend": "lab"}'
    connection.request("POST", "/api/mv/generate_video", body, {**api.headers, "Content-Type": "application/json"})
    until(lambda: shared.vendor.of("hung-up"), what="the submit")
    connection.close()
    shared.vendor.finish("hung-up")
    job = api.operations(limit=1)["operations"][0]["operation_id"]
    assert shared.reelay.wait_state(job) == "done"
    assert api.get(api.status(job)["video_url"]).status == 200


def test_many_readers_of_one_clip(shared: Shared, clip: dict[str, Any]) -> None:
    answers: list[Answer] = []
    link = clip_link(shared, clip)
    readers = [threading.Thread(target=lambda: answers.append(shared.api("dave").get(link))) for _ in range(20)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join(20)
    assert [answer.body == clip_bytes() for answer in answers] == [True] * 20
