from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.sniff import CLIPS, PICTURES, sniff, webp_size
from tests.media import hostile
from tests.media.conftest import Shelf


@pytest.mark.parametrize(
    "body, kind", hostile.not_pictures(Path("/canary")).values(), ids=hostile.not_pictures(Path("/"))
)
def test_it_says_what_a_file_really_is(body: bytes, kind: str) -> None:
    assert sniff(body[:4096]).kind == kind


def test_good_files_are_what_they_are(shelf: Shelf) -> None:
    assert sniff(shelf.blue.read_bytes()[:4096]).kind == "mp4"
    assert sniff(shelf.webm.read_bytes()[:4096]).kind == "webm"
    assert sniff(hostile.photo()).kind == "jpeg"
    assert sniff(hostile.png(20, 20)).kind == "png"
    assert sniff(hostile.gif_of(1)).kind == "gif"
    assert sniff(hostile.webp_canvas(40, 30)).kind == "webp"


def test_the_canvas_of_an_extended_webp_is_read_without_opening_it() -> None:
    assert webp_size(hostile.webp_canvas(16_384, 12_345)) == (16_384, 12_345)
    assert webp_size(hostile.photo()) is None


@given(st.binary(max_size=64))
def test_it_never_fails_and_only_magic_opens_a_decoder(head: bytes) -> None:
    looks = sniff(head)
    assert looks.found
    if looks.kind in {*PICTURES, *CLIPS}:
        assert (
            head.startswith((b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"\x1a\x45\xdf\xa3"))
            or head[4:8] == b"ftyp"
        )
