from __future__ import annotations

import random
import shutil
import struct
from fractions import Fraction
from pathlib import Path

import av
import pytest
from PIL import Image

from core.errors import CorruptMedia, OversizedMedia, UnsupportedMedia
from media import source as doors
from media.sniff import Looks
from media.tools import MediaTools
from tests.media import hostile
from tests.media.canned import canned_clip
from tests.media.conftest import Shelf, names


async def test_it_tells_the_facts_and_takes_a_poster_in_one_child(
    tools: MediaTools, shelf: Shelf, tmp_path: Path
) -> None:
    told = await tools.inspect(shelf.blue, tmp_path / "poster.jpg")
    assert (told.container, told.video_codec, told.audio_codec, told.pixel_format) == ("mp4", "h264", "aac", "yuv420p")
    assert (told.width, told.height, told.fps, told.frames, told.seconds) == (320, 180, 24.0, 48, 2.0)
    assert told.bytes == shelf.blue.stat().st_size
    assert told.faststart
    assert told.plays_everywhere
    with Image.open(tmp_path / "poster.jpg") as poster:
        assert poster.size == (320, 180)
        red, green, blue = poster.getpixel((160, 170))  # type: ignore[misc]
        assert abs(red - 20) < 12
        assert abs(green - 40) < 12
        assert abs(blue - 200) < 12


async def test_webm_silence_and_a_late_index_are_seen(tools: MediaTools, shelf: Shelf) -> None:
    webm = await tools.inspect(shelf.webm)
    assert (webm.container, webm.video_codec, webm.audio_codec, webm.frames) == ("webm", "vp9", "opus", 48)
    assert abs(webm.seconds - 2) < 0.05
    assert not webm.plays_everywhere
    assert (await tools.inspect(shelf.silent)).audio_codec is None
    assert not (await tools.inspect(shelf.slow_start)).faststart


async def test_a_turned_clip_is_measured_and_shown_as_people_see_it(tools: MediaTools, tmp_path: Path) -> None:
    canned_clip(tmp_path / "turned.mp4", rotation=90)
    told = await tools.inspect(tmp_path / "turned.mp4", tmp_path / "poster.jpg")
    assert (told.width, told.height, told.rotation) == (180, 320, 270)
    with Image.open(tmp_path / "poster.jpg") as poster:
        assert poster.size == (180, 320)
        assert brightest_line(poster) == 320 - 6 * 4 - 10


def brightest_line(picture: Image.Image) -> int:
    """Where the bar lies in a clip that was turned a quarter counter-clockwise: what was left is below."""
    column = list(picture.convert("L").crop((90, 0, 91, picture.height)).tobytes())
    bright = [y for y, level in enumerate(column) if level > 160]
    return (bright[0] + bright[-1] + 1) // 2


async def test_wide_pixels_are_applied(tools: MediaTools, tmp_path: Path) -> None:
    canned_clip(tmp_path / "wide.mp4", width=240, height=180, pixel_shape=Fraction(4, 3))
    told = await tools.inspect(tmp_path / "wide.mp4", tmp_path / "poster.jpg")
    assert (told.width, told.height) == (320, 180)
    with Image.open(tmp_path / "poster.jpg") as poster:
        assert poster.size == (320, 180)


async def test_the_last_frame_is_the_last_one(tools: MediaTools, tmp_path: Path) -> None:
    canned_clip(tmp_path / "clip.mp4", seconds=1.5, keyint=250)
    told = await tools.last_frame(tmp_path / "clip.mp4", tmp_path / "last.png")
    assert (told.width, told.height, told.mime) == (320, 180, "image/png")
    with Image.open(tmp_path / "last.png") as last:
        bright = [x for x in range(320) if last.convert("L").getpixel((x, 90)) > 180]  # type: ignore[operator]
    assert abs(bright[0] - 35 * 4) <= 2


async def test_a_preview_is_short_small_and_silent(tools: MediaTools, shelf: Shelf, tmp_path: Path) -> None:
    canned_clip(tmp_path / "long.mp4", seconds=6, width=640, height=360)
    told = await tools.preview(tmp_path / "long.mp4", tmp_path / "preview.mp4")
    seen = await tools.inspect(tmp_path / "preview.mp4")
    assert (told.width, told.height, told.seconds) == (seen.width, seen.height, seen.seconds) == (426, 240, 4.0)
    assert seen.audio_codec is None
    assert seen.faststart
    assert (await tools.poster(shelf.upright, tmp_path / "poster.jpg")).height == 320


@pytest.mark.parametrize("name", hostile.not_clips(Path("/")))
async def test_what_is_no_clip_is_refused_and_leads_nowhere(
    tools: MediaTools, tmp_path: Path, shelf: Shelf, name: str
) -> None:
    """The canary is a good clip: a demuxer that followed the reference would report success."""
    (tmp_path / name).write_bytes(hostile.not_clips(shelf.blue)[name])
    with pytest.raises((UnsupportedMedia, CorruptMedia)):
        await tools.inspect(tmp_path / name, tmp_path / "poster.jpg")
    with pytest.raises((UnsupportedMedia, CorruptMedia)):
        await tools.fit(tmp_path / name, tmp_path / "out.mp4", 10_000_000)
    assert names(tmp_path) == {name, "scratch"}


