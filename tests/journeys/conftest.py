"""The real process for journeys: one vendor for all of them, and processes that a whole module shares."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.clips import clip_bytes
from tests.lab.reelay import Reelay
from tests.lab.vendor import Vendor

Maker = Callable[..., Reelay]


@pytest.fixture(scope="session")
def canned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real clip of one second, as a file."""
    path = tmp_path_factory.mktemp("canned") / "clip.mp4"
    path.write_bytes(clip_bytes())
    return path


@pytest.fixture(scope="module")
def vendor() -> Iterator[Vendor]:
    """A paid generator's server."""
    with Vendor() as server:
        yield server


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Maker]:
    """Make a ``Reelay`` in a folder of its own; all of them are gone when the module ends."""
    made: list[Reelay] = []

    def build(**options: Any) -> Reelay:
        made.append(Reelay(tmp_path_factory.mktemp("reelay"), **options))
        return made[-1]

    yield build
    for each in made:
        each.end()


@pytest.fixture(scope="session")
def reelay_page_url(tmp_path_factory: pytest.TempPathFactory, canned: Path) -> Iterator[str]:
    """The address of a running Reelay whose generators are the lab's: ``lab`` takes two seconds and tells a fraction, ``instant``
    none, and the built-in one is there as well. A prompt with the word ``forever`` is never ready, one with ``refused`` is declined.
    """
    from tests.lab.vendor import Script

    with Vendor(default=Script(seconds=2.0)) as server:
        server.on("forever", Script(seconds=None))
        server.on("refused", Script(fails="content"))
        generators = [
            {"name": "lab", "url": server.url, "price": 40},
            {"kind": "instant", "name": "instant", "price": 10, "clip": str(canned)},
        ]
        environ = {"REELAY_DAILY_CREDITS": "unlimited", "REELAY_GLOBAL_DAILY_CREDITS": "unlimited"}
        with Reelay(tmp_path_factory.mktemp("page"), generators=generators, environ=environ) as reelay:
            yield reelay.start().url
