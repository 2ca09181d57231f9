"""Reading Discord's interactions: from the raw JSON of the gateway or the HTTP endpoint to plain values.

Pure: the raw object is read here and nowhere else, before any library has made objects of it, so that an acknowledgement waits for
nothing. Field names: Discord's documentation, "Interaction Object" (API v10, 2026-08).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Kind = Literal["ping", "command", "component", "autocomplete", "modal"]
Raw = Mapping[str, Any]

KINDS: Final[Mapping[int, Kind]] = {1: "ping", 2: "command", 3: "component", 4: "autocomplete", 5: "modal"}
SUBCOMMAND, SUBCOMMAND_GROUP, ATTACHMENT = 1, 2, 11
USER_MENU, MESSAGE_MENU = 2, 3
BOT_DM, PRIVATE_CHANNEL = 1, 2
EPHEMERAL: Final = 1 << 6
ADMINISTRATOR, MANAGE_GUILD, MANAGE_MESSAGES = 1 << 3, 1 << 5, 1 << 13
PRIVATE_THREAD: Final = 12
USE_EXTERNAL_APPS: Final = 1 << 50
PICTURE_TYPES: Final = ("image/",)


class Malformed(ValueError):
    """Not an interaction that we can read; the text names what is missing and quotes nothing."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that came with a command, or that a message shows. ``url`` is signed and expires."""

    url: str
    name: str
    mime: str
    bytes: int | None
    channel: str | None = None
    message: str | None = None
    """Where it stands, when it is part of a message: there a fresh address can be had."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a context menu was opened on."""

    id: str
    pictures: tuple[Attached, ...] = ()
    custom_ids: tuple[str, ...] = ()
    """Of the message's buttons: whose they are, their signature tells."""


@dataclass(frozen=True, slots=True)
class Interaction:
    """One thing that somebody did in Discord."""

    id: str
    token: str = field(repr=False)
    application_id: str = ""
    kind: Kind = "ping"
    user_id: str = ""
    user_name: str = ""
    avatar: str | None = None
    guild_id: str | None = None
    channel_id: str | None = None
    parent_id: str | None = None
    """The channel of a thread or forum post."""
    in_private_thread: bool = False
    """Whether not everybody who sees the channel sees this thread of it."""
    nsfw: bool = False
    roles: tuple[str, ...] = ()
    permissions: int = 0
    """The member's, in this channel."""
    locale: str = "en-US"
    guild_locale: str | None = None
    upload_limit: int | None = None
    bot_is_member: bool = False
    """Whether the bot itself can post where this came from: installed in the guild, or a direct message with it."""
    is_dm: bool = False
    name: str = ""
    """The command with its subcommands, as ``admin quota``."""
    options: Mapping[str, Any] = field(default_factory=dict)
    attachments: Mapping[str, Attached] = field(default_factory=dict)
    """Of the options that are files, by option name; of a modal, by the custom id of its upload."""
    focused: str | None = None
    target: Target | None = None
    custom_id: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    """A modal's texts and choices, by custom id."""
    chosen: tuple[str, ...] = ()
    """From a menu of a message."""
    message_id: str | None = None
    message_is_private: bool = False

    @property
    def chat(self) -> str | None:
        """The chat whose members all see what is public here: ``discord:guild:1``; None outside of guilds."""
        return None if self.guild_id is None else f"discord:guild:{self.guild_id}"

    @property
    def is_forced_private(self) -> bool:
        """Whether Discord shows our answers to this person alone: the app is theirs, and the server lets no such app speak to all."""
        return self.guild_id is not None and not self.bot_is_member and not self.permissions & USE_EXTERNAL_APPS

    @property
    def is_moderator(self) -> bool:
        """May act on other people's clips here."""
        return bool(self.permissions & (MANAGE_MESSAGES | MANAGE_GUILD | ADMINISTRATOR))

    @property
    def manages_guild(self) -> bool:
        """May use the admin verbs about this guild."""
        return self.guild_id is not None and bool(self.permissions & (MANAGE_GUILD | ADMINISTRATOR))


def read_interaction(raw: Raw) -> Interaction:
    """Read a raw interaction. Raises Malformed."""
    try:
        return _read(raw)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Malformed(f"an interaction without what it needs ({type(error).__name__})") from error


def _read(raw: Raw) -> Interaction:
    kind = KINDS[int(raw["type"])]
    number, token, application_id = str(raw["id"]), str(raw["token"]), str(raw["application_id"])
    if kind == "ping":
        return Interaction(id=number, token=token, application_id=application_id, kind=kind)
    member: Raw = raw.get("member") or {}
    user: Raw = member.get("user") or raw["user"]
    channel: Raw = raw.get("channel") or {}
    guild_id = None if raw.get("guild_id") is None else str(raw["guild_id"])
    data: Raw = raw.get("data") or {}
    message: Raw = raw.get("message") or {}
    name, options, focused = _options(data)
    owners: Raw = raw.get("authorizing_integration_owners") or {}
    is_dm = raw.get("context") == BOT_DM
    limit = raw.get("attachment_size_limit")
    return Interaction(
        id=number,
        token=token,
        application_id=application_id,
        kind=kind,
        user_id=str(user["id"]),
        user_name=str(user.get("global_name") or user.get("username") or ""),
        avatar=_avatar(user),
        guild_id=guild_id,
        channel_id=str(raw.get("channel_id") or channel.get("id") or "") or None,
        parent_id=str(channel["parent_id"])
        if channel.get("parent_id") and channel.get("type") in (10, 11, 12)
        else None,
        in_private_thread=channel.get("type") == PRIVATE_THREAD,
        nsfw=bool(channel.get("nsfw")),
        roles=tuple(str(role) for role in member.get("roles") or ()),
        permissions=int(member.get("permissions") or 0),
        locale=str(raw.get("locale") or "en-US"),
        guild_locale=raw.get("guild_locale"),
        upload_limit=None if limit is None else int(limit),
        bot_is_member=is_dm or (guild_id is not None and str(owners.get("0")) == guild_id),
        is_dm=is_dm,
        name=name,
        options={key: value for key, (value, _) in options.items()},
        attachments={**_uploads(data, options), **_modal_uploads(data)},
        focused=focused,
        target=_target(data),
        custom_id=str(data.get("custom_id") or ""),
        values=_values(data.get("components") or ()),
        chosen=tuple(str(value) for value in data.get("values") or ()) if kind == "component" else (),
        message_id=str(message["id"]) if message.get("id") else None,
        message_is_private=bool(int(message.get("flags") or 0) & EPHEMERAL),
    )


