"""A title card: the film's first picture out of focus and darker, and the title on it, from the very first picture on, so that it makes
a good poster.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from media.reels import Canvas, Reel, pictures
from media.scenery.caption import Font, fitting_font

LONGEST: Final = 120
MOST_LINES: Final = 3
_SIZES: Final = (0.118, 0.104, 0.092, 0.080, 0.070, 0.060, 0.050, 0.042)
"""Of the short side, the largest that fits first."""
_ROOM: Final = 0.80
"""Of the width; the rest is margin that a player's buttons may cover."""
_LEADING: Final = 1.22
_IN: Final = 0.45
_OUT: Final = 0.4
_FIRST: Final = 0.8
"""How much of the words stands in the first picture already."""
_CLOSER: Final = 0.05
"""How much closer the picture comes while the card stands."""
_DARK: Final = 0.58
_SEEN: Final = 46
"""Grey level that a twentieth of a picture must pass to be worth standing behind a title."""
_LOOKED_AT: Final = 48
_INK: Final = (235, 128, 128)
_GOLD: Final = (190, 92, 146)
_PAPER: Final = (58, 148, 128)
"""Y, Cb and Cr of the words, of the line under them, and of the ground where a film begins in the dark."""


def readable(title: str) -> str:
    """The title in one line of plain characters; empty where nothing of it can be read."""
    text = unicodedata.normalize("NFC", title[:1000])
    text = " ".join("".join(c if unicodedata.category(c)[0] != "C" else " " for c in text).split())
    if len(text) > LONGEST:
        cut = text[:LONGEST]
        text = (cut[: cut.rfind(" ")] if " " in cut[40:] else cut).rstrip(" ,;:.") + "…"
    return text if any(character.isalnum() for character in text) else ""


def set_in_lines(text: str, width: int, height: int) -> tuple[Font, list[str]] | None:
    """Return font and lines, as large as fits; None when no font on this machine has all its characters."""
    least = None
    for share in _SIZES:
        font = fitting_font(text, max(14, round(share * min(width, height))))
        if font is None:
            return None
        lines = _wrapped(font, text, width * _ROOM)
        least = (font, lines)
        if len(lines) <= MOST_LINES and max(font.getlength(line) for line in lines) <= width * _ROOM:
            return least
    return least


def _wrapped(font: Font, text: str, room: float) -> list[str]:
    """The fewest lines that fit, each about as long as the others."""
    pieces = text.split(" ") if " " in text else list(text)
    glue = " " if " " in text else ""
    lines = _filled(font, pieces, glue, room)
    low, high = max(font.getlength(piece) for piece in pieces), room
    for _ in range(8):  # the narrowest room that needs no line more
        middle = (low + high) / 2
        if len(_filled(font, pieces, glue, middle)) <= len(lines):
            high = middle
        else:
            low = middle
    return _filled(font, pieces, glue, min(room, max(high, low)))


def _filled(font: Font, pieces: list[str], glue: str, room: float) -> list[str]:
    lines: list[str] = []
    for piece in pieces:
        longer = f"{lines[-1]}{glue}{piece}" if lines else piece
        if lines and font.getlength(longer) <= room:
            lines[-1] = longer
        else:
            lines.append(piece)
    return lines


def card(title: str, reel: Reel, canvas: Canvas, count: int, *, into_fade: bool) -> Iterator[VideoFrame] | None:
    """Yield ``count`` pictures of the card before ``reel``; None when there is no font for it.

    ``into_fade``: the clip is faded in over the card's end, so the words stay until then.
    """
    text = readable(title)
    written = set_in_lines(text, canvas.width, canvas.height) if text else None
    return None if written is None else _drawn(*written, reel, canvas, count, into_fade=into_fade)


def _drawn(
    font: Font, lines: list[str], reel: Reel, canvas: Canvas, count: int, *, into_fade: bool
) -> Iterator[VideoFrame]:
    words, line = _masks(font, lines, canvas)
    shadow = words.filter(ImageFilter.GaussianBlur(font.size * 0.22)).point(
        [min(255, level * 2) for level in range(256)]
    )
    shade = 1 - 0.6 * np.asarray(shadow, dtype=np.float32) / 255
    ground = _ground(reel, canvas)
    grain = _grain(canvas)
    seconds = float(count / canvas.fps)
    for number in range(count):
        time = float(number / canvas.fps)
        part = _FIRST + (1 - _FIRST) * min(1.0, time / _IN)
        leaving = 1.0 if into_fade else min(1.0, max(0.0, (seconds - time) / _OUT))
        strength = part * leaving
        planes = [np.array(_closer(plane, size, time / seconds), dtype=np.float32) for plane, size in ground]
        planes[0] = 16 + (planes[0] - 16) * (1 - (1 - shade) * strength) + grain
        _ink(planes, words, _INK, strength)
        grown = min(1.0, 0.35 + time / 0.9)
        _ink(planes, _short(line, grown), _GOLD, strength)
        yield _frame(planes, canvas)


