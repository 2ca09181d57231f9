"""What is known of each generator's models, as data: ``providers/models/NAME.toml``, which an operator's own file goes before.

A model that an operator writes into ``models/NAME.toml`` of the data folder replaces the one of the same id, or joins the others. Prices
are in US dollars, with the page on which they were read and the day.
"""

from __future__ import annotations

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


class BadSheet(ValueError):
    """A sheet cannot be used; the text names the file, the model and the key, and says what it wants. Raised at start only."""


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
    mine: list[dict[str, Any]] = []
    if own is not None and (own / "models" / f"{name}.toml").is_file():
        mine = _tables(own / "models" / f"{name}.toml", f"models/{name}")
    theirs = {table["id"] for table in mine}
    models = [
        _model(name, table, f"models/{name}" if table["id"] in theirs else name) for table in _joined(tables, mine)
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


def _joined(shipped: list[dict[str, Any]], mine: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The operator's models where they stand in ours, new ones behind; ``like`` takes over what a new one does not say."""
    by_id = {table["id"]: table for table in shipped}
    merged = dict(by_id)
    for table in mine:
        base = by_id.get(table.get("like", table["id"]), {})
        merged[table["id"]] = {**base, **{key: value for key, value in table.items() if key != "like"}}
    return list(merged.values())


def _tables(path: Path, name: str) -> list[dict[str, Any]]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, ValueError) as error:
        raise BadSheet(f"{name}.toml cannot be read: {error}") from None
    tables = data.get("models")
    if set(data) != {"models"} or not isinstance(tables, list) or not tables:
        raise BadSheet(f"{name}.toml wants [[models]] tables and nothing beside them")
    for table in tables:
        if not isinstance(table.get("id"), str) or not table["id"]:
            raise BadSheet(f"{name}.toml: every model wants an id")
    return tables


def _model(name: str, table: Mapping[str, Any], file: str) -> Model:
    where = f"{file}.toml, model {table['id']}"
    legal = {each.name for each in fields(Capabilities)} - GIVEN
    unknown = set(table) - legal - OWN
    if unknown:
        raise BadSheet(f"{where}: {min(unknown)} is unknown; it takes {', '.join(sorted(legal | OWN))}")
    rate = _rate(where, table.get("price", {}))
    said = {key: _typed(where, key, table[key]) for key in legal & set(table)}
    if "title" not in said:
        raise BadSheet(f"{where}: title is missing")
    said.setdefault("company", None)
    capabilities = Capabilities(
        name=name,
        models=(table["id"],),
        adjusts=tuple(_adjust(where, each) for each in table.get("adjusts", [])),
        pictures=_pictures(where, table.get("pictures", {})),
        unpaid=not _costs(rate),
        **said,
    )
    _complete(where, capabilities, rate)
    options = table.get("options", {})
    if not isinstance(options, Mapping):
        raise BadSheet(f"{where}: options wants a table")
    return Model(table["id"], capabilities, rate, options)


HINTS: Final = get_type_hints(Capabilities)


def _typed(where: str, key: str, value: Any) -> Any:
    """A value as ``Capabilities`` has it. Raises BadSheet naming what is wanted."""
    hint = HINTS[key]
    wants: tuple[type, ...] = (bool,)
    if hint == tuple[str, ...] or hint == tuple[int, ...]:
        kind = str if hint == tuple[str, ...] else int
        if not isinstance(value, list) or not all(type(each) is kind for each in value):
            raise BadSheet(f"{where}: {key} wants a list of {'texts' if kind is str else 'whole numbers'}")
        return tuple(value)
    if hint == tuple[float, float]:
        if not isinstance(value, list) or len(value) != 2:
            raise BadSheet(f"{where}: {key} wants two numbers")
        return tuple(float(each) for each in value)
    if hint is float:
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise BadSheet(f"{where}: {key} wants a number")
        return float(value)
    wants = {bool: (bool,), int: (int,)}.get(hint, (str,))
    if type(value) not in wants:
        raise BadSheet(
            f"{where}: {key} wants {'true or false' if hint is bool else 'a whole number' if hint is int else 'a text'}"
        )
    return value


def _adjust(where: str, table: Any) -> Adjust:
    if not isinstance(table, Mapping) or set(table) != {"field", "value", "forces", "to"}:
        raise BadSheet(f"{where}: adjusts wants tables of field, value, forces and to")
    return Adjust(table["field"], table["value"], table["forces"], table["to"])


def _pictures(where: str, table: Any) -> PictureLimits:
    if not isinstance(table, Mapping) or not set(table) <= {"bytes", "side", "mimes"}:
        raise BadSheet(f"{where}: pictures wants bytes, side and mimes")
    said = dict(table)
    if "mimes" in said:
        said["mimes"] = tuple(said["mimes"])
    return PictureLimits(**said)


def _rate(where: str, table: Any) -> Rate:
    if not isinstance(table, Mapping) or not set(table) <= PRICE:
        raise BadSheet(f"{where}: price takes {', '.join(sorted(PRICE))}")
    loud, silent = table.get("per_second", {}), table.get("per_second_silent")
    rows = {(resolution, True): _usd(where, usd) for resolution, usd in loud.items()}
    rows |= {(resolution, False): _usd(where, usd) for resolution, usd in (loud if silent is None else silent).items()}
    flat = _usd(where, table["flat"]) if "flat" in table else None
    if flat is not None and rows:
        raise BadSheet(f"{where}: price is flat or per_second, not both")
    seen_on = table.get("seen_on", "")
    return Rate(per_second=rows or None, flat=flat, source=str(table.get("source", "")), seen_on=str(seen_on))


def _usd(where: str, value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not 0 <= value <= 1000:
        raise BadSheet(f"{where}: a price is a number of US dollars from 0 to 1000")
    return Decimal(value)


def _costs(rate: Rate) -> bool:
    return bool(rate.flat) or any((rate.per_second or {}).values())


def _complete(where: str, can: Capabilities, rate: Rate) -> None:
    if not (can.seconds and can.aspects and can.resolutions):
        raise BadSheet(f"{where}: seconds, aspects and resolutions each want at least one value")
    if rate.per_second is None:
        return
    for resolution in (*can.resolutions, *can.extend_resolutions):
        for audio in {can.audio, can.audio and not can.audio_switch}:
            if (resolution, audio) not in rate.per_second:
                raise BadSheet(f"{where}: price.per_second has no {resolution}")
