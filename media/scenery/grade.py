"""The look of a film: one way to grade all its clips, chosen by a seed. Shadows and lights take a colour, and the curve a bend."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from media.scenery.noise import generator
from media.scenery.planes import BLACK, Canvas, Colour, codes, colour, mix


@dataclass(frozen=True, slots=True)
class Stock:
    """A kind of film."""

    name: str
    shadows: Colour
    lights: Colour
    contrast: float
    lift: float
    """How far black is from black, 0..1."""
    colour: float
    """1 leaves the colours as they are."""


STOCKS: tuple[Stock, ...] = (
    Stock("teal and amber", colour("#0f4a5c"), colour("#ffcf94"), 0.30, 0.02, 1.06),
    Stock("warm print", colour("#4a2a2e"), colour("#ffe2a8"), 0.18, 0.05, 0.98),
    Stock("silver blue", colour("#1c3460"), colour("#dcebff"), 0.34, 0.02, 0.86),
    Stock("rose dusk", colour("#3c1f58"), colour("#ffc8c0"), 0.22, 0.04, 1.02),
    Stock("olive print", colour("#2a3c1c"), colour("#fff0b8"), 0.24, 0.04, 0.92),
    Stock("clear day", colour("#203a6a"), colour("#fff4dc"), 0.36, 0.00, 1.14),
)

_SHADOWS, _LIGHTS = 48, 46
"""The most that shadows and lights are pulled toward their colour, of 255."""


class Grade:
    """Grades every frame of a film alike. Equal looks give equal grades."""

    def __init__(self, look: int) -> None:
        """``look``: any whole number."""
        rng = generator(look, "look")
        self.stock = STOCKS[int(rng.integers(0, len(STOCKS)))]
        warm = float(rng.random() - 0.5) * 0.16
        shadows = mix(self.stock.shadows, (0.35, 0.10, 0.30), max(0.0, warm))
        lights = mix(self.stock.lights, (0.85, 1.0, 0.9), max(0.0, -warm))
        level = np.arange(256, dtype=np.float64)
        part = np.clip((level - BLACK) / 219, 0, 1)
        bent = part + self.stock.contrast * (part - 0.5) * part * (1 - part) * 2.2
        bent = self.stock.lift + bent * (1 - self.stock.lift)
        self._curve = [round(value) for value in BLACK + 219 * np.clip(bent, 0, 1)]
        self._colour = [round(min(240.0, max(16.0, 128 + (value - 128) * self.stock.colour))) for value in range(256)]
        self._low = [round(_SHADOWS * (1 - value) ** 2.0) for value in part]
        self._high = [round(_LIGHTS * value**1.6) for value in part]
        self._shadows, self._lights = codes(shadows), codes(lights)

    def draw(self, canvas: Canvas, time: float = 0.0) -> None:
        """Grade the frame; the time does not matter."""
        del time
        small = canvas.y.reduce(2)
        low, high = small.point(self._low), small.point(self._high)
        if self.stock.colour != 1:
            canvas.u, canvas.v = canvas.u.point(self._colour), canvas.v.point(self._colour)
        for plane, dark, light in (
            (canvas.u, self._shadows[1], self._lights[1]),
            (canvas.v, self._shadows[2], self._lights[2]),
        ):
            plane.paste(dark, (0, 0, *plane.size), low)
            plane.paste(light, (0, 0, *plane.size), high)
        canvas.y = canvas.y.point(self._curve)
