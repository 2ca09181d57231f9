"""Workflows of ComfyUI with named places, such as ``{{prompt}}``, which an order fills.

A file in ComfyUI's API format maps node ids to ``{class_type, inputs}``. A text that is nothing but a place takes the value as it is, a
number or a text; inside other text the value is written out. Values are put into the parsed graph and never into JSON text: no prompt
can add a node.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from core.capabilities import Applied, Capabilities
from core.errors import InvalidRequest
from providers.sheets import BadSheet, Sheet

SETTING: Final = "COMFYUI_WORKFLOW"
SHIPPED: Final = Path(__file__).parent / "models" / "comfyui_workflow.json"
PLACE: Final = re.compile(r"\{\{\s*(\w+)\s*\}\}")
PLACES: Final = (
    "prompt",
    "negative_prompt",
    "seed",
    "width",
    "height",
    "frames",
    "fps",
    "seconds",
    "image",
    "last_image",
)
PICTURES: Final = frozenset({"image", "last_image"})
FIRST, LAST = frozenset({"image"}), frozenset({"last_image"})
BESIDE: Final = ("", ".image", ".last_image")
"""Endings of the file's name, before ``.json``: for clips from text, with a first picture, with a first and a last one."""
SAMPLER_STEPS: Final = 20
"""Assumed of a sampler that does not say its steps."""

