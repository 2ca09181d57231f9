"""Who is mentioned by a message, and so who hears of it (resources/message.mdx, Allowed Mentions)."""

from __future__ import annotations

import re
from typing import Any, Final

from tests.lab.discord import layout
from tests.lab.discord.permissions import May, may
from tests.lab.discord.refusal import wrong
from tests.lab.discord.world import Message, World

Json = dict[str, Any]
USER: Final = re.compile(r"<@!?(\d+)>")
ROLE: Final = re.compile(r"<@&(\d+)>")
EVERYONE: Final = re.compile(r"@(everyone|here)\b")


def mention(world: World, message: Message, body: Json, content: str, components: list[Json]) -> None:
    """Note on the message whom it mentions. Raises 50035 for an ``allowed_mentions`` that contradicts itself."""
    allowed = body.get("allowed_mentions")
    if allowed is not None:
        for kind in ("users", "roles"):
            if kind in (allowed.get("parse") or []) and allowed.get(kind):
                raise wrong(
                    f"allowed_mentions.{kind}", f"parse has {kind} already", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE"
                )
    parts = [content, *(each["content"] for _, each in layout.walk(components) if each["type"] == layout.TEXT)]
    text = "\n".join(parts)
    users = [each for each in USER.findall(text) if _lets(allowed, "users", each)]
    if message.reply_to is not None and (allowed is None or allowed.get("replied_user")):
        users.append(message.reply_to.author.id)
    message.mentions = [world.users[each] for each in dict.fromkeys(users) if each in world.users]
    message.mention_roles = list(dict.fromkeys(each for each in ROLE.findall(text) if _lets(allowed, "roles", each)))
    loud = message.channel.guild is not None and may(message.author, message.channel, May.MENTION_EVERYONE)
    message.mention_everyone = loud and bool(EVERYONE.search(text)) and _lets(allowed, "everyone", "")


def _lets(allowed: Json | None, kind: str, who: str) -> bool:
    if allowed is None:
        return True
    return kind in (allowed.get("parse") or []) or who in map(str, allowed.get(kind) or [])
