"""Veo: every fault by the suite of all generators, with a key of express mode and with a project."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

import pytest

from bot.settings import read_settings
from core.ports import Connect, Provider
from providers.veo import Veo, connect
from tests.contracts.vendor_faults import VendorFaults
from tests.lab.billing import PaidVendor
from tests.lab.veo import PROJECT
from tests.lab.veo import Veo as Vertex


def veo(vendor: PaidVendor, world: Connect, **environment: str) -> Veo:
    """As the app connects it: in a thread."""
    settings = read_settings({**vendor.environment(), **environment}, None)
    with ThreadPoolExecutor(1) as room:
        return room.submit(connect, settings, world).result()


class TestFaultsOfVeo(VendorFaults):
    paid_by: ClassVar[str] = "prompt"

    def simulator(self) -> Vertex:
        return Vertex()

    def connect(self, vendor: PaidVendor, world: Connect, *, key: str | None = None) -> Provider:
        return veo(vendor, world, **({} if key is None else {"GOOGLE_API_KEY": key}))


class TestFaultsOfVeoInAProject(VendorFaults):
    """The login is the file of a service account, whose tokens the simulator gives out."""

    paid_by: ClassVar[str] = "prompt"

    @pytest.fixture
    def vendor(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PaidVendor]:
        with Vertex(login="project", account=tmp_path / "account.json") as vendor:
            monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", vendor.environment()["GOOGLE_APPLICATION_CREDENTIALS"])
            yield vendor

    def connect(self, vendor: PaidVendor, world: Connect, *, key: str | None = None) -> Provider:
        return veo(vendor, world, **({} if key is None else {"GOOGLE_CLOUD_PROJECT": f"not-{PROJECT}"}))
