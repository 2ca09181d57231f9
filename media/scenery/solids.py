"""A small room for solid figures: parts with a surface, lit and drawn as one sprite.

Figure space: x to the right of the picture, y up from the ground, z toward the viewer; lengths in parts of the figure's own
height. A figure that is not turned looks at the viewer. Surfaces are grids of points; a drawing sorts their small faces by depth and paints
the nearest last, each in one colour, at twice the size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import cos, pi, sin

import numpy as np
from PIL import Image, ImageDraw

from media.scenery.noise import Field
from media.scenery.planes import Colour, Sprite

CLOTH, SKIN, METAL, GLOSS, GLOW = range(5)
"""What a surface is made of: how it takes light."""

_OVER = 2
_FACE = 5.0
"""About the side of a face on the screen, in pixels."""

_LUMA = (0.2126 * 219 / 255, 0.7152 * 219 / 255, 0.0722 * 219 / 255, 16.0)
_BLUE = (-0.2126 * 224 / 1.8556 / 255, -0.7152 * 224 / 1.8556 / 255, 0.9278 * 224 / 1.8556 / 255, 128.0)
_RED = (0.7874 * 224 / 1.5748 / 255, -0.7152 * 224 / 1.5748 / 255, -0.0722 * 224 / 1.5748 / 255, 128.0)
"""RGB bytes to BT.709 codes in video range, one row for each plane."""

Point3 = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Lamp:
    """How a figure is lit. Directions are unit vectors in the viewer's space."""

    key: Colour
    """What a surface's own colour is multiplied with in the light …"""
    shade: Colour
    """… and out of it."""
    toward: Point3
    """Where the light comes from."""
    rim: Colour
    behind: Point3
    """Where the light behind the figure stands."""
    rim_strength: float
    above: Colour
    """What metal mirrors: the sky overhead, the horizon and the ground."""
    around: Colour
    below: Colour
    dim: float = 1.0
    """Less than 1 for a silhouette: how much of the colour is left."""


