"""Picture planes in the encoder's own colours (Y'CbCr BT.709, video range) and everything that is laid over them.

Mixing and adding light are linear, so they give the same result in Y'CbCr as in RGB at less than half the work, and no frame needs a
conversion on its way to the encoder. The one conversion, RGB → BT.709 limited range, happens here at set-up, with dither.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from media.scenery.noise import Field

Plane = Image.Image
Colour = tuple[float, float, float]
Bytes = NDArray[np.uint8]

BLACK = 16
"""Luma of black in video range."""


def colour(text: str) -> Colour:
    """``#rrggbb`` as three floats in 0..1."""
    return int(text[1:3], 16) / 255, int(text[3:5], 16) / 255, int(text[5:7], 16) / 255


def mix(first: Colour, second: Colour, part: float) -> Colour:
    """``part`` 0 gives the first colour, 1 the second."""
    return (
        first[0] + (second[0] - first[0]) * part,
        first[1] + (second[1] - first[1]) * part,
        first[2] + (second[2] - first[2]) * part,
    )


def scaled(one: Colour, factor: float) -> Colour:
    """A colour made brighter or darker, kept inside 0..1."""
    return min(1.0, one[0] * factor), min(1.0, one[1] * factor), min(1.0, one[2] * factor)


def codes(one: Colour) -> tuple[int, int, int]:
    """One RGB colour as integer Y, Cb, Cr codes."""
    red, green, blue = one
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return (
        round(16 + 219 * min(1.0, max(0.0, luma))),
        round(min(240.0, max(16.0, 128 + 224 * (blue - luma) / 1.8556))),
        round(min(240.0, max(16.0, 128 + 224 * (red - luma) / 1.5748))),
    )


def converted(rgb: Field) -> tuple[Field, Field, Field]:
    """RGB floats (h, w, 3) as Y at full and Cb, Cr at half size (ITU-R BT.709, video range, still floats)."""
    rgb = np.clip(rgb, 0, 1)
    luma = 0.2126 * rgb[..., 0] + 0.7152 * rgb[..., 1] + 0.0722 * rgb[..., 2]
    blue = halved((rgb[..., 2] - luma) * (224 / 1.8556) + 128)
    red = halved((rgb[..., 0] - luma) * (224 / 1.5748) + 128)
    return (luma * 219 + 16).astype(np.float32), blue, red


def halved(field: Field) -> Field:
    """Every 2×2 block as its mean."""
    return ((field[0::2, 0::2] + field[1::2, 0::2] + field[0::2, 1::2] + field[1::2, 1::2]) * 0.25).astype(np.float32)


def dithered(field: Field, noise: Field) -> Bytes:
    """Rounded to bytes with triangular noise (about ±1) added first, so that gradients never show steps."""
    return np.clip(field + noise[: field.shape[0], : field.shape[1]] + 0.5, 0, 255).astype(np.uint8)


def triangular(rng: np.random.Generator, height: int, width: int, strength: float = 1.0) -> Field:
    """Triangular noise for ``dithered``."""
    return (
        (rng.random((height, width), dtype=np.float32) - rng.random((height, width), dtype=np.float32)) * strength
    ).astype(np.float32)


def rounded(field: Field) -> Bytes:
    """Clipped and rounded to bytes, no dither."""
    return np.clip(field + 0.5, 0, 255).astype(np.uint8)


def image_of(field: Field | Bytes) -> Plane:
    """A byte plane as a Pillow picture; floats are clipped and rounded."""
    if field.dtype != np.uint8:
        field = np.clip(field + 0.5, 0, 255).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(field))


