from __future__ import annotations

import importlib
import importlib.util
import io
import os
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms

from core.errors import CorruptMedia, OversizedMedia, UnsupportedMedia
from core.media import PICTURE_BYTES
from media import pictures
from media.pictures import GROUND
from media.tools import MediaTools
from tests.media import hostile

RED, GREEN, BLUE, WHITE = (220, 20, 20), (20, 200, 20), (20, 20, 220), (250, 250, 250)


def quadrants(width: int = 120, height: int = 80) -> Image.Image:
    picture = Image.new("RGB", (width, height))
    for number, colour in enumerate((RED, GREEN, BLUE, WHITE)):
        picture.paste(
            colour,
            (
                number % 2 * width // 2,
                number // 2 * height // 2,
                (number % 2 + 1) * width // 2,
                (number // 2 + 1) * height // 2,
            ),
        )
    return picture


def write(path: Path, picture: Image.Image, form: str, **options: Any) -> Path:
    picture.save(path, form, **options)
    return path


def corners(picture: Image.Image) -> list[tuple[int, ...]]:
    width, height = picture.size
    return [picture.getpixel(at) for at in ((8, 8), (width - 9, 8), (8, height - 9), (width - 9, height - 9))]  # type: ignore[misc]


def near(found: list[tuple[int, ...]], wanted: list[tuple[int, int, int]], tolerance: int = 24) -> bool:
    return all(
        abs(a - b) <= tolerance
        for one, other in zip(found, wanted, strict=True)
        for a, b in zip(one, other, strict=True)
    )


UNTURN = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_every_orientation_comes_out_upright_without_a_trace_of_exif(
    tools: MediaTools, tmp_path: Path, orientation: int
) -> None:
    turn = UNTURN[orientation]
    stored = quadrants() if turn is None else quadrants().transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Secret camera"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    source = write(tmp_path / "photo.jpg", stored, "JPEG", exif=exif, quality=95, comment=b"secret comment")
    with Image.open(source) as before:
        assert before.getexif().get_ifd(0x8825)
    told = await tools.normalise_image(source, tmp_path / "out.jpg")
    assert (told.width, told.height, told.mime) == (120, 80, "image/jpeg")
    body = (tmp_path / "out.jpg").read_bytes()
    assert told.bytes == len(body)
    assert b"ecret" not in body
    with Image.open(tmp_path / "out.jpg") as result:
        assert near(corners(result), [RED, GREEN, BLUE, WHITE])
        assert not result.getexif()
        assert set(result.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def _half_clear(mode: str) -> Image.Image:
    picture = quadrants().convert("RGBA")
    picture.putalpha(Image.new("L", picture.size, 0))
    return picture.convert(mode)


@pytest.mark.parametrize(
    "name, make, wanted",
    [
        ("rgb.png", quadrants, [RED, GREEN, BLUE, WHITE]),
        ("palette.png", lambda: quadrants().quantize(8), [RED, GREEN, BLUE, WHITE]),
        ("clear.png", lambda: _half_clear("RGBA"), [GROUND] * 4),
        ("grey_clear.png", lambda: _half_clear("LA"), [GROUND] * 4),
        ("cmyk.jpg", lambda: quadrants().convert("CMYK"), [RED, GREEN, BLUE, WHITE]),
        ("grey.jpg", lambda: Image.new("L", (64, 64), 90), [(90, 90, 90)] * 4),
        ("bits.png", lambda: Image.new("1", (64, 64), 1), [(255, 255, 255)] * 4),
        ("sixteen.png", lambda: Image.new("I;16", (64, 64), 128 * 257), [(128, 128, 128)] * 4),
        ("lossy.webp", quadrants, [RED, GREEN, BLUE, WHITE]),
        ("still.gif", quadrants, [RED, GREEN, BLUE, WHITE]),
    ],
)
async def test_every_colour_mode_becomes_plain_rgb(
    tools: MediaTools, tmp_path: Path, name: str, make: Any, wanted: Any
) -> None:
    form = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "gif": "GIF"}[name.split(".")[1]]
    source = write(tmp_path / name, make(), form)
    told = await tools.normalise_image(source, tmp_path / "out")
    assert told.mime == ("image/png" if form in ("PNG", "GIF") else "image/jpeg")
    with Image.open(tmp_path / "out") as result:
        assert result.mode == "RGB"
        assert near(corners(result), wanted)


async def test_a_palette_with_a_clear_colour_lies_on_the_ground(tools: MediaTools, tmp_path: Path) -> None:
    picture = Image.new("P", (40, 40), 1)
    picture.putpalette([0, 0, 0, 255, 0, 0])
    source = write(tmp_path / "clear.gif", picture, "GIF", transparency=1)
    await tools.normalise_image(source, tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as result:
        assert near(corners(result), [GROUND] * 4)


async def test_a_colour_profile_is_applied_and_left_out(tools: MediaTools, tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = srgb.replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ")  # its red is our blue
    for profile, wanted in ((srgb, [RED, GREEN, BLUE, WHITE]), (swapped, [BLUE, GREEN, RED, WHITE])):
        source = write(tmp_path / "photo.png", quadrants(), "PNG", icc_profile=profile)
        await tools.normalise_image(source, tmp_path / "out.png")
        with Image.open(tmp_path / "out.png") as result:
            assert near(corners(result), wanted, 4)
            assert not result.info
    broken = write(tmp_path / "broken.png", quadrants(), "PNG", icc_profile=b"no profile at all" * 20)
    assert (await tools.normalise_image(broken, tmp_path / "out.png")).width == 120


async def test_a_large_photo_shrinks_to_the_side_that_was_asked_for(tools: MediaTools, tmp_path: Path) -> None:
    source = tmp_path / "large.jpg"
    source.write_bytes(hostile.photo((4000, 3000), quality=60))
    told = await tools.normalise_image(source, tmp_path / "out.jpg", 1024)
    assert (told.width, told.height) == (1024, 768)


@pytest.mark.parametrize("name", hostile.not_pictures(Path("/")))
async def test_what_is_no_picture_is_named_for_what_it_is(tools: MediaTools, tmp_path: Path, name: str) -> None:
    canary = tmp_path / "canary.txt"
    canary.write_text(hostile.CANARY)
    body, kind = hostile.not_pictures(canary)[name]
    (tmp_path / name).write_bytes(body)
    with pytest.raises(UnsupportedMedia) as caught:
        await tools.normalise_image(tmp_path / name, tmp_path / "out.png")
    assert caught.value.values["kind"] == kind
    assert caught.value.values["found"].startswith(("a ", "an "))
    assert not (tmp_path / "out.png").exists()


HEIF_IS_HERE = importlib.util.find_spec("pillow_heif") is not None


@pytest.mark.skipif(not HEIF_IS_HERE, reason="the optional extra pillow-heif is not installed")
async def test_a_heic_photo_becomes_a_jpeg_where_the_extra_is_installed(tools: MediaTools, tmp_path: Path) -> None:
    heif = importlib.import_module("pillow_heif")
    heif.from_pillow(quadrants()).save(tmp_path / "photo.heic")
    told = await tools.normalise_image(tmp_path / "photo.heic", tmp_path / "out.jpg")
    assert (told.width, told.height, told.mime) == (120, 80, "image/jpeg")


def test_a_heic_photo_says_that_it_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        sys.modules, "pillow_heif", None
    )  # an import of it then fails as where the extra is not installed
    (tmp_path / "photo.heic").write_bytes(b"\x00\x00\x00\x20ftypheic" + bytes(100))
    with pytest.raises(UnsupportedMedia) as caught:
        pictures.open_picture(tmp_path / "photo.heic")
    assert caught.value.values["found"] == "a HEIC photo (not installed here)"


@pytest.mark.parametrize(
    "body, what",
    [
        (hostile.png(12_000, 12_000), "pixels"),
        (hostile.png(30_000, 30_000, pixels=False), "pixels"),
        (hostile.png(20_000, 20, pixels=False), "side"),
        (hostile.webp_canvas(16_384, 16_384), "pixels"),
    ],
    ids=["144 megapixels", "900 megapixels", "a ribbon", "a canvas"],
)
async def test_a_pixel_bomb_is_refused_by_its_header(tools: MediaTools, tmp_path: Path, body: bytes, what: str) -> None:
    (tmp_path / "bomb.png").write_bytes(body)
    with pytest.raises(OversizedMedia) as caught:
        await tools.normalise_image(tmp_path / "bomb.png", tmp_path / "out.png")
    assert caught.value.values["what"] == what


async def test_a_file_above_the_byte_limit_is_not_even_opened(tools: MediaTools, tmp_path: Path) -> None:
    with (tmp_path / "fat.png").open("wb") as file:
        file.write(hostile.png(64, 64))
        file.truncate(PICTURE_BYTES + 1)
    with pytest.raises(OversizedMedia) as caught:
        await tools.normalise_image(tmp_path / "fat.png", tmp_path / "out.png")
    assert caught.value.values == {"what": "bytes", "found": PICTURE_BYTES + 1, "most": PICTURE_BYTES}


async def test_a_comment_that_unfolds_to_200_megabytes_does_no_harm(tools: MediaTools, tmp_path: Path) -> None:
    (tmp_path / "bomb.png").write_bytes(hostile.text_bomb())
    with pytest.raises(CorruptMedia):
        await tools.normalise_image(tmp_path / "bomb.png", tmp_path / "out.png")


async def test_ten_thousand_frames_cost_one(tools: MediaTools, tmp_path: Path) -> None:
    (tmp_path / "long.gif").write_bytes(hostile.gif_of(10_000))
    assert (await tools.normalise_image(tmp_path / "long.gif", tmp_path / "out.png", deadline=10)).width == 32


@pytest.mark.parametrize("size", [(1, 1), (15, 400), (4000, 20)])
async def test_a_picture_that_is_almost_nothing_is_refused(
    tools: MediaTools, tmp_path: Path, size: tuple[int, int]
) -> None:
    source = write(tmp_path / "dot.png", Image.new("RGB", size), "PNG")
    with pytest.raises(UnsupportedMedia) as caught:
        await tools.normalise_image(source, tmp_path / "out.png")
    assert caught.value.values["kind"] == "tiny"


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF"])
async def test_a_cut_off_picture_is_corrupt(tools: MediaTools, tmp_path: Path, form: str) -> None:
    whole = io.BytesIO()
    Image.effect_noise((300, 200), 80).convert("RGB").save(whole, form)
    (tmp_path / "cut").write_bytes(whole.getvalue()[: len(whole.getvalue()) // 2])
    with pytest.raises(CorruptMedia):
        await tools.normalise_image(tmp_path / "cut", tmp_path / "out.png")


async def test_an_archive_behind_a_photo_is_not_carried_on(tools: MediaTools, tmp_path: Path) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("payload.exe", hostile.CANARY)
    (tmp_path / "both.jpg").write_bytes(hostile.photo() + archive.getvalue())
    assert zipfile.is_zipfile(tmp_path / "both.jpg")
    await tools.normalise_image(tmp_path / "both.jpg", tmp_path / "out.jpg")
    assert not zipfile.is_zipfile(tmp_path / "out.jpg")
    assert hostile.CANARY.encode() not in (tmp_path / "out.jpg").read_bytes()


async def test_a_pipe_and_a_missing_file_are_refused(tools: MediaTools, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnsupportedMedia):
        await tools.normalise_image(tmp_path / "pipe", tmp_path / "out.png")
    with pytest.raises(CorruptMedia, match="gone"):
        await tools.normalise_image(tmp_path / "missing.png", tmp_path / "out.png")
