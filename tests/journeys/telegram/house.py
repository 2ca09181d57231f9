"""Reelay between the lab's Telegram and a vendor: one process for many tests, and for each test groups and people of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.journeys.chat_house import ChatHouse, Maker
from tests.lab.telegram import Chat, Person, Place, Seen, Telegram
from tests.lab.vendor import Vendor
from tests.lab.waiting import until

CARD_SECONDS = 30.0
EDIT_SECONDS = 5.1
"""So far apart are two edits of a message that only move its bar."""


class House(ChatHouse):
    """Everything is counted from ``open``, which each test has to itself: what was before it is not seen by it."""

    def __init__(
        self,
        telegram: Telegram,
        vendor: Vendor,
        make: Maker,
        folder: Path,
        *,
        environ: dict[str, str] | None = None,
        generators: Sequence[dict[str, Any]] = (),
        shared: bool = False,
        paced: bool = True,
    ) -> None:
        """See ``ChatHouse``. Not ``paced``: neither side counts messages, for what is not about their pace."""
        self.telegram, self._paced = telegram, paced
        self.telegram.queue.slowing = False
        self.olga = telegram.add_person("olga", started=True)
        """The operator."""
        settings = {
            "TELEGRAM_TOKEN": telegram.token,
            "TELEGRAM_API_URL": telegram.api_url,
            "REELAY_ALLOWED": "open",
            "REELAY_ADMINS": f"telegram:{self.olga.id}",
        }
        if not paced:
            settings["LAB_UNPACED"] = "1"
        super().__init__(vendor, make, folder, environ=settings | (environ or {}), generators=generators, shared=shared)
        self.open()

    def open(self) -> None:
        """A new test begins: no fault of an earlier one is left, and it starts to count here."""
        self.telegram.door.faults.rules.clear()
        self.telegram.door.latency.clear()
        self.telegram.shelf.upload_limit = None
        self.telegram.limits.on = self._paced
        self.ada = self.telegram.add_person("ada", started=True)
        self.bob = self.telegram.add_person("bob", started=True)
        self.room = self.telegram.add_supergroup("Cinema", self.bob, self.ada)
        self._began = self.telegram.clock()
        super().open()

    # ------------------------------------------------------------------------------------------------------------- the process

    def wait_connected(self) -> None:
        """Wait for its poll."""
        until(lambda: self.telegram.queue.polls == 1, 30, "the poll")

    def later(self, seconds: float) -> None:
        """Let time pass for Telegram as well."""
        self.telegram.clock.advance(seconds)  # first: who is allowed to speak by our time is allowed to by theirs
        super().later(seconds)

    def next_edit(self, *cards: Seen, seconds: float = EDIT_SECONDS) -> None:
        """Time passes, at least as much as lies between two edits of a message; wait until each of these was edited."""
        shown = [len(card.message.history) for card in cards]
        self.later(seconds)
        until(
            lambda: all(len(card.message.history) > n for card, n in zip(cards, shown, strict=True)),
            40,
            "the next edit",
        )

    # -------------------------------------------------------------------------------------------------------------- what is done

    def video(self, prompt: str, place: Place | Chat | None = None, person: Person | None = None) -> Seen:
        """Ask for a clip, in private by words alone; returns the card."""
        who = person or self.ada
        said = who.say(prompt if place is None else f"/video@{self.telegram.bot.username} {prompt}", place)
        return self.card_of(said, who, place)

    def running(self, prompt: str = "whale", place: Place | Chat | None = None, *, fails: str | None = None) -> Seen:
        """A clip whose generator waits for ``vendor.finish``; its card tells that it is drawn."""
        self.script(prompt, seconds=None, fails=fails)
        card = self.video(prompt, place)
        until(lambda: self.submitted(prompt), what="the submit")
        self.in_time(lambda: "Rendering" in self.now(card).text, EDIT_SECONDS, what="the first edit")
        return card

    def card_of(
        self, said: Seen, person: Person | None = None, place: Place | Chat | None = None, seconds: float = CARD_SECONDS
    ) -> Seen:
        """Wait for what answers a message."""
        who = person or self.ada
        return until(
            lambda: next((each for each in who.received(place) if each.reply_to == said.id), None), seconds, "the card"
        )  # type: ignore[return-value]

    def now(self, card: Seen) -> Seen:
        """A message as it is now."""
        found = self.ada.look(card)
        assert found is not None
        return found

    def shows(self, card: Seen, words: str, seconds: float = CARD_SECONDS) -> Seen:
        """Wait until a message says ``words``."""
        until(lambda: words in self.now(card).text, seconds, f"{words!r} in the card")
        return self.now(card)

    def tells(self, card: Seen, words: str, seconds: float = CARD_SECONDS) -> Seen:
        """The same of a message that was edited a moment ago: the pause till its next edit passes quickly."""
        self.in_time(lambda: words in self.now(card).text, EDIT_SECONDS, seconds, f"{words!r} in the card")
        return self.now(card)

    def clip_of(self, card: Seen, seconds: float = CARD_SECONDS) -> Seen:
        """Wait until a message has become a clip."""
        until(lambda: self.now(card).clip is not None, seconds, "the clip")
        return self.now(card)

    def clips_in(self, place: Place | Chat | None = None, person: Person | None = None) -> list[Seen]:
        """The clips that the bot has posted there."""
        return [each for each in (person or self.ada).received(place) if each.clip is not None]

    # --------------------------------------------------------------------------------------------- what came of it, in this test

    def update_of(self, said: Seen) -> str:
        """The number of the update that told of a message."""
        for each in self.telegram.queue.told:
            payload = each.payload
            if (
                each.kind == "message"
                and payload["message_id"] == said.id
                and payload["chat"]["id"] == said.message.chat.id
            ):
                return str(each.id)
        raise LookupError("no update told of it")

    def job_of(self, said: Seen) -> dict[str, Any]:
        """The row of the job that a message made."""
        return self.job_of_update("telegram", f"{self.telegram.bot.id}:{self.update_of(said)}")

    def requests(self, method: str | None = None, status: int | None = None) -> list[dict[str, Any]]:
        """Requests to Telegram, as its journal has them."""
        return [line for line in self.telegram.journal.requests(method, status) if line["at"] >= self._began]

    def behaved(self) -> None:
        """Telegram has nothing to complain about, and nothing leaked."""
        assert self.telegram.complaints() == []
        assert "Traceback" not in self.reelay.text
        assert self.telegram.token not in self.reelay.text
        assert self.telegram.token.partition(":")[2] not in self.reelay.text
