"""What is done with each update: which verb it means, and which of our rooms carries it out.

It decides nothing about jobs, money or words.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final, Protocol

from bot.commands.doors import Doors
from bot.commands.verbs import Verb, by_name
from bot.engine.engine import Engine
from bot.engine.words import Bookshelf
from bot.platforms.telegram.answering import Answering
from bot.platforms.telegram.buttons import Buttons
from bot.platforms.telegram.client import Client
from bot.platforms.telegram.films import Films
from bot.platforms.telegram.making import Making
from bot.platforms.telegram.panels import Panels
from bot.platforms.telegram.speaking import Speaking
from bot.platforms.telegram.strays import Strays
from bot.platforms.telegram.wire import Asked, Event, Membership, Moved, Person, Pressed, Said, Spot
from bot.platforms.telegram.wishes import Wish
from core.cards import Message
from core.errors import BadOption, NotFound, ReelayError
from core.jobs import InboxRow

MAKING: Final = frozenset({"video", "animate", "extend", "talk"})
ALWAYS: Final = frozenset({"start", "help", "privacy", "forget"})
"""Whom the operator did not invite may still see, leave and forget their own things."""
HANDLE_SECONDS: Final = 120.0
STALE_SECONDS: Final = 15 * 60
"""A message that waited longer for us is not carried out any more: nobody expects it, and it may cost something."""

log = logging.getLogger("reelay.telegram")


class Admin(Protocol):
    """``/admin``."""

    async def do(self, wish: Wish, said: Said) -> None:
        """Raises RequestError kinds."""


class Inline(Protocol):
    """``@bot words``."""

    async def answer(self, asked: Asked, account_id: str | None) -> None:
        """Raises nothing."""


class Desk:
    """Built by ``building.py``; the inbox hands it each event."""

    def __init__(
        self,
        engine: Engine,
        client: Client,
        speaking: Speaking,
        shelf: Bookshelf,
        doors: Doors,
        making: Making,
        films: Films,
        buttons: Buttons,
        panels: Panels,
        admin: Admin,
        inline: Inline,
        strays: Strays,
        verbs: Iterable[Verb],
        bot_name: Callable[[], str],
    ) -> None:
        """``verbs``: what works with the configured generators. ``bot_name``: our username, once it is known."""
        self._engine, self._client, self._speaking, self._shelf, self._doors = engine, client, speaking, shelf, doors
        self._making, self._buttons, self._panels, self._admin, self._inline = making, buttons, panels, admin, inline
        self._strays, self._films = strays, films
        self._verbs = by_name(verbs)
        self._names = frozenset({*self._verbs, "start", "report", "admin"})
        self._bot_name = bot_name

    # ---------------------------------------------------------------------------------------------------------------- the inbox

    def wants(self, event: Event) -> bool:
        """Whether anything would be done: of what a group says, only what is for us."""
        if not isinstance(event, Said):
            return True
        if event.spot.is_private:
            return bool(event.command or event.text or event.pictures or event.has_other)
        if event.command is not None:
            return event.is_named or event.command in self._names
        return True

    def is_done_once(self, event: Event) -> bool:
        """What an operator does has no key by which a second time would be known: a crash in between leaves it undone."""
        return isinstance(event, Said) and event.command == "admin"

    async def ask(self, asked: Asked) -> None:
        """An inline question."""
        account_id = await self._engine.parts.store.find_account("telegram", asked.person.external_id)
        await self._inline.answer(asked, account_id)

    async def handle(self, event: Event, rows: Sequence[InboxRow]) -> None:
        """Do what the event asks for; whoever asked is told what refuses it."""
        began = self._engine.parts.clock.monotonic()
        match event:
            case Moved():
                await self._speaking.moved(event.old, event.new)
            case Membership():
                log.info("a chat", extra={"is_here": event.is_here, "was_here": event.was_here})
            case Said() | Pressed():
                await self._wish(event, rows)
                parts = self._engine.parts
                parts.figures.acknowledged("telegram", parts.clock.monotonic() - began)
                await self._strays.look(event.spot, event.target)

    async def _wish(self, event: Said | Pressed, rows: Sequence[InboxRow]) -> None:
        words = self._shelf.words(event.person.language)
        message_id = event.message_id if isinstance(event, Said) else None
        answer = Answering(
            self._client,
            self._speaking,
            event.person,
            event.spot,
            words,
            message_id=message_id,
            query_id=event.query_id if isinstance(event, Pressed) else None,
            bot_name=self._bot_name(),
        )
        kind = "message" if isinstance(event, Said) else "button"
        async with answer:
            try:
                if self._engine.parts.clock.now() - rows[0].received_at > STALE_SECONDS * 1000:
                    raise NotFound("a wish from long ago", message_id="error.too_late")
                self._check_door(event)
                account_id = await self._engine.parts.store.find_account("telegram", event.person.external_id)
                is_operator = self._doors.is_admin("telegram", str(event.person.id))
                wish = Wish(event.person, event.spot, words, answer, rows, account_id, is_operator, message_id)
                async with asyncio.timeout(HANDLE_SECONDS):
                    await (self._buttons.press(wish, event) if isinstance(event, Pressed) else self._said(wish, event))
                self._count(kind, "answered")
            except ReelayError as error:
                self._count(kind, "refused")
                now = self._engine.parts.clock.now()
                await answer.refuse(words.text(Message(error.message_id, error.values), now))
            except Exception:
                self._count(kind, "broke")
                log.exception("an update broke", extra={"kind": kind})
                await answer.refuse(words.say("error.internal"))

    def _count(self, kind: str, outcome: str) -> None:
        self._engine.parts.figures.command("telegram", kind, outcome)

    def _check_door(self, event: Said | Pressed) -> None:
        """Raise NotAllowed for whom the operator did not invite."""
        if isinstance(event, Said) and event.command in ALWAYS:
            return
        if isinstance(event, Pressed) and self._buttons.is_always(event):
            return
        self._doors.check("telegram", str(event.person.id), subjects_of(event.person, event.spot))

    # ---------------------------------------------------------------------------------------------------------------- messages

    async def _said(self, wish: Wish, said: Said) -> None:
        if self._engine.parts.clock.now() / 1000 - said.date > STALE_SECONDS:
            raise NotFound("an old message", message_id="error.too_late")
        name = said.command
        if name is None:
            await self._plain(wish, said)
        elif name in MAKING and name in self._verbs:
            self._check_other(said)
            await self._making.make(wish, said, name)
        elif name == "film" and name in self._verbs:
            await self._films.make(wish, said)
        elif name == "start" and self._films.is_question(said.text):
            self._doors.check("telegram", str(said.person.id), subjects_of(said.person, said.spot))
            await self._films.ask_again(wish, said.text)
        elif name == "admin":
            await self._admin.do(wish, said)
        elif name in self._verbs or name in ("start", "report"):
            run: Callable[[Wish, Said], Awaitable[None]] = getattr(self._panels, name)
            await run(wish, said)
        else:
            raise BadOption("command", f"/{name}", ", ".join(self._verbs), message_id="error.unknown_command")

    async def _plain(self, wish: Wish, said: Said) -> None:
        """Words or pictures without a command: an answer to a question of ours, or, in private, an order."""
        if (
            said.target is not None
            and said.target.is_ours
            and said.target.links
            and (await self._films.form(wish, said) or await self._making.form(wish, said))
        ):
            return
        if not said.spot.is_private:
            return
        self._check_other(said)
        await self._making.make(wish, said, "video")

    @staticmethod
    def _check_other(said: Said) -> None:
        """Raise BadOption for a film or a file: words under it were not meant as an order without it."""
        if said.has_other:
            raise BadOption("image_file", "", "", message_id="error.not_a_picture")


def subjects_of(person: Person, spot: Spot | None) -> list[str]:
    """As whom somebody may be invited."""
    subjects = [f"telegram:user:{person.id}"]
    if spot is not None and spot.chat is not None:
        subjects.append(spot.chat)
    return subjects
