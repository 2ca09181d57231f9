"""What the scenes show: never blank, the same for the same seed, every named thing visible, smooth in motion."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from media.scenery.caption import captioned, first_sentence, fitting_font, has_glyphs
from media.scenery.director import Scene, direct
from media.scenery.words import read

SMALL = (256, 144)


def scene(
    prompt: str,
    *,
    negative: str = "",
    seed: int = 3,
    size: tuple[int, int] = SMALL,
    caption: bool = False,
    seconds: float = 4.0,
) -> Scene:
    return direct(read(prompt, negative), prompt, seed, size, seconds, caption=caption)


def pixels(one: Scene, time: float) -> NDArray[np.float64]:
    return np.asarray(one.frame(time).rgb(), dtype=np.float64)


def difference(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    return float(np.abs(first - second).mean())


@pytest.mark.parametrize("prompt", ["jazz", "the meaning of life", "xyzzy", "", "日本語", "42"])
def test_what_it_does_not_know_is_still_a_picture(prompt: str) -> None:
    one = scene(prompt)
    picture = pixels(one, 1.5)
    assert one.drawn == []
    assert picture.std() > 12
    assert difference(picture, pixels(one, 2.5)) > 0.4


def test_unknown_prompts_and_seeds_look_different() -> None:
    first, second, third = (
        pixels(scene("jazz"), 1.0),
        pixels(scene("tax return"), 1.0),
        pixels(scene("jazz", seed=4), 1.0),
    )
    assert difference(first, second) > 3
    assert difference(first, third) > 3


def test_colour_words_colour_the_abstract_scene() -> None:
    red, blue = pixels(scene("red"), 1.0).mean(axis=(0, 1)), pixels(scene("blue"), 1.0).mean(axis=(0, 1))
    assert red[0] > 1.4 * red[2]
    assert blue[2] > 1.4 * blue[0]


def test_a_frame_is_a_pure_function_of_time() -> None:
    first, second = scene("a boat in the rain at night, a cat"), scene("a boat in the rain at night, a cat")
    late = pixels(first, 3.0)
    assert np.array_equal(late, pixels(second, 3.0))
    pixels(first, 0.5)
    assert np.array_equal(late, pixels(first, 3.0))


def test_seeds_change_the_composition() -> None:
    assert (
        difference(pixels(scene("mountains at dawn", seed=1), 1.0), pixels(scene("mountains at dawn", seed=2), 1.0)) > 4
    )


VISIBLE = [
    "sea",
    "forest",
    "mountain",
    "city",
    "desert",
    "night",
    "sunset",
    "aurora",
    "rain",
    "snow",
    "fog",
    "storm",
    "rainbow",
    "cloud",
    "fireworks",
    "lighthouse",
    "campfire",
    "tree",
    "palm",
    "balloon",
    "train",
    "car",
    "house",
    "castle",
    "lantern",
    "butterfly",
    "fireflies",
    "birds",
    "cat",
    "dog",
    "horse",
    "deer",
    "wolf",
    "fox",
    "bear",
    "elephant",
    "camel",
    "lion",
    "cow",
    "sheep",
    "giraffe",
    "owl",
    "person",
    "woman",
    "child",
    "robot",
    "dancer",
    "autumn",
    "flowers",
]


@pytest.mark.parametrize("word", VISIBLE)
def test_every_named_thing_is_visible(word: str) -> None:
    prompt = f"{word} in a meadow"
    shown, removed = scene(prompt), scene(prompt, negative=word)
    assert any(text.startswith(word) for text in shown.drawn)
    assert not any(text.startswith(word) for text in removed.drawn)
    changed = (np.abs(pixels(shown, time) - pixels(removed, time)).max(axis=2) for time in (1.0, 2.3))
    assert any(float((one > 24).mean()) > 0.0025 for one in changed)


def test_what_finds_no_place_is_not_claimed() -> None:
    assert scene("a boat in the desert at sunset").drawn
    one = scene("a cat running, sunset at midnight")
    assert not any("sunset" in text for text in one.drawn)
    assert "sunset" in one.not_drawn
    assert scene("running").drawn == []


@pytest.mark.parametrize(
    "prompt", ["a lighthouse at golden sunset", "a horse running in a meadow", "hope", "snowy mountains at dawn"]
)
def test_motion_is_smooth(prompt: str) -> None:
    one = scene(prompt, seconds=2.0)
    frames = [pixels(one, index / 24) for index in range(12, 30)]
    steps = np.array([difference(a, b) for a, b in itertools.pairwise(frames)])
    assert steps.min() > 0.02
    assert steps.max() < 4.0 * np.median(steps)


@pytest.mark.parametrize("size", [(256, 144), (144, 256)])
@pytest.mark.parametrize(
    "prompt", ["whale", "neon city", "astronaut on a planet", "fish", "spaceship in space", "rooftop", "lake", "camels"]
)
def test_every_place_fits_both_aspects(prompt: str, size: tuple[int, int]) -> None:
    one = scene(prompt, size=size)
    assert one.frame(0.0).size == size
    assert pixels(one, 0.0).std() > 10
    assert one.drawn


def test_no_black_at_either_end() -> None:
    one = scene("a beach at noon", caption=True)
    assert pixels(one, 0.0).mean() > 60
    assert pixels(one, 4.0 - 1 / 24).mean() > 60


def test_the_caption_comes_and_is_gone_before_the_end() -> None:
    plain, titled = scene("a beach at noon"), scene("a beach at noon", caption=True)
    assert titled.caption
    assert not plain.caption
    assert difference(pixels(plain, 2.0), pixels(titled, 2.0)) > 0.5
    assert np.array_equal(pixels(plain, 3.72), pixels(titled, 3.72))
    assert not scene("a beach", negative="text", caption=True).caption


def test_caption_stands_out_from_what_lies_under_it() -> None:
    prompt = "a snowy mountain under a bright winter sun"
    size = (640, 360)
    one = scene(prompt, caption=True, size=size)
    luma = np.asarray(one.frame(2.5).y, dtype=np.float64)
    without = np.asarray(scene(prompt, size=size).frame(2.5).y, dtype=np.float64)
    ink = luma > without + 40
    ground = ~ink & (np.abs(luma - without) > 3)
    rows, columns = np.nonzero(luma > 228)
    assert len(rows) > 50
    near = ground[rows.min() : rows.max(), columns.min() : columns.max()]
    under = luma[rows.min() : rows.max(), columns.min() : columns.max()][near]

    def light(code: float) -> float:
        return float(((code - 16) / 219) ** 2.2)

    assert (light(232) + 0.05) / (light(float(under.mean())) + 0.05) > 3.0


def test_a_script_without_glyphs_gets_no_caption() -> None:
    font = fitting_font("hello", 20)
    assert font is not None
    assert has_glyphs(font, "Hello, world")
    assert not has_glyphs(font, "\u0378")
    assert fitting_font("hello \U0010fffe", 20) is None
    assert captioned(scene("a cat").world, "\U0010fffe\U0010fffd") is None
    assert captioned(scene("a cat").world, "...") is None


def test_the_caption_is_the_first_sentence_cut_at_a_word() -> None:
    assert first_sentence("A  cat.\nA dog.") == "A cat"
    long = first_sentence("word " * 200)
    assert len(long) <= 111
    assert long.endswith("word…")
