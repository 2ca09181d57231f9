"""The registry of generators, the page about them, the settings and the contract tests name the same ones."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from bot.settings import Settings
from core.capabilities import Capabilities
from core.money import Rate
from providers.registry import ALIASES, REGISTRY, Entry
from tests.contracts import test_contracts
from tests.contracts.provider import ProviderContract

ROOT = Path(__file__).parents[2]
EVERY = pytest.mark.parametrize("entry", REGISTRY, ids=lambda entry: entry.name)


def told() -> dict[str, list[str]]:
    """The rows of the page by name."""
    text = (ROOT / "docs/reference/providers.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| `")
    ]
    return {cells[0].strip("`"): cells[1:] for cells in rows}


def capabilities_of(entry: Entry) -> Capabilities:
    found = importlib.import_module(entry.module).capabilities()
    assert isinstance(found, Capabilities)
    return found


def abilities(can: Capabilities) -> str:
    sound = "sound or none" if can.audio_switch else "sound" if can.audio else ""
    words = (
        (can.image, "picture"),
        (can.seed, "seed"),
        (can.negative_prompt, "negative prompt"),
        (bool(sound), sound),
        (can.extend, "extend"),
        (can.cancel, "cancel"),
    )
    return ", ".join(word for able, word in words if able)


def test_the_page_has_a_row_for_each_generator_in_the_order_of_preference() -> None:
    assert list(told()) == [entry.name for entry in REGISTRY]
    assert len({entry.name for entry in REGISTRY}) == len(REGISTRY)


@EVERY
def test_the_row_says_what_the_generator_can_do(entry: Entry) -> None:
    can = capabilities_of(entry)
    title, configured_by, company, aspects, resolutions, seconds, also, price, _ = told()[entry.name]
    assert can.name == entry.name
    assert title == can.title
    assert company == (can.company or "nobody")
    assert aspects == ", ".join(can.aspects)
    assert resolutions == ", ".join(can.resolutions)
    assert seconds == ", ".join(str(each) for each in can.seconds)
    assert also == abilities(can)
    variables = [str(Settings.model_fields[name].validation_alias) for name in entry.needs]
    assert configured_by == (", ".join(f"`{variable}`" for variable in variables) or "nothing")
    assert (price == "free") is (not entry.paid) is can.unpaid


@EVERY
def test_a_generator_that_costs_says_where_its_prices_were_read(entry: Entry) -> None:
    rates = [value for value in vars(importlib.import_module(entry.module)).values() if isinstance(value, Rate)]
    assert bool(rates) is entry.paid
    assert all(
        rate.source.startswith("https://") and re.fullmatch(r"\d{4}-\d{2}-\d{2}", rate.seen_on) for rate in rates
    )


@EVERY
def test_the_contract_test_that_is_named_tests_this_generator(entry: Entry) -> None:
    name = told()[entry.name][-1].strip("`")
    contract = getattr(test_contracts, name)
    assert issubclass(contract, ProviderContract)
    source = (ROOT / "tests/contracts/test_contracts.py").read_text(encoding="utf-8")
    assert f"from {entry.module} import" in source


def test_every_file_of_a_generator_is_in_the_registry() -> None:
    files = {path.stem for path in (ROOT / "providers").glob("*.py")} - {"__init__", "registry"}
    missing = {name for name in files if hasattr(importlib.import_module(f"providers.{name}"), "connect")}
    assert missing == {entry.module.removeprefix("providers.") for entry in REGISTRY}


def test_one_generator_needs_nothing_so_that_a_clip_comes_from_a_fresh_clone() -> None:
    assert [entry.name for entry in REGISTRY if not entry.needs and not entry.paid] == ["local"]


def test_an_alias_hides_no_generator() -> None:
    assert not set(ALIASES) & {entry.name for entry in REGISTRY}
