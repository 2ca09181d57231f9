"""The real process joined to the lab's Discord: one for the tests of a module, or one of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

pytest.register_assert_rewrite("tests.journeys.discord.house")

from tests.journeys.discord.house import House, Maker  # noqa: E402 - its assertions are to tell what they saw
from tests.lab.discord import Discord  # noqa: E402
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
def build(make: Maker, settings: dict[str, str], generators: list[dict[str, Any]]) -> Build:
    """A house that stands until the stack ends, and in which nothing runs yet."""

    def built(folder: Path, stack: ExitStack, shared: bool) -> House:
        discord = stack.enter_context(Discord())
        vendor = stack.enter_context(Vendor(default=Script(seconds=0.2)))
        more = [each | {"url": vendor.url} for each in generators]
        house = House(discord, vendor, make, folder, environ=settings, generators=more, shared=shared)
        stack.callback(house.reelay.end)
        return house

    return built


class Street:
    """The module's house; a new one where a test has failed in the last, so that no other test fails because of it."""

    def __init__(self, build: Build, folders: pytest.TempPathFactory) -> None:
        self._build, self._folders = build, folders
        self._stack = ExitStack()
        self._house: House | None = None

    def enter(self) -> House:
        """A house that runs, with nothing in it of an earlier test."""
        if self._house is not None and not self._house.ended:
            self._stack.__exit__(AssertionError, AssertionError("a test failed"), None)
            self._house = None
        if self._house is None:
            self._house = self._build(self._folders.mktemp("house"), self._stack, True)
        else:
            self._house.open()
        if not self._house.runs:
            self._house.start()
        return self._house

    def close(self) -> None:
        """The last look, unless a test has failed in it."""
        sound = self._house is not None and self._house.ended
        with self._stack:
            if sound and self._house is not None:
                self._house.close()


@pytest.fixture(scope="module")
def street(build: Build, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    """Everything of a module."""
    made = Street(build, tmp_path_factory)
    yield made
    made.close()


@pytest.fixture
def home(street: Street) -> House:
    """The house that the module's tests share: it runs, and its server, room and people are the test's own."""
    return street.enter()


@pytest.fixture
def house(build: Build, tmp_path: Path) -> Iterator[House]:
    """One of its own, in which nothing runs yet."""
    with ExitStack() as stack:
        yield build(tmp_path, stack, False)
