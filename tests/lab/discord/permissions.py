"""Who may do what: roles, overwrites, and what follows for the bot (topics/permissions)."""

from __future__ import annotations

from enum import IntFlag

from tests.lab.discord.refusal import Refusal
from tests.lab.discord.world import DM, GROUP, Channel, Guild, User, World


class May(IntFlag):
    """The bits that matter here."""

    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    SEND_MESSAGES_IN_THREADS = 1 << 38
    USE_EXTERNAL_APPS = 1 << 50


EVERYTHING = (1 << 53) - 1
EVERYONE = (
    May.VIEW_CHANNEL
    | May.SEND_MESSAGES
    | May.EMBED_LINKS
    | May.ATTACH_FILES
    | May.READ_MESSAGE_HISTORY
    | May.USE_APPLICATION_COMMANDS
    | May.CREATE_PUBLIC_THREADS
    | May.SEND_MESSAGES_IN_THREADS
    | May.USE_EXTERNAL_APPS
)
"""What @everyone may in a new guild."""


def in_guild(user: User, guild: Guild) -> int:
    """The member's own permissions, before any channel has its say."""
    member = guild.members.get(user.id)
    if member is None:
        return 0
    found = guild.roles[guild.id].permissions
    for role in member.roles:
        found |= role.permissions
    return EVERYTHING if user is guild.owner or found & May.ADMINISTRATOR else int(found)


def allowed(user: User, channel: Channel) -> int:
    """What somebody may in a channel; everything that makes sense in a direct message."""
    if channel.guild is None:
        return int(EVERYONE) if user in channel.people else 0
    found = in_guild(user, channel.guild)
    if found == EVERYTHING or not found:
        return found
    ruled = channel.parent if channel.is_thread and channel.parent is not None else channel
    roles = [role.id for role in channel.guild.members[user.id].roles]
    for group in ([channel.guild.id], roles, [user.id]):
        writes = [ruled.overwrites[each] for each in group if each in ruled.overwrites]
        for write in writes:
            found &= ~write.deny
        for write in writes:
            found |= write.allow
    return found if found & May.VIEW_CHANNEL else 0


def may(user: User, channel: Channel, what: int) -> bool:
    """Whether somebody has all of ``what`` there."""
    return allowed(user, channel) & what == what


def need_sight(world: World, channel: Channel) -> None:
    """The bot must see the channel: 50001 otherwise."""
    if not may(world.bot, channel, May.VIEW_CHANNEL):
        raise Refusal(50001)


def need(world: World, channel: Channel, what: int) -> None:
    """The bot must see the channel and have the permissions: 50001, 50013."""
    need_sight(world, channel)
    if not may(world.bot, channel, what):
        raise Refusal(50013)


def need_voice(world: World, channel: Channel, *, files: bool, reply: bool) -> None:
    """Everything that a new message of the bot needs, people's wishes included."""
    if channel.kind in {DM, GROUP}:
        need_sight(world, channel)
        _need_ear(world, channel)
        return
    need(world, channel, May.SEND_MESSAGES_IN_THREADS if channel.is_thread else May.SEND_MESSAGES)
    if files:
        need(world, channel, May.ATTACH_FILES)
    if reply:
        need(world, channel, May.READ_MESSAGE_HISTORY)


def _need_ear(world: World, channel: Channel) -> None:
    other = next(user for user in channel.people if user is not world.bot)
    shared = any({world.bot.id, other.id} <= guild.members.keys() for guild in list(world.guilds.values()))
    if not other.takes_messages:
        raise Refusal(50007)
    if not shared and not other.installed:
        raise Refusal(50278)


def app_permissions(world: World, channel: Channel) -> int:
    """What the interaction object says: the bot's own, or what an answer of a user-installed application may."""
    if channel.guild is not None and world.bot.id in channel.guild.members:
        return allowed(world.bot, channel)
    return int(May.EMBED_LINKS | May.ATTACH_FILES | May.MENTION_EVERYONE)
