"""Chance and smooth noise. Every generator comes from a seed and a name, so adding a layer never moves another one."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Field = NDArray[Any]
"""Floats, nearly always float32; Any, because numpy's stubs turn every product with a constant into float64."""


def generator(*parts: object) -> np.random.Generator:
    """An independent stream for these parts (seed, prompt, name …): equal parts give equal numbers."""
    text = "\x1f".join(str(part) for part in parts).encode("utf-8", "surrogatepass")
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text).digest()[:16], "big"))


def resized(field: Field, width: int, height: int) -> Field:
    """A float field at another size (bicubic)."""
    return np.asarray(Image.fromarray(field).resize((width, height), Image.Resampling.BICUBIC), dtype=np.float32)


def cloudy(
    rng: np.random.Generator,
    width: int,
    height: int,
    cell: float,
    *,
    octaves: int = 5,
    gain: float = 0.5,
    stretch: float = 1.0,
) -> Field:
    """Fractal noise of about 0..1 with mean 0.5; ``cell`` in pixels, ``stretch`` > 1 draws it out sideways."""
    total = np.zeros((height, width), dtype=np.float32)
    weight, sum_of_squares = 1.0, 0.0
    for _ in range(octaves):
        columns, rows = max(2, round(width / (cell * stretch)) + 3), max(2, round(height / cell) + 3)
        grid = rng.random((rows, columns), dtype=np.float32) - 0.5
        total += weight * resized(grid, width, height)
        sum_of_squares += weight * weight
        weight *= gain
        cell *= 0.5
        if cell < 1.5:
            break
    out: Field = np.clip(0.5 + total * (0.62 / np.sqrt(sum_of_squares)), 0, 1).astype(np.float32)
    return out


def wandering(
    rng: np.random.Generator, length: int, cell: float, *, octaves: int = 6, gain: float = 0.5, ridged: bool = False
) -> Field:
    """One-dimensional fractal noise in −1..1. ``ridged`` folds it into sharp crests."""
    total = np.zeros(length, dtype=np.float64)
    weight, weights = 1.0, 0.0
    x = np.arange(length, dtype=np.float64)
    for _ in range(octaves):
        if cell < 1.2:
            break
        points = int(length / cell) + 4
        lattice = rng.random(points) * 2 - 1
        position = x / cell + rng.random()
        index = position.astype(np.int64)
        part = position - index
        part = part * part * (3 - 2 * part)
        value = lattice[index] * (1 - part) + lattice[index + 1] * part
        if ridged:
            value = 1 - 2 * np.abs(value)
        total += weight * value
        weights += weight
        weight *= gain
        cell *= 0.5
    return (total / weights).astype(np.float32)


def smoothstep(low: float, high: float, value: Field) -> Field:
    """0 below ``low``, 1 above ``high``, smooth between."""
    part = np.clip((value - low) / (high - low), 0, 1)
    return (part * part * (3 - 2 * part)).astype(np.float32)


def blurred(field: Field, radius: float) -> Field:
    """A soft version of a field (three box passes, edges held). ``radius`` is about one standard deviation, in pixels."""
    half = max(1, round(radius))
    out = field.astype(np.float32)
    for axis in (0, 1):
        if out.shape[axis] < 2:
            continue
        for _ in range(3):
            pad = [(0, 0)] * out.ndim
            pad[axis] = (half + 1, half)
            sums = np.cumsum(np.pad(out, pad, mode="edge"), axis=axis, dtype=np.float64)
            size = 2 * half + 1
            upper = np.take(sums, range(size, sums.shape[axis]), axis=axis)
            lower = np.take(sums, range(sums.shape[axis] - size), axis=axis)
            out = ((upper - lower) / size).astype(np.float32)
    return out
