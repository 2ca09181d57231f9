"""What becomes of every fault of Replicate, by the suite of all generators; and that its SDK repeats none of our calls."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from bot.settings import read_settings
from core.errors import NothingSent, ProviderError, RateLimited, Unavailable, Unclear
from core.ports import Connect, EncodedPicture, Provider
from providers import replicate_line
from providers.replicate import connect
from providers.replicate_line import ReplicateLine
from tests.contracts.vendor_faults import VendorFaults
from tests.lab.billing import PaidVendor, Refuse, Script, Take
from tests.lab.replicate import KEY, ReplicateVendor


class TestReplicateFaults(VendorFaults):
    paid_by = "prompt"

    def simulator(self) -> ReplicateVendor:
        return ReplicateVendor()

    def connect(self, vendor: PaidVendor, world: Connect, *, key: str | None = None) -> Provider:
        environment = vendor.environment()
        if key is not None:
            environment["REPLICATE_API_TOKEN"] = key
        return connect(read_settings(environment, None), world)
