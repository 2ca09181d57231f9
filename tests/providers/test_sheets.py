"""The sheets of models: ours can be read, an operator's goes before them, and whatever is wrong in one is named."""

from __future__ import annotations

import json
import time
from dataclasses import fields, replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.capabilities import Applied, Capabilities, fit
from core.requests import Wanted
from providers.sheets import FOLDER, BadSheet, plain, read_sheet

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
        ('id = "m-1"', 'id = "m 1"', "every model wants an id, of letters"),
        ('id = "m-1"', 'id = "../m"', "every model wants an id, of letters"),
        ("[[models]]", "models = [1]\n[x]", "wants [[models]] tables"),
        ("[[models]]", "models = [1] #", "wants [[models]] tables"),
        ("[[models]]", '[[models]]\nid = "m-1"\ntitle = "A"\n[[models]]', "two models have the id m-1"),
        ("[[models]]", f"x = {'[' * 5000}{']' * 5000}\n[[models]]", "nested too deeply"),
        ('title = "M"', 'title = "M"\nlike = "nobody"', "model m-1: like wants veo-3.1-generate-001 or "),
        ('title = "M"', 'title = "M"\nlike = ["x"]', "like wants"),
        ('title = "M"', 'title = ""', "title wants a text of at most 80 characters on one line"),
        ('title = "M"', 'title = "M\\nM"', "title wants a text of at most 80 characters on one line"),
        ('title = "M"', 'title = "M"\nprogress = "quick"', "progress wants fraction or elapsed"),
        ('title = "M"', 'title = "M"\nmost_active = 0', "most_active wants a number from 1 to"),
        ('title = "M"', 'title = "M"\nusual_seconds = -1', "usual_seconds wants a number from 0.1 to"),
        ('title = "M"', 'title = "M"\nusual_seconds = nan', "usual_seconds wants a number"),
        ('title = "M"', 'title = "M"\nusual_seconds = 1e999', "usual_seconds wants a number"),
        ('title = "M"', 'title = "M"\nusual_seconds = 99\nmaximum_seconds = 98', "usual_seconds is above maximum"),
        ('title = "M"', 'title = "M"\npoll_seconds = ["1", "2"]', "poll_seconds wants two numbers"),
        ('title = "M"', 'title = "M"\npoll_seconds = [0, 1]', "poll_seconds wants numbers from 0.01"),
        ('title = "M"', 'title = "M"\npoll_seconds = [9, 1]', "the shortest wait before the longest"),
        ('title = "M"', 'title = "M"\nreference_images = -1', "reference_images wants a number from 0"),
        ('title = "M"', 'title = "M"\ntext = false\nimage = false', "text and image are both false"),
        ('title = "M"', 'title = "M"\nadjusts = 3', "adjusts wants tables"),
        ('title = "M"', 'title = "M"\nadjusts = [3]', "adjusts wants tables"),
        (
            'title = "M"',
            'title = "M"\nadjusts = [{ field = "colour", value = 1, forces = "seconds", to = 8 }]',
            "adjusts wants as field and forces aspect_ratio, resolution, seconds",
        ),
        (
            'title = "M"',
            'title = "M"\nadjusts = [{ field = "resolution", value = "720p", forces = "seconds", to = 7 }]',
            "adjusts forces seconds to what is not among seconds",
        ),
        (
            'title = "M"',
            'title = "M"\nadjusts = [{ field = "resolution", value = "4k", forces = "seconds", to = 8 }]',
            "adjusts has a value of resolution that it does not take",
        ),
        ('title = "M"', 'title = "M"\npictures = { mimes = 3 }', "pictures.mimes wants image/png or image/jpeg"),
        ('title = "M"', 'title = "M"\npictures = { mimes = ["image/webp"] }', "pictures.mimes wants"),
        ('title = "M"', 'title = "M"\npictures = { bytes = "x" }', "pictures.bytes wants a whole number from"),
        ('title = "M"', 'title = "M"\npictures = { side = 0 }', "pictures.side wants a whole number from"),
        (
            'title = "M"',
            'title = "M"\noptions = { a = { b = 2026-11-22 } }',
            "options.a.b wants a text or a number, no date",
        ),
        ('title = "M"', 'title = "M"\noptions = { a = [nan] }', "options.a wants a number that is finite"),
        ("[4, 8]", "[-4, 8]", "seconds wants numbers from 1 to 3600"),
        ("[4, 8]", "[4, 4]", "seconds has something twice"),
        ('["16:9"]', '["wide"]', 'aspects wants texts such as "16:9"'),
        ('"720p" = 0.1', '"720p" = nan', "a price is a number of US dollars"),
        ('"720p" = 0.1', '"720p" = true', "a price is a number of US dollars"),
        ('{ "720p" = 0.1 }', "0.1", "price.per_second wants a table of resolutions"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in GOOD
    with pytest.raises(BadSheet) as found:
        read_sheet("veo", own=own(tmp_path, GOOD.replace(old, new, 1)))
    assert said in str(found.value)
    assert str(found.value).startswith("models/veo.toml")


def test_what_editors_write_before_the_text_is_passed_over(tmp_path: Path) -> None:
    assert read_sheet("veo", default="m-1", own=own(tmp_path, "\ufeff" + GOOD)).models[0].id == "m-1"


def test_a_file_that_cannot_be_one_is_named_at_once(tmp_path: Path) -> None:
    file = own(tmp_path, "#" * (10 << 20)) / "models/veo.toml"
    began = time.monotonic()
    with pytest.raises(BadSheet, match=r"models/veo\.toml is larger than a megabyte"):
        read_sheet("veo", own=tmp_path)
    assert time.monotonic() - began < 1
    file.write_bytes(b"\xff\xfe[[models]]")
    with pytest.raises(BadSheet, match=r"models/veo\.toml cannot be read: it is not UTF-8 at byte 0"):
        read_sheet("veo", own=tmp_path)
    file.unlink()
    file.mkdir()
    with pytest.raises(BadSheet, match=r"models/veo\.toml cannot be read: Is a directory"):
        read_sheet("veo", own=tmp_path)
    file.rmdir()
    assert read_sheet("veo", own=tmp_path) == read_sheet("veo")


WORDS = st.sampled_from(
    [
        *(
            '"x"',
            '"16:9"',
            '"720p"',
            "0",
            "-1",
            "7",
            "1.5",
            "nan",
            "1e999",
            "99999999999999999999",
            "true",
            "2026-11-22",
        ),
        *("[]", "[1]", '["a"]', "[[1]]", "{}", "{ a = 1 }", '{ "720p" = 1 }', '{ bytes = "x" }', "{ flat = {} }"),
        *("[{ field = 1, value = 2, forces = 3, to = 4 }]", "07:00:00", '"""a\\nb"""', '"' + "x" * 300 + '"'),
        '{ sizes = 3, fps = "x", input = { a = nan } }',
    ]
)
KEYS = st.sampled_from(
    sorted({each.name for each in fields(Capabilities)} | {"id", "price", "options", "adjusts", "like", "z"})
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.dictionaries(KEYS, WORDS, max_size=4), name=st.sampled_from(SHEETS), cut=st.integers(0, 2000))
def test_no_mistake_is_more_than_a_sentence(tmp_path: Path, lines: dict[str, str], name: str, cut: int) -> None:
    """Any value under any key: a sheet that can be used, or one line that names the file."""
    first = read_sheet(name).models[0].id
    said = {"id": f'"{first}"', **lines}
    text = "[[models]]\n" + "".join(f"{key} = {value}\n" for key, value in said.items())
    said_wrong = ""
    try:
        sheet = read_sheet(name, own=own(tmp_path, text if cut > 200 else text[:cut], name))
    except BadSheet as wrong:
        sheet, said_wrong = read_sheet(name), str(wrong)
    assert not said_wrong or (said_wrong.startswith(f"models/{name}.toml") and said_wrong.isprintable())
    assert len(said_wrong) < 1000
    for model in sheet.models:
        applied, _ = fit(
            Wanted(prompt="x", model=model.id, pictures=int(model.capabilities.image)), sheet.capabilities, seed=1
        )
        assert sheet.price(applied).credits >= 0
        json.dumps(plain(model.options))


@pytest.mark.parametrize("name", SHEETS)
def test_ours_can_be_read(name: str) -> None:
    sheet = read_sheet(name)
    assert len({model.id for model in sheet.models}) == len(sheet.models)
    for model in sheet.models:
        assert model.capabilities.default_model == model.id