def turned(yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> Field:
    """A rotation: first ``roll`` about z, then ``pitch`` about x (positive nods forward), then ``yaw`` about y."""
    cy, sy, cp, sp, cr, sr = cos(yaw), sin(yaw), cos(pitch), sin(pitch), cos(roll), sin(roll)
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return np.asarray(about_y @ about_x @ about_z, dtype=np.float64)


@dataclass(slots=True)
class Solid:
    """Parts of one figure in one pose. ``height``: pixels on the screen, which decides how fine the surfaces are."""

    height: float
    faces: list[Field] = field(default_factory=list)
    normals: list[Field] = field(default_factory=list)
    colours: list[Field] = field(default_factory=list)
    kinds: list[Field] = field(default_factory=list)
    open: list[Field] = field(default_factory=list)
    near: list[Field] = field(default_factory=list)
    bias: float = 0.0
    """How much nearer than they are parts are taken to be when they are sorted: for eyes and badges on a surface."""
    turn: Field = field(default_factory=lambda: np.eye(3))
    at: Field = field(default_factory=lambda: np.zeros(3))
    """Where parts that are added now are put: turned, then moved."""

    def steps(self, length: float, least: int = 6, most: int = 110, size: float = _FACE) -> int:
        """How many faces a surface of this length needs; ``size``: about how long one may be, more where it hardly bends."""
        return int(min(most, max(least, length * self.height / size / (1 + self.height / 1600))))

    def surface(
        self, points: Field, colour: Colour, kind: int, *, core: Field | None = None, two_sided: bool = False
    ) -> None:
        """A grid of points (rows, columns, 3). ``core``: a point inside for every row, from which the outside is told."""
        normal = np.cross(points[1:, 1:] - points[:-1, :-1], points[:-1, 1:] - points[1:, :-1])
        if core is not None:
            middle = (points[:-1, :-1] + points[1:, 1:]) * 0.5
            inside = (core[:-1] + core[1:])[:, None, :] * 0.5
            normal = np.where((np.einsum("ijk,ijk->ij", normal, middle - inside) < 0)[..., None], -normal, normal)
        points = points @ self.turn.T + self.at
        normal = (normal @ self.turn.T).reshape(-1, 3)
        a, b, c, d = points[:-1, :-1], points[:-1, 1:], points[1:, 1:], points[1:, :-1]
        length = np.linalg.norm(normal, axis=1)
        keep = length > 1e-12
        quads = np.stack([a, b, c, d], axis=2).reshape(-1, 4, 3)[keep]
        count = len(quads)
        self.faces.append(quads)
        self.normals.append(normal[keep] / length[keep, None])
        self.colours.append(np.tile(np.array(colour, dtype=np.float64), (count, 1)))
        self.kinds.append(np.full(count, kind))
        self.open.append(np.full(count, two_sided))
        self.near.append(np.full(count, self.bias))

    def ball(
        self,
        middle: Point3,
        radii: Point3,
        colour: Colour,
        kind: int = CLOTH,
        *,
        turn: Field | None = None,
        top: float = 1.0,
        bottom: float = -1.0,
        square: float = 1.0,
    ) -> None:
        """An ellipsoid, or its part between two heights (1 top … −1 bottom); ``square`` below 1 makes it a rounded box."""
        round_, high = self.steps(2 * pi * max(radii[0], radii[2]), 8), self.steps(pi * radii[1], 5, 64, 7.0)
        lat = np.linspace(np.arcsin(bottom), np.arcsin(top), high + 1)[:, None]
        lon = np.linspace(0, 2 * pi, round_ + 1)[None, :]

        def power(value: Field) -> Field:
            return np.asarray(np.sign(value) * np.abs(value) ** square)

        x = power(np.cos(lat)) * power(np.sin(lon))
        y = power(np.sin(lat)) * np.ones_like(lon)
        z = power(np.cos(lat)) * power(np.cos(lon))
        points = np.stack([x * radii[0], y * radii[1], z * radii[2]], axis=-1)
        if turn is not None:
            points = points @ turn.T
        core = np.tile(np.array(middle, dtype=np.float64), (len(points), 1))
        self.surface(points + core[0], colour, kind, core=core)

    def tube(
        self, knots: Sequence[tuple[Point3, float]], colour: Colour, kind: int = CLOTH, *, flat: float = 1.0
    ) -> None:
        """A limb through (point, radius) knots with round ends; ``flat``: its depth beside its width."""
        where = np.array([point for point, _ in knots], dtype=np.float64)
        thick = np.array([radius for _, radius in knots], dtype=np.float64)
        gaps = np.linalg.norm(np.diff(where, axis=0), axis=1)
        along = np.concatenate([[0], np.cumsum(gaps)])
        count = self.steps(float(along[-1]), max(2, len(knots) * 2 - 2), 60, 18.0)
        part = np.linspace(0, along[-1], count + 1)
        line = np.stack([np.interp(part, along, where[:, axis]) for axis in range(3)], axis=-1)
        width = np.interp(part, along, thick)
        if len(knots) > 2:
            line[1:-1] = 0.25 * line[:-2] + 0.5 * line[1:-1] + 0.25 * line[2:]
        first, last = line[1] - line[0], line[-1] - line[-2]
        first, last = first / np.linalg.norm(first), last / np.linalg.norm(last)
        caps = np.linspace(1, 0, 4 if float(thick.max()) * self.height > 14 else 2, endpoint=False)[:, None]
        start = line[0] - first * thick[0] * np.sin(caps * pi / 2)
        end = line[-1] + last * thick[-1] * np.sin(caps[::-1] * pi / 2)
        round_start, round_end = thick[0] * np.cos(caps[:, 0] * pi / 2), thick[-1] * np.cos(caps[::-1, 0] * pi / 2)
        line = np.concatenate([start, line, end])
        width = np.concatenate([round_start, width, round_end])
        tangent = np.gradient(line, axis=0)
        tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
        help_ = np.array([0.0, 0.0, 1.0]) if abs(first[2]) < 0.8 else np.array([1.0, 0.0, 0.0])
        side = np.cross(help_, tangent)
        side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-9)
        front = np.cross(tangent, side)
        lon = np.linspace(0, 2 * pi, self.steps(2 * pi * float(thick.max()), 6, 80) + 1)
        ring = np.cos(lon)[None, :, None] * side[:, None, :] + np.sin(lon)[None, :, None] * front[:, None, :] * flat
        inside = np.clip(line, where.min(axis=0), where.max(axis=0))
        self.surface(line[:, None, :] + ring * width[:, None, None], colour, kind, core=inside)

    def lathe(
        self,
        profile: Sequence[tuple[float, float]],
        colour: Colour,
        kind: int = CLOTH,
        *,
        middle: Point3 = (0, 0, 0),
        turn: Field | None = None,
        deep: float = 1.0,
        folds: tuple[int, float, float] | None = None,
        two_sided: bool = False,
    ) -> None:
        """A turned shape: (height, radius) from the lower end up; ``folds``: count, depth at the lower end, phase."""
        heights = np.array([height for height, _ in profile], dtype=np.float64)
        radii = np.array([radius for _, radius in profile], dtype=np.float64)
        steps = np.concatenate([[0], np.cumsum(np.hypot(np.diff(heights), np.diff(radii)))])
        part = np.linspace(0, steps[-1], self.steps(float(steps[-1]), len(profile), 60, 11.0) + 1)
        y, r = np.interp(part, steps, heights)[:, None], np.interp(part, steps, radii)[:, None]
        lon = np.linspace(0, 2 * pi, self.steps(2 * pi * float(radii.max()), 12, 110) + 1)[None, :]
        if folds is not None:
            r = r * (1 + folds[1] * (1 - part / steps[-1])[:, None] * np.sin(lon * folds[0] + folds[2]))
        points = np.stack(
            [r * np.sin(lon), np.broadcast_to(y, (len(part), lon.shape[1])), r * np.cos(lon) * deep], axis=-1
        )
        core = np.stack([0 * y[:, 0], np.full(len(y), float(np.mean(y))) * 0.5 + y[:, 0] * 0.5, 0 * y[:, 0]], axis=-1)
        if turn is not None:
            points, core = points @ turn.T, core @ turn.T
        place = np.array(middle)
        self.surface(points + place, colour, kind, core=core + place, two_sided=two_sided)

    def moved(self, turn: Field, pivot: Field, at: Field) -> Solid:
        """The same parts, turned about ``pivot`` and put with it at ``at``."""
        other = Solid(self.height)
        other.faces = [(np.concatenate(self.faces) - pivot) @ turn.T + at]
        other.normals = [np.concatenate(self.normals) @ turn.T]
        other.colours, other.kinds, other.open, other.near = self.colours, self.kinds, self.open, self.near
        return other

    def sprite(
        self, lamp: Lamp, yaw: float, pitch: float, *, near: float = 5.0, window: tuple[float, float] = (-9.0, 9.0)
    ) -> Sprite:
        """Everything, seen from ``pitch`` above (negative: from below) after the figure was turned by ``yaw``.

        ``near``: how many heights away the viewer stands; ``window``: heights between which faces are
        drawn at all. The anchor is the point on the ground under the figure.
        """
        view = turned(0, pitch) @ turned(yaw)
        faces = np.concatenate(self.faces) @ view.T
        normals = np.concatenate(self.normals) @ view.T
        eye = np.array([0.0, 0.52 * cos(pitch), near])
        flip = np.concatenate(self.open) & (normals[:, 2] < 0)
        normals[flip] *= -1
        middle = faces.mean(axis=1)
        seen = np.einsum("ij,ij->i", normals, eye - middle) > 0
        seen &= (middle[:, 1] > window[0]) & (middle[:, 1] < window[1])
        faces, normals, middle = faces[seen], normals[seen], middle[seen]
        if not len(faces):
            return _as_sprite(Image.new("RGBA", (4, 4), (0, 0, 0, 0)), (2.0, 2.0))
        shaded = _shaded(lamp, normals, np.concatenate(self.colours)[seen], np.concatenate(self.kinds)[seen])
        order = np.argsort(middle[:, 2] + np.concatenate(self.near)[seen])
        scale = self.height * near / (near - faces[..., 2])
        flat = np.stack([faces[..., 0] * scale, -(faces[..., 1] - eye[1]) * scale - eye[1] * self.height], axis=-1)
        low, high = flat.min(axis=(0, 1)), flat.max(axis=(0, 1))
        origin = -(np.floor(low) - 3)
        size = np.ceil(high - low).astype(int) + 6
        picture = Image.new("RGBA", (int(size[0]) * _OVER, int(size[1]) * _OVER), (0, 0, 0, 0))
        draw = ImageDraw.Draw(picture)
        corners = ((flat[order] + origin) * _OVER).reshape(-1, 8).tolist()
        tones = (np.clip(shaded[order], 0, 1) * 255 + 0.5).astype(int).tolist()
        for corner, (red, green, blue) in zip(corners, tones, strict=True):
            draw.polygon(corner, fill=(red, green, blue, 255))
        return _as_sprite(picture.reduce(_OVER), (float(origin[0]), float(origin[1])))


