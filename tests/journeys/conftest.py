"""The real process for journeys: one vendor for all of them, and processes that a whole module shares."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from storage.audit import audit_sums
from tests.lab.api import Api
from tests.lab.checker import connect, secrets_in
from tests.lab.clips import clip_bytes
from tests.lab.reelay import Reelay
from tests.lab.vendor import Script, Vendor

Maker = Callable[..., Reelay]
TOKENS = {
    person: f"reelay_lab-token-of-{person}-0123456789abcdef"
    for person in ("alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan")
}
"""People with an API token each; each calls from an address, and so with a rate limit, of their own."""


@dataclass(frozen=True, slots=True)
class Shared:
    """One process that the tests about HTTP share."""

    reelay: Reelay
    vendor: Vendor

    def api(self, person: str | None = "alice", **headers: str) -> Api:
        """Calls as ``person``, or without any credentials."""
        if person is None:
            return Api(self.reelay.url, headers=headers)
        whence = f"127.0.0.{2 + list(TOKENS).index(person)}"
        return Api(self.reelay.url, token=TOKENS[person], headers=headers, whence=whence)

    def spent(self, person: str) -> tuple[int, int]:
        """(spent, held) today; every sum agrees with the ledger."""
        connection = connect(self.reelay.data)
        try:
            assert list(audit_sums(connection)) == []
        finally:
            connection.close()
        today = self.api(person).me()["credits"]["today"]
        return today["spent"], today["held"]

    def made(self, person: str = "alice", prompt: str = "a lighthouse at dusk", **fields: Any) -> dict[str, Any]:
        """The status object of a finished clip."""
        api = self.api(person)
        job = api.ordered(prompt, **{"provider": "instant", **fields})
        self.reelay.wait_state(job)
        status = api.status(job)
        assert status["status"] == "completed", status
        return status


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
def shared(tmp_path_factory: pytest.TempPathFactory, canned: Path) -> Iterator[Shared]:
    """A process with an instant generator (10 credits), a vendor's (40; ``many``, 30, takes three references and a last picture) and
    the built-in one, and people with tokens.
    """
    with Vendor() as server:
        generators = [
            {"kind": "instant", "name": "instant", "price": 10, "clip": str(canned), "most_active": 16},
            {"name": "lab", "url": server.url, "price": 40},
            {"name": "billing", "url": server.url, "price": 40, "cancel": False},
            {"name": "many", "url": server.url, "price": 30, "reference_images": 3, "last_frame": True},
        ]
        environ = {
            "REELAY_DAILY_CREDITS": "unlimited",
            "REELAY_GLOBAL_DAILY_CREDITS": "unlimited",
            "REELAY_MAX_WAITING_JOBS": "1000",
            "REELAY_MAX_ACTIVE_JOBS": "20",
            "LAB_TOKENS": json.dumps(TOKENS),
        }
        with Reelay(tmp_path_factory.mktemp("shared"), generators=generators, environ=environ) as reelay:
            yield Shared(reelay.start(), server)
            assert reelay.stop() == 0
            assert secrets_in(reelay.text, TOKENS.values()) == []
            assert "Traceback" not in reelay.text


@pytest.fixture(scope="session")
def page_vendor() -> Iterator[Vendor]:
    """Who makes the page's clips. A prompt with the word ``slowly`` takes two seconds, one with ``forever`` is ready when the test says so
    (``finish``), one with ``refused`` is declined.
    """
    with Vendor(default=Script(seconds=0.2)) as server:
        server.on("slowly", Script(seconds=2.0))
        server.on("forever", Script(seconds=None))
        server.on("refused", Script(fails="content"))
        yield server


@pytest.fixture(scope="session")
def reelay_page_url(tmp_path_factory: pytest.TempPathFactory, canned: Path, page_vendor: Vendor) -> Iterator[str]:
    """The address of a running Reelay whose generators are the lab's: ``lab`` is quick and tells a fraction, ``instant`` takes no time,
    ``many`` takes three pictures at once and one with which the clip ends, ``pair`` the latter only beside exactly one other, and the
    built-in one is there as well.
    """
    url = page_vendor.url
    generators = [
        {"name": "lab", "url": url, "price": 40},
        {"kind": "instant", "name": "instant", "price": 10, "clip": str(canned)},
        {"name": "many", "url": url, "price": 30, "reference_images": 3, "last_frame": True},
        {"name": "pair", "url": url, "reference_images": 3, "last_frame": True, "last_frame_alone": False},
    ]
    environ = {"REELAY_DAILY_CREDITS": "unlimited", "REELAY_GLOBAL_DAILY_CREDITS": "unlimited"}
    with Reelay(tmp_path_factory.mktemp("page"), generators=generators, environ=environ) as reelay:
        yield reelay.start().url
