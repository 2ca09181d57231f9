"""The sky: gradient, halos, high cloud, sun or moon, stars; all of it painted once as floats. What moves in it is in ``heavens``."""

from __future__ import annotations

import numpy as np

from media.scenery.noise import Field, cloudy, smoothstep
from media.scenery.planes import Colour, scaled
from media.scenery.world import World, grid


def painted_sky(world: World) -> Field:
    """RGB floats of the whole frame (the sky goes on below the horizon, as haze)."""
    rgb = _gradient(world)
    _halos(world, rgb)
    if world.palette.name == "space" or world.reading.has("nebula", "space"):
        _nebula(world, rgb)
    if (
        world.palette.dark > 0.5
        and not world.reading.has("storm", "rain", "fog")
        and "star" not in world.reading.removed
    ) or world.reading.has("star"):
        _stars(world, rgb)
    if world.palette.name not in ("space", "underwater") and "cloud" not in world.reading.removed:
        _high_cloud(world, rgb)
    if world.reading.has("rainbow"):
        _rainbow(world, rgb)
    if world.light.kind == "sun":
        _sun(world, rgb)
    elif world.light.kind == "moon":
        _moon(world, rgb)
    return rgb


def toward(rgb: Field, tone: Colour, amount: Field) -> None:
    """Pull a picture toward one colour in place; ``amount`` 0..1 broadcasts over the pixels."""
    for channel in range(3):
        rgb[..., channel] += (tone[channel] - rgb[..., channel]) * amount


def _gradient(world: World) -> Field:
    x, y = grid(world.width, world.height)
    stops = np.array(world.palette.sky, dtype=np.float32)
    place = np.clip(y[:, 0] / world.horizon, 0, 1) ** 0.92 * (len(stops) - 1)
    index = np.minimum(place.astype(int), len(stops) - 2)
    part = (place - index).astype(np.float32)
    part = 0.5 * part + 0.5 * part * part * (3 - 2 * part)
    column = stops[index] * (1 - part[:, None]) + stops[index + 1] * part[:, None]
    rgb = np.repeat(column[:, None, :], world.width, axis=1).astype(np.float32)
    if world.light.kind != "none" and world.palette.name not in ("space", "underwater"):
        away = np.abs(x - world.light.x) / world.width
        rgb *= (1 - 0.22 * smoothstep(0.15, 0.95, away))[..., None]
    return rgb


def _halos(world: World, rgb: Field) -> None:
    if world.light.kind == "none":
        return
    x, y = grid(world.width, world.height)
    far = np.hypot(x - world.light.x, (y - world.light.y) * 1.06)
    night = world.light.kind == "moon"
    for sigma, strength in ((520, 0.26), (210, 0.24), (84, 0.30)):
        power = strength * (0.55 if night else 1.0)
        toward(
            rgb, world.light.tone, power * np.exp(-((far / (sigma * world.unit * (0.75 if night else 1.0))) ** 2) * 0.5)
        )


def _sun(world: World, rgb: Field) -> None:
    x, y = grid(world.width, world.height)
    radius = world.light.radius
    far = np.hypot(x - world.light.x, y - world.light.y)
    disc = 1 - smoothstep(radius - 2.0 * world.unit, radius + 2.5 * world.unit, far)
    if world.palette.name == "neon":
        rows = np.clip((y - (world.light.y - radius)) / (2 * radius), 0, 1)
        gap = smoothstep(0.42, 0.46, rows) * (np.sin(rows * 46) > (1.05 - rows * 1.15))
        disc = disc * (1 - gap.astype(np.float32))
        for channel, (top, low) in enumerate(((1.0, 1.0), (0.89, 0.31), (0.48, 0.63))):
            rgb[..., channel] += (top + (low - top) * rows - rgb[..., channel]) * disc
        return
    white = tuple(0.4 * world.light.tone[i] + 0.6 for i in range(3))
    toward(rgb, (white[0], white[1], white[2]), disc)