def _shaded(lamp: Lamp, normal: Field, own: Field, kind: Field) -> Field:
    """Every face's colour: soft light from one side, light from behind along the edges, and what metal mirrors."""
    key, shade = np.array(lamp.key), np.array(lamp.shade)
    toward = np.array(lamp.toward)
    facing = normal @ toward
    light = np.clip(0.5 + 0.5 * facing, 0, 1) ** 1.35
    tone = shade + (key - shade) * light[:, None]
    tone *= (0.80 + 0.20 * normal[:, 1])[:, None]
    out = own * tone
    half = toward + np.array([0.0, 0.0, 1.0])
    half /= np.linalg.norm(half)
    glint = np.clip(normal @ half, 0, 1)

    metal = kind == METAL
    if metal.any():
        n = normal[metal]
        up = 2 * n[:, 2] * n[:, 1]
        sky = np.clip(up, 0, 1)[:, None] ** 0.7
        mirrored = np.where(
            (up > 0)[:, None],
            np.array(lamp.around) + (np.array(lamp.above) - np.array(lamp.around)) * sky,
            np.array(lamp.below)
            + (np.array(lamp.around) * 0.55 - np.array(lamp.below)) * np.exp(-np.clip(-up, 0, 1)[:, None] * 5),
        )
        shine = (glint[metal] ** 40)[:, None] * 0.85 + (glint[metal] ** 7)[:, None] * 0.22
        out[metal] = own[metal] * (0.52 * tone[metal] + 0.62 * mirrored) + shine * key
    gloss = kind == GLOSS
    out[gloss] += (glint[gloss] ** 28)[:, None] * 0.55 * key
    skin = kind == SKIN
    out[skin] = out[skin] + (glint[skin] ** 9)[:, None] * 0.10 * key + own[skin] * np.array([0.06, 0.02, 0.0])

    edge = np.clip(1 - normal[:, 2], 0, 1) ** 2.8 * np.clip(0.15 + 1.1 * (normal @ np.array(lamp.behind)), 0, 1)
    out *= lamp.dim
    out += (np.array(lamp.rim) - out) * np.clip(edge * lamp.rim_strength, 0, 0.9)[:, None]
    glow = kind == GLOW
    out[glow] = own[glow]
    return np.asarray(out)


def _as_sprite(picture: Image.Image, anchor: tuple[float, float]) -> Sprite:
    """Planes from RGBA; colours reach a little beyond the edge, so that none turns dark when the sprite is moved."""
    if picture.width % 2 or picture.height % 2:
        even = Image.new("RGBA", (picture.width + picture.width % 2, picture.height + picture.height % 2), (0, 0, 0, 0))
        even.paste(picture, (0, 0))
        picture = even
    wide = picture.convert("RGBa").resize((picture.width // 4 + 1, picture.height // 4 + 1), Image.Resampling.BOX)
    spread = wide.resize(picture.size, Image.Resampling.BILINEAR).convert("RGBA").convert("RGB")
    cover = picture.getchannel("A")
    spread.paste(picture.convert("RGB"), (0, 0), cover.point([0] * 100 + [255] * 156))
    return Sprite.of_planes(
        spread.convert("L", _LUMA), spread.convert("L", _BLUE), spread.convert("L", _RED), cover, anchor
    )
