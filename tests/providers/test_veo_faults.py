"""What becomes of every fault of Vertex, by the suite of all generators."""

from __future__ import annotations

from typing import ClassVar

from core.ports import Connect, Provider
from tests.contracts.vendor_faults import VendorFaults
from tests.lab.billing import PaidVendor
from tests.lab.veo import Veo as Vertex
from tests.providers.veo_desk import veo


class TestFaultsOfVeo(VendorFaults):
    paid_by: ClassVar[str] = "prompt"

    def simulator(self) -> Vertex:
        return Vertex()

    def connect(self, vendor: PaidVendor, world: Connect, *, key: str | None = None) -> Provider:
        return veo(vendor, world, **({} if key is None else {"GOOGLE_API_KEY": key}))
