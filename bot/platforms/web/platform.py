"""The web page as a platform: its one message is the card in the conversation, and sending means telling the open pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from bot.platforms.web.events import Hub
from core.attachments import Attachment
from core.cards import Card
from core.errors import Gone
from core.jobs import Place, Receipt
from core.ports import ClipFile, PlatformLimits

LIMITS: Final = PlatformLimits(
    upload_bytes=1 << 40,
    text=1 << 20,
    caption=1 << 20,
    seconds_between_edits=0.1,
    refresh_seconds=None,
    buttons=20,
    message_becomes_clip=True,
    idempotent_send=True,
)
"""The page takes anything: a clip is not uploaded, it is shown."""


ORDERED_HERE: Final = "page"
"""The message of what was ordered on the page: it shows its own card, before there is a job whose id could name it."""


class WebPlatform:
    """Implements ``core.ports.Platform`` over the hub of open pages; nobody looking is no failure."""

    name = "web"
    limits = LIMITS

    def __init__(self, hub: Hub) -> None:
        """Cards go to ``hub``."""
        self._hub = hub

    async def run(self) -> None:
        """Commands come by HTTP; here only the hub's refresh runs."""
        await self._hub.run()

    async def send(self, place: Place, card: Card) -> Receipt:
        """Show a card in the place's conversation."""
        await self._hub.publish(place.chat, card.job_id)
        return Receipt(place, card.job_id)

    async def edit(self, receipt: Receipt, card: Card) -> Receipt:
        """Show the card as it is now."""
        await self._hub.publish(receipt.place.chat, card.job_id)
        return receipt

    def room(self, place: Place, receipt: Receipt | None, card: Card, *, is_notice: bool = False) -> float:
        """Always: a page takes whatever comes."""
        del place, receipt, card, is_notice
        return 0.0

    async def deliver(self, place: Place, receipt: Receipt | None, clip: ClipFile, card: Card) -> Receipt:
        """The card becomes the clip; the page plays it from its own address."""
        del clip
        await self._hub.publish(place.chat, card.job_id)
        return Receipt(place, card.job_id if receipt is None else receipt.message, kind="media")

    async def notify(self, place: Place, receipt: Receipt | None, card: Card) -> None:
        """The page announces by itself what it shows."""
        del place, receipt, card

    async def delete(self, receipt: Receipt) -> None:
        """Take a card off the open pages."""
        if receipt.message == ORDERED_HERE:
            await self._hub.lately_gone(receipt.place.chat)
        else:
            self._hub.gone(receipt.place.chat, receipt.message)

    def open(self, place: Place, attachment: Attachment) -> AsyncIterator[bytes]:
        """Pictures of the page are already in the clip store when a command is made of them. Raises Gone."""
        del place
        raise Gone(f"the page keeps no picture called {attachment.name!r}")