def _masks(font: Font, lines: list[str], canvas: Canvas) -> tuple[Image.Image, Image.Image]:
    words, line = (Image.new("L", (canvas.width, canvas.height), 0) for _ in range(2))
    leading = round(font.size * _LEADING)
    top = round(canvas.height * 0.48 - leading * len(lines) / 2)
    pen = ImageDraw.Draw(words)
    for row, text in enumerate(lines):
        pen.text((canvas.width / 2, top + row * leading + leading / 2), text, font=font, fill=255, anchor="mm")
    thick, reach = max(2, round(font.size * 0.045)), round(canvas.lines * 0.075)
    below = top + leading * len(lines) + round(font.size * 0.30)
    middle = canvas.width // 2
    ImageDraw.Draw(line).rectangle((middle - reach, below, middle + reach, below + thick - 1), fill=255)
    return words, line


def _short(line: Image.Image, grown: float) -> Image.Image:
    """The line, as far as it has grown from its middle."""
    if grown >= 1:
        return line
    shown = line.copy()
    box = line.getbbox() or (0, 0, 0, 0)
    cut = round((box[2] - box[0]) / 2 * (1 - grown))
    shown.paste(0, (box[0], box[1], box[0] + cut, box[3]))
    shown.paste(0, (box[2] - cut, box[1], box[2], box[3]))
    return shown


def _ground(reel: Reel, canvas: Canvas) -> list[tuple[Image.Image, tuple[int, int]]]:
    """The three planes of the backdrop, soft and small, each with the size to draw it at."""
    picture = _first_seen(reel, canvas)
    sizes = [(canvas.width, canvas.height), *[(canvas.width // 2, canvas.height // 2)] * 2]
    down = np.linspace(0, 1, canvas.height // 4 or 1, dtype=np.float32)[:, None]
    across = np.linspace(-1, 1, canvas.width // 4 or 1, dtype=np.float32)[None, :]
    vignette = 1 - 0.38 * np.clip(across**2 * 0.7 + (2 * down - 1) ** 2 * 0.6, 0, 1)
    found = []
    for number, size in enumerate(sizes):
        small = (canvas.width // 4 or 1, canvas.height // 4 or 1)
        if picture is None:
            values = np.full((small[1], small[0]), float(_PAPER[number]), np.float32) - (
                26 * down if number == 0 else 0
            )
        else:
            soft = picture[number].resize(small, Image.Resampling.BOX)
            values = np.asarray(soft.filter(ImageFilter.GaussianBlur(min(small) * 0.022)), dtype=np.float32)
            values = 16 + (values - 16) * _DARK if number == 0 else 128 + (values - 128) * 0.8
        if number == 0:
            values = 16 + (values - 16) * vignette
        found.append((Image.fromarray(values.astype(np.float32), mode="F"), size))
    return found


def _first_seen(reel: Reel, canvas: Canvas) -> list[Image.Image] | None:
    """The planes of the first picture in which something can be made out; None where a clip begins in the dark."""
    for frame in pictures(reel, canvas, min(_LOOKED_AT, canvas.frames(reel.seconds))):
        planes = frame.to_ndarray()
        grey = planes[: canvas.height]
        if np.percentile(grey[::8, ::8], 95) >= _SEEN:
            rest = planes[canvas.height :].reshape(2, canvas.height // 2, canvas.width // 2)
            return [Image.fromarray(np.ascontiguousarray(plane)) for plane in (grey, *rest)]
    return None


def _closer(plane: Image.Image, size: tuple[int, int], part: float) -> Image.Image:
    inset = _CLOSER / 2 * part
    box = (plane.width * inset, plane.height * inset, plane.width * (1 - inset), plane.height * (1 - inset))
    return plane.resize(size, Image.Resampling.BICUBIC, box=box)


def _grain(canvas: Canvas) -> NDArray[Any]:
    """Triangular noise of one grey level: soft grounds show bands without."""
    random = np.random.default_rng(1)
    shape = (canvas.height, canvas.width)
    return (random.random(shape, dtype=np.float32) - random.random(shape, dtype=np.float32)).astype(np.float32)


def _ink(planes: list[NDArray[Any]], mask: Image.Image, colour: tuple[int, int, int], strength: float) -> None:
    """Draw ``mask`` in ``colour`` on the planes, only where it is."""
    box = mask.getbbox()
    if box is None or strength <= 0:
        return
    left, top, right, bottom = box[0] & ~1, box[1] & ~1, (box[2] + 1) & ~1, (box[3] + 1) & ~1
    cut = mask.crop((left, top, right, bottom))
    for number, plane in enumerate(planes):
        half = 2 if number else 1
        share = np.asarray(cut.reduce(half) if number else cut, dtype=np.float32) / 255 * strength
        area = plane[top // half : bottom // half, left // half : right // half]
        share = share[: area.shape[0], : area.shape[1]]
        area += (colour[number] - area) * share


def _frame(planes: list[NDArray[Any]], canvas: Canvas) -> VideoFrame:
    rows = [np.clip(np.round(plane), 16, 240).astype(np.uint8) for plane in planes]
    stacked = np.concatenate([rows[0].reshape(-1), rows[1].reshape(-1), rows[2].reshape(-1)])
    return VideoFrame.from_ndarray(stacked.reshape(canvas.height * 3 // 2, canvas.width), format="yuv420p")
