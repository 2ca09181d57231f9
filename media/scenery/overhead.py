"""What moves above the land: chosen from the reading, farthest first."""

from __future__ import annotations

from media.scenery import cast, cosmos, heavens, storms
from media.scenery.planes import colour
from media.scenery.stage import Stage


def overhead(stage: Stage, place: str) -> None:  # noqa: C901 - a flat table of words
    """What moves in the sky, farthest first."""
    world, reading = stage.world, stage.world.reading
    name = world.palette.name
    if place == "underwater":
        stage.back.append(
            cosmos.Shafts(
                world, bottom=int(world.height * 0.9), tone=world.palette.light, strength=0.55, cell=90, fan=False
            )
        )
        return
    dark = world.palette.dark > 0.6 and not reading.has("storm", "rain", "fog")
    if (dark or reading.has("star")) and "star" not in reading.removed:
        stage.back.append(
            heavens.Twinkle(
                world, 46 if name in ("night", "space") else 22, world.horizon * (1.0 if name == "space" else 0.8)
            )
        )
    if place in ("space", "planet"):
        if place == "space":
            stage.back.append(cosmos.StarDrift(world))
        left = world.light.x < world.width / 2
        rng = world.chance("planets")
        big = min(world.width, world.height)
        kind = int(rng.integers(0, 4))
        if place == "planet" or reading.has("planet") or place == "space":
            x = world.width * (0.70 if left else 0.30)
            y = world.horizon * (0.36 if place == "planet" else 0.44)
            stage.back.append(
                cosmos.Planet(
                    world,
                    "planet",
                    x=x,
                    y=y,
                    radius=big * (0.165 if place == "planet" else 0.20),
                    kind=kind,
                    rings=bool(rng.random() < 0.6),
                    depth=0.10,
                )
            )
            stage.back.append(
                cosmos.Planet(
                    world,
                    "small planet",
                    x=world.width * (0.20 if left else 0.82),
                    y=world.horizon * 0.20,
                    radius=big * 0.036,
                    kind=kind + 1,
                    rings=False,
                    depth=0.05,
                )
            )
    if reading.has("aurora"):
        top = world.horizon
        stage.back.append(
            heavens.Ribbons(
                world,
                "aurora",
                hems=(top * 0.62, top * 0.44),
                tall=150 if world.width > world.height else 230,
                colours=(colour("#4dffa0"), colour("#9a5cff")),
                strength=0.95,
                bottom=min(world.height, int(top * 0.92)),
            )
        )
    if reading.has("meteor"):
        stage.back.append(heavens.Meteors(world))
    storm = reading.has("storm", "lightning")
    if storm:
        stage.back.append(storms.Lightning(world))
    if "cloud" in reading.removed or place in ("space", "planet"):
        pass
    elif storm or reading.has("rain"):
        stage.back.append(
            heavens.Clouds(
                world, "low bank", top=-10, bottom=world.horizon * 0.62, cover=0.95, speed=13, strength=0.96, cell=210
            )
        )
        stage.back.append(
            heavens.Clouds(
                world,
                "ragged bank",
                top=-10,
                bottom=world.horizon * 0.40,
                cover=0.75,
                speed=24,
                strength=0.85,
                cell=130,
            )
        )
    elif reading.has("cloud"):
        stage.back.append(
            heavens.Clouds(
                world,
                "white bank",
                top=world.horizon * 0.08,
                bottom=world.horizon * 0.86,
                cover=0.72,
                speed=10,
                strength=0.95,
                cell=190,
            )
        )
        stage.back.append(
            heavens.Clouds(
                world, "high bank", top=-10, bottom=world.horizon * 0.5, cover=0.5, speed=17, strength=0.8, cell=130
            )
        )
    elif name in ("day", "sunset", "dawn", "winter", "twilight"):
        stage.back.append(
            heavens.Clouds(
                world,
                "bank",
                top=world.horizon * 0.12,
                bottom=world.horizon * 0.78,
                cover=0.36,
                speed=9,
                strength=0.80,
                cell=150,
            )
        )
    if reading.has("firework"):
        stage.back.append(storms.Fireworks(world))
    if reading.has("bird") or (
        place in ("sea", "lake") and name in ("sunset", "dawn", "day") and "bird" not in reading.removed
    ):
        big = reading.has("bird")
        area = (0.0, world.horizon * 0.16, float(world.width), world.horizon * 0.62)
        stage.back.append(
            cast.Flock(world, count=11 if big else 5, area=area, size=(26, 74) if big else (16, 34), speed=34)
        )
