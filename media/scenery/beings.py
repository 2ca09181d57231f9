"""Animals and people: who stands where, who leaps, who drifts."""

from __future__ import annotations

import numpy as np

from media.scenery import actors, beasts, builds, cast, people, swimmers
from media.scenery.planes import Canvas, Sprite
from media.scenery.rig import dressed, silhouette
from media.scenery.stage import Stage
from media.scenery.world import World


def spot_of(world: World, index: int, count: int) -> float:
    """Columns for several subjects: the first on the third opposite the light, the rest beside it."""
    free = 0.36 if world.light.x > world.width / 2 else 0.64
    if count == 1:
        return world.width * free
    step = (0.26 if count == 2 else 0.22 if count == 3 else 0.60 / (count - 1)) * (1 if free < 0.5 else -1)
    return world.width * (free + step * (index - (0 if count <= 2 else 0.6)))


def beings(stage: Stage, place: str) -> None:
    """Animals and people."""
    world, unit, reading = stage.world, stage.world.unit, stage.world.reading
    sea_row = (stage.water_row or world.horizon) + 20 * unit
    standing = [match.element for match in reading.matches if match.element in (*actors.PEOPLE, *actors.BEASTS, "owl")]
    if "dancer" in standing and any(
        one in standing for one in ("robot", "astronaut", "child", "man", "woman", "person", "couple")
    ):
        standing.remove("dancer")
    if stage.ground is not None:
        _stand(stage, place, standing)
    elif standing and place in ("space", "underwater"):
        for index, kind in enumerate(standing[:3]):
            _float_in_space(stage, kind, index)
    swimming = [match.element for match in reading.matches if match.element in actors.SWIMMERS]
    for index, kind in enumerate(swimming):
        x = spot_of(world, index, len(swimming))
        facing = 1.0 if x < world.width / 2 else -1.0
        if place == "underwater" or stage.water_row is None:
            stage.middle.append(_School(world, kind, index))
        elif kind in ("jellyfish", "turtle"):
            stage.middle.append(
                cast.Leaper(world, kind, x, sea_row, start=-0.2, lasts=world.seconds * 1.1, scale=1.0, facing=facing)
            )
        else:
            lasts = min(world.seconds * 0.84, 4.8 if kind == "whale" else 1.9)
            count = 1 if kind == "whale" else 3
            for number in range(count):
                stage.middle.append(
                    cast.Leaper(
                        world,
                        kind,
                        x + number * 0.12 * world.width * facing,
                        sea_row + number * 16 * unit,
                        start=0.12 * world.seconds + number * 0.45 - (0.35 * lasts if kind == "whale" else 0),
                        lasts=lasts,
                        scale=1.0 - 0.1 * number,
                        facing=facing,
                    )
                )
    if reading.has("butterfly"):
        area = (world.width * 0.06, world.height * 0.42, world.width * 0.94, world.height * 0.88)
        stage.near.append(cast.Flock(world, count=7, area=area, size=(26, 66), kind="butterfly", speed=22))


def _stand(stage: Stage, place: str, standing: list[str]) -> None:
    world, reading = stage.world, stage.world.reading
    ground = stage.ground
    if ground is None:
        return
    count = len(standing)
    for index, kind in enumerate(standing[:5]):
        x = spot_of(world, index, min(5, count))
        facing = 1.0 if x < world.width / 2 else -1.0
        if reading.has("run", "walk"):
            facing = 1.0 if world.drift > 0 else -1.0
        scale = 1.0 if place not in ("city", "rooftop") or kind in actors.PEOPLE else 1.15
        if world.width < world.height:
            scale *= 1.15
        word = next(match.word.casefold() for match in reading.matches if match.element == kind)
        many = kind in ("camel", "sheep") or (word.endswith("s") and word not in SINGULAR) or word in MANY
        if many and count <= 2 and not (reading.has("campfire") and kind != "camel"):
            spread = 5 if kind == "camel" else 3
            size = scale * (0.60 if kind == "camel" else 0.88)
            for number in range(spread):
                gap = 0.175 if kind == "camel" else 0.17
                px = world.width * 0.5 + (number - (spread - 1) / 2) * gap * world.width * 0.95
                first = stage.front[-1] if number else None
                one = actors.on_ground(
                    world,
                    ground,
                    kind,
                    px,
                    size,
                    facing=facing,
                    offset=0.37 * number,
                    herd=1 - 0.05 * (number % 3),
                    like=first,
                )
                stage.front.append(one)
        else:
            stage.front.append(actors.on_ground(world, ground, kind, x, scale, facing=facing))


SINGULAR = frozenset({"ours", "grass", "ibis"})


