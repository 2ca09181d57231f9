"""The real process joined to the lab's Telegram: one for the tests of a module, or one of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

pytest.register_assert_rewrite("tests.journeys.chat_house", "tests.journeys.telegram.house")

from tests.journeys.chat_house import Maker, Street  # noqa: E402 - its assertions are to tell what they saw
from tests.journeys.telegram.house import House  # noqa: E402
from tests.lab.telegram import Telegram  # noqa: E402
from tests.lab.vendor import Script, Vendor  # noqa: E402

__all__ = ["House"]
Build = Callable[[Path, ExitStack, bool], House]


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """What a module wants to be set besides; it says so by a fixture of this name."""
    return {}


@pytest.fixture(scope="module")
def generators() -> list[dict[str, Any]]:
    """Generators besides ``lab``; their address is added."""
    return []


@pytest.fixture(scope="module")
def paced() -> bool:
    """Whether messages are counted on both sides; a module that is about something else says no, and waits less."""
    return True


@pytest.fixture(scope="module")
def build(make: Maker, settings: dict[str, str], generators: list[dict[str, Any]], paced: bool) -> Build:
    """A house that stands until the stack ends, and in which nothing runs yet."""

    def built(folder: Path, stack: ExitStack, shared: bool) -> House:
        telegram = stack.enter_context(Telegram())
        vendor = stack.enter_context(Vendor(default=Script(seconds=0.2)))
        more = [each | {"url": vendor.url} for each in generators]
        house = House(telegram, vendor, make, folder, environ=settings, generators=more, shared=shared, paced=paced)
        stack.callback(house.reelay.end)
        return house

    return built


@pytest.fixture(scope="module")
def street(build: Build, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street[House]]:
    """Everything of a module."""
    made = Street(build, tmp_path_factory)
    yield made
    made.close()


@pytest.fixture
def home(street: Street[House]) -> House:
    """The house that the module's tests share: it runs, and its groups and people are the test's own."""
    return street.enter()


@pytest.fixture
def house(build: Build, tmp_path: Path) -> Iterator[House]:
    """One of its own, in which nothing runs yet."""
    with ExitStack() as stack:
        yield build(tmp_path, stack, False)
