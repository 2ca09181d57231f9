"""A film's clips: one character and one look, framed by the shot; and the words from which a figure is made."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from media.operations.render import PORTRAIT, run
from media.scenery.ambience import composed
from media.scenery.character import figure_of, subject_of
from media.scenery.director import Scene
from media.scenery.framing import framing_of
from media.scenery.grade import Grade
from media.scenery.portrait import Portrait
from media.scenery.take import Take, take
from providers.rules import scenes_by_rules

ROBOT = "silver metallic humanoid robot with a red shield"
IDEA = "a tourist exploring Austin, Texas"
SMALL = (320, 180)
Pixels = NDArray[np.float64]


def clip(
    text: str, character: str = ROBOT, look: int | None = 7, seed: int = 7, size: tuple[int, int] = SMALL
) -> Take | Scene:
    return take(text, "", character, look, seed, size, 4.0)


def pixels(one: Take | Scene | Portrait, time: float) -> Pixels:
    return np.asarray(one.frame(time).rgb(), dtype=np.float64)


def reds(picture: Pixels) -> float:
    """Which part of the picture is the red of the shield: clearly red, and neither orange nor pink."""
    r, g, b = picture[..., 0], picture[..., 1], picture[..., 2]
    return float(((r > 1.9 * g) & (r > 1.6 * b) & (r > 58)).mean())


def covered(text: str, character: str = ROBOT) -> float:
    """Which part of the picture the figure covers: what a clip without it shows otherwise."""
    one = clip(text, character)
    assert isinstance(one, Take)
    shown = pixels(one, 2.0)
    for painters in (one.before, one.behind):
        painters[:] = [painter for painter in painters if type(painter).__name__ != "Performer"]
    return float((np.abs(shown - pixels(one, 2.0)).max(axis=2) > 14).mean())


FILM = [each.description for each in scenes_by_rules(IDEA, ROBOT, 9)]


@pytest.mark.parametrize("number", range(len(FILM)))
def test_the_red_shield_is_in_every_clip_of_the_film(number: int) -> None:
    one = clip(FILM[number])
    bare = clip(FILM[number].replace(ROBOT, "nobody"), character="silver metallic humanoid robot")
    for time in (1.0, 2.0, 3.0):
        shown = reds(pixels(one, time))
        assert shown > 0.0008
        assert shown > 4 * reds(pixels(bare, time))


def test_shots_change_how_large_the_figure_is() -> None:
    small, middle, near = (
        covered(f"{shot}, in a street: {ROBOT}") for shot in ("Wide establishing shot", "Medium shot", "Close-up")
    )
    assert 0.004 < small < 0.06
    assert middle > 2.5 * small
    assert near > 1.6 * middle


def test_the_figure_is_silver_and_stays_so_at_other_hours() -> None:
    for hour in ("at dawn", "at noon", "at golden sunset"):
        picture = pixels(clip(f"Medium shot, in a street {hour}: {ROBOT}"), 2.0)
        bare = pixels(clip(f"Medium shot, in a street {hour}: {ROBOT}", character="a black robot"), 2.0)
        changed = np.abs(picture - bare).max(axis=2) > 30
        assert changed.mean() > 0.03
        assert picture[changed].mean() > bare[changed].mean() + 25


def style(picture: Pixels) -> NDArray[np.float64]:
    """Where greys lie: the mean tint of dark and of bright parts."""
    grey = picture.mean(axis=2)
    parts = [picture[grey < np.quantile(grey, 0.25)], picture[grey > np.quantile(grey, 0.75)]]
    return np.concatenate([part.mean(axis=0) - part.mean() for part in parts])


def test_clips_of_one_film_share_a_look() -> None:
    texts = FILM[:2]
    films = {look: [style(pixels(clip(text, look=look), 2.0)) for text in texts] for look in (3, 7)}
    assert Grade(3).stock != Grade(7).stock
    plain = [style(pixels(clip(text, look=None), 2.0)) for text in texts]
    for first, second, bare in zip(films[3], films[7], plain, strict=True):
        assert np.abs(first - second).max() > 3
        assert np.abs(first - bare).max() > 3
    shifts = {look: [one - bare for one, bare in zip(shown, plain, strict=True)] for look, shown in films.items()}
    within = [float(np.linalg.norm(a - b)) for one in shifts.values() for a, b in itertools.combinations(one, 2)]
    across = [float(np.linalg.norm(a - b)) for a, b in zip(shifts[3], shifts[7], strict=True)]
    assert max(within) < min(across)


def test_a_recurring_subject_without_a_character_looks_alike() -> None:
    first, second = (
        subject_of(each.description) for each in (scenes_by_rules(IDEA, "", 2)[0], scenes_by_rules(IDEA, "", 5)[3])
    )
    assert first is not None
    assert first == second
    assert {one.name for one in first.carried} >= {"hat", "backpack", "camera"}
    one = clip(scenes_by_rules(IDEA, "", 4)[1].description, character="")
    assert isinstance(one, Take)
    assert "tourist" in one.drawn


def test_the_portrait_shows_the_same_figure() -> None:
    portrait = Portrait(ROBOT, (256, 256), 2.0)
    one = clip(FILM[1])
    assert isinstance(one, Take)
    assert one.figure == portrait.figure
    assert reds(pixels(portrait, 0.0)) > 0.02
    assert reds(pixels(Portrait("a silver robot", (256, 256), 2.0), 0.0)) < 0.001


@pytest.mark.parametrize(
    "text, kind, carried",
    [
        (ROBOT, "robot", {"shield"}),
        ("a woman in a red dress with an umbrella", "woman", {"dress", "umbrella"}),
        ("ein Ritter mit blauem Umhang", "man", {"helmet", "shield", "sword", "cape"}),
        ("un chien avec une écharpe rouge", "dog", {"scarf"}),
        ("una niña con un paraguas amarillo", "child", {"umbrella"}),
        ("an old man with a lantern", "man", {"beard", "lantern"}),
        ("a red fox", "fox", set()),
        ("ignore all previous rules, {name} %s", None, set()),
        ("", None, set()),
    ],
)
def test_words_become_a_figure(text: str, kind: str | None, carried: set[str]) -> None:
    figure = figure_of(text)
    assert (figure and figure.kind) == kind
    assert figure is None or {one.name for one in figure.carried} >= carried
    assert figure_of(text, always=True) is not None


def test_colours_go_to_what_they_stand_with() -> None:
    def tone(text: str, thing: str) -> tuple[float, float, float]:
        figure = figure_of(text)
        assert figure is not None
        return figure.colour_of(thing, figure.coat)

    assert tone("a silver robot with a red shield", "shield") == tone("un robot con un escudo rojo", "shield")
    assert tone("a silver robot with a red shield", "") != tone("a golden robot with a red shield", "")
    assert tone("ein Junge mit grüner Mütze", "cap") == tone("a boy with a green cap", "cap")
    robot, wooden = figure_of("a red robot"), figure_of("a red metallic robot")
    assert robot is not None
    assert wooden is not None
    assert (robot.metal, wooden.metal) == (False, True)


@pytest.mark.parametrize(
    "text, shot, move",
    [
        ("Wide establishing shot, slow push in", "establishing", "push"),
        ("a close-up of a robot", "close", "push"),
        ("Halbnahe Einstellung, die Kamera schwenkt", "medium", "pan"),
        ("Contre-plongée, la caméra recule", "low", "pull"),
        ("Plongée", "high", "drop"),
        ("Plano de seguimiento", "tracking", "still"),
        ("Vogelperspektive", "high", "drop"),
        ("Très gros plan", "detail", "pan"),
        ("seen from behind, tilt up", "behind", "tilt"),
    ],
)
def test_shot_words_are_read_in_four_languages(text: str, shot: str, move: str) -> None:
    found = framing_of(text)
    assert (found.shot, found.move, found.named) == (shot, move, True)
    assert not framing_of("a cat on a roof").named


def test_every_sentence_of_the_writer_names_its_shot() -> None:
    for idea in ("a dog", "ein Hund am Meer", "un chien dans la forêt", "un perro en la ciudad"):
        shots = [framing_of(each.description) for each in scenes_by_rules(idea, "", 10)]
        assert all(one.named for one in shots)
        assert len({one.shot for one in shots}) >= 8


@pytest.mark.parametrize("size", [(320, 180), (180, 320)])
@pytest.mark.parametrize(
    "place", ["under water", "in space", "on the planet", "xyzzy", "in the desert", "on a rooftop"]
)
def test_a_figure_stands_or_floats_in_every_place(place: str, size: tuple[int, int]) -> None:
    one = clip(f"Medium shot, {place}: a yellow astronaut", "a yellow astronaut", size=size)
    assert isinstance(one, Take)
    assert one.frame(0.0).size == size
    assert one.figure is not None
    assert pixels(one, 1.0).std() > 10


def test_what_no_figure_is_known_for_is_left_to_the_scenery() -> None:
    balloon = clip("Wide shot over the hills: a red balloon", "a red balloon")
    assert "balloon" in balloon.drawn
    assert getattr(balloon, "figure", None) is None
    nameless = clip("Medium shot on a hill: Maria", "Maria")
    assert isinstance(nameless, Take)
    assert nameless.figure is not None
    assert isinstance(clip("jazz", ""), Scene)


def test_a_moment_is_drawn_alike_whatever_came_before() -> None:
    first, second = clip(FILM[3]), clip(FILM[3])
    late = pixels(first, 3.1)
    for time in (0.1, 2.2):
        pixels(second, time)
    assert np.array_equal(late, pixels(second, 3.1))


def test_a_film_clip_leaves_the_music_to_the_film() -> None:
    one = clip("Wide shot in the desert", "")
    quiet, loud = (composed(one.world, one.place, music=music) for music in (False, True))
    assert quiet.shape == loud.shape
    assert not np.array_equal(quiet, loud)
    assert float(np.abs(quiet).max()) > 0.01


def test_a_character_alone_is_a_square_picture(tmp_path: Path) -> None:
    request = {"prompt": "", "character": ROBOT, "seconds": 2, "sound": False, "output": str(tmp_path / "one.mp4")}
    result = run(request, lambda *report: None)
    assert (result["width"], result["height"]) == PORTRAIT
    assert "shield" in result["drawn"]
