"""What Telegram shows of the bot before anybody writes: its menus by scope and language, and what it says about itself.

Sent only where something changed since the last time. A note keeps what was sent, so that the menu of a language or of an operator that is
no more is taken away again. Telegram offers everybody the narrowest scope that has something, and within it their own language before the
menu without one, which is the English one (core.telegram.org/bots/features, "Command Scopes", 2026-11). A menu forbids nobody anything:
who may do what is decided when a command comes.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal, NamedTuple

from telegram import BotCommandScope, BotCommandScopeChat
from telegram.error import BadRequest, InvalidToken, TelegramError

from bot.commands.verbs import Verb
from bot.engine.words import Bookshelf, Words
from bot.platforms.telegram.client import Client
from bot.platforms.telegram.transport import TooFast
from core.cards import shorten
from storage.store import SqliteStore

COMMANDS_MOST: Final = 100
COMMAND_DESCRIPTION_MOST: Final = 256
DESCRIPTION_MOST: Final = 512
SHORT_DESCRIPTION_MOST: Final = 120
DEADLINE_SECONDS: Final = 60.0
WAIT_SECONDS: Final = 30.0
"""A longer 429 is left to the next start."""
TRIES: Final = 3
NOTE: Final = "menus"
WITHOUT_LANGUAGE: Final = "en"
"""What is shown to everybody whose language has no catalogue."""
NOT_IN_GROUPS: Final = frozenset({"verb.settings", "verb.examples", "verb.forget"})
"""Verbs about nothing but somebody's own things."""
UNSURE: Final = ""
"""Instead of a digest: a call was begun, and nobody knows yet what came of it."""
_COMMAND: Final = re.compile(r"[a-z0-9_]{1,32}")
_LANGUAGE: Final = re.compile(r"[a-z]{2}")

Scope = Literal["default", "all_private_chats", "all_group_chats", "all_chat_administrators", "chat"]
Word = Literal["description", "short_description"]

log = logging.getLogger("reelay.telegram")


class Slot(NamedTuple):
    """Where Telegram keeps one of these: it overwrites what stands there. ``chat``: of the scope ``chat`` only."""

    kind: Scope | Word
    language: str | None
    chat: int | None = None


@dataclass(frozen=True, slots=True)
class Menu:
    """What is offered after a slash in one scope, to those with that language; None: to those without a menu of their own."""

    scope: Scope
    language: str | None
    commands: tuple[tuple[str, str], ...]
    """(command, description)"""
    chat: int | None = None

    @property
    def slot(self) -> Slot:
        """Where it is kept."""
        return Slot(self.scope, self.language, self.chat)

    async def put(self, client: Client) -> None:
        """Raises TelegramError."""
        await client.set_my_commands(self.commands, _scope(self.slot), self.language)


@dataclass(frozen=True, slots=True)
class About:
    """What the bot says of itself: in an empty chat (description), on its profile and with its link (short description)."""

    word: Word
    language: str | None
    text: str

    @property
    def slot(self) -> Slot:
        """Where it is kept."""
        return Slot(self.word, self.language)

    async def put(self, client: Client) -> None:
        """Raises TelegramError."""
        if self.word == "description":
            await client.set_my_description(self.text, self.language)
        else:
            await client.set_my_short_description(self.text, self.language)


Shown = Menu | About


# -------------------------------------------------------------------------------------------------------------------- what is wanted


def menus(verbs: Sequence[Verb], shelf: Bookshelf, languages: Sequence[str], operators: Sequence[int]) -> list[Menu]:
    """Every menu, in each of the languages (the catalogues' names); ``operators``: Telegram's ids of persons."""
    everything = list(dict.fromkeys([*(f"verb.{verb.name}" for verb in verbs if not verb.admin), "verb.report"]))
    in_groups = [each for each in everything if each not in NOT_IN_GROUPS]
    scopes: list[tuple[Scope, int | None, list[str], bool]] = [
        ("default", None, in_groups, False),  # wherever no other scope holds
        ("all_private_chats", None, everything, False),
        ("all_group_chats", None, in_groups, False),
        ("all_chat_administrators", None, in_groups, True),
        *(("chat", operator, everything, True) for operator in dict.fromkeys(operators)),
    ]
    return [
        Menu(scope, language, _commands(ids, words, admin=admin), chat)
        for scope, chat, ids, admin in scopes
        for language, words in _spoken(shelf, languages)
    ]


def abouts(shelf: Bookshelf, languages: Sequence[str]) -> list[About]:
    """What the bot says of itself, in each of the languages."""
    return [
        about
        for language, words in _spoken(shelf, languages)
        for about in (
            About("description", language, _within(words.say("telegram.description"), DESCRIPTION_MOST)),
            About("short_description", language, _within(words.say("telegram.short_description"), SHORT_DESCRIPTION_MOST)),
        )
    ]  # fmt: skip


def _spoken(shelf: Bookshelf, languages: Iterable[str]) -> list[tuple[str | None, Words]]:
    """Telegram knows languages by two letters: of ``pt_BR`` and ``pt_PT`` the first one speaks for both."""
    found: dict[str | None, Words] = {None: shelf.words(WITHOUT_LANGUAGE)}
    for language in languages:
        letters = re.split("[-_]", language)[0].lower()
        if letters != WITHOUT_LANGUAGE and _LANGUAGE.fullmatch(letters):
            found.setdefault(letters, shelf.words(language))
    return list(found.items())