def _avatar(user: Raw) -> str | None:
    """Address of a person's picture as PNG; None without one of their own."""
    mark = user.get("avatar")
    return f"avatars/{user['id']}/{mark}.png?size=1024" if mark else None


def _options(data: Raw) -> tuple[str, dict[str, tuple[Any, int]], str | None]:
    """(name with subcommands, option → (value, type), focused option)."""
    names = [str(data.get("name") or "")]
    given: Sequence[Raw] = data.get("options") or ()
    for _ in range(2):  # a group holds subcommands, and nothing is deeper
        if len(given) == 1 and given[0].get("type") in (SUBCOMMAND, SUBCOMMAND_GROUP):
            names.append(str(given[0]["name"]))
            given = given[0].get("options") or ()
    found = {str(each["name"]): (each.get("value"), int(each["type"])) for each in given}
    focused = next((str(each["name"]) for each in given if each.get("focused")), None)
    return " ".join(name for name in names if name), found, focused


def _uploads(data: Raw, options: Mapping[str, tuple[Any, int]]) -> dict[str, Attached]:
    resolved: Raw = (data.get("resolved") or {}).get("attachments") or {}
    return {
        name: _attached(resolved[str(value)])
        for name, (value, kind) in options.items()
        if kind == ATTACHMENT and str(value) in resolved
    }


def _modal_uploads(data: Raw) -> dict[str, Attached]:
    resolved: Raw = (data.get("resolved") or {}).get("attachments") or {}
    found = {}
    for part in _leaves(data.get("components") or ()):
        for value in part.get("values") or ():
            if str(value) in resolved:
                found[str(part["custom_id"])] = _attached(resolved[str(value)])
    return found


def _attached(raw: Raw, channel: str | None = None, message: str | None = None) -> Attached:
    size = raw.get("size")
    mime = str(raw.get("content_type") or "application/octet-stream").split(";", maxsplit=1)[0]
    name = str(raw.get("filename") or "picture")[:200]
    return Attached(str(raw["url"]), name, mime, None if size is None else int(size), channel, message)


def _target(data: Raw) -> Target | None:
    if data.get("target_id") is None:
        return None
    target, resolved = str(data["target_id"]), data.get("resolved") or {}
    if data.get("type") == USER_MENU:
        avatar = _avatar((resolved.get("users") or {})[target])
        pictures = () if avatar is None else (Attached(avatar, "avatar.png", "image/png", None),)
        return Target(target, pictures)
    message: Raw = (resolved.get("messages") or {})[target]
    return Target(target, _pictures(message), _custom_ids(message))


def _pictures(message: Raw) -> tuple[Attached, ...]:
    """The pictures that a message shows: attachments first, then those of embeds."""
    where = (str(message.get("channel_id") or "") or None, str(message["id"]))
    found = [
        _attached(each, *where)
        for each in message.get("attachments") or ()
        if str(each.get("content_type") or "").startswith(PICTURE_TYPES)
    ]
    for embed in message.get("embeds") or ():
        for name in ("image", "thumbnail"):
            shown: Raw = embed.get(name) or {}
            url = shown.get("proxy_url") or shown.get("url")
            if url:
                found.append(Attached(str(url), "picture", "image/unknown", None, *where))
                break
    return tuple(found)


def _custom_ids(message: Raw) -> tuple[str, ...]:
    parts = _leaves(message.get("components") or ())
    return tuple(str(part["custom_id"]) for part in parts if part.get("custom_id"))


def _values(components: Sequence[Raw]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in _leaves(components):
        if "custom_id" not in part:
            continue
        value = part.get("value")
        if value is None and part.get("values"):
            value = part["values"][0]
        if value is not None:
            found[str(part["custom_id"])] = str(value)
    return found


def _leaves(components: Sequence[Raw]) -> list[Raw]:
    """Every component that holds no other ones, in reading order; four levels are more than Discord allows."""
    leaves: list[Raw] = []
    level = list(components)
    for _ in range(5):
        deeper: list[Raw] = []
        for part in level:
            inner = [*(part.get("components") or ()), *([part["component"]] if part.get("component") else ())]
            if part.get("accessory"):
                inner.append(part["accessory"])
            deeper.extend(inner)
            if not inner:
                leaves.append(part)
        level = deeper
        if not level:
            break
    return leaves
