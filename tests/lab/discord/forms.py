"""How things look on the wire: the objects of the REST API and of the gateway."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from tests.lab.discord import layout
from tests.lab.discord.permissions import allowed, in_guild
from tests.lab.discord.times import born, iso
from tests.lab.discord.world import (
    DM,
    FORUM,
    GROUP,
    Attachment,
    Channel,
    Guild,
    Member,
    Message,
    Role,
    User,
    World,
)

Json = dict[str, Any]
LINK_SECONDS = 24 * 3600.0


class Forms:
    """Writes objects. Needs to know where the CDN is, for links are signed when they are written."""

    def __init__(self, world: World, secret: bytes) -> None:
        self.world, self.cdn, self._secret = world, "", secret
        self.link_seconds = LINK_SECONDS

    # --------------------------------------------------------------------------------------------------------------------- links

    def sign(self, path: str, expires: str, issued: str) -> str:
        """The ``hm`` of a link."""
        return hmac.new(self._secret, f"{path}?{expires}&{issued}".encode(), hashlib.sha256).hexdigest()

    def link(self, attachment: Attachment) -> str:
        """A signed link that works for ``link_seconds``: ``ex``, ``is`` and ``hm`` as reference.mdx describes them."""
        root = f"ephemeral-attachments/{self.world.application_id}" if attachment.ephemeral else "attachments"
        path = f"/{root}/{attachment.channel_id}/{attachment.id}/{attachment.filename}"
        now = self.world.clock()
        expires, issued = f"{int(now + self.link_seconds):x}", f"{int(now):x}"
        return f"{self.cdn}{path}?ex={expires}&is={issued}&hm={self.sign(path, expires, issued)}&"

    def attachment(self, attachment: Attachment) -> Json:
        """An attachment with a fresh link."""
        link = self.link(attachment)
        said: Json = {
            "id": attachment.id,
            "filename": attachment.filename,
            "size": attachment.size,
            "url": link,
            "proxy_url": link,
            "content_type": attachment.mime,
        }
        if attachment.width is not None:
            said |= {"width": attachment.width, "height": attachment.height}
        if attachment.description is not None:
            said["description"] = attachment.description
        return said | ({"ephemeral": True} if attachment.ephemeral else {})

    # -------------------------------------------------------------------------------------------------------------------- people

    def user(self, user: User) -> Json:
        """A user."""
        said: Json = {
            "id": user.id,
            "username": user.name,
            "discriminator": "0000" if user.bot else "0",
            "global_name": None if user.bot else user.name.title(),
            "avatar": None if user.avatar is None else f"{int(user.id):032x}"[-32:],
            "flags": 0,
            "public_flags": 0,
            "avatar_decoration_data": None,
            "primary_guild": None,
        }
        return said | ({"bot": True} if user.bot else {})

    def me(self) -> Json:
        """The bot as ``/users/@me`` and READY tell it."""
        said = self.user(self.world.bot)
        return said | {"mfa_enabled": True, "locale": "en-US", "verified": True, "email": None}

    def member(self, member: Member, *, user: bool = True) -> Json:
        """A guild member."""
        said: Json = {
            "nick": None,
            "avatar": None,
            "banner": None,
            "roles": [role.id for role in member.roles],
            "joined_at": iso(member.joined),
            "premium_since": None,
            "deaf": False,
            "mute": False,
            "flags": 0,
            "pending": False,
            "communication_disabled_until": None,
        }
        return said | ({"user": self.user(member.user)} if user else {})

    def role(self, role: Role) -> Json:
        """A role."""
        return {
            "id": role.id,
            "name": role.name,
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "icon": None,
            "unicode_emoji": None,
            "position": role.position,
            "permissions": str(int(role.permissions)),
            "managed": False,
            "mentionable": False,
            "flags": 0,
        }

    # -------------------------------------------------------------------------------------------------------------------- places

    def channel(self, channel: Channel, seen_by: User | None = None) -> Json:
        """A channel; ``seen_by`` adds that person's permissions, as interactions do."""
        said: Json = {"id": channel.id, "type": channel.kind, "flags": 0, "last_message_id": None}
        if channel.kind in {DM, GROUP}:
            said["recipients"] = [self.user(user) for user in channel.people if user is not self.world.bot]
            if channel.kind == GROUP:
                owner = channel.owner or channel.people[0]
                said |= {"name": channel.name or None, "icon": None, "owner_id": owner.id}
            return said
        assert channel.guild is not None
        said |= {"name": channel.name, "guild_id": channel.guild.id, "rate_limit_per_user": 0}
        said["parent_id"] = None if channel.parent is None else channel.parent.id
        said |= self._thread(channel) if channel.is_thread else self._room(channel)
        return said | ({} if seen_by is None else {"permissions": str(allowed(seen_by, channel))})

    def _room(self, channel: Channel) -> Json:
        assert channel.guild is not None
        said: Json = {"position": channel.position, "nsfw": channel.adults_only, "topic": None}
        said["permission_overwrites"] = [
            {
                "id": each,
                "type": 0 if each in channel.guild.roles else 1,
                "allow": str(int(write.allow)),
                "deny": str(int(write.deny)),
            }
            for each, write in channel.overwrites.items()
        ]
        if channel.kind == FORUM:
            said |= {"available_tags": [], "default_forum_layout": 0, "default_reaction_emoji": None}
        return said

    def _thread(self, channel: Channel) -> Json:
        begun = iso(born(channel.id))
        messages = len(self.world.in_channel(channel))
        return {
            "owner_id": (channel.owner or self.world.owner).id,
            "message_count": messages,
            "member_count": 1,
            "total_message_sent": messages,
            "thread_metadata": {
                "archived": channel.archived,
                "auto_archive_duration": 1440,
                "archive_timestamp": begun,
                "locked": channel.locked,
                "create_timestamp": begun,
            },
        }

    def guild(self, guild: Guild) -> Json:
        """A guild as REST tells it."""
        empty = (
            "icon splash discovery_splash banner description home_header afk_channel_id system_channel_id rules_channel_id"
            " public_updates_channel_id safety_alerts_channel_id widget_channel_id vanity_url_code max_presences"
            " application_id incidents_data"
        )
        said: Json = dict.fromkeys(empty.split())
        return said | {
            "id": guild.id,
            "name": guild.name,
            "owner_id": guild.owner.id,
            "preferred_locale": guild.locale,
            "region": "deprecated",
            "roles": [self.role(role) for role in guild.roles.values()],
            "emojis": [],
            "stickers": [],
            "features": [],
            "afk_timeout": 300,
            "default_message_notifications": 0,
            "explicit_content_filter": 0,
            "max_members": 500_000,
            "max_stage_video_channel_users": 50,
            "max_video_channel_users": 25,
            "mfa_level": 0,
            "nsfw": False,
            "nsfw_level": 0,
            "premium_progress_bar_enabled": False,
            "premium_subscription_count": (0, 2, 7, 14)[guild.tier],
            "premium_tier": guild.tier,
            "system_channel_flags": 0,
            "verification_level": 0,
            "widget_enabled": False,
        }

    def guild_create(self, guild: Guild) -> Json:
        """The same with what only GUILD_CREATE has."""
        rooms = [channel for channel in guild.channels.values() if allowed(self.world.bot, channel)]
        return self.guild(guild) | {
            "joined_at": iso(guild.members[self.world.bot.id].joined),
            "large": False,
            "unavailable": False,
            "member_count": len(guild.members),
            "members": [self.member(guild.members[self.world.bot.id])],
            "voice_states": [],
            "presences": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
            "channels": [self.channel(channel) for channel in rooms if not channel.is_thread],
            "threads": [self.channel(channel) for channel in rooms if channel.is_thread and not channel.archived],
        }

    def interaction_member(self, member: Member, channel: Channel) -> Json:
        """The member who does something, with what they may where they do it."""
        return self.member(member) | {"permissions": str(allowed(member.user, channel))}

    def guild_permissions(self, user: User, guild: Guild) -> int:
        """What somebody may in the whole guild."""
        return in_guild(user, guild)

    # ------------------------------------------------------------------------------------------------------------------ messages

    def message(self, message: Message, *, nested: bool = False) -> Json:
        """A message with fresh links; ``nested`` leaves out what it answers.

        A file that components or embeds show stands there and not in ``attachments`` (discord-api-docs#8277, #8279).
        """
        shown = {each.get("attachment_id") for each in layout.shown([message.components, message.embeds])}
        said: Json = {
            "id": message.id,
            "channel_id": message.channel.id,
            "author": self.user(message.author),
            "content": message.content,
            "timestamp": iso(born(message.id)),
            "edited_timestamp": None if message.edited is None else iso(message.edited),
            "tts": False,
            "pinned": False,
            "type": message.kind,
            "flags": message.flags,
            "mention_everyone": message.mention_everyone,
            "mentions": [self.user(user) for user in message.mentions],
            "mention_roles": message.mention_roles,
            "attachments": [self.attachment(each) for each in message.attachments if each.id not in shown],
            "embeds": [_without_ids(self._filled(embed, message)) for embed in message.embeds],
            "components": [self._filled(component, message) for component in message.components],
        }
        if message.nonce is not None:
            said["nonce"] = message.nonce
        if message.metadata is not None:
            said["interaction_metadata"] = message.metadata
        if message.author is self.world.bot:
            said["application_id"] = self.world.application_id
        if message.owner is not None:
            said["webhook_id"] = self.world.application_id
        if message.replied is not None:
            said["message_reference"] = message.replied
            known = message.reply_to
            if not nested:
                gone = known is None or known.deleted
                said["referenced_message"] = None if gone or known is None else self.message(known, nested=True)
        return said

    def _filled(self, part: Any, message: Message) -> Any:
        """Media that were uploaded with the message get their link of now."""
        if isinstance(part, list):
            return [self._filled(each, message) for each in part]
        if not isinstance(part, dict):
            return part
        said = {name: self._filled(value, message) for name, value in part.items()}
        own = next((each for each in message.attachments if each.id == part.get("attachment_id")), None)
        if own is not None:
            link = self.link(own)
            said |= {"url": link, "proxy_url": link}
        return said


def _without_ids(embed: Json) -> Json:
    for place in ("image", "thumbnail"):
        if place in embed:
            embed[place].pop("attachment_id", None)
    return embed
