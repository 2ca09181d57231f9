"""Joining the parts of the Telegram adapter; called by ``bot/app.py`` alone, and only where a token is configured."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bot.commands.admin import AdminDesk
from bot.commands.doors import Doors
from bot.commands.marks import Marks
from bot.commands.verbs import verbs
from bot.engine.alerts import Alerts
from bot.engine.engine import Engine
from bot.engine.words import Bookshelf, languages
from bot.platforms.telegram.admin import AdminVerbs
from bot.platforms.telegram.buttons import Buttons
from bot.platforms.telegram.client import Client
from bot.platforms.telegram.desk import Desk, subjects_of
from bot.platforms.telegram.drafts import Drafts
from bot.platforms.telegram.endpoint import PATH, Endpoint
from bot.platforms.telegram.files import Attachments, Files
from bot.platforms.telegram.films import Films
from bot.platforms.telegram.inbox import Inbox
from bot.platforms.telegram.inline import Inline
from bot.platforms.telegram.making import Making
from bot.platforms.telegram.members import Members
from bot.platforms.telegram.menus import About, Menu, abouts, menus, send
from bot.platforms.telegram.orders import Orders
from bot.platforms.telegram.pacing import Pacing
from bot.platforms.telegram.panels import Panels
from bot.platforms.telegram.panes import Panes
from bot.platforms.telegram.platform import TelegramPlatform
from bot.platforms.telegram.receiving import Receiving
from bot.platforms.telegram.speaking import Speaking
from bot.platforms.telegram.strays import Strays
from bot.platforms.telegram.telling import Telling
from bot.platforms.telegram.wire import Person, Spot
from bot.platforms.telegram.wishes import Clips
from core.ports import Clock
from storage.keys import KeyRing
from storage.store import SqliteStore

HANDED_BYTES: Final = 20 << 20
"""What Telegram hands to bots of a file (Bot API, getFile); a local server hands out all of it."""
HOOK_PORTS: Final = frozenset({443, 80, 88, 8443})
"""Where Telegram delivers webhooks to (Bot API, setWebhook)."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where Telegram is, and who we are there."""

    token: str = field(repr=False)
    api_url: str = "https://api.telegram.org"
    proxy: str | None = field(default=None, repr=False)
    is_local: bool = False
    local_folder: Path | None = None
    webhook_secret: str | None = field(default=None, repr=False)
    public_url: str | None = None

    @property
    def webhook(self) -> tuple[str, str] | None:
        """(address, secret) of the webhook; None where updates are polled."""
        if self.webhook_secret is None or not takes_webhooks(self.public_url):
            return None
        return f"{self.public_url}{PATH}", self.webhook_secret


def takes_webhooks(public_url: str | None) -> bool:
    """Whether Telegram would deliver to this address."""
    parts = urlsplit(public_url or "")
    return parts.scheme == "https" and (parts.port or 443) in HOOK_PORTS


@dataclass(frozen=True, slots=True)
class Built:
    """The adapter, and its HTTP endpoint where updates come by webhook."""

    platform: TelegramPlatform
    endpoint: Endpoint | None
    client: Client
    speaking: Speaking

    async def close(self) -> None:
        """Free the connections."""
        await self.speaking.stop()
        await self.client.close_requests()


def build(
    at: Address,
    *,
    engine: Engine,
    store: SqliteStore,
    alerts: Alerts,
    clock: Clock,
    shelf: Bookshelf,
    doors: Doors,
    admin: AdminDesk,
    keys: KeyRing,
    retention_days: int,
    scratch: Path,
) -> Built:
    """Build everything; nothing connects before the platform runs."""
    figures = engine.parts.figures
    client = Client(
        at.token, at.api_url, proxy=at.proxy, count=lambda outcome: figures.platform_call("telegram", outcome)
    )
    marks = Marks(keys.derive("telegram buttons v1"))

    async def moved(old: int, new: int) -> None:
        await store.chat_moved("telegram", str(old), str(new))
        if f"telegram:chat:{old}" in doors.allowed:
            text = f"a group that may use Reelay has become a supergroup: put telegram:chat:{new} into REELAY_ALLOWED"
            await alerts.raise_once(f"telegram chat {old}", text)

    speaking = Speaking(client, Pacing(clock), clock, moved)
    attachments = Attachments(client, Files(client.calls, at.api_url, at.token, at.local_folder))
    panes = Panes(engine, marks, client, speaking)
    platform = TelegramPlatform(
        client, speaking, marks, shelf, clock, store, engine.parts.media, attachments, panes, scratch, local=at.is_local
    )
    offered = verbs(provider.capabilities for provider in engine.parts.providers.values())
    members = Members(client, clock)
    mine = Clips(engine, members)
    drafts = Drafts(engine, marks, speaking)
    making = Making(engine, Orders(engine), mine, marks, drafts)
    admin_verbs = AdminVerbs(engine, admin, members, making)

    def may(person: Person, spot: Spot | None) -> bool:
        return doors.lets_in("telegram", str(person.id), subjects_of(person, spot))

    panels = Panels(engine, store, marks, mine, making, speaking, offered, retention_days, admin_verbs, may)
    films = Films(engine, marks, making, panes, client, speaking, None if at.is_local else HANDED_BYTES)
    buttons = Buttons(engine, marks, mine, making, panels, drafts, films)

    def bot_name() -> str:
        return "" if inbox.bot is None else inbox.bot.username

    desk = Desk(
        engine,
        client,
        speaking,
        shelf,
        doors,
        making,
        films,
        buttons,
        panels,
        admin_verbs,
        Inline(client, engine, store, shelf, may),
        Strays(engine, platform, marks),
        offered,
        bot_name,
    )
    inbox = Inbox(engine, desk)
    operators = [who.removeprefix("telegram:") for who in doors.admins if who.startswith("telegram:")]
    shown: list[Menu | About] = [
        *menus(offered, shelf, languages(), [int(each) for each in operators]),
        *abouts(shelf, languages()),
    ]
    receiving = Receiving(
        client,
        inbox,
        alerts,
        clock,
        partial(send, client, store, shown),
        partial(figures.connected, "telegram"),
        webhook=at.webhook,
    )
    alerts.tell_also(Telling(speaking, operators, lambda: receiving.is_known).tell)
    platform.receiving = receiving
    endpoint = None if at.webhook is None else Endpoint(inbox, at.webhook[1])
    return Built(platform, endpoint, client, speaking)
