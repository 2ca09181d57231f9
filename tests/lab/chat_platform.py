"""The adapter to the strict fake chat: implements ``core.ports.Platform`` as a real one would, over HTTP or in the same process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, Protocol

import aiohttp

from bot.commands.making import order
from bot.engine.engine import Engine
from bot.engine.words import Words
from core.attachments import Attachment
from core.cards import Card
from core.errors import Forbidden, Gone, PlatformBusy, PlatformError, RequestError, TooLarge, Unreachable, WasDone
from core.jobs import Actor, Place, Receipt
from core.ports import ClipFile, Clock, PlatformLimits
from tests.lab.chat import EDITS, PER_SECONDS, TEXT, UPLOAD_BYTES, AnswerLost, Chat, NotReached, Refused

log = logging.getLogger("reelay.lab.chat")

ENGLISH: Final = Words()
"""Read from its file when the lab is imported, not on a loop."""
LIMITS: Final = PlatformLimits(
    upload_bytes=UPLOAD_BYTES,
    text=TEXT,
    caption=TEXT,
    seconds_between_edits=PER_SECONDS / (EDITS - 1),  # one of five is kept for the clip
    refresh_seconds=10.0,
    buttons=5,
    message_becomes_clip=True,
    idempotent_send=True,
)


class Line(Protocol):
    """A way to the chat."""

    async def call(self, name: str, data: Mapping[str, Any]) -> dict[str, Any]:
        """One call. Raises Refused, AnswerLost or NotReached."""

    async def close(self) -> None:
        """Hang up."""


class HttpLine:
    """Over HTTP to a ``ChatServer``."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._http: aiohttp.ClientSession | None = None

    async def call(self, name: str, data: Mapping[str, Any]) -> dict[str, Any]:
        if self._http is None:
            self._http = aiohttp.ClientSession()
        try:
            async with self._http.post(f"{self._url}/{name}", json=dict(data)) as response:
                answer: dict[str, Any] = await response.json()
                if response.status == 502:
                    raise NotReached
                if response.status != 200:
                    raise Refused(response.status, **answer)
                return answer
        except aiohttp.ClientConnectorError as error:
            raise NotReached from error
        except (aiohttp.ClientError, OSError) as error:
            raise AnswerLost from error

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()


class DirectLine:
    """In the same process, taking ``seconds`` of the loop's time per call."""

    def __init__(self, chat: Chat, seconds: float = 0.05) -> None:
        self._chat, self._seconds = chat, seconds

    async def call(self, name: str, data: Mapping[str, Any]) -> dict[str, Any]:
        await asyncio.sleep(self._seconds)
        while self._chat.deaf:  # noqa: ASYNC110 - a switch in a test's hand
            await asyncio.sleep(0.5)
        return self._chat.do(name, dict(data))

    async def close(self) -> None:
        return


