"""Every fault of fal's queue, and of the router that leads to it: its class, and that nothing is submitted twice."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import CredentialsRejected, OutOfFunds
from core.ports import Connect, Provider
from tests.contracts.vendor_faults import VendorFaults
from tests.lab.billing import PaidVendor, Refuse, Script
from tests.lab.fal import Fal, ovi

TEXT_ROUTED = """
[[models]]
id = "fal-ai/ovi"
options = { router = { model = "chetwinlow1/Ovi", id = "fal-ai/ovi", task = "text-to-video" } }
"""


class TestOviFaults(VendorFaults):
    paid_by = "prompt"

    def simulator(self) -> Fal:
        return Fal()

    def connect(self, vendor: PaidVendor, world: Connect, *, key: str | None = None) -> Provider:
        return ovi({**vendor.environment(), **({} if key is None else {"FAL_KEY": key})}, world)

    @pytest.fixture(autouse=True)
    def nothing_strange(self, vendor: Fal) -> Any:
        yield
        assert vendor.complaints == []

    async def test_an_empty_balance_is_told_apart_from_a_key_that_is_refused(
        self, vendor: PaidVendor, provider: Provider
    ) -> None:
        vendor.on("lighthouse", Script(submits=[Refuse(403, "balance"), Refuse(403)]))
        assert isinstance(await self.refused(provider, "a lighthouse"), OutOfFunds)
        assert isinstance(await self.refused(provider, "a lighthouse"), CredentialsRejected)


class TestOviFaultsThroughTheRouter(VendorFaults):
    """With a mapping that does text; what a picture takes is in ``test_ovi.py``."""

    paid_by = "prompt"

    def simulator(self) -> Fal:
        fal = Fal()
        fal.route = {"status": "live", "providerId": "fal-ai/ovi", "task": "text-to-video"}
        return fal

    def connect(self, vendor: PaidVendor, world: Connect, *, key: str | None = None) -> Provider:
        assert isinstance(vendor, Fal)
        return ovi({**vendor.router_environment(), **({} if key is None else {"HF_TOKEN": key})}, world, TEXT_ROUTED)

    @pytest.fixture(autouse=True)
    def nothing_strange(self, vendor: Fal) -> Any:
        yield
        assert vendor.complaints == []