MANY = frozenset(
    [
        "people",
        "children",
        "men",
        "women",
        "wolves",
        "kids",
        "puppies",
        "ponies",
        "deer",
        "sheep",
        "cattle",
        "menschen",
        "kinder",
        "männer",
        "frauen",
        "pferde",
        "katzen",
        "hunde",
        "wölfe",
        "füchse",
        "hirsche",
        "rehe",
        "löwen",
        "elefanten",
        "kamele",
        "kühe",
        "schafe",
        "hasen",
        "bären",
        "chevaux",
    ]
)


def _float_in_space(stage: Stage, kind: str, index: int) -> None:
    """Where there is no ground, figures drift."""
    world = stage.world
    big = min(world.width, world.height)
    x = world.width * (0.40 + 0.2 * index)
    if kind in people.HEIGHTS:
        height = people.HEIGHTS[kind] * big * 1.15
        brush = people.person(kind, 0.1, "stand")
        cover, origin = silhouette(brush, height, people.BOX)
        sprite = dressed(
            world,
            cover,
            (origin[0], origin[1] - height * 0.5),
            actors.tinted(world, people.COATS[kind], kind),
            x,
            brush,
            height,
        )
    else:
        build_ = builds.BUILDS.get(kind, builds.BUILDS["cat"])
        height = build_.size * big * 1.2
        cover, origin = silhouette(
            beasts.beast(kind if kind in builds.BUILDS else "cat", 0.1, "run"), height, beasts.BOX
        )
        sprite = dressed(
            world, cover, (origin[0], origin[1] - height * 0.6), actors.tinted(world, build_.coat, kind), x
        )
    stage.middle.append(_Adrift(world, sprite, x, world.height * 0.56, index))


class _Adrift:
    """Weightless."""

    def __init__(self, world: World, sprite: Sprite, x: float, y: float, index: int) -> None:
        self.world, self.sprite, self.x, self.y, self.index = world, sprite, x, y, index

    def draw(self, canvas: Canvas, time: float) -> None:
        """Drift."""
        unit = self.world.unit
        x = self.x + self.world.travel(time) * 0.7
        y = self.y + 14 * unit * float(np.sin(time * 0.7 + self.index))
        self.sprite.draw(canvas, x, y, turn=0.35 * float(np.sin(time * 0.35 + self.index)) + 0.15)


class _School:
    """Fish and their like under water."""

    def __init__(self, world: World, kind: str, index: int) -> None:
        rng = world.chance(f"school {kind}")
        self.world, self.kind = world, kind
        big = min(world.width, world.height)
        length = swimmers.LENGTHS[kind] * big
        coat = actors.tinted(world, swimmers.COATS[kind], kind)
        self.frames = []
        for pose in range(16):
            brush = swimmers.swimmer(kind, pose / 16)
            cover, origin = silhouette(brush, length, swimmers.BOX)
            sprite = dressed(world, cover, origin, coat, world.width * 0.5, brush, length, own=1.0)
            self.frames.append(sprite)
        count = {"fish": 13, "jellyfish": 5, "dolphin": 3}.get(kind, 1)
        self.drift = world.drift
        self.fish = []
        for _ in range(count):
            near = float(rng.random()) if count > 1 else 1.0
            self.fish.append((
                float(rng.random()) if count > 1 else 0.30, float(0.20 + 0.56 * rng.random()) if count > 1 else 0.44 + 0.1 * index,
                0.45 + 0.65 * near, float(rng.random() * 6.28), float(0.8 + 0.5 * rng.random()),
            ))  # fmt: skip
        self.fish.sort(key=lambda one: one[2])

    def draw(self, canvas: Canvas, time: float) -> None:
        """Swim."""
        width, height, unit = self.world.width, self.world.height, self.world.unit
        room = width * 0.22
        for fx, fy, scale, phase, rate in self.fish:
            if self.kind == "jellyfish":
                x = fx * width + 16 * unit * float(np.sin(time * 0.5 + phase))
                y = (fy * height - 12 * unit * time * scale) % (height * 1.1)
                turn = 0.12 * float(np.sin(time * 0.6 + phase))
            else:
                speed = (46 if self.kind == "fish" else 60) * unit * scale * rate
                x = (fx * (width + 2 * room) + speed * time) % (width + 2 * room) - room
                x = x if self.drift > 0 else width - x
                y = fy * height + 10 * unit * float(np.sin(time * 0.8 * rate + phase))
                turn = 0.06 * float(np.sin(time * 0.9 + phase))
            beat = (time * (1.6 if self.kind == "fish" else 0.55) * rate + phase) % 1.0
            self.frames[int(beat * 16) % 16].draw(
                canvas,
                float(x),
                float(y),
                turn=turn,
                scale=scale,
                flip=self.drift < 0 and self.kind != "jellyfish",
                fade=min(1.0, 0.35 + scale * 0.75),
            )
