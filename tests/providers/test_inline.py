"""Clips inside JSON: whatever the pieces in which an answer comes, the clip and the rest are the same."""

from __future__ import annotations

import json
import random
from base64 import b64encode, urlsafe_b64encode
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Garbled
from providers.inline import ELIDED, LONG, SKELETON_BYTES, skim
from tests.contracts.provider import Collector

KEYS = frozenset({"data", "bytesBase64Encoded"})
CLIP = random.Random(3).randbytes(50_001)


async def pieces(body: bytes, *sizes: int) -> AsyncIterator[bytes]:
    at = 0
    while at < len(body):
        size = sizes[at % len(sizes)] if sizes else len(body)
        yield body[at : at + size]
        at += size


def answer(clip: bytes = CLIP, **more: object) -> bytes:
    return json.dumps(
        {"done": True, "response": {"videos": [{"mimeType": "video/mp4", "data": b64encode(clip).decode()}]}, **more}
    ).encode()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 9000), min_size=1, max_size=5), st.integers(3100, 9000), st.booleans())
async def test_the_clip_comes_whole_in_whatever_pieces(sizes: list[int], length: int, spaced: bool) -> None:
    clip = CLIP[:length]
    body = json.dumps(json.loads(answer(clip, note='a "quote" \\ and /')), indent=3 if spaced else None).encode()
    sink = Collector()
    found = await skim(pieces(body, *sizes), KEYS, sink)
    assert bytes(sink.data) == clip
    assert found["response"]["videos"] == [{"mimeType": "video/mp4", "data": ELIDED}]
    assert found["note"] == 'a "quote" \\ and /'


async def test_escapes_and_the_other_alphabet_are_understood() -> None:
    text = urlsafe_b64encode(CLIP).decode()
    for written in (
        text,
        b64encode(CLIP).decode().replace("/", "\\/"),
        b64encode(CLIP).decode().replace("=", "\\u003d"),
    ):
        sink = Collector()
        await skim(pieces(b'{"data" : "' + written.encode() + b'"}', 700), KEYS, sink)
        assert bytes(sink.data) == CLIP


async def test_a_look_ends_at_the_first_clip() -> None:
    read = 0

    async def counted() -> AsyncIterator[bytes]:
        nonlocal read
        async for piece in pieces(answer(), 1000):
            read += len(piece)
            yield piece

    assert await skim(counted(), KEYS) == {ELIDED: True}
    assert read < 2 * LONG
    assert await skim(pieces(b'{"done": false}'), KEYS) == {"done": False}


async def test_of_several_clips_one_is_taken_and_short_strings_are_none() -> None:
    other = random.Random(4).randbytes(9000)
    body = json.dumps(
        {"data": "short", "a": {"data": b64encode(CLIP).decode()}, "b": {"data": b64encode(other).decode()}}
    )
    for nth, clip in ((0, CLIP), (1, other)):
        sink = Collector()
        found = await skim(pieces(body.encode(), 333), KEYS, sink, nth=nth)
        assert bytes(sink.data) == clip
        assert found == {"data": "short", "a": {"data": ELIDED}, "b": {"data": ELIDED}}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        answer()[:-1],
        answer()[: len(answer()) // 2],
        b'{"data": "' + b"!" * 20_000 + b'"}',
        b'{"data": "' + b"A" * 8001 + b'"}',
        b'{"text": "' + b"x" * (SKELETON_BYTES + 2 * LONG) + b'"}',
        b"[" * 100_000,
        b'{"a": [' + b"1," * SKELETON_BYTES,
    ],
    ids=range(9),
)
async def test_what_cannot_be_understood_is_garbled(body: bytes) -> None:
    with pytest.raises(Garbled):
        await skim(pieces(body, 5000), KEYS, Collector())
