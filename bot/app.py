"""The composition root: the only file that builds parts and joins them."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bot.admin_socket import AdminSocket
from bot.clock import SystemClock
from bot.commands.admin import AdminDesk
from bot.commands.doors import Doors
from bot.credentials import wanted_for
from bot.engine.alerts import Alerts
from bot.engine.engine import Engine
from bot.engine.parts import Caps, Parts, Reach, reach_nothing
from bot.engine.pictures import StoredPictures
from bot.engine.status import iso
from bot.engine.words import Bookshelf
from bot.first_look import look
from bot.hooks import VendorHooks
from bot.metrics import Metrics
from bot.platforms.web.accounts import Doorkeeper
from bot.platforms.web.clips import clip_link
from bot.platforms.web.events import Hub
from bot.platforms.web.platform import WebPlatform
from bot.platforms.web.server import WebServer
from bot.platforms.web.site import Site
from bot.premises import premises_of
from bot.setting_list import BY_NAME
from bot.settings import Mistake, Settings, SettingsMistakes
from bot.supervision import Supervision
from core.jobs import Clip
from core.ports import CharacterPainter, Clock, Connect, Platform, Provider, SceneWriter
from core.steps import DefaultLimits
from media.tools import MediaTools
from providers.registry import PAINTERS, REGISTRY, WRITERS, Entry, connect, connect_first, real_name
from providers.sheets import BadSheet
from storage.database import Database
from storage.film_store import FilmStore
from storage.folder import FolderClipStore
from storage.keys import KeyRing
from storage.links import ClipLinks
from storage.lock import InstanceLock
from storage.operating import OperatorStore
from storage.store import MIGRATIONS, SqliteStore

if TYPE_CHECKING:
    from bot.platforms.telegram.building import Address as TelegramAddress

LINK_MS: Final = 24 * 3_600_000
PLATFORM_STOP_SECONDS: Final = 15.0
LAG_SECONDS: Final = 0.1
log = logging.getLogger("reelay")

Connector = Callable[[Settings, Connect], Provider]


@dataclass(frozen=True, slots=True)
class Extras:
    """What the tests add to the real process: generators of their own and points at which to crash."""

    providers: Sequence[tuple[str, Connector]] = ()
    default_provider: str | None = None
    reach: Reach = reach_nothing
    clock: Clock | None = None
    low_water_bytes: int | None = None


class App:
    """The running process. Made by ``open_app``."""

    def __init__(self, settings: Settings, extras: Extras) -> None:
        """Use ``open_app``: building starts nothing, opening does."""
        self.settings, self.extras = settings, extras
        self.clock: Clock = extras.clock or SystemClock()
        self.supervision = Supervision(self.clock)
        self.metrics = Metrics(self.supervision.connected)
        self.started_at = self.clock.now()
        self._stack = contextlib.AsyncExitStack()
        self._platform_tasks: dict[str, asyncio.Task[None]] = {}
        self._lag_task: asyncio.Task[None] | None = None
        self._look_task: asyncio.Task[None] | None = None
        self.ready = False

    async def open(self) -> None:
        """Take the lock, open database and files, connect generators. Raises SettingsMistakes and StorageError kinds."""
        settings, folder = self.settings, self.settings.data_dir.absolute()
        default = self.extras.default_provider or default_generator(
            settings, [name for name, _ in self.extras.providers]
        )
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.lock = InstanceLock.acquire(folder, now=self.clock.now())
        self._stack.callback(self.lock.release)
        self.keys = KeyRing.open(folder, now=self.clock.now())
        self.database = await Database.open(settings.database_path, MIGRATIONS, on_batch=self.metrics.batch)
        self._stack.push_async_callback(self.database.close)
        budget = None if settings.disk_budget is None else settings.disk_budget * 1_000_000_000
        self.clips = FolderClipStore(folder / "clips", budget_bytes=budget)
        self.media = MediaTools(folder / "work")
        await self.media.start()
        self._stack.push_async_callback(self.media.close)
        self.providers = await self._connect(folder)
        paid = not all(provider.capabilities.unpaid for provider in self.providers.values())
        defaults = DefaultLimits(settings.daily_limit, settings.monthly_limit, settings.global_daily_limit(paid=paid))
        self.store = SqliteStore(self.database, self.clock, defaults, self._tombstone)
        self.alerts = Alerts(self.store)
        self.shelf = Bookshelf()
        self.parts = Parts(
            store=self.store,
            clips=self.clips,
            media=self.media,
            clock=self.clock,
            alerts=self.alerts,
            providers=self.providers,
            default_provider=default,
            writer=self.writer,
            plain_writer=self.plain_writer,
            painter=self.painter,
            films=FilmStore(self.store),
            words=self.shelf.words,
            caps=Caps(settings.max_active_jobs, settings.max_waiting_jobs, scenes_of_film=settings.film_parallel),
            figures=self.metrics,
            reach=self.extras.reach,
            link=self._link,
        )
        if self.extras.low_water_bytes is not None:
            self.parts.low_water_bytes = self.extras.low_water_bytes
        self.engine = Engine(
            self.parts, flat_price=settings.flat_cost, retention_days=settings.retention_days, disk_budget=budget
        )
        self.desk = AdminDesk(self.engine, OperatorStore(self.store, self.clock.now), premises_of(self))
        self._build_web(folder)
        if settings.discord_token is not None:
            self._build_discord(settings.discord_token.get_secret_value(), self._doors(paid=paid))
        if settings.telegram_token is not None:
            self._build_telegram(settings.telegram_token.get_secret_value(), self._doors(paid=paid), folder / "work")

    def _doors(self, *, paid: bool) -> Doors:
        may = self.settings.who_may(paid=paid)
        admins = frozenset(map(str, self.settings.admins))
        return Doors(may if isinstance(may, str) else frozenset(map(str, may)), admins)

    async def _connect(self, folder: Path) -> dict[str, Provider]:
        world = Connect(
            clock=self.clock,
            hint=self._hint,
            pictures=StoredPictures(self.clips, self.media),
            scratch=folder,
            media=self.media,
            hook_url=self._hook_url,
        )
        found: dict[str, Provider] = {}
        for name, connector in self.extras.providers:
            found[name] = connector(self.settings, world)
        mistakes = []
        for entry in configured(self.settings):
            try:  # in a thread: a vendor's library takes a second to import, and the loop has other things to do
                found[entry.name] = await asyncio.to_thread(connect, entry, self.settings, world)
            except BadSheet as wrong:
                mistakes.append(sheet_mistake(entry.name, wrong))
        for provider in found.values():
            self._stack.push_async_callback(provider.close)
        try:
            self.writer: SceneWriter = await asyncio.to_thread(connect_first, WRITERS, self.settings, world)
            self._stack.push_async_callback(self.writer.close)
        except BadSheet as wrong:
            mistakes.append(sheet_mistake("SCENES_MODEL", wrong))
        self.plain_writer: SceneWriter = connect_first(WRITERS[-1:], self.settings, world)
        try:
            self.painter: CharacterPainter = await asyncio.to_thread(connect_first, PAINTERS, self.settings, world)
            self._stack.push_async_callback(self.painter.close)
        except BadSheet as wrong:
            mistakes.append(sheet_mistake("CHARACTER_MODEL", wrong))
        if mistakes:
            raise SettingsMistakes(mistakes)
        return found

    def _hook_url(self, hook: str, attempt_id: str) -> str | None:
        """Vendors call only https addresses of the outside."""
        public = self.settings.public_url
        return f"{public}/hooks/{hook}/{attempt_id}" if public is not None and public.startswith("https://") else None

    def _build_web(self, folder: Path) -> None:
        settings = self.settings
        self.hub = Hub(self.store, self.engine.desk, self.shelf, self.clock)
        self.links = ClipLinks(self.keys)
        self.doorkeeper = Doorkeeper(
            self.store,
            self.keys,
            self.clock,
            loopback=settings.on_loopback,
            public_url=settings.public_url,
            open_to_all=settings.web_access == "open",
        )
        self.site = Site(
            engine=self.engine,
            doorkeeper=self.doorkeeper,
            hub=self.hub,
            shelf=self.shelf,
            links=self.links,
            retention_days=settings.retention_days,
            public_url=settings.public_url,
            scratch=folder / "work",
            admin=self.desk,
            admins=frozenset(map(str, settings.admins)),
        )
        self.server = WebServer(self.site, self.clock, self.readiness, self._metrics_text)
        self.server.more_routes.append(VendorHooks(self.providers.values()).add_to)
        web: Platform = WebPlatform(self.hub)
        self.parts.platforms[web.name] = web

    def _build_discord(self, token: str, doors: Doors) -> None:
        """Join Discord. Its library is imported only here: start-up and memory are for whom it is configured."""
        from bot.platforms.discord import building

        settings = self.settings
        found = building.build(
            building.Address(
                token=token,
                api_url=settings.discord_api_url,
                gateway_url=settings.discord_gateway_url,
                proxy=None if settings.discord_proxy is None else settings.discord_proxy.get_secret_value(),
                public_key=settings.discord_public_key,
            ),
            engine=self.engine,
            store=self.store,
            alerts=self.alerts,
            clock=self.clock,
            shelf=self.shelf,
            doors=doors,
            admin=self.desk,
            keys=self.keys,
            retention_days=settings.retention_days,
        )
        self._stack.push_async_callback(found.close)
        self.parts.platforms[found.platform.name] = found.platform
        self.supervision.expect(found.platform.name)
        if found.endpoint is not None:
            self.server.more_routes.append(found.endpoint.add_to)

    def _build_telegram(self, token: str, doors: Doors, scratch: Path) -> None:
        """Join Telegram. Its library is imported only here, as above."""
        from bot.platforms.telegram import building

        found = building.build(
            telegram_address(self.settings, token),
            engine=self.engine,
            store=self.store,
            alerts=self.alerts,
            clock=self.clock,
            shelf=self.shelf,
            doors=doors,
            admin=self.desk,
            keys=self.keys,
            retention_days=self.settings.retention_days,
            scratch=scratch,
        )
        self._stack.push_async_callback(found.close)
        self.parts.platforms[found.platform.name] = found.platform
        self.supervision.expect(found.platform.name)
        if found.endpoint is not None:
            self.server.more_routes.append(found.endpoint.add_to)

    async def start(self) -> int:
        """Run the engine, the platforms and the server; returns the port of the page."""
        await self.engine.start()
        port = await self.server.start(self.settings.http_host, self.settings.http_port)
        for name, platform in self.parts.platforms.items():
            self._platform_tasks[name] = asyncio.create_task(
                self.supervision.run(name, platform), name=f"platform {name}"
            )
        self._lag_task = asyncio.create_task(self._watch_loop(), name="loop lag")
        self._look_task = asyncio.create_task(look(self.providers.values(), self.alerts), name="first look")
        await self._open_admin_socket()
        self.ready = True
        return port

    async def _open_admin_socket(self) -> None:
        try:
            door = await AdminSocket.open(
                self.settings.data_dir, lambda verb, args: self.desk.do(verb, args, actor="operator@socket")
            )
            self._stack.push_async_callback(door.close)
        except OSError as error:  # a file system without sockets: everything else works
            log.warning("reelay admin cannot reach this process", extra={"error": error.strerror})

    async def stop(self) -> None:
        """Stop intake, let uploads end within a bounded time, leave the rest to the next start. Everything opened is closed."""
        self.ready, self.supervision.stopping = False, True
        await self.server.stop()
        for task in (*self._platform_tasks.values(), self._lag_task, self._look_task):
            if task is not None:
                task.cancel()
        await self.engine.stop(10.0)
        if self._platform_tasks:  # they leave notes for the next start, which the store must still take
            await asyncio.wait(self._platform_tasks.values(), timeout=PLATFORM_STOP_SECONDS)
        await self.close()

    async def close(self) -> None:
        """Close what ``open`` opened, in the opposite order."""
        await self._stack.aclose()

    async def _watch_loop(self) -> None:
        while True:  # until cancelled at the stop; each round waits
            before = time.monotonic()
            await asyncio.sleep(LAG_SECONDS)
            self.metrics.loop_lag.observe(max(0.0, time.monotonic() - before - LAG_SECONDS))

    def _hint(self, attempt_id: str) -> None:
        if self.ready:
            self.engine.hint_attempt(attempt_id)

    def _tombstone(self, platform: str, external_id: str) -> str:
        mac = self.keys.derive("forgotten people v1")
        return "forgotten:" + hmac.new(mac, f"{platform}\0{external_id}".encode(), hashlib.sha256).hexdigest()

    def _link(self, clip: Clip) -> str | None:
        if self.settings.public_url is None:
            return None
        return clip_link(self.site, clip, self.settings.public_url, self.clock.now() + LINK_MS)

    async def readiness(self) -> tuple[bool, dict[str, Any]]:
        """Whether every part runs, and what is wrong: part, since when, why."""
        parts = [
            {"part": name, "since": iso(since), "why": why} for name, (since, why) in self.supervision.broken.items()
        ]
        parts += [{"part": name, "since": iso(self.started_at), "why": why} for name, why in self.engine.broken.items()]
        alerts = [
            {"cause": cause, "since": iso(since), "text": text} for cause, since, text in await self.store.alerts()
        ]
        if not self.ready:
            parts.append({"part": "process", "since": iso(self.started_at), "why": "starting or stopping"})
        return not parts, {"status": "ready" if not parts else "not ready", "broken": parts, "alerts": alerts}

    async def _metrics_text(self) -> bytes:
        counts = await self.store.counts()
        self.metrics.jobs_live.clear()
        for key, n in counts["jobs"].items():
            self.metrics.jobs_live.labels(*key.split(" ", 1)).set(n)
        self.metrics.deliveries_open.clear()
        for state, n in counts["deliveries"].items():
            self.metrics.deliveries_open.labels(state).set(n)
        self.metrics.inbox_pending.set(counts["inbox"]["pending"])
        usage = await self.clips.usage()
        self.metrics.clip_bytes.set(usage.bytes)
        self.metrics.clip_files.set(usage.files)
        self.metrics.disk_free.set(await self.clips.free_bytes())
        self.metrics.wal_bytes.set(self.database.wal_bytes())
        self.metrics.open_pages.set(self.hub.open_pages)
        self.metrics.alerts.set(len(await self.store.alerts()))
        return await asyncio.to_thread(self.metrics.text)


def telegram_address(settings: Settings, token: str) -> TelegramAddress:
    """Where Telegram is, and as whom; for whom a token is configured, since this imports its library."""
    from bot.platforms.telegram import building

    proxy, secret = settings.telegram_proxy, settings.telegram_webhook_secret
    return building.Address(
        token=token,
        api_url=settings.telegram_api_url,
        proxy=None if proxy is None else proxy.get_secret_value(),
        is_local=settings.telegram_local_server,
        local_folder=settings.telegram_local_folder,
        webhook_secret=None if secret is None else secret.get_secret_value(),
        public_url=settings.public_url,
    )


def sheet_mistake(name: str, wrong: BadSheet) -> Mistake:
    """The mistake of a generator, or of a setting, whose sheet or workflow cannot be used. It stands where the operator has to look."""
    if wrong.setting is not None and wrong.setting in BY_NAME:
        setting = BY_NAME[wrong.setting]
        return Mistake(wrong.setting, setting.wants, f"{wrong.setting}={setting.example}", str(wrong))
    return Mistake(name, "a model that is described", "a file of the folder models in the data folder", str(wrong))


def configured(settings: Settings) -> list[Entry]:
    """Return the registry's entries that the settings configure, in order of preference."""
    return [entry for entry in REGISTRY if entry.configured(settings)]


