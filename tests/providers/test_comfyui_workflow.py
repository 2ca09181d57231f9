"""Workflows of ComfyUI: what is refused at start, what a place becomes, what a workflow's places make possible, and its sheet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from core.capabilities import Applied
from core.errors import InvalidRequest
from providers.comfyui import capabilities, connect
from providers.comfyui_workflow import (
    PLACES,
    SHIPPED,
    Workflow,
    check_options,
    measures,
    read_workflow,
    read_workflows,
)
from providers.sheets import BadSheet, read_sheet
from tests.contracts.vendor_faults import world

TEXT = {"5": {"class_type": "CLIPTextEncode", "inputs": {"text": "{{prompt}}"}}}


def node(**inputs: Any) -> dict[str, Any]:
    return {"class_type": "Any", "inputs": inputs}


def made(**inputs: Any) -> Workflow:
    return read_workflow(json.dumps({**TEXT, "9": node(**inputs)}).encode(), "W")


def filled(value: Any, **values: Any) -> Any:
    workflow = made(x=value)
    return workflow.fill({"prompt": "P", **values})["9"]["inputs"]["x"]


def order(**changes: Any) -> Applied:
    fields: dict[str, Any] = {
        "provider": "comfyui",
        "model": "workflow",
        "prompt": "p",
        "negative_prompt": "",
        "seed": 1,
    }
    fields |= {"aspect_ratio": "16:9", "resolution": "720p", "seconds": 5, "audio": False}
    return Applied(**{**fields, **changes})


# ------------------------------------------------------------------------------------------------------------- what is filled in


def test_a_place_alone_keeps_the_kind_of_its_value() -> None:
    assert filled("{{seed}}", seed=7) == 7
    assert filled("{{ seed }}", seed=7) == 7
    assert filled("{{fps}}", fps=23.976) == 23.976
    assert filled("{{prompt}}") == "P"


def test_a_place_within_text_is_written_out_at_any_depth() -> None:
    assert filled("clip {{seed}} of {{prompt}}: {{seed}}", seed=7) == "clip 7 of P: 7"
    assert filled({"a": ["{{seed}}", {"b": "{{prompt}}!"}], "{{seed}}": None}, seed=7) == {
        "a": [7, {"b": "P!"}],
        "{{seed}}": None,
    }
    for kept in (True, 1.5, None, ["5", 0], "{seed}", "{{ }}", "}}{{", "{{{}}}"):
        assert filled(kept) == kept


@given(
    some.text() | some.sampled_from(["{{prompt}}", "{{seed}}", '"}}, "66": {', "\\u0022", "\x00", "\ud800", "\u2028"])
)
def test_no_text_becomes_anything_but_itself(wrote: str) -> None:
    workflow = made(whole="{{prompt}}", within="a {{prompt}} b")
    graph = workflow.fill({"prompt": wrote, "seed": 7})
    assert set(graph) == {"5", "9"}
    assert graph["9"]["inputs"] == {"whole": wrote, "within": f"a {wrote} b"}
    assert json.loads(json.dumps(graph)) == graph


def test_filling_changes_nothing_of_the_workflow() -> None:
    workflow = made(x="{{seed}}")
    assert workflow.fill({"prompt": "P", "seed": 1}) != workflow.fill({"prompt": "P", "seed": 2})
    assert workflow.graph["9"]["inputs"]["x"] == "{{seed}}"


def test_a_sampler_weighs_its_steps_and_anything_else_one() -> None:
    graph = {
        **TEXT,
        "1": {"class_type": "KSampler", "inputs": {"steps": 30}},
        "2": {"class_type": "SamplerCustomAdvanced", "inputs": {}},
        "3": {"class_type": "KSamplerSelect", "inputs": {"steps": 9}},
        "4": {"class_type": "BasicScheduler", "inputs": {"steps": 20}},
        "6": {"class_type": "KSampler", "inputs": {"steps": "{{seed}}"}},
    }
    weights = read_workflow(json.dumps(graph).encode(), "W").weights()
    assert weights == {"5": 1, "1": 30, "2": 20, "3": 1, "4": 1, "6": 20}


# ---------------------------------------------------------------------------------------------------------- what is refused at start


@pytest.mark.parametrize(
    "data, says",
    [
        (b"", "is no JSON"),
        (b"\xff\xfe", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b"[]", "no workflow in the API format"),
        (b"{}", "no workflow in the API format"),
        (b'{"1": {"inputs": {}}}', "no workflow in the API format"),
        (b'{"1": {"class_type": "A"}}', "no workflow in the API format"),
        (b'{"nodes": [], "links": [], "version": 0.4}', "as the editor saves it"),
        (b'{"1": {"class_type": "A", "inputs": {}}}', "has no {{prompt}}"),
        (json.dumps({**TEXT, "9": node(x="{{promt}}")}).encode(), "the place {{promt}}, which nothing fills"),
    ],
)
def test_what_is_no_workflow_is_a_mistake_that_says_what_to_do(data: bytes, says: str) -> None:
    with pytest.raises(BadSheet) as found:
        read_workflow(data, "COMFYUI_WORKFLOW")
    text = str(found.value)
    assert text.startswith("COMFYUI_WORKFLOW")
    assert says in text
    assert "Export (API)" in text or "prompt" in text


def lay(folder: Path, **files: Any) -> Path:
    """Write workflows whose inputs are given by the ending of their names; ``text`` is the one that is configured."""
    for ending, places in files.items():
        name = "mine.json" if ending == "text" else f"mine.{ending}.json"
        (folder / name).write_text(json.dumps({**TEXT, "9": node(x=list(places))}), encoding="utf-8")
    return folder / "mine.json"


ALL = ("{{negative_prompt}}", "{{seed}}", "{{width}}", "{{height}}", "{{frames}}")
FIRST, LAST = "{{image}}", "{{last_image}}"


@pytest.mark.parametrize(
    "files, says",
    [
        ({"text": (), "image": ()}, "mine.image.json beside COMFYUI_WORKFLOW has no {{image}}"),
        ({"text": (), "last_image": (FIRST,)}, "mine.last_image.json beside COMFYUI_WORKFLOW has no {{last_image}}"),
        ({"text": (FIRST,), "image": (FIRST,)}, "takes the same pictures as another"),
        ({"text": (FIRST, LAST)}, "wants a last picture always"),
        (
            {"text": (), "image": (FIRST,), "last_image": (LAST,)},
            "mine.last_image.json beside COMFYUI_WORKFLOW has no {{image}}",
        ),
    ],
)
def test_files_that_do_not_go_together_are_a_mistake(tmp_path: Path, files: dict[str, Any], says: str) -> None:
    with pytest.raises(BadSheet) as found:
        read_workflows(lay(tmp_path, **files))
    assert says in str(found.value)


def test_a_file_that_cannot_be_read_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(BadSheet, match="COMFYUI_WORKFLOW cannot be read: FileNotFoundError"):
        read_workflows(tmp_path / "none.json")


class Configured:
    comfyui_url = "http://127.0.0.1:8188/"
    comfyui_workflow: Path | None = None


def test_a_sheet_without_a_size_is_a_mistake_at_start(tmp_path: Path) -> None:
    assert connect(Configured, world(tmp_path)).capabilities == capabilities()
    (tmp_path / "models").mkdir()
    sheet = tmp_path / "models/comfyui.toml"
    for text, says in (
        ('aspects = ["4:3"]', r'sizes."720p" wants "4:3" = \[width, height\]'),
        ("options = { sizes = 7 }", r'sizes."720p" wants'),
        ('options = { sizes = { "720p" = { "16:9" = [1280, 7] } } }', r'sizes."720p" wants "16:9"'),
        ("options = { fps = 0 }", "fps wants a number from 1 to 240"),
        ("options = { frames_multiple = 1.5 }", "frames_multiple wants a number from 1 to 240"),
        ('options = { frames_more = "1" }', "frames_more wants a number from 0 to 240"),
    ):
        sheet.write_text(f'[[models]]\nid = "workflow"\n{text}\n', encoding="utf-8")
        with pytest.raises(BadSheet, match=says):
            connect(Configured, world(tmp_path))


# ------------------------------------------------------------------------------------------------------------ what becomes possible


@pytest.mark.parametrize(
    "files, able",
    [
        ({"text": ALL}, {"text"}),
        ({"text": (*ALL, FIRST)}, {"image"}),
        ({"text": ALL, "image": (*ALL, FIRST)}, {"text", "image"}),
        ({"text": ALL, "image": (*ALL, FIRST), "last_image": (*ALL, FIRST, LAST)}, {"text", "image", "last_frame"}),
        ({"text": ALL, "last_image": (*ALL, LAST)}, {"text", "last_frame", "last_frame_alone"}),
        ({"text": ALL, "last_image": (*ALL, FIRST, LAST)}, {"text"}),
    ],
)
def test_the_files_decide_which_pictures_can_be_used(tmp_path: Path, files: dict[str, Any], able: set[str]) -> None:
    can = read_workflows(lay(tmp_path, **files)).can(read_sheet("comfyui").capabilities)
    names = ("text", "image", "last_frame", "last_frame_alone")
    assert {name for name in names if getattr(can, name)} == able
    assert can.pictures_used(5) <= 1


def test_what_no_workflow_fills_is_not_promised_whatever_a_sheet_says(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    promised = "extend = true\nspeech = true\naudio_switch = true\nreference_images = 3\nlast_frame = true\nfolds_negative = true"
    sheet = f'[[models]]\nid = "workflow"\n{promised}\nperson_generation = ["allow_all"]\n'
    (tmp_path / "models/comfyui.toml").write_text(sheet, encoding="utf-8")
    assert connect(Configured, world(tmp_path)).capabilities == capabilities()


@pytest.mark.parametrize(
    "gone, field, left",
    [
        ("{{seed}}", "seed", False),
        ("{{negative_prompt}}", "negative_prompt", False),
        ("{{width}}", "aspects", ("16:9",)),
        ("{{height}}", "resolutions", ("720p",)),
        ("{{frames}}", "seconds", (2,)),
    ],
)
def test_what_a_workflow_has_no_place_for_is_not_offered(tmp_path: Path, gone: str, field: str, left: Any) -> None:
    """One of several files without the place is enough: which one is used is known only when somebody orders."""
    sheet = read_sheet("comfyui").capabilities
    whole = lay(tmp_path, text=ALL, image=(*ALL, FIRST))
    assert getattr(read_workflows(whole).can(sheet), field) == getattr(sheet, field) != left
    some_gone = lay(tmp_path, text=ALL, image=(*(each for each in ALL if each != gone), FIRST))
    assert getattr(read_workflows(some_gone).can(sheet), field) == left


def test_seconds_are_a_length_too(tmp_path: Path) -> None:
    places = (*(each for each in ALL if each != "{{frames}}"), "{{seconds}}")
    assert len(read_workflows(lay(tmp_path, text=places)).can(read_sheet("comfyui").capabilities).seconds) == 4


def test_an_order_takes_the_workflow_for_its_pictures(tmp_path: Path) -> None:
    found = read_workflows(lay(tmp_path, text=ALL, image=(FIRST,), last_image=(FIRST, LAST)))
    for pictures, places in (
        ({}, frozenset()),
        ({"picture": "a"}, {"image"}),
        ({"picture": "a", "last_picture": "b"}, {"image", "last_image"}),
    ):
        assert found.pick(order(**pictures)).pictures == places
    for changed in (order(last_picture="b"), order(references=("a", "b"))):
        with pytest.raises(InvalidRequest):
            found.pick(changed)


@pytest.mark.parametrize(
    "changes, width, height, frames",
    [
        ({}, 1280, 704, 121),
        ({"aspect_ratio": "9:16", "seconds": 2}, 704, 1280, 49),
        ({"aspect_ratio": "1:1", "resolution": "480p", "seconds": 3}, 640, 640, 73),
    ],
)
def test_sizes_and_frames_follow_from_the_sheet(changes: dict[str, Any], width: int, height: int, frames: int) -> None:
    applied = order(**changes)
    found = measures(read_sheet("comfyui").model(applied).options, applied)
    assert found == {"width": width, "height": height, "frames": frames, "fps": 24, "seconds": applied.seconds}
    assert width % 32 == height % 32 == (frames - 1) % 4 == 0, "as Wan wants them"


def test_frames_without_rules_are_seconds_times_frames_a_second() -> None:
    options = {"sizes": {"720p": {"16:9": [1280, 720]}}, "fps": 30}
    assert measures(options, order())["frames"] == 150


def test_a_shape_that_the_sheet_dropped_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        measures(read_sheet("comfyui").models[0].options, order(resolution="4K"))


def test_what_is_shipped_is_whole() -> None:
    sheet, found = read_sheet("comfyui"), read_workflows(None)
    check_options(sheet)
    assert found.can(sheet.capabilities) == sheet.capabilities
    text, image = found.by_pictures[frozenset()], found.by_pictures[frozenset({"image"})]
    assert text.places == set(PLACES) - {"seconds", "image", "last_image"}
    assert set(image.graph) - set(text.graph) == {"12"}
    changed = {name for name in text.graph if text.graph[name] != image.graph[name]}
    assert changed == {"7"}, "beside the picture both are the same"
    assert SHIPPED.parent.name == "models"
