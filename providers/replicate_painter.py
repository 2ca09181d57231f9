"""Pictures of characters by an image model on Replicate: CHARACTER_MODEL as ``owner/name``, with Replicate's token.

A picture is one call to whoever asks, so this waits where a generator of clips would let the engine wait: within a deadline, by the
process's clock. It is ordered once.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from typing import Any, Final

from core.errors import Garbled, ProviderError, TimedOut, Unavailable, Unclear
from core.money import Price
from core.ports import Clock, Connect, EncodedPicture, Failed, PollAnswer, Portrait, Ready
from providers.downloads import Downloads
from providers.replicate import ID, STOPPED, read_status
from providers.replicate_inputs import read_inputs
from providers.replicate_line import ReplicateLine
from providers.sheets import BadSheet, Sheet, read_sheet

NAME: Final = "replicate"
SHEET: Final = "replicate_painter"
SETTING: Final = "CHARACTER_MODEL"
PICTURE_BYTES: Final = 20 << 20
FIRST_LOOK: Final = 1.0
LONGEST_LOOK: Final = 5.0
FETCHES: Final = 3
KINDS: Final = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"))

log = logging.getLogger("reelay.replicate")


class _Canvas:
    """Holds a picture of at most ``PICTURE_BYTES``."""

    def __init__(self) -> None:
        self.data = bytearray()

    async def write(self, chunk: bytes) -> None:
        """See ``core.ports.Sink``. Raises Garbled for what is larger."""
        if len(self.data) + len(chunk) > PICTURE_BYTES:
            raise Garbled("the picture is too large")
        self.data += chunk


def read_kind(data: bytes) -> str:
    """The MIME type of a picture by its first bytes. Raises Garbled when it is none that is opened here."""
    for start, mime in KINDS:
        if data.startswith(start):
            return mime
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    raise Garbled("the result is no picture")


class ReplicatePainter:
    """Implements ``core.ports.CharacterPainter``."""

    name = NAME

    def __init__(self, line: ReplicateLine, root: str, sheet: Sheet, clock: Clock) -> None:
        """Paints with the first model of ``sheet``. Raises BadSheet unless it has one price for a picture."""
        self._line, self._clock, self._model = line, clock, sheet.models[0]
        self._inputs = read_inputs(SHEET, self._model)
        if self._model.rate.flat is None:
            raise BadSheet(f"{SHEET}.toml, model {self._model.id}: price wants flat, for one picture")
        self._downloads = Downloads(root, line.headers)

    def estimate(self) -> Price:
        """The price of one picture."""
        return Price(self._model.rate.credits(resolution="", audio=False, seconds=0))

    async def paint(self, description: str, references: Sequence[EncodedPicture] = ()) -> Portrait:
        """One picture. Of more references than the model takes the first ones are used.

        Raises Unclear when the order's answer was lost, and also when Replicate was still at work after the deadline and would not stop.
        """
        can = self._model.capabilities
        values: dict[str, Any] = {"prompt": description}
        if references and "references" in self._inputs.slots:
            values["references"] = [await self._line.lent(each) for each in references[: can.reference_images]]
        headers = {"Cancel-After": f"{max(5, math.ceil(can.maximum_seconds))}s"}
        answer = await self._line.submit(self._inputs.path, self._inputs.body(self._inputs.fill(values)), headers)
        prediction = answer.data.get("id") if isinstance(answer.data, dict) else None
        if not isinstance(prediction, str) or not ID.fullmatch(prediction):
            raise Unclear("the answer to a submit names no prediction", status=answer.status)
        data = await self._fetched(await self._painted(prediction))
        return Portrait(data, read_kind(data), NAME, self._model.id)

    async def _painted(self, prediction: str) -> str:
        """Where the picture is. A look that tells nothing is repeated until the deadline."""
        until = self._clock.monotonic() + self._model.capabilities.maximum_seconds
        wait = FIRST_LOOK
        while self._clock.monotonic() < until:
            await self._clock.sleep(wait)
            wait = min(LONGEST_LOOK, wait * 1.5)
            try:
                answer = await self._look(prediction)
            except ProviderError as error:
                log.info("a look at a picture told nothing", extra={"error": type(error).__name__})
                wait = min(max(wait, error.retry_after or 0.0), max(0.0, until - self._clock.monotonic()))
                continue
            if isinstance(answer, Failed):
                raise answer.error
            if isinstance(answer, Ready):
                return answer.artifact.value
        raise await self._given_up(prediction)

    async def _look(self, prediction: str) -> PollAnswer:
        answer = await self._line.ask("GET", f"/v1/predictions/{prediction}", passes=(404, 410))
        if answer.status in (404, 410):
            return Failed(Unavailable("Replicate does not know the prediction", status=answer.status))
        return read_status(answer.data, self._inputs)

    async def _given_up(self, prediction: str) -> ProviderError:
        try:
            answer = await self._line.ask("POST", f"/v1/predictions/{prediction}/cancel")
        except ProviderError:
            return Unclear("a picture took too long, and it could not be stopped")
        if answer.data.get("status") in STOPPED:
            return TimedOut("a picture took too long")
        return Unclear("a picture took too long, and it is still at work")

    async def _fetched(self, address: str) -> bytes:
        """The picture, which was paid: a download that broke is tried again a moment later."""
        for number in range(FETCHES):
            canvas = _Canvas()
            try:
                await self._downloads.fetch(address, canvas)
                return bytes(canvas.data)
            except Unavailable:
                if number == FETCHES - 1:
                    raise
            await self._clock.sleep(FIRST_LOOK)
        raise Garbled("the picture could not be fetched")

    async def check(self) -> str:
        """The token is taken, and the model is there."""
        return await self._line.check(self._inputs.model, self._inputs.described_at)

    async def close(self) -> None:
        """Free the connections."""
        await self._line.close()
        await self._downloads.close()


def connect_painter(settings: Any, world: Connect) -> ReplicatePainter:
    """Connect with REPLICATE_API_TOKEN. Raises BadSheet for a CHARACTER_MODEL that no sheet describes."""
    sheet = read_sheet(SHEET, default=settings.character_model, own=world.scratch, guess=False)
    line = ReplicateLine(settings.replicate_url, settings.replicate_api_token.get_secret_value(), setting=SETTING)
    return ReplicatePainter(line, settings.replicate_url, sheet, world.clock)
