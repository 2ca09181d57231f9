"""The Interaction object and the check of what the gateway says against the documentation's tables.

The OpenAPI document has neither; the tables are interactions/receiving-and-responding.mdx and events/gateway-events.mdx, and the
objects inside are held against the OpenAPI document again.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from tests.lab.discord.forms import Forms
from tests.lab.discord.interactions import AUTOCOMPLETE, COMMAND, COMPONENT, MODAL, PING, Desk, Interaction
from tests.lab.discord.spec import HOME, Judge
from tests.lab.discord.world import Message

Json = dict[str, Any]


def interaction(desk: Desk, forms: Forms, found: Interaction) -> Json:
    """What the program is sent."""
    world, channel = desk.world, found.channel
    said: Json = {
        "id": found.id,
        "application_id": world.application_id,
        "type": found.kind,
        "token": found.token,
        "version": 1,
        "entitlements": [],
        "attachment_size_limit": desk.limit(found) + desk.over_report,
        "authorizing_integration_owners": found.owners,
        "app_permissions": str(desk.app_permissions(found)),
    }
    if found.kind == PING:
        return said
    said |= {
        "data": found.data,
        "context": found.context,
        "channel_id": channel.id,
        "channel": forms.channel(channel, found.user),
        "locale": found.user.locale,
    }
    if channel.guild is not None:
        guild = channel.guild
        said |= {
            "guild_id": guild.id,
            "guild": {"id": guild.id, "locale": guild.locale, "features": []},
            "guild_locale": guild.locale,
            "member": forms.interaction_member(guild.members[found.user.id], channel),
        }
    else:
        said["user"] = forms.user(found.user)
    if found.message is not None:
        said["message"] = forms.message(found.message)
    found.metadata = metadata(forms, found)
    return said


def metadata(forms: Forms, found: Interaction) -> Json:
    """``interaction_metadata`` of the messages that answer it."""
    said: Json = {
        "id": found.id,
        "type": found.kind,
        "user": forms.user(found.user),
        "authorizing_integration_owners": found.owners,
    }
    if found.kind == COMMAND and found.data.get("type") == 3:
        said["target_message_id"] = found.data["target_id"]
    if found.kind == COMPONENT and found.message is not None:
        said["interacted_message_id"] = found.message.id
    if found.kind == MODAL and found.opened_by is not None:
        said["triggering_interaction_metadata"] = found.opened_by.metadata
    return said


# ------------------------------------------------------------------------------------------------------------------- the tables

ALWAYS: Final[dict[str, type]] = {
    "id": str,
    "application_id": str,
    "type": int,
    "token": str,
    "version": int,
    "app_permissions": str,
    "entitlements": list,
    "authorizing_integration_owners": dict,
    "attachment_size_limit": int,
}
"""Interaction Structure: what every interaction has."""
BESIDES: Final[dict[str, type]] = {"data": dict, "context": int, "channel": dict, "channel_id": str, "locale": str}
"""What all but PING have."""
DATA: Final[dict[int, dict[str, type]]] = {
    COMMAND: {"id": str, "name": str, "type": int},
    AUTOCOMPLETE: {"id": str, "name": str, "type": int, "options": list},
    COMPONENT: {"custom_id": str, "component_type": int},
    MODAL: {"custom_id": str, "components": list},
}
EVENTS: Final[dict[str, dict[str, type]]] = {
    "READY": {
        "v": int, "user": dict, "guilds": list, "session_id": str, "resume_gateway_url": str, "application": dict,
    },
    "GUILD_CREATE": {
        "id": str, "joined_at": str, "large": bool, "member_count": int, "voice_states": list, "members": list,
        "channels": list, "threads": list, "presences": list, "stage_instances": list, "guild_scheduled_events": list,
        "soundboard_sounds": list, "roles": list, "emojis": list, "features": list, "owner_id": str, "name": str,
    },
    "MESSAGE_DELETE": {"id": str, "channel_id": str},
    "GUILD_DELETE": {"id": str},
}  # fmt: skip


@cache
def _judge(schema: str) -> Judge:
    return Judge({"$ref": f"{HOME}#/components/schemas/{schema}"})


def faults(name: str, data: Json) -> list[str]:
    """What is wrong with a dispatch."""
    found = interaction_faults(data) if name == "INTERACTION_CREATE" else _missing(EVENTS.get(name, {}), data)
    if name in {"MESSAGE_CREATE", "MESSAGE_UPDATE"}:
        found += _inside("MessageResponse", {n: v for n, v in data.items() if n not in {"guild_id", "member"}})
    return [f"{name} {fault}" for fault in found]


def interaction_faults(data: Json) -> list[str]:
    """What is wrong with an Interaction object."""
    found = _missing(ALWAYS, data)
    if data["type"] == PING:
        return found
    found += _missing(BESIDES, data) + _missing(DATA[data["type"]], data["data"])
    found += _missing(
        {"guild": dict, "guild_locale": str, "member": dict} if "guild_id" in data else {"user": dict}, data
    )
    if "member" in data:
        found += _missing({"permissions": str, "user": dict, "roles": list, "joined_at": str}, data["member"])
        found += _missing({"permissions": str, "name": str, "parent_id": object}, data["channel"])
    if data["type"] == COMPONENT:
        found += _missing({"message": dict}, data)
    found += _inside("UserResponse", data["user"] if "user" in data else data["member"]["user"])
    resolved = data["data"].get("resolved", {})
    messages = [*resolved.get("messages", {}).values(), *([data["message"]] if "message" in data else [])]
    for schema, objects in (
        ("MessageResponse", messages),
        ("UserResponse", resolved.get("users", {}).values()),
        ("MessageAttachmentResponse", resolved.get("attachments", {}).values()),
        ("GuildRoleResponse", resolved.get("roles", {}).values()),
    ):
        for each in objects:
            found += _inside(schema, each)
    return found


def _missing(wanted: dict[str, type], data: Json) -> list[str]:
    return [
        f"{name} is missing or no {kind.__name__}"
        for name, kind in wanted.items()
        if not isinstance(data.get(name), kind)
    ]


def _inside(schema: str, value: Any) -> list[str]:
    return [f"{schema} {path}: {why}" for path, why in _judge(schema).faults(_copied(value))]


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copied(each) for name, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list) else value


def dispatched(forms: Forms, message: Message) -> Json:
    """A message as the gateway tells it."""
    said = forms.message(message)
    if message.channel.guild is not None:
        guild = message.channel.guild
        said["guild_id"] = guild.id
        if message.owner is None and message.author.id in guild.members:
            said["member"] = forms.member(guild.members[message.author.id], user=False)
    return said
