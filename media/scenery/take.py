"""A clip of a film: a scene as its set, the film's figure before it, a camera that frames both, and the film's own grade over all."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from PIL import Image

from media.scenery import storms
from media.scenery.actors import PEOPLE
from media.scenery.air import air_of
from media.scenery.blocking import blocked
from media.scenery.caption import captioned
from media.scenery.character import figure_of, subject_of
from media.scenery.cosmos import Vignette
from media.scenery.director import Scene, abstract_scene_of, finish, staged, world_of
from media.scenery.figure import Figure
from media.scenery.framing import Framing, framing_of
from media.scenery.grade import Grade
from media.scenery.hours import place_of
from media.scenery.planes import Canvas
from media.scenery.quadrupeds import BEASTS
from media.scenery.truth import labelled, shown
from media.scenery.words import COLOURS, Match, Reading, read
from media.scenery.world import Painter, World

_TOWNS = frozenset(
    {"tokyo", "manhattan", "york", "london", "paris", "berlin", "shanghai", "hongkong", "madrid", "rom", "rome", "roma"}
)
_PLACES = frozenset(
    {
        "sea",
        "lake",
        "river",
        "beach",
        "island",
        "mountain",
        "hill",
        "forest",
        "desert",
        "meadow",
        "rooftop",
        "planet",
        "space",
        "underwater",
    }
)
_SMALL = ("establishing", "wide")
"""Shots whose figure stands in the set, behind what grows in front."""
_SHARPNESS = {"close": 0.5, "detail": 0.5, "medium": 0.75, "low": 0.75, "high": 0.75, "tracking": 0.75, "behind": 0.75}
"""Shots whose set is out of focus, because the figure is near: the size at which it is drawn, beside the frame's."""


