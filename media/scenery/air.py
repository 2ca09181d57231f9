"""Weather and light between the scene and the viewer."""

from __future__ import annotations

from media.scenery import cosmos, weather
from media.scenery.palettes import GROUND
from media.scenery.planes import mix
from media.scenery.stage import Stage
from media.scenery.world import Painter


def air_of(stage: Stage, place: str) -> list[Painter]:  # noqa: C901 - a flat table of words
    """Weather and light between the scene and the viewer."""
    world, unit, reading = stage.world, stage.world.unit, stage.world.reading
    name = world.palette.name
    air: list[Painter] = []
    if place == "underwater" or reading.has("bubble"):
        air.append(
            weather.Floating(
                world,
                "bubbles",
                count=54,
                tone=(0.85, 1.0, 1.0),
                sizes=(2.6, 12.0),
                strength=0.66,
                rise=52,
                blink=0.0,
                power=0.9,
            )
        )
    if place == "underwater":
        return air
    if place == "forest" and world.light.kind == "sun" and not reading.has("rain"):
        air.append(
            cosmos.Shafts(
                world, bottom=int(world.height * 0.95), tone=world.palette.light, strength=0.50, cell=46, fan=True
            )
        )
    if reading.has("fog"):
        air.append(weather.Fog(world, "near fog", middle=world.height * 0.86, tall=110 * unit, strength=0.50, speed=22))
    if reading.has("rain", "storm"):
        ground = world.horizon + 10 * unit
        air.append(weather.Rain(world, ground=ground, heavy=1.35 if reading.has("storm") else 1.0))
    if (reading.has("snow") and not reading.has("desert")) or reading.has("winter"):
        count = 210 if reading.has("storm", "snow") else 120
        air.append(
            weather.Falling(world, "snow", count=count, tones=((1.0, 1.0, 1.0),), sizes=(2.0, 9.0), speed=62, swing=16)
        )
    if reading.has("autumn"):
        air.append(
            weather.Falling(
                world,
                "leaves",
                count=30,
                tones=((0.86, 0.42, 0.14), (0.94, 0.66, 0.20), (0.70, 0.24, 0.12)),
                sizes=(3.4, 11.0),
                speed=46,
                swing=36,
                strength=0.95,
            )
        )
    if reading.has("wind") and not reading.has("snow", "rain", "autumn"):
        air.append(
            weather.Falling(
                world,
                "wind leaves",
                count=34,
                tones=(
                    mix(world.palette.haze, GROUND["leaf"], 0.6),
                    mix(world.palette.light, GROUND["autumn_grass"], 0.4),
                ),
                sizes=(2.4, 8.0),
                speed=30,
                swing=44,
                strength=0.9,
            )
        )
    if reading.has("spring"):
        air.append(
            weather.Falling(
                world,
                "petals",
                count=46,
                tones=((1.0, 0.80, 0.88), (1.0, 0.90, 0.94)),
                sizes=(2.2, 6.5),
                speed=40,
                swing=34,
            )
        )
    if reading.has("firefly") or (
        world.palette.dark > 0.6 and place in ("forest", "hills") and not reading.has("snow", "winter", "rain", "storm")
    ):
        count = 52 if reading.has("firefly") else 18
        air.append(
            weather.Floating(
                world,
                "fireflies",
                count=count,
                tone=(0.90, 1.0, 0.42),
                sizes=(5.0, 15.0),
                strength=0.95,
                rise=4,
                blink=0.85,
                area=(0.0, world.height * 0.46, float(world.width), world.height * 0.98),
                power=3.0,
            )
        )
    elif (
        name in ("sunset", "dawn", "misty", "day", "twilight")
        and not reading.has("rain", "storm", "snow", "winter")
        and "particles" not in reading.removed
    ):
        air.append(
            weather.Floating(
                world,
                "dust",
                count=34,
                tone=mix(world.palette.light, (1.0, 0.8, 0.5), 0.3),
                sizes=(1.8, 9.0),
                strength=0.42,
                rise=7,
                blink=0.3,
                power=1.6,
            )
        )
    if reading.has("wind", "desert") and place == "desert":
        air.append(
            weather.Floating(
                world, "sand", count=40, tone=(1.0, 0.85, 0.62), sizes=(1.2, 4.0), strength=0.5, rise=0, blink=0.2
            )
        )
    return air
