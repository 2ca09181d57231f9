"""Every implementation and every fake joins its contract here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from bot.clock import SystemClock
from bot.engine.pictures import StoredPictures
from bot.engine.status import StatusDesk
from bot.engine.words import Bookshelf
from bot.platforms.web.events import Hub
from bot.platforms.web.platform import WebPlatform
from bot.settings import read_settings
from core.jobs import Place
from core.media import MediaToolbox, Rendered, RenderRequest
from core.ports import ClipStore, Connect, Platform, Provider
from core.steps import DefaultLimits
from providers.comfyui import ComfyUI
from providers.local import LocalGenerator
from providers.longcat import LongCat
from providers.omni import connect as connect_omni
from providers.ovi import Ovi
from providers.replicate import connect as connect_replicate
from providers.veo import connect as connect_veo
from storage.database import Database
from storage.folder import FolderClipStore
from storage.store import MIGRATIONS, SqliteStore
from tests.contracts.clip_store import ClipStoreContract
from tests.contracts.platform import PlatformContract
from tests.contracts.provider import ProviderContract
from tests.contracts.store import StoreContract
from tests.contracts.vendor_faults import world
from tests.lab.chat import Chat, ChatServer
from tests.lab.chat_platform import LIMITS, ChatPlatform, DirectLine, HttpLine
from tests.lab.clips import clip_bytes
from tests.lab.comfyui import ComfyUIServer, comfyui
from tests.lab.fal import Fal, ovi
from tests.lab.generator import InstantGenerator, LabGenerator, LabSettings
from tests.lab.longcat import LongCat as LongCatServer
from tests.lab.longcat import selfhosted
from tests.lab.omni import OmniVendor
from tests.lab.replicate import ReplicateVendor
from tests.lab.vendor import Script, Vendor
from tests.lab.veo import Veo as Vertex


class CannedMedia:
    """The media room for the built-in generator: a drawing is a canned clip."""

    async def render(
        self,
        request: RenderRequest,
        destination: Path,
        report: Callable[[float], None] | None = None,
        *,
        deadline: float = 0,
    ) -> Rendered:
        del request, deadline
        if report is not None:
            report(0.5)
        data = await asyncio.to_thread(clip_bytes)
        await asyncio.to_thread(destination.write_bytes, data)
        return Rendered(len(data), 1.0)


class TestLocalGenerator(ProviderContract):
    @pytest.fixture
    def generator(self, tmp_path: Path) -> LocalGenerator:
        clips = FolderClipStore(tmp_path, budget_bytes=None)
        pictures = StoredPictures(clips, cast("MediaToolbox", CannedMedia()))
        world = Connect(SystemClock(), lambda _attempt: None, pictures, tmp_path, None)
        return LocalGenerator(cast("MediaToolbox", CannedMedia()), world, tmp_path / "drawings")

    @pytest.fixture
    async def provider(self, generator: LocalGenerator) -> AsyncIterator[Provider]:
        yield generator
        await generator.close()


class TestLabGenerator(ProviderContract):
    @pytest.fixture
    def vendor(self) -> Iterator[Vendor]:
        with Vendor() as server:
            yield server

    @pytest.fixture
    async def provider(self, vendor: Vendor) -> AsyncIterator[Provider]:
        generator = LabGenerator(LabSettings(url=vendor.url))
        yield generator
        await generator.close()


class TestLabGeneratorThatBillsWhatIsCancelled(TestLabGenerator):
    @pytest.fixture
    def vendor(self) -> Iterator[Vendor]:
        with Vendor(default=Script(stops=False), complete=False) as server:
            yield server

    @pytest.fixture
    async def provider(self, vendor: Vendor) -> AsyncIterator[Provider]:
        generator = LabGenerator(LabSettings(url=vendor.url, cancel=False, progress="elapsed"))
        yield generator
        await generator.close()


class TestComfyUI(ProviderContract):
    @pytest.fixture
    def vendor(self) -> Iterator[ComfyUIServer]:
        with ComfyUIServer() as server:
            yield server

    @pytest.fixture
    async def provider(self, vendor: ComfyUIServer, tmp_path: Path) -> AsyncIterator[ComfyUI]:
        generator = comfyui(vendor.environment(), world(tmp_path))
        yield generator
        await generator.close()
        assert not vendor.oddities


class TestOmni(ProviderContract):
    @pytest.fixture
    async def provider(self, tmp_path: Path) -> AsyncIterator[Provider]:
        with OmniVendor() as server:
            generator = await asyncio.to_thread(
                connect_omni, read_settings(server.environment(), None), world(tmp_path)
            )
            yield generator
            await generator.close()


class TestOvi(ProviderContract):
    @pytest.fixture
    def vendor(self) -> Iterator[Fal]:
        with Fal() as server:
            yield server

    @pytest.fixture
    async def provider(self, vendor: Fal, tmp_path: Path) -> AsyncIterator[Ovi]:
        generator = ovi(vendor.environment(), world(tmp_path))
        yield generator
        await generator.close()
        assert vendor.complaints == []


class TestInstantGenerator(ProviderContract):
    @pytest.fixture
    def provider(self) -> Provider:
        return InstantGenerator(LabSettings(name="instant"))

    async def test_a_ticket_that_is_not_ours_is_no_clip(self, provider: Provider) -> None:
        pytest.skip("it keeps nothing, so every ticket is its own")


class TestLongCat(ProviderContract):
    @pytest.fixture
    def vendor(self) -> Iterator[LongCatServer]:
        with LongCatServer() as server:
            yield server
            assert server.wrong == [], "each side keeps the contract"

    @pytest.fixture
    async def provider(self, vendor: LongCatServer, tmp_path: Path) -> AsyncIterator[Provider]:
        generator = selfhosted(vendor.environment(), world(tmp_path))
        assert isinstance(generator, LongCat)
        yield generator
        await generator.close()


class TestReplicate(ProviderContract):
    @pytest.fixture
    def vendor(self) -> Iterator[ReplicateVendor]:
        with ReplicateVendor() as server:
            yield server

    @pytest.fixture
    async def provider(self, vendor: ReplicateVendor, tmp_path: Path) -> AsyncIterator[Provider]:
        settings = read_settings(vendor.environment(), None)
        found = await asyncio.to_thread(connect_replicate, settings, world(tmp_path))
        yield found
        await found.close()


class TestReplicateByTheList(TestReplicate):
    """Lists where webhooks go, and takes a moment to stop."""

    @pytest.fixture
    def vendor(self) -> Iterator[ReplicateVendor]:
        with ReplicateVendor() as server:
            server.lists_webhooks = server.stops_late = True
            yield server


class TestVeo(ProviderContract):
    @pytest.fixture
    async def provider(self, tmp_path: Path) -> AsyncIterator[Provider]:
        with Vertex(default=Script(seconds=0.0)) as server:
            settings = read_settings(server.environment(), None)
            generator = await asyncio.to_thread(connect_veo, settings, world(tmp_path))
            yield generator
            await generator.close()


class TestStrictChat(PlatformContract):
    @pytest.fixture
    def chat(self) -> Chat:
        return Chat()

    @pytest.fixture
    def platform(self, chat: Chat) -> Platform:
        return ChatPlatform(DirectLine(chat, 0.0), None, SystemClock())

    @pytest.fixture
    def place(self) -> Place:
        return Place("chat", chat="room")

    @pytest.fixture
    def shown(self, chat: Chat) -> Callable[[], list[str]]:
        return lambda: [message.text for message in chat.shown()]


class TestStrictChatOverHttp(TestStrictChat):
    @pytest.fixture
    def server(self) -> Iterator[ChatServer]:
        with ChatServer() as server:
            yield server

    @pytest.fixture
    def chat(self, server: ChatServer) -> Chat:
        server.chat = Chat()
        return server.chat

    @pytest.fixture
    async def platform(self, server: ChatServer, chat: Chat) -> AsyncIterator[Platform]:
        line = HttpLine(server.url)
        yield ChatPlatform(line, None, SystemClock())
        await line.close()


class TestChatWithoutNonces(TestStrictChat):
    @pytest.fixture
    def platform(self, chat: Chat) -> Platform:
        limits = replace(LIMITS, message_becomes_clip=False, idempotent_send=False)
        return ChatPlatform(DirectLine(chat, 0.0), None, SystemClock(), limits=limits)


class RecordingHub(Hub):
    """A hub that remembers which cards stand on the page, as the page itself would; what they say is the job's row."""

    def __init__(self) -> None:
        super().__init__(cast("SqliteStore", None), cast("StatusDesk", None), Bookshelf(), SystemClock())
        self.cards: dict[str, int] = {}

    async def publish(self, account_id: str, job_id: str) -> None:
        del account_id
        self.cards[job_id] = self.cards.get(job_id, 0) + 1

    def gone(self, account_id: str, job_id: str) -> None:
        del account_id
        self.cards.pop(job_id, None)


class TestWebPage(PlatformContract):
    WORDS = ("first words", "second words", "third words")

    @pytest.fixture
    def hub(self) -> RecordingHub:
        return RecordingHub()

    @pytest.fixture
    def platform(self, hub: RecordingHub) -> Platform:
        return WebPlatform(hub)

    @pytest.fixture
    def place(self) -> Place:
        return Place("web", chat="account", visibility="only_owner")

    @pytest.fixture
    def shown(self, hub: RecordingHub) -> Callable[[], list[str]]:
        return lambda: [self.WORDS[min(n, 3) - 1] for n in hub.cards.values()]


class TestFolderClipStore(ClipStoreContract):
    @pytest.fixture
    def clips(self, tmp_path: Path) -> ClipStore:
        return FolderClipStore(tmp_path / "clips", budget_bytes=None)


class TestSqliteStore(StoreContract):
    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[SqliteStore]:
        database = await Database.open(tmp_path / "reelay.db", MIGRATIONS)
        yield SqliteStore(
            database, SystemClock(), DefaultLimits(50, None, None), lambda _p, external: f"gone {external}"
        )
        await database.close()
