"""What becomes of every fault of Replicate, by the suite of all generators."""

from __future__ import annotations

from bot.settings import read_settings
from core.ports import Connect, Provider
from providers.replicate import connect
from tests.contracts.vendor_faults import VendorFaults
from tests.lab.billing import PaidVendor
from tests.lab.replicate import ReplicateVendor


class TestReplicateFaults(VendorFaults):
    paid_by = "prompt"

    def simulator(self) -> ReplicateVendor:
        return ReplicateVendor()

    def connect(self, vendor: PaidVendor, world: Connect, *, key: str | None = None) -> Provider:
        environment = vendor.environment()
        if key is not None:
            environment["REPLICATE_API_TOKEN"] = key
        return connect(read_settings(environment, None), world)
