"""What is known of each generator's models, as data: ``providers/models/NAME.toml``, which an operator's own file goes before.

A model that an operator writes into ``models/NAME.toml`` of the data folder replaces the one of the same id, or joins the others. Prices
are in US dollars, with the page on which they were read and the day.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, get_type_hints

from core.capabilities import Adjust, Applied, Capabilities, PictureLimits
from core.money import Price, Rate

FOLDER: Final = Path(__file__).parent / "models"
OWN: Final = {"id", "price", "options", "adjusts", "pictures", "like"}
"""Keys of a model that are no field of ``Capabilities``."""
GIVEN: Final = {"name", "models", "others", "unpaid", "adjusts", "pictures"}
"""Fields of ``Capabilities`` that are not written into a sheet."""
PRICE: Final = {"per_second", "per_second_silent", "flat", "source", "seen_on"}
SHEET_BYTES: Final = 1 << 20
ID: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._:@/-]{0,199}", re.ASCII)
TITLE: Final = 80
ASPECT: Final = re.compile(r"[1-9]\d?:[1-9]\d?", re.ASCII)
MIMES: Final = ("image/png", "image/jpeg")
PROGRESS: Final = ("fraction", "elapsed")
ADJUSTED: Final = {"aspect_ratio": "aspects", "resolution": "resolutions", "seconds": "seconds"}
"""What an adjustment may force, and the key of its legal values."""
BOUNDS: Final[Mapping[str, tuple[float, float]]] = {
    "seconds": (1, 3600),
    "extend_seconds": (1, 3600),
    "reference_images": (0, 100),
    "usual_seconds": (0.1, 86_400),
    "maximum_seconds": (0.1, 604_800),
    "poll_seconds": (0.01, 3600),
    "most_active": (1, 10_000),
}
SIDES: Final = (64, 16_384)
PICTURE_BYTES: Final = (10_000, 100_000_000)


class BadSheet(ValueError):
    """What an operator wrote cannot be used; the text names the file, the model and the key, and says what it wants. Raised at start only.

    ``setting``: the one to look at where it is no sheet.
    """

    def __init__(self, text: str, *, setting: str | None = None) -> None:
        """``text`` is one sentence."""
        super().__init__(text)
        self.setting = setting


@dataclass(frozen=True, slots=True)
class Model:
    """One model: what it can do, what it costs, and ``options`` that only its generator understands."""

    id: str
    capabilities: Capabilities
    rate: Rate
    options: Mapping[str, Any] = field(default_factory=dict)

    def price(self, applied: Applied) -> Price:
        """The price of a clip, rounded up to a whole credit."""
        return Price(self.rate.credits(resolution=applied.resolution, audio=applied.audio, seconds=applied.seconds))


@dataclass(frozen=True, slots=True)
class Sheet:
    """All models of one generator, the default one first."""

    models: tuple[Model, ...]
    assumed: str = ""
    """Id of the default model when nothing is known of it but that it was named: it then counts as like the first one known."""

    @property
    def capabilities(self) -> Capabilities:
        """What the default model can do, with the others beside it."""
        first, *rest = (each.capabilities for each in self.models)
        names = tuple(each.id for each in self.models)
        others = tuple(
            replace(each, models=(each.default_model, *(n for n in names if n != each.default_model))) for each in rest
        )
        return replace(first, models=names, others=others)

    def model(self, applied: Applied) -> Model:
        """The model of a clip; the default one where the clip names one that is no longer known."""
        return next((each for each in self.models if each.id == applied.model), self.models[0])

    def price(self, applied: Applied) -> Price:
        """The price of a clip."""
        return self.model(applied).price(applied)


def read_sheet(name: str, *, default: str | None = None, own: Path | None = None, guess: bool = True) -> Sheet:
    """Return the models of generator ``name``; ``default`` is the configured model's id, ``own`` the data folder.

    Of a default that no sheet knows the first model's limits and prices are assumed, unless ``guess`` is false. Raises BadSheet.
    """
    tables = _tables(FOLDER / f"{name}.toml", name)
    mine = [] if own is None else _tables(own / "models" / f"{name}.toml", f"models/{name}", if_there=True)
    theirs = {table["id"] for table in mine}
    models = [
        _model(name, table, f"models/{name}" if table["id"] in theirs else name)
        for table in _joined(name, tables, mine)
    ]
    if default is None:
        return Sheet(tuple(models))
    first = next((each for each in models if each.id == default), None)
    if first is not None:
        return Sheet((first, *(each for each in models if each is not first)))
    if not guess:
        known = " or ".join(each.id for each in models)
        raise BadSheet(
            f"nothing is known of the model {default}: name {known}, or describe it in models/{name}.toml of the data folder"
        )
    like = replace(models[0], id=default, capabilities=replace(models[0].capabilities, models=(default,)))
    return Sheet((like, *models), assumed=default)


def _joined(name: str, shipped: list[dict[str, Any]], mine: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The operator's models where they stand in ours, new ones behind; ``like`` takes over what a new one does not say."""
    by_id = {table["id"]: table for table in shipped}
    merged = dict(by_id)
    for table in mine:
        like = table.get("like", table["id"])
        if "like" in table and (not isinstance(like, str) or like not in by_id):
            raise BadSheet(f"models/{name}.toml, model {table['id']}: like wants {' or '.join(by_id)}")
        base = by_id.get(like, {})
        merged[table["id"]] = {**base, **{key: value for key, value in table.items() if key != "like"}}
    return list(merged.values())


