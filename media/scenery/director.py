"""From a reading to a scene: which hour, which place, what stands where, and in which order it is painted."""

from __future__ import annotations

from dataclasses import dataclass, field

from media.scenery import cosmos, storms, weather
from media.scenery.abstract import abstract_scene
from media.scenery.air import air_of
from media.scenery.beings import beings
from media.scenery.caption import captioned
from media.scenery.hours import hour_of, light_of, place_of
from media.scenery.noise import generator
from media.scenery.overhead import overhead
from media.scenery.palettes import TINTS, Palette
from media.scenery.places import build
from media.scenery.planes import Canvas, mix
from media.scenery.sky import painted_sky
from media.scenery.stage import Stage
from media.scenery.things import things
from media.scenery.truth import labelled, shown, sky_colour
from media.scenery.words import Reading
from media.scenery.world import Painter, World


@dataclass(slots=True)
class Scene:
    """A picture as a pure function of time, and what it shows."""

    world: World
    base: Canvas
    painters: list[Painter]
    drawn: list[str]
    not_drawn: list[str]
    """Known words that found no place in this scene."""
    place: str = ""
    """Empty for an abstract scene."""
    caption: bool = False
    thunder: list[float] = field(default_factory=list)
    """Moments of lightning, for the sound."""

    def frame(self, time: float) -> Canvas:
        """The picture at ``time`` seconds; safe to call from several threads at once."""
        canvas = self.base.copy()
        for painter in self.painters:
            painter.draw(canvas, time)
        return canvas


def direct(
    reading: Reading, text: str, seed: int, size: tuple[int, int], seconds: float, *, caption: bool = True
) -> Scene:
    """Compose a scene for what was read; ``caption`` False leaves the words out."""
    place = place_of(reading)
    world = world_of(reading, text, seed, size, seconds, place)
    scene = _landscape(world, place) if place else abstract_scene_of(world)
    if "particles" in reading.removed:
        scene.painters = [one for one in scene.painters if not isinstance(one, weather.Floating)]
    finish(scene, text, caption=caption)
    return scene


def abstract_scene_of(world: World) -> Scene:
    """Ribbons of light for what has no picture."""
    base, painters = abstract_scene(world)
    coloured = [match for match in world.reading.matches if match.element in TINTS]
    rest = [match.word for match in world.reading.matches if match.element not in TINTS]
    return Scene(world, base, painters, [f"{match.word} (colour)" for match in coloured], rest)


def finish(scene: Scene, text: str, *, caption: bool) -> None:
    """Vignette, and the caption over it."""
    world = scene.world
    scene.painters.append(cosmos.Vignette(world, 0.42))
    if caption and "caption" not in world.reading.removed:
        words = captioned(world, text)
        if words is not None:
            scene.painters.append(words)
            scene.caption = True


def world_of(reading: Reading, text: str, seed: int, size: tuple[int, int], seconds: float, place: str) -> World:
    """Hour, light, horizon and the camera's way."""
    width, height = size
    rng = generator(seed, text, "direction")
    palette = hour_of(reading, place, rng)
    part = {
        "sea": 0.64,
        "lake": 0.60,
        "city": 0.74,
        "rooftop": 0.66,
        "underwater": 0.98,
        "space": 1.0,
        "planet": 0.70,
        "desert": 0.60,
        "mountain": 0.68,
        "forest": 0.68,
    }
    if width < height:
        part |= {
            "sea": 0.62,
            "city": 0.72,
            "rooftop": 0.66,
            "desert": 0.60,
            "planet": 0.70,
            "mountain": 0.66,
            "forest": 0.66,
        }
    horizon = int(height * (part.get(place, 0.66) + 0.02 * (rng.random() - 0.5))) & ~1
    horizon = min(horizon, height)
    light = light_of(reading, palette, width, height, horizon, rng)
    return World(
        width,
        height,
        seconds,
        seed,
        text,
        _coloured(palette, reading),
        reading,
        light,
        horizon,
        1.0 if rng.random() < 0.5 else -1.0,
    )


def _coloured(palette: Palette, reading: Reading) -> Palette:
    """A colour word without a thing to wear it tints the sky's lower half."""
    named = sky_colour(reading)
    if named is None:
        return palette
    tone = TINTS[named]
    sky = tuple(mix(one, tone, 0.10 + 0.10 * index) for index, one in enumerate(palette.sky))
    return Palette(
        palette.name, sky, mix(palette.light, tone, 0.12), palette.key, palette.shade, mix(palette.haze, tone, 0.35), palette.deep,
        mix(palette.cloud, tone, 0.3), palette.cloud_shade, palette.water, palette.dark, palette.mood,
    )  # fmt: skip


def staged(world: World, place: str) -> Stage:
    """The place with everything in it, before the air."""
    sky = painted_sky(world)
    base = Canvas.painted(sky, world.chance("dither"))
    stage = Stage(world, base, sky)
    overhead(stage, place)
    build(stage, place)
    things(stage, place)
    beings(stage, place)
    return stage


def _landscape(world: World, place: str) -> Scene:
    stage = staged(world, place)
    air = air_of(stage, place)
    painters = [*stage.back, *stage.middle, *stage.front, *stage.near, *air]
    yes, no = shown(world, place, ground=stage.ground is not None, water=stage.water_row is not None)
    strikes = [moment for one in stage.back if isinstance(one, storms.Lightning) for moment, *_ in one.strikes]
    return Scene(world, stage.base, painters, labelled(yes), [match.word for match in no], place, thunder=strikes)