@dataclass(frozen=True, slots=True)
class Camera:
    """Which part of the set is in the frame: zoom and middle at both ends of the clip, eased between them."""

    zoom: tuple[float, float]
    x: tuple[float, float] = (0.5, 0.5)
    y: tuple[float, float] = (0.5, 0.5)

    def framed(self, canvas: Canvas, size: tuple[int, int], part: float) -> Canvas:
        """The picture at ``part`` (0..1) of the clip."""
        eased = part * part * (3 - 2 * part)
        zoom = max(1.0, self.zoom[0] + (self.zoom[1] - self.zoom[0]) * eased)
        half = 0.5 / zoom
        x = min(1 - half, max(half, self.x[0] + (self.x[1] - self.x[0]) * eased))
        y = min(1 - half, max(half, self.y[0] + (self.y[1] - self.y[0]) * eased))
        if zoom == 1.0 and canvas.size == size:
            return canvas
        smooth = Image.Resampling.BILINEAR

        def cut(plane: Image.Image, target: tuple[int, int]) -> Image.Image:
            wide, high = plane.size
            box = ((x - half) * wide, (y - half) * high, (x + half) * wide, (y + half) * high)
            return plane.resize(target, smooth, box=box)

        small = (size[0] // 2, size[1] // 2)
        return Canvas(cut(canvas.y, size), cut(canvas.u, small), cut(canvas.v, small))


@dataclass(slots=True)
class Take:
    """A clip of a film as a pure function of time."""

    world: World
    behind: list[Painter]
    base: Canvas
    camera: Camera
    size: tuple[int, int]
    before: list[Painter]
    drawn: list[str]
    not_drawn: list[str]
    place: str
    framing: Framing
    figure: Figure | None
    caption: bool = False
    thunder: list[float] = field(default_factory=list)

    def frame(self, time: float) -> Canvas:
        """The picture at ``time`` seconds; safe to call from several threads at once."""
        canvas = self.base.copy()
        for painter in self.behind:
            painter.draw(canvas, time)
        canvas = self.camera.framed(canvas, self.size, min(1.0, time / self.world.seconds))
        for painter in self.before:
            painter.draw(canvas, time)
        return canvas


def take(
    prompt: str,
    negative: str,
    character: str,
    look: int | None,
    seed: int,
    size: tuple[int, int],
    seconds: float,
    *,
    caption: bool = False,
) -> Take | Scene:
    """Compose the clip. Without a figure that can be drawn it is a scene as any other, framed and graded."""
    figure = _who(character, prompt, look)
    said = _without(prompt, character) if figure is not None and character else prompt
    reading = _settled(read(said, negative))
    removed = reading.removed
    if figure is not None and (figure.kind in removed or (figure.kind in PEOPLE and "people" in removed)):
        figure = None
    framing = framing_of(prompt, seed + len(prompt))
    cast = read(f"{character} {prompt}") if character else reading
    place = place_of(_with(reading, cast)) or ("hills" if figure is not None else "")
    if figure is not None:
        reading = _set_only(reading, figure)
    grade = None if look is None else Grade(look)
    sharp = _SHARPNESS.get(framing.shot, 1.0) if figure is not None else 1.0
    if not place:
        scene = abstract_scene_of(world_of(reading, prompt, seed, size, seconds, place))
        scene.painters.extend([grade] if grade else [])
        finish(scene, prompt, caption=caption)
        return scene
    inner = (int(size[0] * sharp) & ~1, int(size[1] * sharp) & ~1)
    world = world_of(reading, prompt, seed, inner, seconds, place)
    world.peopled = figure is not None
    world.pace = 3.6 if framing.shot == "tracking" else 1.0
    if framing.shot == "tracking":
        world.drift = -1.0  # the figure walks to the right, as in every other shot
    stage = staged(world, place)
    screen = replace(world, width=size[0], height=size[1], lamps=[])
    if inner != size:
        factor = size[0] / inner[0]
        light = replace(
            world.light, x=world.light.x * factor, y=world.light.y * factor, radius=world.light.radius * factor
        )
        screen = replace(screen, light=light, horizon=int(world.horizon * factor))
    before: list[Painter] = []
    behind = [*stage.back, *stage.middle, *stage.front]
    if figure is not None:
        actor = blocked(
            screen, figure, framing, stage.ground if framing.shot in _SMALL else None, said, alone=not stage.ground
        )
        (behind if framing.shot in _SMALL else before).append(actor)
    if sharp > 0.5:
        behind.extend(stage.near if framing.shot in (*_SMALL, "high") or figure is None else ())
    stage.world = screen
    before.extend(air_of(stage, place))
    if grade is not None:
        before.append(grade)
    before.append(Vignette(screen, 0.42))
    yes, no = shown(world, place, ground=stage.ground is not None, water=stage.water_row is not None)
    drawn = labelled(yes) + list(figure.words if figure else ())
    thunder = [moment for one in stage.back if isinstance(one, storms.Lightning) for moment, *_ in one.strikes]
    words = captioned(screen, prompt) if caption and "caption" not in removed else None
    if words is not None:
        before.append(words)
    return Take(
        screen,
        behind,
        stage.base,
        _camera(framing),
        size,
        before,
        drawn,
        [match.word for match in no],
        place,
        framing,
        figure,
        words is not None,
        thunder,
    )


def _who(character: str, prompt: str, look: int | None) -> Figure | None:
    """The figure: of the character's words, a person where they name nothing that is known, else of the prompt's subject."""
    if not character.strip():
        return subject_of(prompt) if look is not None else None
    found = figure_of(character)
    if found is None and not read(character).elements - COLOURS:
        found = figure_of(character, always=True)
    return found


def _without(prompt: str, character: str) -> str:
    """What is left to be the set when the character's words are taken away."""
    pattern = re.escape(character.strip().rstrip("."))
    return re.sub(pattern, " ", prompt, flags=re.IGNORECASE) if pattern else prompt


def _with(reading: Reading, cast: Reading) -> Reading:
    """The set's words and who is in it, to find the place."""
    more = tuple(
        match for match in cast.matches if match.element in (*PEOPLE, *BEASTS) and not reading.has(match.element)
    )
    return replace(reading, matches=(*reading.matches, *more))


def _settled(reading: Reading) -> Reading:
    """A town's name gives way to a place that is named beside it."""
    if not any(match.element in _PLACES for match in reading.matches):
        return reading
    if any(match.element in ("rooftop", "neon") for match in reading.matches):
        return reading
    kept = tuple(
        match for match in reading.matches if not (match.element == "city" and match.word.casefold() in _TOWNS)
    )
    return replace(reading, matches=kept)


def _set_only(reading: Reading, figure: Figure) -> Reading:
    """The set's words: neither the figure, nor what it does or wears."""
    gone = {*PEOPLE, figure.kind, "run", "walk"}
    if figure.has("lantern"):
        gone.add("lantern")
    if figure.has("balloon"):
        gone.add("balloon")
    kept: list[Match] = [match for match in reading.matches if match.element not in gone]
    worn = {word for phrase in figure.words for word in phrase.split()}
    kept = [match for match in kept if match.element not in COLOURS or match.word.casefold() not in worn]
    return replace(reading, matches=tuple(kept))


def _camera(framing: Framing) -> Camera:
    """How the set is framed."""
    zoom, y = {
        "establishing": (1.03, 0.5),
        "wide": (1.06, 0.52),
        "medium": (1.22, 0.55),
        "close": (1.45, 0.44),
        "detail": (1.9, 0.52),
        "low": (1.34, 0.37),
        "high": (1.34, 0.63),
        "tracking": (1.14, 0.52),
        "behind": (1.10, 0.52),
    }[framing.shot]
    match framing.move:
        case "push":
            return Camera((zoom, zoom * 1.09), y=(y, y))
        case "pull":
            return Camera((zoom * 1.09, zoom), y=(y, y))
        case "pan":
            return Camera((zoom * 1.05, zoom * 1.05), x=(0.45, 0.55), y=(y, y))
        case "tilt":
            return Camera((zoom * 1.08, zoom * 1.08), y=(y + 0.05, y - 0.05))
        case "drop":
            return Camera((zoom * 1.08, zoom * 1.08), y=(y - 0.05, y + 0.05))
    return Camera((zoom, zoom), y=(y, y))