def test_each_of_the_three_locks_holds_alone(shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A playlist that FFmpeg follows by default; the text names a clip that is really there."""
    attack = tmp_path / "film.mp4"
    shutil.copy(shelf.blue, tmp_path / "blue.mp4")
    attack.write_text("ffconcat version 1.0\nfile 'blue.mp4'\n")
    with av.open(str(attack)) as followed:
        assert followed.format.name == "concat"
    with pytest.raises(UnsupportedMedia), doors.open_clip(attack):
        pass
    with pytest.raises(av.FFmpegError):
        av.open(str(attack), options=doors.OPTIONS)
    monkeypatch.setattr(doors, "OPTIONS", {})
    monkeypatch.setattr(doors, "read_head", lambda *_: (Looks("mp4", "a lie"), 100, b""))
    with pytest.raises(CorruptMedia), doors.open_clip(attack):
        pass


async def test_a_clip_cut_off_anywhere_is_corrupt(tools: MediaTools, tmp_path: Path, shelf: Shelf) -> None:
    for whole in [source.read_bytes() for source in (shelf.blue, shelf.slow_start)]:
        for share in (0.02, 0.3, 0.6, 0.9):
            (tmp_path / "cut.mp4").write_bytes(whole[: int(len(whole) * share)])
            with pytest.raises(CorruptMedia):
                await tools.inspect(tmp_path / "cut.mp4", tmp_path / "poster.jpg")


async def test_ten_hours_in_the_header_are_refused(tools: MediaTools, tmp_path: Path, shelf: Shelf) -> None:
    (tmp_path / "long.mp4").write_bytes(hostile.claims_ten_hours(shelf.blue.read_bytes()))
    with pytest.raises(OversizedMedia) as caught:
        await tools.inspect(tmp_path / "long.mp4")
    assert caught.value.values["what"] == "seconds"


@pytest.mark.parametrize(
    "box, offset, value",
    [
        (b"stsz", 4, struct.pack(">II", 0, 1_000_000_000)),
        (b"stsz", 4, struct.pack(">II", 1, 1_000_000_000)),
        (b"stsz", 4, struct.pack(">II", 0, 0xFFFFFFFF)),
        (b"stts", 4, struct.pack(">III", 1, 0x7FFFFFFF, 1)),
        (b"stts", 4, struct.pack(">I", 0x0FFFFFFF)),
        (b"stco", 4, struct.pack(">I", 0x1FFFFFFF)),
        (b"stsc", 4, struct.pack(">IIII", 1, 1, 0x7FFFFFFF, 1)),
        (b"stsd", 40, struct.pack(">HH", 30_000, 30_000)),
        (b"avcC", 8, b"\xff\xff\xff\xff\xff\xff"),
    ],
    ids=[
        "1e9 samples",
        "1e9 equal samples",
        "2^32 samples",
        "2^31 in one run",
        "2^28 runs",
        "2^29 chunks",
        "2^31 a chunk",
        "30000²",
        "bad SPS",
    ],
)
async def test_absurd_tables_end_in_a_clean_answer(
    tools: MediaTools, tmp_path: Path, shelf: Shelf, *, box: bytes, offset: int, value: bytes
) -> None:
    body = hostile.patched(shelf.silent.read_bytes(), box, offset, value)
    assert body.find(value) > 0
    (tmp_path / "odd.mp4").write_bytes(body)
    try:
        told = await tools.inspect(tmp_path / "odd.mp4", deadline=15)
    except (CorruptMedia, OversizedMedia):
        return
    assert (told.height, told.frames) == (180, 48)


async def test_a_clip_of_one_pixel_is_corrupt(tools: MediaTools, tmp_path: Path) -> None:
    canned_clip(tmp_path / "dot.mp4", width=2, height=2, seconds=0.5, audio=False)
    with pytest.raises(CorruptMedia, match="2×2"):
        await tools.inspect(tmp_path / "dot.mp4")


async def test_mutated_files_never_hang_or_kill_a_child(warm_tools: MediaTools, tmp_path: Path, shelf: Shelf) -> None:
    """60 files with 1 to 300 bytes changed: decoded, or refused by name; nothing else."""
    dice = random.Random(20261121)
    pictures = {"photo.jpg": hostile.photo(), "plan.png": hostile.png(200, 100), "moving.gif": hostile.gif_of(3)}
    refused = decoded = 0
    for number in range(60):
        clip = number % 2 == 0
        name, body = (
            dice.choice([("a.mp4", shelf.blue.read_bytes()), ("b.webm", shelf.webm.read_bytes())])
            if clip
            else dice.choice(list(pictures.items()))
        )
        changed = bytearray(body)
        where = len(body) if dice.random() < 0.5 else min(len(body), 3000)
        for _ in range(dice.choice((1, 10, 60, 300))):
            changed[dice.randrange(where)] = dice.randrange(256)
        source = tmp_path / f"{number}-{name}"
        source.write_bytes(changed)
        try:
            if clip:
                await warm_tools.inspect(source, tmp_path / "poster.jpg", deadline=15)
            else:
                await warm_tools.normalise_image(source, tmp_path / "out.png", deadline=15)
            decoded += 1
        except (UnsupportedMedia, CorruptMedia, OversizedMedia):
            refused += 1
    assert decoded > 5
    assert refused > 5