def default_generator(settings: Settings, others: Sequence[str] = ()) -> str:
    """Return the generator that is used when a person names none; ``others`` are preferred to the registry's.

    Raises SettingsMistakes when REELAY_PROVIDER names one that is not configured: every order would fail.
    """
    there = [*others, *(entry.name for entry in configured(settings))]
    if settings.provider is None:
        return there[0]
    name = real_name(settings.provider, there)
    if name is None:
        wants, example = " or ".join(there), f"REELAY_PROVIDER={there[0]}"
        text = (
            f"REELAY_PROVIDER is {settings.provider}, which is not configured: {wanted_for(settings.provider, settings)}."
            f" It wants {wants}, for example {example}"
        )
        raise SettingsMistakes([Mistake("REELAY_PROVIDER", wants, example, text)])
    return name


async def open_app(settings: Settings, extras: Extras | None = None) -> App:
    """Open everything durable and connect the generators; ``start`` then runs it. What was opened is closed on failure."""
    app = App(settings, extras or Extras())
    try:
        await app.open()
    except BaseException:
        await app.close()
        raise
    return app


def address(settings: Settings, port: int) -> str:
    """Where a person opens the page."""
    if settings.public_url is not None:
        return settings.public_url
    host = settings.http_host if settings.http_host not in ("0.0.0.0", "::") else "127.0.0.1"  # noqa: S104 - shown, not bound
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
