"""What every chat platform promises (``core.ports.Platform``), as a suite that each adapter and each fake inherits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from core.attachments import Attachment
from core.cards import Action, Card, Message
from core.errors import PlatformError
from core.jobs import AssetKind, Clip, Place, Receipt
from core.ports import ClipFile, Platform


def a_card(text: str = "a lighthouse", *, final: bool = False) -> Card:
    """A card of a job that runs."""
    return Card(
        job_id="01job",
        account_id="account",
        headline=text,
        state=Message("state.storing"),
        facts=(Message("facts.seconds", {"seconds": 8}),),
        money=Message("money.free"),
        changed=(),
        error=None,
        note=None,
        bar=0.5,
        bar_is_estimate=True,
        actions=(Action("cancel", Message("action.cancel")),),
        final=final,
    )


def a_clip(path: Path, size: int = 1000) -> ClipFile:
    """A clip in the hand of the adapter."""
    path.write_bytes(bytes(size))
    clip = Clip("0" * 32, AssetKind.CLIP, "account", "01job", "key", "video/mp4", size, "sha", 0)
    return ClipFile(clip, path, size, is_original=True, nonce="nonce-1")


class PlatformContract:
    """Inherit, and give fixtures ``platform``, ``place`` and ``shown``: what stands in the place, as texts."""

    def test_it_says_what_it_takes(self, platform: Platform) -> None:
        limits = platform.limits
        assert platform.name == platform.name.lower()
        assert limits.upload_bytes > 0
        assert limits.text >= limits.caption > 0
        assert limits.seconds_between_edits >= 0
        assert limits.buttons >= 0

    async def test_one_message_from_card_to_clip(
        self, platform: Platform, place: Place, shown: Callable[[], list[str]], tmp_path: Path
    ) -> None:
        receipt = await platform.send(place, a_card("first words"))
        assert (receipt.place, receipt.kind) == (place, "text")
        assert Receipt.from_json(receipt.as_json()) == receipt, "a receipt outlives its process"
        assert any("first words" in text for text in shown())
        edited = await platform.edit(Receipt.from_json(receipt.as_json()), a_card("second words"))
        assert edited.message == receipt.message
        assert any("second words" in text for text in shown())
        assert not any("first words" in text for text in shown())
        done = await platform.deliver(place, edited, a_clip(tmp_path / "clip"), a_card("third words", final=True))
        assert done.kind == "media"
        if platform.limits.message_becomes_clip:
            assert done.message == receipt.message
            assert len(shown()) == 1

    async def test_a_clip_without_a_message_is_a_message(
        self, platform: Platform, place: Place, shown: Callable[[], list[str]], tmp_path: Path
    ) -> None:
        done = await platform.deliver(place, None, a_clip(tmp_path / "clip"), a_card())
        assert done.kind == "media"
        assert len(shown()) == 1

    async def test_a_repeated_send_is_one_message_where_that_is_promised(
        self, platform: Platform, place: Place, shown: Callable[[], list[str]], tmp_path: Path
    ) -> None:
        clip = a_clip(tmp_path / "clip")
        one = await platform.deliver(place, None, clip, a_card())
        two = await platform.deliver(place, None, clip, a_card())
        assert (one.message == two.message) == platform.limits.idempotent_send
        assert len(shown()) == (1 if platform.limits.idempotent_send else 2)

    async def test_delete_is_final_and_twice_is_fine(
        self, platform: Platform, place: Place, shown: Callable[[], list[str]]
    ) -> None:
        receipt = await platform.send(place, a_card())
        await platform.delete(receipt)
        await platform.delete(receipt)
        assert shown() == []

    async def test_a_private_place_stays_private(self, platform: Platform, place: Place) -> None:
        receipt = await platform.send(replace(place, visibility="only_owner"), a_card())
        assert receipt.place.visibility == "only_owner"
        assert (
            "credential" not in repr(receipt) or receipt.credential is None or receipt.credential not in repr(receipt)
        )

    async def test_a_picture_that_is_gone_is_a_platform_error(self, platform: Platform, place: Place) -> None:
        with pytest.raises(PlatformError):
            _ = [
                piece async for piece in platform.open(place, Attachment("x", "image/png", reference={"picture": "?"}))
            ]

    async def test_a_notification_raises_nothing(self, platform: Platform, place: Place) -> None:
        receipt = await platform.send(place, a_card())
        await platform.notify(place, receipt, a_card())
