"""What becomes of every fault of a vendor: the class of the error, and that nothing is submitted twice. One suite for all generators.

A generator joins with a class that says how it and its simulator are made. The simulator is a ``PaidVendor`` (``tests/lab/billing.py``),
whose scripts mean the same for every vendor; how they are said on its wire is its own.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from bot.clock import SystemClock
from core.capabilities import PictureLimits
from core.errors import (
    ContentRefused,
    CredentialsRejected,
    Garbled,
    InvalidRequest,
    ModelRetired,
    NothingSent,
    OutOfFunds,
    OversizedMedia,
    ProviderError,
    RateLimited,
    Unavailable,
    Unclear,
)
from core.ports import Connect, EncodedPicture, Failed, PollAnswer, Provider, Ready, Ticket, Waiting
from tests.contracts.provider import Collector, applied_for, attempt_for
from tests.lab.billing import PaidVendor, Refuse, Script, Take
from tests.lab.clips import clip_bytes

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(600)
DEEP = b"[" * 10_000 + b"]" * 10_000
STRANGE: Mapping[str, tuple[int, str, bytes]] = {
    "a page with 200": (200, "text/html", b"<!doctype html><title>Sorry</title>"),
    "nothing": (200, "application/json", b""),
    "half an object": (200, "application/json", b'{"status": "succe'),
    "a list": (200, "application/json", b"[1, 2, 3]"),
    "a number": (200, "application/json", b"7"),
    "null": (200, "application/json", b"null"),
    "an empty object": (200, "application/json", b"{}"),
    "a very deep one": (200, "application/json", DEEP),
    "a very long one": (200, "application/json", b'{"x": "' + b"x" * (10 << 20) + b'"}'),
}


class Pictures:
    """Pictures of the lab by their keys: every key has one. ``clips``: clips that others go on from."""

    def __init__(self, clips: Mapping[str, bytes] | None = None) -> None:
        self.clips = dict(clips or {})

    def checkout(self, key: str) -> Any:
        raise NotImplementedError(key)

    async def encoded(self, key: str, limits: PictureLimits) -> EncodedPicture:
        return EncodedPicture(PICTURE + key.encode(), limits.mimes[0], 640, 360)

    async def clip(self, key: str, most_bytes: int) -> bytes:
        data = self.clips[key] if key in self.clips else await asyncio.to_thread(clip_bytes)
        assert len(data) <= most_bytes
        return data


def world(folder: Path, *, hints: list[str] | None = None, hook: str | None = None) -> Connect:
    """What a generator gets of the process; ``hints`` collects attempts, ``hook`` is a public address."""
    heard = [] if hints is None else hints
    return Connect(
        clock=SystemClock(),
        hint=heard.append,
        pictures=Pictures(),
        scratch=folder,
        media=None,
        hook_url=lambda name, attempt: None if hook is None else f"{hook}/hooks/{name}/{attempt}",
    )


class Capped(Collector):
    """A sink that takes a megabyte."""

    async def write(self, chunk: bytes) -> None:
        await super().write(chunk)
        if len(self.data) > 1 << 20:
            raise OversizedMedia("too large")


class VendorFaults:
    """Inherit; say how simulator and generator are made. ``refusals``: what each status means to a submit, where it differs."""

    refusals: ClassVar[Mapping[int, type[ProviderError] | tuple[type[ProviderError], ...]]] = {
        400: (InvalidRequest, ContentRefused),
        401: CredentialsRejected,
        402: OutOfFunds,
        403: (CredentialsRejected, OutOfFunds),
        404: ModelRetired,
        422: (InvalidRequest, ContentRefused),
        429: RateLimited,
    }
    lost: ClassVar[Sequence[int]] = (500, 502, 503, 504)
    """Answers to a submit after which nobody knows."""
    paid_by: ClassVar[str] = "attempt"
    """``prompt`` where the wire names no attempt."""
    seconds = 20.0

    def simulator(self) -> PaidVendor:
        """The simulator, not started."""
        raise NotImplementedError

    def connect(self, vendor: PaidVendor, world: Connect, *, key: str | None = None) -> Provider:
        """The generator, by its module's ``connect`` and settings as an operator writes them; ``key``: another than the vendor takes.

        ``read_settings({**vendor.environment(), …}, None)`` makes such settings.
        """
        raise NotImplementedError

    @pytest.fixture
    def vendor(self) -> Iterator[PaidVendor]:
        with self.simulator() as vendor:
            yield vendor

    @pytest.fixture
    async def provider(self, vendor: PaidVendor, tmp_path: Path) -> AsyncIterator[Provider]:
        provider = await asyncio.to_thread(self.connect, vendor, world(tmp_path))  # as the process does
        yield provider
        await provider.close()

    # ------------------------------------------------------------------------------------------------------------------- helpers

    async def ordered(self, provider: Provider, prompt: str = "a lighthouse at dusk", **changes: Any) -> Ticket:
        applied = applied_for(provider, prompt=prompt, **changes)
        return await provider.submit(applied, attempt_for(applied))

    async def refused(self, provider: Provider, prompt: str, **changes: Any) -> ProviderError:
        with pytest.raises(ProviderError) as found:
            await self.ordered(provider, prompt, **changes)
        return found.value

    async def ended(self, provider: Provider, ticket: Ticket) -> PollAnswer:
        until = time.monotonic() + self.seconds
        while True:
            answer = await provider.poll(ticket)
            if not isinstance(answer, Waiting):
                return answer
            assert time.monotonic() < until, "it does not end"
            await asyncio.sleep(0.02)

    async def ready(self, provider: Provider, ticket: Ticket) -> Ready:
        answer = await self.ended(provider, ticket)
        assert isinstance(answer, Ready), answer
        return answer

    # -------------------------------------------------------------------------------------------------------------------- submit

    @pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 422, 429])
    async def test_a_refused_submit_has_its_class_and_costs_nothing(
        self, vendor: PaidVendor, provider: Provider, status: int
    ) -> None:
        vendor.on("lighthouse", Script(submits=[Refuse(status)]))
        error = await self.refused(provider, "a lighthouse at dusk")
        assert isinstance(error, self.refusals[status]), repr(error)
        assert len(vendor.calls("submit")) == 1
        assert not vendor.paid

    @pytest.mark.parametrize("seconds", [7, None])
    async def test_a_rate_limit_says_how_long(
        self, vendor: PaidVendor, provider: Provider, seconds: float | None
    ) -> None:
        vendor.on("lighthouse", Script(submits=[Refuse(429, retry_after=seconds)]))
        error = await self.refused(provider, "a lighthouse at dusk")
        assert isinstance(error, RateLimited)
        assert error.retry_after == seconds
        assert len(vendor.calls("submit")) == 1
        assert not vendor.paid

    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    async def test_a_broken_answer_to_a_submit_leaves_it_unclear(
        self, vendor: PaidVendor, provider: Provider, status: int
    ) -> None:
        vendor.on("lighthouse", Script(submits=[Refuse(status)]))
        error = await self.refused(provider, "a lighthouse at dusk")
        assert isinstance(error, Unclear), repr(error)
        assert len(vendor.calls("submit")) == 1, "it is never repeated"

    @pytest.mark.parametrize("then", ["error", "cut", "garbage"])
    async def test_a_lost_answer_is_unclear_and_paid_once(
        self, vendor: PaidVendor, provider: Provider, then: Any
    ) -> None:
        vendor.on("lighthouse", Script(submits=[Take(then)]))
        error = await self.refused(provider, "a lighthouse at dusk")
        assert isinstance(error, Unclear), repr(error)
        assert list(vendor.paid.values()) == [1]

    async def test_an_answer_that_is_not_waited_for_is_paid_once(self, vendor: PaidVendor, provider: Provider) -> None:
        vendor.on("lighthouse", Script(submits=[Take("hang", 30)]))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(self.ordered(provider), 1.0)
        assert list(vendor.paid.values()) == [1]
        await provider.close()
        gc.collect()  # a connection that was forgotten would warn here
        assert list(vendor.paid.values()) == [1]

    async def test_where_nobody_listens_nothing_was_sent(self, vendor: PaidVendor, provider: Provider) -> None:
        vendor.stop()
        error = await self.refused(provider, "a lighthouse at dusk")
        assert isinstance(error, NothingSent), repr(error)

    async def test_one_order_is_one_submit(self, vendor: PaidVendor, provider: Provider) -> None:
        applied = applied_for(provider)
        attempt = attempt_for(applied)
        await self.ready(provider, await provider.submit(applied, attempt))
        assert dict(vendor.paid) == {attempt.id if self.paid_by == "attempt" else applied.prompt: 1}

    async def test_a_key_that_is_not_taken_is_told_by_check_and_by_submit(
        self, vendor: PaidVendor, tmp_path: Path
    ) -> None:
        provider = await asyncio.to_thread(
            lambda: self.connect(vendor, world(tmp_path), key="wrong-key-000000000000000000")
        )
        try:
            with pytest.raises(CredentialsRejected) as found:
                await provider.check()
            assert "wrong-key" not in str(found.value)
            assert isinstance(await self.refused(provider, "a lighthouse at dusk"), CredentialsRejected)
        finally:
            await provider.close()
        assert not vendor.paid

    async def test_check_spends_nothing_and_says_so_when_nobody_listens(
        self, vendor: PaidVendor, provider: Provider
    ) -> None:
        assert await provider.check()
        assert not vendor.paid
        vendor.stop()
        with pytest.raises(Unavailable):
            await provider.check()

    async def test_a_picture_goes_along(self, vendor: PaidVendor, provider: Provider) -> None:
        if not provider.capabilities.image:
            pytest.skip("it takes no picture")
        await self.ready(provider, await self.ordered(provider, picture="shore"))
        (job,) = vendor.jobs.values()
        assert job.picture == PICTURE + b"shore"

    # ---------------------------------------------------------------------------------------------------------------------- poll

    @pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
    async def test_a_poll_that_fails_tells_nothing(self, vendor: PaidVendor, provider: Provider, status: int) -> None:
        vendor.on("lighthouse", Script(polls=[Refuse(status, retry_after=3)] * 2))
        ticket = await self.ordered(provider)
        for _ in range(2):
            with pytest.raises(ProviderError) as found:
                await provider.poll(ticket)
            assert isinstance(found.value, RateLimited if status == 429 else Unavailable), repr(found.value)
        await self.ready(provider, ticket)
        assert list(vendor.paid.values()) == [1]

    @pytest.mark.parametrize("kind", STRANGE)
    async def test_a_poll_that_cannot_be_understood_tells_nothing(
        self, vendor: PaidVendor, provider: Provider, kind: str
    ) -> None:
        vendor.on("lighthouse", Script(seconds=0.0))
        ticket = await self.ordered(provider)
        vendor.strange.append(STRANGE[kind])
        try:
            answer = await provider.poll(ticket)
        except (Garbled, Unavailable):
            answer = None
        assert answer is None or isinstance(answer, Waiting), answer
        vendor.strange.clear()
        await self.ready(provider, ticket)

    async def test_nobody_at_home_during_a_poll_tells_nothing(self, vendor: PaidVendor, provider: Provider) -> None:
        vendor.on("lighthouse", Script(seconds=0.0))
        ticket = await self.ordered(provider)
        vendor.down = True
        with pytest.raises(Unavailable):
            await provider.poll(ticket)
        vendor.down = False
        await self.ready(provider, ticket)

    async def test_it_waits_while_the_vendor_works(self, vendor: PaidVendor, provider: Provider) -> None:
        vendor.on("lighthouse", Script(seconds=None))
        ticket = await self.ordered(provider)
        for _ in range(3):
            assert isinstance(await provider.poll(ticket), Waiting)
        vendor.finish("lighthouse")
        await self.ready(provider, ticket)

    async def test_a_refused_content_is_told_apart(self, vendor: PaidVendor, provider: Provider) -> None:
        vendor.on("lighthouse", Script(fails="content"))
        answer = await self.ended(provider, await self.ordered(provider))
        assert isinstance(answer, Failed)
        assert isinstance(answer.error, ContentRefused), repr(answer.error)

    async def test_a_failure_of_the_vendor_ends_the_attempt(self, vendor: PaidVendor, provider: Provider) -> None:
        vendor.on("lighthouse", Script(fails="internal"))
        answer = await self.ended(provider, await self.ordered(provider))
        assert isinstance(answer, Failed)
        assert not isinstance(answer.error, ContentRefused | Unclear)

    async def test_a_forgotten_job_ends_the_attempt(self, vendor: PaidVendor, provider: Provider) -> None:
        vendor.on("lighthouse", Script(forgets=True))
        assert isinstance(await self.ended(provider, await self.ordered(provider)), Failed)

    # -------------------------------------------------------------------------------------------------------------------- result

    async def test_the_clip_comes_whole_also_the_second_time(self, vendor: PaidVendor, provider: Provider) -> None:
        ticket = await self.ordered(provider)
        artifact = (await self.ready(provider, ticket)).artifact
        for _ in range(2):
            sink = Collector()
            await provider.fetch(ticket, artifact, sink)
            assert bytes(sink.data) == clip_bytes()

    @pytest.mark.parametrize("kind", ["html", "empty", "gone", "truncated"])
    async def test_what_is_no_clip_is_told_and_can_be_fetched_again(
        self, vendor: PaidVendor, provider: Provider, kind: Any
    ) -> None:
        vendor.on("lighthouse", Script(results=[kind]))
        ticket = await self.ordered(provider)
        artifact = (await self.ready(provider, ticket)).artifact
        sink = Collector()
        with pytest.raises((Garbled, Unavailable)):
            await provider.fetch(ticket, artifact, sink)
        again = (await self.ready(provider, ticket)).artifact
        sink = Collector()
        await provider.fetch(ticket, again, sink)
        assert bytes(sink.data) == clip_bytes()

    async def test_an_endless_result_ends_at_the_sink(self, vendor: PaidVendor, provider: Provider) -> None:
        vendor.on("lighthouse", Script(result="oversized"))
        ticket = await self.ordered(provider)
        artifact = (await self.ready(provider, ticket)).artifact
        with pytest.raises(OversizedMedia):
            await provider.fetch(ticket, artifact, Capped())

    async def test_webm_comes_as_it_is(self, vendor: PaidVendor, provider: Provider) -> None:
        vendor.on("lighthouse", Script(result="webm"))
        ticket = await self.ordered(provider)
        sink = Collector()
        await provider.fetch(ticket, (await self.ready(provider, ticket)).artifact, sink)
        assert bytes(sink.data) == clip_bytes(".webm")

    # -------------------------------------------------------------------------------------------------------------------- cancel

    async def test_what_is_cancelled_ends(self, vendor: PaidVendor, provider: Provider) -> None:
        vendor.on("lighthouse", Script(seconds=None))
        ticket = await self.ordered(provider)
        answer = await provider.cancel(ticket)
        assert answer == ("stopped" if provider.capabilities.cancel else "still billed")
        if answer == "stopped":
            assert isinstance(await self.ended(provider, ticket), Failed)

    async def test_a_cancel_that_comes_too_late_raises_nothing(self, vendor: PaidVendor, provider: Provider) -> None:
        ticket = await self.ordered(provider)
        await self.ready(provider, ticket)
        assert await provider.cancel(ticket) in {"stopped", "still billed"}

    async def test_an_attempt_that_never_came_is_not_found(self, vendor: PaidVendor, provider: Provider) -> None:
        applied = applied_for(provider, prompt="nobody ever ordered this")
        assert await provider.find(applied, attempt_for(applied)) in {"certainly not", "cannot tell"}
        assert not vendor.paid
