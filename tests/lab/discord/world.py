"""What there is: people, guilds, roles, channels and messages. Plain data; who may do what is in ``permissions``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.lab.discord.refusal import Refusal
from tests.lab.discord.times import Clock, Ids, born

Json = dict[str, Any]

TEXT, DM, GROUP, THREAD, FORUM = 0, 1, 3, 11, 15
EPHEMERAL, LOADING, V2 = 1 << 6, 1 << 7, 1 << 15
SUPPRESS_EMBEDS, SUPPRESS_NOTIFICATIONS = 1 << 2, 1 << 12
MIB: Final = 1 << 20
TIERS: Final = (10 * MIB, 10 * MIB, 50 * MIB, 100 * MIB)
"""Upload limit by boost tier, as discord.py's Guild.filesize_limit has it."""


@dataclass(slots=True, eq=False)
class User:
    """Somebody, or the bot."""

    id: str
    name: str
    locale: str = "en-US"
    bot: bool = False
    avatar: Path | None = None
    takes_messages: bool = True
    """False: messages from the bot end in 50007."""
    installed: bool = False
    """Has the application installed for themselves."""
    upload_limit: int = 10 * MIB
    """More with Nitro."""
    grown_up: bool = True


@dataclass(slots=True, eq=False)
class Role:
    """A role; the one with the guild's id is @everyone."""

    id: str
    name: str
    permissions: int
    position: int = 1


@dataclass(slots=True)
class Overwrite:
    """What a channel allows and denies a role or a member."""

    allow: int = 0
    deny: int = 0


@dataclass(slots=True, eq=False)
class Channel:
    """A guild channel, thread, forum, direct message or group."""

    id: str
    kind: int
    name: str = ""
    guild: Guild | None = None
    parent: Channel | None = None
    people: list[User] = field(default_factory=list)
    """Who is in a direct message or group."""
    owner: User | None = None
    overwrites: dict[str, Overwrite] = field(default_factory=dict)
    adults_only: bool = False
    archived: bool = False
    locked: bool = False
    position: int = 0

    @property
    def is_thread(self) -> bool:
        """Whether it hangs under another channel's rules."""
        return self.kind == THREAD


@dataclass(slots=True, eq=False)
class Member:
    """Somebody in a guild."""

    user: User
    roles: list[Role]
    joined: float


@dataclass(slots=True, eq=False)
class Guild:
    """A server."""

    id: str
    name: str
    owner: User
    locale: str = "en-US"
    tier: int = 0
    roles: dict[str, Role] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    has_application: bool = False
    """Whether the application is installed here, which makes the bot a member unless it was installed for commands only."""


@dataclass(slots=True, eq=False)
class Attachment:
    """A stored file."""

    id: str
    filename: str
    mime: str
    path: Path
    size: int
    channel_id: str
    ephemeral: bool = False
    description: str | None = None
    width: int | None = None
    height: int | None = None
    spoiler: bool = False


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
    """A message as it stands; deleted ones leave the world but keep their last state for whoever holds them."""

    id: str
    channel: Channel
    author: User
    content: str = ""
    flags: int = 0
    embeds: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    edited: float | None = None
    edits: list[float] = field(default_factory=list)
    nonce: str | int | None = None
    reply_to: Message | None = None
    replied: Json | None = None
    only: User | None = None
    """The one person who sees it, when it is ephemeral."""
    owner: Any = None
    """The interaction whose token may edit it."""
    metadata: Json | None = None
    kind: int = 0
    mentions: list[User] = field(default_factory=list)
    mention_roles: list[str] = field(default_factory=list)
    mention_everyone: bool = False
    deleted: bool = False
    history: list[Moment] = field(default_factory=list)
    """From its first appearance through every edit."""

    @property
    def is_v2(self) -> bool:
        """Whether it is laid out by components; once so, always so."""
        return bool(self.flags & V2)


class World:
    """Everything, and the ids to find it by. ``emit`` tells the gateway; ``seen`` tells the journal what people see."""

    def __init__(self, clock: Clock, folder: Path, token: str) -> None:
        self.clock, self.ids, self.folder, self.token = clock, Ids(clock), folder, token
        self.application_id = self.ids()
        self.bot = User(self.application_id, "reelay", bot=True)
        self.owner = User(self.ids(), "operator")
        self.users: dict[str, User] = {user.id: user for user in (self.bot, self.owner)}
        self.guilds: dict[str, Guild] = {}
        self.channels: dict[str, Channel] = {}
        self.messages: dict[str, Message] = {}
        self.attachments: dict[str, Attachment] = {}
        self.upload_cap: int | None = None
        """Files above this are refused (40005) whatever was promised."""
        self.emit: Callable[[str, Json, Guild | None], None] = lambda name, data, guild: None
        self.seen: Callable[[str, Message], None] = lambda what, message: None

    # ---------------------------------------------------------------------------------------------------------------- looking up

    def user(self, user_id: str) -> User:
        """By id, or 10013."""
        if user_id not in self.users:
            raise Refusal(10013)
        return self.users[user_id]

    def guild(self, guild_id: str) -> Guild:
        """By id, or 10004; also when the bot is not in it."""
        found = self.guilds.get(guild_id)
        if found is None or self.bot.id not in found.members:
            raise Refusal(10004)
        return found

    def channel(self, channel_id: str) -> Channel:
        """By id, or 10003."""
        if channel_id not in self.channels:
            raise Refusal(10003)
        return self.channels[channel_id]

    def message(self, channel: Channel, message_id: str) -> Message:
        """By id, for the bot's own token, which is told nothing of ephemeral messages: 10008."""
        found = self.messages.get(message_id)
        if found is None or found.channel is not channel or found.flags & EPHEMERAL:
            raise Refusal(10008)
        return found

    def born(self, message: Message) -> float:
        """When it was sent."""
        return born(message.id)

    def in_channel(self, channel: Channel) -> list[Message]:
        """What stands in a channel, oldest first."""
        return [message for message in list(self.messages.values()) if message.channel is channel]

    def direct(self, user: User) -> Channel:
        """The direct message between the bot and somebody; made when it is first asked for."""
        for channel in list(self.channels.values()):
            if channel.kind == DM and set(map(id, channel.people)) == {id(user), id(self.bot)}:
                return channel
        channel = Channel(self.ids(), DM, people=[user, self.bot])
        self.channels[channel.id] = channel
        return channel

    # ------------------------------------------------------------------------------------------------------------------- vanishing

    def drop_message(self, message: Message) -> None:
        """It is gone for everybody."""
        self.messages.pop(message.id, None)
        message.deleted = True
        self.seen("deleted", message)

    def drop_channel(self, channel: Channel) -> None:
        """The channel, its threads and all that stands in them."""
        for thread in [each for each in list(self.channels.values()) if each.parent is channel and each.is_thread]:
            self.drop_channel(thread)
        for message in self.in_channel(channel):
            self.drop_message(message)
        self.channels.pop(channel.id, None)
        if channel.guild is not None:
            channel.guild.channels.pop(channel.id, None)
