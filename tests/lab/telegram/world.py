"""What there is: people, bots, chats, topics and messages. Plain data; what a bot may see of it is in ``privacy``."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from tests.lab.clock import Clock
from tests.lab.journal import Journal
from tests.lab.telegram.media import Media
from tests.lab.telegram.refusal import bad, migrated

Json = dict[str, Any]
Status = Literal["creator", "administrator", "member", "restricted", "left", "kicked"]
PRIVATE, GROUP, SUPERGROUP = "private", "group", "supergroup"
HERE: Final = {"creator", "administrator", "member", "restricted"}
GENERAL: Final = 1
"""The topic that is always there, and whose id stands on no message."""


@dataclass(slots=True, eq=False)
class User:
    """Somebody."""

    id: int
    name: str
    username: str | None = None
    language: str | None = None
    is_bot: bool = False
    premium: bool = False
    deactivated: bool = False
    photos: list[Media] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Bot(User):
    """One that speaks to the Bot API."""

    token: str = ""
    sees_all: bool = False
    """Privacy mode is off. It holds for groups that the bot enters from now on."""
    inline: bool = True
    inline_feedback: bool = True
    private_topics: bool = False
    logged_out: bool = False


@dataclass(slots=True, eq=False)
class Member:
    """Somebody in a group, or once in it."""

    user: User
    status: Status = "member"
    anonymous: bool = False
    rights: set[str] = field(default_factory=set)
    """Of an administrator: may do; of the restricted: may do all the same."""
    sees_all: bool = False
    """Of a bot: privacy mode was off when it came in."""

    @property
    def here(self) -> bool:
        """Whether still in it."""
        return self.status in HERE

    @property
    def boss(self) -> bool:
        """Whether an administrator."""
        return self.status in {"creator", "administrator"}


@dataclass(slots=True, eq=False)
class Topic:
    """A thread of a forum."""

    id: int
    name: str
    closed: bool = False
    deleted: bool = False


@dataclass(slots=True, eq=False)
class Chat:
    """A private chat of one bot with somebody, a group or a supergroup."""

    id: int
    kind: str
    title: str = ""
    username: str | None = None
    user: User | None = None
    """Whom a private chat is with."""
    bot: Bot | None = None
    started: bool = False
    """The person has written to the bot."""
    blocked: bool = False
    forum: bool = False
    members: dict[int, Member] = field(default_factory=dict)
    topics: dict[int, Topic] = field(default_factory=dict)
    upgraded: Chat | None = None
    reactions: set[str] | None = None
    """Which emoji may be used here; None: all."""
    last_writer: User | None = None
    """The bot that wrote last: it sees bare commands."""
    count: int = 0
    """How many messages a supergroup ever had: their ids are its own."""

    def member(self, user: User) -> Member | None:
        """Somebody, if they ever were in it."""
        return self.members.get(user.id)


@dataclass(frozen=True, slots=True)
class Place:
    """A chat, and a topic of it."""

    chat: Chat
    topic: Topic | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """A message as it was seen from a moment on."""

    at: float
    """Unix seconds."""
    seen: Any
    """A ``sight.Seen`` of then."""

    @property
    def text(self) -> str:
        """What it said."""
        return str(self.seen.text)


@dataclass(slots=True, eq=False)
class Message:
    """A message as it stands; deleted ones keep their last state for whoever holds them."""

    id: int
    chat: Chat
    sender: User | None
    date: int
    sender_chat: Chat | None = None
    text: str | None = None
    entities: list[Json] = field(default_factory=list)
    """Of the text or of the caption, whichever there is."""
    caption: str | None = None
    media: Media | None = None
    album: str | None = None
    thread: int | None = None
    """The topic's id; in a supergroup without topics the first message of a row of replies."""
    in_topic: bool = False
    reply_to: Message | None = None
    markup: Json | None = None
    """Buttons under it."""
    keyboard: Json | None = None
    """A forced reply, or a keyboard instead of the person's own: such a message cannot be edited."""
    service: Json | None = None
    via: Bot | None = None
    preview: Json | None = None
    above: bool = False
    spoiler: bool = False
    protected: bool = False
    silent: bool = False
    edited: int | None = None
    edits: list[float] = field(default_factory=list)
    reactions: dict[int, str] = field(default_factory=dict)
    """Emoji by user id."""
    deleted: bool = False
    history: list[Moment] = field(default_factory=list)
    """From its first appearance through every edit."""