def _moon(world: World, rgb: Field) -> None:
    x, y = grid(world.width, world.height)
    radius = world.light.radius
    far = np.hypot(x - world.light.x, y - world.light.y)
    disc = 1 - smoothstep(radius - 1.6 * world.unit, radius + 1.6 * world.unit, far)
    rng = world.chance("moon")
    size = int(radius * 2) + 8
    maria = cloudy(rng, size, size, radius * 0.75, octaves=4)
    left, top = int(world.light.x - size / 2), int(world.light.y - size / 2)
    mark = np.zeros(disc.shape, dtype=np.float32)
    y0, y1, x0, x1 = max(0, top), min(world.height, top + size), max(0, left), min(world.width, left + size)
    mark[y0:y1, x0:x1] = smoothstep(0.5, 0.72, maria[y0 - top : y1 - top, x0 - left : x1 - left])
    limb = 1 - 0.22 * np.clip(far / radius, 0, 1) ** 3
    shade = limb * (1 - 0.17 * mark)
    for channel in range(3):
        rgb[..., channel] += (min(1.0, world.light.tone[channel] * 1.04) * shade - rgb[..., channel]) * disc


def _stars(world: World, rgb: Field) -> None:
    rng = world.chance("stars")
    rich = world.palette.name in ("space", "night") or world.reading.has("star", "space")
    area = world.width * world.horizon / (1280 * 475 * world.unit**2)
    count = int((620 if world.palette.name == "space" else 420 if rich else 170) * max(0.6, area))
    limit = world.height if world.palette.name == "space" else world.horizon
    for _ in range(count):
        x, y = rng.random() * world.width, limit * rng.random() ** (1.0 if world.palette.name == "space" else 1.5)
        bright = 0.18 + 0.82 * rng.random() ** 3.2
        warm = rng.random()
        if world.light.kind != "none" and np.hypot(x - world.light.x, y - world.light.y) < world.light.radius * 1.9:
            continue
        fade = 1 - min(1.0, y / limit) ** 3 * (0.85 if limit == world.horizon else 0.0)
        tone = (1.0, 0.92 + 0.08 * warm, 0.82 + 0.18 * warm) if rng.random() < 0.4 else (0.80 + 0.2 * warm, 0.9, 1.0)
        radius = (0.55 + 0.85 * bright**2) * max(0.8, world.unit)
        _dot(rgb, x, y, radius, scaled(tone, 1.0), min(1.0, bright * fade * 1.1))
    if rich and world.palette.name != "space":
        _milky_way(world, rgb)


def _dot(rgb: Field, x: float, y: float, radius: float, tone: Colour, strength: float) -> None:
    reach = int(radius * 3) + 1
    x0, x1, y0, y1 = (
        max(0, int(x) - reach),
        min(rgb.shape[1], int(x) + reach + 1),
        max(0, int(y) - reach),
        min(rgb.shape[0], int(y) + reach + 1),
    )
    if x1 <= x0 or y1 <= y0:
        return
    gx = np.arange(x0, x1)[None, :] + 0.5 - x
    gy = np.arange(y0, y1)[:, None] + 0.5 - y
    spot = strength * np.exp(-(gx * gx + gy * gy) / (2 * radius * radius))
    part = rgb[y0:y1, x0:x1]
    part += (np.array(tone, dtype=np.float32) - part) * spot[..., None].astype(np.float32)


def _milky_way(world: World, rgb: Field) -> None:
    rng = world.chance("milky way")
    x, y = grid(world.width, world.height)
    lean = (0.5 + 0.35 * rng.random()) * (1 if world.light.x > world.width / 2 else -1)
    middle = world.width * (0.5 - 0.18 * np.sign(lean)) + (y - world.horizon * 0.45) * lean
    dust = cloudy(rng, world.width, world.height, 120 * world.unit, octaves=5)
    across = (x - middle) / (150 * world.unit)
    band = np.exp(-(across**2)) * smoothstep(0.25, 0.85, dust) * (1 - smoothstep(0.45, 0.98, y / world.horizon))
    toward(rgb, (0.66, 0.70, 0.92), 0.26 * band.astype(np.float32))
    dark = np.exp(-((across * 2.2) ** 2)) * smoothstep(
        0.5, 0.8, cloudy(rng, world.width, world.height, 60 * world.unit, octaves=4)
    )
    rgb *= (1 - 0.16 * dark * (1 - smoothstep(0.3, 0.75, y / world.horizon)))[..., None]
    spots = int(420 * world.width * world.height / (1280 * 720 * world.unit**2))
    for _ in range(spots):
        sy = rng.random() * world.horizon * 0.9
        sx = (
            world.width * (0.5 - 0.18 * np.sign(lean))
            + (sy - world.horizon * 0.45) * lean
            + rng.normal() * 95 * world.unit
        )
        _dot(rgb, float(sx), float(sy), 0.6 * max(0.8, world.unit), (0.95, 0.96, 1.0), 0.12 + 0.3 * rng.random() ** 2)