def _tables(path: Path, name: str, *, if_there: bool = False) -> list[dict[str, Any]]:
    try:
        with path.open("rb") as file:
            written = file.read(SHEET_BYTES + 1)
    except OSError as error:
        if if_there and isinstance(error, FileNotFoundError):
            return []
        raise BadSheet(f"{name}.toml cannot be read: {error.strerror or type(error).__name__}") from None
    if len(written) > SHEET_BYTES:
        raise BadSheet(f"{name}.toml is larger than a megabyte: it wants a few [[models]] tables")
    try:
        data = tomllib.loads(written.decode("utf-8-sig"), parse_float=Decimal)
    except UnicodeDecodeError as error:
        raise BadSheet(f"{name}.toml cannot be read: it is not UTF-8 at byte {error.start}") from None
    except (ValueError, ArithmeticError) as error:
        raise BadSheet(f"{name}.toml cannot be read: {str(error)[:200] or type(error).__name__}") from None
    except RecursionError:
        raise BadSheet(f"{name}.toml cannot be read: it is nested too deeply") from None
    tables = data.get("models")
    if set(data) != {"models"} or not isinstance(tables, list) or not tables:
        raise BadSheet(f"{name}.toml wants [[models]] tables and nothing beside them")
    seen: set[str] = set()
    for table in tables:
        if not isinstance(table, dict):
            raise BadSheet(f"{name}.toml wants [[models]] tables and nothing beside them")
        known = table.get("id")
        if not isinstance(known, str) or not ID.fullmatch(known):
            raise BadSheet(f"{name}.toml: every model wants an id, of letters, digits and . _ : @ / -")
        if known in seen:
            raise BadSheet(f"{name}.toml: two models have the id {known}")
        seen.add(known)
    return tables


def _model(name: str, table: Mapping[str, Any], file: str) -> Model:
    where = f"{file}.toml, model {table['id']}"
    legal = {each.name for each in fields(Capabilities)} - GIVEN
    unknown = set(table) - legal - OWN
    if unknown:
        raise BadSheet(f"{where}: {min(unknown)[:80]} is unknown; it takes {', '.join(sorted(legal | OWN))}")
    rate = _rate(where, table.get("price", {}))
    said = {key: _typed(where, key, table[key]) for key in sorted(legal & set(table))}
    if "title" not in said:
        raise BadSheet(f"{where}: title is missing")
    said.setdefault("company", None)
    capabilities = Capabilities(
        name=name,
        models=(table["id"],),
        pictures=_pictures(where, table.get("pictures", {})),
        unpaid=not _costs(rate),
        **said,
    )
    _complete(where, capabilities, rate)
    adjusts = table.get("adjusts", [])
    if not isinstance(adjusts, list):
        raise BadSheet(f"{where}: adjusts wants tables of field, value, forces and to")
    capabilities = replace(capabilities, adjusts=tuple(_adjust(where, capabilities, each) for each in adjusts))
    options = table.get("options", {})
    if not isinstance(options, Mapping):
        raise BadSheet(f"{where}: options wants a table")
    _said_in_json(f"{where}: options", options)
    return Model(table["id"], capabilities, rate, options)