class World:
    """Everything, and the ids to find it by. ``seen`` tells the journal what people see."""

    def __init__(self, clock: Clock, journal: Journal) -> None:
        self.clock, self.journal = clock, journal
        self.users: dict[int, User] = {}
        self.bots: dict[str, Bot] = {}
        """By token."""
        self.chats: dict[int, Chat] = {}
        """Groups and supergroups."""
        self.private: dict[tuple[int, int], Chat] = {}
        """By bot and person."""
        self.messages: dict[tuple[int, int, int], Message] = {}
        self.inline_messages: dict[str, Message] = {}
        self._lock = threading.Lock()
        self._users = itertools.count(500_000_001)
        self._groups = itertools.count(4_000_001)
        self._supergroups = itertools.count(1_001_000_000_001)
        self._messages = itertools.count(101)
        self.seen: Callable[[str, Message], None] = lambda what, message: None

    # ---------------------------------------------------------------------------------------------------------------------- founding

    def add_user(self, user: User) -> User:
        """Give somebody an id."""
        user.id = user.id or next(self._users)
        self.users[user.id] = user
        return user

    def add_chat(self, kind: str, title: str) -> Chat:
        """A group or supergroup."""
        number = -next(self._groups) if kind == GROUP else -next(self._supergroups)
        chat = Chat(number, kind, title)
        self.chats[chat.id] = chat
        return chat

    def direct(self, bot: Bot, user: User) -> Chat:
        """The private chat of a bot with somebody; made when it is first looked for."""
        key = (bot.id, user.id)
        if key not in self.private:
            self.private[key] = Chat(user.id, PRIVATE, user=user, bot=bot)
        return self.private[key]

    def number(self, chat: Chat) -> int:
        """The id of the next message: supergroups count by themselves, all the rest together."""
        if chat.kind != SUPERGROUP:
            return next(self._messages)
        with self._lock:  # people write from the test's thread, bots from the simulator's
            chat.count += 1
            return chat.count

    # -------------------------------------------------------------------------------------------------------------------- looking up

    def chat(self, bot: Bot, chat_id: int | str) -> Chat:
        """By id or @username, as a bot names it; 400 where there is none, and where it has moved."""
        if isinstance(chat_id, str):
            found = next(
                (each for each in list(self.chats.values()) if each.username and f"@{each.username}" == chat_id), None
            )
        else:
            found = self.chats.get(chat_id) or self.private.get((bot.id, chat_id))
            if found is None and chat_id in self.users and self._met(bot, chat_id):
                found = self.direct(bot, self.users[chat_id])
        if found is None:
            raise bad("chat not found")
        if found.upgraded is not None:
            raise migrated(found.upgraded.id)
        return found

    def _met(self, bot: Bot, user_id: int) -> bool:
        return any(bot.id in chat.members and user_id in chat.members for chat in list(self.chats.values()))

    @staticmethod
    def _key(chat: Chat, message_id: int) -> tuple[int, int, int]:
        return (chat.bot.id if chat.bot else 0, chat.id, message_id)

    def add(self, message: Message) -> Message:
        """Put a message there."""
        self.messages[self._key(message.chat, message.id)] = message
        return message

    def message(self, chat: Chat, message_id: int) -> Message | None:
        """One that is still there."""
        return self.messages.get(self._key(chat, message_id))

    def within(self, chat: Chat) -> list[Message]:
        """What stands in a chat, oldest first."""
        return [message for message in list(self.messages.values()) if message.chat is chat]

    def drop(self, message: Message) -> None:
        """It is gone for everybody."""
        self.messages.pop(self._key(message.chat, message.id), None)
        message.deleted = True
        self.seen("deleted", message)

    def bots_in(self, chat: Chat) -> Iterator[Bot]:
        """The bots that are there."""
        if chat.bot is not None:
            yield chat.bot
        for member in list(chat.members.values()):
            if member.here and isinstance(member.user, Bot):
                yield member.user
