"""Joining the parts of the Discord adapter; called by ``bot/app.py`` alone, and only where a token is configured."""

from __future__ import annotations

from dataclasses import dataclass, field

import aiohttp

from bot.commands.admin import AdminDesk
from bot.commands.doors import Doors
from bot.commands.verbs import verbs
from bot.engine.alerts import Alerts
from bot.engine.engine import Engine
from bot.engine.words import Bookshelf, languages
from bot.platforms.discord.admin import AdminVerbs
from bot.platforms.discord.api import AGENT, DiscordApi
from bot.platforms.discord.attachments import Attachments
from bot.platforms.discord.buttons import Buttons
from bot.platforms.discord.callbacks import Callbacks
from bot.platforms.discord.choices import Choices
from bot.platforms.discord.definitions import definitions
from bot.platforms.discord.desk import Desk
from bot.platforms.discord.endpoint import Endpoint
from bot.platforms.discord.entrance import Entrance
from bot.platforms.discord.gateway import Gateway
from bot.platforms.discord.identity import Marks
from bot.platforms.discord.orders import Orders
from bot.platforms.discord.panels import Panels
from bot.platforms.discord.platform import DiscordPlatform
from bot.platforms.discord.portraits import Portraits
from bot.platforms.discord.receiving import Receiving
from bot.platforms.discord.sessions import Sessions
from bot.platforms.discord.sight import Sight
from bot.platforms.discord.telling import Telling
from core.ports import Clock
from storage.keys import KeyRing
from storage.store import SqliteStore

CONNECTIONS = 256
"""Bounded: one connection for each of 2,000 acknowledgements needs more file descriptors than a process has (measured, 2026-11)."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where Discord is, and who we are there."""

    token: str = field(repr=False)
    api_url: str = "https://discord.com/api/v10"
    gateway_url: str | None = None
    proxy: str | None = field(default=None, repr=False)
    public_key: str | None = None


@dataclass(frozen=True, slots=True)
class Built:
    """The adapter, and its HTTP endpoint where a public key is configured."""

    platform: DiscordPlatform
    endpoint: Endpoint | None
    desk: Desk
    http: aiohttp.ClientSession
    callbacks: Callbacks | None

    async def close(self) -> None:
        """Free the connections."""
        if self.callbacks is not None:
            self.callbacks.close()
        await self.http.close()


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
) -> Built:
    """Build everything; nothing connects before the platform runs. Needs a running loop."""
    http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS), cookie_jar=aiohttp.DummyCookieJar())
    figures = engine.parts.figures
    callbacks = None if at.proxy else Callbacks(at.api_url, CONNECTIONS, AGENT)
    api = DiscordApi(http, at.api_url, at.token, clock, figures, at.proxy, callbacks)
    marks = Marks(keys.derive("discord buttons v1"), keys.derive("discord tokens v1"))
    attachments = Attachments(http, api, at.api_url, at.proxy)
    able = [provider.capabilities for provider in engine.parts.providers.values()]
    offered = verbs(able)
    choices = Choices(engine)
    platform = DiscordPlatform(api, marks, shelf, clock, attachments, Portraits(engine.parts.clips))
    orders = Orders(engine, platform, shelf)
    panels = Panels(engine, marks, orders, choices, Sight(api, clock), offered, retention_days)
    buttons = Buttons(engine, platform, marks, orders, panels, choices)
    desk = Desk(
        engine, api, shelf, doors, orders, buttons, panels, choices, AdminVerbs(engine, admin), attachments, offered
    )
    entrance = Entrance(store, alerts, clock)
    gateway = Gateway(at.token, at.api_url, at.gateway_url, at.proxy, figures, clock, desk.receive, entrance.begin)
    operators = [who.removeprefix("discord:") for who in doors.admins if who.startswith("discord:")]
    alerts.tell_also(Telling(api, operators).tell)
    commands = definitions(offered, shelf, languages(), can_animate=any(each.image for each in able))
    sessions = Sessions(store, clock)
    platform.receiving = Receiving(api, gateway, desk, store, alerts, clock, commands, entrance, sessions)
    endpoint = None if at.public_key is None else Endpoint(desk, at.public_key, clock)
    return Built(platform, endpoint, desk, http, callbacks)