def _said_in_json(where: str, value: Any) -> None:
    """Raise BadSheet for what JSON has no word for: dates, times, and numbers that are none."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            _said_in_json(f"{where}.{key[:80]}", each)
    elif isinstance(value, list):
        for each in value:
            _said_in_json(where, each)
    elif isinstance(value, Decimal):
        if not math.isfinite(value) or not math.isfinite(float(value)):
            raise BadSheet(f"{where} wants a number that is finite")
    elif not isinstance(value, str | int):
        raise BadSheet(f"{where} wants a text or a number, no {type(value).__name__}: put it in quotes")


def plain(value: Any) -> Any:
    """A part of ``options`` as it goes into JSON: broken numbers as floats."""
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return float(value) if isinstance(value, Decimal) else value


HINTS: Final = get_type_hints(Capabilities)


def _typed(where: str, key: str, value: Any) -> Any:
    """A value as ``Capabilities`` has it. Raises BadSheet naming what is wanted."""
    found = _of_kind(where, key, value)
    if key in BOUNDS:
        least, most = BOUNDS[key]
        if not all(least <= each <= most for each in (found if isinstance(found, tuple) else (found,))):
            raise BadSheet(
                f"{where}: {key} wants {'numbers' if isinstance(found, tuple) else 'a number'} from {least:g} to {most:g}"
            )
    if key == "poll_seconds" and found[0] > found[1]:
        raise BadSheet(f"{where}: poll_seconds wants the shortest wait before the longest")
    if key == "progress" and found not in PROGRESS:
        raise BadSheet(f"{where}: progress wants {' or '.join(PROGRESS)}")
    if key == "aspects" and not all(map(ASPECT.fullmatch, found)):
        raise BadSheet(f'{where}: aspects wants texts such as "16:9"')
    texts = found if isinstance(found, tuple) else (found,)
    if any(isinstance(each, str) and not (0 < len(each) <= TITLE and each.isprintable()) for each in texts):
        raise BadSheet(f"{where}: {key} wants a text of at most {TITLE} characters on one line")
    if isinstance(found, tuple) and key != "poll_seconds" and len(set(found)) != len(found):
        raise BadSheet(f"{where}: {key} has something twice")
    return found


def _of_kind(where: str, key: str, value: Any) -> Any:
    hint = HINTS[key]
    if hint == tuple[str, ...] or hint == tuple[int, ...]:
        kind = str if hint == tuple[str, ...] else int
        if not isinstance(value, list) or not all(type(each) is kind for each in value):
            raise BadSheet(f"{where}: {key} wants a list of {'texts' if kind is str else 'whole numbers'}")
        return tuple(value)
    if hint == tuple[float, float]:
        if not isinstance(value, list) or len(value) != 2 or not all(map(_is_number, value)):
            raise BadSheet(f"{where}: {key} wants two numbers")
        return tuple(float(each) for each in value)
    if hint is float:
        if not _is_number(value):
            raise BadSheet(f"{where}: {key} wants a number")
        return float(value)
    wants = {bool: (bool,), int: (int,)}.get(hint, (str,))
    if type(value) not in wants:
        raise BadSheet(
            f"{where}: {key} wants {'true or false' if hint is bool else 'a whole number' if hint is int else 'a text'}"
        )
    return value


def _is_number(value: Any) -> bool:
    """A finite one. Comparing a Decimal that is none raises."""
    return type(value) is int or (isinstance(value, Decimal) and value.is_finite() and math.isfinite(float(value)))


def _adjust(where: str, can: Capabilities, table: Any) -> Adjust:
    if not isinstance(table, Mapping) or set(table) != {"field", "value", "forces", "to"}:
        raise BadSheet(f"{where}: adjusts wants tables of field, value, forces and to")
    field, forces = table["field"], table["forces"]
    if field not in (*ADJUSTED, "references") or forces not in ADJUSTED:
        raise BadSheet(
            f"{where}: adjusts wants as field and forces {', '.join(ADJUSTED)}; field may be references, too"
        )
    if table["to"] not in getattr(can, ADJUSTED[forces]):
        raise BadSheet(f"{where}: adjusts forces {forces} to what is not among {ADJUSTED[forces]}")
    if table["value"] not in ((0, 1) if field == "references" else getattr(can, ADJUSTED[field])):
        raise BadSheet(f"{where}: adjusts has a value of {field} that it does not take")
    return Adjust(field, table["value"], forces, table["to"])


def _pictures(where: str, table: Any) -> PictureLimits:
    if not isinstance(table, Mapping) or not set(table) <= {"bytes", "side", "mimes"}:
        raise BadSheet(f"{where}: pictures wants bytes, side and mimes")
    for key, (least, most) in (("bytes", PICTURE_BYTES), ("side", SIDES)):
        value = table.get(key, least)
        if type(value) is not int or not least <= value <= most:
            raise BadSheet(f"{where}: pictures.{key} wants a whole number from {least} to {most}")
    mimes = table.get("mimes", list(MIMES))
    if not isinstance(mimes, list) or not mimes or not all(each in MIMES for each in mimes):
        raise BadSheet(f"{where}: pictures.mimes wants {' or '.join(MIMES)}, or both")
    return PictureLimits(**{**table, "mimes": tuple(mimes)})


def _rate(where: str, table: Any) -> Rate:
    if not isinstance(table, Mapping) or not set(table) <= PRICE:
        raise BadSheet(f"{where}: price takes {', '.join(sorted(PRICE))}")
    loud, silent = table.get("per_second", {}), table.get("per_second_silent")
    for key, prices in (("per_second", loud), ("per_second_silent", {} if silent is None else silent)):
        if not isinstance(prices, Mapping):
            raise BadSheet(f"{where}: price.{key} wants a table of resolutions and US dollars")
    rows = {(resolution, True): _usd(where, usd) for resolution, usd in loud.items()}
    rows |= {(resolution, False): _usd(where, usd) for resolution, usd in (loud if silent is None else silent).items()}
    flat = _usd(where, table["flat"]) if "flat" in table else None
    if flat is not None and rows:
        raise BadSheet(f"{where}: price is flat or per_second, not both")
    seen_on = table.get("seen_on", "")
    return Rate(per_second=rows or None, flat=flat, source=str(table.get("source", "")), seen_on=str(seen_on))


def _usd(where: str, value: Any) -> Decimal:
    if not _is_number(value) or not 0 <= value <= 1000:
        raise BadSheet(f"{where}: a price is a number of US dollars from 0 to 1000")
    return Decimal(value)


def _costs(rate: Rate) -> bool:
    return bool(rate.flat) or any((rate.per_second or {}).values())


def _complete(where: str, can: Capabilities, rate: Rate) -> None:
    if not (can.seconds and can.aspects and can.resolutions):
        raise BadSheet(f"{where}: seconds, aspects and resolutions each want at least one value")
    if not (can.text or can.image or can.reference_images):
        raise BadSheet(f"{where}: text and image are both false, so nothing can be made")
    if can.usual_seconds > can.maximum_seconds:
        raise BadSheet(f"{where}: usual_seconds is above maximum_seconds")
    if rate.per_second is None:
        return
    for resolution in (*can.resolutions, *can.extend_resolutions):
        for audio in {can.audio, can.audio and not can.audio_switch}:
            if (resolution, audio) not in rate.per_second:
                raise BadSheet(f"{where}: price.per_second has no {resolution}")
