"""The sheets of models: ours can be read, an operator's goes before them, and whatever is wrong in one is named."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from core.capabilities import Applied, fit
from core.requests import Wanted
from providers.sheets import FOLDER, BadSheet, read_sheet

SHEETS = sorted(path.stem for path in FOLDER.glob("*.toml"))
GOOD = """
[[models]]
id = "m-1"
title = "M"
aspects = ["16:9"]
resolutions = ["720p"]
seconds = [4, 8]
price = { per_second = { "720p" = 0.1 }, source = "https://example.org", seen_on = "2026-11-01" }
"""


def own(folder: Path, text: str, name: str = "veo") -> Path:
    (folder / "models").mkdir(exist_ok=True)
    (folder / "models" / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder


def applied(**changes: object) -> Applied:
    made, _ = fit(Wanted(prompt="x"), read_sheet("veo").capabilities, seed=1)
    return replace(made, **changes)  # type: ignore[arg-type] # fields by name


def test_the_first_model_is_the_default_and_the_named_one_goes_before_it(tmp_path: Path) -> None:
    shipped = read_sheet("veo")
    assert shipped.capabilities.models[0] == shipped.models[0].id
    folder = own(tmp_path, GOOD)
    sheet = read_sheet("veo", own=folder)
    assert sheet.capabilities.models == (*shipped.capabilities.models, "m-1")
    chosen = read_sheet("veo", default="m-1", own=folder)
    assert chosen.capabilities.models == ("m-1", *shipped.capabilities.models)
    assert chosen.capabilities.of_model(shipped.models[0].id).resolutions == shipped.models[0].capabilities.resolutions
    assert chosen.capabilities.seconds == (4, 8)
    assert chosen.assumed == ""


def test_each_model_has_its_own_limits_and_price(tmp_path: Path) -> None:
    sheet = read_sheet("veo", own=own(tmp_path, GOOD))
    can = sheet.capabilities
    made, _ = fit(Wanted(prompt="x", model="m-1", seconds=6), can, seed=1)
    assert (made.model, made.seconds) == ("m-1", 8)
    assert sheet.price(made).credits == 80
    first, _ = fit(Wanted(prompt="x", seconds=6), can, seed=1)
    assert (first.model, first.seconds) == (can.default_model, 6)
    assert sheet.price(replace(first, model="gone-since")).credits == sheet.price(first).credits


def test_an_operators_model_of_the_same_id_replaces_what_it_says(tmp_path: Path) -> None:
    first = read_sheet("veo").models[0]
    text = f'[[models]]\nid = "{first.id}"\nusual_seconds = 7\nprice = {{ flat = 0.5 }}\n'
    found = read_sheet("veo", own=own(tmp_path, text)).models[0]
    assert found.capabilities == replace(first.capabilities, usual_seconds=7.0)
    assert found.rate.flat == Decimal("0.5")
    assert found.price(applied()).credits == 50


def test_a_model_may_be_like_another_one(tmp_path: Path) -> None:
    first = read_sheet("veo").models[0]
    text = f'[[models]]\nid = "veo-9"\nlike = "{first.id}"\ntitle = "Veo 9"\n'
    found = read_sheet("veo", default="veo-9", own=own(tmp_path, text)).models[0]
    assert found.capabilities == replace(first.capabilities, title="Veo 9", models=("veo-9",))
    assert found.rate == first.rate


def test_of_a_model_that_is_only_named_the_first_ones_facts_are_assumed() -> None:
    sheet = read_sheet("veo", default="veo-77")
    assert sheet.assumed == "veo-77"
    assert sheet.capabilities.models[0] == "veo-77"
    assert sheet.price(applied(model="veo-77")) == sheet.price(applied())
    with pytest.raises(
        BadSheet, match=r"nothing is known of the model veo-77: name .* or describe it in models/veo\.toml"
    ):
        read_sheet("veo", default="veo-77", guess=False)


def test_a_free_model_is_unpaid_and_a_price_makes_it_paid(tmp_path: Path) -> None:
    free = GOOD.replace("0.1 }", "0 }")
    assert read_sheet("veo", default="m-1", own=own(tmp_path, free)).capabilities.unpaid
    assert not read_sheet("veo", default="m-1", own=own(tmp_path, GOOD)).capabilities.unpaid


@pytest.mark.parametrize(
    "old, new, said",
    [
        ("[[models]]", "[[model]]", "wants [[models]] tables"),
        ("[[models]]", "x = 1\n[[models]]", "wants [[models]] tables"),
        ('id = "m-1"', "id = 7", "every model wants an id"),
        ('id = "m-1"', 'id = ""', "every model wants an id"),
        ('title = "M"', "", "model m-1: title is missing"),
        ('title = "M"', "title = 7", "title wants a text"),
        ('title = "M"', 'title = "M"\ntitel = "M"', "titel is unknown; it takes adjusts, aspects,"),
        ('title = "M"', 'title = "M"\nunpaid = true', "unpaid is unknown"),
        ('title = "M"', 'title = "M"\ncancel = 1', "cancel wants true or false"),
        ('title = "M"', 'title = "M"\nmost_active = true', "most_active wants a whole number"),
        ('title = "M"', 'title = "M"\nusual_seconds = "long"', "usual_seconds wants a number"),
        ('title = "M"', 'title = "M"\npoll_seconds = 3', "poll_seconds wants two numbers"),
        ('title = "M"', 'title = "M"\noptions = 3', "options wants a table"),
        ('title = "M"', 'title = "M"\nadjusts = [{ field = "seconds" }]', "adjusts wants tables of field, value"),
        ('title = "M"', 'title = "M"\npictures = { bites = 3 }', "pictures wants bytes, side and mimes"),
        ("[4, 8]", '[4, "8"]', "seconds wants a list of whole numbers"),
        ("[4, 8]", "[]", "each want at least one value"),
        ('["16:9"]', '"16:9"', "aspects wants a list of texts"),
        ('"720p" = 0.1', '"720p" = -0.1', "a price is a number of US dollars from 0 to 1000"),
        ('"720p" = 0.1', '"720p" = "0.1"', "a price is a number of US dollars"),
        ('"720p" = 0.1', '"1080p" = 0.1', "price.per_second has no 720p"),
        ("price = {", "price = { flat = 1,", "price is flat or per_second, not both"),
        ("source =", "sauce =", "price takes flat, per_second"),
        ('id = "m-1"', 'id = "m-1', "models/veo.toml cannot be read"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in GOOD
    with pytest.raises(BadSheet) as found:
        read_sheet("veo", own=own(tmp_path, GOOD.replace(old, new, 1)))
    assert said in str(found.value)
    assert str(found.value).startswith("models/veo.toml")


@pytest.mark.parametrize("name", SHEETS)
def test_ours_can_be_read(name: str) -> None:
    sheet = read_sheet(name)
    assert len({model.id for model in sheet.models}) == len(sheet.models)
    for model in sheet.models:
        assert model.capabilities.default_model == model.id
