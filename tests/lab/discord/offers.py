"""What Discord's client offers somebody in a place, and what it lets them type (application-commands.mdx)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.lab.discord import commands as kinds
from tests.lab.discord.permissions import May, allowed, may
from tests.lab.discord.world import DM, Channel, User

if TYPE_CHECKING:
    from tests.lab.discord.person import Person
    from tests.lab.discord.server import Discord

Json = dict[str, Any]


class Impossible(Exception):
    """The client does not let this person do that here."""


def offered(discord: Discord, user: User, channel: Channel) -> list[Json]:
    """The commands and menu entries that this person finds there."""
    if channel.id not in discord.world.channels:
        raise Impossible("the channel is gone")
    if not may(user, channel, May.VIEW_CHANNEL | May.USE_APPLICATION_COMMANDS) or channel.locked:
        return []
    guild = channel.guild
    local = [] if guild is None or not guild.has_application else discord.commands.of(guild.id)
    found = [*local, *(each for each in discord.commands.of(None) if _reaches(discord, each, user, channel))]
    return [each for each in found if _lets(each, user, channel)]


def _reaches(discord: Discord, command: Json, user: User, channel: Channel) -> bool:
    """Whether a global command is meant for this context and came by a fitting installation."""
    guild, types = channel.guild, command["integration_types"]
    here = guild is not None and guild.has_application
    context = 0
    if guild is None:
        with_bot = channel.kind == DM and discord.world.bot in channel.people
        context = 1 if with_bot else 2
        shared = any({user.id, discord.world.bot.id} <= each.members.keys() for each in discord.world.guilds.values())
        here = with_bot and shared
    return context in command["contexts"] and ((0 in types and here) or (1 in types and user.installed))


def _lets(command: Json, user: User, channel: Channel) -> bool:
    room = channel.parent if channel.is_thread and channel.parent is not None else channel
    if command.get("nsfw") and not (user.grown_up and (channel.guild is None or room.adults_only)):
        return False
    wanted = command.get("default_member_permissions")
    if (
        channel.guild is None
        or wanted is None
        or "0" not in {str(each) for each in command.get("integration_types", [0])}
    ):
        return True
    needed = int(wanted) or int(May.ADMINISTRATOR)
    return allowed(user, channel) & needed == needed


def resolve(person: Person, channel: Channel, option: Json, value: Any, resolved: Json, focused: str | None) -> Json:
    """An option as it is sent. Raises Impossible for a value that the client does not take."""
    said: Json = {"name": option["name"], "type": option["type"], "value": value}
    if focused == option["name"]:
        return said | {"value": str(value), "focused": True}
    kind = option["type"]
    if kind in {kinds.STRING, kinds.INTEGER, kinds.NUMBER}:
        _check_value(option, value)
    elif kind == kinds.BOOLEAN:
        _need(option, isinstance(value, bool), "true or false")
    elif kind == kinds.ATTACHMENT:
        stored = person.discord.store(value, channel, ephemeral=True)
        resolved.setdefault("attachments", {})[stored.id] = person.discord.forms.attachment(stored)
        said["value"] = stored.id
    else:
        said["value"] = _resolve_id(person, channel, option, value, resolved)
    return said


def _resolve_id(person: Person, channel: Channel, option: Json, value: Any, resolved: Json) -> str:
    discord, kind = person.discord, option["type"]
    if kind in {kinds.USER, kinds.MENTIONABLE} and (value.id in discord.world.users):
        resolved.setdefault("users", {})[value.id] = discord.forms.user(discord.world.users[value.id])
        member = None if channel.guild is None else channel.guild.members.get(value.id)
        if member is not None:
            resolved.setdefault("members", {})[value.id] = discord.partial_member(member, channel)
    elif kind in {kinds.ROLE, kinds.MENTIONABLE}:
        _need(option, channel.guild is not None and value.id in channel.guild.roles, "a role of this guild")
        resolved.setdefault("roles", {})[value.id] = discord.forms.role(value)
    elif kind == kinds.CHANNEL:
        types = option.get("channel_types")
        _need(option, isinstance(value, Channel) and (not types or value.kind in types), "such a channel")
        _need(option, may(person.user, value, May.VIEW_CHANNEL), "a channel that this person sees")
        resolved.setdefault("channels", {})[value.id] = discord.forms.channel(value, person.user)
    else:
        raise Impossible(f"{option['name']}: nobody is {value!r}")
    return str(value.id)


def _check_value(option: Json, value: Any) -> None:
    if option["type"] == kinds.STRING:
        _need(option, isinstance(value, str), "text")
        low, high = option.get("min_length") or 0, option.get("max_length") or 6000
        _need(option, low <= len(value) <= high, f"{low} to {high} characters")
    else:
        whole = isinstance(value, int) or (option["type"] == kinds.NUMBER and isinstance(value, float))
        _need(option, whole and not isinstance(value, bool) and abs(value) <= 2**53, "a number")
        least, most = option.get("min_value"), option.get("max_value")
        _need(option, (least is None or value >= least) and (most is None or value <= most), f"{least} to {most}")
    choices = option.get("choices")
    _need(option, not choices or value in [choice["value"] for choice in choices], "one of its choices")


def _need(option: Json, good: bool, what: str) -> None:
    if not good:
        raise Impossible(f"the option {option['name']!r} takes {what}")
