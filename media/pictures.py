"""Still pictures: open an upload safely, turn frames upright, and write files that carry nothing but pixels."""

from __future__ import annotations

import contextlib
import io
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from PIL import Image, ImageCms, ImageFile, ImageOps, UnidentifiedImageError

from core.errors import CorruptMedia, UnsupportedMedia
from core.media import LEAST_SIDE, PICTURE_BYTES, PICTURE_PIXELS, PICTURE_SIDE
from media.admission import oversized, read_head, unsupported
from media.sniff import PICTURES, Looks, webp_size

if TYPE_CHECKING:
    from av.video.frame import VideoFrame  # a picture alone needs no FFmpeg, which takes longer to load than Pillow

GROUND: Final = (127, 127, 127)
"""What shows through where an upload is transparent: dark and light drawings both stay readable on it."""
_LOSSLESS_BYTES: Final = 4 * 1024 * 1024
_BT709, _BT601 = 1, 5
_FULL_RANGE = 2

ImageFile.LOAD_TRUNCATED_IMAGES = False
Image.MAX_IMAGE_PIXELS = PICTURE_PIXELS
warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the exact limit is checked below


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except Image.DecompressionBombError as error:
        raise oversized("pixels", 2 * PICTURE_PIXELS, PICTURE_PIXELS) from error
    except (
        UnidentifiedImageError,
        SyntaxError,
        ValueError,
        struct.error,
        EOFError,
        KeyError,
        IndexError,
        ArithmeticError,
    ) as error:
        raise CorruptMedia(f"the picture cannot be read: {type(error).__name__}") from error
    except OSError as error:
        if error.errno in (12, 27, 28):
            raise
        raise CorruptMedia("the picture cannot be read: it is cut off or damaged") from error


def open_picture(path: Path) -> tuple[Image.Image, Looks]:
    """Return the unread first picture of ``path`` within all limits; raises ``UnsupportedMedia``, ``CorruptMedia`` or
    ``OversizedMedia``.
    """
    looks, _, head = read_head(path, PICTURE_BYTES)
    form = PICTURES.get(looks.kind)
    if form is None:
        raise unsupported(looks)
    if form == "HEIF" and not _heif_is_here():
        raise unsupported(Looks("heic", "a HEIC photo (not installed here)"))
    if form == "WEBP" and (canvas := webp_size(head)):
        _check_size(*canvas)
    with _reading():
        picture = Image.open(path, formats=[form])
        _check_size(*picture.size)
    return picture, looks


def _heif_is_here() -> bool:
    try:
        import pillow_heif
    except ImportError:
        return False
    pillow_heif.register_heif_opener(thumbnails=False)
    return True


def _check_size(width: int, height: int) -> None:
    if width * height > PICTURE_PIXELS:
        raise oversized("pixels", width * height, PICTURE_PIXELS)
    if max(width, height) > PICTURE_SIDE:
        raise oversized("side", max(width, height), PICTURE_SIDE)
    if min(width, height) < LEAST_SIDE:
        raise UnsupportedMedia("too small", values={"found": f"a picture of {width}×{height} pixels", "kind": "tiny"})


def normalised(picture: Image.Image, most_side: int) -> Image.Image:
    """Return an upright RGB copy of at most ``most_side`` with alpha laid on neutral ground and colours in sRGB."""
    with _reading():
        if picture.format == "JPEG":
            picture.draft(
                None, (most_side, most_side)
            )  # decodes at a half, a quarter or an eighth where that is enough
        picture.load()
        profile = picture.info.get("icc_profile")
        with contextlib.suppress(
            struct.error, TypeError, OverflowError
        ):  # a broken EXIF block is no reason to refuse the pixels
            picture = ImageOps.exif_transpose(picture)
        picture = _to_rgb(picture, profile)
        if max(picture.size) > most_side:
            picture.thumbnail((most_side, most_side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    if min(picture.size) < LEAST_SIDE:
        raise UnsupportedMedia("too thin", values={"found": "a picture that is almost a line", "kind": "tiny"})
    return picture


def _to_rgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    if picture.mode.startswith("I"):
        picture = picture.convert("I").point(lambda level: level / 257).convert("L")
        profile = None
    if picture.mode in ("P", "PA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
    if picture.mode in ("1", "F"):
        picture = picture.convert("L")
    alpha = picture.getchannel("A") if picture.mode in ("RGBA", "LA", "La", "RGBa") else None
    colours = picture.convert("L") if picture.mode in ("LA", "La") else picture
    if colours.mode in ("RGBA", "RGBa"):
        colours = colours.convert("RGB")
    rgb = _in_srgb(colours, profile)
    if alpha is None or alpha.getextrema() == (255, 255):
        return rgb
    ground = Image.new("RGB", rgb.size, GROUND)
    ground.paste(rgb, mask=alpha)
    return ground


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    if profile and picture.mode in ("RGB", "CMYK", "L"):
        with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
            if converted is not None:
                return converted
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def save(picture: Image.Image, output: Path, *, lossless: bool, quality: int = 92) -> dict[str, Any]:
    """Write ``picture`` without metadata, as PNG when ``lossless`` and not too big, else as JPEG; return the fields of
    a ``Picture``.
    """
    bare = Image.frombytes("RGB", picture.size, picture.tobytes()) if picture.info else picture
    mime = "image/jpeg"
    if lossless:
        bare.save(output, format="PNG", compress_level=6)
        mime = "image/png"
    if not lossless or output.stat().st_size > _LOSSLESS_BYTES:
        # An optimised JPEG is written from one buffer, for which Pillow takes a byte per pixel: too few for a picture full of noise.
        ImageFile.MAXBLOCK = max(ImageFile.MAXBLOCK, 4 * bare.width * bare.height)
        bare.save(
            output,
            format="JPEG",
            quality=quality,
            subsampling=0 if quality > 90 else 2,
            optimize=True,
            progressive=False,
        )
        mime = "image/jpeg"
    return {"width": bare.width, "height": bare.height, "mime": mime, "bytes": output.stat().st_size}


def upright(frame: VideoFrame, sar: Fraction) -> Image.Image:
    """Return a decoded frame as a person sees it: square pixels, rotation applied, full-range RGB by its own colour
    matrix.
    """
    matrix = (
        frame.colorspace
        if frame.colorspace in (1, 4, 5, 6, 7, 9)
        else (_BT709 if min(frame.width, frame.height) >= 720 else _BT601)
    )
    rgb = frame.reformat(format="rgb24", src_colorspace=matrix, dst_color_range=_FULL_RANGE)
    plane = rgb.planes[0]
    # Not by way of numpy, which a child for one poster would import for a fifth of a second of a processor.
    picture = Image.frombytes("RGB", (rgb.width, rgb.height), bytes(plane), "raw", "RGB", plane.line_size, 1)
    if sar != 1:
        width = max(LEAST_SIDE, round(picture.width * sar))
        picture = picture.resize((width, picture.height), Image.Resampling.LANCZOS)
    turn = {90: Image.Transpose.ROTATE_90, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_270}.get(
        frame.rotation % 360
    )
    return picture.transpose(turn) if turn is not None else picture
