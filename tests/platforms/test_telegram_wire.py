"""What goes out to Telegram: to the byte what the library's own transport sends."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from telegram import (
    Bot,
    BotCommand,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    InputMediaVideo,
    LinkPreviewOptions,
    ReplyParameters,
)
from telegram.constants import ParseMode

from bot.platforms.telegram.uploads import DiskFile
from tests.platforms.telegram_loopback import (
    MESSAGE,
    both,
    loopback,
    ok,
)

Call = Callable[[Bot], Awaitable[Any]]
KEYS = InlineKeyboardMarkup(
    [
        [
            InlineKeyboardButton("Cancel ✖", callback_data="c:1"),
            InlineKeyboardButton("a & b", url="https://x.example/?q=1&r=ü"),
        ]
    ]
)
FILE = InputFile(b"\x00\r\n--x\xff" * 9, filename='a "film"\\ of\nü.mp4')
THUMB = InputFile(b"jpeg", filename="t.jpg", attach=True)
CALLS: dict[str, Call] = {
    "no parameters": lambda b: b.get_webhook_info(),
    "text": lambda b: b.send_message(5, "A fox & a hen\n<b>100 %</b> + ü 狐 🦊 ~*'()!-._", parse_mode=ParseMode.HTML),
    "keyboard, reply, preview": lambda b: b.send_message(
        -100123,
        "",
        reply_markup=KEYS,
        reply_parameters=ReplyParameters(7, allow_sending_without_reply=True),
        link_preview_options=LinkPreviewOptions(is_disabled=True),
        message_thread_id=4,
        disable_notification=True,
    ),
    "poll": lambda b: b.get_updates(offset=7, timeout=1, allowed_updates=["message", "callback_query"]),
    "callback": lambda b: b.answer_callback_query("77", text="né", show_alert=False),
    "commands": lambda b: b.set_my_commands([BotCommand("video", "Make a clip"), BotCommand("help", "?")]),
    "a file": lambda b: b.send_video(5, FILE, caption="ü", width=1, height=2, supports_streaming=True),
    "files": lambda b: b.send_video(5, FILE, thumbnail=THUMB, cover=THUMB, duration=3),
    "a file inside": lambda b: b.edit_message_media(
        InputMediaVideo(InputFile(b"mp4", "c.mp4", attach=True), thumbnail=THUMB), chat_id=5, message_id=6
    ),
    "a handle": lambda b: b.send_document(5, InputFile(io.BytesIO(b"0123456789"), "x.bin", read_file_handle=False)),
}


def plain(body: bytes, headers: dict[str, str]) -> tuple[bytes, str]:
    """Body and type with what is drawn at random made equal."""
    kind = headers.get("content-type", "")
    boundary = kind.partition("boundary=")[2]
    if boundary:
        body, kind = body.replace(boundary.encode(), b"BOUNDARY"), kind.replace(boundary, "BOUNDARY")
    return re.sub(rb"attached[0-9a-f]{32}", b"ATTACHED", body), kind


@pytest.mark.parametrize("name", CALLS)
async def test_each_call_is_to_the_byte_what_the_library_sends(name: str) -> None:
    results: dict[str, Any] = {
        "getUpdates": [],
        "getWebhookInfo": {"url": "", "has_custom_certificate": False, "pending_update_count": 0},
    }
    said = {
        each: ok(results.get(each, MESSAGE))
        for each in ("sendMessage", "sendVideo", "sendDocument", "editMessageMedia", *results)
    }
    async with loopback(**said) as server, both(server.root) as bots:
        for one in bots:
            await CALLS[name](one)
    mine, theirs = server.requests
    assert mine.line == theirs.line
    assert plain(mine.body, mine.headers) == plain(theirs.body, theirs.headers)
    for header in ("content-length", "user-agent", "host", "accept"):
        assert mine.headers.get(header) == theirs.headers.get(header), header
    assert {"gzip", "deflate"} <= {each.strip() for each in mine.headers["accept-encoding"].split(",")}


async def test_a_file_from_the_disk_is_sent_as_the_library_sends_an_open_one(tmp_path: Path) -> None:
    clip, cover = tmp_path / "stored-under-another-name", tmp_path / "cover"
    clip.write_bytes(bytes(range(256)) * 9000)
    cover.write_bytes(b"jpeg")
    async with loopback(sendVideo=ok(MESSAGE)) as server, both(server.root) as (ours, theirs):
        await ours.send_video(5, DiskFile(clip, "a.mp4"), cover=DiskFile(cover, "c.jpg", attach=True), caption="ü")
        with clip.open("rb") as handle:
            opened = InputFile(handle, "a.mp4", read_file_handle=False)
            await theirs.send_video(5, opened, cover=InputFile(b"jpeg", "c.jpg", attach=True), caption="ü")
    mine, other = server.requests
    assert plain(mine.body, mine.headers) == plain(other.body, other.headers)
    assert mine.headers["content-length"] == other.headers["content-length"]


async def test_the_cover_of_a_message_that_becomes_a_clip_goes_alongside(tmp_path: Path) -> None:
    clip, cover = tmp_path / "clip", tmp_path / "cover"
    clip.write_bytes(b"the clip")
    cover.write_bytes(b"the cover")
    with_cover = DiskFile(cover, "c.jpg", attach=True)
    video = DiskFile(clip, "a.mp4", attach=True, alongside=(with_cover,))
    async with loopback(editMessageMedia=ok(MESSAGE)) as server, both(server.root) as (ours, _):
        media = InputMediaVideo(video, cover=with_cover.attach_uri, width=3)
        await ours.edit_message_media(media, chat_id=5, message_id=6)
    body = server.requests[0].body
    said = json.loads(re.search(rb'name="media"\r\n\r\n(.*?)\r\n', body)[1])  # type: ignore[index]
    for key, content in (("media", b"the clip"), ("cover", b"the cover")):
        name = said[key].removeprefix("attach://").encode()
        assert re.search(
            rb'name="%s"; filename="[ac]\.(mp4|jpg)"\r\nContent-Type: [a-z0-9/]+\r\n\r\n%s\r\n' % (name, content), body
        )