Value = str | int | float
Graph = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Workflow:
    """One workflow; ``places`` are the names that occur in it."""

    graph: Graph
    places: frozenset[str]

    @property
    def pictures(self) -> frozenset[str]:
        """Which pictures it needs: an order has to bring exactly these."""
        return self.places & PICTURES

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes of its nodes, each once, in the order of the file."""
        return tuple(dict.fromkeys(str(node["class_type"]) for node in self.graph.values()))

    def weights(self) -> dict[str, int]:
        """How much of the work each node is, in steps: a sampler as many as it samples, any other node one."""
        return {name: _weight(node) for name, node in self.graph.items()}

    def fill(self, values: Mapping[str, Value]) -> dict[str, Any]:
        """The graph with every place filled. ``values`` names at least ``places``; nothing that is filled in is looked at again."""
        return {name: {**node, "inputs": _filled(node["inputs"], values)} for name, node in self.graph.items()}


def _weight(node: Mapping[str, Any]) -> int:
    samples = "Sampler" in node["class_type"] and "Select" not in node["class_type"]
    steps = node["inputs"].get("steps")
    if not samples:
        return 1
    return min(steps, 1000) if type(steps) is int and steps > 0 else SAMPLER_STEPS


def _filled(value: Any, values: Mapping[str, Value]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(each, values) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, values) for each in value]
    if not isinstance(value, str):
        return value
    whole = PLACE.fullmatch(value)
    if whole is not None:
        return values[whole[1]]
    return PLACE.sub(lambda found: str(values[found[1]]), value)


def read_workflow(data: bytes, where: str) -> Workflow:
    """Read a file; ``where`` names it in the text of a BadSheet, which says what is wrong and what to do."""
    try:
        graph = json.loads(data)
        places = frozenset(_places(graph))
    except (ValueError, RecursionError):
        raise _mistake(f"{where} is no JSON; {_ADVICE}") from None
    if isinstance(graph, dict) and isinstance(graph.get("nodes"), list):
        raise _mistake(f"{where} is a workflow as the editor saves it; {_ADVICE}")
    if not isinstance(graph, dict) or not graph or not all(map(_is_node, graph.values())):
        raise _mistake(f"{where} is no workflow in the API format; {_ADVICE}")
    unknown = sorted(places - set(PLACES))
    if unknown:
        raise _mistake(
            f"{where} has the place {{{{{unknown[0]}}}}}, which nothing fills; there are {', '.join(PLACES)}"
        )
    if "prompt" not in places:
        raise _mistake(f"{where} has no {{{{prompt}}}}: write it where the text of the prompt belongs")
    return Workflow(graph, places)


def _mistake(text: str) -> BadSheet:
    return BadSheet(text, setting=SETTING)


_ADVICE: Final = "export it with Workflow, Export (API) and set " + SETTING + " to that file"


def _is_node(node: Any) -> bool:
    return isinstance(node, dict) and isinstance(node.get("class_type"), str) and isinstance(node.get("inputs"), dict)


def _places(value: Any) -> Iterator[str]:
    """Names of places anywhere in ``value``."""
    if isinstance(value, str):
        yield from PLACE.findall(value)
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _places(each)


@dataclass(frozen=True, slots=True)
class Workflows:
    """The workflows of one generator: one for each set of pictures with which a clip can be ordered."""

    by_pictures: Mapping[frozenset[str], Workflow]

    def pick(self, applied: Applied) -> Workflow:
        """The workflow for this order. Raises InvalidRequest when none takes these pictures."""
        brought = {"image": applied.picture, "last_image": applied.last_picture}
        names = frozenset(name for name, key in brought.items() if key is not None)
        found = self.by_pictures.get(names)
        if found is None or applied.references:
            raise InvalidRequest("no workflow takes these pictures", setting=SETTING, pictures=sorted(names))
        return found

    def can(self, sheet: Capabilities) -> Capabilities:
        """What the sheet says, without what no workflow has a place for."""
        every = frozenset.intersection(*(each.places for each in self.by_pictures.values()))
        sized, timed = {"width", "height"} <= every, bool({"frames", "seconds"} & every)
        alone = LAST in self.by_pictures
        return replace(
            sheet,
            text=sheet.text and frozenset() in self.by_pictures,
            image=sheet.image and FIRST in self.by_pictures,
            last_frame=alone or (sheet.image and {FIRST, FIRST | LAST} <= set(self.by_pictures)),
            last_frame_alone=alone,
            reference_images=0,
            extend=False,
            speech=False,
            audio_switch=False,
            person_generation=(),
            folds_negative=False,
            seed=sheet.seed and "seed" in every,
            negative_prompt=sheet.negative_prompt and "negative_prompt" in every,
            aspects=sheet.aspects if sized else sheet.aspects[:1],
            resolutions=sheet.resolutions if sized else sheet.resolutions[:1],
            seconds=sheet.seconds if timed else sheet.seconds[:1],
            others=tuple(self.can(each) for each in sheet.others),
        )


def read_workflows(path: Path | None) -> Workflows:
    """The configured workflow and the ones that lie beside it; without one those that come with Reelay. Raises BadSheet."""
    path = SHIPPED if path is None else path
    found: dict[frozenset[str], Workflow] = {}
    for ending in BESIDE:
        file = path.with_name(f"{path.stem}{ending}.json") if ending else path
        if ending and not file.is_file():
            continue
        where = SETTING if file is path else f"{file.name} beside {SETTING}"
        try:
            workflow = read_workflow(file.read_bytes(), where)
        except OSError as error:
            raise _mistake(f"{where} cannot be read: {type(error).__name__}") from None
        if ending and ending[1:] not in workflow.places:
            raise _mistake(f"{where} has no {{{{{ending[1:]}}}}}: write it where the name of the picture belongs")
        if workflow.pictures in found:
            raise _mistake(f"{where} takes the same pictures as another workflow beside it: keep one of them")
        found[workflow.pictures] = workflow
    if {FIRST, LAST} <= set(found) and FIRST | LAST not in found:
        raise _mistake(
            f"{path.stem}.last_image.json beside {SETTING} has no {{{{image}}}}: a clip that ends with a picture may begin with one"
        )
    if not {frozenset(), FIRST} & set(found):
        raise _mistake(f"{SETTING} wants a last picture always: put a workflow beside it that needs none")
    return Workflows(found)


def measures(options: Mapping[str, Any], applied: Applied) -> dict[str, Value]:
    """Width, height, frames, frames per second and seconds of a clip, by its model's ``options``.

    Raises InvalidRequest for a shape that was ordered before the sheet dropped it.
    """
    try:
        width, height = options["sizes"][applied.resolution][applied.aspect_ratio]
    except KeyError:
        raise InvalidRequest("the sheet has no size for this shape", setting="models/comfyui.toml") from None
    fps = _number(options.get("fps", 24))
    multiple, more = options.get("frames_multiple", 1), options.get("frames_more", 0)
    frames = max(1, round(applied.seconds * fps / multiple)) * multiple + more
    return {"width": width, "height": height, "frames": frames, "fps": fps, "seconds": applied.seconds}


def check_options(sheet: Sheet) -> None:
    """Raise BadSheet when a model has no size for a shape that it can be ordered in, or strange numbers."""
    for model in sheet.models:
        where, options = f"comfyui.toml, model {model.id}", model.options
        for name, least in (("fps", 1), ("frames_multiple", 1), ("frames_more", 0)):
            value = options.get(name, least)
            whole_enough: Callable[[Any], bool] = _is_number if name == "fps" else _is_whole
            if not whole_enough(value) or not least <= value <= 240:
                raise BadSheet(f"{where}: {name} wants a number from {least} to 240")
        for resolution in model.capabilities.resolutions:
            for aspect in model.capabilities.aspects:
                try:
                    width, height = options["sizes"][resolution][aspect]
                except (KeyError, TypeError, ValueError):
                    width = height = None
                if not all(_is_whole(side) and 16 <= side <= 8192 for side in (width, height)):
                    raise BadSheet(f'{where}: sizes."{resolution}" wants "{aspect}" = [width, height]')


def _is_whole(value: Any) -> bool:
    return type(value) is int


def _is_number(value: Any) -> bool:
    return type(value) in (int, Decimal)


def _number(value: int | Decimal) -> int | float:
    return value if isinstance(value, int) else float(value)
