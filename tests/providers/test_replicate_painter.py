"""The painter of characters over Replicate, against the simulator; its clock does not wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot.settings import Settings, read_settings
from core.errors import (
    ContentRefused,
    CredentialsRejected,
    Garbled,
    ModelRetired,
    NothingSent,
    OutOfFunds,
    ProviderError,
    RateLimited,
    TimedOut,
    Unavailable,
    Unclear,
)
from core.ports import EncodedPicture
from providers.registry import PAINTERS
from providers.replicate_painter import ReplicatePainter, connect_painter, read_kind
from providers.sheets import BadSheet
from tests.contracts.vendor_faults import PICTURE, world
from tests.lab.billing import Refuse, Result, Script, Take
from tests.lab.replicate import PNG, ReplicateVendor

MODEL = "google/nano-banana-2"


@dataclass(slots=True)
class QuickClock:
    """Time goes on only while somebody sleeps, and then at once."""

    seconds: float = 0.0
    then: Callable[[], None] = lambda: None

    def now(self) -> int:
        return int(self.seconds * 1000)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self.then()
        await asyncio.sleep(0)


@pytest.fixture
def vendor() -> Iterator[ReplicateVendor]:
    with ReplicateVendor(default=Script(seconds=0.0)) as server:
        yield server


@pytest.fixture
def clock() -> QuickClock:
    return QuickClock()


def settings_of(vendor: ReplicateVendor, model: str = MODEL) -> Settings:
    return read_settings({**vendor.environment(), "CHARACTER_MODEL": model}, None)


@pytest.fixture
async def painter(vendor: ReplicateVendor, clock: QuickClock, tmp_path: Path) -> AsyncIterator[ReplicatePainter]:
    place = replace(world(tmp_path), clock=clock)
    found = await asyncio.to_thread(lambda: connect_painter(settings_of(vendor), place))
    yield found
    await found.close()


async def test_a_picture_from_words(vendor: ReplicateVendor, painter: ReplicatePainter) -> None:
    portrait = await painter.paint("a keeper in a yellow coat")
    assert (portrait.data, portrait.mime, portrait.painter, portrait.model) == (PNG, "image/png", "replicate", MODEL)
    ((path, body, headers),) = vendor.orders
    assert path == f"/v1/models/{MODEL}/predictions"
    assert body == {"input": {"prompt": "a keeper in a yellow coat", "aspect_ratio": "1:1", "output_format": "png"}}
    assert headers["Cancel-After"] == "180s"
    assert painter.estimate().credits == 8
    assert painter.name == "replicate"


async def test_a_picture_from_pictures(vendor: ReplicateVendor, painter: ReplicatePainter) -> None:
    small = EncodedPicture(PICTURE, "image/png", 640, 360)
    large = EncodedPicture(PICTURE.ljust(300_000, b"\0"), "image/png", 640, 360)
    await painter.paint("a keeper", [small, large, *[small] * 14])
    (job,) = vendor.jobs.values()
    assert len(job.references) == 14, "as many as the model takes"
    assert job.references[:2] == (small.data, large.data)
    assert len(vendor.files) == 1


async def test_it_waits_by_the_clock_and_bears_looks_that_tell_nothing(
    vendor: ReplicateVendor, painter: ReplicatePainter, clock: QuickClock
) -> None:
    vendor.on("keeper", Script(seconds=30.0, polls=[Refuse(503), Refuse(429), Refuse(401)]))
    clock.then = lambda: setattr(vendor, "ahead", clock.seconds)
    assert (await painter.paint("a keeper")).data == PNG
    assert 30 <= clock.seconds < 45
    assert len(vendor.orders) == 1
    assert len(vendor.calls("poll")) < 15


@pytest.mark.parametrize(
    "status, kind",
    [
        (401, CredentialsRejected),
        (402, OutOfFunds),
        (404, ModelRetired),
        (429, RateLimited),
        (500, Unclear),
        (503, Unclear),
    ],
)
async def test_a_refusal_is_ordered_once(
    vendor: ReplicateVendor, painter: ReplicatePainter, status: int, kind: type[ProviderError]
) -> None:
    vendor.on("keeper", Script(submits=[Refuse(status)]))
    with pytest.raises(kind) as found:
        await painter.paint("a keeper")
    assert type(found.value) is kind
    assert found.value.facts.get("setting") == ("CHARACTER_MODEL" if status == 404 else None)
    assert len(vendor.orders) == 1
    assert not vendor.paid


@pytest.mark.parametrize("then", ["cut", "error", "garbage"])
async def test_a_lost_answer_is_unclear(vendor: ReplicateVendor, painter: ReplicatePainter, then: str) -> None:
    vendor.on("keeper", Script(submits=[Take(then)]))  # type: ignore[arg-type]
    with pytest.raises(Unclear):
        await painter.paint("a keeper")
    assert list(vendor.paid.values()) == [1]


async def test_where_nobody_listens_nothing_was_sent(vendor: ReplicateVendor, painter: ReplicatePainter) -> None:
    vendor.stop()
    with pytest.raises(NothingSent):
        await painter.paint("a keeper")


@pytest.mark.parametrize("fails, kind", [("content", ContentRefused), ("internal", Unavailable), ("aborted", TimedOut)])
async def test_a_failure_has_its_class(
    vendor: ReplicateVendor, painter: ReplicatePainter, fails: str, kind: type[ProviderError]
) -> None:
    vendor.on("keeper", Script(seconds=0.0, fails=fails))
    with pytest.raises(kind):
        await painter.paint("a keeper")


async def test_a_forgotten_picture_is_not_waited_for(
    vendor: ReplicateVendor, painter: ReplicatePainter, clock: QuickClock
) -> None:
    vendor.on("keeper", Script(forgets=True))
    with pytest.raises(Unavailable):
        await painter.paint("a keeper")
    assert clock.seconds == 1.0


@pytest.mark.parametrize("stops, kind", [(True, TimedOut), (False, Unclear)])
async def test_after_the_deadline_it_is_stopped_or_in_doubt(
    vendor: ReplicateVendor, painter: ReplicatePainter, clock: QuickClock, stops: bool, kind: type[ProviderError]
) -> None:
    vendor.on("keeper", Script(seconds=None, stops=stops))
    with pytest.raises(kind) as found:
        await painter.paint("a keeper")
    assert type(found.value) is kind
    assert 180 <= clock.seconds < 186
    assert len(vendor.calls("cancel")) == 1
    assert list(vendor.paid.values()) == [1]


@pytest.mark.parametrize("result", ["html", "garbage", "empty", "gone", "oversized", "webm"])
async def test_what_is_no_picture_is_told(vendor: ReplicateVendor, painter: ReplicatePainter, result: Result) -> None:
    vendor.on("keeper", Script(seconds=0.0, result=result))
    with pytest.raises(Garbled):
        await painter.paint("a keeper")
    assert len(vendor.orders) == 1


async def test_a_download_that_breaks_is_tried_again(vendor: ReplicateVendor, painter: ReplicatePainter) -> None:
    vendor.on("keeper", Script(seconds=0.0, results=["truncated"] * 3, result="garbage"))
    with pytest.raises(Unavailable):
        await painter.paint("a keeper")
    assert len(vendor.calls("fetch")) == 3


async def test_check_spends_nothing_and_names_its_setting(vendor: ReplicateVendor, painter: ReplicatePainter) -> None:
    assert await painter.check() == f"the key is taken, and {MODEL} is there"
    vendor.retired.add(MODEL)
    with pytest.raises(ModelRetired, match="set CHARACTER_MODEL"):
        await painter.check()
    assert not vendor.orders


@pytest.mark.parametrize(
    "environment, name",
    [({}, "replicate"), ({"CHARACTER_MODEL": "gemini-3-pro-image"}, "local"), ({"REPLICATE_API_TOKEN": ""}, "local")],
)
def test_it_paints_where_the_model_is_one_of_replicate(
    vendor: ReplicateVendor, environment: dict[str, str], name: str
) -> None:
    settings = read_settings({**vendor.environment(), "CHARACTER_MODEL": MODEL, **environment}, None)
    assert next(maker.name for maker in PAINTERS if maker.configured(settings)) == name


def test_a_model_that_nothing_describes_is_a_mistake_at_start(vendor: ReplicateVendor, tmp_path: Path) -> None:
    with pytest.raises(BadSheet, match=r"somebody/new.*models/replicate_painter\.toml of the data folder"):
        connect_painter(settings_of(vendor, "somebody/new"), world(tmp_path))


def test_a_price_is_for_one_picture(vendor: ReplicateVendor, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    own = f'[[models]]\nid = "{MODEL}"\nprice = {{ per_second = {{ "720p" = 1, "1080p" = 1 }} }}'
    (tmp_path / "models/replicate_painter.toml").write_text(own)
    with pytest.raises(BadSheet, match="price wants flat"):
        connect_painter(settings_of(vendor), world(tmp_path))


@pytest.mark.parametrize(
    "start, mime",
    [(PNG, "image/png"), (b"\xff\xd8\xff\xe0", "image/jpeg"), (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp")],
)
def test_the_kind_of_a_picture_is_read_from_it(start: bytes, mime: str) -> None:
    assert read_kind(start + bytes(20)) == mime


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"RIFF\0\0\0\0AVI ", b"<svg/>"])
def test_what_is_no_picture_that_is_opened_here(data: bytes) -> None:
    with pytest.raises(Garbled):
        read_kind(data)
