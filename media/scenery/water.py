"""Water: a real wave spectrum in perspective that mirrors the finished picture above it, with a glitter path under the light.

The spectrum is moved in the frequency domain (deep-water dispersion), one inverse FFT a frame gives the slope of the surface, a perspective
transform lays it down, and each pixel looks up the mirrored picture where its slope points. Half of the columns are enough.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from media.scenery.noise import Field, blurred, smoothstep
from media.scenery.planes import Canvas, converted, image_of, mix, triangular
from media.scenery.world import World

_SIZE = 256
_TILE_METRES = 42.0


class Water:
    """The surface from the horizon row to ``bottom`` (or the lower edge)."""

    def __init__(self, world: World, mirrored: Field, *, calm: float = 0.4, bottom: int | None = None) -> None:
        """``mirrored``: RGB floats of everything above the horizon, as seen. ``calm`` 0 swell … 1 mirror."""
        self.world = world
        self.top = world.horizon & ~1
        self.rows = ((world.height if bottom is None else bottom) - self.top) & ~1
        self.columns = world.width // 2
        self._spectrum(world, calm)
        self._mirror(world, mirrored)
        self._perspective(world)
        self._glitter(world)
        self.noise = triangular(world.chance("water dither"), self.rows, self.columns, 0.8)

    def _spectrum(self, world: World, calm: float) -> None:
        rng = world.chance("waves")
        wave = np.fft.fftfreq(_SIZE, 1 / _SIZE)
        kx = (2 * np.pi / _TILE_METRES * wave[: _SIZE // 2 + 1])[None, :]
        kx = np.abs(kx)
        ky = (2 * np.pi / _TILE_METRES * wave)[:, None]
        k = np.hypot(kx, ky)
        k[0, 0] = 1.0
        wind = 7.0 if calm < 0.3 else 4.5
        longest = wind * wind / 9.81
        toward_viewer = np.abs(ky / k) ** 2 * 0.75 + 0.25
        power = np.exp(-1 / (k * longest) ** 2) / k**4 * toward_viewer * np.exp(-((k * 0.20) ** 2))
        power[0, 0] = 0
        phase = rng.normal(size=k.shape) + 1j * rng.normal(size=k.shape)
        self._still = (np.sqrt(power) * phase * ky * 1j).astype(np.complex64)
        # Whole turns per 60 s: the motion never needs more precision than this.
        self._speed = np.sqrt(9.81 * k) * np.where(ky >= 0, 1.0, -1.0) * 0.62
        slope = np.fft.irfft2(self._still, s=(_SIZE, _SIZE))
        self._gain = float(1.0 / max(1e-9, slope.std()))

    def _mirror(self, world: World, mirrored: Field) -> None:
        """The picture above, flipped, softened sideways-free and darkened with steeper view, in half columns."""
        unit = world.unit
        above = mirrored[: self.top][::-1]
        span = min(len(above), self.top)
        y = np.arange(self.rows, dtype=np.float32)
        # Rows of water show the sky up to the zenith when the view gets steep.
        reach = (y / self.rows) ** 0.9 * min(span - 1, self.rows * 1.25)
        self._row_at = reach
        luma, blue, red = converted(above[: span & ~1, : world.width])
        soft = max(2.0, 9 * unit)
        self.mirror_rows = luma.shape[0]
        self.mirror = np.stack([blurred(self._half_columns(luma), soft)])[0].astype(np.float32)
        self.mirror_u = blurred(blue, soft / 2).astype(np.float32)
        self.mirror_v = blurred(red, soft / 2).astype(np.float32)
        palette = world.palette
        deep = np.array(palette.water, dtype=np.float32)[None, None, :].repeat(2, 0).repeat(2, 1)
        dy, du, dv = converted(deep)
        self.deep = (float(dy[0, 0]), float(du[0, 0]), float(dv[0, 0]))
        # Fresnel: far water mirrors, near water shows its own colour.
        self.depth = (0.18 + 0.50 * smoothstep(0.0, 1.0, y / self.rows) ** 0.8)[:, None].astype(np.float32)

    @staticmethod
    def _half_columns(field: Field) -> Field:
        return ((field[:, 0::2] + field[:, 1::2]) * 0.5).astype(np.float32)

    def _perspective(self, world: World) -> None:
        """Coefficients that lay the tile down: camera height 2.2 m, about 3.5 m at the lower edge, 90 m near the horizon."""
        rows, columns = self.rows, self.columns
        self._near, self._far = 6.5, 160.0
        texel = _SIZE / _TILE_METRES
        y = (np.arange(rows, dtype=np.float32) + 0.5) / rows
        self.distance = self._near / np.maximum(y, self._near / self._far)
        scale = 2.4 / min(world.width, 1.3 * world.height) * 2
        # For output (x, y): z = near·rows / y, X = (x − middle)·scale·z. PERSPECTIVE wants (a x + b y + c) / (g x + h y + 1).
        offset = rows * self._near / self._far
        c = offset
        tiles = 4
        middle = _SIZE * tiles / 2
        k = self._near * rows
        g, h = 0.0, 1.0 / c
        across = scale * k * 0.5 * texel
        self.matrix = (
            across / c,
            middle / c,
            (middle * c - across * columns / 2) / c,
            g,
            0.0,
            k * texel / c + 0.0,
            g,
            h,
        )
        self._tiles = tiles
        self._rows_of_tile = int(np.ceil(k * texel / c / _SIZE)) + 1
        fade = np.clip(20.0 / self.distance, 0.0, 1.0)
        self.fade = (fade**0.75)[:, None].astype(np.float32)
        self.push = (self.rows * 0.16 * (y + 0.04) ** 0.85)[:, None].astype(np.float32)

    def _glitter(self, world: World) -> None:
        unit = world.unit
        y = (np.arange(self.rows, dtype=np.float32) / self.rows)[:, None]
        x = (np.arange(self.columns, dtype=np.float32) * 2 + 1)[None, :]
        self.path: Field | None = None
        if world.light.kind == "none" or world.reading.has("storm"):
            return
        width = (34 + 190 * y) * unit * (1.9 if world.palette.name == "day" else 1.0)
        column = np.exp(-(((x - world.light.x) / width) ** 2))
        power = 1.0 if world.light.kind == "sun" else 0.66
        low = np.clip(1.25 - world.light.y / world.horizon, 0.35, 1.0)
        self.path = (column * power * (0.22 + 0.84 * (1 - y) ** 1.0) * (0.6 + 0.4 / low * 0.5)).astype(np.float32)
        warm = 0.26 if world.light.kind == "sun" and world.palette.name != "day" else 0.08
        tone = (
            np.array(mix(world.light.tone, world.palette.sky[-2], warm), dtype=np.float32)[None, None, :]
            .repeat(2, 0)
            .repeat(2, 1)
        )
        ty, tu, tv = converted(tone)
        self.tone = (float(ty[0, 0]), float(tu[0, 0]), float(tv[0, 0]))

    def slopes(self, time: float) -> Field:
        """The surface's slope toward the viewer in every (row, half column); about ±1 near the viewer, calmer far off."""
        angle = (self._speed * time % (2 * np.pi)).astype(np.float32)
        turned = self._still * (np.cos(angle) + 1j * np.sin(angle))
        tile = (np.fft.irfft2(turned, s=(_SIZE, _SIZE)) * self._gain).astype(np.float32)
        sheet = np.tile(np.clip(tile * 40 + 128, 0, 255).astype(np.uint8), (self._rows_of_tile, self._tiles))
        laid = Image.fromarray(sheet).transform(
            (self.columns, self.rows), Image.Transform.PERSPECTIVE, self.matrix, Image.Resampling.BILINEAR
        )
        return np.asarray(laid, dtype=np.float32) * (1 / 40) - 3.2

    def draw(self, canvas: Canvas, time: float) -> None:
        """Paint the whole surface over what is below the horizon."""
        slope = self.slopes(time)
        slope *= self.fade
        rows = self._row_at[:, None] + slope * self.push
        index = np.clip(rows, 0, self.mirror_rows - 1).astype(np.int32)
        columns = np.arange(self.columns, dtype=np.int32)[None, :]
        luma = np.take(self.mirror.ravel(), index * self.columns + columns)
        part = np.clip(self.depth + slope * 0.13, 0.05, 0.92)
        luma += (self.deep[0] - luma) * part
        half = index[::2] >> 1
        flat = np.minimum(half, self.mirror_u.shape[0] - 1) * self.columns + columns
        blue = np.take(self.mirror_u.ravel(), flat)
        red = np.take(self.mirror_v.ravel(), flat)
        small = part[::2]
        blue += (self.deep[1] - blue) * small
        red += (self.deep[2] - red) * small
        if self.path is not None:
            spark = np.clip(slope * 0.90 + 0.12, 0, 1.45)
            spark = spark * np.sqrt(spark) * self.path
            np.minimum(spark, 0.96, out=spark)
            luma += (self.tone[0] - luma) * spark
            few = spark[::2]
            blue += (self.tone[1] - blue) * few
            red += (self.tone[2] - red) * few
        luma += self.noise + 0.5
        picture = Image.fromarray(np.clip(luma, 16, 235).astype(np.uint8)).resize(
            (self.world.width, self.rows), Image.Resampling.BILINEAR
        )
        canvas.y.paste(picture, (0, self.top))
        canvas.u.paste(image_of(blue), (0, self.top // 2))
        canvas.v.paste(image_of(red), (0, self.top // 2))
