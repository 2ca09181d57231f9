"""How a model on Replicate takes a wish, as data: the ``options`` of its sheet. Every model there has inputs of its own making.

::

    [models.options]
    version = "8a2539bd…"                       # only for a model that cannot be run by its name
    output = "video"                            # where the clip's address stands, when the output is a table
    constants = { enhance_prompt = true }       # inputs that are always the same
    line = '{prompt} Somebody says: "{line}"'   # how a spoken line is put into the prompt
    leave_out = '{prompt} Without: {negative}'  # the same for what must not be seen, where no input takes it

    [models.options.input]                      # our field = the model's input
    prompt = "prompt"
    seconds = { name = "num_frames", values = { 4 = 97, 8 = 193 } }
    aspect_ratio = { name = "size", format = "ratio {}" }
    picture = { name = "images", list = true }

``shape`` is a field too: aspect and resolution in one text such as ``16:9 720p``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from core.capabilities import Applied, Capabilities
from providers.sheets import BadSheet, Model

FIELDS: Final = (
    "prompt",
    "negative_prompt",
    "seconds",
    "aspect_ratio",
    "resolution",
    "shape",
    "audio",
    "seed",
    "person_generation",
    "picture",
    "last_picture",
    "references",
)
OPTIONS: Final = {"version", "output", "constants", "line", "leave_out", "input"}
SLOT: Final = {"name", "values", "format", "most", "list"}
MODEL: Final = re.compile(r"[a-z0-9][a-z0-9_.-]*/[a-z0-9][a-z0-9_.-]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Slot:
    """One input of a model, and how a value of ours is said there."""

    name: str
    values: Mapping[str, Any] | None = None
    format: str = "{}"
    most: int | None = None
    """A seed is folded into 0..most."""
    list: bool = False

    def say(self, value: Any) -> Any:
        """The value in the model's own words. Raises KeyError when it has none for it."""
        if self.values is not None:
            value = self.values[_word(value)]
        elif self.format != "{}":
            value = self.format.replace("{}", _word(value))
        elif self.most is not None:
            value %= self.most + 1
        return [value] if self.list and not isinstance(value, list) else value


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True, slots=True)
class Inputs:
    """The options of one model, read and checked."""

    model: str
    slots: Mapping[str, Slot]
    constants: Mapping[str, Any] = field(default_factory=dict)
    version: str = ""
    output: str = ""
    line: str = ""
    leave_out: str = ""

    @property
    def path(self) -> str:
        """Where a prediction of this model is ordered."""
        return "/v1/predictions" if self.version else f"/v1/models/{self.model}/predictions"

    @property
    def described_at(self) -> str:
        """Where Replicate says that the model is there."""
        return f"/v1/models/{self.model}" + (f"/versions/{self.version}" if self.version else "")

    def fill(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The model's ``input``: what of ``values`` it takes, and its constants."""
        said = {
            self.slots[name].name: self.slots[name].say(value) for name, value in values.items() if name in self.slots
        }
        return {**self.constants, **said}

    def body(self, filled: Mapping[str, Any], webhook: str | None = None) -> dict[str, Any]:
        """The whole order. The webhook tells when it begins, which heals a lost answer, and when it ends."""
        body: dict[str, Any] = {"input": dict(filled)}
        if self.version:
            body["version"] = self.version
        if webhook is not None:
            body |= {"webhook": webhook, "webhook_events_filter": ["start", "completed"]}
        return body

    def address(self, output: Any) -> str | None:
        """Where the result is, in the output of a prediction; None when there is none."""
        for key in filter(None, self.output.split(".")):
            output = output.get(key) if isinstance(output, Mapping) else None
        if isinstance(output, list):
            output = output[0] if output else None
        return output if isinstance(output, str) and output else None


def values_of(applied: Applied) -> dict[str, Any]:
    """The fields of a clip that have a value, without its pictures."""
    values: dict[str, Any] = {
        "prompt": applied.prompt,
        "seconds": applied.seconds,
        "aspect_ratio": applied.aspect_ratio,
        "resolution": applied.resolution,
        "shape": f"{applied.aspect_ratio} {applied.resolution}",
        "audio": applied.audio,
        "seed": applied.seed,
    }
    if applied.negative_prompt:
        values["negative_prompt"] = applied.negative_prompt
    if applied.person_generation is not None:
        values["person_generation"] = applied.person_generation
    return values


def read_inputs(name: str, model: Model) -> Inputs:
    """The options of ``model`` in sheet ``name``. Raises BadSheet, naming the file, the model and the key."""
    where = f"{name}.toml, model {model.id}"
    options: Mapping[str, Any] = _plain(model.options)
    unknown = set(options) - OPTIONS
    if unknown:
        raise BadSheet(f"{where}: options.{min(unknown)} is unknown; they take {', '.join(sorted(OPTIONS))}")
    if not MODEL.fullmatch(model.id):
        raise BadSheet(f"{where}: an id on Replicate is owner/name; a version goes into options.version")
    for key in OPTIONS - {"input", "constants"}:
        if not isinstance(options.get(key, ""), str):
            raise BadSheet(f"{where}: options.{key} wants a text")
    if not isinstance(options.get("constants", {}), Mapping):
        raise BadSheet(f"{where}: options.constants wants a table")
    table = options.get("input")
    if not isinstance(table, Mapping) or "prompt" not in table or not set(table) <= set(FIELDS):
        raise BadSheet(f"{where}: options.input wants a table with prompt and any of {', '.join(FIELDS[1:])}")
    slots = {key: _slot(f"{where}: options.input.{key}", value) for key, value in table.items()}
    return Inputs(model.id, slots, **{key: value for key, value in options.items() if key != "input"})


def _plain(value: Any) -> Any:
    """The same as JSON can say it: a sheet's fractions are exact for the sake of its prices."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return float(value) if isinstance(value, Decimal) else value


def _slot(where: str, table: Any) -> Slot:
    if isinstance(table, str) and table:
        return Slot(table)
    if not isinstance(table, Mapping) or not isinstance(table.get("name"), str) or not set(table) <= SLOT:
        raise BadSheet(f"{where} wants the input's name, or a table of {', '.join(sorted(SLOT))}")
    slot = Slot(**table)
    kinds = ((slot.values, Mapping | None), (slot.format, str), (slot.most, int | None), (slot.list, bool))
    if not all(isinstance(value, kind) for value, kind in kinds) or "{}" not in slot.format:
        raise BadSheet(f"{where} wants values as a table, format as a text with {{}}, most as a number, list as true")
    return slot


def check_inputs(name: str, inputs: Inputs, can: Capabilities) -> None:
    """Raise BadSheet when the sheet promises something that no input takes, or a value that an input has no word for."""
    where = f"{name}.toml, model {inputs.model}"
    shape = "shape" in inputs.slots
    promised = (
        (can.negative_prompt and not can.folds_negative, "negative_prompt", "negative_prompt = false"),
        (can.seed, "seed", "seed = false"),
        (can.audio_switch, "audio", "audio_switch = false"),
        (can.image, "picture", "image = false"),
        (can.last_frame, "last_picture", "last_frame = false"),
        (can.reference_images > 0, "references", "reference_images = 0"),
        (bool(can.person_generation), "person_generation", "person_generation = []"),
        (len(can.seconds) > 1, "seconds", "one value of seconds"),
        (can.text and len(can.aspects) > 1 and not shape, "aspect_ratio", "one value of aspects"),
        (len(can.resolutions) > 1 and not shape, "resolution", "one value of resolutions"),
    )
    for is_promised, key, instead in promised:
        if is_promised and key not in inputs.slots:
            raise BadSheet(f"{where}: options.input has no {key}; name the model's input, or say {instead}")
    for is_promised, key, template, words in (
        (can.speech, "line", inputs.line, ("{prompt}", "{line}")),
        (can.folds_negative, "leave_out", inputs.leave_out, ("{prompt}", "{negative}")),
    ):
        if is_promised and not all(word in template for word in words):
            raise BadSheet(f"{where}: options.{key} wants a text with {' and '.join(words)}")
    if can.extend:
        raise BadSheet(f"{where}: extend is not possible on Replicate; a clip goes on from its last picture")
    legal: Mapping[str, tuple[Any, ...]] = {
        "seconds": can.seconds,
        "aspect_ratio": can.aspects,
        "resolution": can.resolutions,
        "shape": tuple(f"{aspect} {size}" for aspect in can.aspects for size in can.resolutions),
        "audio": (True, False),
        "person_generation": can.person_generation,
    }
    for key, every in legal.items():
        for value in every if key in inputs.slots else ():
            if (known := inputs.slots[key].values) is not None and _word(value) not in known:
                raise BadSheet(f"{where}: options.input.{key}.values has no {_word(value)}")