def _commands(ids: Iterable[str], words: Words, *, admin: bool) -> tuple[tuple[str, str], ...]:
    extra = ["verb.admin"] if admin else []
    fit = [each for each in ids if _COMMAND.fullmatch(_name(each))]
    kept = fit[: COMMANDS_MOST - len(extra)] + extra
    return tuple((_name(each), _within(words.say(each), COMMAND_DESCRIPTION_MOST)) for each in kept)


def _name(message_id: str) -> str:
    return message_id.removeprefix("verb.")


def _within(text: str, most: int) -> str:
    return text if len(text) <= most else shorten(text, most)  # which would make a space of French's unbreakable ones


# --------------------------------------------------------------------------------------------------------------------------- sending


async def send(client: Client, store: SqliteStore, wanted: Sequence[Shown]) -> bool:
    """Make Telegram show exactly ``wanted``; returns whether anything was sent. What fails is tried again at the next start.

    Takes ``DEADLINE_SECONDS`` at most. Raises InvalidToken, and StorageError.
    """
    bot = client.token.partition(":")[0]
    noted = _read(await store.remembered("telegram", NOTE), bot)
    by_slot = {each.slot: each for each in wanted}
    due = [each for slot, each in by_slot.items() if noted.get(slot) != _digest(each)]
    gone = [slot for slot in noted if slot not in by_slot]
    if not due and not gone:
        return False
    sending = _Sending(client, noted | dict.fromkeys([*(each.slot for each in due), *gone], UNSURE))
    # Before the first call as well: a process that dies between a call and its note still knows that there may be something.
    await store.remember("telegram", NOTE, _written(bot, sending.noted))
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            await sending.run(due, gone)
    except TimeoutError:
        sending.failures.append("deadline")
    await store.remember("telegram", NOTE, _written(bot, sending.noted))
    if sending.failures:
        why = ", ".join(sorted(set(sending.failures)))
        log.error("not every menu could be sent", extra={"why": why, "failures": len(sending.failures)})
    if sending.done:
        log.info("menus sent", extra={"calls": sending.done})
    return sending.done > 0


class _Sending:
    """One round of calls, one after the other."""

    def __init__(self, client: Client, noted: dict[Slot, str]) -> None:
        self._client, self.noted = client, noted
        self._strangers: set[int] = set()
        """Chats that Telegram does not know, or not with this bot: an operator who has never written to it."""
        self.done = 0
        self.failures: list[str] = []
        """Kinds."""

    async def run(self, due: Iterable[Shown], gone: Iterable[Slot]) -> None:
        """Stops where Telegram asks for a longer pause than we have."""
        try:
            for each in due:
                if await self._make(partial(each.put, self._client), each.slot):
                    self.noted[each.slot] = _digest(each)
            for slot in gone:
                if await self._make(partial(_clear, self._client, slot), slot):
                    del self.noted[slot]
        except TooFast as error:
            self.failures.append(type(error).__name__)

    async def _make(self, call: Callable[[], Awaitable[None]], slot: Slot) -> bool:
        """Whether it was done. Raises InvalidToken, TooFast."""
        if slot.chat in self._strangers:
            self.noted.pop(slot)
            return False
        try:
            await _patiently(call)
        except (InvalidToken, TooFast):
            raise
        except TelegramError as error:
            if slot.chat is not None and isinstance(error, BadRequest) and "not found" in error.message.lower():
                self._strangers.add(slot.chat)
                self.noted.pop(slot)
            else:
                self.failures.append(type(error).__name__)
            return False
        self.done += 1
        return True


async def _patiently(call: Callable[[], Awaitable[None]]) -> None:
    """Raises TooFast where waiting would take too long or does not help."""
    for _ in range(TRIES - 1):
        try:
            return await call()
        except TooFast as error:
            if error.seconds > WAIT_SECONDS:
                raise
            await asyncio.sleep(error.seconds)
    return await call()


async def _clear(client: Client, slot: Slot) -> None:
    match slot.kind:
        case "description":
            await client.set_my_description("", slot.language)
        case "short_description":
            await client.set_my_short_description("", slot.language)
        case _:
            await client.delete_my_commands(_scope(slot), slot.language)


def _scope(slot: Slot) -> BotCommandScope:
    return BotCommandScope(slot.kind) if slot.chat is None else BotCommandScopeChat(slot.chat)


# -------------------------------------------------------------------------------------------------------------------------- the note


def _digest(each: Shown) -> str:
    content = each.commands if isinstance(each, Menu) else each.text
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _written(bot: str, noted: Mapping[Slot, str]) -> str:
    return json.dumps({"bot": bot, "sent": [[*slot, digest] for slot, digest in noted.items()]})


def _read(note: str | None, bot: str) -> dict[Slot, str]:
    """Nothing when it is another bot's: Telegram keeps what each of them was told."""
    found = json.loads(note) if note else {}
    if found.get("bot") != bot:
        return {}
    return {Slot(kind, language, chat): digest for kind, language, chat, digest in found["sent"]}