@dataclass(slots=True)
class Canvas:
    """One frame: luma at full, both chroma planes at half size (even sides)."""

    y: Plane
    u: Plane
    v: Plane

    @classmethod
    def painted(cls, rgb: Field, rng: np.random.Generator) -> Canvas:
        """From RGB floats, dithered."""
        y, u, v = converted(rgb)
        noise = triangular(rng, *y.shape)
        return cls(image_of(dithered(y, noise)), image_of(dithered(u, noise)), image_of(dithered(v, noise)))

    def copy(self) -> Canvas:
        """An independent frame with the same content."""
        return Canvas(self.y.copy(), self.u.copy(), self.v.copy())

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in luma pixels."""
        return self.y.size

    def tint(self, one: tuple[int, int, int], mask: Plane, left: int, top: int, half: Plane | None = None) -> None:
        """Pull what is there toward one colour (Y, Cb, Cr codes) by ``mask``; ``left`` and ``top`` are made even."""
        left, top = left & ~1, top & ~1
        self.y.paste(one[0], (left, top, left + mask.width, top + mask.height), mask)
        small = half if half is not None else mask.reduce(2)
        box = (left // 2, top // 2, left // 2 + small.width, top // 2 + small.height)
        self.u.paste(one[1], box, small)
        self.v.paste(one[2], box, small)

    def rgb(self) -> Image.Image:
        """The frame as an RGB picture, for looking at it and for reflections."""
        luma = np.asarray(self.y, dtype=np.float32)
        blue = np.asarray(self.u.resize(self.size, Image.Resampling.BILINEAR), dtype=np.float32) - 128
        red = np.asarray(self.v.resize(self.size, Image.Resampling.BILINEAR), dtype=np.float32) - 128
        grey: Field = (luma - 16) / 219
        r = grey + red * (1.5748 / 224)
        b = grey + blue * (1.8556 / 224)
        g = (grey - 0.2126 * r - 0.0722 * b) / 0.7152
        return Image.fromarray((np.clip(np.stack([r, g, b], axis=-1), 0, 1) * 255 + 0.5).astype(np.uint8))


def moved(field: Field, part: float) -> Field:
    """The field moved left by a part of a pixel (Catmull-Rom, so that no phase looks softer than another)."""
    if part == 0:
        return field
    padded = np.pad(field, ((0, 0), (1, 2)), mode="edge")
    p2, p3 = part * part, part**3
    weights = (
        -0.5 * part + p2 - 0.5 * p3,
        1 - 2.5 * p2 + 1.5 * p3,
        0.5 * part + 2 * p2 - 1.5 * p3,
        -0.5 * p2 + 0.5 * p3,
    )
    width = field.shape[1]
    out: Field = (weights[0] * padded[:, :width]).astype(np.float32)
    for index in (1, 2, 3):
        out += weights[index] * padded[:, index : index + width]
    return np.asarray(out, dtype=np.float32)


class Layer:
    """A wide picture with transparency that can be laid down at any quarter of a pixel: copies are shifted beforehand."""

    def __init__(
        self, rgb: Field, alpha: Field, *, top: int, margin: int, rng: np.random.Generator, still: bool = False
    ) -> None:
        """``margin``: columns left of the screen at shift 0. ``top``, height and width must be even. ``still``: whole pixels only."""
        self.top, self.margin, self.still = top, margin, still
        height, width = alpha.shape
        y, u, v = converted(rgb)
        cover = np.clip(alpha, 0, 1) * 255
        small = halved(cover)
        noise = triangular(rng, height, width)
        phases = 1 if still else 4
        self.luma = [(image_of(dithered(moved(y, p / 4), noise)), image_of(moved(cover, p / 4))) for p in range(phases)]
        self.chroma = [
            (
                image_of(dithered(moved(u, p / 8), noise)),
                image_of(dithered(moved(v, p / 8), noise)),
                image_of(moved(small, p / 8)),
            )
            for p in range(2 if still else 8)
        ]
        if still:
            self.chroma[1] = tuple(image_of(moved(np.asarray(one, dtype=np.float32), 0.5)) for one in self.chroma[0])  # type: ignore[assignment]

    def draw(self, canvas: Canvas, shift: float) -> None:
        """Lay it down, moved right by ``shift`` pixels (at most the margin either way)."""
        width, height = canvas.size
        quarter = round((self.margin - shift) * 4)
        if self.still:
            quarter &= ~3
        whole, phase = quarter >> 2, quarter & 3
        picture, cover = self.luma[0 if self.still else phase]
        rows = min(picture.height, height - self.top)
        box = (whole, 0, whole + width, rows)
        canvas.y.paste(picture.crop(box), (0, self.top), cover.crop(box))
        whole, phase = quarter >> 3, quarter & 7
        u, v, small = self.chroma[phase >> 2 if self.still else phase]
        box = (whole, 0, whole + width // 2, rows // 2)
        mask = small.crop(box)
        canvas.u.paste(u.crop(box), (0, self.top // 2), mask)
        canvas.v.paste(v.crop(box), (0, self.top // 2), mask)


class Sprite:
    """A small picture with transparency, laid down anywhere, turned and scaled, with smooth sub-pixel movement."""

    def __init__(self, rgb: Field, alpha: Field, anchor: tuple[float, float]) -> None:
        """``anchor``: the point (x, y in sprite pixels) that ``draw`` puts at the given place."""
        pad = [(2, 2 + alpha.shape[0] % 2), (2, 2 + alpha.shape[1] % 2)]
        alpha = np.pad(alpha, pad)
        rgb = np.pad(rgb, [*pad, (0, 0)], mode="edge")
        y, u, v = converted(rgb)
        self.y, self.u, self.v, self.a = image_of(y), image_of(u), image_of(v), image_of(np.clip(alpha, 0, 1) * 255)
        self.small = self.a.reduce(2)
        self.anchor = (anchor[0] + 2, anchor[1] + 2)

    @classmethod
    def of_planes(cls, y: Plane, u: Plane, v: Plane, cover: Plane, anchor: tuple[float, float]) -> Sprite:
        """From finished planes of one even size, chroma not yet halved."""
        made = cls.__new__(cls)
        made.y, made.a, made.small = y, cover, cover.reduce(2)
        made.u, made.v = u.reduce(2), v.reduce(2)
        made.anchor = anchor
        return made

    def draw(
        self, canvas: Canvas, x: float, y: float, *, turn: float = 0.0, scale: float = 1.0, flip: bool = False, fade: float = 1.0,
        upright: float = 1.0, floor: int | None = None, ceiling: int = 0,
    ) -> None:  # fmt: skip
        """``turn`` in radians (clockwise on screen), ``fade`` 0..1.

        ``upright`` −1 gives a mirror image below; nothing is drawn below the row ``floor``
        or above ``ceiling``.
        """
        if fade <= 0.01 or scale <= 0.01:
            return
        cos, sin = float(np.cos(turn)), float(np.sin(turn))
        mirror = -scale if flip else scale
        tall = upright * scale
        turned = []
        for cx in (0.0, float(self.a.width)):
            for cy in (0.0, float(self.a.height)):
                dx, dy = (cx - self.anchor[0]) * mirror, (cy - self.anchor[1]) * tall
                turned.append((dx * cos - dy * sin, dx * sin + dy * cos))
        left = max(0, int(np.floor(x + min(point[0] for point in turned))) & ~1)
        top = max(ceiling & ~1, int(np.floor(y + min(point[1] for point in turned))) & ~1)
        right = min(canvas.size[0], (int(np.ceil(x + max(point[0] for point in turned))) + 1) & ~1)
        bottom = min(
            canvas.size[1] if floor is None else floor & ~1,
            (int(np.ceil(y + max(point[1] for point in turned))) + 1) & ~1,
        )
        if right - left < 2 or bottom - top < 2:
            return
        ox, oy = left - x, top - y
        a, b = cos / mirror, sin / mirror
        d, e = -sin / tall, cos / tall
        matrix = (a, b, a * ox + b * oy + self.anchor[0], d, e, d * ox + e * oy + self.anchor[1])
        mode, sampling = Image.Transform.AFFINE, Image.Resampling.BILINEAR
        size = (right - left, bottom - top)
        mask = self.a.transform(size, mode, matrix, sampling)
        if fade < 0.99:
            mask = mask.point([round(level * fade) for level in range(256)])
        canvas.y.paste(self.y.transform(size, mode, matrix, sampling), (left, top), mask)
        half = (size[0] // 2, size[1] // 2)
        small = (matrix[0], matrix[1], matrix[2] / 2, matrix[3], matrix[4], matrix[5] / 2)
        cover = mask.reduce(2)
        for plane, source in ((canvas.u, self.u), (canvas.v, self.v)):
            plane.paste(source.transform(half, mode, small, sampling), (left // 2, top // 2), cover)


class Glow:
    """A soft round light that pulls the picture toward its colour; cheap enough for hundreds a frame when small."""

    def __init__(self, radius: float, tone: Colour, strength: float = 1.0, power: float = 2.0) -> None:
        """``radius``: where it has faded out, in pixels; ``power`` > 2 makes a tighter core."""
        self.codes = codes(tone)
        self.reach = max(3, int(np.ceil(radius)) + 1)
        self.masks: list[list[Plane]] = []
        self._kept: dict[tuple[int, int, int], tuple[Plane, Plane]] = {}
        size = 2 * self.reach
        axis = np.arange(size, dtype=np.float32) - self.reach + 0.5
        phases = 4 if radius < 24 else 1
        self.phases = phases
        for py in range(phases):
            row: list[Plane] = []
            for px in range(phases):
                far = np.hypot(axis[:, None] - py * 2 / phases, axis[None, :] - px * 2 / phases) / radius
                row.append(image_of((np.clip(1 - far, 0, 1) ** power * (255 * strength)).astype(np.float32)))
            self.masks.append(row)

    def _ready(self, py: int, px: int, level: int) -> tuple[Plane, Plane]:
        """The mask at one of 16 brightnesses and its half, kept for the next time."""
        key = (py, px, level)
        found = self._kept.get(key)
        if found is None:
            mask = self.masks[py][px]
            if level < 16:
                mask = mask.point([(value * level) >> 4 for value in range(256)])
            found = self._kept[key] = (mask, mask.reduce(2))
        return found

    def draw(self, canvas: Canvas, x: float, y: float, fade: float = 1.0) -> None:
        """Centre at (x, y); ``fade`` 0..1 dims it."""
        level = min(16, round(fade * 16))
        if level <= 0:
            return
        left, top = x - self.reach, y - self.reach
        column, row = int(np.floor(left / 2)) * 2, int(np.floor(top / 2)) * 2
        size = 2 * self.reach
        if column >= canvas.size[0] or row >= canvas.size[1] or column + size <= 0 or row + size <= 0:
            return
        px = min(self.phases - 1, int((left - column) / 2 * self.phases))
        py = min(self.phases - 1, int((top - row) / 2 * self.phases))
        mask, half = self._ready(py, px, level)
        canvas.tint(self.codes, mask, column, row, half)
