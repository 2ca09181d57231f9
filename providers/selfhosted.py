"""What servers of the operator's own have in common: what a shape and a length are in numbers, and how one is seen to be there.

In the ``options`` of a model: ``sizes`` (width and height by resolution and aspect), ``fps`` (by resolution), and ``frame_step`` where the
model makes a multiple of some number of frames, and one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from ipaddress import ip_address
from typing import Any, Final, TypeGuard
from urllib.parse import urlsplit

from core.capabilities import Applied, Capabilities
from core.errors import CredentialsRejected, InvalidRequest, ModelRetired
from providers.line import Line
from providers.sheets import BadSheet

MOST_PIXELS: Final = 8192
MOST_FPS: Final = 240
MOST_STEPS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Shape:
    """A clip in numbers."""

    width: int
    height: int
    fps: int
    frames: int


def shape_of(options: Mapping[str, Any], applied: Applied) -> Shape:
    """The numbers of a clip: as many frames as its seconds have, or the next more that the model makes.

    Six seconds at 15 a second are 93 frames of a model with a step of four. Raises BadSheet.
    """
    resolution, aspect = applied.resolution, applied.aspect_ratio
    size = _table(_table(options, "sizes"), resolution).get(aspect)
    if not isinstance(size, list) or len(size) != 2 or not all(_whole(each, MOST_PIXELS) for each in size):
        raise BadSheet(f"options: sizes wants width and height of {resolution} in {aspect}")
    fps, step = _table(options, "fps").get(resolution), options.get("frame_step", 1)
    if not _whole(fps, MOST_FPS):
        raise BadSheet(f"options: fps wants a whole number for {resolution}")
    if not _whole(step, MOST_FPS):
        raise BadSheet("options: frame_step wants a whole number from 1 on")
    wanted = applied.seconds * fps
    frames = wanted if step == 1 else -(-(wanted - 1) // step) * step + 1
    return Shape(size[0], size[1], fps, frames)


def check_shapes(where: str, options: Mapping[str, Any], can: Capabilities) -> None:
    """Raise BadSheet, which names ``where``, unless every clip that the model can make has its numbers."""
    for resolution in (*can.resolutions, *can.extend_resolutions):
        for aspect in can.aspects:
            any_clip = Applied(can.name, can.default_model, "", "", aspect, resolution, can.seconds[0], 0, can.audio)
            try:
                shape_of(options, any_clip)
            except BadSheet as wrong:
                raise BadSheet(f"{where}: {wrong}") from None


def check_options(where: str, options: Mapping[str, Any]) -> None:
    """Raise BadSheet, which names ``where``, for what goes along with an order and is of a strange kind."""
    if "steps" in options and not _whole(options["steps"], MOST_STEPS):
        raise BadSheet(f"{where}: steps wants a whole number from 1 to {MOST_STEPS}")
    if type(options.get("guidance_scale", 0)) not in (int, Decimal):
        raise BadSheet(f"{where}: guidance_scale wants a number")
    if not isinstance(options.get("params", {}), Mapping):
        raise BadSheet(f"{where}: params wants a table")


def _table(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = table.get(key)
    return found if isinstance(found, Mapping) else {}


def _whole(value: object, most: int) -> TypeGuard[int]:
    return type(value) is int and 1 <= value <= most


async def served(line: Line, model: str, what: str) -> str:
    """Say that the server at the other end has ``model``; raises what is wrong, and says which setting mends it.

    ``GET /v1/models`` has the shape that OpenAI gave it, which LocalAI has too.
    """
    try:
        answer = await line.ask("GET", "/v1/models", passes=(404, 405))
    except CredentialsRejected as error:
        raise CredentialsRejected("the server does not take LONGCAT_API_KEY", **error.facts) from None
    rows = answer.data.get("data") if answer.status == 200 and isinstance(answer.data, Mapping) else None
    if not isinstance(rows, list):
        raise InvalidRequest(f"nobody at LONGCAT_VIDEO_ENDPOINT speaks {what}", status=answer.status)
    names = [row.get("id") for row in rows if isinstance(row, Mapping)]
    if model not in names:
        raise ModelRetired(f"the server does not have {model}: set LONGCAT_MODEL to one that it has", models=len(names))
    return f"the server has {model}"


def seen_from(root: str, can: Capabilities) -> Capabilities:
    """The same generator, of which nobody outside gets anything where its server is on this machine."""
    host = urlsplit(root).hostname or ""
    try:
        here = ip_address(host).is_loopback
    except ValueError:
        here = host == "localhost"
    if not here:
        return can
    return replace(can, company=None, others=tuple(replace(each, company=None) for each in can.others))
