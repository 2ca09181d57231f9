"""What becomes of every fault of a ComfyUI, by the suite of all generators."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import CredentialsRejected, Unavailable
from core.ports import Connect, Failed, Provider
from tests.contracts.vendor_faults import VendorFaults, world
from tests.lab.billing import PaidVendor, Refuse, Script
from tests.lab.comfyui import ComfyUIServer, comfyui


class TestComfyUIFaults(VendorFaults):
    def simulator(self) -> PaidVendor:
        return ComfyUIServer()

    def connect(self, vendor: PaidVendor, world: Connect, *, key: str | None = None) -> Provider:
        assert key is None
        return comfyui(vendor.environment(), world)

    async def test_a_key_that_is_not_taken_is_told_by_check_and_by_submit(
        self, vendor: PaidVendor, tmp_path: Path
    ) -> None:
        """ComfyUI has no keys; a proxy before it may ask for some, which then refuses everything."""
        vendor.strange.append((401, "text/html", b"<h1>401</h1>"))
        provider = self.connect(vendor, world(tmp_path))
        with pytest.raises(CredentialsRejected):
            await provider.check()
        vendor.on("lighthouse", Script(submits=[Refuse(401)]))
        assert isinstance(await self.refused(provider, "a lighthouse at dusk"), CredentialsRejected)
        await provider.close()
        assert not vendor.paid

    async def test_a_refused_content_is_told_apart(self, vendor: PaidVendor, provider: Provider) -> None:
        """It refuses nothing: what a node of a partner declines looks like any other exception."""
        vendor.on("lighthouse", Script(fails="content"))
        answer = await self.ended(provider, await self.ordered(provider))
        assert isinstance(answer, Failed)
        assert isinstance(answer.error, Unavailable)
