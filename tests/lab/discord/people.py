"""Founding: guilds, channels, threads and people come into being, change and vanish, and the gateway hears of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.lab.discord.forms import Forms
from tests.lab.discord.permissions import EVERYONE
from tests.lab.discord.person import Person
from tests.lab.discord.times import Clock
from tests.lab.discord.world import (
    FORUM,
    GROUP,
    MIB,
    TEXT,
    THREAD,
    Channel,
    Guild,
    Member,
    Overwrite,
    Role,
    User,
    World,
)

Json = dict[str, Any]


class Founding:
    """Mixed into ``Discord``."""

    world: World
    forms: Forms
    clock: Clock
    folder: Path

    def __init__(self) -> None:
        self.people: dict[str, Person] = {}

    # ---------------------------------------------------------------------------------------------------------------------- places

    def add_guild(
        self,
        name: str = "Cinema",
        *,
        bot: bool = True,
        tier: int = 0,
        locale: str = "en-US",
        permissions: int = EVERYONE,
        owner: Person | None = None,
        guild_id: str | None = None,
    ) -> Guild:
        """A guild. ``bot``: the application is installed and its bot a member; ``permissions``: what @everyone may."""
        guild = Guild(
            guild_id or self.world.ids(), name, self.world.owner if owner is None else owner.user, locale, tier
        )
        guild.roles[guild.id] = Role(guild.id, "@everyone", permissions, 0)
        guild.members[guild.owner.id] = Member(guild.owner, [], self.clock())
        self.world.guilds[guild.id] = guild
        if bot:
            self.install(guild)
        return guild

    def install(self, guild: Guild) -> None:
        """Add the application and its bot to a guild."""
        guild.has_application = True
        guild.members[self.world.bot.id] = Member(self.world.bot, [], self.clock())
        self.world.emit("GUILD_CREATE", self.forms.guild_create(guild), guild)

    def remove_bot(self, guild: Guild) -> None:
        """Somebody kicks the bot and with it the application."""
        guild.has_application = False
        guild.members.pop(self.world.bot.id, None)
        self.world.emit("GUILD_DELETE", {"id": guild.id}, guild)

    def delete_guild(self, guild: Guild) -> None:
        """The guild and everything in it is gone."""
        for channel in [each for each in list(guild.channels.values()) if not each.is_thread]:
            self.world.drop_channel(channel)
        self.world.guilds.pop(guild.id, None)
        self.world.emit("GUILD_DELETE", {"id": guild.id}, guild)

    def add_channel(
        self, guild: Guild, name: str = "general", *, adults_only: bool = False, kind: int = TEXT
    ) -> Channel:
        """A text channel, or another ``kind`` such as FORUM."""
        channel = Channel(self.world.ids(), kind, name, guild, adults_only=adults_only, position=len(guild.channels))
        return self._open(channel, "CHANNEL_CREATE")

    def add_thread(self, parent: Channel, name: str = "thread", *, owner: Person | None = None) -> Channel:
        """A public thread; in a forum, a post."""
        if parent.kind not in {TEXT, FORUM}:
            raise ValueError("threads hang under text channels and forums")
        by = self.world.owner if owner is None else owner.user
        return self._open(Channel(self.world.ids(), THREAD, name, parent.guild, parent, owner=by), "THREAD_CREATE")

    def _open(self, channel: Channel, event: str) -> Channel:
        assert channel.guild is not None
        self.world.channels[channel.id] = channel.guild.channels[channel.id] = channel
        self._tell_channel(event, channel)
        return channel

    def _tell_channel(self, event: str, channel: Channel) -> None:
        if channel.guild is not None and self.world.bot.id in channel.guild.members:
            self.world.emit(event, self.forms.channel(channel), channel.guild)

    def delete_channel(self, channel: Channel) -> None:
        """Somebody deletes a channel or thread with everything in it."""
        self.world.drop_channel(channel)
        self._tell_channel("THREAD_DELETE" if channel.is_thread else "CHANNEL_DELETE", channel)

    def archive(self, thread: Channel, *, locked: bool = False) -> None:
        """A thread goes to sleep; locked, nobody but a moderator wakes it."""
        thread.archived, thread.locked = True, locked
        self._tell_channel("THREAD_UPDATE", thread)

    def add_group(self, *people: Person) -> Channel:
        """A group or direct message between people, where the bot is not: the place of user-installed applications."""
        channel = Channel(self.world.ids(), GROUP, "", people=[person.user for person in people], owner=people[0].user)
        self.world.channels[channel.id] = channel
        return channel

    # ---------------------------------------------------------------------------------------------------------------------- people

    def add_person(
        self,
        name: str,
        *guilds: Guild,
        locale: str = "en-US",
        roles: Sequence[Role] = (),
        installed: bool = False,
        upload_limit: int = 10 * MIB,
        avatar: bytes | None = None,
        grown_up: bool = True,
        user_id: str | None = None,
    ) -> Person:
        """Somebody, a member of ``guilds``. ``installed``: has the application for themselves."""
        user = User(
            user_id or self.world.ids(), name, locale, installed=installed, upload_limit=upload_limit, grown_up=grown_up
        )
        if avatar is not None:
            user.avatar = self.folder / f"avatar-{user.id}"
            user.avatar.write_bytes(avatar)
        self.world.users[user.id] = user
        person = self.people[user.id] = Person(self, user)  # type: ignore[arg-type]
        for guild in guilds:
            self.join(person, guild, *(role for role in roles if role.id in guild.roles))
        return person

    def join(self, person: Person, guild: Guild, *roles: Role) -> None:
        """Somebody comes."""
        guild.members[person.id] = Member(person.user, list(roles), self.clock())

    def leave(self, person: Person, guild: Guild) -> None:
        """Somebody goes."""
        guild.members.pop(person.id, None)

    def add_role(self, guild: Guild, name: str, permissions: int = 0) -> Role:
        """A role; give it to people with ``grant``."""
        role = Role(self.world.ids(), name, permissions, len(guild.roles))
        guild.roles[role.id] = role
        self.world.emit("GUILD_ROLE_CREATE", {"guild_id": guild.id, "role": self.forms.role(role)}, guild)
        return role

    def grant(self, person: Person, guild: Guild, *roles: Role) -> None:
        """Give roles."""
        guild.members[person.id].roles.extend(roles)

    def set_permissions(
        self, channel: Channel, whom: Role | Person | User | None = None, *, allow: int = 0, deny: int = 0
    ) -> None:
        """Overwrite what a role, a person or (None) the bot may in a channel."""
        target = self.world.bot.id if whom is None else whom.id
        channel.overwrites[target] = Overwrite(allow, deny)
        self._tell_channel("CHANNEL_UPDATE", channel)
