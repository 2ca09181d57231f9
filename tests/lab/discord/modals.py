"""Modals: what one may be built of, and what somebody sends back (components/reference.mdx)."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Final

from tests.lab.discord.layout import INPUT, ROW, SELECTS, TEXT, walk
from tests.lab.discord.refusal import wrong

Json = dict[str, Any]
LABEL, UPLOAD, RADIO, CHECKS, CHECK = 18, 19, 21, 22, 23
MOST: Final = 5
LISTS: Final = frozenset({UPLOAD, CHECKS, *SELECTS})


class CannotSubmit(Exception):
    """Discord's client would not let the person send this; the text names the field."""


def check(data: Json) -> None:
    """What the OpenAPI document lets pass. Raises 50035."""
    components = data["components"]
    if len(components) > MOST:
        raise wrong("data.components", f"a modal has at most {MOST} components", "BASE_TYPE_MAX_LENGTH")
    fields = entries(components)
    names = [each["custom_id"] for each in fields]
    if len(set(names)) < len(names):
        raise wrong("data.components", "a custom_id is there twice", "COMPONENT_CUSTOM_ID_DUPLICATED")
    for number, component in enumerate(components):
        if component["type"] == ROW and any(child["type"] != INPUT for child in component["components"]):
            raise wrong(f"data.components.{number}", "a row of a modal holds one text input", "UNION_TYPE_CHOICES")
        inside = component.get("component", {})
        if inside.get("type") == INPUT and inside.get("label"):
            raise wrong(f"data.components.{number}.component.label", "the label stands outside", "BASE_TYPE_BAD")
    for each in fields:
        least, most = each.get("min_length") or 0, each.get("max_length") or 4000
        text = each.get("value") or ""
        if each["type"] == INPUT and (least > most or (text and not least <= len(text) <= most)):
            raise wrong("data.components", f"{each['custom_id']}: lengths and value contradict", "BASE_TYPE_BAD_LENGTH")
        if (each.get("min_values") or 0) > (each.get("max_values") or 25 if each["type"] in LISTS else 1):
            raise wrong("data.components", f"{each['custom_id']}: min_values above max_values", "BASE_TYPE_BAD")


def entries(components: Sequence[Json]) -> list[Json]:
    """The fields that can be filled in."""
    return [each for _, each in walk(components) if "custom_id" in each]


def numbered(data: Json) -> Json:
    """The modal with an id on every component, as the client gets it."""
    modal = copy.deepcopy(data)
    for number, (_, each) in enumerate(walk(modal["components"]), 1):
        each["id"] = each.get("id") or number
    return modal


def label(modal: Json, custom_id: str) -> str:
    """What stands above a field."""
    for _, each in walk(modal["components"]):
        inside = each.get("component") or (each.get("components") or [{}])[0]
        if inside.get("custom_id") == custom_id:
            return str(each.get("label") or inside.get("label") or "")
    raise CannotSubmit(f"there is no field {custom_id!r}")


def filled(modal: Json, values: Mapping[str, Any]) -> list[Json]:
    """What the client sends for ``values``, by custom_id or by label; fields not named keep what they were prefilled with.

    File uploads take lists of attachment ids. Raises CannotSubmit.
    """
    fields = entries(modal["components"])
    by_name = {each["custom_id"]: each for each in fields} | {label(modal, e["custom_id"]): e for e in fields}
    strange = [name for name in values if name not in by_name]
    if strange:
        raise CannotSubmit(f"the modal has no field {strange[0]!r}; it has {sorted(by_name)}")
    given = {by_name[name]["custom_id"]: value for name, value in values.items()}
    return [_component(each, given) for each in modal["components"]]


def _component(each: Json, given: Mapping[str, Any]) -> Json:
    said: Json = {"type": each["type"], "id": each["id"]}
    if each["type"] == TEXT:
        return said
    if each["type"] == ROW:
        return said | {"components": [_field(child, given) for child in each["components"]]}
    return said | {"component": _field(each["component"], given)}


def _field(each: Json, given: Mapping[str, Any]) -> Json:
    kind, name = each["type"], each["custom_id"]
    said: Json = {"type": kind, "id": each["id"], "custom_id": name}
    required = each.get("required") is not False
    if kind == INPUT:
        value = str(given.get(name, each.get("value") or ""))
        _need(name, required and not value, "is required")
        _need(name, bool(value) and len(value) < (each.get("min_length") or 0), "is too short")
        _need(name, len(value) > (each.get("max_length") or 4000), "is too long")
        return said | {"value": value}
    if kind == CHECK:
        return said | {"value": bool(given.get(name, each.get("default")))}
    preset = [option["value"] for option in each.get("options") or () if option.get("default")]
    chosen = given.get(name, preset)
    values = [chosen] if isinstance(chosen, str) else list(chosen or ())
    legal = {option["value"] for option in each.get("options") or ()}
    _need(name, bool(legal) and not set(values) <= legal, f"has only {sorted(legal)}")
    _need(name, required and not values, "is required")
    if kind == RADIO:
        return said | {"value": values[0] if values else None}
    least, most = each.get("min_values"), each.get("max_values") or (len(legal) if kind == CHECKS else 1)
    _need(name, len(values) > most, f"takes at most {most}")
    _need(name, bool(values) and len(values) < (1 if least is None else least), f"takes at least {least}")
    return said | {"values": values}


def _need(name: str, fault: bool, why: str) -> None:
    if fault:
        raise CannotSubmit(f"{name} {why}")
