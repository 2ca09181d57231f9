"""What a bot is told of a group: everything if it is an administrator or came in with privacy mode off, else very little.

With privacy mode (https://core.telegram.org/bots/features#privacy-mode): commands that name it, bare commands if it was the last
bot to write there, replies to it, messages sent by way of it, and service messages. Mentions are not among them.
"""

from __future__ import annotations

from typing import Final

from tests.lab.telegram import entities
from tests.lab.telegram.world import PRIVATE, Bot, Message

OWN: Final = frozenset(
    ["left_chat_member", "forum_topic_created", "forum_topic_edited", "forum_topic_closed", "forum_topic_reopened"]
)
"""What a bot did by itself and is told of all the same (Client.cpp, need_skip_update_message)."""


def sees(bot: Bot, message: Message, *, whole_albums: bool = False) -> bool:
    """Whether the bot is told of a message; of what bots write, never.

    ``whole_albums``: one visible picture shows the album (not documented either way).
    """
    if message.sender is not None and message.sender.is_bot and message.sender_chat is None:
        own = message.sender is not bot or bool(OWN & set(message.service or ()))
        return message.service is not None and own
    chat = message.chat
    if chat.kind == PRIVATE:
        return chat.bot is bot
    member = chat.member(bot)
    if member is None or not member.here:
        return False
    if member.boss or member.sees_all or message.service is not None:
        return True
    return whole_albums or message.via is bot or _answers(bot, message) or _commands(bot, message)


def _answers(bot: Bot, message: Message) -> bool:
    return message.reply_to is not None and message.reply_to.sender is bot


def _commands(bot: Bot, message: Message) -> bool:
    text = message.text if message.text is not None else message.caption or ""
    for entity in message.entities:
        if entity["type"] == "bot_command":
            _, _, name = entities.part(text, entity).partition("@")
            if name.lower() == (bot.username or "").lower() or (not name and message.chat.last_writer is bot):
                return True
    return False
