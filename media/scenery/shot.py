"""Picture mode: the push-in, what the prompt adds over it, and the caption."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from media.scenery import heavens, storms, weather
from media.scenery.caption import captioned
from media.scenery.cosmos import Vignette
from media.scenery.hours import hour_of
from media.scenery.noise import generator
from media.scenery.palettes import PALETTES
from media.scenery.photo import LightLeak, PushIn, opened
from media.scenery.planes import Canvas, colour
from media.scenery.words import Reading
from media.scenery.world import Light, Painter, World


@dataclass(slots=True)
class Shot:
    """Like a ``Scene``: a picture as a pure function of time."""

    world: World
    push: PushIn
    painters: list[Painter]
    drawn: list[str]
    not_drawn: list[str]
    caption: bool
    place: str = ""
    thunder: list[float] | None = None

    def frame(self, time: float) -> Canvas:
        """The picture at ``time`` seconds; safe to call from several threads at once."""
        canvas = self.push.canvas(time)
        for painter in self.painters:
            painter.draw(canvas, time)
        return canvas


def shot(
    path: Path, reading: Reading, text: str, seed: int, size: tuple[int, int], seconds: float, *, caption: bool = True
) -> Shot:
    """Compose a shot of the picture at ``path``. Raises what ``photo.opened`` raises."""
    picture = opened(path)
    width, height = size
    rng = generator(seed, text, "direction")
    palette = hour_of(reading, "photo", rng) if reading.matches else None
    world = World(
        width,
        height,
        seconds,
        seed,
        text,
        palette or PALETTES["sunset"],
        reading,
        Light("none", width * 0.2, height * 0.1, colour("#ffd9a0"), 40.0),
        height,
        1.0 if rng.random() < 0.5 else -1.0,
    )
    painters: list[Painter] = []
    used: set[str] = set()
    plain = "particles" in reading.removed
    if not plain:
        painters.append(LightLeak(world, colour("#ffb468") if world.palette.dark < 0.5 else colour("#8fb0ff")))
    thunder = _weather(world, painters, used)
    if not plain and not reading.has("snow", "winter", "rain", "storm", "firefly"):
        painters.append(
            weather.Floating(
                world,
                "dust",
                count=44,
                tone=(1.0, 0.90, 0.72),
                sizes=(2.0, 7.0),
                strength=0.62,
                rise=9,
                blink=0.4,
                power=1.6,
            )
        )
        painters.append(
            weather.Floating(
                world,
                "bokeh",
                count=11,
                tone=(1.0, 0.84, 0.60),
                sizes=(20, 54),
                strength=0.24,
                rise=7,
                blink=0.3,
                power=0.5,
            )
        )
    painters.append(Vignette(world, 0.40))
    words = captioned(world, text) if caption and "caption" not in reading.removed else None
    if words is not None:
        painters.append(words)
    drawn = [
        f"{match.word} ({match.element})" if match.word.casefold() != match.element else match.word
        for match in reading.matches
        if match.element in used
    ]
    rest = [match.word for match in reading.matches if match.element not in used]
    place = "sea" if reading.has("sea") else "forest" if reading.has("forest", "wind") else ""
    return Shot(world, PushIn(world, picture), painters, drawn, rest, words is not None, place, thunder)


def _weather(world: World, painters: list[Painter], used: set[str]) -> list[float]:  # noqa: C901 - a flat table of words
    """What the prompt adds over the picture; notes in ``used`` what became visible."""
    reading = world.reading
    thunder: list[float] = []

    def named(*elements: str) -> bool:
        found = reading.has(*elements)
        if found:
            used.update(element for element in elements if reading.has(element))
        return found

    if named("aurora"):
        painters.append(
            heavens.Ribbons(
                world,
                "aurora",
                hems=(world.height * 0.34, world.height * 0.22),
                tall=150,
                colours=(colour("#4dffa0"), colour("#9a5cff")),
                strength=0.60,
                bottom=world.height // 2,
            )
        )
    if named("star"):
        painters.append(heavens.Twinkle(world, 36, world.height * 0.55))
    if named("meteor"):
        painters.append(heavens.Meteors(world))
    if named("firework"):
        painters.append(storms.Fireworks(world))
    if reading.has("storm", "lightning"):
        named("storm", "lightning")
        world.horizon = int(world.height * 0.7) & ~1
        bolt = storms.Lightning(world)
        painters.append(bolt)
        thunder = [moment for moment, *_ in bolt.strikes]
        world.horizon = world.height
    if named("fog"):
        painters.append(
            weather.Fog(world, "fog low", middle=world.height * 0.82, tall=170 * world.unit, strength=0.62, speed=20)
        )
        painters.append(
            weather.Fog(world, "fog high", middle=world.height * 0.5, tall=150 * world.unit, strength=0.34, speed=-12)
        )
    if named("rain", "storm"):
        painters.append(weather.Rain(world, ground=world.height, splash=False))
    if named("snow", "winter"):
        painters.append(
            weather.Falling(world, "snow", count=220, tones=((1.0, 1.0, 1.0),), sizes=(2.0, 9.5), speed=62, swing=16)
        )
    if named("autumn"):
        painters.append(
            weather.Falling(
                world,
                "leaves",
                count=34,
                tones=((0.86, 0.42, 0.14), (0.94, 0.66, 0.20)),
                sizes=(2.4, 8.0),
                speed=46,
                swing=36,
            )
        )
    if named("spring"):
        painters.append(
            weather.Falling(
                world,
                "petals",
                count=50,
                tones=((1.0, 0.80, 0.88), (1.0, 0.92, 0.95)),
                sizes=(2.4, 7.0),
                speed=40,
                swing=34,
            )
        )
    if named("bubble"):
        painters.append(
            weather.Floating(
                world,
                "bubbles",
                count=40,
                tone=(0.85, 1.0, 1.0),
                sizes=(3.0, 9.0),
                strength=0.6,
                rise=50,
                blink=0,
                power=0.9,
            )
        )
    if named("firefly"):
        painters.append(
            weather.Floating(
                world,
                "fireflies",
                count=56,
                tone=(0.90, 1.0, 0.42),
                sizes=(5.0, 15.0),
                strength=0.95,
                rise=5,
                blink=0.85,
                power=3.0,
            )
        )
    return thunder