class ChatPlatform:
    """Commands come by ``updates``; a command's own message becomes its card, and then the clip."""

    def __init__(
        self, line: Line, engine: Engine | None, clock: Clock, *, name: str = "chat", limits: PlatformLimits = LIMITS
    ) -> None:
        """``engine`` takes the commands; None for an adapter that only shows."""
        self.name, self.limits = name, limits
        self._line, self._engine, self._clock = line, engine, clock
        self._words = ENGLISH

    async def run(self) -> None:
        after = await self._first_update()
        while True:  # until cancelled; each round waits
            try:
                found = (await self._call("updates", {"after": after}))["updates"]
            except PlatformError:
                found = []
            for update in found:
                await self._take(update)
                after = update["update"]
            await asyncio.sleep(0.05)

    async def _first_update(self) -> int:
        """Where a process before us stopped reading: the last update that became durable."""
        assert self._engine is not None
        sql = "SELECT MAX(CAST(update_id AS INTEGER)) FROM inbox WHERE platform = ?"
        database = self._engine.parts.store.database
        return int(await database.read(lambda c: c.execute(sql, (self.name,)).fetchone()[0]) or 0)

    async def _take(self, update: Mapping[str, Any]) -> None:
        assert self._engine is not None
        place = Place(
            self.name,
            chat=update["chat"],
            visibility="only_owner" if update["only_owner"] else "public",
            details={"update": update["update"]},
        )
        attachment = None
        if update["picture"] is not None:
            attachment = Attachment("picture", "image/jpeg", reference={"picture": update["picture"]})
        try:
            job, is_new = await order(
                self._engine,
                Actor(self.name, update["person"]),
                place,
                update["fields"],
                attachment=attachment,
                update_id=str(update["update"]),
                answers=True,
            )
        except RequestError as error:
            await self._call("send", {"chat": place.chat, "text": self._words.say(error.message_id, **error.values)})
            return
        if is_new:
            _, card = await self._engine.desk.card(job.id)
            try:
                receipt = await self.send(place, card)
            except PlatformError:
                return  # the lane posts it
            await self._engine.parts.store.acknowledged(job.id, receipt)

    # -------------------------------------------------------------------------------------------------------------- the port

    async def send(self, place: Place, card: Card) -> Receipt:
        data = {"chat": place.chat, "only_owner": place.visibility == "only_owner", **self._written(card)}
        if self.limits.idempotent_send:
            data["nonce"] = f"card {card.job_id}"
        return self._receipt(place, await self._call("send", data), "text")

    async def edit(self, receipt: Receipt, card: Card) -> Receipt:
        data = {"message": receipt.message, "credential": receipt.credential, "chat": receipt.place.chat}
        return self._receipt(receipt.place, await self._call("edit", {**data, **self._written(card)}), receipt.kind)

    def room(self, place: Place, receipt: Receipt | None, card: Card, *, is_notice: bool = False) -> float:
        del place, receipt, card, is_notice
        return 0.0

    async def deliver(self, place: Place, receipt: Receipt | None, clip: ClipFile, card: Card) -> Receipt:
        data = {**self._written(card), "chat": place.chat, "bytes": clip.bytes, "original": clip.is_original}
        if receipt is not None and self.limits.message_becomes_clip:
            data |= {"message": receipt.message, "credential": receipt.credential}
            return self._receipt(place, await self._call("edit", data), "media")
        data["only_owner"] = place.visibility == "only_owner"
        if self.limits.idempotent_send:
            data["nonce"] = clip.nonce
        return self._receipt(place, await self._call("send", data), "media")

    async def notify(self, place: Place, receipt: Receipt | None, card: Card) -> None:
        del receipt
        text = self._words.notice(card, card.account_id)
        data = {"chat": place.chat, "only_owner": place.visibility == "only_owner", "text": text}
        if self.limits.idempotent_send:
            data["nonce"] = f"ready {card.job_id}"  # from the job alone: the same when it is said again after a crash
        await self._call("send", data)

    async def delete(self, receipt: Receipt) -> None:
        try:
            await self._call("delete", {"message": receipt.message, "chat": receipt.place.chat})
        except Gone:
            return

    async def open(self, place: Place, attachment: Attachment) -> AsyncIterator[bytes]:
        del place
        answer = await self._call("picture", attachment.reference or {})
        yield bytes.fromhex(answer["data"])

    # ----------------------------------------------------------------------------------------------------------------- small

    def _written(self, card: Card) -> dict[str, Any]:
        lines = self._words.card(card, self._clock.now())
        bar = "" if card.bar is None else f" {round(card.bar * 10) * '▓':░<10}"
        names = ("headline", "facts_line", "money_line", "changed_line", "error_line", "note_line")
        text = "\n".join(
            [str(lines["headline"]), f"{lines['state_line']}{bar}", *(str(lines[n]) for n in names[1:] if lines[n])]
        )
        return {"text": text[:TEXT], "buttons": [action.verb for action in card.actions][: self.limits.buttons]}

    def _receipt(self, place: Place, answer: Mapping[str, Any], kind: Any) -> Receipt:
        seconds = answer.get("editable_seconds")
        until = None if seconds is None else self._clock.now() + int(seconds * 1000)
        return Receipt(place, str(answer["message"]), kind=kind, can_edit_until=until, credential=answer["credential"])

    async def _call(self, name: str, data: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return await self._line.call(name, data)
        except Refused as refusal:
            raise _as_error(refusal) from refusal
        except AnswerLost as error:
            raise Unreachable("the answer was lost", was_done=WasDone.UNKNOWN) from error
        except NotReached as error:
            raise Unreachable("not reached", was_done=WasDone.NO) from error


def _as_error(refusal: Refused) -> PlatformError:
    """What a refusal means. A 500 may have had its effect."""
    facts = refusal.facts
    match refusal.status:
        case 429:
            return PlatformBusy("too fast", retry_after=facts.get("retry_after"))
        case 413:
            return TooLarge("too large", limit=facts.get("limit"))
        case 404:
            return Gone("no such message")
        case 403 | 410 | 400:
            return Forbidden(f"status {refusal.status}")
        case _:
            return Unreachable(f"status {refusal.status}", was_done=WasDone.UNKNOWN)
