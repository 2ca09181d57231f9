"""The registry of generators, the page about them, their sheets, the settings and the contract tests name the same ones."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from bot.settings import Settings
from core.capabilities import Capabilities
from core.money import Rate
from providers.registry import ALIASES, REGISTRY, Entry
from providers.sheets import FOLDER, Sheet, read_sheet
from tests.contracts import test_contracts
from tests.contracts.provider import ProviderContract

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/reference/providers.md"
EVERY = pytest.mark.parametrize("entry", REGISTRY, ids=lambda entry: entry.name)
COLUMNS = (
    "Name",
    "Title",
    "Configured by",
    "Gets prompt and picture",
    "Modes",
    "Aspects",
    "Resolutions",
    "Seconds",
    "Can also",
    "Price",
    "Progress",
    "Cancel",
    "Retention",
    "Contract test",
)
PROGRESS = {"fraction": "measured", "elapsed": "by the clock"}


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def told() -> dict[str, dict[str, str]]:
    """The rows of the page's first table, by the generator's name and by column."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    head = next(at for at, line in enumerate(lines) if line.startswith("| Name |"))
    assert tuple(_cells(lines[head])) == COLUMNS
    rows: dict[str, dict[str, str]] = {}
    for line in lines[head + 2 :]:
        if not line.startswith("|"):
            break
        row = dict(zip(COLUMNS, _cells(line), strict=True))
        name = row["Name"].strip("`")
        assert name not in rows
        rows[name] = row
    return rows


def told_models() -> list[list[str]]:
    """The rows of the page's table of models."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    head = lines.index("| Generator | Model | Price | Read at | On |")
    rows = []
    for line in lines[head + 2 :]:
        if not line.startswith("|"):
            break
        rows.append(_cells(line))
    return rows


def sheet_of(entry: Entry) -> Sheet | None:
    """Its models; None for the built-in generator, which has one and takes nothing."""
    return read_sheet(entry.name) if (FOLDER / f"{entry.name}.toml").is_file() else None


def capabilities_of(entry: Entry) -> Capabilities:
    found = importlib.import_module(entry.module).capabilities()
    assert isinstance(found, Capabilities)
    return found


def configured_by(entry: Entry) -> str:
    """The groups of settings in words: ``A``, or ``B`` and ``C``."""
    groups = [
        " and ".join(f"`{Settings.model_fields[name].validation_alias}`" for name in group) for group in entry.needs
    ]
    unless = "" if entry.unless is None else f", without `{Settings.model_fields[entry.unless].validation_alias}`"
    return (" or ".join(groups) + unless) or "nothing"


def modes(can: Capabilities) -> str:
    several = can.reference_images > 1
    words = (
        (can.text, "text"),
        (can.image, "picture"),
        (can.last_frame, "last picture"),
        (several, f"{can.reference_images} references"),
        (can.extend, "extension"),
    )
    return ", ".join(word for able, word in words if able)


def abilities(can: Capabilities) -> str:
    sound = "sound or none" if can.audio_switch else "sound" if can.audio else ""
    words = (
        (can.seed, "seed"),
        (can.negative_prompt and not can.folds_negative, "negative prompt"),
        (can.negative_prompt and can.folds_negative, "negative words in the prompt"),
        (bool(sound), sound),
        (can.speech, "speech"),
        (bool(can.person_generation), "person switch"),
    )
    return ", ".join(word for able, word in words if able)


def usd(rate: Rate) -> str:
    """A price list in words."""
    if rate.flat is not None:
        return f"${rate.flat} a clip" if rate.flat else "free"
    if not any((rate.per_second or {}).values()):
        return "free"

    def one(audio: bool) -> str:
        rows = {size: amount for (size, sound), amount in (rate.per_second or {}).items() if sound is audio}
        if len(set(rows.values())) == 1:
            return f"${next(iter(rows.values()))}"
        return ", ".join(f"{size} ${amount}" for size, amount in rows.items())

    silent = "" if one(False) == one(True) else f"; without sound {one(False)}"
    return f"{one(True)} a second{silent}"


def test_the_page_has_a_row_for_each_generator_in_the_order_of_preference() -> None:
    names = [entry.name for entry in REGISTRY]
    assert list(told()) == names
    assert len(set(names)) == len(names)


@EVERY
def test_the_row_says_what_the_generator_can_do(entry: Entry) -> None:
    can, row, sheet = capabilities_of(entry), told()[entry.name], sheet_of(entry)
    link = re.fullmatch(r"\[(.+)\]\((.+\.md)\)", row["Title"])
    assert link is not None, "the title leads to the generator's own page"
    assert link[1] == can.title
    assert (PAGE.parent / link[2]).is_file()
    assert can.name == entry.name
    assert row["Configured by"] == configured_by(entry)
    assert row["Gets prompt and picture"] == (can.company or "nobody")
    assert row["Modes"] == modes(can)
    assert row["Aspects"] == ", ".join(can.aspects)
    assert row["Resolutions"] == ", ".join(can.resolutions)
    assert row["Seconds"] == ", ".join(str(each) for each in can.seconds)
    assert row["Can also"] == abilities(can)
    assert row["Price"] == ("free" if sheet is None else usd(sheet.models[0].rate))
    assert (row["Price"] == "free") is (not entry.paid) is can.unpaid
    assert row["Progress"] == PROGRESS[can.progress]
    assert row["Cancel"] == ("stops the cost" if can.cancel else "still billed")
    assert row["Retention"]


@EVERY
def test_each_model_is_listed_with_its_price_and_where_and_when_it_was_read(entry: Entry) -> None:
    sheet = sheet_of(entry)
    assert (sheet is None) is (entry.name == "local")
    listed = [row for row in told_models() if row[0] == f"`{entry.name}`"]
    assert listed == [
        [f"`{entry.name}`", f"`{model.id}`", usd(model.rate), _source(model.rate), model.rate.seen_on]
        for model in (sheet.models if sheet is not None else ())
    ]


def _source(rate: Rate) -> str:
    return f"<{rate.source}>" if rate.source else ""


@EVERY
def test_a_generator_that_costs_says_where_its_prices_were_read(entry: Entry) -> None:
    sheet = sheet_of(entry)
    rates = [] if sheet is None else [model.rate for model in sheet.models]
    costing = [rate for rate in rates if usd(rate) != "free"]
    assert bool(costing) is entry.paid
    assert all(
        rate.source.startswith("https://") and re.fullmatch(r"\d{4}-\d{2}-\d{2}", rate.seen_on) for rate in costing
    )


@EVERY
def test_the_contract_test_that_is_named_tests_this_generator(entry: Entry) -> None:
    name = told()[entry.name]["Contract test"].strip("`")
    contract = getattr(test_contracts, name)
    assert issubclass(contract, ProviderContract)
    source = (ROOT / "tests/contracts/test_contracts.py").read_text(encoding="utf-8")
    assert f"from {entry.module} import" in source


def test_every_file_of_a_generator_is_in_the_registry() -> None:
    files = {path.stem for path in (ROOT / "providers").glob("*.py")} - {"__init__", "registry"}
    found = {name for name in files if hasattr(importlib.import_module(f"providers.{name}"), "connect")}
    assert found == {entry.module.removeprefix("providers.") for entry in REGISTRY}


def test_one_generator_needs_nothing_so_that_a_clip_comes_from_a_fresh_clone() -> None:
    assert [entry.name for entry in REGISTRY if not entry.needs and not entry.paid] == ["local"]


def test_an_alias_hides_no_generator() -> None:
    assert not set(ALIASES) & {entry.name for entry in REGISTRY}
