"""A picture becomes a shot: a slow push-in in which what stands out comes nearer than the rest, with light and weather over it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageFilter

from core.errors import CorruptMedia, OversizedMedia, UnsupportedMedia
from media.scenery.noise import Field, blurred, smoothstep
from media.scenery.planes import Canvas, Colour, Glow, converted, dithered, image_of, triangular
from media.scenery.world import World

MOST_PIXELS = 40_000_000
_GENTLE_CROP = 1.38
"""Up to this ratio of aspects the picture is cropped; beyond it stands whole before a blurred copy of itself."""
_ROOM = 1.08
"""How much larger than the frame the working copy is, so that the push-in stays sharp."""


def opened(path: Path) -> Image.Image:
    """The picture as RGB. Raises ``UnsupportedMedia``, ``CorruptMedia`` or ``OversizedMedia``."""
    try:
        with path.open("rb") as file:
            return _read(file)
    except FileNotFoundError as error:
        raise CorruptMedia("the picture is not there") from error


def _read(file: BinaryIO) -> Image.Image:
    try:
        picture = Image.open(file, formats=("PNG", "JPEG"))
    except OSError as error:
        raise UnsupportedMedia("not a PNG or JPEG", values={"found": "something else"}) from error
    pixels = picture.width * picture.height
    if pixels > MOST_PIXELS:
        raise OversizedMedia("too many pixels", values={"what": "pixels", "found": pixels, "most": MOST_PIXELS})
    try:
        if picture.mode in ("RGBA", "LA", "P", "PA"):
            clear = picture.convert("RGBA")
            ground = Image.new("RGBA", clear.size, (18, 18, 22, 255))
            return Image.alpha_composite(ground, clear).convert("RGB")
        return picture.convert("RGB")
    except (OSError, SyntaxError, ValueError) as error:
        raise CorruptMedia("the picture cannot be read to its end") from error


def saliency(picture: Image.Image) -> Field:
    """How much each part stands out, 0..1, on a grid of 96 columns: local detail, colour unlike the borders, a mild pull to the middle."""
    columns = 96
    rows = max(8, min(192, round(columns * picture.height / picture.width)))
    small = np.asarray(picture.resize((columns, rows), Image.Resampling.BOX), dtype=np.float32) / 255
    luma = small @ np.array((0.2126, 0.7152, 0.0722), dtype=np.float32)
    detail = np.hypot(*np.gradient(luma))
    detail = blurred(detail.astype(np.float32), 2.5)
    border = np.concatenate([small[:3].reshape(-1, 3), small[:, :3].reshape(-1, 3), small[:, -3:].reshape(-1, 3)])
    unlike = np.linalg.norm(small - np.median(border, axis=0), axis=-1)
    unlike = blurred(np.asarray(unlike, dtype=np.float32), 2.5)
    vivid = blurred((small.max(axis=-1) - small.min(axis=-1)).astype(np.float32), 2.5)
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    middle = np.exp(-((((x + 0.5) / columns - 0.5) / 0.42) ** 2 + (((y + 0.5) / rows - 0.52) / 0.42) ** 2))

    def even(part: Field) -> Field:
        return np.asarray(part / max(1e-6, float(part.max())), dtype=np.float32)

    total = (0.40 * even(detail) + 0.65 * even(unlike) + 0.20 * even(vivid)) * (0.35 + 0.65 * middle)
    return even(blurred(total.astype(np.float32), 2.0))


def focus(salient: Field) -> tuple[float, float]:
    """Where the subject is, in parts of width and height: the centre of what stands out most."""
    strong = np.clip(salient - 0.45 * float(salient.max()), 0, None) ** 1.5
    rows, columns = strong.shape
    weight = float(strong.sum())
    if weight < 1e-6:
        return 0.5, 0.46
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    return float((strong * (x + 0.5)).sum() / weight / columns), float((strong * (y + 0.5)).sum() / weight / rows)


@dataclass(slots=True)
class _Shot:
    """Working copies of what moves, and where on the screen it moves."""

    left: int
    top: int
    width: int
    height: int
    focus: tuple[float, float]
    salient: Field


class PushIn:
    """The moving picture. Luma and chroma are warped apart by one mesh, so that the work is half that of RGB."""

    def __init__(self, world: World, picture: Image.Image) -> None:
        self.world = world
        frame = (world.width, world.height)
        ratio = (picture.width / picture.height) / (frame[0] / frame[1])
        self.staged = max(ratio, 1 / ratio) > _GENTLE_CROP
        self.base: Canvas | None = None
        if self.staged:
            self.shot, picture = self._before_backdrop(picture, ratio)
        else:
            self.shot, picture = self._cropped(picture)
        size = (round(self.shot.width * _ROOM) & ~1, round(self.shot.height * _ROOM) & ~1)
        enlarged = size[0] / picture.width
        working = picture.resize(size, Image.Resampling.LANCZOS)
        if enlarged > 1.15:
            working = working.filter(ImageFilter.UnsharpMask(radius=1.2 * enlarged, percent=55, threshold=2))
        rgb = np.asarray(working, dtype=np.float32) / 255
        y, u, v = converted(rgb)
        noise = triangular(world.chance("photo dither"), y.shape[0], y.shape[1], 0.7)
        self.y, self.u, self.v = image_of(dithered(y, noise)), image_of(u), image_of(v)
        self._mesh_points()

    def _cropped(self, picture: Image.Image) -> tuple[_Shot, Image.Image]:
        """Cut to the frame's aspect around what stands out."""
        world = self.world
        aspect = world.width / world.height
        salient = saliency(picture)
        fx, fy = focus(salient)
        width, height = picture.width, picture.height
        wide, tall = (min(width, height * aspect), min(height, width / aspect))
        left = min(max(fx * width - wide / 2, 0), width - wide)
        top = min(max(fy * height - tall * 0.48, 0), height - tall)
        cut = picture.crop((round(left), round(top), round(left + wide), round(top + tall)))
        inner = saliency(cut)
        return _Shot(0, 0, world.width, world.height, focus(inner), inner), cut

    def _before_backdrop(self, picture: Image.Image, ratio: float) -> tuple[_Shot, Image.Image]:
        """The whole picture on a blurred, darker copy of itself, with a soft shadow."""
        world = self.world
        part = 0.94
        if ratio > 1:
            width, height = world.width * 1.0, world.width / (picture.width / picture.height)
            if world.width < world.height:
                # A wide picture in an upright frame: fill more of it by losing a little at the sides.
                grow = min(1.32, world.height * 0.62 / height)
                aspect = width / (height * grow)
                salient = saliency(picture)
                fx, _ = focus(salient)
                wide = picture.height * aspect
                left = min(max(fx * picture.width - wide / 2, 0), picture.width - wide)
                picture = picture.crop((round(left), 0, round(left + wide), picture.height))
                height *= grow
        else:
            height = world.height * part
            width = height * picture.width / picture.height
        w, h = int(width) & ~1, int(height) & ~1
        left, top = ((world.width - w) // 2) & ~1, ((world.height - h) // 2) & ~1
        cover = max(world.width / picture.width, world.height / picture.height) * 1.06
        small = picture.resize(
            (max(8, round(picture.width * cover / 8)), max(8, round(picture.height * cover / 8))), Image.Resampling.BOX
        )
        small = small.filter(ImageFilter.GaussianBlur(30 * world.unit / 8))
        cx, cy = (small.width - world.width / 8) / 2, (small.height - world.height / 8) / 2
        back = small.resize(
            (world.width, world.height),
            Image.Resampling.BICUBIC,
            box=(cx, cy, cx + world.width / 8, cy + world.height / 8),
        )
        rgb = np.asarray(back, dtype=np.float32) / 255 * 0.55
        y, x = np.mgrid[0 : world.height, 0 : world.width].astype(np.float32)
        outside = np.hypot(
            np.maximum(np.maximum(left - x, x - left - w), 0), np.maximum(np.maximum(top - y, y - top - h), 0)
        )
        rgb *= (1 - 0.55 * np.exp(-outside / (26 * world.unit)))[..., None]
        self.base = Canvas.painted(rgb.astype(np.float32), world.chance("backdrop"))
        salient = saliency(picture)
        return _Shot(left, top, w, h, focus(salient), salient), picture

    def _mesh_points(self) -> None:
        """Grid corners on the screen and how near each is (0 far … 1 near)."""
        shot = self.shot
        columns, rows = (26, 15) if shot.width >= shot.height else (15, 26)
        salient = np.asarray(
            Image.fromarray(shot.salient).resize((columns + 1, rows + 1), Image.Resampling.BICUBIC), dtype=np.float32
        )
        y, x = np.mgrid[0 : rows + 1, 0 : columns + 1].astype(np.float32)
        x, y = x / columns, y / rows
        near = (
            0.62 * salient
            + 0.30 * smoothstep(0.35, 1.0, y)
            + 0.18 * np.exp(-(((x - shot.focus[0]) / 0.3) ** 2) - ((y - shot.focus[1]) / 0.3) ** 2)
        )
        near = blurred(near.astype(np.float32), 1.0)
        self.near = near / max(1e-6, float(near.max()))
        self.x, self.y_ = x, y
        self.columns, self.rows = columns, rows
        self.focus_near = float(self.near[round(shot.focus[1] * rows), round(shot.focus[0] * columns)])

    def _sources(self, time: float) -> tuple[Field, Field]:
        """Where in the picture (0..1) every grid corner looks."""
        world = self.world
        part = min(1.0, time / world.seconds)
        eased = 0.75 * part + 0.25 * part * part * (3 - 2 * part)
        sway = np.sin(part * np.pi * 1.3 + 0.4)
        zoom = 1.025 + eased * (0.070 + 0.068 * self.near)
        fx = min(0.72, max(0.28, self.shot.focus[0]))
        fy = min(0.70, max(0.30, self.shot.focus[1]))
        shift = world.drift * (part - 0.5) * 0.030
        u = fx + (self.x - fx) / zoom + shift * (self.near - self.focus_near) + world.drift * (part - 0.5) * 0.008
        v = fy + (self.y_ - fy) / zoom + 0.004 * sway * (self.near - 0.5)
        return np.clip(u, 0, 1), np.clip(v, 0, 1)

    def _warped(self, plane: Image.Image, size: tuple[int, int], u: Field, v: Field) -> Image.Image:
        width, height = size
        xs = [round(index * width / self.columns) for index in range(self.columns + 1)]
        ys = [round(index * height / self.rows) for index in range(self.rows + 1)]
        su, sv = u * (plane.width - 1), v * (plane.height - 1)
        mesh = []
        for row in range(self.rows):
            for column in range(self.columns):
                quad = (
                    su[row, column], sv[row, column], su[row + 1, column], sv[row + 1, column],
                    su[row + 1, column + 1], sv[row + 1, column + 1], su[row, column + 1], sv[row, column + 1],
                )  # fmt: skip
                mesh.append(((xs[column], ys[row], xs[column + 1], ys[row + 1]), tuple(float(one) for one in quad)))
        return plane.transform(size, Image.Transform.MESH, mesh, Image.Resampling.BILINEAR)

    def canvas(self, time: float) -> Canvas:
        """The frame without anything over it."""
        u, v = self._sources(time)
        shot = self.shot
        y = self._warped(self.y, (shot.width, shot.height), u, v)
        half = (shot.width // 2, shot.height // 2)
        cb, cr = self._warped(self.u, half, u, v), self._warped(self.v, half, u, v)
        if self.base is None:
            return Canvas(y, cb, cr)
        canvas = self.base.copy()
        canvas.y.paste(y, (shot.left, shot.top))
        canvas.u.paste(cb, (shot.left // 2, shot.top // 2))
        canvas.v.paste(cr, (shot.left // 2, shot.top // 2))
        return canvas


class LightLeak:
    """Warm light that wanders in from a corner and crosses slowly."""

    def __init__(self, world: World, tone: Colour) -> None:
        self.world = world
        self.glow = Glow(430 * world.unit, tone, 0.40, 1.7)
        self.second = Glow(250 * world.unit, (1.0, 0.62, 0.42), 0.34, 1.9)

    def draw(self, canvas: Canvas, time: float) -> None:
        """Cross."""
        part = time / self.world.seconds
        way = part if self.world.drift > 0 else 1 - part
        width, height = canvas.size
        self.glow.draw(
            canvas,
            width * (-0.08 + 0.30 * way),
            height * (-0.06 + 0.12 * part),
            0.70 + 0.25 * float(np.sin(part * 3.1)),
        )
        self.second.draw(canvas, width * (1.04 - 0.24 * way), height * (0.92 - 0.14 * part), 0.55)
