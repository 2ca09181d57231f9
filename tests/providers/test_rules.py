"""The writer by rules and the painter that draws: nobody is asked, and the same wish gives the same."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import pytest
from PIL import Image

from bot.settings import read_settings
from core.errors import MediaTimedOut, Unavailable
from core.ports import EncodedPicture
from media.tools import MediaTools
from providers.registry import PAINTERS, WRITERS
from providers.rules import LocalCharacters, LocalScenes, scenes_by_rules


def left(folder: Path) -> list[Path]:
    return list(folder.iterdir())


IDEA = "A keeper climbs the stairs. He lights the lamp! A ship comes home, then the storm is over"


@pytest.mark.parametrize("scenes", [1, 2, 4, 7, 20])
def test_so_many_scenes_come_in_the_ideas_order(scenes: int) -> None:
    found = scenes_by_rules(IDEA, "an old man in a blue coat.", scenes)
    assert len(found) == scenes
    assert all("an old man in a blue coat," in each.description for each in found)
    beats = ["climbs", "lights", "ship", "storm"]
    order = [next(n for n, word in enumerate(beats) if word in each.description) for each in found]
    assert order == sorted(order)
    assert set(order) == set(range(min(scenes, 4))) or scenes < 4
    assert all("coat., " not in each.description and ".." not in each.description for each in found)


def test_neighbours_differ_and_the_last_scene_closes() -> None:
    found = [each.description for each in scenes_by_rules("A lamp", "", 6)]
    assert len(set(found)) == 6
    assert found[-1].endswith("slow pull back")


@pytest.mark.parametrize(
    "idea, has_hours",
    [("A lamp", True), ("A lamp at night", False), ("Eine Lampe am Abend", False), ("evenings", True)],
)
def test_an_hour_that_the_idea_names_is_left_to_it(idea: str, has_hours: bool) -> None:
    found = " ".join(each.description for each in scenes_by_rules(idea, "", 7))
    assert ("at golden sunset" in found) is has_hours


@pytest.mark.parametrize("idea", ["", "   ", "...", "x" * 5000, "灯台守が灯をともす。船が帰る。", "\n\n\n"])
def test_whatever_is_written_gives_scenes_within_bounds(idea: str) -> None:
    found = scenes_by_rules(idea, "", 3)
    assert len(found) == 3
    assert all(0 < len(each.description) <= 1000 for each in found)


async def test_nobody_is_asked_and_nothing_is_due() -> None:
    writer = LocalScenes()
    assert writer.estimate(20).credits == 0
    script = await writer.write(IDEA, "", 4)
    assert (script, script.cost_usd) == (await writer.write(IDEA, "", 4), 0.0)
    assert await writer.check()


async def test_a_character_is_drawn_the_same_way_each_time(tmp_path: Path) -> None:
    media = MediaTools(tmp_path / "media", spare=False)
    await media.start()
    painter = LocalCharacters(media, tmp_path / "work")
    first = await painter.paint("a red fox in the snow", [EncodedPicture(b"x", "image/png", 1, 1)])
    assert (first.mime, first.cost_usd, painter.estimate().credits) == ("image/jpeg", 0.0, 0)
    with Image.open(io.BytesIO(first.data)) as picture:
        assert picture.size == (960, 540)
    assert (await painter.paint("a red fox in the snow")).data == first.data
    assert await asyncio.to_thread(left, tmp_path / "work") == []
    await media.close()


async def test_a_drawing_that_breaks_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    class Broken:
        async def render(self, request: object, path: Path, *, deadline: float) -> None:
            raise MediaTimedOut("too long")

    painter = LocalCharacters(Broken(), tmp_path)  # type: ignore[arg-type] # nothing else of it is used
    with pytest.raises(Unavailable):
        await painter.paint("a red fox")
    assert await asyncio.to_thread(left, tmp_path) == []


@pytest.mark.parametrize(
    "environ, name",
    [
        ({}, "local"),
        ({"GEMINI_API_KEY": "k"}, "gemini"),
        ({"REPLICATE_API_TOKEN": "k"}, "local"),
        ({"REPLICATE_API_TOKEN": "k", "CHARACTER_MODEL": "google/nano-banana"}, "replicate"),
        ({"REPLICATE_API_TOKEN": "k", "GEMINI_API_KEY": "k"}, "gemini"),
    ],
)
def test_the_painter_follows_from_the_keys(environ: dict[str, str], name: str) -> None:
    settings = read_settings(environ, None)
    assert next(each.name for each in PAINTERS if each.configured(settings)) == name
    assert WRITERS[-1].configured(settings)