def _nebula(world: World, rgb: Field) -> None:
    rng = world.chance("nebula")
    w, h, unit = world.width, world.height, world.unit
    base = cloudy(rng, w, h, 300 * unit, octaves=5, gain=0.55)
    swirl = cloudy(rng, w, h, 210 * unit, octaves=6, gain=0.6)
    tones: list[Colour] = [(0.50, 0.20, 0.85), (0.10, 0.55, 0.75), (0.95, 0.35, 0.55), (1.0, 0.62, 0.35)]
    shift = int(rng.integers(0, 4)) if not world.reading.has("nebula") else 2
    x, y = grid(w, h)
    lean = rng.uniform(-0.6, 0.6)
    band = np.exp(-((((y - h * 0.36) - (x - w / 2) * lean * h / w) / (h * 0.30)) ** 2))
    power = 0.75 if world.reading.has("nebula", "space") else 0.45
    for index in range(3):
        mask = smoothstep(0.44 + 0.03 * index, 0.78, np.abs(base - 0.33 - 0.14 * index) * -2.6 + 1.0) * smoothstep(
            0.32, 0.8, swirl
        )
        mask = mask * band * power
        tone = tones[(index + shift) % 4]
        for channel in range(3):
            rgb[..., channel] += mask * tone[channel] * (1 - rgb[..., channel]) * 0.8
    dark = smoothstep(0.54, 0.74, cloudy(rng, w, h, 150 * unit, octaves=5)) * band
    rgb *= (1 - 0.5 * dark)[..., None]


def _high_cloud(world: World, rgb: Field) -> None:
    """Thin veils that take the light where they pass near it."""
    rng = world.chance("high cloud")
    unit = world.unit
    veil = cloudy(rng, world.width, world.height, 150 * unit, octaves=5, stretch=3.4)
    x, y = grid(world.width, world.height)
    rows = y / world.horizon
    shape = smoothstep(0.50, 0.84, veil) * smoothstep(0.0, 0.35, rows) * (1 - smoothstep(0.62, 1.0, rows))
    near = (
        np.exp(-((np.hypot(x - world.light.x, (y - world.light.y) * 1.3) / (420 * unit)) ** 2))
        if world.light.kind != "none"
        else 0 * x * y
    )
    strength = 0.55 * (1 - 0.72 * world.palette.dark)
    toward(rgb, world.palette.cloud, shape * strength)
    toward(rgb, world.light.tone, (shape * near * 0.45 * (1 - 0.6 * world.palette.dark)).astype(np.float32))


def _rainbow(world: World, rgb: Field) -> None:
    x, y = grid(world.width, world.height)
    side = 1 if world.light.x < world.width / 2 else -1
    cx, cy = world.width * (0.5 + 0.16 * side), world.horizon * 1.12
    radius = min(world.width * 0.62, world.horizon * 0.94)
    band = (np.hypot(x - cx, y - cy) - radius) / (58 * world.unit)
    tones = np.array(
        [
            (0.45, 0.2, 0.9),
            (0.2, 0.45, 1.0),
            (0.15, 0.85, 0.75),
            (0.4, 0.95, 0.3),
            (1.0, 0.95, 0.25),
            (1.0, 0.6, 0.15),
            (1.0, 0.22, 0.2),
        ]
    )
    place = np.clip(band * 6, 0, 6)
    edge = (
        smoothstep(-0.08, 0.12, band)
        * (1 - smoothstep(0.88, 1.08, band))
        * (1 - 0.35 * smoothstep(0.6, 1.0, y / world.horizon))
    )
    inside = np.exp(-np.maximum(0, -band) / 2.2) * (band < 0.5) * 0.10
    toward(rgb, (1.0, 1.0, 1.0), (inside * (y < world.horizon)).astype(np.float32))
    for channel in range(3):
        tone = np.interp(place, np.arange(7), tones[:, channel]).astype(np.float32)
        rgb[..., channel] += (tone - rgb[..., channel]) * edge * 0.5
